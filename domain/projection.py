"""Coordinate systems that are accepted, and the way from and to the storage system.

CGCS2000 geographic (EPSG:4490) and its Gauss–Krüger 3-degree zones, with the zone number before the easting
(EPSG:4513–4533, zones 25–45) or without (EPSG:4534–4554, central meridians 75°–135° E). Anything else is
refused, not guessed.
"""

import functools
from dataclasses import dataclass

import numpy
import pyproj
import shapely
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from domain.errors import InvalidData
from domain.geometry import STORAGE_SRID, require_degrees

LONGEST_EDGE_M = 20.0
"""Projected edges are cut to this length before conversion; longer ones invent up to 1 m² (measured)."""

FIRST_ZONE, LAST_ZONE = 25, 45
_ZONED_BASE, _MERIDIAN_BASE = 4513 - FIRST_ZONE, 4534 - FIRST_ZONE
_GEOGRAPHIC = {4490: "CGCS2000 大地坐标系", 4326: "WGS 84"}


class UnknownCrs(InvalidData):
    """A coordinate system that is missing or that the portal does not accept."""


@dataclass(frozen=True, slots=True)
class CoordinateSystem:
    """One accepted coordinate system: geographic, or a 3-degree zone with or without number before the
    easting.
    """

    srid: int
    zone: int | None = None
    has_zone_prefix: bool = False

    @property
    def is_projected(self) -> bool:
        """True if the coordinates are metres."""
        return self.zone is not None

    @property
    def central_meridian(self) -> int | None:
        """Degrees east; None for geographic coordinates."""
        return None if self.zone is None else 3 * self.zone

    @property
    def title(self) -> str:
        """The name a person reads."""
        if self.zone is None:
            return f"{_GEOGRAPHIC[self.srid]}（EPSG:{self.srid}）"
        prefix = "坐标带带号" if self.has_zone_prefix else "坐标不带带号"
        return f"CGCS2000 3 度带第 {self.zone} 带，中央经线 {self.central_meridian}°，{prefix}（EPSG:{self.srid}）"


STORAGE = CoordinateSystem(STORAGE_SRID)


def zone_system(zone: int, has_zone_prefix: bool = True) -> CoordinateSystem:
    """The CGCS2000 3-degree zone of a number; refuses numbers outside 25–45 with UnknownCrs."""
    if not FIRST_ZONE <= zone <= LAST_ZONE:
        raise UnknownCrs(
            f"带号 {zone} 不是 CGCS2000 3 度带的带号（25–45）。上海在第 40 带或第 41 带，请核对带号。"
        )
    base = _ZONED_BASE if has_zone_prefix else _MERIDIAN_BASE
    return CoordinateSystem(base + zone, zone, has_zone_prefix)


def system_of_srid(srid: int) -> CoordinateSystem:
    """The accepted coordinate system of an EPSG number; refuses every other with UnknownCrs."""
    if srid in _GEOGRAPHIC:
        return CoordinateSystem(srid)
    for has_prefix, base in ((True, _ZONED_BASE), (False, _MERIDIAN_BASE)):
        if FIRST_ZONE <= srid - base <= LAST_ZONE:
            return zone_system(srid - base, has_prefix)
    raise UnknownCrs(
        f"坐标系 EPSG:{srid} 不在可接受之列。请转换为 CGCS2000 大地坐标系（EPSG:4490）或 CGCS2000 3 度带（第 40、41 带）。"
    )


def system_of_text(text: str) -> CoordinateSystem:
    """The accepted coordinate system of a WKT, an EPSG text or an OGC name; UnknownCrs for anything else."""
    try:
        crs = pyproj.CRS.from_user_input(text)
    except CRSError as error:
        raise UnknownCrs(f"坐标系说明“{text[:60]}”无法识别。请改用 EPSG:4490 或 CGCS2000 3 度带。") from error
    if crs.to_authority() == ("OGC", "CRS84"):
        return CoordinateSystem(4326)
    srid = crs.to_epsg()
    if srid is None:
        raise UnknownCrs(f"坐标系“{crs.name}”没有对应的 EPSG 编号。请改用 EPSG:4490 或 CGCS2000 3 度带。")
    return system_of_srid(srid)


def zone_of_easting(easting: float) -> int | None:
    """The zone number written before an easting of eight digits; None if there is none."""
    zone = int(easting // 1_000_000)
    return zone if FIRST_ZONE <= zone <= LAST_ZONE else None


def to_storage(geometry: BaseGeometry, source: CoordinateSystem) -> BaseGeometry:
    """The geometry in EPSG:4490, from any accepted system.

    Projected edges are first cut to at most 20 m, because they are straight in the plane and the stored edges
    are straight in longitude and latitude. WGS 84 coordinates are taken as they are: the two ellipsoids
    differ by 0.1 mm and no transformation between the two frames is registered. Raises CrsMismatch if the
    result is no longitude and latitude.
    """
    if not source.is_projected:
        require_degrees(geometry)
        return shapely.set_srid(geometry, STORAGE_SRID)
    dense = shapely.segmentize(geometry, LONGEST_EDGE_M)
    converted = shapely.transform(dense, _transformation(source.srid, STORAGE_SRID))
    require_degrees(converted)
    return shapely.set_srid(converted, STORAGE_SRID)


def from_storage(geometry: BaseGeometry, target: CoordinateSystem) -> BaseGeometry:
    """The geometry in an accepted system, vertex by vertex, from EPSG:4490; no vertex is added."""
    if not target.is_projected:
        return shapely.set_srid(geometry, target.srid)
    return shapely.set_srid(
        shapely.transform(geometry, _transformation(STORAGE_SRID, target.srid)), target.srid
    )


def moved(points: numpy.ndarray, source: CoordinateSystem, target: CoordinateSystem) -> numpy.ndarray:
    """Points (n × 2: x east or longitude, y north or latitude) of one accepted system in another, point by point."""
    return points if source.srid == target.srid else _transformation(source.srid, target.srid)(points)


def zone_of_longitude(longitude: float) -> int:
    """The 3-degree zone whose central meridian is nearest to a longitude in degrees."""
    return int((longitude + 1.5) // 3)


@functools.cache
def _transformer(source: int, target: int) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def _transformation(source: int, target: int):
    def convert(coordinates: numpy.ndarray) -> numpy.ndarray:
        x, y = _transformer(source, target).transform(coordinates[:, 0], coordinates[:, 1])
        return numpy.column_stack([x, y])

    return convert
