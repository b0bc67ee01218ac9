"""Mending invalid polygons on request, with a log of before and after; what cannot be mended is set apart."""

from dataclasses import dataclass
from decimal import Decimal

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.area import area_m2
from domain.geometry import fault_of, multipolygon, require_degrees
from domain.overlay.features import FeatureSet

REPEATED_POINTS = "重复点"
NOTHING_LEFT = "修复后没有面积"
NO_POLYGON = "不是面"


@dataclass(frozen=True, slots=True)
class Repair:
    """One feature that was touched: why and where, its points and area before and after.

    `before_m2` is None for an invalid geometry, whose area means nothing; `after_m2` is None if it could not be mended.
    """

    key: str
    fault: str
    x: float | None
    y: float | None
    points_before: int
    points_after: int
    before_m2: Decimal | None
    after_m2: Decimal | None
    before: BaseGeometry
    after: BaseGeometry | None

    @property
    def is_mended(self) -> bool:
        """False for a feature that is set apart."""
        return self.after is not None


@dataclass(frozen=True, slots=True)
class Repaired:
    """The features that can be used, mended where needed, and the log; features set apart are only in the log."""

    features: FeatureSet
    log: tuple[Repair, ...]

    @property
    def set_apart(self) -> tuple[Repair, ...]:
        """What could not be mended and takes no part in anything that follows."""
        return tuple(each for each in self.log if not each.is_mended)


def repaired(features: FeatureSet) -> Repaired:
    """Mend self-crossing rings by their lines (what an odd number of rings encloses), take out repeated points.

    Coordinates that are no degrees are not mended: CrsMismatch.
    """
    require_degrees(features.geometries[~shapely.is_missing(features.geometries)])
    log = [found for row in _suspects(features) if (found := _repair(features.keys[row], features.geometries[row])) is not None]
    by_key = {each.key: each for each in log}
    geometries, kept = features.geometries.copy(), []
    for row, key in enumerate(features.keys):
        found = by_key.get(key)
        if found is not None and found.after is not None:
            geometries[row] = found.after
        if found is None or found.is_mended:
            kept.append(row)
    return Repaired(features.with_geometries(geometries).taken(kept), tuple(log))


def _suspects(features: FeatureSet) -> list[int]:
    found = features.geometries
    simple = numpy.isin(shapely.get_type_id(found), (3, 6)) & shapely.is_valid(found) & ~shapely.is_empty(found)
    points = shapely.get_num_coordinates(found) != shapely.get_num_coordinates(shapely.remove_repeated_points(found))
    return numpy.flatnonzero(~simple | points).tolist()


def _repair(key: str, geometry: BaseGeometry | None) -> Repair | None:
    if geometry is None or geometry.geom_type not in ("Polygon", "MultiPolygon") or geometry.is_empty:
        return Repair(key, NO_POLYGON, None, None, 0, 0, None, None, geometry or shapely.Polygon(), None)
    fault = fault_of(geometry)
    after = shapely.remove_repeated_points(geometry)
    if fault is not None:
        after = multipolygon(shapely.make_valid(after, method="linework"))
    reason, x, y = (fault.reason, fault.x, fault.y) if fault else (REPEATED_POINTS, None, None)
    before_m2 = None if fault else area_m2(geometry)
    before_points, after_points = int(shapely.get_num_coordinates(geometry)), int(shapely.get_num_coordinates(after))
    if not area_m2(after):
        return Repair(key, f"{reason}；{NOTHING_LEFT}", x, y, before_points, 0, before_m2, None, geometry, None)
    return Repair(key, reason, x, y, before_points, after_points, before_m2, area_m2(after), geometry, after)
