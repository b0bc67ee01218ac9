// Drawing by keyboard: the arrows move a cross, Enter sets a point at it, Space picks a point up and puts it down.
const STEP = 10, FAR = 60, EDGE = 20, HOLD = 16;
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function bindKeys(map, sketch, { snapped, isAdding, end, say }) {
  const box = map.getContainer(), cross = Object.assign(document.createElement("span"), { className: "map-cross" });
  box.append(cross);
  let at = map.getSize().divideBy(2), held = null;
  const place = () => { cross.style.left = `${at.x}px`; cross.style.top = `${at.y}px`; cross.style.visibility = document.activeElement === box ? "visible" : ""; };
  const here = () => map.containerPointToLatLng(at);

  function move([x, y], far) {
    const size = map.getSize(), wanted = at.add([x * far, y * far]);
    const kept = L.point(Math.min(size.x - EDGE, Math.max(EDGE, wanted.x)), Math.min(size.y - EDGE, Math.max(EDGE, wanted.y)));
    if (!kept.equals(wanted)) map.panBy(wanted.subtract(kept), { animate: false });
    at = kept;
    place();
    const { lng, lat } = here();
    say(`${lng.toFixed(6)}°E　${lat.toFixed(6)}°N`);
  }

  // The point of the drawing under the cross.
  function under() {
    let found = null, nearest = HOLD;
    sketch.state.parts.forEach((points, part) => points.forEach((point, index) => {
      const away = map.latLngToContainerPoint([point[1], point[0]]).distanceTo(at);
      if (away <= nearest) { nearest = away; found = { part, index }; }
    }));
    return found;
  }

  function hold() {
    if (held) { sketch.move(held.part, held.index, snapped(here())); held = null; return; }
    held = under();
    say(held ? "拿起了这个点。移到新位置后按空格放下。" : "十字下面没有点。");
  }

  const deeds = {
    Enter: () => { if (held) hold(); else if (isAdding()) sketch.add(snapped(here())); else say("已停止加点。点“继续加点”再画。"); },
    " ": hold,
    Backspace: () => { held = null; sketch.takeBack(); },
    Delete: () => { const found = under(); held = null; if (found) sketch.remove(found.part, found.index); else say("十字下面没有点。"); },
    Escape: () => { held = null; end(); },
    "+": () => map.setZoomAround(at, map.getZoom() + 1, { animate: false }),
    "=": () => map.setZoomAround(at, map.getZoom() + 1, { animate: false }),
    "-": () => map.setZoomAround(at, map.getZoom() - 1, { animate: false }),
  };
  box.addEventListener("keydown", (event) => {
    const back = (event.ctrlKey || event.metaKey) && event.key.toLowerCase();
    if (back === "z" || back === "y") { event.preventDefault(); if (back === "y" || event.shiftKey) sketch.redo(); else sketch.undo(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== box) return;
    const deed = WAYS[event.key] ? () => move(WAYS[event.key], event.shiftKey ? FAR : STEP) : deeds[event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
  });
  box.addEventListener("focus", () => setTimeout(place));
  box.addEventListener("blur", place);
  map.on("resize", () => { at = map.getSize().divideBy(2); place(); });
  place();
}
