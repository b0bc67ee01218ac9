// The swipe: one layer is seen left of the divider, another right of it; the divider is a range input.
const form = document.querySelector("[data-swipe]");

export function bindSwipe(map, layers, note) {
  if (!form) return;
  const { left, right, divider } = form.elements;
  const state = () => ({ left: left.value, right: right.value, share: Number(divider.value) });
  const isOn = ({ left: one, right: other }) => one && other && one !== other;
  const clip = () => {
    const now = state();
    for (const key of Object.keys(layers)) map.getPane(key).style.clipPath = "";
    if (!isOn(now)) return;
    const { x, y } = map.getSize(), from = map.containerPointToLayerPoint([0, 0]), at = from.x + (x * now.share) / 100;
    map.getPane(now.left).style.clipPath = box(from.x, from.y, at, from.y + y);
    map.getPane(now.right).style.clipPath = box(at, from.y, from.x + x, from.y + y);
  };
  const choose = () => {
    const now = state();
    for (const key of isOn(now) ? [now.left, now.right] : []) showAll(key);
    form.querySelector("output").textContent = words(now, isOn(now));
    clip();
    note({ swipe: isOn(now) ? `${now.left},${now.right},${now.share}` : null });
  };
  form.addEventListener("input", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  map.on("move zoomend resize", clip);
  if (isOn(state())) choose();
}

// A path and not an inset: a pane has no size of its own, so that only coordinates from its origin mean something.
const box = (west, north, east, south) => `path("M${west} ${north}H${east}V${south}H${west}Z")`;

// A layer of which nothing is shown would leave its side empty without a word.
function showAll(key) {
  const groups = [...document.querySelectorAll(`[data-layer="${key}"] [data-group]`)];
  if (groups.some((input) => input.checked)) return;
  for (const input of groups) input.checked = true;
  groups[0].dispatchEvent(new Event("change", { bubbles: true }));
}

function words({ left, right, share }, isOn) {
  if (isOn) return `分界在图宽的 ${share}%`;
  return left && left === right ? "左右请选不同的图层。" : "";
}
