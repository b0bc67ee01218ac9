"""Polygons with columns of a standard, as a layer to be written, and as the zipped Shapefile that other bureaus take."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from domain.errors import InvalidData
from domain.geometry import polygons_of
from domain.layer.definition import TYPE_IDS, LayerColumn
from domain.projection import STORAGE, CoordinateSystem
from domain.spatial_file import FileField, FileLayer
from domain.spatial_file.columns import as_column
from domain.spatial_file.writing import ENCODINGS, write_spatial_file

_LONGEST_NAME = 10
_GEOMETRIES = {"polygon": "MultiPolygon", "line": "MultiLineString", "point": "MultiPoint"}
_TYPES = {"decimal": "decimal", "integer": "integer"}

Records = Sequence[tuple[BaseGeometry, Mapping[str, Any]]]
"""(geometry in EPSG:4490, values by column code)"""


def layer_of_records(name: str, columns: Sequence[LayerColumn], records: Records, kind: str = "polygon") -> FileLayer:
    """Records as a layer of one kind (polygon, line, point); every column that is no number is text.

    Raises InvalidData for a record of another kind.
    """
    fields = tuple(FileField(each.column, each.name, _TYPES.get(each.type, "text")) for each in columns)
    values = {each.column: as_column(row.get(each.column) for _, row in records) for each in columns}
    shapes = as_column(_fit(geometry, number, kind) for number, (geometry, _) in enumerate(records, start=1))
    return FileLayer(name, _GEOMETRIES[kind], fields, shapes, values, STORAGE)


def _fit(geometry: BaseGeometry, number: int, kind: str) -> BaseGeometry:
    if kind != "polygon":
        if shapely.get_type_id(geometry) not in TYPE_IDS[kind]:
            raise InvalidData(f"第 {number} 条记录的图形类型与图层不符，不能写入文件。请核对图形。")
        return geometry
    parts = polygons_of(geometry)
    if not parts:
        raise InvalidData(f"第 {number} 条记录没有面图形，不能写入文件。请补充图形。")
    return shapely.MultiPolygon(parts)


def write_zipped_shapefile(
    name: str, columns: Sequence[LayerColumn], records: Records, system: CoordinateSystem = STORAGE, encoding: str = "GBK",
    kind: str = "polygon",
) -> bytes:  # fmt: skip
    """A zip with .shp, .shx, .dbf, .prj and .cpg of geometries of one kind (polygon, line, point) in EPSG:4490, written in `system`.

    Names of a standard are never cut: refuses (InvalidData) those over 10 bytes, and what write_spatial_file refuses.
    """
    if encoding not in ENCODINGS:
        raise InvalidData(f"Shapefile 的编码“{encoding}”不支持。请选用 GBK 或 UTF-8。")
    _check_names(columns, encoding)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.zip"
        write_spatial_file(path, "Shapefile", [layer_of_records(name, columns, records, kind)], system, encoding)
        return path.read_bytes()


def _check_names(columns: Sequence[LayerColumn], encoding: str) -> None:
    codes = [column.column for column in columns]
    for code in codes:
        if len(code.encode(encoding)) > _LONGEST_NAME:
            raise InvalidData(f"字段名“{code}”超过 {_LONGEST_NAME} 字节，Shapefile 放不下。请改短字段名。")
    if len(set(codes)) != len(codes):
        raise InvalidData("字段名有重复，Shapefile 不允许。请改为不同的字段名。")
