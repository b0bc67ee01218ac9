"""Shape values of personal geodatabases: the record content of a Shapefile, with Esri's general types and curves.

Layout as published in Esri's "Extended Shapefile Record Format". Curves are cut into lines by the same angle as the
drivers cut them.
"""

import math
import struct

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.spatial_file.driver import ARC_STEP_DEGREES

_POINTS, _MULTIPOINTS = {1, 9, 11, 21, 52}, {8, 18, 20, 28, 53}
_LINES, _POLYGONS = {3, 10, 13, 23, 50}, {5, 15, 19, 25, 51}
_MULTIPATCHES = {31, 32, 54}
_HAS_Z, _HAS_M, _HAS_CURVES = 0x80000000, 0x40000000, 0x20000000
_Z_TYPES, _M_TYPES = {9, 10, 11, 13, 15, 18, 19, 20, 31, 32}, {11, 13, 15, 18, 21, 23, 25, 28, 31}
_STEPS_BEZIER = 32


class DamagedShape(ValueError):
    """A Shape value that does not hold what its header says."""


def geometry_of(blob: bytes) -> BaseGeometry | None:
    """The two-dimensional geometry of a Shape value, None for a null shape; DamagedShape for what it is not."""
    if len(blob) < 4:
        return None
    head = struct.unpack_from("<I", blob)[0]
    kind = head & 0xFF
    try:
        if kind == 0:
            return None
        if kind in _POINTS:
            x, y = struct.unpack_from("<2d", blob, 4)
            return None if math.isnan(x) or math.isnan(y) else shapely.Point(x, y)
        if kind in _MULTIPOINTS:
            (count,) = struct.unpack_from("<i", blob, 36)
            return shapely.MultiPoint(numpy.frombuffer(blob, "<f8", 2 * count, 40).reshape(-1, 2))
        if kind in _LINES | _POLYGONS:
            return _gathered(kind in _POLYGONS, _parts(blob, kind, head))
        if kind in _MULTIPATCHES:
            return _patches(blob)
    except (struct.error, ValueError, IndexError, shapely.GEOSException) as error:
        raise DamagedShape(f"图形内容不完整（{len(blob)} 字节）") from error
    raise DamagedShape(f"图形类型 {kind} 不认识")


def has_curves(blob: bytes) -> bool:
    """True if the value holds curve segments."""
    if len(blob) < 4:
        return False
    head = struct.unpack_from("<I", blob)[0]
    return head & 0xFF >= 50 and bool(head & _HAS_CURVES)


def has_height(blob: bytes) -> bool:
    """True if the value holds heights or measures."""
    if len(blob) < 4:
        return False
    head = struct.unpack_from("<I", blob)[0]
    return head & 0xFF in _Z_TYPES | _M_TYPES or (head & 0xFF >= 50 and bool(head & (_HAS_Z | _HAS_M)))


def _parts(blob: bytes, kind: int, head: int) -> list[numpy.ndarray]:
    """The points of each part, curves cut into lines."""
    part_count, count = struct.unpack_from("<2i", blob, 36)
    if count == 0:
        return []
    starts = numpy.frombuffer(blob, "<i4", part_count, 44)
    place = 44 + 4 * part_count
    points = numpy.frombuffer(blob, "<f8", 2 * count, place).reshape(-1, 2)
    place += 16 * count
    if kind in _Z_TYPES or (kind >= 50 and head & _HAS_Z):
        place += 16 + 8 * count
    if kind >= 50 and head & _HAS_M:
        place += 16 + 8 * count
    curves = _curves(blob, place) if kind >= 50 and head & _HAS_CURVES else {}
    ends = [*starts[1:].tolist(), count]
    return [_stroked(points, start, end, curves) for start, end in zip(starts.tolist(), ends, strict=True)]


def _curves(blob: bytes, place: int) -> dict[int, tuple[int, tuple]]:
    """(kind, parameters) of each curve by the index of the point where it starts."""
    (count,) = struct.unpack_from("<i", blob, place)
    place, found = place + 4, {}
    for _ in range(count):
        start, kind = struct.unpack_from("<2i", blob, place)
        layout = {1: "<2di", 4: "<4d", 5: "<5di"}.get(kind)
        if layout is None:
            raise DamagedShape(f"曲线类型 {kind} 不认识")
        found[start] = (kind, struct.unpack_from(layout, blob, place + 8))
        place += 8 + struct.calcsize(layout)
    return found


def _stroked(points: numpy.ndarray, start: int, end: int, curves: dict[int, tuple[int, tuple]]) -> numpy.ndarray:
    if not curves:
        return points[start:end]
    pieces = []
    for index in range(start, end):
        pieces.append(points[index : index + 1])
        if index in curves and index + 1 < end:
            pieces.append(_between(points[index], points[index + 1], *curves[index]))
    return numpy.concatenate(pieces)


def _between(first: numpy.ndarray, last: numpy.ndarray, kind: int, values: tuple) -> numpy.ndarray:
    """The points between the two ends of a curve."""
    if kind == 4:
        t = numpy.linspace(0, 1, _STEPS_BEZIER + 1)[1:-1, None]
        one, two = numpy.array(values[:2]), numpy.array(values[2:])
        return (1 - t) ** 3 * first + 3 * (1 - t) ** 2 * t * one + 3 * (1 - t) * t**2 * two + t**3 * last
    if kind == 1:
        return _arc(first, last, values[0], values[1], values[2])
    return _ellipse(first, last, values)


