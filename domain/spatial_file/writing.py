"""`write_spatial_file`: one door for the formats that leave the portal."""

import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy
import pyproj
import shapely

from domain.errors import InvalidData
from domain.projection import CoordinateSystem, from_storage
from domain.spatial_file.columns import as_column, common_type
from domain.spatial_file.model import FileLayer
from domain.spatial_file.written_column import NameRule, check_texts, fitting_names, written

ENCODINGS = ("GBK", "UTF-8")
_LONGEST_TEXT = 254
_MULTIPLE = {"Point": "MultiPoint", "LineString": "MultiLineString", "Polygon": "MultiPolygon"}


@dataclass(frozen=True, slots=True)
class _Request:
    """One file to write: where, which layers, in which system and encoding."""

    path: Path
    layers: Sequence[FileLayer]
    system: CoordinateSystem
    encoding: str


def write_spatial_file(
    path: Path, kind: str, layers: Sequence[FileLayer], system: CoordinateSystem, encoding: str = "GBK"
) -> tuple[str, ...]:
    """Write layers, their geometries given in EPSG:4490, to `path` in `system`; what changed, in Chinese sentences.

    `kind` is a key of WRITERS. FileGDB and Shapefile are written as a zip. `encoding` counts for Shapefile alone, the
    others are UTF-8. Field names that a format cannot hold are cut (see fitting_names). Single geometries come back as
    multiple ones with one part. Raises InvalidData for an unknown format, an empty list, texts outside the encoding
    (with row and field), and what the format cannot hold.
    """
    if kind not in WRITERS:
        raise InvalidData(f"不能导出为“{kind}”。可以导出为：{'、'.join(WRITERS)}。")
    if not layers:
        raise InvalidData("没有要导出的图层。请至少选定一个图层。")
    if encoding not in ENCODINGS:
        raise InvalidData(f"编码“{encoding}”不支持。请选用 GBK 或 UTF-8。")
    path.unlink(missing_ok=True)
    return tuple(WRITERS[kind](_Request(path, layers, system, encoding)))


def _geopackage(request: _Request) -> list[str]:
    rule = NameRule(255, reserved=("fid", "geom"))
    return [note for layer in request.layers for note in _write_layer(request, layer, request.path, "GPKG", rule)]


def _filegdb(request: _Request) -> list[str]:
    rule = NameRule(64, reserved=("objectid", "shape", "shape_length", "shape_area"))
    options = {"layer_options": {"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"}}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"{request.path.name.split('.')[0]}.gdb"
        notes = [n for layer in request.layers for n in _write_layer(request, layer, target, "OpenFileGDB", rule, **options)]
        _zip(Path(folder), request.path)
    return notes


def _geojson(request: _Request) -> list[str]:
    if len(request.layers) > 1:
        raise InvalidData("GeoJSON 一个文件只放一个图层。请分别导出，或改用 GeoPackage。")
    digits = 4 if request.system.is_projected else 10
    options = {"layer_options": {"COORDINATE_PRECISION": str(digits)}}
    return _write_layer(request, request.layers[0], request.path, "GeoJSON", NameRule(255), **options)


def _shapefile(request: _Request) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        notes = [note for layer in request.layers for note in _write_shapefile(request, layer, Path(folder))]
        _zip(Path(folder), request.path)
    return notes


def _write_shapefile(request: _Request, layer: FileLayer, folder: Path) -> list[str]:
    kind = _geometry_type(layer)
    if kind not in _MULTIPLE.values():
        raise InvalidData(f"图层“{layer.name}”没有图形或点线面混合，Shapefile 放不下。请改用 GeoPackage，或分层导出。")
    moments = [field.name for field in layer.fields if field.type == "moment"]
    fields = tuple(replace(field, type="text") if field.name in moments else field for field in layer.fields)
    texts = {field.name: written(replace(layer, fields=fields), field)[0] for field in fields if field.type == "text"}
    check_texts(layer, texts, request.encoding, _LONGEST_TEXT)
    target = folder / f"{layer.name.replace('/', '_')}.shp"
    rule = NameRule(10, request.encoding)
    notes = _write_layer(request, replace(layer, fields=fields), target, "ESRI Shapefile", rule, encoding=request.encoding)
    target.with_suffix(".prj").write_text(pyproj.CRS.from_epsg(request.system.srid).to_wkt("WKT1_ESRI"), encoding="ascii")
    target.with_suffix(".cpg").write_text(request.encoding, encoding="ascii")
    return notes + [f"图层“{layer.name}”的时刻字段“{name}”在 Shapefile 里写为文字。" for name in moments]


def _write_layer(
    request: _Request, layer: FileLayer, target: Path, driver: str, rule: NameRule, **options
) -> list[str]:
    """Write one layer through the driver, loaded with the first; notes of the names that changed."""
    import pyogrio

    from domain.spatial_file.driver import FAULTS

    names, notes = fitting_names(layer, rule)
    data = [written(layer, field) for field in layer.fields]
    kind = _geometry_type(layer)
    try:
        pyogrio.raw.write(
            target, _blobs(layer, request.system, kind) if kind else None, [values for values, _ in data],
            fields=numpy.array([names[field.name] for field in layer.fields], dtype=object),
            field_mask=[missing for _, missing in data], layer=layer.name if driver != "ESRI Shapefile" else None,
            driver=driver, geometry_type=_declared(kind, driver), crs=f"EPSG:{request.system.srid}" if kind else None,
            **options,
        )  # fmt: skip
    except FAULTS as error:
        raise InvalidData(f"图层“{layer.name}”不能写成 {driver}。请改用 GeoPackage 导出。（{str(error)[:160]}）") from error
    return notes


def _declared(kind: str, driver: str) -> str | None:
    """The type that the driver is told; a Shapefile of lines or polygons holds multiple ones under the single name."""
    if kind == "Geometry":
        return "Unknown"
    return kind.removeprefix("Multi") if driver == "ESRI Shapefile" and kind != "MultiPoint" else kind or None


def _geometry_type(layer: FileLayer) -> str:
    """The multiple type of all geometries of a layer; Geometry for a mixture, "" for a table."""
    kind = common_type(layer.geometries) or layer.geometry_type
    return _MULTIPLE.get(kind, kind)


def _blobs(layer: FileLayer, system: CoordinateSystem, kind: str) -> numpy.ndarray:
    return as_column(None if each is None else shapely.to_wkb(_placed(each, system, kind)) for each in layer.geometries)


def _placed(shape, system: CoordinateSystem, kind: str):
    """The geometry in the target system, flat and, where the layer is of a multiple type, as a multiple one."""
    found = shapely.force_2d(from_storage(shape, system))
    if not kind.startswith("Multi") or found.geom_type == kind:
        return found
    makers = {"MultiPoint": shapely.MultiPoint, "MultiLineString": shapely.MultiLineString, "MultiPolygon": shapely.MultiPolygon}
    return makers[kind]([found])


def _zip(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in sorted(folder.rglob("*")):
            if each.is_file():
                archive.write(each, each.relative_to(folder))


WRITERS: dict[str, Callable[[_Request], list[str]]] = {
    "GeoPackage": _geopackage, "FileGDB": _filegdb, "GeoJSON": _geojson, "Shapefile": _shapefile,
}  # fmt: skip
"""The writer of each format, by the name that KINDS of reading gives it."""
