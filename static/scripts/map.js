// The one map: vector tiles of the portal drawn on canvases, styled after the swatches of the layer tree.
const box = document.querySelector("[data-map-page]");
const tree = document.getElementById("map-layers");
const TILE = 256;

// ---- reading vector tiles (Mapbox Vector Tile 2.1): one layer of polygons with text properties
function reader(bytes) {
  let at = 0;
  const text = new TextDecoder();
  const varint = () => {
    let value = 0, factor = 1, byte;
    do { byte = bytes[at++]; value += (byte & 127) * factor; factor *= 128; } while (byte > 127);
    return value;
  };
  return {
    fields(end, take) {
      while (at < end) {
        const head = varint(), tag = head >> 3;
        if ((head & 7) === 2) { const size = varint(), stop = at + size; take(tag, stop); at = stop; } else take(tag, null, varint());
      }
    },
    varint, size: () => bytes.length, place: () => at,
    text: (end) => text.decode(bytes.subarray(at, end)),
  };
}

function decode(buffer) {
  const tile = reader(new Uint8Array(buffer)), keys = [], values = [], raw = [];
  let extent = 4096;
  tile.fields(tile.size(), (_layer, end) => tile.fields(end, (tag, stop, value) => {
    if (tag === 2) raw.push(feature(tile, stop));
    else if (tag === 3) keys.push(tile.text(stop));
    else if (tag === 4) tile.fields(stop, (_kind, textEnd) => values.push(tile.text(textEnd)));
    else if (tag === 5) extent = value;
  }));
  return raw.map(({ tags, rings }) => {
    const properties = {};
    for (let i = 0; i < tags.length; i += 2) properties[keys[tags[i]]] = values[tags[i + 1]];
    return { ...properties, path: outline(rings, TILE / extent) };
  });
}

function feature(tile, end) {
  const tags = [], rings = [];
  tile.fields(end, (tag, stop) => {
    if (tag === 2) while (tile.place() < stop) tags.push(tile.varint());
    if (tag !== 4) return;
    let x = 0, y = 0;
    const step = () => { const value = tile.varint(); return value % 2 ? -(value + 1) / 2 : value / 2; };
    while (tile.place() < stop) {
      const head = tile.varint(), command = head & 7;
      if (command === 1) rings.push([]);
      if (command === 7) continue;
      for (let i = head >> 3; i > 0; i--) { x += step(); y += step(); rings.at(-1).push([x, y]); }
    }
  });
  return { tags, rings };
}

function outline(rings, scale) {
  const path = new Path2D();
  for (const ring of rings) {
    ring.forEach(([x, y], i) => (i ? path.lineTo(x * scale, y * scale) : path.moveTo(x * scale, y * scale)));
    path.closePath();
  }
  return path;
}

// ---- styles: the computed style of a swatch is the style of its group on the map
function styleOf(input) {
  const computed = getComputedStyle(input.closest("label").querySelector("rect"));
  const dashes = computed.strokeDasharray === "none" ? [] : computed.strokeDasharray.split(",").map(parseFloat);
  return {
    fill: computed.fill, stroke: computed.stroke, width: parseFloat(computed.strokeWidth), dashes,
    hatch: input.closest("label").querySelector("rect").classList.contains("m-line"),
  };
}

function hatch(context, colour) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const pen = canvas.getContext("2d");
  pen.strokeStyle = colour; pen.globalAlpha = 0.45; pen.lineWidth = 1;
  pen.beginPath(); pen.moveTo(-2, 6); pen.lineTo(6, -2); pen.moveTo(2, 10); pen.lineTo(10, 2); pen.stroke();
  return context.createPattern(canvas, "repeat");
}

const shown = (key) => new Map([...tree.querySelectorAll(`[data-layer="${key}"] [data-group]`)]
  .filter((input) => input.checked).map((input) => [input.dataset.group, styleOf(input)]));

function draw(canvas, features, styles, picked) {
  const context = canvas.getContext("2d"), ratio = canvas.width / TILE;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, TILE, TILE);
  for (const each of features) {
    const style = styles.get(each.group);
    if (!style) continue;
    if (style.fill !== "none") { context.fillStyle = style.fill; context.fill(each.path, "evenodd"); }
    if (style.hatch) { context.fillStyle = hatch(context, style.stroke); context.fill(each.path, "evenodd"); }
    if (style.stroke !== "none") { context.strokeStyle = style.stroke; context.lineWidth = style.width; context.setLineDash(style.dashes); context.stroke(each.path); }
  }
  context.setLineDash([]);
  for (const each of features.filter(({ key }) => picked.has(key))) {
    context.fillStyle = "rgb(11 84 104 / .25)"; context.fill(each.path, "evenodd");
    context.strokeStyle = "#0b5468"; context.lineWidth = 3; context.stroke(each.path);
  }
}

function tileLayer(key, address, fromZoom, picked) {
  const Layer = L.GridLayer.extend({
    createTile({ x, y, z }, done) {
      const canvas = L.DomUtil.create("canvas", "leaflet-tile");
      canvas.width = canvas.height = TILE * Math.min(2, window.devicePixelRatio || 1);
      if (z < fromZoom) { setTimeout(() => done(null, canvas)); return canvas; }
      fetch(`${address}/${z}/${x}/${y}`, { credentials: "same-origin" })
        .then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new Error(String(answer.status)))))
        .then((buffer) => { canvas.features = buffer.byteLength ? decode(buffer) : []; draw(canvas, canvas.features, shown(key), picked); done(null, canvas); })
        .catch((error) => { say(`图层没有读到（${error.message}）。请刷新页面。`); done(error, canvas); });
      return canvas;
    },
    restyle() {
      const styles = shown(key);
      for (const { el } of Object.values(this._tiles)) if (el.features) draw(el, el.features, styles, picked);
    },
  });
  return new Layer({ tileSize: TILE, minZoom: 8, maxZoom: 19, updateWhenZooming: false });
}

