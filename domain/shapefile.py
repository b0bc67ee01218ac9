"""Writing a zipped Shapefile with its encoding and coordinate system beside it, for packages that go to other
bureaus.
"""

import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from domain.errors import InvalidData
from domain.geometry import polygons_of
from domain.layer.definition import TYPE_IDS, LayerColumn
from domain.projection import STORAGE, CoordinateSystem, from_storage

ENCODINGS = ("GBK", "UTF-8")
_LONGEST_NAME, _LONGEST_TEXT = 10, 254
_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""Members carry no clock time, so that equal content gives equal bytes."""


def write_zipped_shapefile(
    name: str,
    columns: Sequence[LayerColumn],
    records: Sequence[tuple[BaseGeometry, Mapping[str, Any]]],
    system: CoordinateSystem = STORAGE,
    encoding: str = "GBK",
    kind: str = "polygon",
) -> bytes:
    """A zip with .shp, .shx, .dbf, .prj and .cpg of geometries of one kind (polygon, line, point) in EPSG:4490, written in `system`.

    Records are (geometry, values by column code). Refuses (InvalidData) names over 10 bytes, texts over 254
    bytes or not in the encoding, records of another kind, and an unknown encoding.
    """
    import pyogrio

    if encoding not in ENCODINGS:
        raise InvalidData(f"Shapefile 的编码“{encoding}”不支持。请选用 GBK 或 UTF-8。")
    _check_names(columns, encoding)
    geometries = [
        _fit(geometry, system, number, kind) for number, (geometry, _) in enumerate(records, start=1)
    ]
    data = [_column(column, [values for _, values in records], encoding) for column in columns]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.shp"
        pyogrio.raw.write(
            path,
            shapely.to_wkb(geometries),
            data,
            fields=numpy.array([column.column for column in columns], dtype=object),
            crs=f"EPSG:{system.srid}",
            geometry_type=_TYPES[kind],
            encoding=encoding,
            layer_options={"DBF_DATE_LAST_UPDATE": "1980-01-01"},
        )
        path.with_suffix(".prj").write_text(_projection(system), encoding="ascii")
        path.with_suffix(".cpg").write_text(encoding, encoding="ascii")
        return _zipped(name, path)


def _projection(system: CoordinateSystem) -> str:
    """The coordinate system in the WKT form of Shapefiles."""
    return pyproj.CRS.from_epsg(system.srid).to_wkt("WKT1_ESRI")


def _check_names(columns: Sequence[LayerColumn], encoding: str) -> None:
    codes = [column.column for column in columns]
    for code in codes:
        if len(code.encode(encoding)) > _LONGEST_NAME:
            raise InvalidData(f"字段名“{code}”超过 {_LONGEST_NAME} 字节，Shapefile 放不下。请改短字段名。")
    if len(set(codes)) != len(codes):
        raise InvalidData("字段名有重复，Shapefile 不允许。请改为不同的字段名。")


_TYPES = {"polygon": "Polygon", "line": "LineString", "point": "Point"}


def _fit(geometry: BaseGeometry, system: CoordinateSystem, number: int, kind: str) -> BaseGeometry:
    if kind != "polygon":
        if shapely.get_type_id(geometry) not in TYPE_IDS[kind]:
            raise InvalidData(f"第 {number} 条记录的图形类型与图层不符，不能写入 Shapefile。请核对图形。")
        return shapely.force_2d(from_storage(geometry, system))
    parts = polygons_of(geometry)
    if not parts:
        raise InvalidData(f"第 {number} 条记录没有面图形，不能写入 Shapefile。请补充图形。")
    return shapely.force_2d(from_storage(shapely.MultiPolygon(parts), system))


def _column(column: LayerColumn, rows: Sequence[Mapping[str, Any]], encoding: str) -> numpy.ndarray:
    """The values of a column in the type that the driver writes."""
    values = [row.get(column.column) for row in rows]
    if column.type in {"decimal", "integer"}:
        if column.type == "integer" and None not in values:
            return numpy.array([int(value) for value in values], dtype=numpy.int64)
        return numpy.array([numpy.nan if value is None else float(value) for value in values], dtype=float)
    return numpy.array([_text(column, value, encoding) for value in values], dtype=object)


def _text(column: LayerColumn, value: Any, encoding: str) -> str | None:
    if value is None:
        return None
    try:
        size = len(str(value).encode(encoding))
    except UnicodeEncodeError as error:
        raise InvalidData(
            f"字段 {column.column} 的“{value}”含有 {encoding} 没有的字。请改用 UTF-8 导出。"
        ) from error
    if size > _LONGEST_TEXT:
        raise InvalidData(
            f"字段 {column.column} 有一个值长 {size} 字节，超过 {_LONGEST_TEXT} 字节。请缩短后再导出。"
        )
    return str(value)


def _zipped(name: str, path: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in _PARTS:
            member = zipfile.ZipInfo(f"{name}{suffix}", _MOMENT)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, path.with_suffix(suffix).read_bytes())
    return buffer.getvalue()
