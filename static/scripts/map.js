// The one map. Its address always says what is seen: position, layers and what is pointed out.
import { bindSearches, note } from "./map_address.js";
import { addPoint, bindMeasure, measure } from "./map_measure.js";
import { bindSwipe } from "./map_swipe.js";
import { fade, isShown, tileLayer } from "./map_tiles.js";
import { bindTime, timeOf } from "./map_time.js";
import { bindTree, noteShown } from "./map_tree.js";
import { bindWindows } from "./map_windows.js";

const box = document.querySelector("[data-map-page]");
const tree = document.getElementById("map-layers");
const panel = document.getElementById("map-facts");
const PICKED = { color: "#0b5468", weight: 3, fillColor: "#0b5468", fillOpacity: 0.2 };

const say = (words) => { document.getElementById("map-measure").textContent = words; };

async function read(address, signal) {
  const answer = await fetch(address, { credentials: "same-origin", signal });
  return answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)));
}

function notePosition(map) {
  const { lng, lat } = map.getCenter();
  note({ at: `${lng.toFixed(5)},${lat.toFixed(5)},${map.getZoom()}` });
}

// ---- what is pointed out: a place that was asked for, or a point that was clicked
const pick = { marker: null, shapes: null };

// With the side of the divider, or the source of the window, in which the place was pointed at.
async function ask(map, address, at, { side = "", source = "" }) {
  panel.setAttribute("aria-busy", "true");
  const point = `${at.lng.toFixed(8)},${at.lat.toFixed(8)}`;
  const state = new URLSearchParams({ at: point, side, source });
  for (const key of ["on", "days", "swipe"]) state.set(key, new URL(location.href).searchParams.get(key) ?? "");
  const answer = await fetch(`${address}?${state}`, { credentials: "same-origin", headers: { "HX-Request": "true" } });
  panel.removeAttribute("aria-busy");
  if (!answer.ok) return say("没有读到此处的要素。请刷新页面后再点。");
  panel.innerHTML = await answer.text();
  pick.shapes?.remove();
  panel.parentElement.classList.add("has-place");
  pointAt(map, at);
  return note({ q: point, side, source, plot: null, case: null });
}

function pointAt(map, at) {
  pick.marker?.remove();
  pick.marker = L.circleMarker(at, { radius: 6, color: "#14242b", weight: 2, fillColor: "#f2b52a", fillOpacity: 1, interactive: false }).addTo(map);
}

async function showSelected(map, address, isArea) {
  if (!address) return;
  const found = await read(address).catch((error) => say(`所选地块的轮廓没有读到（${error.message}）。请刷新页面。`));
  if (!found) return;
  const isList = found.features.length > 1;
  pick.shapes = L.geoJSON(found, {
    style: isArea ? { ...PICKED, fill: false } : PICKED, interactive: isList, bubblingMouseEvents: false,
    onEachFeature: ({ properties }, shape) => shape.on("click", () => pointOut(properties.key)),
  }).addTo(map);
}

// Marks the entry of the list and its shape on the map, each found by the other.
function pointOut(key) {
  for (const entry of panel.querySelectorAll("[data-found]")) entry.classList.toggle("picked", entry.dataset.found === key);
  panel.querySelector(".picked")?.focus();
  pick.shapes?.eachLayer((shape) => shape.setStyle(shape.feature.properties.key === key ? { ...PICKED, color: "#f2b52a" } : PICKED));
}

function bindList(map) {
  panel.addEventListener("click", (event) => {
    const link = event.target.closest("[data-show]");
    const shape = link && pick.shapes?.getLayers().find(({ feature }) => feature.properties.key === link.dataset.show);
    if (!shape) return;
    event.preventDefault();
    map.fitBounds(shape.getBounds(), { maxZoom: 17, padding: [30, 30] });
    pointOut(link.dataset.show);
  });
}

// ---- layers
function rangeLayer(map, address) {
  const layer = L.geoJSON(null, { style: { color: "#0b5468", weight: 2.5, fillColor: "#0b5468", fillOpacity: 0.18 }, interactive: false });
  let asking;
  const load = async () => {
    if (!map.hasLayer(layer)) return;
    asking?.abort();
    asking = new AbortController();
    const b = map.getBounds();
    const bounds = [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()].map((n) => n.toFixed(6)).join(",");
    const found = await read(`${address}?bounds=${bounds}`, asking.signal).catch((error) => error.name !== "AbortError" && say(`办件范围没有读到（${error.message}）。请刷新页面。`));
    if (found) { layer.clearLayers(); layer.addData(found); }
  };
  map.on("moveend", load);
  return layer.on("add", load);
}

// A layer of which no group is shown, or that was not there on its day, is taken off the map: none of its tiles are asked for.
function show(map, key, layer) {
  if (!isShown(key) || !layer.edition) layer.remove();
  else if (map.hasLayer(layer)) layer.restyle();
  else layer.addTo(map);
}