def _arc(first, last, x: float, y: float, bits: int) -> numpy.ndarray:
    """Points of a circular arc whose centre, or a point on it, is given, as its bits say."""
    nothing = numpy.empty((0, 2))
    if bits & 0x1 or bits & 0x20:  # empty, or a straight line
        return nothing
    is_counter_clockwise = bool(bits & 0x8)
    if bits & 0x80:  # defined by a point on the arc
        found = _centre(first, (x, y), last)
        if found is None:
            return nothing
        cross = (x - first[0]) * (last[1] - first[1]) - (y - first[1]) * (last[0] - first[0])
        centre, is_counter_clockwise = found, cross > 0
    else:
        centre = (x, y)
    begin = math.atan2(first[1] - centre[1], first[0] - centre[0])
    finish = math.atan2(last[1] - centre[1], last[0] - centre[0])
    sweep = (finish - begin) % (2 * math.pi) or 2 * math.pi
    if not is_counter_clockwise:
        sweep -= 2 * math.pi if sweep < 2 * math.pi else 4 * math.pi
    radius = math.hypot(first[0] - centre[0], first[1] - centre[1])
    steps = max(2, math.ceil(abs(math.degrees(sweep)) / ARC_STEP_DEGREES))
    angles = begin + sweep * numpy.arange(1, steps) / steps
    return numpy.column_stack([centre[0] + radius * numpy.cos(angles), centre[1] + radius * numpy.sin(angles)])


def _centre(a, b, c) -> tuple[float, float] | None:
    d = 2 * ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
    if d == 0:
        return None
    bb, cc = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2, (c[0] - a[0]) ** 2 + (c[1] - a[1]) ** 2
    x = ((c[1] - a[1]) * bb - (b[1] - a[1]) * cc) / d
    y = ((b[0] - a[0]) * cc - (c[0] - a[0]) * bb) / d
    return a[0] + x, a[1] + y


def _ellipse(first, last, values: tuple) -> numpy.ndarray:
    """Points of an elliptic arc: centre, rotation, half of the long axis, ratio of the axes."""
    x, y, rotation, long, ratio, bits = values
    turn = numpy.array([[math.cos(rotation), math.sin(rotation)], [-math.sin(rotation), math.cos(rotation)]])

    def angle(point) -> float:
        u, v = turn @ (numpy.asarray(point) - (x, y))
        return math.atan2(v / (ratio or 1), u)

    begin, finish = angle(first), angle(last)
    sweep = (finish - begin) % (2 * math.pi) or 2 * math.pi
    if not bits & 0x800:
        sweep -= 2 * math.pi if sweep < 2 * math.pi else 4 * math.pi
    steps = max(2, math.ceil(abs(math.degrees(sweep)) / ARC_STEP_DEGREES))
    angles = begin + sweep * numpy.arange(1, steps) / steps
    return numpy.column_stack([long * numpy.cos(angles), long * ratio * numpy.sin(angles)]) @ turn + (x, y)


def _gathered(is_polygon: bool, parts: list[numpy.ndarray]) -> BaseGeometry:
    if not is_polygon:
        lines = [shapely.LineString(part) for part in parts if len(part) > 1]
        return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)
    rings = [shapely.LinearRing(part) for part in parts if len(part) > 3 or (len(part) == 3 and (part[0] != part[-1]).any())]
    return polygons_of_rings(rings)


def polygons_of_rings(rings: list[shapely.LinearRing]) -> BaseGeometry:
    """One polygon or several: clockwise rings are shells, the others holes of the smallest shell around them."""
    shells = [ring for ring in rings if not ring.is_ccw]
    holes = [ring for ring in rings if ring.is_ccw]
    if not shells:
        shells, holes = holes, []
    plates = [shapely.Polygon(shell) for shell in shells]
    inside: list[list[shapely.LinearRing]] = [[] for _ in shells]
    alone = []
    tree = shapely.STRtree(plates)
    for hole in holes:
        around = [i for i in tree.query(hole, predicate="intersects") if _covers(plates[i], hole)]
        if around:
            inside[min(around, key=lambda i: plates[i].area)].append(hole)
        else:
            alone.append(shapely.Polygon(hole))
    found = [shapely.Polygon(shell, own) for shell, own in zip(shells, inside, strict=True)] + alone
    return found[0] if len(found) == 1 else shapely.MultiPolygon(found)


def _covers(plate: shapely.Polygon, hole: shapely.LinearRing) -> bool:
    return plate.covers(hole) if plate.is_valid else plate.envelope.covers(hole)


def _patches(blob: bytes) -> BaseGeometry:
    """A multipatch from above: its triangles and rings as polygons."""
    part_count, count = struct.unpack_from("<2i", blob, 36)
    starts = numpy.frombuffer(blob, "<i4", part_count, 44).tolist()
    kinds = numpy.frombuffer(blob, "<i4", part_count, 44 + 4 * part_count).tolist()
    points = numpy.frombuffer(blob, "<f8", 2 * count, 44 + 8 * part_count).reshape(-1, 2)
    found = []
    for start, end, kind in zip(starts, [*starts[1:], count], kinds, strict=True):
        part = points[start:end]
        if kind == 0:
            found += [part[i : i + 3] for i in range(len(part) - 2)]
        elif kind == 1:
            found += [part[[0, i, i + 1]] for i in range(1, len(part) - 1)]
        else:
            found.append(part)
    return shapely.MultiPolygon([shapely.Polygon(each) for each in found if len(each) > 2])
