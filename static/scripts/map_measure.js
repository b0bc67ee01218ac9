// Measuring on the map: points are clicked or, from the keyboard, taken at the centre; the server computes.
export const measure = { mode: null, points: [], line: null };

export function bindMeasure(map, address, say) {
  const buttons = [...document.querySelectorAll("[data-measure]")];
  const stop = () => { measure.mode = null; measure.points = []; measure.line?.remove(); mark(); };
  const mark = () => buttons.forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.measure === measure.mode)));
  for (const button of buttons) button.addEventListener("click", () => {
    const wanted = measure.mode === button.dataset.measure ? null : button.dataset.measure;
    stop();
    measure.mode = wanted;
    mark();
    say(wanted ? "在图上依次点击；用键盘时按回车取中心点，退格键去掉一点，Esc 键结束。" : "");
    if (wanted) map.getContainer().focus();
  });
  map.getContainer().addEventListener("keydown", (event) => {
    if (!measure.mode) return;
    if (event.key === "Escape") { stop(); say(""); }
    if (event.key === "Backspace") { event.preventDefault(); measure.points.pop(); show(map, address, say); }
  });
}

export function addPoint(map, address, at, say) {
  measure.points.push(at);
  show(map, address, say);
}

function show(map, address, say) {
  const { points, mode } = measure, isRing = mode === "area";
  measure.line?.remove();
  if (!points.length) return say("");
  const style = { color: "#8f1f10", weight: 2, dashArray: "6 4", interactive: false };
  measure.line = points.length === 1 ? L.circleMarker(points[0], { ...style, radius: 3 }) : (isRing ? L.polygon : L.polyline)(points, style);
  measure.line.addTo(map);
  if (points.length < (isRing ? 3 : 2)) return say(`已取 ${points.length} 点`);
  return ask(address, points, mode, say);
}

async function ask(address, points, mode, say) {
  const text = points.map(({ lng, lat }) => `${lng.toFixed(9)},${lat.toFixed(9)}`).join("\n");
  const answer = await fetch(`${address}?${new URLSearchParams({ points: text, kind: mode })}`, { credentials: "same-origin", headers: { "HX-Request": "true" } });
  if (points !== measure.points) return;
  const words = answer.ok || answer.status === 422 ? new DOMParser().parseFromString(await answer.text(), "text/html").body.textContent.trim() : "没有算出。请刷新页面后再量。";
  say(words);
}
