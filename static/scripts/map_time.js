// The map in time: which edition of each layer is shown, by the day of the whole map or of the layer.
import { note } from "./map_address.js";

const STEP_MS = 1600;
const form = document.querySelector("[data-time]");

// `data.editions` has the editions of each layer, the newest first.
export function timeOf(data) {
  const state = { on: data.on, days: { ...data.layerDays } };
  const edition = (key) => {
    const day = state.days[key] || state.on;
    const found = data.editions[key].find(({ on }) => !day || on <= day);
    return found && whole(data, key, found);
  };
  const source = (name) => {
    const [key, number] = name.split("@");
    if (!number) return { key, edition: edition(key) };
    const found = data.editions[key].find((each) => String(each.number) === number);
    return { key, edition: found && whole(data, key, found) };
  };
  return { state, edition, source };
}

// The latest edition is drawn at small scales by the drawing before until its own is ready.
function whole(data, key, found) {
  return { ...found, address: `${data.tiles[key]}/${found.number}`, isDrawn: found.isDrawn || found === data.editions[key][0], words: `${found.on} 起，第 ${found.number} 版` };
}

export function bindTime(data, time, changed) {
  for (const select of document.querySelectorAll("#map-layers [data-day]")) select.addEventListener("change", () => {
    const { layer } = select.closest("[data-layer]").dataset;
    if (select.value) time.state.days[layer] = select.value; else delete time.state.days[layer];
    note({ days: Object.entries(time.state.days).map((pair) => pair.join(":")).join(",") });
    changed();
  });
  if (form) bindSlider(data, time, changed);
}

function bindSlider(data, time, changed) {
  const list = form.elements.on, slider = document.getElementById("map-time"), button = form.querySelector("[data-play]");
  const dayAt = (place) => data.days[place] ?? "";
  const say = () => slider.setAttribute("aria-valuetext", list.value || "最新");
  let waiting, playing;
  const show = (day) => {
    list.value = day;
    say();
    time.state.on = day;
    note({ on: day });
    changed();
  };
  const stop = () => { clearInterval(playing); playing = null; button.textContent = "播放"; button.setAttribute("aria-pressed", "false"); };
  const step = () => {
    slider.value = Number(slider.value) + 1;
    show(dayAt(slider.value));
    if (slider.value === slider.max) stop();
  };
  const play = () => {
    if (slider.value === slider.max) { slider.value = 0; show(dayAt(0)); }
    button.textContent = "暂停";
    button.setAttribute("aria-pressed", "true");
    playing = setInterval(step, STEP_MS);
  };
  // While the slider is dragged only the day changes; the map follows when it rests.
  slider.addEventListener("input", () => { stop(); clearTimeout(waiting); list.value = dayAt(slider.value); say(); waiting = setTimeout(() => show(dayAt(slider.value)), 200); });
  list.addEventListener("change", () => { stop(); const place = data.days.indexOf(list.value); slider.value = place < 0 ? slider.max : place; show(list.value); });
  form.addEventListener("submit", (event) => { event.preventDefault(); show(list.value); });
  button.addEventListener("click", () => (playing ? stop() : play()));
  say();
}
