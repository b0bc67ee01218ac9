"""The geometry of one entity of a drawing, flat and in world coordinates."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import shapely
from ezdxf.entities import DXFEntity
from ezdxf.math import bulge_to_arc
from shapely.geometry.base import BaseGeometry

from domain.spatial_file.driver import ARC_STEP_DEGREES

_SPLINE_SAGITTA = 0.001
"""How far a spline or ellipse may be from its lines, in units of the drawing."""
_NO_GEOMETRY = {"VIEWPORT", "ATTDEF", "ATTRIB", "SEQEND", "VERTEX", "ACAD_PROXY_ENTITY"}
"""Entities that are no feature of the drawing; leaving them out needs no word."""


@dataclass(frozen=True, slots=True)
class Flat:
    """A two-dimensional geometry with the text it carries, and whether curves were cut."""

    shape: BaseGeometry
    text: str = ""
    is_curved: bool = False


class HasHeight(Exception):
    """The entity has heights, which were left off; `flat` is what remains."""

    def __init__(self, flat: Flat) -> None:
        self.flat = flat
        super().__init__("heights left off")


def skips(kind: str) -> bool:
    """True for an entity that is no feature by its nature."""
    return kind in _NO_GEOMETRY


def shape_of(entity: DXFEntity) -> Flat | None:
    """The geometry of an entity, None for one that has none here; HasHeight carries it where heights were left off."""
    maker = _MAKERS.get(entity.dxftype())
    return maker(entity) if maker else None


def _told(points: Sequence, is_closed: bool, is_curved: bool = False) -> Flat | None:
    """A polygon of a closed line with three places or more, else a line; None for a line without length."""
    flat = [(float(p[0]), float(p[1])) for p in points]
    if not all(math.isfinite(value) for point in flat for value in point):
        raise ValueError("not finite")
    distinct = list(dict.fromkeys(flat))
    if len(distinct) < 2:
        return None
    if is_closed and len(distinct) > 2:
        found = Flat(shapely.Polygon(flat), is_curved=is_curved)
    else:
        found = Flat(shapely.LineString([*flat, flat[0]] if is_closed and flat[0] != flat[-1] else flat), is_curved=is_curved)
    if any(len(p) > 2 and abs(p[2]) > 1e-9 for p in points):
        raise HasHeight(found)
    return found


def _line(entity) -> Flat | None:
    return _told([entity.dxf.start, entity.dxf.end], False)


def _light_polyline(entity) -> Flat | None:
    points = list(entity.get_points("xyb"))
    if not points:
        return None
    is_closed = entity.closed or (len(points) > 3 and points[0][:2] == points[-1][:2])
    strung = strung_bulges(points, entity.closed)
    height = float(entity.dxf.get("elevation", 0) or 0)
    placed = list(entity.ocs().points_to_wcs([(x, y, height) for x, y in strung]))
    return _told(placed, is_closed, any(point[2] for point in points))


def _polyline(entity) -> Flat | None:
    if entity.is_2d_polyline:
        points = [(v.dxf.location.x, v.dxf.location.y, v.dxf.get("bulge", 0)) for v in entity.vertices]
        if not points:
            return None
        height = float(entity.dxf.elevation.z) if entity.dxf.hasattr("elevation") else 0.0
        strung = strung_bulges(points, entity.is_closed)
        placed = list(entity.ocs().points_to_wcs([(x, y, height) for x, y in strung]))
        is_closed = entity.is_closed or (len(points) > 3 and points[0][:2] == points[-1][:2])
        return _told(placed, is_closed, any(point[2] for point in points))
    if entity.is_3d_polyline:
        points = [vertex.dxf.location for vertex in entity.vertices]
        is_closed = entity.is_closed or (len(points) > 3 and points[0].isclose(points[-1]))
        return _told(points, is_closed) if points else None
    return None


def strung_bulges(points: Sequence[tuple[float, float, float]], is_closed: bool) -> list[tuple[float, float]]:
    """(x, y) of a line of (x, y, bulge), its arcs cut; a closed one runs back to its start."""
    strung = [(points[0][0], points[0][1])]
    ends = [*points[1:], points[0]] if is_closed else points[1:]
    for (x, y, bulge), end in zip(points, ends, strict=False):
        if bulge and (x, y) != tuple(end[:2]):
            strung += _bulge((x, y), (end[0], end[1]), bulge)
        strung.append((end[0], end[1]))
    return strung


def _bulge(start: tuple[float, float], end: tuple[float, float], bulge: float) -> list[tuple[float, float]]:
    """The points between the ends of a bulge: the tangent of a quarter of its angle, positive counter-clockwise."""
    centre, begin, finish, radius = bulge_to_arc(start, end, bulge)
    sweep = (finish - begin) % (2 * math.pi)
    found = _arc_points(centre.x, centre.y, radius, begin, sweep)[1:-1]
    return found if bulge > 0 else found[::-1]


def _arc_points(x: float, y: float, radius: float, begin: float, sweep: float) -> list[tuple[float, float]]:
    steps = max(2, math.ceil(math.degrees(abs(sweep)) / ARC_STEP_DEGREES))
    return [
        (x + radius * math.cos(begin + sweep * i / steps), y + radius * math.sin(begin + sweep * i / steps))
        for i in range(steps + 1)
    ]


def _circle(entity) -> Flat | None:
    centre = entity.dxf.center
    strung = _arc_points(centre.x, centre.y, abs(entity.dxf.radius), 0, 2 * math.pi)[:-1]
    return _told(list(entity.ocs().points_to_wcs([(x, y, centre.z) for x, y in strung])), True, True)


def _arc(entity) -> Flat | None:
    centre, begin = entity.dxf.center, math.radians(entity.dxf.start_angle)
    sweep = (math.radians(entity.dxf.end_angle) - begin) % (2 * math.pi) or 2 * math.pi
    strung = _arc_points(centre.x, centre.y, abs(entity.dxf.radius), begin, sweep)
    return _told(list(entity.ocs().points_to_wcs([(x, y, centre.z) for x, y in strung])), False, True)


def _flattened(entity) -> Flat | None:
    points = list(entity.flattening(_SPLINE_SAGITTA))
    is_closed = len(points) > 3 and points[0].isclose(points[-1])
    return _told(points[:-1] if is_closed else points, is_closed, True)


def _point(entity) -> Flat | None:
    return _placed(entity.dxf.location)


def _placed(place, text: str = "") -> Flat:
    if not (math.isfinite(place[0]) and math.isfinite(place[1])):
        raise ValueError("not finite")
    found = Flat(shapely.Point(place[0], place[1]), text)
    if abs(place[2]) > 1e-9:
        raise HasHeight(found)
    return found


def _insert(entity) -> Flat | None:
    return _placed(entity.ocs().to_wcs(entity.dxf.insert))


def _text(entity) -> Flat | None:
    return _placed(entity.ocs().to_wcs(entity.dxf.insert), entity.plain_text().strip())


def _long_text(entity) -> Flat | None:
    return _placed(entity.dxf.insert, " ".join(entity.plain_text().split()))


def _face(entity) -> Flat | None:
    points = entity.wcs_vertices()
    return _told(points, True)


def _hatch(entity) -> Flat | None:
    """The area that a hatch fills: its outlines by the even-odd rule."""
    rings, is_curved = [], False
    for path in entity.paths.rendering_paths(entity.dxf.hatch_style):
        strung, curved = _outline(path)
        is_curved = is_curved or curved
        if len(dict.fromkeys(strung)) > 2:
            rings.append([(p[0], p[1]) for p in entity.ocs().points_to_wcs([(x, y, 0) for x, y in strung])])
    area = even_odd(rings)
    return Flat(area, is_curved=is_curved) if area is not None else None


def _outline(path) -> tuple[list[tuple[float, float]], bool]:
    if hasattr(path, "vertices"):
        points = [(v[0], v[1], v[2] if len(v) > 2 else 0) for v in path.vertices]
        return (strung_bulges(points, True) if points else []), any(point[2] for point in points)
    from ezdxf.path import converter

    found = converter.from_hatch_edge_path(path)
    return [(v.x, v.y) for each in found.sub_paths() for v in each.flattening(_SPLINE_SAGITTA)], found.has_curves


def even_odd(rings: Iterable[Sequence[tuple[float, float]]]) -> BaseGeometry | None:
    """Polygons of rings in which a ring inside another is its hole, and one inside a hole is filled again."""
    plates = sorted((shapely.Polygon(ring) for ring in rings), key=lambda plate: plate.area, reverse=True)
    sound = [plate for plate in plates if plate.is_valid and plate.area > 0]
    if not sound:
        return plates[0] if plates else None
    area = sound[0]
    for plate in sound[1:]:
        area = shapely.symmetric_difference(area, plate)
    parts = [part for part in shapely.get_parts(area) if part.geom_type == "Polygon"]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts) if parts else None


_MAKERS = {
    "LINE": _line, "LWPOLYLINE": _light_polyline, "POLYLINE": _polyline, "CIRCLE": _circle, "ARC": _arc,
    "ELLIPSE": _flattened, "SPLINE": _flattened, "POINT": _point, "INSERT": _insert, "TEXT": _text, "MTEXT": _long_text,
    "3DFACE": _face, "SOLID": _face, "TRACE": _face, "HATCH": _hatch, "MPOLYGON": _hatch,
}  # fmt: skip
