"""Drawings as text and as geometry: points one a line, rings and lines parted by an empty line.

The text is what is typed, pasted from a table or written by the map; whichever way it came, it is read here alone.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.area import area_m2
from domain.errors import InvalidData
from domain.geometry import fault_of, polygons_of
from domain.measuring import Point, geodesic_length_m, read_point

POLYGON, LINE, POINT = "polygon", "line", "point"
KINDS = {POLYGON: "面", LINE: "线", POINT: "点"}
FEWEST = {POLYGON: 3, LINE: 2, POINT: 1}
MOST_POINTS = 5000
CITY = (119.0, 30.0, 124.0, 33.0)
"""West, south, east, north beyond which a point was surely typed wrongly."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured of a drawing: its points, the length of its lines or rings (m), the area of its polygons (m²)."""

    points: int
    length_m: Decimal
    area_m2: Decimal | None


def read_drawing(text: str, kind: str) -> BaseGeometry:
    """The geometry of a text in EPSG:4490: a multipolygon, a multiline, or a multipoint.

    A line of text is a point as in `measuring.read_point`, a point number before it and a head line above it are passed
    over, as tables have them. A ring inside another is its hole, whatever the order. Raises InvalidData that says
    which line or ring is wrong, and where.
    """
    if kind not in KINDS:
        raise InvalidData("没有选画的是面、线还是点。请选一种。", {"kind": "请选一种"})
    parts = read_parts(text)
    count = sum(map(len, parts))
    if not count:
        raise InvalidData("还没有坐标。请在图上画，或写、粘贴坐标。", {"points": "请写坐标"})
    if count > MOST_POINTS:
        raise InvalidData(f"有 {count} 个点，超过 {MOST_POINTS} 个。请上传范围文件，或减少点数。", {"points": f"不能超过 {MOST_POINTS} 个点"})
    if kind == POINT:
        return shapely.MultiPoint(list(itertools.chain(*parts)))
    _require_enough(parts, kind)
    return shapely.MultiLineString(parts) if kind == LINE else _polygons(parts)


def read_parts(text: str) -> list[list[Point]]:
    """The points of each part, which are parted by empty lines, whatever they draw. Raises InvalidData for a line that is no point."""
    parts: list[list[Point]] = [[]]
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            parts.append([])
        elif not (number == 1 and _is_head(line)):
            parts[-1].append(_point(line, number))
    return [part for part in parts if part]


def _is_head(line: str) -> bool:
    return not any(character.isdigit() for character in line)


def _point(line: str, number: int) -> Point:
    cells = [cell for cell in line.replace("，", ",").replace("\t", ",").split(",") if cell.strip()]
    try:
        found = read_point(",".join(cells[1:]) if len(cells) == 3 else line)
    except InvalidData as fault:
        raise InvalidData(f"第 {number} 行：{fault.message}", {"points": f"第 {number} 行不是坐标"}) from fault
    west, south, east, north = CITY
    if not (west < found[0] < east and south < found[1] < north):
        raise InvalidData(f"第 {number} 行的点不在上海附近。请检查经纬度的顺序和带号。", {"points": f"第 {number} 行不在上海附近"})
    return found


def _require_enough(parts: Sequence[Sequence[Point]], kind: str) -> None:
    for number, part in enumerate(parts, start=1):
        if len({*part}) < FEWEST[kind]:
            what = "圈" if kind == POLYGON else "条线"
            raise InvalidData(
                f"第 {number} {what}只有 {len({*part})} 个不同的点，至少要 {FEWEST[kind]} 个。请补点，或删去这{what[0]}。",
                {"points": f"第 {number} {what}的点不够"},
            )


def _polygons(rings: Sequence[Sequence[Point]]) -> shapely.MultiPolygon:
    """Rings as polygons: one inside an odd number of others is a hole of the smallest of those."""
    shells = numpy.array([shapely.Polygon(ring) for ring in rings], dtype=object)
    for number, shell in enumerate(shells, start=1):
        _require_sound(shell, f"第 {number} 圈" if len(rings) > 1 else "所画的面")
    for (first, one), (second, other) in itertools.combinations(enumerate(shells, start=1), 2):
        if shapely.equals(one, other):
            raise InvalidData(f"第 {first} 圈与第 {second} 圈重复。请删去一圈。", {"points": "有重复的圈"})
        if shapely.overlaps(one, other):
            raise InvalidData(f"第 {first} 圈与第 {second} 圈相交。请让它们分开，或一圈完全在另一圈里面。", {"points": "有相交的圈"})
    around = [[place for place in range(len(shells)) if place != ring and shapely.contains(shells[place], shells[ring])] for ring in range(len(shells))]
    holes: dict[int, list[Sequence[Point]]] = {}
    for ring, outer in enumerate(around):
        if len(outer) % 2:
            holes.setdefault(min(outer, key=lambda place: shells[place].area), []).append(rings[ring])
    whole = shapely.MultiPolygon([shapely.Polygon(rings[ring], holes.get(ring)) for ring, outer in enumerate(around) if not len(outer) % 2])
    _require_sound(whole, "所画的面")
    return whole


def _require_sound(shape: BaseGeometry, what: str) -> None:
    if fault := fault_of(shape):
        place = "" if fault.x is None else f"（{fault.x:.6f}，{fault.y:.6f} 处）"
        raise InvalidData(f"{what}{fault.reason}{place}，没有确定的面积。请按顺序绕边界取点。", {"points": fault.reason})


def kind_of(geometry: BaseGeometry) -> str:
    """polygon, line or point."""
    return {"Polygon": POLYGON, "LineString": LINE, "Point": POINT}[geometry.geom_type.removeprefix("Multi")]


def parts_of(geometry: BaseGeometry) -> list[list[Point]]:
    """The points of every ring (not closed), line, or of all points together, in degrees."""
    return [[(float(x), float(y)) for x, y in part] for part in _coordinates(geometry)]


def _coordinates(geometry: BaseGeometry) -> Iterator[numpy.ndarray]:
    kind = kind_of(geometry)
    if kind == POINT:
        yield shapely.get_coordinates(geometry)
    elif kind == LINE:
        yield from (shapely.get_coordinates(line) for line in shapely.get_parts(geometry))
    else:
        rings = (ring for part in polygons_of(geometry) for ring in (part.exterior, *part.interiors))
        yield from (shapely.get_coordinates(ring)[:-1] for ring in rings)


def text_of(geometry: BaseGeometry) -> str:
    """The text from which `read_drawing` makes the very same geometry: every digit is kept."""
    return "\n\n".join("\n".join(f"{x!r},{y!r}" for x, y in part) for part in parts_of(geometry))


def measures_of(geometry: BaseGeometry) -> Measures:
    """Points, length (the rings of polygons, holes included) and, of polygons, area."""
    kind, parts = kind_of(geometry), parts_of(geometry)
    lines = [] if kind == POINT else [[*part, part[0]] if kind == POLYGON else part for part in parts]
    length = sum((geodesic_length_m(line) for line in lines), Decimal("0.000"))
    return Measures(sum(map(len, parts)), length, area_m2(geometry) if kind == POLYGON else None)
