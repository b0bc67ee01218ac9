"""勘测定界 boundary-point files: reading with every fault named, and writing.

A file has a header `[属性描述]` of `key=value` lines and a body `[地块坐标]`. A parcel starts with a line
`点数,面积,地块编号,地块名称,几何类型,图幅号,用途,地类编码,@`, whose area is in hectares, and goes on with
lines `point name,ring number,X (north),Y (east)` in metres. Ring 1 is the outer ring, rings 2 and up are its
holes.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

import shapely

from domain.errors import InvalidData
from domain.projection import CoordinateSystem, UnknownCrs, zone_of_easting, zone_system

HEADER, BODY = "[属性描述]", "[地块坐标]"

HEADER_KEYS = (
    "格式版本号", "数据产生单位", "数据产生日期", "坐标系", "几度分带",
    "投影类型", "计量单位", "带号", "精度", "转换参数",
)  # fmt: skip

_CGCS2000_NAMES = {"2000国家大地坐标系", "国家2000大地坐标系", "CGCS2000", "2000"}
_SEPARATORS = str.maketrans(
    {"，": ",", "＠": "@", "＝": "=", "［": "[", "］": "]", "\u3000": " ", "【": "[", "】": "]"}
)
_NORTH_M = (0.0, 6_000_000.0)
"""Northings of the zones, counted from the equator; a local system counts from a point of its own."""
_LOCAL_M = (-6_000_000.0, 6_000_000.0)
_MOST_TOLD = 20
"""Faults that a refusal tells one by one; a file of another kind has one in every line."""
_ENCODINGS = ("utf-8-sig", "gb18030")


@dataclass(frozen=True, slots=True)
class BoundaryFault:
    """One thing wrong with a boundary-point file: where, why, and what to do."""

    line: int | None
    parcel: str
    point: str
    cause: str
    remedy: str

    @property
    def message(self) -> str:
        """The sentence a person reads."""
        where = f"第 {self.line} 行" if self.line else "文件"
        named = "，".join(
            filter(None, [self.parcel and f"地块 {self.parcel}", self.point and f"界址点 {self.point}"])
        )
        return f"{where}{f'（{named}）' if named else ''}：{self.cause}。{self.remedy}。"


class InvalidBoundaryFile(InvalidData):
    """A boundary-point file that cannot be taken; carries every fault found."""

    lead = "界址点文件不能读取："

    def __init__(self, faults: Iterable[BoundaryFault]) -> None:
        self.faults = tuple(faults)
        told = [fault.message for fault in self.faults[:_MOST_TOLD]]
        rest = len(self.faults) - len(told)
        super().__init__(self.lead + " ".join(told) + (f" 另有 {rest} 处，改好前面的再读取。" if rest else ""))


@dataclass(frozen=True, slots=True)
class BoundaryPoint:
    """One boundary point in metres: north is the X of the survey, east the Y, as written in the file."""

    name: str
    ring: int
    north_m: float
    east_m: float
    line: int | None = None


@dataclass(frozen=True, slots=True)
class BoundaryParcel:
    """One parcel of the file; rings are stored without the repeated closing point."""

    number: str
    name: str
    rings: tuple[tuple[BoundaryPoint, ...], ...]
    stated_area_ha: Decimal | None = None
    map_sheet: str = ""
    use: str = ""
    land_class: str = ""
    line: int | None = None

    @property
    def polygon(self) -> shapely.Polygon:
        """The parcel in the file's plane: x is east, y is north, in metres. It may be invalid."""
        rings = [[(p.east_m, p.north_m) for p in ring] for ring in self.rings]
        return shapely.Polygon(rings[0], rings[1:])

    @property
    def point_count(self) -> int:
        """Boundary points without the repeated closing ones."""
        return sum(len(ring) for ring in self.rings)


@dataclass(frozen=True, slots=True)
class BoundaryPointFile:
    """A boundary-point file: header, coordinate system, parcels.

    `system` is None only for a local system (such as 上海城建坐标系), which `local_system` names.
    """

    parcels: tuple[BoundaryParcel, ...]
    system: CoordinateSystem | None
    header: Mapping[str, str] = field(default_factory=dict)
    local_system: str = ""
    encoding: str = "UTF-8"


