// The drawing on the map: its shape, a handle on every point, a fainter one in the middle of every edge.
const LINE = { color: "#8f1f10", weight: 2.5, fillColor: "#8f1f10", fillOpacity: 0.12, interactive: false };
const MOST_HANDLES = 400, NEAREST = 8, NEAREST_MIDDLE = 32; // handles nearer than so many dots would cover each other: they come with a larger scale
const at = ([x, y]) => [y, x];
const icon = (size) => L.divIcon({ className: "leaflet-div-icon", iconSize: [size, size] });
const plain = ({ lng, lat }) => [Number(lng.toFixed(9)), Number(lat.toFixed(9))];

export function drawing(map, sketch, snapped) {
  const shape = L.layerGroup().addTo(map), handles = L.layerGroup().addTo(map);
  const drawShape = (parts = sketch.state.parts) => {
    shape.clearLayers();
    const { kind } = sketch.state, whole = kind === "polygon" ? parts.filter((part) => part.length > 2) : [];
    if (whole.length) L.polygon(whole.map((part) => part.map(at)), LINE).addTo(shape);
    for (const part of parts) {
      if (kind === "line" || (kind === "polygon" && part.length === 2)) L.polyline(part.map(at), LINE).addTo(shape);
      if (kind === "point" || part.length === 1) for (const point of part) L.circleMarker(at(point), { ...LINE, radius: 4, fillOpacity: 0.6 }).addTo(shape);
    }
  };
  const handle = (point, size, opacity) => L.marker(at(point), { icon: icon(size), opacity, draggable: true, keyboard: false, bubblingMouseEvents: false }).addTo(handles);

  function bindPoint(part, index, point) {
    const found = handle(point, 14, 1);
    found.on("drag", () => drawShape(sketch.state.parts.map((each, p) => (p === part ? each.map((old, i) => (i === index ? plain(found.getLatLng()) : old)) : each))));
    found.on("click", () => {}); // a click that nobody takes goes to the map, which would add a point
    found.on("dragend", () => sketch.move(part, index, snapped(found.getLatLng())));
    found.on("dblclick", () => sketch.remove(part, index));
  }

  function bindMiddle(part, index, [x, y], [u, v]) {
    const found = handle([(x + u) / 2, (y + v) / 2], 10, 0.55);
    found.on("click", () => sketch.insert(part, index + 1, plain(found.getLatLng())));
    found.on("dragend", () => sketch.insert(part, index + 1, snapped(found.getLatLng())));
  }

  function drawHandles() {
    handles.clearLayers();
    const seen = map.getBounds().pad(0.1), { kind, parts } = sketch.state;
    const dots = (one, other) => map.latLngToContainerPoint(at(one)).distanceTo(map.latLngToContainerPoint(at(other)));
    let left = MOST_HANDLES, last = null;
    parts.forEach((points, part) => points.forEach((point, index) => {
      if (left <= 0 || !seen.contains(at(point)) || (index && last && dots(last, point) < NEAREST)) return;
      left -= 1;
      last = point;
      bindPoint(part, index, point);
      const isClosed = kind === "polygon" && points.length > 2, next = points[index + 1] ?? (isClosed ? points[0] : null);
      if (next && kind !== "point" && dots(point, next) >= NEAREST_MIDDLE) bindMiddle(part, index, point, next);
    }));
  }
  map.on("moveend", drawHandles);
  return () => { drawShape(); drawHandles(); };
}

export { plain };
