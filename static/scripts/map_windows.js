// Two or four windows beside each other: the first is the map itself, every other shows one source and the lines of districts; all move together.
import { note } from "./map_address.js";
import { tileLayer } from "./map_tiles.js";

const form = document.querySelector("[data-windows]");
const LINES = "administrative_area";

export function bindWindows(map, data, time, { options, say, take }) {
  if (!form) return { refresh() {} };
  const frame = map.getContainer().parentElement, count = form.elements.count, lists = [...form.querySelectorAll("[name=window]")];
  const opened = [];
  const follow = together(map, opened);
  const title = (place) => `${lists[place].selectedOptions[0].text}`;
  const open = (place) => {
    const box = Object.assign(document.createElement("div"), { className: "map" });
    frame.append(box);
    const own = L.map(box, options);
    const label = Object.assign(document.createElement("p"), { className: "over pop cap" });
    own.setView(map.getCenter(), map.getZoom());
    box.append(label);
    follow(own);
    own.on("click", ({ latlng }) => take(latlng, { source: lists[place].value }));
    box.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target === box) take(own.getCenter(), { source: lists[place].value }); });
    return { map: own, box, label, layers: [], source: null };
  };
  const fill = (window, place) => {
    const name = lists[place].value, { edition } = name ? time.source(name) : {};
    const told = name ? `${title(place)}${name.includes("@") || !edition ? "" : `，${edition.words}`}` : "请选图层";
    window.label.textContent = `窗口 ${place + 2}：${told}`;
    window.box.setAttribute("role", "region");
    window.box.setAttribute("aria-label", `${window.label.textContent}，方向键移动，回车查询中心`);
    if (window.source === `${name} ${edition?.number}`) return window.layers.forEach((layer) => layer.restyle());
    for (const layer of window.layers) layer.remove();
    window.layers = [];
    window.source = `${name} ${edition?.number}`;
    if (!edition) return undefined;
    const [key] = name.split("@");
    for (const [at, [shown, what]] of [[key, edition], [LINES, data.tiles[LINES] && time.edition(LINES)]].entries()) {
      if (!what || (at && shown === key)) continue;
      if (!window.map.getPane(shown)) window.map.createPane(shown).style.zIndex = 201 + at;
      window.layers.push(tileLayer(shown, shown, what, say).addTo(window.map));
    }
    return undefined;
  };
  const settle = () => {
    const extra = Number(count.value) - 1;
    frame.dataset.count = count.value;
    lists.forEach((list, place) => { list.parentElement.hidden = place >= extra; });
    while (opened.length > extra) { const { map: own, box } = opened.pop(); own.remove(); box.remove(); }
    while (opened.length < extra) opened.push(open(opened.length));
    opened.forEach(fill);
    for (const each of [map, ...opened.map((window) => window.map)]) each.invalidateSize();
  };
  const choose = () => {
    settle();
    note({ windows: lists.slice(0, Number(count.value) - 1).map(({ value }) => value).filter(Boolean).join(",") });
  };
  // Windows that nobody has chosen for yet begin with editions of the layer that has most of them.
  const suggest = () => {
    const key = Object.keys(data.editions).sort((a, b) => data.editions[b].length - data.editions[a].length)[0];
    const editions = data.editions[key].slice(1).concat(data.editions[key][0]);
    lists.forEach((list, place) => { if (place < Number(count.value) - 1 && !list.value) list.value = `${key}@${editions[place % editions.length].number}`; });
  };
  count.addEventListener("change", () => { suggest(); choose(); });
  for (const list of lists) list.addEventListener("change", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  if (data.windows.length) settle();
  return { refresh() { if (opened.length) opened.forEach(fill); } };
}

// Every map follows the one that moves; what it does then is not passed on again.
function together(map, opened) {
  let isFollowing = false;
  const move = (from) => {
    if (isFollowing) return;
    isFollowing = true;
    for (const other of [map, ...opened.map((each) => each.map)]) if (other !== from) other.setView(from.getCenter(), from.getZoom(), { animate: false });
    isFollowing = false;
  };
  const bind = (each) => each.on("move zoomend", () => move(each));
  bind(map);
  return bind;
}