def read_boundary_points(content: bytes, local_systems: Collection[str] = ()) -> BoundaryPointFile:
    """Read a boundary-point file in UTF-8 or GBK (GB18030).

    Blank lines, CRLF, full-width commas and digits are taken; rings may be closed or not. The zone comes from
    the header or from eastings of eight digits, and both must agree. `local_systems` names local coordinate
    systems for which the caller has a transformation. Raises InvalidBoundaryFile with every fault, UnknownCrs
    if the coordinate system is missing or unknown.
    """
    text, encoding = _decode(content)
    header, body = _split(text)
    local = header.get("坐标系", "")
    is_local = local in local_systems
    parcels, faults = _Body(_LOCAL_M if is_local else _NORTH_M).read(body)
    if faults:
        raise InvalidBoundaryFile(faults)
    if is_local:
        return BoundaryPointFile(parcels, None, header, local, encoding)
    return BoundaryPointFile(parcels, _system(header, parcels), header, "", encoding)


def write_boundary_points(file: BoundaryPointFile, encoding: str = "gb18030", takes_local: bool = False) -> bytes:
    """Write the file in the exchange form: rings closed, metres to 0.001, hectares to 0.0001, CRLF lines.

    The header is written in its standard order; system, zone and unit come from the file. A file that is handed in is
    never in a local system, so one is refused (UnknownCrs) unless `takes_local`.
    """
    if file.system is None and not takes_local:
        raise UnknownCrs(f"界址点坐标为{file.local_system}，不能写入报送文件。请先转换为 CGCS2000 3 度带。")
    written = dict(file.header) | (_written_header(file.system) if file.system else _local_header(file.local_system))
    lines = [HEADER, *(f"{key}={written.get(key, '')}" for key in HEADER_KEYS), BODY]
    for parcel in file.parcels:
        lines += _parcel_lines(parcel)
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def parcel_from_polygon(
    polygon: shapely.Polygon, number: str, name: str, area_m2: Decimal, use: str = "", land_class: str = ""
) -> BoundaryParcel:
    """A parcel whose points are the vertices of a polygon in the plane (x east, y north, metres), named J1,
    J2 …
    """
    rings, count = [], 0
    for ring_number, ring in enumerate([polygon.exterior, *polygon.interiors], start=1):
        vertices = list(ring.coords)[:-1]
        rings.append(
            tuple(
                BoundaryPoint(f"J{count + i}", ring_number, y, x)
                for i, (x, y) in enumerate(vertices, start=1)
            )
        )
        count += len(vertices)
    return BoundaryParcel(number, name, tuple(rings), area_m2 / 10_000, "", use, land_class)


def _decode(content: bytes) -> tuple[str, str]:
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding), "UTF-8" if encoding.startswith("utf") else "GBK"
        except UnicodeDecodeError:
            continue
    raise InvalidBoundaryFile(
        [BoundaryFault(None, "", "", "编码既不是 UTF-8 也不是 GBK", "请用文本编辑器另存为 UTF-8 或 GBK")]
    )


def _split(text: str) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Header entries, and the numbered lines of the body that are not blank."""
    numbered = [(n, line.translate(_SEPARATORS).strip()) for n, line in enumerate(text.splitlines(), start=1)]
    lines = [(n, line) for n, line in numbered if line]
    marks = [i for i, (_, line) in enumerate(lines) if line.replace(" ", "") == BODY]
    if len(marks) != 1:
        cause = f"{'缺少' if not marks else '重复出现'}“{BODY}”标记"
        raise InvalidBoundaryFile(
            [BoundaryFault(None, "", "", cause, f"请在地块数据之前写一行 {BODY}，且只写一次")]
        )
    header, faults = {}, []
    for number, line in lines[: marks[0]]:
        key, equals, value = line.partition("=")
        if equals:
            header[key.strip()] = value.strip()
        elif line != HEADER:
            faults.append(
                BoundaryFault(number, "", "", f"“{line[:20]}”不是“名称=值”的形式", "请按属性描述的格式修改")
            )
    if faults:
        raise InvalidBoundaryFile(faults)
    return header, lines[marks[0] + 1 :]


def _number(text: str) -> float:
    """A finite number, full-width digits included; ValueError for anything else."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", plain):
        raise ValueError(text)
    return float(plain)


