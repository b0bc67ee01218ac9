"""What GDAL's drivers read: layers with geometries, values and fields, in one common form.

Curves are cut into lines by the driver, one degree of arc at most for each; heights and measures are left off.
"""

import datetime
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

from domain.errors import InvalidData
from domain.spatial_file.columns import common_type
from domain.spatial_file.coordinate_words import system_of_words
from domain.spatial_file.model import FileField, FileLayer

ARC_STEP_DEGREES = 1
"""The widest angle at the centre that one line stands for: 4 mm from an arc of 100 m radius."""
_CUT = f"已化为折线（每段对应的圆心角不超过 {ARC_STEP_DEGREES} 度，半径 100 米时偏差不超过 4 毫米）。"
CURVE_NOTE, POSSIBLE_CURVE_NOTE = f"曲线{_CUT}", f"图形中如有曲线，{_CUT}"
HEIGHT_NOTE = "图形带有高程或量测值，已舍去，只保留平面坐标。"
FAULTS = (DataSourceError, DataLayerError, FeatureError, FieldError, GeometryError)
_TYPES = {
    "OFTInteger": "integer", "OFTInteger64": "integer", "OFTReal": "decimal", "OFTString": "text", "OFTDate": "date",
    "OFTDateTime": "moment", "OFTBinary": "binary",
}  # fmt: skip
_CURVED = re.compile(r"Curve|Circular|Compound|MultiSurface")

pyogrio.set_gdal_config_options(
    {"OGR_ARC_STEPSIZE": str(ARC_STEP_DEGREES), "GDAL_HTTP_TIMEOUT": "1", "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none"}
)


def layers_in(path: Path, name: str) -> list[tuple[str, str]]:
    """(name, declared geometry type, "" for a table) of each layer; InvalidData if the driver cannot open the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # measures are told of by the layer that has them
            return [(str(layer), str(kind or "")) for layer, kind in pyogrio.list_layers(path)]
    except (*FAULTS, ValueError) as error:
        raise unreadable(name, error) from error


def unreadable(name: str, error: Exception) -> InvalidData:
    """The refusal for a file that its driver could not read."""
    why = re.sub(r"/\S*/", "", str(error)).split("\n")[0][:160]
    return InvalidData(f"“{name}”不能读取，文件可能已损坏、不完整，或内容与后缀不符。请重新导出。（读取程序的说明：{why}）")


def read_layer(
    path: Path,
    layer: str,
    declared_type: str,
    file_name: str,
    fields: Mapping[str, FileField] | None = None,
    alias: str = "",
    skipped: frozenset[str] = frozenset(),
) -> FileLayer:
    """A layer by its name. `fields` gives alias, length and decimals where the format keeps them elsewhere."""
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            meta, rows, blobs, columns = pyogrio.raw.read(
                path, layer=layer, force_2d=True, datetime_as_string=True, return_fids=True
            )
    except (*FAULTS, ValueError) as error:
        raise unreadable(file_name, error) from error
    known = {
        str(name): (_field(str(name), kind, subtype, fields or {}), values)
        for name, kind, subtype, values in zip(
            meta["fields"], meta["ogr_types"], meta["ogr_subtypes"], columns, strict=True
        )
        if name not in skipped
    }
    system, words = system_of_words(meta["crs"] or "")
    notes = [CURVE_NOTE] if _CURVED.search(declared_type) else []
    has_measures = any("Measured (M)" in str(each.message) for each in told)
    notes += [HEIGHT_NOTE] if has_measures or re.search(r" Z?M?$|[ZM]$|25D|3D", declared_type) else []
    shapes = _shapes(blobs, len(rows), notes)
    kind = plain_type(declared_type)
    return FileLayer(
        layer, common_type(shapes) or kind if kind == "Geometry" else kind, tuple(field for field, _ in known.values()),
        shapes,
        {name: values_of(values, field.type) for name, (field, values) in known.items()},
        system, words if blobs is not None else "", alias, tuple(notes),
    )  # fmt: skip


def geometries_of(path: Path, name: str, notes: list[str]) -> numpy.ndarray:
    """The geometries of a file with one layer, None for a row without one; what cannot be read is added to the notes."""
    try:
        _, _, blobs, _ = pyogrio.raw.read(path, force_2d=True, columns=[])
    except FAULTS as error:
        raise unreadable(name, error) from error
    return _shapes(blobs, len(blobs), notes)


def plain_type(declared: str) -> str:
    """The declared geometry type without heights and curves: Point, LineString, Polygon, Multi…, GeometryCollection."""
    kind = re.sub(r"^(2\.5D|3D|Measured|3D Measured) ?", "", declared)
    kind = re.sub(r"\s*\b(ZM|Z|M)$", "", kind).strip()
    names = {"CurvePolygon": "Polygon", "MultiSurface": "MultiPolygon", "MultiCurve": "MultiLineString",
             "CompoundCurve": "LineString", "CircularString": "LineString", "Curve": "LineString",
             "Surface": "Polygon", "Unknown": "Geometry"}  # fmt: skip
    return names.get(kind, kind)


def _shapes(blobs: numpy.ndarray | None, count: int, notes: list[str]) -> numpy.ndarray:
    if blobs is None:
        return numpy.full(count, None, dtype=object)
    found = numpy.atleast_1d(numpy.asarray(shapely.from_wkb(blobs, on_invalid="ignore"), dtype=object))
    lost = [row for row, (blob, shape) in enumerate(zip(blobs, found, strict=True), start=1) if blob is not None and shape is None]
    if lost:
        shown = "、".join(map(str, lost[:5])) + ("等" if len(lost) > 5 else "")
        notes.append(f"第 {shown} 行共 {len(lost)} 个图形读不出来（一圈不足 3 个点，或是立体图形），按没有图形处理。")
    return found


def _field(name: str, kind: str, subtype: str, known: Mapping[str, FileField]) -> FileField:
    stated = known.get(name)
    own = "boolean" if subtype == "OFSTBoolean" else _TYPES.get(kind, "text")
    if stated is None:
        return FileField(name, type=own)
    return FileField(name, stated.alias, own, stated.length, stated.decimals)


def values_of(values: numpy.ndarray, kind: str) -> numpy.ndarray:
    """A column with plain values: None for what is missing, dates and moments as such."""
    if kind in ("date", "moment"):
        return _objects([_moment(each, kind) for each in values])
    if values.dtype.kind == "f":
        blank = numpy.isnan(values)
        if kind in ("integer", "boolean"):
            make = bool if kind == "boolean" else int
            return _objects([None if is_blank else make(each) for each, is_blank in zip(values, blank, strict=True)])
        if blank.any():
            return _objects([None if is_blank else float(each) for each, is_blank in zip(values, blank, strict=True)])
        return values
    if values.dtype.kind in "iub":
        return values
    return _objects([_plain(each) for each in values])


def _plain(value):
    if isinstance(value, numpy.ndarray | list):
        return "、".join(str(each) for each in value)
    if isinstance(value, str):
        return value.rstrip("\x00") or None
    return value


def _moment(value, kind: str):
    if value is None or str(value) in ("nan", "NaT"):
        return None
    text = str(value).replace("/", "-")
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return text
    return found.date() if kind == "date" else found


def _objects(values: list) -> numpy.ndarray:
    column = numpy.empty(len(values), dtype=object)
    column[:] = values
    return column
