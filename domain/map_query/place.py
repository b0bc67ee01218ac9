"""The range of a query from what was given: a box, typed points, a sketch of one's own, one that was shared; and the buffer around it."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

import shapely
from shapely.geometry.base import BaseGeometry
from sqlmodel import Session

from domain import sketch
from domain.actor import Actor
from domain.errors import InvalidData
from domain.geometry import multipolygon
from domain.map_query.definition import Place
from domain.projection import from_storage, to_storage, zone_of_longitude, zone_system
from domain.sketch.drawing import KINDS, read_drawing

WIDEST_BUFFER_M = 20_000
_STEP_DEGREES = 0.001
"""About 100 m: an edge straight in degrees leaves the straight line of the plane by less than a millimetre."""
GIVEN = ("bounds", "points", "sketch", "range")


def read_place(session: Session, actor: Actor, given: Mapping[str, str]) -> Place | None:
    """The range of the address, None without one. Raises InvalidData by field; NotFound for another's sketch and for what is not shared."""
    named = [name for name in GIVEN if given.get(name)]
    if not named:
        if given.get("buffer"):
            raise InvalidData("写了缓冲距离，没有范围。请再写方框、坐标，或选一个草图。", {"buffer": "要有范围才能缓冲"})
        return None
    if len(named) > 1:
        raise InvalidData("方框、坐标、草图、共享的范围只能用一种。请留一种，清空其余的。", {name: "只能用一种范围" for name in named})
    label, geometry = _geometry(session, actor, given, named[0])
    metres = read_buffer(given.get("buffer", ""))
    return Place(label, geometry) if metres is None else buffered(label, geometry, metres)


def _geometry(session: Session, actor: Actor, given: Mapping[str, str], named: str) -> tuple[str, BaseGeometry]:
    if named == "bounds":
        return "方框", read_box(given["bounds"])
    if named == "points":
        kind = given.get("kind") or "polygon"
        return f"所写的{KINDS.get(kind, '')}", read_drawing(given["points"], kind)
    if named == "range":
        shared = sketch.find_shared(session, given["range"])
        return f"共享的范围“{shared.name}”", shared.geometry
    text = given["sketch"]
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    found = sketch.find(session, actor, number)
    return f"草图“{found.name}”", found.geometry


def read_box(text: str) -> BaseGeometry:
    """The box of four numbers, west, south, east, north in degrees. Raises InvalidData."""
    try:
        west, south, east, north = (float(each) for each in text.replace("，", ",").split(","))
    except ValueError:
        raise InvalidData("方框应写成“西,南,东,北”四个经纬度。请改正。", {"bounds": "应为四个经纬度"}) from None
    if not (119 < west < east < 124 and 30 < south < north < 33):
        raise InvalidData("方框不在上海附近，或西东、南北颠倒。请改正。", {"bounds": "请核对西、南、东、北"})
    return shapely.box(west, south, east, north)


def read_buffer(text: str) -> Decimal | None:
    """The distance in metres, None for nothing. Raises InvalidData."""
    if not text:
        return None
    try:
        metres = Decimal(text)
    except InvalidOperation:
        metres = Decimal(0)
    if not (metres.is_finite() and 0 < metres <= WIDEST_BUFFER_M):
        raise InvalidData(f"缓冲距离应为 0 到 {WIDEST_BUFFER_M} 之间的米数，如 100。请改正。", {"buffer": "应为米数，如 100"})
    return metres


def buffered(label: str, geometry: BaseGeometry, metres: Decimal) -> Place:
    """What lies within a distance of a geometry (EPSG:4490), in the plane of the 3-degree zone nearest to it.

    Lengths of that plane exceed those on the ellipsoid by at most 0.03 % in Shanghai; corners are rounded by 64 edges a circle.
    """
    system = zone_system(zone_of_longitude(shapely.centroid(geometry).x))
    plane = from_storage(shapely.segmentize(geometry, _STEP_DEGREES), system)
    made = to_storage(shapely.buffer(plane, float(metres), quad_segs=16), system)
    note = f"缓冲按 CGCS2000 3 度带第 {system.zone} 带的平面距离计算"
    return Place(f"{label}外 {metres} 米以内", multipolygon(made), note)
