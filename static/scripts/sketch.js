// The page of a sketch: map and table of coordinates say the same; the server reads, measures and refuses.
import { fade, isShown, tileLayer } from "./map_tiles.js";
import { drawing, plain } from "./sketch_draw.js";
import { bindKeys } from "./sketch_keys.js";
import { snapping } from "./sketch_snap.js";
import { sketchState } from "./sketch_state.js";

const box = document.querySelector("[data-sketch]");
const form = document.getElementById("sketch-form");
const say = (words) => { document.getElementById("sketch-say").textContent = words; };
const FEWEST = { polygon: 3, line: 2, point: 1 };

function background(map, data) {
  const tree = document.getElementById("map-layers");
  const order = Object.keys(data.editions).sort((a, b) => (a === "administrative_area") - (b === "administrative_area"));
  const layers = Object.fromEntries(order.map((key, i) => {
    map.createPane(key).style.zIndex = 201 + i;
    return [key, tileLayer(key, key, data.editions[key], say)];
  }));
  const show = (key) => { const layer = layers[key]; if (!isShown(key)) layer.remove(); else if (map.hasLayer(layer)) layer.restyle(); else layer.addTo(map); };
  order.forEach(show);
  tree.addEventListener("change", ({ target }) => { if (target.matches("[data-group]")) show(target.closest("[data-layer]").dataset.layer); });
  tree.addEventListener("input", ({ target }) => { if (target.matches("[data-opacity]")) fade(target.closest("[data-layer]").dataset.layer); });
}

// Asks the server what a text draws; only the answer to the last question counts.
function reader(address) {
  let number = 0;
  return async (text, kind) => {
    const mine = ++number;
    const answer = await fetch(`${address}?${new URLSearchParams({ points: text, kind })}`, { credentials: "same-origin" });
    const found = answer.ok || answer.status === 422 ? await answer.json() : { fault: "没有算出。请刷新页面后再画。" };
    return mine === number ? found : null;
  };
}

function later(deed, wait) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(deed, wait); };
}

function start() {
  for (const each of document.querySelectorAll("[data-needs-script]")) each.hidden = false;
  const data = JSON.parse(box.dataset.sketch), { points: text, kind: kinds } = form.elements, ask = reader(data.read);
  const map = L.map(box, { attributionControl: false, minZoom: 8, maxZoom: 20, zoomSnap: 0.5, zoomControl: false, keyboard: false, doubleClickZoom: false, maxBounds: [[29.5, 119], [33.2, 124]] });
  L.control.zoom({ zoomInTitle: "放大", zoomOutTitle: "缩小" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.setView([data.at[1], data.at[0]], data.at[2]);
  new ResizeObserver(() => map.invalidateSize()).observe(box);
  background(map, data);

  const measure = later(async () => {
    if (sketch.count() < FEWEST[sketch.state.kind]) return say(sketch.count() ? `已取 ${sketch.count()} 点` : "还没有点。");
    const found = await ask(text.value, sketch.state.kind);
    if (found) say(found.fault ?? found.words);
  }, 150);
  let draw = () => {};
  const sketch = sketchState(kinds.value, data.parts, () => { text.value = sketch.text(); form.querySelector(`[name=kind][value=${sketch.state.kind}]`).checked = true; draw(); measure(); });
  const near = snapping(map, data.near, say), snapped = (latlng) => near(latlng) ?? plain(latlng);
  draw = drawing(map, sketch, snapped);

  let isAdding = true;
  const stop = document.querySelector("[data-do=end]");
  const adding = (wanted) => { isAdding = wanted; stop.textContent = wanted ? "停止加点" : "继续加点"; stop.setAttribute("aria-pressed", String(!wanted)); if (!wanted) say("画完了。可以改点、保存。"); };
  const deeds = { part: () => { sketch.part(); adding(true); }, undo: sketch.undo, redo: sketch.redo, end: () => adding(!isAdding) };
  for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => deeds[button.dataset.do]());
  map.on("click", ({ latlng }) => { if (isAdding) sketch.add(snapped(latlng)); });
  bindKeys(map, sketch, { snapped, isAdding: () => isAdding, end: () => adding(false), say });

  // What is typed or pasted is drawn once the server has read it; the text stays as it was written.
  const typed = later(async () => {
    const written = text.value, found = await ask(written, kinds.value);
    if (!found) return;
    if (found.fault) say(found.fault);
    if (!found.parts?.length) return;
    sketch.replace(found.parts);
    text.value = written;
    show(found.parts);
  }, 400);
  text.addEventListener("input", typed);
  form.addEventListener("change", ({ target }) => { if (target.name === "kind") sketch.turn(target.value); });
  const show = (parts) => { if (parts.flat().length) map.fitBounds(parts.flat().map(([x, y]) => [y, x]), { maxZoom: 17, padding: [40, 40], animate: false }); };
  show(data.parts);
  draw();
}

if (box && window.L) start();
