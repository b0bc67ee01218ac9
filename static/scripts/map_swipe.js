// The swipe: one layer, or one edition of it, is seen left of the divider, another right of it; the divider is a range input.
import { note } from "./map_address.js";
import { isShown, tileLayer } from "./map_tiles.js";

const form = document.querySelector("[data-swipe]");

// `panes`: keys of the tree's layers; `time` says what a source is; a source layer@number gets a layer of its own.
export function bindSwipe(map, panes, time, say) {
  if (!form) return { refresh() {}, sideAt: () => "" };
  const { left, right, divider } = form.elements, own = new Map(), bar = Object.assign(document.createElement("span"), { className: "map-bar", hidden: true });
  map.getContainer().append(bar);
  const state = () => ({ left: left.value, right: right.value, share: Number(divider.value) });
  const isOn = ({ left: one, right: other }) => one && other && one !== other;
  const paneOf = (source) => map.getPane(source.replace("@", "-"));
  const clip = () => {
    const now = state();
    for (const key of panes) { paneOf(key).style.clipPath = ""; paneOf(key).style.display = ""; }
    bar.hidden = !isOn(now);
    bar.style.left = `${now.share}%`;
    if (!isOn(now)) return;
    const { x, y } = map.getSize(), from = map.containerPointToLayerPoint([0, 0]), at = from.x + (x * now.share) / 100;
    for (const source of [now.left, now.right]) paneOf(source.split("@")[0]).style.display = [now.left, now.right].includes(source.split("@")[0]) ? "" : "none";
    paneOf(now.left).style.clipPath = box(from.x, from.y, at, from.y + y);
    paneOf(now.right).style.clipPath = box(at, from.y, from.x + x, from.y + y);
  };
  const settle = () => {
    const now = state(), wanted = isOn(now) ? [now.left, now.right] : [];
    for (const source of wanted) if (!source.includes("@")) showAll(source);
    for (const [source, layer] of own) if (!wanted.includes(source)) { layer.remove(); own.delete(source); }
    for (const source of wanted) if (source.includes("@") && !own.has(source)) own.set(source, layerOf(map, source, time, say));
  };
  const choose = () => {
    const now = state();
    settle();
    form.querySelector("output").textContent = words(now, isOn(now), time);
    clip();
    note({ swipe: isOn(now) ? `${now.left},${now.right},${now.share}` : null });
  };
  form.addEventListener("input", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  map.on("move zoomend resize", clip);
  if (isOn(state())) choose();
  return {
    refresh() { for (const layer of own.values()) layer.restyle(); if (isOn(state())) form.querySelector("output").textContent = words(state(), true, time); },
    // On which side of the divider a place of the map lies; empty where nothing is compared.
    sideAt(at) {
      const now = state();
      if (!isOn(now)) return "";
      return map.latLngToContainerPoint(at).x < (map.getSize().x * now.share) / 100 ? "left" : "right";
    },
  };
}

function layerOf(map, source, time, say) {
  const name = source.replace("@", "-"), { key, edition } = time.source(source);
  if (!map.getPane(name)) map.createPane(name);
  map.getPane(name).style.zIndex = map.getPane(key).style.zIndex;
  return tileLayer(key, name, edition, say).addTo(map);
}

// A path and not an inset: a pane has no size of its own, so that only coordinates from its origin mean something.
const box = (west, north, east, south) => `path("M${west} ${north}H${east}V${south}H${west}Z")`;

// A layer of which nothing is shown would leave its side empty without a word.
function showAll(key) {
  if (isShown(key)) return;
  const groups = [...document.querySelectorAll(`[data-layer="${key}"] [data-group]`)];
  for (const input of groups) input.checked = true;
  groups[0].dispatchEvent(new Event("change", { bubbles: true }));
}

function words({ left, right, share }, isOn, time) {
  const told = (source) => time.source(source).edition?.words ?? "没有数据";
  if (isOn) return `左边 ${told(left)}；右边 ${told(right)}。分界在图宽的 ${share}%`;
  return left && left === right ? "左右请选不同的图层或不同的版。" : "";
}
