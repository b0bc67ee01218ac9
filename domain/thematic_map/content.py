"""What a sheet shows, in degrees and words, before it is laid out on paper: marks, names, legend, tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy
from shapely.geometry.base import BaseGeometry

from domain.thematic_map.colours import Ink

Cell = str | int | Decimal


@dataclass(frozen=True, slots=True)
class Fill:
    """Polygons in one ink; with `is_simplified` bits too small for the paper are left out."""

    geometry: Any
    ink: Ink | None
    stroke: str = ""
    stroke_mm: float = 0.0
    dash_mm: tuple[float, ...] = ()
    opacity: float = 1.0
    is_simplified: bool = True


@dataclass(frozen=True, slots=True)
class Dots:
    """Points of one colour; `places` has a row for each, longitude and latitude."""

    places: numpy.ndarray
    colour: str
    radius_mm: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A bent arrow from one place to another, in degrees."""

    start: tuple[float, float]
    end: tuple[float, float]
    width_mm: float
    colour: str


@dataclass(frozen=True, slots=True)
class Name:
    """A name for a polygon, written where it has room; a second line below it in small."""

    geometry: BaseGeometry
    text: str
    below: str = ""
    is_light: bool = False
    is_always: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A line of the legend: a swatch, a line of a width, or a dot; its label and its number."""

    label: str
    ink: Ink | None = None
    number: str = ""
    line_mm: float = 0.0
    dot_mm: float = 0.0
    stroke: str = ""
    dash_mm: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Legend:
    """The legend: what is shown and in which unit, its lines, and what the numbers on the right are."""

    title: str
    keys: tuple[Key, ...]
    number_head: str = ""
    total: str = ""


@dataclass(frozen=True)
class Table:
    """The numbers behind the map; numbers stay exact until they are written."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    decimals: tuple[int | None, ...] = ()
    """The decimals of each column; None for text."""
    total: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """A unit in the ranking beside the map: its name, its number, how that is written, and its ink."""

    label: str
    number: float
    words: str
    ink: Ink


@dataclass(frozen=True)
class Drawn:
    """What one kind of map makes of its features."""

    marks: Sequence[Any]
    legend: Legend
    tables: tuple[Table, ...]
    names: Sequence[Name] = ()
    notes: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    extent: BaseGeometry | None = None


@dataclass(frozen=True)
class Content:
    """A whole map before it is laid out."""

    title: str
    subtitle: str
    extent: BaseGeometry
    outline: BaseGeometry | None
    drawn: Drawn
    source: tuple[str, ...]
    notes: tuple[str, ...]
    secrecy: str = ""
    stamp: str = ""
    maker: str = ""
    dissolved: dict[int, Any] = field(default_factory=dict, compare=False)
    """Unions of the marks by their place, kept once they were made: every paper draws the same."""
