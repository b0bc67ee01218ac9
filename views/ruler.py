"""The geometry of the deadline ruler 时限尺: one tick a working day, drawn as SVG by the templates.

A run is consecutive days of one kind: used (已用), stop (停表), left (剩余), over (超期). These
functions only place marks; which days count, and what is due, comes from the clock.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["used", "stop", "left", "over"]
KINDS: tuple[Kind, ...] = ("used", "stop", "left", "over")
MOST_TICKS = 60  # more days are drawn as solid runs: single ticks would be thinner than a pixel
DESK_WIDTH, PHONE_WIDTH = 736, 360
_MARGIN, _TOP, _HEIGHT = 4.0, 8, 14
_ROWS = (37, 52)  # base lines of the two rows of labels
_LABEL_GAP = 8.0


@dataclass(frozen=True)
class Run:
    """Days of one kind in a row; the label stands under the first tick, e.g. 「11-18 停」."""

    kind: Kind
    days: int
    label: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"时限尺没有 {self.kind!r} 这种日子，只有 {'、'.join(KINDS)}。请检查时限的分段。")
        if self.days < 0:
            raise ValueError(f"时限尺的一段不能是 {self.days} 天。请检查时限的分段。")


@dataclass(frozen=True)
class SmallRuler:
    """The ruler of a list row: total width in units and one path per kind of day."""

    width: int
    paths: tuple[tuple[Kind, str], ...]


@dataclass(frozen=True)
class Segment:
    """A drawn piece of the big ruler; hatched ones are stopped days, cut ones start with a gap."""

    kind: Kind
    x: float
    width: float
    hatch: str
    is_cut: bool


@dataclass(frozen=True)
class Label:
    """A text under the ruler with the tick it belongs to."""

    text: str
    tick_x: float
    x: float
    y: int
    anchor: Literal["start", "end"]


@dataclass(frozen=True)
class BigRuler:
    """The ruler of a case page at one width (desk or phone)."""

    name: Literal["desk", "phone"]
    width: int
    height: int
    segments: tuple[Segment, ...]
    labels: tuple[Label, ...]


def runs_of(given: Iterable[Run | Mapping[str, object]]) -> tuple[Run, ...]:
    """Runs from Run objects or mappings with kind, days and label; empty runs are left out."""
    runs = (run if isinstance(run, Run) else Run(**run) for run in given)
    return tuple(run for run in runs if run.days)


def small_ruler(given: Iterable[Run | Mapping[str, object]]) -> SmallRuler:
    """The ruler for a list row: five units a day, used and over filled, stop and left hollow."""
    return _small_ruler(runs_of(given))


@functools.lru_cache(maxsize=4096)
def _small_ruler(runs: tuple[Run, ...]) -> SmallRuler:
    """Kept, because the rows of a list are much alike: most have the same few days behind and before them."""
    days = sum(run.days for run in runs)
    marks: dict[Kind, list[str]] = {kind: [] for kind in KINDS}
    at = 0
    for run in runs:
        pieces = [(at, run.days)] if days > MOST_TICKS else [(at + day, 1) for day in range(run.days)]
        marks[run.kind] += [_small_mark(run.kind, start, length) for start, length in pieces]
        at += run.days
    return SmallRuler(max(days, 1) * 5, tuple((kind, "".join(m)) for kind, m in marks.items() if m))


def big_rulers(given: Iterable[Run | Mapping[str, object]], end_label: str = "") -> tuple[BigRuler, ...]:
    """The ruler of a case page drawn at desk and at phone width, so that its text keeps its size."""
    runs = runs_of(given)
    return (_big_ruler("desk", DESK_WIDTH, runs, end_label), _big_ruler("phone", PHONE_WIDTH, runs, end_label))


def _small_mark(kind: Kind, start: int, length: int) -> str:
    x, width = start * 5, length * 5
    if kind in ("stop", "left"):
        return f"M{x + 0.9:g} 1.4h{width - 2.3:g}v9.2h-{width - 2.3:g}z"
    return f"M{x + 0.5:g} 1h{width - 1.5:g}v10h-{width - 1.5:g}z"


def _big_ruler(name: Literal["desk", "phone"], width: int, runs: tuple[Run, ...], end_label: str) -> BigRuler:
    days = sum(run.days for run in runs)
    unit = (width - 2 * _MARGIN) / max(days, 1)
    segments: list[Segment] = []
    ticks: list[tuple[float, str]] = []
    at = 0
    for run in runs:
        ticks += [(_MARGIN + at * unit, run.label)] if run.label else []
        pieces = [(at, run.days)] if days > MOST_TICKS else [(at + day, 1) for day in range(run.days)]
        for start, length in pieces:
            is_cut = bool(segments) and segments[-1].kind == run.kind and run.kind in ("used", "over")
            segments.append(_segment(run.kind, _MARGIN + start * unit, length * unit, is_cut))
        at += run.days
    ticks += [(_MARGIN + at * unit, end_label)] if end_label else []
    labels = _placed(ticks, width)
    height = max((label.y for label in labels), default=_TOP + _HEIGHT) + 5
    return BigRuler(name, width, height, tuple(segments), labels)


def _segment(kind: Kind, x: float, width: float, is_cut: bool) -> Segment:
    hatch = ""
    if kind == "stop":
        strokes = int(max(width - 4, 0) // 10)
        hatch = "".join(f"M{x + 2 + 10 * n:.1f} {_TOP + 12}l8 -10" for n in range(max(strokes, 1 if width >= 10 else 0)))
    return Segment(kind, round(x, 1), round(width, 1), hatch, is_cut)


def _placed(ticks: list[tuple[float, str]], width: int) -> tuple[Label, ...]:
    """Labels that do not run into each other: first row, else second row, else left to the alternative text."""
    ends = [0.0 for _ in _ROWS]
    placed = []
    for tick_x, text in ticks:
        length = text_width(text)
        anchor: Literal["start", "end"] = "end" if tick_x + 3 + length > width else "start"
        x = tick_x - 3 if anchor == "end" else tick_x + 3
        left = x - length if anchor == "end" else x
        for row, y in enumerate(_ROWS):
            if left >= ends[row]:
                ends[row] = left + length + _LABEL_GAP
                placed.append(Label(text, round(tick_x, 1), round(x, 1), y, anchor))
                break
    return tuple(placed)


def text_width(text: str) -> float:
    """About how wide a text is at 12 px: a Chinese character 12, anything narrower 7."""
    return sum(12.0 if ord(character) > 0x2E80 else 7.0 for character in text)
