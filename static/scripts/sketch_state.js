// What is drawn: parts of points (rings, lines, or all points), and the steps back and forth.
// A point is [longitude, latitude]; numbers are written with every digit, so that a snapped point stays the very same.
export function sketchState(kind, parts, changed) {
  const state = { kind, parts: parts.map((part) => [...part]) }, past = [], future = [];
  const copy = () => ({ kind: state.kind, parts: state.parts.map((part) => [...part]) });
  const put = (from, to) => { if (!from.length) return; to.push(copy()); Object.assign(state, from.pop()); changed(); };
  const act = (change) => { past.push(copy()); future.length = 0; change(); changed(); };
  const last = () => state.parts.at(-1);
  return {
    state,
    undo: () => put(past, future),
    redo: () => put(future, past),
    add: (point) => act(() => { if (!last()) state.parts.push([]); last().push(point); }),
    part: () => { if (last()?.length) act(() => state.parts.push([])); },
    takeBack: () => { if (state.parts.length) act(() => { last().pop(); if (!last().length) state.parts.pop(); }); },
    move: (part, at, point) => act(() => { state.parts[part][at] = point; }),
    insert: (part, at, point) => act(() => state.parts[part].splice(at, 0, point)),
    remove: (part, at) => act(() => { state.parts[part].splice(at, 1); if (!state.parts[part].length) state.parts.splice(part, 1); }),
    turn: (wanted) => act(() => { state.kind = wanted; }),
    replace: (found) => act(() => { state.parts = found.map((part) => [...part]); }),
    count: () => state.parts.reduce((sum, part) => sum + part.length, 0),
    text: () => state.parts.filter((part) => part.length).map((part) => part.map(([x, y]) => `${x},${y}`).join("\n")).join("\n\n"),
  };
}