const say = (words) => { document.getElementById("map-measure").textContent = words; };

// ---- measuring on the ellipsoid's mean sphere; for orientation, not for decisions
function areaOf(points) {
  const rad = Math.PI / 180;
  let sum = 0;
  points.forEach((a, i) => { const b = points[(i + 1) % points.length]; sum += (b.lng - a.lng) * rad * (2 + Math.sin(a.lat * rad) + Math.sin(b.lat * rad)); });
  return Math.abs((sum * 6371007.2 ** 2) / 2);
}

const measure = { mode: null, points: [], line: null };

function measured(map) {
  measure.line?.remove();
  const { points, mode } = measure;
  if (!points.length) return;
  measure.line = (mode === "area" ? L.polygon : L.polyline)(points, { color: "#8f1f10", weight: 2, dashArray: "6 4", interactive: false }).addTo(map);
  const length = points.slice(1).reduce((sum, point, i) => sum + map.distance(points[i], point), 0);
  const number = (value) => value.toLocaleString("zh-CN", { maximumFractionDigits: 1 });
  say(mode === "area" ? `面约 ${number(areaOf(points))} 平方米` : `长约 ${number(length)} 米`);
}

function bindMeasure(map) {
  const buttons = [...document.querySelectorAll("[data-measure]")];
  for (const button of buttons) button.addEventListener("click", () => {
    measure.mode = measure.mode === button.dataset.measure ? null : button.dataset.measure;
    measure.points = [];
    measure.line?.remove();
    buttons.forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.measure === measure.mode)));
    say(measure.mode ? "在图上依次点击，再按一次按钮结束。" : "");
  });
}

// ---- facts of a place, ranges in sight, coordinates
async function ask(address, at) {
  const panel = document.getElementById("map-facts");
  panel.setAttribute("aria-busy", "true");
  const answer = await fetch(`${address}?at=${at.lng.toFixed(8)},${at.lat.toFixed(8)}`, { credentials: "same-origin", headers: { "HX-Request": "true" } });
  panel.removeAttribute("aria-busy");
  if (answer.ok) panel.innerHTML = await answer.text(); else say("没有读到此处的要素。请刷新页面后再点。");
}

function rangeLayer(map, address) {
  const layer = L.geoJSON(null, { style: { color: "#0b5468", weight: 2.5, fillColor: "#0b5468", fillOpacity: 0.18 }, interactive: false }).addTo(map);
  const load = async () => {
    const b = map.getBounds();
    const answer = await fetch(`${address}?bounds=${[b.getWest(), b.getSouth(), b.getEast(), b.getNorth()].map((n) => n.toFixed(6)).join(",")}`, { credentials: "same-origin" });
    if (!answer.ok) return say("办件范围没有读到。请刷新页面。");
    layer.clearLayers();
    layer.addData(await answer.json());
  };
  map.on("moveend", load);
  load();
  return layer;
}

function bindTree(map, layers, ranges) {
  for (const details of tree.querySelectorAll("[data-layer]")) {
    const layer = layers[details.dataset.layer];
    details.addEventListener("change", ({ target }) => {
      if (details.dataset.layer === "ranges") { if (target.checked) ranges.addTo(map); else ranges.remove(); return; }
      if (target.matches("[data-opacity]")) layer.setOpacity(target.value / 100); else layer.restyle();
    });
  }
}

function start() {
  const data = JSON.parse(box.dataset.mapPage), picked = new Set(data.picked);
  box.replaceChildren();
  const map = L.map(box, { attributionControl: false, minZoom: 8, maxZoom: 19, zoomControl: false });
  L.control.zoom({ zoomInTitle: "放大", zoomOutTitle: "缩小" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.fitBounds(data.bounds, { maxZoom: 17, padding: [30, 30] });
  const layers = {};
  for (const key of ["land_use", "annual_farmland", "permanent_farmland", "administrative_area"])
    if (data.tiles[key]) layers[key] = tileLayer(key, data.tiles[key], data.fromZoom[key], picked).addTo(map);
  const ranges = rangeLayer(map, data.ranges);
  new ResizeObserver(() => map.invalidateSize()).observe(box);
  bindTree(map, layers, ranges);
  bindMeasure(map);
  map.on("click", ({ latlng }) => {
    if (measure.mode) { measure.points.push(latlng); measured(map); } else ask(data.facts, latlng);
  });
  const where = (at) => { document.getElementById("map-at").textContent = `CGCS2000　${at.lng.toFixed(5)}°E　${at.lat.toFixed(5)}°N`; };
  const scale = () => { document.getElementById("map-scale").textContent = `1 : ${Math.round((156543.034 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / 2 ** map.getZoom() / 0.00028).toLocaleString("zh-CN")}`; };
  map.on("mousemove", ({ latlng }) => where(latlng));
  map.on("moveend", () => { where(map.getCenter()); scale(); });
  where(map.getCenter()); scale();
  box.addEventListener("keydown", (event) => { if (event.key === "Enter") ask(data.facts, map.getCenter()); });
  document.querySelector("[data-whole]").addEventListener("click", () => map.fitBounds([[30.67, 120.85], [31.88, 122.0]]));
}

if (box && window.L) start();
