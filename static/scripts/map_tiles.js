// Vector tiles of the portal drawn on canvases, styled after the swatches of the layer tree.
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

const groupsOf = (key) => [...tree.querySelectorAll(`[data-layer="${key}"] [data-group]`)];
const styles = (inputs) => new Map(inputs.map((input) => [input.dataset.group, styleOf(input)]));

export const isShown = (key) => groupsOf(key).some((input) => input.checked);

// What is compared is drawn whole where the tree shows nothing of it.
const stylesOf = (key) => styles(groupsOf(key).filter((input) => input.checked || !isShown(key)));

// A group without a fill is known by its line or hatch; dissolved, a thin wash of the line's colour stands for it.
function paint(context, path, style, isSmall) {
  if (isSmall && style.fill === "none") { context.globalAlpha = 0.32; context.fillStyle = style.stroke; context.fill(path, "evenodd"); context.globalAlpha = 1; return; }
  if (style.fill !== "none") { context.fillStyle = style.fill; context.fill(path, "evenodd"); }
  if (isSmall) { context.strokeStyle = style.fill; context.lineWidth = 0.4; context.setLineDash([]); context.stroke(path); return; } // closes the seams
  if (style.hatch) { context.fillStyle = hatch(context, style.stroke); context.fill(path, "evenodd"); }
  if (style.stroke !== "none") { context.strokeStyle = style.stroke; context.lineWidth = style.width; context.setLineDash(style.dashes); context.stroke(path); }
}

function draw(canvas, styles) {
  const context = canvas.getContext("2d"), ratio = canvas.width / TILE;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, TILE, TILE);
  for (const { path, group } of canvas.features) {
    const style = styles.get(group);
    if (style) paint(context, path, style, canvas.isSmall);
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
        .then((buffer) => { canvas.features = buffer.byteLength ? decode(buffer) : []; draw(canvas, stylesOf(key)); done(null, canvas); })
        .catch((error) => { if (error.name === "AbortError") return; say(`图层没有读到（${error.message}）。请刷新页面。`); done(error, canvas); });
      return canvas;
    },
    _removeTile(at) {
      if (this._tiles[at] && !this._tiles[at].el.features) this._tiles[at].el.asking.abort();
      L.GridLayer.prototype._removeTile.call(this, at);
    },
    restyle() {
      const now = stylesOf(key);
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
