// The layer tree: what is shown, how opaque, in which order, and the search in it.
import { note, noteLayers } from "./map_address.js";

const tree = document.getElementById("map-layers");
const layerOf = (element) => element.closest("[data-layer]")?.dataset.layer;

export function noteShown() {
  noteLayers([...tree.querySelectorAll("[data-group]:checked")].map((input) => `${layerOf(input)}.${input.dataset.group}`));
}

function noteOpacity() {
  const changed = [...tree.querySelectorAll("[data-opacity]")].filter(({ dataset, value }) => value !== dataset.opacity);
  note({ opacity: changed.map((input) => `${layerOf(input)}:${input.value}`).join(",") });
}

// `acts`: show(key), ranges(isOn), fade(key), stack(keys from the top)
export function bindTree(acts) {
  const ranges = tree.querySelector('[data-layer="ranges"] [data-group]');
  acts.ranges(ranges.checked);
  tree.addEventListener("change", ({ target }) => {
    if (!target.matches("[data-group]")) return;
    if (target === ranges) acts.ranges(ranges.checked); else acts.show(layerOf(target));
    noteShown();
  });
  tree.addEventListener("input", ({ target }) => {
    if (!target.matches("[data-opacity]")) return;
    acts.fade(layerOf(target));
    noteOpacity();
  });
  tree.addEventListener("click", ({ target }) => {
    if (target.closest("[data-all]")) all(target.closest("[data-layer]"));
    if (target.closest("[data-move]")) move(target.closest("[data-move]"), acts.stack);
  });
  bindSearch();
}

// One of a layer's groups tells the others, so that the map draws once.
function all(layer) {
  const inputs = [...layer.querySelectorAll("[data-group]")], isOn = !inputs.every((input) => input.checked);
  for (const input of inputs) input.checked = isOn;
  inputs[0].dispatchEvent(new Event("change", { bubbles: true }));
}

function move(button, stack) {
  const item = button.closest("[data-stacked]"), other = button.dataset.move === "-1" ? item.previousElementSibling : item.nextElementSibling;
  if (!other) return;
  if (button.dataset.move === "-1") other.before(item); else other.after(item);
  button.focus();
  const order = [...item.parentElement.children].map((each) => each.dataset.stacked);
  stack(order);
  note({ order: order.join(",") });
}

function bindSearch() {
  const form = tree.querySelector("[data-find-layer]"), input = form.elements.find;
  const find = () => {
    const words = input.value.trim(), found = [];
    for (const each of tree.querySelectorAll("[data-words]")) {
      each.hidden = Boolean(words) && !`${each.dataset.words} ${[...each.querySelectorAll(".choice")].map((label) => label.textContent).join(" ")}`.includes(words);
      if (!each.hidden) found.push(each);
    }
    for (const branch of tree.querySelectorAll("[data-branch]")) {
      branch.hidden = !branch.querySelector("[data-words]:not([hidden])");
      if (words && !branch.hidden) branch.open = true;
    }
    tree.querySelector("[data-none]").hidden = found.length > 0;
  };
  input.addEventListener("input", find);
  form.addEventListener("submit", (event) => { event.preventDefault(); find(); });
  if (input.value) find();
}
