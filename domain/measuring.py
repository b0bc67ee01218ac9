"""Measuring on the map: typed coordinates, geodesic lengths and the area that every decision uses.

Lengths are of geodesics on the CGCS2000 ellipsoid; the area is `domain.area.area_m2`, of edges straight in longitude
and latitude.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import pyproj
import shapely

from domain.area import FLATTENING, SEMI_MAJOR_AXIS_M, area_m2
from domain.errors import InvalidData
from domain.geometry import fault_of
from domain.projection import to_storage, zone_of_easting, zone_system

MOST_POINTS = 500
_ELLIPSOID = pyproj.Geod(a=SEMI_MAJOR_AXIS_M, f=FLATTENING)
_MILLIMETRE = Decimal("0.001")
_SEPARATOR = re.compile(r"\s*[,，;；、\s]\s*")

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """Points in degrees, the length of each leg and of the way in metres (0.001), and the area where it is a ring."""

    points: tuple[Point, ...]
    legs_m: tuple[Decimal, ...]
    length_m: Decimal
    area_m2: Decimal | None = None


def measure(points: Sequence[Point], is_ring: bool = False) -> Measured:
    """Legs, length and, of a ring, the closing leg and the area in square metres.

    Points are longitude and latitude in degrees on CGCS2000. Raises InvalidData for too few or too many points, and
    for a ring that crosses itself, of which there is no area.

    >>> measure([(121.0, 31.0), (121.0, 31.1)]).length_m
    Decimal('11087.032')

    """
    fewest = 3 if is_ring else 2
    if not fewest <= len(points) <= MOST_POINTS:
        raise InvalidData(f"有 {len(points)} 个点；量{'面' if is_ring else '距'}要 {fewest} 至 {MOST_POINTS} 个点。请增减后再量。")
    way = [*points, points[0]] if is_ring else list(points)
    x, y = zip(*way, strict=True)
    legs = tuple(_rounded(each) for each in _ELLIPSOID.line_lengths(x, y))
    return Measured(tuple(points), legs, sum(legs, Decimal("0.000")), _ring_area(points) if is_ring else None)


def geodesic_length_m(points: Sequence[Point]) -> Decimal:
    """Length of the way through points in degrees, in metres (0.001): the sum of its rounded legs, as `measure` has it."""
    x, y = zip(*points, strict=True)
    return sum((_rounded(each) for each in _ELLIPSOID.line_lengths(x, y)), Decimal("0.000"))


def _rounded(metres: float) -> Decimal:
    return Decimal(float(metres)).quantize(_MILLIMETRE, ROUND_HALF_UP)


def _ring_area(points: Sequence[Point]) -> Decimal:
    ring = shapely.Polygon(points)
    if fault := fault_of(ring):
        place = "" if fault.x is None else f"（{fault.x:.6f}，{fault.y:.6f}）"
        raise InvalidData(f"所画的面{fault.reason}{place}，没有确定的面积。请按顺序绕边界取点。")
    return area_m2(ring)


def read_points(text: str) -> list[Point]:
    """The points of a text, one in a line, as in `read_point`; InvalidData names the line that cannot be read."""
    points = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            points.append(read_point(line))
        except InvalidData as fault:
            raise InvalidData(f"第 {number} 行：{fault.message}") from fault
    return points


def read_point(text: str) -> Point:
    """Longitude and latitude of typed coordinates.

    Either degrees, longitude first (121.10,31.10), or metres of a 3-degree zone as a survey writes them: X north, then
    Y east with the zone before it (3442000,40605000). Raises InvalidData for anything else; nothing is guessed.
    """
    parts = [part for part in _SEPARATOR.split(unicodedata.normalize("NFKC", text).strip().rstrip(",;")) if part]
    try:
        first, second = (float(part.rstrip("°EN")) for part in parts)
    except ValueError as error:
        raise InvalidData(f"“{text.strip()[:40]}”不是一对坐标。请写经度,纬度（如 121.10,31.10），或 X,Y（如 3442000,40605000）。") from error
    if abs(first) <= 180 and abs(second) <= 90:
        return first, second
    zone = zone_of_easting(second)
    if zone is None or not 0 < first < 6_000_000:
        raise InvalidData(f"“{text.strip()[:40]}”不是经纬度，也不是带带号的 X（北）,Y（东）。请检查顺序和带号。")
    placed = to_storage(shapely.Point(second, first), zone_system(zone))
    return placed.x, placed.y
