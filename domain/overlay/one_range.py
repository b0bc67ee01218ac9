"""One range: how much of it lies in the features of a layer, by feature and by class, nothing lost and
nothing counted twice.

Rounding rule: each piece (range ∩ feature) is rounded once to 0.01 m², half up, and every sum is a sum of
rounded pieces, so that details add up to totals. A piece below 0.005 m² is 0 and is not listed; a neighbour
that only shares an edge, with or without the same vertices, is such a piece. If the unlisted pieces of one
class together reach 0.005 m², they are listed as the largest of them, so that splitting cannot hide an area.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.area import area_m2, rounded_m2, sum_m2, unrounded_areas_m2
from domain.geometry import multipolygon, require_polygons
from domain.overlay.features import FeatureSet, OverlayFeature, require_sound
from domain.overlay.operations import disjoint, polygonal

_HALF_CENT = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class OverlayRow:
    """The part of the range in one feature: area in m² and geometry in EPSG:4490."""

    key: str
    class_value: str
    area_m2: Decimal
    geometry: BaseGeometry


@dataclass(frozen=True, slots=True)
class Overlay:
    """The result of an overlay.

    `total_m2` is the sum of the rows; `residual_m2` is the range less the total: the part that no feature
    covers, up to rounding. `repeated_m2` is what overlapping features would have counted twice; it was given
    to the first of them only.
    """

    rows: tuple[OverlayRow, ...]
    range_area_m2: Decimal
    repeated_m2: Decimal

    @property
    def total_m2(self) -> Decimal:
        """Area of the range that features cover."""
        return sum_m2(row.area_m2 for row in self.rows)

    @property
    def residual_m2(self) -> Decimal:
        """Area of the range that no feature covers."""
        return self.range_area_m2 - self.total_m2

    def by_class(self) -> dict[str, Decimal]:
        """Area by class, classes in order."""
        classes = sorted({row.class_value for row in self.rows})
        return {value: self.area_of(value) for value in classes}

    def area_of(self, *classes: str) -> Decimal:
        """Area of the range in features of the given classes; 0.00 for classes that do not occur."""
        return sum_m2(row.area_m2 for row in self.rows if row.class_value in classes)


@dataclass(frozen=True, slots=True)
class CrossRow:
    """The part of a range in one feature and one class of zones; `zone_value` is empty where no zone lies."""

    key: str
    class_value: str
    zone_value: str
    area_m2: Decimal


class FeatureIndex:
    """Features held in memory with a search tree; for many overlays on the same features."""

    def __init__(self, features: Sequence[OverlayFeature]) -> None:
        self.features = tuple(features)
        self._geometries = numpy.array([feature.geometry for feature in self.features], dtype=object)
        self._tree = shapely.STRtree(self._geometries)

    def meeting(self, geometry: BaseGeometry) -> list[OverlayFeature]:
        """Features that have at least a point in common with the geometry, in their order."""
        return [
            self.features[index]
            for index in sorted(self._tree.query(geometry, predicate="intersects").tolist())
        ]


def overlay_areas(
    project_range: BaseGeometry,
    features: Sequence[OverlayFeature] | FeatureIndex,
    by: str,
    priority: Sequence[str] = (),
) -> Overlay:
    """Area of a range in each feature, in square metres, with its class `by` (an attribute or entry of
    `attributes`).

    Range and features are valid polygons in EPSG:4490 with edges straight in longitude and latitude; areas
    are ellipsoidal. Where features overlap each other, the area goes to the class that comes first in
    `priority`, then to the smaller key. Raises InvalidGeometry or CrsMismatch (with the feature's key) for
    what cannot be measured.
    """
    require_polygons(project_range)
    index = features if isinstance(features, FeatureIndex) else FeatureIndex(features)
    met = index.meeting(project_range)
    require_sound(met)
    order = {value: rank for rank, value in enumerate(priority)}
    met.sort(key=lambda f: (order.get(class_value(f, by), len(order)), f.key))
    pieces = shapely.intersection(project_range, numpy.array([f.geometry for f in met], dtype=object))
    counted = _counted_once(met, pieces)
    before, after = unrounded_areas_m2(pieces).sum(), unrounded_areas_m2(counted).sum()
    rows = [
        OverlayRow(f.key, class_value(f, by), area, piece) for f, piece, area in _rounded(met, counted, by)
    ]
    return Overlay(tuple(rows), area_m2(project_range), rounded_m2(before - after))


def cross_overlay(
    project_range: BaseGeometry,
    features: Sequence[OverlayFeature] | FeatureIndex,
    zones: Sequence[OverlayFeature] | FeatureIndex,
    by: str,
    zone_by: str,
    priority: Sequence[str] = (),
) -> tuple[CrossRow, ...]:
    """Area of a range by feature (such as patches of land use) and, within each, by class of zones, in square
    metres.

    The rows of a feature add up exactly to its row in `overlay_areas`; what rounding leaves over goes to the
    largest of them. `priority` orders overlapping zones. CRS, rounding and errors as in `overlay_areas`.
    """
    zone_index = zones if isinstance(zones, FeatureIndex) else FeatureIndex(zones)
    rows: list[CrossRow] = []
    for row in overlay_areas(project_range, features, by).rows:
        inner = overlay_areas(multipolygon(row.geometry), zone_index, zone_by, priority)
        shares = _reconciled(inner.by_class(), row.area_m2, len(inner.rows))
        rows += [CrossRow(row.key, row.class_value, value, area) for value, area in shares.items() if area]
    return tuple(rows)


def _reconciled(shares: dict[str, Decimal], total: Decimal, piece_count: int) -> dict[str, Decimal]:
    """Shares with the uncovered rest, which add up to the total; a rest that is only rounding goes to the
    largest share.
    """
    rest = total - sum_m2(shares.values())
    if shares and abs(rest) <= _HALF_CENT * (piece_count + 1):
        largest = max(shares, key=lambda value: shares[value])
        return shares | {largest: shares[largest] + rest}
    return shares | {"": shares.get("", Decimal("0.00")) + rest}


def overlapping_area_m2(first: BaseGeometry, second: BaseGeometry) -> Decimal:
    """Area that two polygons have in common, in square metres, rounded once to 0.01 m².

    Both valid, in EPSG:4490; edges are straight in longitude and latitude, the area is ellipsoidal; a shared
    edge counts as zero. Raises InvalidGeometry or CrsMismatch.
    """
    require_polygons(first)
    require_polygons(second)
    return area_m2(shapely.intersection(first, second))


def class_value(feature: OverlayFeature, by: str) -> str:
    """The class of a feature by a field: one of its own or one of its attributes; empty text where it has
    none.
    """
    value = getattr(feature, by, None)
    if value is None:
        value = getattr(feature, "attributes", {}).get(by)
    return "" if value is None else str(value)


def _counted_once(met: Sequence[OverlayFeature], pieces: numpy.ndarray) -> numpy.ndarray:
    """Pieces less what an earlier piece already has; pieces of a clean layer are returned as they are."""
    if len(pieces) < 2:
        return pieces
    bare: tuple[Mapping[str, Any], ...] = ({},) * len(pieces)
    distinct, _repeated = disjoint(FeatureSet(tuple(each.key for each in met), polygonal(pieces), bare))
    return distinct.geometries


def _rounded(
    met: list[OverlayFeature], pieces: numpy.ndarray, by: str
) -> list[tuple[OverlayFeature, BaseGeometry, Decimal]]:
    """Pieces with their rounded areas; of the pieces too small to be listed, the largest of a class carries
    their sum.
    """
    exact = unrounded_areas_m2(pieces)
    listed, small = [], {}
    for feature, piece, value in zip(met, pieces, exact, strict=True):
        area = rounded_m2(value)
        if area:
            listed.append((feature, piece, area))
        elif value > 0:
            small.setdefault(class_value(feature, by), []).append((float(value), feature, piece))
    for found in small.values():
        area = rounded_m2(sum(value for value, _, _ in found))
        if area:
            _, feature, piece = max(found, key=lambda entry: entry[0])
            listed.append((feature, piece, area))
    return listed
