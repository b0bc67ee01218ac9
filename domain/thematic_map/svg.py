"""Writing SVG in millimetres, with presentation attributes only: the same in a page, in a PDF and as a file."""

from collections.abc import Sequence
from html import escape

import numpy
import shapely

SANS, SONG = "'Noto Sans CJK SC', 'Source Han Sans SC', sans-serif", "'Noto Serif CJK SC', 'Source Han Serif SC', serif"
INK = "#14242b"
UNITS = 100
"""Paths are written in whole hundredths of a millimetre."""


class Svg:
    """A drawing that grows from the back to the front; y runs down, all measures are millimetres."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []
        self._patterns: dict[str, str] = {}

    def text(
        self, x: float, y: float, text: str, size: float, *, anchor: str = "start", is_bold: bool = False, is_song: bool = False,
        colour: str = INK, halo: str = "", rotated: float = 0.0,
    ) -> None:
        """A line of text on its base line; with a halo it is written twice."""
        place = f'x="{x:.2f}" y="{y:.2f}"' if not rotated else f'transform="translate({x:.2f} {y:.2f}) rotate({rotated:g})"'
        weight = ' font-weight="700"' if is_bold else ""
        face = SONG if is_song else SANS
        start = f'<text {place} font-family="{face}" font-size="{size:g}" text-anchor="{anchor}"{weight}'
        if halo:
            self._parts.append(f'{start} fill="{halo}" stroke="{halo}" stroke-width="{size * 0.3:.2f}" stroke-linejoin="round" aria-hidden="true">{escape(text)}</text>')
        self._parts.append(f'{start} fill="{colour}">{escape(text)}</text>')

    def box(self, x: float, y: float, width: float, height: float, fill: str = "none", stroke: str = "", stroke_mm: float = 0.0, pattern: str = "", opacity: float = 1.0) -> None:
        """A rectangle, and over it its pattern."""
        line = f' stroke="{stroke}" stroke-width="{stroke_mm:g}"' if stroke else ""
        shade = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
        at = f'x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"'
        self._parts.append(f'<rect {at} fill="{fill}"{shade}{line}/>')
        if pattern:
            self._parts.append(f'<rect {at} fill="url(#{self._pattern(pattern)})"/>')

    def line(self, points: Sequence[tuple[float, float]], stroke: str = INK, width: float = 0.2, dash: Sequence[float] = (), opacity: float = 1.0, is_round: bool = False) -> None:
        """A line through points."""
        way = "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
        self._parts.append(f'<path d="{way}" fill="none" stroke="{stroke}" stroke-width="{width:g}"{_dash(dash)}{_opacity(opacity)}{_round(is_round)}/>')

    def area(self, points: Sequence[tuple[float, float]], fill: str, opacity: float = 1.0) -> None:
        """A filled polygon."""
        way = "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points) + "z"
        self._parts.append(f'<path d="{way}" fill="{fill}"{_opacity(opacity)}/>')

    def polygons(self, shapes: Sequence[shapely.Geometry], fill: str, pattern: str = "", stroke: str = "", stroke_mm: float = 0.0, dash: Sequence[float] = (), opacity: float = 1.0) -> None:
        """Polygons in one ink, as one path; overlapping ones are filled once."""
        way = ring_paths(shapes)
        if not way:
            return
        line = f' stroke="{stroke}" stroke-width="{stroke_mm * UNITS:g}" stroke-linejoin="round"{_dash([each * UNITS for each in dash])}' if stroke and stroke_mm else ""
        scale = f'transform="scale({1 / UNITS:g})"'
        self._parts.append(f'<path {scale} d="{way}" fill="{fill or "none"}"{line}{_opacity(opacity)}/>')
        if pattern:
            self._parts.append(f'<path {scale} d="{way}" fill="url(#{self._pattern(pattern, UNITS)})"/>')

    def dots(self, places: numpy.ndarray, colour: str, radius: float) -> None:
        """Round dots of one size, as one path."""
        way = "".join(f"M{x} {y}h1" for x, y in numpy.unique(numpy.rint(places * UNITS).astype(int), axis=0).tolist())
        if way:
            self._parts.append(
                f'<path transform="scale({1 / UNITS:g})" d="{way}" fill="none" stroke="{colour}" stroke-width="{radius * 2 * UNITS:g}" stroke-linecap="round"/>'
            )

    def begin_window(self, x: float, y: float, width: float, height: float) -> None:
        """What follows shows only inside this rectangle."""
        self._parts.append(f'<clipPath id="window"><rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"/></clipPath><g clip-path="url(#window)">')

    def end_window(self) -> None:
        """What follows shows everywhere again."""
        self._parts.append("</g>")

    def _pattern(self, kind: str, scale: float = 1) -> str:
        name = f"{kind}-{scale:g}"
        self._patterns.setdefault(name, _PATTERNS[kind].format(name=name, size=f"{1.6 * scale:g}", half=f"{0.8 * scale:g}", width=f"{0.22 * scale:g}"))
        return name

    def document(self, title: str, description: str) -> str:
        """The whole drawing as an SVG document."""
        definitions = "<defs>" + "".join(self._patterns.values()) + "</defs>" if self._patterns else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:g}mm" height="{self.height:g}mm" viewBox="0 0 {self.width:g} {self.height:g}" role="img">'
            f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{definitions}{''.join(self._parts)}</svg>"
        )


def ring_paths(shapes: Sequence[shapely.Geometry]) -> str:
    """The rings of polygons in millimetres as the data of a path in hundredths, holes turning the other way."""
    parts = shapely.get_parts(numpy.asarray(shapes, dtype=object).ravel())
    while len(parts) and (shapely.get_type_id(parts) >= 4).any():
        parts = shapely.get_parts(parts)
    parts = parts[(shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)]
    if not len(parts):
        return ""
    rings = shapely.get_rings(shapely.orient_polygons(parts))
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    whole = numpy.rint(points * UNITS).astype(numpy.int64)
    moved = numpy.ones(len(whole), dtype=bool)
    moved[1:] = (whole[1:] != whole[:-1]).any(axis=1) | (ring_of[1:] != ring_of[:-1])
    whole, ring_of = whole[moved], ring_of[moved]
    written = []
    starts = numpy.flatnonzero(numpy.concatenate([[True], ring_of[1:] != ring_of[:-1]]))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(whole)], strict=True):
        if end - start < 4:
            continue
        first, steps = whole[start], numpy.diff(whole[start : end - 1], axis=0)
        written.append(f"M{first[0]} {first[1]}l" + " ".join(f"{x} {y}" for x, y in steps.tolist()) + "z")
    return "".join(written)


def _dash(dash: Sequence[float]) -> str:
    return f' stroke-dasharray="{" ".join(f"{each:g}" for each in dash)}"' if dash else ""


def _opacity(opacity: float) -> str:
    return f' opacity="{opacity:g}"' if opacity < 1 else ""


def _round(is_round: bool) -> str:
    return ' stroke-linecap="round" stroke-linejoin="round"' if is_round else ""


_PATTERNS = {
    "diagonal": '<pattern id="{name}" width="{size}" height="{size}" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V{size}" stroke="#14242b" stroke-width="{width}" fill="none"/></pattern>',
    "dots": '<pattern id="{name}" width="{size}" height="{size}" patternUnits="userSpaceOnUse"><circle cx="{half}" cy="{half}" r="{width}" fill="#14242b"/></pattern>',
    "level": '<pattern id="{name}" width="{size}" height="{size}" patternUnits="userSpaceOnUse"><path d="M0 {half}H{size}" stroke="#14242b" stroke-width="{width}" fill="none"/></pattern>',
    "cross": '<pattern id="{name}" width="{size}" height="{size}" patternUnits="userSpaceOnUse"><path d="M0 {half}H{size}M{half} 0V{size}" stroke="#14242b" stroke-width="{width}" fill="none"/></pattern>',
}


def text_width(text: str, size: float) -> float:
    """About how wide a text is: a Chinese character as wide as high, others about half."""
    return size * sum(1.0 if ord(each) > 0x2E80 else 0.56 for each in text)


def shortened(text: str, size: float, room: float) -> str:
    """The text, cut with an ellipsis where it is wider than the room."""
    if text_width(text, size) <= room:
        return text
    while text and text_width(text + "…", size) > room:
        text = text[:-1]
    return text + "…"


def lines_of(text: str, size: float, room: float) -> list[str]:
    """The text broken into lines no wider than the room; a run of Latin letters and digits stays together."""
    lines, line = [], ""
    for word in _runs(text):
        if line and text_width(line + word, size) > room and word not in "，。；：、）”%％":
            lines.append(line)
            line = ""
        line += word
    return [*lines, line] if line else lines


def _runs(text: str) -> list[str]:
    runs: list[str] = []
    for each in text:
        if runs and each.isascii() and each != " " and runs[-1].isascii() and not runs[-1].endswith(" "):
            runs[-1] += each
        else:
            runs.append(each)
    return runs
