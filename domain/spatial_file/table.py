"""CSV and Excel with coordinates: points by columns, geometries by WKT, or lists of boundary points by parcel and ring.

Which columns hold what is told by their headings; a table without coordinates stays a table.
"""

import csv
import io
import itertools
import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import shapely
from openpyxl.utils.exceptions import InvalidFileException

from domain.errors import InvalidData
from domain.geometry import InvalidGeometry
from domain.projection import zone_of_easting
from domain.spatial_file.character_set import charset_named, detected
from domain.spatial_file.columns import as_column, field_of_values
from domain.spatial_file.coordinate_words import system_of_words
from domain.spatial_file.foreign_faults import PARSER_FAULTS
from domain.spatial_file.model import FileField, FileLayer

MOST_ROWS = 1_000_000
"""Rows of one table; more belong into GeoPackage."""
MOST_COLUMNS = 2_000
_LONGITUDE = {"lon", "lng", "long", "longitude", "经度", "东经", "jd"}
_LATITUDE = {"lat", "latitude", "纬度", "北纬", "wd"}
_EAST = {"east", "easting", "东坐标", "东", "横坐标", "y坐标(东)", "y(东)", "横坐标y"}
_NORTH = {"north", "northing", "北坐标", "北", "纵坐标", "x坐标(北)", "x(北)", "纵坐标x"}
_X, _Y = {"x", "x坐标", "xcoord", "point_x"}, {"y", "y坐标", "ycoord", "point_y"}
_XY = "x, y"
_MOST_NORTHING_M = 6_000_000.0
_WKT = {"wkt", "geom", "geometry", "the_geom", "geom_wkt", "图形"}
_POINT = {"点号", "界址点号", "jzdh", "界址点", "界址点编号", "序号"}
_RING = {"圈号", "环号", "qh", "ring"}
_PARCEL = {"地块编号", "地块号", "宗地代码", "宗地号", "zddm", "dkbh", "地块名称", "parcel", "地块"}


def read_table_text(path: Path, name: str, encoding: str | None) -> tuple[list[FileLayer], str]:
    """The rows of a .csv as one layer, and the character set; separators are comma, tab or semicolon."""
    raw = path.read_bytes()
    stated, codec, is_judged = (*charset_named(encoding, "选定时"), False) if encoding else _charset(raw, path.name)
    try:
        text = raw.decode("utf-8-sig" if codec == "utf-8" else codec)
    except UnicodeDecodeError as error:
        raise InvalidData(f"“{path.name}”的文字不是 {stated} 编码。请另选编码，或另存为 UTF-8 后重新上传。") from error
    if "\x00" in text:
        raise InvalidData(f"“{path.name}”含有空字符，不是文本表格。请另存为 CSV UTF-8 后重新上传。")
    notes = (f"没有写明编码，由内容判断为 {stated}。请核对样例文字，不对时另选编码。",) if is_judged else ()
    csv.field_size_limit(1 << 30)
    try:
        rows = list(itertools.islice(csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text)), MOST_ROWS + 2))
    except csv.Error as error:
        raise InvalidData(f"“{path.name}”不是合法的 CSV（{error}）。请检查引号和分隔符后重新上传。") from error
    return [_layer(name, path.name, _as_typed(rows), notes)], stated


def read_workbook(path: Path) -> list[FileLayer]:
    """The sheets of an .xlsx that hold rows, each as a layer."""
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = [(sheet.title, list(_sheet_rows(sheet))) for sheet in book.worksheets]
        book.close()
    except (InvalidFileException, *PARSER_FAULTS) as error:
        raise InvalidData(f"“{path.name}”不能读取，工作簿可能已损坏。请用表格软件打开并另存为 .xlsx 后重新上传。") from error
    found = [_layer(title, path.name, rows, ()) for title, rows in sheets if rows]
    if not found:
        raise InvalidData(f"“{path.name}”的各工作表都没有内容。请填写后重新上传。")
    return found


def _charset(raw: bytes, name: str) -> tuple[str, str, bool]:
    try:
        return detected(raw.splitlines())
    except InvalidData as fault:
        raise InvalidData(f"“{name}”的{fault.message}") from fault


def _sheet_rows(sheet) -> Iterator[list[Any]]:
    """The rows of a sheet without blank ones."""
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(values_only=True)):
        if number > MOST_ROWS:
            break
        values = list(row[:MOST_COLUMNS])
        if any(value is not None and value != "" for value in values):
            yield values


def _separator(text: str) -> str:
    head = text.split("\n", 1)[0]
    return max(",\t;，", key=head.count) if any(mark in head for mark in ",\t;，") else ","


def _as_typed(rows: list[list[str]]) -> list[list[Any]]:
    """The rows with numbers as numbers where a whole column is numeric and none begins with a needless zero."""
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        return rows
    width = max(len(row) for row in rows)
    body = [row + [""] * (width - len(row)) for row in rows[1:]]
    columns = [_typed([row[index].strip() for row in body]) for index in range(width)]
    return [rows[0], *(list(row) for row in zip(*columns, strict=True))]


