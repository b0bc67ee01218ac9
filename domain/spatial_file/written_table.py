"""Layers as a workbook: attributes, area, and the geometry as WKT, a sheet for each layer."""

import datetime
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import shapely
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from domain.area import area_m2
from domain.errors import InvalidData
from domain.projection import CoordinateSystem, from_storage
from domain.spatial_file.model import FileLayer
from domain.spatial_file.written_column import check_texts, is_missing, written

AREA, WKT = "面积（平方米）", "WKT"
MOST_ROWS, LONGEST_CELL = 1_000_000, 32_767
_LONGEST_SHEET = 31
_OPTIONS = {
    "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "constant_memory": True,
    "default_date_format": "yyyy-mm-dd", "remove_timezone": True,
}  # fmt: skip


def write_table(path: Path, layers: Sequence[FileLayer], system: CoordinateSystem) -> list[str]:
    """Write layers given in EPSG:4490 as .xlsx with WKT in `system` (SRID before it); what changed, in Chinese.

    Areas are those of the ellipsoid in m². Raises InvalidData for more rows than a sheet holds and geometries whose WKT
    is longer than a cell.
    """
    notes: list[str] = []
    with xlsxwriter.Workbook(str(path), _OPTIONS) as book:
        taken: set[str] = set()
        for layer in layers:
            name = _sheet_name(layer.name, taken)
            if name != layer.name:
                notes.append(f"图层“{layer.name}”的工作表名为“{name}”。")
            _write_sheet(book.add_worksheet(name), layer, system)
    return notes


def _sheet_name(name: str, taken: set[str]) -> str:
    plain = re.sub(r"[\[\]:*?/\\']", "_", name)[:_LONGEST_SHEET] or "图层"
    found, number = plain, 1
    while found.lower() in taken:
        number += 1
        found = f"{plain[: _LONGEST_SHEET - len(str(number)) - 1]}_{number}"
    taken.add(found.lower())
    return found


def _write_sheet(sheet: Worksheet, layer: FileLayer, system: CoordinateSystem) -> None:
    if layer.count > MOST_ROWS:
        raise InvalidData(f"图层“{layer.name}”有 {layer.count} 行，超过 {MOST_ROWS} 行，Excel 放不下。请改用 GeoPackage 导出。")
    texts = {field.name: written(layer, field)[0] for field in layer.fields if field.type in ("text", "binary")}
    check_texts(layer, texts, "utf-8", LONGEST_CELL)
    names = [field.name for field in layer.fields]
    has_area = AREA not in names and any(each is not None and "Polygon" in each.geom_type for each in layer.geometries)
    has_shape = any(each is not None for each in layer.geometries)
    extra = ([AREA] if has_area else []) + ([WKT] if has_shape else [])
    for column, name in enumerate([*names, *extra]):
        sheet.write_string(0, column, name)
    for row, shape in enumerate(layer.geometries):
        values = list(layer.values(row).values()) if names else []
        told = ([_area(shape)] if has_area else []) + ([_wkt(layer, row, shape, system)] if has_shape else [])
        for column, value in enumerate([*values, *told]):
            _write_cell(sheet, row + 1, column, value)


def _write_cell(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    if is_missing(value):
        return
    if isinstance(value, datetime.date):
        sheet.write_datetime(row, column, value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float | Decimal):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, str(value))


def _area(shape: shapely.Geometry | None) -> float | None:
    return float(area_m2(shape)) if shape is not None and "Polygon" in shape.geom_type else None


def _wkt(layer: FileLayer, row: int, shape: shapely.Geometry | None, system: CoordinateSystem) -> str | None:
    if shape is None:
        return None
    found = shapely.force_2d(from_storage(shape, system))
    text = f"SRID={system.srid};{shapely.to_wkt(found, rounding_precision=4 if system.is_projected else 10)}"
    if len(text) > LONGEST_CELL:
        raise InvalidData(
            f"图层“{layer.name}”第 {row + 1} 行的图形有 {shapely.get_num_coordinates(shape)} 个点，Excel 的单元格放不下。请改用 GeoPackage 导出。"
        )
    return text
