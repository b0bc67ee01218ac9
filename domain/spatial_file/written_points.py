"""A layer of polygons as a 界址点 TXT: each part a parcel, the vertices its boundary points."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import shapely

from domain.area import area_m2
from domain.boundary_points import (
    BoundaryParcel,
    BoundaryPointFile,
    parcel_from_polygon,
    write_boundary_points,
)
from domain.errors import InvalidData
from domain.projection import CoordinateSystem, from_storage
from domain.spatial_file.model import FileLayer
from domain.spatial_file.written_column import is_missing

HELD = ("DKBH", "DKMC", "DKMJ", "TFH", "DKYT", "DLBM")
"""The fields that the format has a place for: number, name, area in hectares, sheet, use, land class."""
_TOLD = (*HELD, "JZDS")


def write_points(path: Path, layers: Sequence[FileLayer], system: CoordinateSystem) -> list[str]:
    """Write one layer given in EPSG:4490 as parcels in a zone (GB18030, metres to 0.001); what was left out, in Chinese.

    Raises InvalidData for several layers, a system in degrees, and geometries that are no polygons.
    """
    if len(layers) > 1:
        raise InvalidData("界址点 TXT 一个文件只放一个图层。请分别导出，或改用 GeoPackage。")
    if not system.is_projected:
        raise InvalidData("界址点 TXT 的坐标以米为单位，不能用经纬度。请选 CGCS2000 3 度带（第 40、41 带）。")
    [layer] = layers
    parcels = tuple(parcel for row in range(layer.count) for parcel in _parcels(layer, row, system))
    if not parcels:
        raise InvalidData(f"图层“{layer.name}”没有面图形，不能写成界址点 TXT。请核对图层。")
    path.write_bytes(write_boundary_points(BoundaryPointFile(parcels, system)))
    return _notes(layer, len(parcels))


def _parcels(layer: FileLayer, row: int, system: CoordinateSystem) -> Iterator[BoundaryParcel]:
    shape = layer.geometries[row]
    if shape is None or shape.is_empty:
        return
    if shape.geom_type not in ("Polygon", "MultiPolygon"):
        raise InvalidData(f"图层“{layer.name}”第 {row + 1} 行的图形类型为 {shape.geom_type}，界址点 TXT 只放面。请删去点和线。")
    values = layer.values(row)
    parts = shapely.get_parts(shape)
    for place, part in enumerate(parts, start=1):
        number = _text(values, "DKBH") or str(row + 1)
        made = parcel_from_polygon(
            shapely.force_2d(from_storage(part, system)), f"{number}-{place}" if len(parts) > 1 else number, _text(values, "DKMC"),
            area_m2(part), _text(values, "DKYT"), _text(values, "DLBM"),
        )  # fmt: skip
        stated = _hectares(layer, row, values.get("DKMJ")) if len(parts) == 1 else None
        yield replace(made, map_sheet=_text(values, "TFH"), stated_area_ha=made.stated_area_ha if stated is None else stated)


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    return "" if value is None else " ".join(str(value).split())


def _hectares(layer: FileLayer, row: int, value: Any) -> Decimal | None:
    if is_missing(value):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise InvalidData(f"图层“{layer.name}”第 {row + 1} 行的面积“{value}”不是数字，不能写入。请更正后再导出。") from error


def _notes(layer: FileLayer, count: int) -> list[str]:
    notes = []
    lost = [field.name for field in layer.fields if field.name not in _TOLD]
    if lost:
        notes.append(f"界址点 TXT 没有这些字段的位置，没有写出：{'、'.join(lost)}。")
    empty = sum(shape is None or shape.is_empty for shape in layer.geometries)
    if empty:
        notes.append(f"图层“{layer.name}”有 {empty} 行没有图形，没有写出。")
    if count > layer.count - empty:
        notes.append("有多个部分的图形，每个部分写为一个地块，编号后加序号。")
    return notes
