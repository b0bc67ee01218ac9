// Vector tiles of the portal drawn on canvases, with the palette that the layer tree carries.
const tree = document.getElementById("map-layers");
const TILE = 256;
const opacityOf = (key) => tree.querySelector(`[data-layer="${key}"] [data-opacity]`).value / 100;

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

// ---- looks: the palette of the server, from which the swatches of the legend are drawn too
const palette = tree ? JSON.parse(tree.dataset.palette) : {};
const LINES = { diagonal: ["-2,6 6,-2", "2,10 10,2"], level: ["0,4 8,4"], cross: ["-2,6 6,-2", "2,10 10,2", "-2,2 6,10", "2,-2 10,6"] };
const patterns = new Map();

function patternOf(context, { pattern, stroke }) {
  const name = `${pattern} ${stroke}`;
  if (!patterns.has(name)) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 8;
    const pen = canvas.getContext("2d");
    pen.strokeStyle = stroke; pen.globalAlpha = 0.45; pen.lineWidth = 1;
    pen.stroke(new Path2D(LINES[pattern].map((line) => `M${line.replace(" ", "L")}`).join("")));
    patterns.set(name, context.createPattern(canvas, "repeat"));
  }
  return patterns.get(name);
}

const groupsOf = (key) => [...tree.querySelectorAll(`[data-layer="${key}"] [data-group]`)];

export const isShown = (key) => groupsOf(key).some((input) => input.checked);

// What is compared is drawn whole where the tree shows nothing of it.
const looksOf = (key) => new Map(groupsOf(key).filter((input) => input.checked || !isShown(key)).map(({ dataset: { group } }) => [group, palette[key][group]]));

// A group without a fill is known by its line or hatch; dissolved, a thin wash of the line's colour stands for it.
function paint(context, path, look, isSmall) {
  const { fill, stroke, width, dash, pattern, opacity } = look;
  if (fill || isSmall) { context.globalAlpha = fill ? opacity : 0.32; context.fillStyle = fill || stroke; context.fill(path, "evenodd"); context.globalAlpha = 1; }
  if (isSmall) { if (fill) line(context, path, fill, 0.4, []); return; } // closes the seams
  if (pattern) { context.fillStyle = patternOf(context, look); context.fill(path, "evenodd"); }
  if (stroke) line(context, path, stroke, width, dash);
}

function line(context, path, colour, width, dash) {
  context.strokeStyle = colour; context.lineWidth = width; context.setLineDash(dash);
  context.stroke(path);
}

function draw(canvas, looks) {
  const context = canvas.getContext("2d"), ratio = canvas.width / TILE;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, TILE, TILE);
  for (const { path, group } of canvas.features) {
    const look = looks.get(group);
    if (look) paint(context, path, look, canvas.isSmall);
  }
}

// An edition has the address of its tiles, the zoom `detail` from which it is drawn feature by feature, and whether small scales are drawn.
const isEmptyAt = (edition, zoom) => !edition || (zoom < edition.detail && !edition.isDrawn);

export function tileLayer(key, pane, edition, say) {
  const Layer = L.GridLayer.extend({
    key,
    edition,
    createTile({ x, y, z }, done) {
      const canvas = L.DomUtil.create("canvas", "leaflet-tile"), now = this.edition;
      canvas.width = canvas.height = TILE * Math.min(2, window.devicePixelRatio || 1);
      canvas.asking = new AbortController();
      if (isEmptyAt(now, z)) { canvas.features = []; setTimeout(() => done(null, canvas)); return canvas; }
      canvas.isSmall = z < now.detail; // dissolved: drawn without outlines, which would cover everything
      fetch(`${now.address}/${z}/${x}/${y}`, { credentials: "same-origin", signal: canvas.asking.signal })
        .then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new Error(String(answer.status)))))
        .then((buffer) => { canvas.features = buffer.byteLength ? decode(buffer) : []; draw(canvas, looksOf(key)); done(null, canvas); })
        .catch((error) => { if (error.name === "AbortError") return; say(`图层没有读到（${error.message}）。请刷新页面。`); done(error, canvas); });
      return canvas;
    },
    _removeTile(at) {
      if (this._tiles[at] && !this._tiles[at].el.features) this._tiles[at].el.asking.abort();
      L.GridLayer.prototype._removeTile.call(this, at);
    },
    restyle() {
      const now = looksOf(key);
      for (const { el } of Object.values(this._tiles ?? {})) if (el.features) draw(el, now);
    },
    // Another edition: its tiles in place of those that are there.
    turnTo(next) {
      if (next?.address === this.edition?.address) return;
      this.edition = next;
      this.redraw();
    },
    // True if nothing can be drawn at this zoom, because the small scales of the edition are not drawn.
    isTooSmall: (zoom) => Boolean(layer.edition) && isEmptyAt(layer.edition, zoom),
    // Leaving the page ends what is still asked for.
    stop() { for (const { el } of Object.values(this._tiles ?? {})) if (!el.features) el.asking.abort(); },
  });
  const layer = new Layer({ pane, tileSize: TILE, minZoom: 8, maxZoom: 19, updateWhenZooming: false, keepBuffer: 3, bounds: [[30.4, 120.5], [32.2, 122.6]] });
  return layer.on("add", () => { live.add(layer); layer.setOpacity(opacityOf(key)); }).on("remove", () => live.delete(layer));
}

const live = new Set();

// What is compared and what other windows show fades with its layer in the tree.
export function fade(key) {
  for (const layer of live) if (layer.key === key) layer.setOpacity(opacityOf(key));
}

addEventListener("pagehide", () => live.forEach((layer) => layer.stop()));
