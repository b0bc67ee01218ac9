// The features of a page of the list on a map of their own: list and map point to each other.
const box = document.querySelector("[data-query-map]");
const LOOKS = {
  range: { color: "#8f1f10", weight: 2, dashArray: "6 4", fillOpacity: 0.04, interactive: false },
  found: { color: "#0b5468", weight: 1.5, fillColor: "#0b5468", fillOpacity: 0.2 },
  picked: { color: "#f2b52a", weight: 4 },
};
const rowOf = (key) => document.getElementById(`found-${key}`);

function pick(shapes, key, map) {
  for (const shape of shapes.values()) shape.setStyle(LOOKS.found);
  for (const row of document.querySelectorAll("tr.picked")) row.classList.remove("picked");
  const shape = shapes.get(key);
  if (!shape) return;
  shape.setStyle(LOOKS.picked).bringToFront();
  rowOf(key)?.classList.add("picked");
  if (map) map.panInside(shape.getBounds ? shape.getBounds().getCenter() : shape.getLatLng(), { padding: [40, 40] });
}

function bindRows(map, shapes) {
  for (const key of shapes.keys()) {
    const row = rowOf(key);
    row?.addEventListener("click", () => pick(shapes, key, map));
    row?.addEventListener("focusin", () => pick(shapes, key, map));
  }
}

function draw(found) {
  box.replaceChildren();
  const map = L.map(box, { attributionControl: false, minZoom: 8, maxZoom: 19, zoomSnap: 0.5 }), shapes = new Map();
  L.control.scale({ imperial: false }).addTo(map);
  const all = L.geoJSON(found, {
    style: ({ properties }) => LOOKS[properties.what],
    pointToLayer: (feature, at) => L.circleMarker(at, { radius: 6 }),
    onEachFeature: ({ properties }, shape) => {
      if (properties.what !== "found") return;
      shapes.set(properties.key, shape);
      shape.on("click", () => { pick(shapes, properties.key); rowOf(properties.key)?.scrollIntoView({ block: "center" }); });
    },
  }).addTo(map);
  if (found.features.length) map.fitBounds(all.getBounds(), { maxZoom: 17, padding: [20, 20] });
  else map.setView([31.2, 121.45], 9);
  bindRows(map, shapes);
}

async function start() {
  const answer = await fetch(JSON.parse(box.dataset.queryMap).shapes, { credentials: "same-origin" });
  if (answer.ok) return draw(await answer.json());
  box.textContent = "要素的图形没有读到。请刷新页面，或点编号到一张图上看。";
}

if (box && window.L) start();
