"""Coordinates as people give them: a 界址点 TXT, a pasted table of points, or pasted pairs of control points."""

import math
import re
import unicodedata
from collections.abc import Iterator

from domain.boundary_points import (
    BODY,
    BoundaryParcel,
    BoundaryPoint,
    BoundaryPointFile,
    read_boundary_points,
)
from domain.coordinate_parameters import CoordinateParameters
from domain.coordinate_table import Frame
from domain.coordinate_transformation import ControlPoint, LocalSystem
from domain.errors import InvalidData
from domain.projection import CoordinateSystem, UnknownCrs, zone_of_easting

MOST_BYTES, MOST_POINTS = 1_000_000, 20_000
_PLANE_ITEMS, _SPACE_ITEMS = 5, 7


def read_given(content: bytes, source: Frame, parameters: CoordinateParameters) -> BoundaryPointFile:
    """A 界址点 TXT, which names its own system, or a pasted table, which stands in `source`.

    A line of a pasted table is `name,X,Y` or `name,ring,X,Y`, separated by commas, tabs or spaces; X is north. Raises
    InvalidData with the line and what to do.
    """
    if len(content) > MOST_BYTES:
        raise InvalidData(f"内容超过 {MOST_BYTES // 1_000_000} MB，页面上不能转换。请按地块拆分后分次转换。")
    if not content.strip():
        raise InvalidData("没有要转换的坐标。请上传界址点 TXT，或粘贴坐标表。")
    text = decoded(content)
    if BODY in text.replace("［", "[").replace("］", "]"):
        file = read_boundary_points(content, parameters.systems)
    else:
        file = _pasted(text, source)
    count = sum(parcel.point_count for parcel in file.parcels)
    if count > MOST_POINTS:
        raise InvalidData(f"共 {count} 个点，一次最多转换 {MOST_POINTS} 个。请按地块拆分后分次转换。")
    return file


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8 or GBK. Raises InvalidData for any other."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidData("文件的编码既不是 UTF-8 也不是 GBK。请用文本编辑器另存为 UTF-8 或 GBK。")


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The items of each line that is not blank, with its number; full-width signs are taken."""
    for number, line in enumerate(text.splitlines(), start=1):
        items = [part for part in re.split(r"[,;\s]+", unicodedata.normalize("NFKC", line).strip()) if part]
        if items:
            yield number, items


def _pasted(text: str, source: Frame) -> BoundaryPointFile:
    rings: dict[int, list[BoundaryPoint]] = {}
    for number, items in _lines(text):
        point = _point(number, items)
        rings.setdefault(point.ring, []).append(point)
    parcel = BoundaryParcel("", "粘贴的坐标", tuple(tuple(_opened(ring)) for _, ring in sorted(rings.items())))
    if isinstance(source, LocalSystem):
        return BoundaryPointFile((parcel,), None, {}, source.name)
    _must_fit(parcel, source)
    return BoundaryPointFile((parcel,), source)


def _point(number: int, items: list[str]) -> BoundaryPoint:
    if len(items) not in (3, 4):
        raise InvalidData(f"第 {number} 行应有 3 项（点号,X,Y）或 4 项（点号,圈号,X,Y），实有 {len(items)} 项。请改好后再转换。")
    name, *ring, north, east = items
    if ring and not re.fullmatch(r"[1-9][0-9]{0,3}", ring[0]):
        raise InvalidData(f"第 {number} 行（点 {name}）的圈号“{ring[0]}”不是正整数。请改好后再转换。")
    return BoundaryPoint(name, int(ring[0]) if ring else 1, _metres(number, name, north), _metres(number, name, east), number)


def _metres(number: int, name: str, text: str) -> float:
    if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", text) or not math.isfinite(float(text)):
        raise InvalidData(f"第 {number} 行（点 {name}）的“{text[:40]}”不是数字。坐标请写以米为单位的数字，不写千分位逗号。")
    return float(text)


def _opened(ring: list[BoundaryPoint]) -> list[BoundaryPoint]:
    """The ring without a last point that repeats name and place of the first."""
    first, last = ring[0], ring[-1]
    closes = len(ring) > 1 and (first.name, first.north_m, first.east_m) == (last.name, last.north_m, last.east_m)
    return ring[:-1] if closes else ring


def _must_fit(parcel: BoundaryParcel, source: CoordinateSystem) -> None:
    """A zone number before the easting must be that of the chosen system, and stand there if the system has one."""
    wanted = source.zone if source.has_zone_prefix else None
    for point in (point for ring in parcel.rings for point in ring):
        if zone_of_easting(point.east_m) != wanted:
            raise UnknownCrs(
                f"第 {point.line} 行（点 {point.name}）的 Y 坐标 {point.east_m:.3f} 与所选坐标系（{source.title}）的带号不符。"
                "请改选坐标系，或核对坐标。"
            )


def read_pairs(text: str) -> tuple[ControlPoint, ...]:
    """Pairs of control points, all plane or all geocentric.

    A line is `name,X,Y,X,Y` (source, then target; X is north) or `name,X,Y,Z,X,Y,Z`. Raises InvalidData with the line.
    """
    lines = list(_lines(text[:MOST_BYTES]))
    if not lines:
        raise InvalidData("没有控制点。请每行写一个点：点号、源坐标、目标坐标。")
    wanted = len(lines[0][1])
    if wanted not in (_PLANE_ITEMS, _SPACE_ITEMS):
        raise InvalidData(f"第 {lines[0][0]} 行有 {wanted} 项。四参数每行 5 项（点号,X,Y,X,Y），七参数每行 7 项（点号,X,Y,Z,X,Y,Z）。")
    points = tuple(_pair(number, items, wanted) for number, items in lines)
    if len({point.name for point in points}) != len(points):
        raise InvalidData("控制点的点号有重复。请每个控制点只写一行。")
    return points


def _pair(number: int, items: list[str], wanted: int) -> ControlPoint:
    if len(items) != wanted:
        raise InvalidData(f"第 {number} 行有 {len(items)} 项，前面各行是 {wanted} 项。请改为一致。")
    name, *values = items
    metres = [_metres(number, name, value) for value in values]
    source, target = metres[: len(metres) // 2], metres[len(metres) // 2 :]
    if wanted == _PLANE_ITEMS:
        return ControlPoint(name, (source[1], source[0]), (target[1], target[0]))
    return ControlPoint(name, tuple(source), tuple(target))
