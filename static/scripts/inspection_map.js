// The map of an inspection: findings and the features around what is seen; row, place and attributes pick each other.
const box = document.querySelector("[data-inspection-map]");
const panel = document.getElementById("finding-panel");
const note = document.getElementById("map-note");
const INK = "#14242b", BAD = "#c3341c", HALO = "#f2b52a";
const styleOf = ({ severity, state }) => ({ color: state === "excepted" ? "#4d5f66" : severity === "error" ? BAD : "#8a5a00", weight: 2, fillOpacity: severity === "error" ? 0.35 : 0.08 });
const rows = () => [...document.querySelectorAll("[data-findings] tr[data-number]")];
const state = { picked: null, shapes: new Map() };

async function read(address, bounds) {
  const url = new URL(address, location.href);
  url.searchParams.set("bounds", bounds);
  const answer = await fetch(url, { credentials: "same-origin" });
  return answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)));
}

function paint() {
  for (const [number, shape] of state.shapes) shape.setStyle?.(number === state.picked ? { color: HALO, weight: 4 } : styleOf(shape.feature.properties));
  for (const row of rows()) row.classList.toggle("picked", Number(row.dataset.number) === state.picked);
}

function boundsOf(text) {
  const [west, south, east, north] = text.split(",").map(Number);
  return [[south, west], [north, east]];
}

// Shows a finding: its row, its place, and its feature in the panel, which the server words.
async function pick(map, number, { move = true, focus = false } = {}) {
  state.picked = number;
  paint();
  const row = document.getElementById(`f${number}`);
  const link = row?.querySelector("[data-locate]");
  if (move && link?.dataset.bounds) map.fitBounds(boundsOf(link.dataset.bounds), { maxZoom: 18, padding: [60, 60] });
  if (focus) link?.focus();
  if (move && innerWidth < 960) box.scrollIntoView({ block: "start" }); else row?.scrollIntoView({ block: "nearest" });
  const address = new URL(link?.href ?? location.href);
  address.searchParams.set("finding", number);
  const answer = await fetch(address, { credentials: "same-origin", headers: { "HX-Request": "true", "X-Block": "finding" } });
  if (!answer.ok) { note.textContent = `没有读到第 ${number} 条（${answer.status}）。请刷新页面。`; return; }
  panel.innerHTML = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("finding-panel").innerHTML;
  history.replaceState(null, "", address);
  const place = panel.querySelector("[data-bounds]")?.dataset.bounds;
  if (move && !link && place) map.fitBounds(boundsOf(place), { maxZoom: 18, padding: [60, 60] });
}

function layers(map, data) {
  const around = L.geoJSON(null, { style: { color: "#6f7f86", weight: 1, fillColor: "#dfe3c0", fillOpacity: 0.55 }, pointToLayer: (_, at) => L.circleMarker(at, { radius: 3 }), interactive: false }).addTo(map);
  const found = L.geoJSON(null, {
    style: ({ properties }) => styleOf(properties),
    pointToLayer: ({ properties }, at) => L.circleMarker(at, { radius: 7, ...styleOf(properties) }),
    onEachFeature: ({ properties }, shape) => {
      state.shapes.set(properties.number, shape);
      shape.bindTooltip(`${properties.number}　${properties.check}`);
      shape.on("click", (event) => { L.DomEvent.stop(event); pick(map, properties.number, { move: false }); });
    },
  }).addTo(map);
  let asked = 0;
  const load = async () => {
    const b = map.getBounds(), bounds = [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()].map((n) => n.toFixed(7)).join(","), turn = ++asked;
    const parts = await Promise.all([read(data.features, bounds), read(data.findings, bounds)]).catch((error) => { note.textContent = `图形没有读到（${error.message}）。请刷新页面。`; });
    if (!parts || turn !== asked) return;
    around.clearLayers(); found.clearLayers(); state.shapes.clear();
    around.addData(parts[0]); found.addData(parts[1]);
    note.textContent = parts[0].more || parts[1].more ? "这一范围内的图形很多，只显示一部分；放大后显示全部。" : "";
    paint();
  };
  map.on("moveend", load);
  load();
}

function bindKeys(map) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-locate], [data-step]");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    pick(map, Number(link.dataset.locate ?? new URL(link.href).searchParams.get("finding")));
  });
  document.addEventListener("keydown", (event) => {
    const row = event.target.closest?.("[data-findings] tr");
    if (!row || !["ArrowDown", "ArrowUp"].includes(event.key) || event.target.matches("input")) return;
    event.preventDefault();
    const all = rows(), next = all[all.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) pick(map, Number(next.dataset.number), { focus: true });
  });
}

function start() {
  const data = JSON.parse(box.dataset.inspectionMap);
  box.replaceChildren();
  const map = L.map(box, { attributionControl: false, zoomSnap: 0.5, maxZoom: 21, zoomControl: false });
  L.control.zoom({ zoomInTitle: "放大", zoomOutTitle: "缩小" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  const [west, south, east, north] = data.bounds;
  if (data.at) map.fitBounds(boundsOf(data.at), { maxZoom: 18, padding: [60, 60] }); else map.fitBounds([[south, west], [north, east]], { padding: [10, 10] });
  state.picked = data.picked;
  layers(map, data);
  new ResizeObserver(() => map.invalidateSize()).observe(box);
  bindKeys(map);
}

if (box && window.L) start();
