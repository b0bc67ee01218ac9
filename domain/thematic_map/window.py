"""The window of a sheet onto the ground: scale, paper coordinates, graticule, scale bar, north."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.thematic_map.projection import MapProjection, projection_of

ROUND = (1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.2, 2.5, 2.8, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5, 10)
"""Scales are one of these times a power of ten."""
STEPS_MINUTES = (0.25, 0.5, 1, 2, 5, 10, 15, 20, 30, 60)
ROOM = 0.94
"""The part of the window that the extent may fill."""


@dataclass(frozen=True)
class Box:
    """A rectangle on the sheet in millimetres, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def shape(self) -> shapely.Polygon:
        return shapely.box(self.x, self.y, self.right, self.bottom)


@dataclass(frozen=True)
class Window:
    """A box of the sheet that shows the ground at 1 : `denominator` about a middle in metres."""

    box: Box
    projection: MapProjection
    denominator: int
    middle: tuple[float, float]

    @property
    def metres_per_mm(self) -> float:
        return self.denominator / 1000

    def to_paper(self, geometry: Any) -> Any:
        """A geometry in degrees, or an array of them, in millimetres of the sheet."""
        return shapely.transform(self.projection.to_metres(geometry), self._on_paper)

    def places(self, degrees: numpy.ndarray) -> numpy.ndarray:
        """Rows of longitude and latitude as rows of millimetres."""
        return self._on_paper(self.projection.metres_of(degrees))

    def _on_paper(self, metres: numpy.ndarray) -> numpy.ndarray:
        x = self.box.x + self.box.width / 2 + (metres[:, 0] - self.middle[0]) / self.metres_per_mm
        y = self.box.y + self.box.height / 2 - (metres[:, 1] - self.middle[1]) / self.metres_per_mm
        return numpy.column_stack([x, y])

    def degrees(self, paper: numpy.ndarray) -> numpy.ndarray:
        """Rows of millimetres as rows of longitude and latitude."""
        x = (paper[:, 0] - self.box.x - self.box.width / 2) * self.metres_per_mm + self.middle[0]
        y = (self.box.y + self.box.height / 2 - paper[:, 1]) * self.metres_per_mm + self.middle[1]
        return self.projection.degrees_of(numpy.column_stack([x, y]))

    def ground(self) -> shapely.Polygon:
        """What the window shows, in degrees."""
        return shapely.Polygon(self.degrees(shapely.get_coordinates(shapely.segmentize(self.box.shape, 5))))

    @property
    def convergence_minutes(self) -> float:
        """The largest angle of a meridian against the vertical of the sheet: at the upper corners."""
        corner = self.degrees(numpy.array([[self.box.right, self.box.y]]))[0]
        return self.projection.convergence_minutes(*corner)


def open_window(extent: BaseGeometry, box: Box) -> Window:
    """The largest round scale at which the extent in degrees fits the box."""
    projection = projection_of(extent)
    west, south, east, north = projection.to_metres(extent).bounds
    wide, high = max(east - west, 1.0), max(north - south, 1.0)
    needed = max(wide / (box.width * ROOM), high / (box.height * ROOM)) * 1000
    return Window(box, projection, round_scale(needed), ((west + east) / 2, (south + north) / 2))


def round_scale(needed: float) -> int:
    """The smallest round denominator that is not below what is needed."""
    power = 10 ** math.floor(math.log10(needed))
    return round(next(step * power for step in ROUND if step * power >= needed * (1 - 1e-9)))


@dataclass(frozen=True, slots=True)
class Tick:
    """Where a meridian or a parallel meets the edge of the window: how far along it, and what is written there."""

    at: float
    text: str
    degrees: float


def ticks(window: Window, edge: str) -> list[Tick]:
    """The round minutes along an edge of the window: top and bottom have longitudes, left and right latitudes."""
    box, along = window.box, numpy.linspace(0, 1, 60)
    is_level = edge in ("top", "bottom")
    xs = box.x + box.width * along if is_level else numpy.full(60, box.x if edge == "left" else box.right)
    ys = numpy.full(60, box.y if edge == "top" else box.bottom) if is_level else box.bottom - box.height * along
    degrees = window.degrees(numpy.column_stack([xs, ys]))[:, 0 if is_level else 1]
    places = xs if is_level else ys
    step = _step(degrees[-1] - degrees[0], box.width if is_level else box.height)
    first, last = math.ceil(degrees[0] * 60 / step - 1e-6), math.floor(degrees[-1] * 60 / step + 1e-6)
    return [
        Tick(float(numpy.interp(number * step / 60, degrees, places)), _words(number * step, "E" if is_level else "N"), number * step / 60)
        for number in range(first, last + 1)
    ]


def _step(span_degrees: float, length_mm: float) -> float:
    """Minutes between ticks: the smallest that leaves at least 28 mm between them."""
    wanted = max(2, length_mm / 28)
    return next((step for step in STEPS_MINUTES if span_degrees * 60 / step <= wanted), 60)


def _words(minutes: float, side: str) -> str:
    seconds = round(minutes * 60)
    degrees, rest = divmod(seconds, 3600)
    rest_minutes, rest_seconds = divmod(rest, 60)
    tail = f"{rest_seconds:02d}″" if rest_seconds else ""
    return f"{degrees}°{rest_minutes:02d}′{tail}{side}"


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A bar of `parts` equal parts: metres of a part and its length on the sheet."""

    part_m: int
    part_mm: float
    parts: int

    def words(self, place: int) -> str:
        metres = self.part_m * place
        return f"{metres / 1000:g}" if self.unit == "公里" else f"{metres:g}"

    @property
    def unit(self) -> str:
        return "公里" if self.part_m * self.parts >= 2000 else "米"


def scale_bar(denominator: int, longest_mm: float) -> ScaleBar:
    """The longest bar of four round parts that is not longer than a length on the sheet."""
    room = longest_mm / 4 * denominator / 1000
    power = 10 ** math.floor(math.log10(room)) if room >= 1 else 1
    part = max(step * power for step in (1, 2, 2.5, 5) if step * power <= room or step == 1)
    return ScaleBar(round(part), part * 1000 / denominator, 4)


def label_place(shape: BaseGeometry) -> tuple[float, float, float]:
    """Where a name has most room in a polygon in millimetres: x, y, and half the height that is free there."""
    parts = shapely.get_parts(shape)
    polygons: Sequence = [each for each in parts if each.geom_type == "Polygon" and not each.is_empty]
    if not polygons:
        return 0.0, 0.0, 0.0
    largest = max(polygons, key=lambda each: each.area)
    circle = shapely.maximum_inscribed_circle(largest, tolerance=0.3)
    (x, y), (edge_x, edge_y) = circle.coords[0], circle.coords[-1]
    return x, y, math.hypot(edge_x - x, edge_y - y)