class _Body:
    """Reads the lines of the body into parcels and collects every fault on the way."""

    def __init__(self, north_m: tuple[float, float]) -> None:
        self.north_m = north_m
        self.faults: list[BoundaryFault] = []
        self.parcels: list[BoundaryParcel] = []
        self._head: tuple[int, list[str]] | None = None
        self._points: list[BoundaryPoint] = []
        self._known = 0

    def read(self, lines: list[tuple[int, str]]) -> tuple[tuple[BoundaryParcel, ...], list[BoundaryFault]]:
        for number, line in lines:
            if line.endswith("@"):
                self._finish_parcel()
                self._head, self._points = (number, [part.strip() for part in line[:-1].split(",")]), []
                self._known = len(self.faults)
            else:
                self._read_point(number, [part.strip() for part in line.rstrip(",").split(",")])
        self._finish_parcel()
        if not self.parcels and not self.faults:
            self._fault(None, "", f"{BODY} 之后没有地块", "请补充地块行（以 @ 结尾）和界址点行")
        return tuple(self.parcels), self.faults

    @property
    def _parcel(self) -> str:
        """How the parcel being read is called in messages."""
        return _part(self._head[1], 2) or _part(self._head[1], 3) if self._head else ""

    def _fault(self, line: int | None, point: str, cause: str, remedy: str) -> None:
        self.faults.append(BoundaryFault(line, self._parcel, point, cause, remedy))

    def _read_point(self, number: int, parts: list[str]) -> None:
        if self._head is None:
            return self._fault(number, _part(parts, 0), "界址点之前没有地块行", "请先写以 @ 结尾的地块行")
        if len(parts) != 4:
            cause = f"应有 4 项（点号,圈号,X,Y），实有 {len(parts)} 项"
            return self._fault(number, _part(parts, 0), cause, _remedy(len(parts)))
        name, ring, north, east = parts
        try:
            point = BoundaryPoint(name, int(_number(ring)), _number(north), _number(east), number)
        except ValueError as error:
            return self._fault(number, name, f"“{error}”不是数字", "圈号写整数，坐标写以米为单位的数字")
        least, most = self.north_m
        if not least < point.north_m < most:
            cause = f"X（北坐标）{north} 不在 {least:.0f} 至 {most:.0f} 米之间"
            return self._fault(number, name, cause, "请检查 X、Y 是否写反：X 为北坐标，Y 为东坐标")
        self._points.append(point)
        return None

    def _finish_parcel(self) -> None:
        if self._head is None or len(self.faults) > self._known:
            return  # what is missing because its line could not be read is not told a second time
        line, head = self._head
        known = len(self.faults)
        kind = _part(head, 4)
        if kind not in ("", "面"):
            self._fault(line, "", f"几何类型为“{kind}”", "项目范围只接受“面”")
        rings = self._rings(line)
        area = self._stated_area(line, _part(head, 1))
        self._check_count(line, _part(head, 0), rings)
        if len(self.faults) == known:
            self._check_holes(rings)
        if len(self.faults) == known:
            parcel = BoundaryParcel(
                _part(head, 2),
                _part(head, 3),
                tuple(rings),
                area,
                _part(head, 5),
                _part(head, 6),
                _part(head, 7),
                line,
            )
            self.parcels.append(parcel)

    def _rings(self, line: int) -> list[tuple[BoundaryPoint, ...]]:
        """Points by ring number; the repeated closing point is dropped."""
        by_number: dict[int, list[BoundaryPoint]] = {}
        for point in self._points:
            by_number.setdefault(point.ring, []).append(point)
        if sorted(by_number) != list(range(1, len(by_number) + 1)):
            self._fault(
                line, "", f"圈号为 {sorted(by_number)}", "圈号应从 1 起连续编号：1 为外圈，2 起为内圈"
            )
        rings = [tuple(_opened(by_number[number])) for number in sorted(by_number)]
        for ring in rings:
            if len(ring) < 3:
                cause = f"第 {ring[0].ring} 圈只有 {len(ring)} 个不同位置的界址点"
                self._fault(ring[0].line, ring[0].name, cause, "一圈至少要有 3 个界址点")
        if not rings:
            self._fault(line, "", "地块没有可用的界址点", "请在地块行之后逐行写界址点")
        return rings

    def _stated_area(self, line: int, text: str) -> Decimal | None:
        if not text:
            return None
        try:
            _number(text)
            return Decimal(unicodedata.normalize("NFKC", text))
        except (ValueError, InvalidOperation):
            self._fault(line, "", f"面积“{text}”不是数字", "请写以公顷为单位的数字，或留空")
            return None

    def _check_count(self, line: int, text: str, rings: list[tuple[BoundaryPoint, ...]]) -> None:
        """The stated number of points may or may not count the closing points, and may be left out."""
        distinct = sum(len(ring) for ring in rings)
        if text and text not in {str(distinct), str(distinct + len(rings)), str(len(self._points))}:
            self._fault(
                line, "", f"地块行写明 {text} 个点，读到 {len(self._points)} 个", "请核对点数或补齐界址点"
            )

    def _check_holes(self, rings: list[tuple[BoundaryPoint, ...]]) -> None:
        outer = shapely.Polygon([(p.east_m, p.north_m) for p in rings[0]])
        if not outer.is_valid:
            return  # the range's own check names the place
        for ring in rings[1:]:
            if not outer.covers(shapely.Polygon([(p.east_m, p.north_m) for p in ring])):
                cause = f"第 {ring[0].ring} 圈不在外圈之内"
                self._fault(ring[0].line, ring[0].name, cause, "内圈须在外圈之内；相离的部分请另写一个地块")