def _typed(cells: list[str]) -> list[Any]:
    stated = [cell for cell in cells if cell]
    for make in (int, float):
        try:
            if stated and not any(_is_code(cell) for cell in stated):
                values = [make(cell) if cell else None for cell in cells]
                if all(value is None or math.isfinite(value) for value in values):
                    return values
        except ValueError:
            continue
    return [cell or None for cell in cells]


def _is_code(cell: str) -> bool:
    """True for digits that are a code, not a number: a leading zero, or more digits than a number keeps."""
    digits = cell.lstrip("+-")
    return (len(digits) > 1 and digits[0] == "0" and digits[1:2] != ".") or len(digits.replace(".", "")) > 17 or "_" in cell


def _layer(name: str, file_name: str, rows: list[list[Any]], notes: tuple[str, ...]) -> FileLayer:
    if not rows:
        raise InvalidData(f"“{file_name}”没有内容。请填写后重新上传。")
    if len(rows) > MOST_ROWS + 1:
        raise InvalidData(f"“{file_name}”超过 {MOST_ROWS} 行。请拆分，或改用 GeoPackage 提供。")
    if len(rows[0]) > MOST_COLUMNS:
        raise InvalidData(f"“{file_name}”有 {len(rows[0])} 列，超过 {MOST_COLUMNS} 列。请删去不需要的列后重新上传。")
    headings = _headings(rows)
    columns = {heading: as_column(_cell(row, i) for row in rows[1:]) for i, heading in enumerate(headings)}
    return _with_geometry(FileLayer(
        name, "", tuple(field_of_values(heading, column) for heading, column in columns.items()),
        as_column([None] * (len(rows) - 1)), columns, notes=notes,
    ), file_name)  # fmt: skip


def _headings(rows: list[list[Any]]) -> list[str]:
    width, found = max(len(row) for row in rows[:1000]), []
    for index in range(width):
        cell = _cell(rows[0], index)
        name = " ".join(str(cell).split()) if cell is not None else f"列{index + 1}"
        found.append(name if name not in found else f"{name}_{index + 1}")
    return found


def _cell(row: Sequence[Any], index: int) -> Any:
    value = row[index] if index < len(row) else None
    return None if value == "" else value


def _with_geometry(layer: FileLayer, file_name: str) -> FileLayer:
    """The layer with the geometry that its headings tell of."""
    plain = {_plain(field.name): field.name for field in layer.fields}
    wkt = _one_of(plain, _WKT)
    if wkt and any(isinstance(value, str) and _looks_like_wkt(value) for value in layer.columns[wkt]):
        return _of_wkt(layer, wkt, file_name)
    pair, note = _coordinate_columns(plain)
    if pair is None:
        return layer
    points = list(_points(layer, pair, file_name))
    if not any(points):
        return layer
    if note == _XY:
        points, note = _in_order(points, pair)
    parcel, ring, point = _one_of(plain, _PARCEL), _one_of(plain, _RING), _one_of(plain, _POINT)
    if point and (ring or parcel):
        return _of_boundary_points(layer, points, parcel, ring, note, file_name)
    shapes = as_column(None if each is None else shapely.Point(each) for each in points)
    return FileLayer(
        layer.name, "Point", layer.fields, shapes, layer.columns, notes=(*layer.notes, note)
    )


def _in_order(points: list, pair: tuple[str, str]) -> tuple[list, str]:
    """Points as (east, north) of columns headed x and y, which surveyors and programs use in opposite ways.

    Where the first number is a northing and the second an easting with its zone, X is north as in surveys.
    """
    given = [each for each in points if each is not None]
    is_survey = all(
        x < _MOST_NORTHING_M and zone_of_easting(y) is not None and zone_of_easting(x) is None for x, y in given
    )
    if is_survey:
        return [each and each[::-1] for each in points], f"“{pair[0]}”为北坐标，“{pair[1]}”为东坐标（带带号），按测量习惯读取。"
    return points, f"“{pair[0]}”按东坐标（经度）读取，“{pair[1]}”按北坐标（纬度）读取。请核对。"


def _plain(name: str) -> str:
    """A heading without case, spaces, width of brackets and units."""
    return unicodedata.normalize("NFKC", name).lower().replace(" ", "").removesuffix("(m)").removesuffix("(米)")


def _one_of(plain: dict[str, str], words: Iterable[str]) -> str | None:
    return next((plain[word] for word in plain if word in words), None)


def _looks_like_wkt(text: str) -> bool:
    return text.strip().upper().removeprefix("SRID=").lstrip("0123456789;").startswith(
        ("POINT", "LINESTRING", "POLYGON", "MULTI", "GEOMETRYCOLLECTION")
    )


