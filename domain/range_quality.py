"""The facts that the rule set `project_range_quality` judges a project range by; nothing is decided here."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.area import CENT_M2, area_m2, rounded_m2
from domain.geometry import fault_of
from domain.range_file import ProjectRange


@dataclass(frozen=True, slots=True)
class RangePlace:
    """A place in a range: which part and ring, between which points, in the coordinates of the file."""

    part: int
    ring: int
    points: tuple[int, ...]
    x: float
    y: float

    @property
    def words(self) -> str:
        """The place as a person reads it; points are numbered in the ring from 1."""
        named = "、".join(f"第 {point} 点" for point in self.points)
        return f"第 {self.part} 部分第 {self.ring} 圈{named}附近（{self.x:.6f}，{self.y:.6f}）"


def range_facts(project_range: ProjectRange, territory: BaseGeometry) -> dict[str, Any]:
    """Exactly the facts that the rule set `project_range_quality` reads.

    `territory` is the valid polygon of the city in EPSG:4490. `area_m2` and `outside_area_m2` are 0 where the
    range has no valid geometry; the rules on CRS, emptiness and validity refuse such a range before.
    """
    crossings = list(self_crossings(project_range))
    repeated = list(repeated_points(project_range))
    valid = _is_valid(project_range)
    return {
        "has_crs": project_range.system is not None,
        "is_empty": all(part.is_empty for part in project_range.survey),
        "is_valid": valid,
        "invalid_reason": _invalid_reason(project_range),
        "self_crossing_count": len(crossings),
        "self_crossing_place": crossings[0].words if crossings else "",
        "duplicate_vertex_count": len(repeated),
        "duplicate_vertex_place": repeated[0].words if repeated else "",
        "area_m2": project_range.area_m2 or Decimal("0.00"),
        "parts_overlap_m2": project_range.parts_overlap_m2,
        "outside_area_m2": outside_area_m2(project_range, territory),
        "stated_area_difference_m2": _stated_area_difference_m2(project_range),
    }


def outside_area_m2(project_range: ProjectRange, territory: BaseGeometry) -> Decimal:
    """Area of the range outside a territory in EPSG:4490, rounded once to 0.01 m²; 0 for a range without
    valid geometry.
    """
    if not _is_valid(project_range) or project_range.geometry is None:
        return Decimal("0.00")
    return area_m2(shapely.difference(project_range.geometry, territory))


def self_crossings(project_range: ProjectRange) -> Iterator[RangePlace]:
    """Every place where two edges of one ring that are not neighbours meet or run over each other."""
    for part_number, ring_number, ring in _rings(project_range):
        yield from _ring_crossings(part_number, ring_number, ring)


def repeated_points(project_range: ProjectRange) -> Iterator[RangePlace]:
    """Every point that repeats the place of the point before it in its ring."""
    for part_number, ring_number, ring in _rings(project_range):
        same = (ring[1:] == ring[:-1]).all(axis=1)
        for index in numpy.flatnonzero(same):
            x, y = ring[index]
            points = (int(index) + 1, (int(index) + 1) % (len(ring) - 1) + 1)
            yield RangePlace(part_number, ring_number, points, float(x), float(y))


def _rings(project_range: ProjectRange) -> Iterator[tuple[int, int, numpy.ndarray]]:
    for part_number, part in enumerate(project_range.survey, start=1):
        if part.is_empty:
            continue
        for ring_number, ring in enumerate([part.exterior, *part.interiors], start=1):
            yield part_number, ring_number, shapely.get_coordinates(ring)


def _ring_crossings(part: int, ring_number: int, ring: numpy.ndarray) -> Iterator[RangePlace]:
    moved = numpy.concatenate([[True], (ring[1:] != ring[:-1]).any(axis=1)])
    original, ring = numpy.flatnonzero(moved), ring[moved]
    edges = shapely.linestrings(numpy.stack([ring[:-1], ring[1:]], axis=1))
    count = len(edges)
    first, second = shapely.STRtree(edges).query(edges, predicate="intersects")
    later = first < second
    seen = set()
    for i, j in sorted(zip(first[later].tolist(), second[later].tolist(), strict=True)):
        meeting = shapely.intersection(edges[i], edges[j])
        are_neighbours = j - i == 1 or (i == 0 and j == count - 1)
        if are_neighbours and meeting.geom_type == "Point":
            continue
        x, y = shapely.get_coordinates(meeting)[0]
        if (float(x), float(y)) not in seen:
            seen.add((float(x), float(y)))
            points = (int(original[i]) + 1, int(original[j]) + 1)
            yield RangePlace(part, ring_number, points, float(x), float(y))


def _is_valid(project_range: ProjectRange) -> bool:
    """True for a valid geometry, or before the CRS is known for valid parts."""
    if project_range.geometry is not None:
        return bool(shapely.is_valid(project_range.geometry))
    return bool(shapely.is_valid(list(project_range.survey)).all())


def _invalid_reason(project_range: ProjectRange) -> str:
    for number, part in enumerate(project_range.survey, start=1):
        fault = fault_of(part)
        if fault is not None:
            place = "" if fault.x is None else f"（{fault.x:.6f}，{fault.y:.6f}）"
            return f"第 {number} 部分{fault.reason}{place}"
    fault = fault_of(project_range.geometry) if project_range.geometry is not None else None
    return fault.reason if fault else ""


def _stated_area_difference_m2(project_range: ProjectRange) -> Decimal:
    """How far the area written in the file is from the computed one; 0 where either is missing.

    Survey reports state the area in the plane of the projection or on the ellipsoid (they differ by up to
    0.03 % in Shanghai), and the file does not say which; the nearer one counts.
    """
    if project_range.stated_area_m2 is None or project_range.area_m2 is None:
        return Decimal("0.00")
    computed = [project_range.area_m2]
    if project_range.system is not None and project_range.system.is_projected:
        computed.append(rounded_m2(shapely.area(list(project_range.survey)).sum()))
    nearest = min(abs(project_range.stated_area_m2 - area) for area in computed)
    return nearest.quantize(CENT_M2, ROUND_HALF_UP)