def _remedy(count: int) -> str:
    """What to do about a line of a point with too few or too many items."""
    if count == 5:
        return "高程等第 5 项请去掉"
    return "请补齐" if count < 4 else "数字里不要写千分位逗号，也不要有多余的逗号"


def _part(parts: list[str], index: int) -> str:
    return parts[index] if index < len(parts) else ""


def _opened(points: list[BoundaryPoint]) -> list[BoundaryPoint]:
    """The ring without a last point that repeats the place of the first."""
    first, last = points[0], points[-1]
    closed = len(points) > 1 and (first.north_m, first.east_m) == (last.north_m, last.east_m)
    return points[:-1] if closed else points


def _system(header: Mapping[str, str], parcels: tuple[BoundaryParcel, ...]) -> CoordinateSystem:
    """The zone that header and eastings agree on."""
    _check_header(header)
    stated = header.get("带号", "")
    if stated and not re.fullmatch(r"\d{1,2}", unicodedata.normalize("NFKC", stated)):
        raise UnknownCrs(f"界址点文件的带号“{stated}”不是数字。请写 40 或 41。")
    zones: dict[int | None, BoundaryPoint] = {}
    for point in (p for parcel in parcels for ring in parcel.rings for p in ring):
        zones.setdefault(zone_of_easting(point.east_m), point)
    if len(zones) > 1:
        places = "、".join(f"{p.name}（第 {p.line} 行）" for p in zones.values())
        raise UnknownCrs(f"界址点 Y 坐标的带号不一致：{places}。同一文件的界址点须在同一投影带内。")
    (written, point), *_ = zones.items()
    if written is None and not stated:
        raise UnknownCrs(
            "界址点文件没有带号，Y 坐标前也没有带号，无法确定投影带。请在文件头写明“带号=40”或“带号=41”。"
        )
    if written is not None and stated and int(stated) != written:
        raise UnknownCrs(
            f"文件头带号为 {stated}，而第 {point.line} 行界址点 {point.name} 的 Y 坐标带号为 {written}。请改为一致。"
        )
    return zone_system(written if written is not None else int(stated), written is not None)


def _check_header(header: Mapping[str, str]) -> None:
    name = header.get("坐标系", "")
    if not name:
        raise UnknownCrs("界址点文件没有写明坐标系，不能猜测。请在文件头写“坐标系=2000国家大地坐标系”。")
    if unicodedata.normalize("NFKC", name).upper() not in _CGCS2000_NAMES:
        raise UnknownCrs(f"界址点文件的坐标系为“{name}”，不可接受。请转换为 2000 国家大地坐标系后重新提供。")
    for key, accepted in (
        ("几度分带", ("", "3")),
        ("计量单位", ("", "米", "m")),
        ("投影类型", ("", "高斯克吕格", "高斯-克吕格")),
    ):
        if header.get(key, "") not in accepted:
            wanted = next(filter(None, accepted))
            raise UnknownCrs(
                f"界址点文件的{key}为“{header[key]}”，不可接受。请转换为“{key}={wanted}”后重新提供。"
            )


def _written_header(system: CoordinateSystem) -> dict[str, str]:
    return {
        "坐标系": "2000国家大地坐标系",
        "几度分带": "3",
        "投影类型": "高斯克吕格",
        "计量单位": "米",
        "带号": str(system.zone),
        "精度": "0.001",
    }


def _local_header(name: str) -> dict[str, str]:
    return {"坐标系": name, "几度分带": "", "投影类型": "", "计量单位": "米", "带号": "", "精度": "0.001"}


def _parcel_lines(parcel: BoundaryParcel) -> list[str]:
    count = sum(len(ring) + 1 for ring in parcel.rings)
    area = "" if parcel.stated_area_ha is None else f"{parcel.stated_area_ha:.4f}"
    fields = [
        str(count),
        area,
        parcel.number,
        parcel.name,
        "面",
        parcel.map_sheet,
        parcel.use,
        parcel.land_class,
        "@",
    ]
    lines = [",".join(part.replace(",", "、").replace("，", "、") for part in fields)]
    for ring in parcel.rings:
        lines += [f"{p.name},{p.ring},{p.north_m:.3f},{p.east_m:.3f}" for p in (*ring, ring[0])]
    return lines
