"""Geometry in the one storage system, and what makes it unfit to decide on.

Everything the portal stores and decides on is in CGCS2000 geographic coordinates (EPSG:4490): x is the
longitude, y the latitude, both in degrees; an edge is the straight line between its ends in longitude and
latitude.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.errors import InvalidData

STORAGE_SRID = 4490

_POLYGONAL = {"Polygon", "MultiPolygon"}

_REASONS = {
    "Self-intersection": "边界自相交",
    "Ring Self-intersection": "边界在一点自接触",
    "Hole lies outside shell": "内圈落在外圈之外",
    "Holes are nested": "内圈套内圈",
    "Nested shells": "外圈套外圈",
    "Interior is disconnected": "内部被隔断",
    "Duplicate Rings": "圈重复",
    "Too few points in geometry component": "圈的点数不足",
    "Invalid Coordinate": "坐标不是有效数值",
    "Ring is not closed": "圈未闭合",
}


class InvalidGeometry(InvalidData):
    """A geometry that no area or overlay can be taken of."""


class CrsMismatch(InvalidData):
    """Coordinates that cannot belong to the coordinate system they are said to be in."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why a geometry is not valid, with its place in the coordinates of the geometry."""

    reason: str
    x: float | None
    y: float | None


def fault_of(geometry: BaseGeometry) -> Fault | None:
    """The first reason why the geometry is not valid under OGC rules, or None for a valid one."""
    if shapely.is_valid(geometry):
        return None
    text = shapely.is_valid_reason(geometry)
    found = re.fullmatch(r"\s*(.*?)\s*\[(\S+) (\S+?)(?: \S+)?\]", text)
    reason, x, y = found.groups() if found else (text, None, None)
    return Fault(
        _REASONS.get(reason, reason), None if x is None else float(x), None if y is None else float(y)
    )


def require_polygons(geometry: BaseGeometry) -> None:
    """Refuse what is not a valid, non-empty polygon or multipolygon in degrees (InvalidGeometry,
    CrsMismatch).
    """
    if geometry.geom_type not in _POLYGONAL:
        raise InvalidGeometry(f"图形类型为 {geometry.geom_type}，这里只接受面。请提供面状范围。")
    if geometry.is_empty:
        raise InvalidGeometry("图形为空，没有任何坐标。请提供有坐标的面状范围。")
    require_degrees(geometry)
    fault = fault_of(geometry)
    if fault is not None:
        place = "" if fault.x is None else f"（经度 {fault.x:.6f}，纬度 {fault.y:.6f} 处）"
        raise InvalidGeometry(
            f"图形无效：{fault.reason}{place}，无法计算面积。请修正该处的界址点后重新提供。"
        )


def require_degrees(geometries: BaseGeometry | Sequence[BaseGeometry] | numpy.ndarray) -> None:
    """Refuse coordinates that are no longitude and latitude (CrsMismatch)."""
    coordinates = shapely.get_coordinates(geometries)
    if not numpy.isfinite(coordinates).all():
        raise InvalidGeometry("图形含有不是数值的坐标（空值或无穷大）。请检查坐标后重新提供。")
    if len(coordinates) and (numpy.abs(coordinates) > (180.0, 90.0)).any():
        x, y = coordinates[(numpy.abs(coordinates) > (180.0, 90.0)).any(axis=1)][0]
        is_swapped = abs(x) <= 90 < abs(y) <= 180
        remedy = "看来经度和纬度写反了，请把经度写在前面" if is_swapped else "请先声明投影带并转换"
        raise CrsMismatch(f"坐标（{x:.10g}，{y:.10g}）不是经纬度，与 CGCS2000 大地坐标系（EPSG:4490）不符。{remedy}。")


def polygons_of(geometry: BaseGeometry) -> list[shapely.Polygon]:
    """The polygons of a geometry, in their order; points and lines of a collection have no area and are left
    out.
    """
    parts = [geometry]
    while any(isinstance(part, shapely.GeometryCollection) for part in parts):
        parts = [piece for part in parts for piece in shapely.get_parts(part)]
    flat = [piece for part in parts for piece in shapely.get_parts(part)]
    return [piece for piece in flat if isinstance(piece, shapely.Polygon) and not piece.is_empty]


def multipolygon(geometry: BaseGeometry) -> shapely.MultiPolygon:
    """The polygons of a geometry as one multipolygon, which may be empty."""
    return shapely.MultiPolygon(polygons_of(geometry))


def ewkb(geometry: BaseGeometry) -> bytes:
    """Extended WKB in the storage system, as both databases keep it."""
    return shapely.to_wkb(shapely.set_srid(geometry, STORAGE_SRID), include_srid=True)


def from_ewkb(blob: Any) -> BaseGeometry:
    """The geometry of (extended) WKB given as bytes, memory view or hexadecimal text."""
    return shapely.from_wkb(blob if isinstance(blob, str) else bytes(blob))