def _coordinate_columns(plain: dict[str, str]) -> tuple[tuple[str, str] | None, str]:
    """(column of x east, column of y north) or None, and what was taken."""
    longitude, latitude = _one_of(plain, _LONGITUDE), _one_of(plain, _LATITUDE)
    if longitude and latitude:
        return (longitude, latitude), f"坐标取自“{longitude}”“{latitude}”两列。"
    east, north = _one_of(plain, _EAST), _one_of(plain, _NORTH)
    if east and north:
        return (east, north), f"坐标取自“{east}”（东）“{north}”（北）两列。"
    x, y = _one_of(plain, _X), _one_of(plain, _Y)
    return ((x, y), _XY) if x and y else (None, "")


def _points(layer: FileLayer, pair: tuple[str, str], file_name: str) -> Iterator[tuple[float, float] | None]:
    for row, (x, y) in enumerate(zip(layer.columns[pair[0]], layer.columns[pair[1]], strict=True), start=2):
        if x is None and y is None:
            yield None
            continue
        try:
            found = float(x), float(y)
        except (TypeError, ValueError) as error:
            raise InvalidData(
                f"“{file_name}”第 {row} 行的坐标“{x}，{y}”不是数字。请把坐标写成不带单位和千分位逗号的数字。"
            ) from error
        if not all(map(math.isfinite, found)):
            raise InvalidData(f"“{file_name}”第 {row} 行的坐标“{x}，{y}”不是有限的数字。请更正后重新上传。")
        yield found


def _of_wkt(layer: FileLayer, column: str, file_name: str) -> FileLayer:
    shapes, srids = [], set()
    for row, value in enumerate(layer.columns[column], start=2):
        text = str(value).strip() if value is not None else ""
        if text.upper().startswith("SRID="):
            srid, _, text = text.partition(";")
            srids.add(srid[5:])
        try:
            shapes.append(shapely.force_2d(shapely.from_wkt(text)) if text else None)
        except NotImplementedError as error:
            raise InvalidGeometry(f"“{file_name}”第 {row} 行的 WKT 是曲线，不能读取。请先化为折线后重新导出。") from error
        except shapely.GEOSException as error:
            raise InvalidGeometry(f"“{file_name}”第 {row} 行的 WKT“{text[:40]}”不能读取。请检查括号和数字。") from error
    if len(srids) > 1:
        raise InvalidData(f"“{file_name}”的 WKT 写了不同的坐标系（SRID {'、'.join(sorted(srids))}）。请统一后重新上传。")
    system, words = system_of_words(f"EPSG:{srids.pop()}") if srids else (None, "")
    kinds = {shape.geom_type for shape in shapes if shape is not None}
    fields = tuple(field for field in layer.fields if field.name != column)
    return FileLayer(
        layer.name, kinds.pop() if len(kinds) == 1 else "Geometry", fields, as_column(shapes),
        {field.name: layer.columns[field.name] for field in fields}, system, words,
        notes=(*layer.notes, f"图形取自“{column}”列的 WKT。"),
    )  # fmt: skip


def _of_boundary_points(
    layer: FileLayer, points: list, parcel: str | None, ring: str | None, note: str, file_name: str
) -> FileLayer:
    """Parcels built from a list of boundary points: one row a point, in order, by parcel and ring."""
    rings: dict[Any, dict[Any, list]] = {}
    firsts: dict[Any, int] = {}
    key = number = None
    for row, point in enumerate(points):
        if point is None:
            continue
        key = (layer.columns[parcel][row] or key) if parcel else ""
        number = (layer.columns[ring][row] or number or 1) if ring else 1
        rings.setdefault(key, {}).setdefault(number, []).append(point)
        firsts.setdefault(key, row)
    shapes = [_parcel(each, f"“{file_name}”地块 {key}" if parcel else f"“{file_name}”") for key, each in rings.items()]
    told = {name: as_column(layer.columns[name][row] for row in firsts.values()) for name in [parcel] if name}
    told["界址点数"] = as_column(sum(len(each) for each in by_ring.values()) for by_ring in rings.values())
    fields = (*(field for field in layer.fields if field.name in told), FileField("界址点数", type="integer"))
    words = f"由界址点列表按{'地块和' if parcel else ''}{'圈号' if ring else '先后'}围成 {len(shapes)} 个面。"
    return FileLayer(
        layer.name, "Polygon", fields, as_column(shapes), told, notes=(*layer.notes, *filter(None, [note]), words)
    )


def _parcel(rings: dict[Any, list], where: str) -> shapely.Polygon:
    for number, ring in rings.items():
        if len(set(ring)) < 3:
            raise InvalidGeometry(f"{where}第 {number} 圈只有 {len(set(ring))} 个不同的点。一圈至少要有 3 个界址点。")
    outer, *inner = rings.values()
    return shapely.Polygon(outer, inner)