function stack(map, keys) {
  keys.forEach((key, i) => { map.getPane(key).style.zIndex = 201 + keys.length - i; });
}

// The editions of the day in the place of those that were shown, with their words in the tree.
function turn(map, layers, time) {
  for (const [key, layer] of Object.entries(layers)) {
    const edition = time.edition(key);
    tree.querySelector(`[data-layer="${key}"] [data-edition]`).textContent = edition?.words ?? "这一天还没有数据";
    layer.turnTo(edition);
    show(map, key, layer);
  }
}

// Editions inside a year have no drawing of the small scales; that nothing is seen must not look like nothing there.
function bindTooSmall(map, layers) {
  const tell = () => {
    const missing = Object.entries(layers).filter(([, layer]) => map.hasLayer(layer) && layer.isTooSmall(map.getZoom()));
    const names = missing.map(([key]) => tree.querySelector(`[data-layer="${key}"] summary`).firstChild.textContent.trim());
    if (missing.length) say(`${names.join("、")}的这一版没有绘制小比例尺，请放大到第 ${Math.max(...missing.map(([, { edition }]) => edition.detail))} 级（现在第 ${map.getZoom()} 级）。`);
    else if (document.getElementById("map-measure").textContent.includes("小比例尺")) say("");
  };
  map.on("zoomend", tell);
  return tell;
}

// ---- position, scale, whole city, printing
function bindStrip(map) {
  const where = (at) => { document.getElementById("map-at").textContent = `CGCS2000　${at.lng.toFixed(5)}°E　${at.lat.toFixed(5)}°N`; };
  const scale = () => { document.getElementById("map-scale").textContent = `1 : ${Math.round((156543.034 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / 2 ** map.getZoom() / 0.00028).toLocaleString("zh-CN")}`; };
  map.on("mousemove", ({ latlng }) => where(latlng));
  map.on("moveend", () => { where(map.getCenter()); scale(); notePosition(map); });
  where(map.getCenter());
  scale();
}

function bindButtons(map, data) {
  document.querySelector("[data-whole]").addEventListener("click", () => map.fitBounds(data.whole));
  document.querySelector("[data-print]").addEventListener("click", () => window.print());
  document.querySelector("[data-share]").addEventListener("click", async () => {
    notePosition(map);
    noteShown();
    if (!navigator.clipboard) return say("浏览器不允许复制。地址栏里的地址就是链接。");
    return navigator.clipboard.writeText(location.href).then(() => say("链接已复制，含位置、图层和所选。"), () => say("浏览器不允许复制。地址栏里的地址就是链接。"));
  });
}

function place(map, { view, bounds }) {
  if (view) map.setView([view[1], view[0]], view[2]);
  else map.fitBounds(bounds, { maxZoom: 17, padding: [4, 4] });
}

function start() {
  const data = JSON.parse(box.dataset.mapPage);
  box.replaceChildren();
  const options = { attributionControl: false, minZoom: 8, maxZoom: 19, zoomSnap: 0.5, zoomControl: false, maxBounds: [[29.5, 119], [33.2, 124]] };
  const map = L.map(box, options), time = timeOf(data), layers = {};
  L.control.zoom({ zoomInTitle: "放大", zoomOutTitle: "缩小" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  box.append(Object.assign(document.createElement("span"), { className: "map-cross" }));
  place(map, data);
  for (const key of data.order) {
    map.createPane(key);
    layers[key] = tileLayer(key, key, time.edition(key), say);
    show(map, key, layers[key]);
  }
  stack(map, data.order);
  const take = (at, seen) => (measure.mode ? addPoint(map, data.measure, at, say) : ask(map, data.facts, at, seen));
  new ResizeObserver(() => map.invalidateSize()).observe(box);
  const ranges = rangeLayer(map, data.ranges), tell = bindTooSmall(map, layers), parts = [{ refresh: tell }];
  const refresh = () => parts.forEach((part) => part.refresh());
  bindTree({
    show: (key) => { show(map, key, layers[key]); refresh(); }, ranges: (isOn) => { if (isOn) ranges.addTo(map); else ranges.remove(); },
    fade, stack: (keys) => stack(map, keys),
  });
  bindTime(data, time, () => { turn(map, layers, time); refresh(); });
  const swipe = bindSwipe(map, data.order, time, say), takeHere = (at) => take(at, { side: swipe.sideAt(at) });
  parts.push(swipe, bindWindows(map, data, time, { options, say, take }));
  bindSearches();
  tell();
  bindList(map);
  bindMeasure(map, data.measure, say);
  bindStrip(map);
  bindButtons(map, data);
  showSelected(map, data.selected, data.isArea);
  if (data.point) pointAt(map, [data.point[1], data.point[0]]);
  map.on("click", ({ latlng }) => takeHere(latlng));
  box.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target === box) takeHere(map.getCenter()); });
}

if (box && window.L) start();
