// Snapping: points and edges of the shown layers, asked of the server for what the map shows.
const NEAREST_ZOOM = 15;

export function snapping(map, address, say) {
  const pixels = document.querySelector("[data-snap]"), isOn = document.querySelector("[data-snap-on]"), tree = document.getElementById("map-layers");
  let rings = [], asking = null;
  const reach = () => (isOn.checked ? Number(pixels.value) || 0 : 0);
  const layers = () => [...tree.querySelectorAll("[data-layer]")].filter((each) => each.querySelector("[data-group]:checked")).map((each) => each.dataset.layer);

  async function load() {
    asking?.abort();
    rings = [];
    if (!reach() || map.getZoom() < NEAREST_ZOOM || !layers().length) return;
    asking = new AbortController();
    const b = map.getBounds(), bounds = [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()].map((n) => n.toFixed(7)).join(",");
    try {
      const answer = await fetch(`${address}?${new URLSearchParams({ bounds, layers: layers().join(",") })}`, { credentials: "same-origin", signal: asking.signal });
      const found = answer.ok ? await answer.json() : { fault: "可捕捉的要素没有读到。请刷新页面。", shapes: [] };
      if (found.fault) say(found.fault);
      rings = found.shapes;
    } catch (error) { if (error.name !== "AbortError") say("可捕捉的要素没有读到。请检查网络。"); }
  }
  map.on("moveend", load);
  tree.addEventListener("change", load);
  pixels.addEventListener("change", load);
  load();

  // The nearest corner within reach, else the nearest place of an edge; null where nothing is near.
  return (latlng) => {
    const wanted = map.latLngToContainerPoint(latlng), most = reach();
    if (!most) return null;
    let corner = null, nearest = most, edge = null, closest = most;
    for (const ring of rings) {
      let before = null;
      for (const point of ring) {
        const here = map.latLngToContainerPoint([point[1], point[0]]), away = here.distanceTo(wanted);
        if (away <= nearest) { nearest = away; corner = point; }
        if (before) {
          const share = along(before.here, here, wanted), foot = L.point(before.here.x + share * (here.x - before.here.x), before.here.y + share * (here.y - before.here.y));
          if (foot.distanceTo(wanted) <= closest) {
            closest = foot.distanceTo(wanted);
            edge = [before.point[0] + share * (point[0] - before.point[0]), before.point[1] + share * (point[1] - before.point[1])];
          }
        }
        before = { here, point };
      }
    }
    return corner ?? edge;
  };
}

function along(from, to, wanted) {
  const x = to.x - from.x, y = to.y - from.y, square = x * x + y * y;
  return square ? Math.min(1, Math.max(0, ((wanted.x - from.x) * x + (wanted.y - from.y) * y) / square)) : 0;
}
