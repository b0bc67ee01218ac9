"""Vector files with polygons: GeoJSON and zipped Shapefile, with their attributes and what was detected.

Coordinates stay as they are in the file; `VectorFile.stored` converts them. A file that names no coordinate
system is read, but not converted until someone declares one.
"""

import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from domain.errors import InvalidData
from domain.geometry import InvalidGeometry, polygons_of
from domain.projection import CoordinateSystem, UnknownCrs, system_of_text, to_storage
from domain.zip_archive import unpack

_ENCODINGS = {
    "UTF-8": "UTF-8", "UTF8": "UTF-8", "65001": "UTF-8",
    "GBK": "GBK", "936": "GBK", "CP936": "GBK", "GB2312": "GB18030", "GB18030": "GB18030", "54936": "GB18030",
}  # fmt: skip
_NAME_FIELDS = ("name", "名称", "地块名称")


@dataclass(frozen=True, slots=True)
class VectorFeature:
    """A feature of a file: its number from 1, its polygons in the coordinates of the file, its attributes."""

    number: int
    parts: tuple[shapely.Polygon, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How the feature is called in lists and messages."""
        named = next((self.attributes[key] for key in _NAME_FIELDS if self.attributes.get(key)), "")
        return f"要素 {self.number}{f' {named}' if named else ''}"


@dataclass(frozen=True, slots=True)
class ConvertedFeature:
    """A feature in EPSG:4490, ready for overlay; the key is its number in the file."""

    key: str
    geometry: shapely.MultiPolygon
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VectorFile:
    """The features of a file, its coordinate system (None if it names none) and what was detected."""

    features: tuple[VectorFeature, ...]
    system: CoordinateSystem | None
    detected: Mapping[str, str]

    def stored(self) -> list[ConvertedFeature]:
        """The features in EPSG:4490; UnknownCrs if the coordinate system is not known."""
        if self.system is None:
            raise UnknownCrs("文件没有坐标系，不能猜测。请写明坐标系，或在读取时声明。")
        return [
            ConvertedFeature(
                f"{feature.number:08d}",
                to_storage(shapely.MultiPolygon(feature.parts), self.system),
                feature.attributes,
            )
            for feature in self.features
        ]


def read_vector(content: bytes, file_name: str, declared_crs: str | None = None) -> VectorFile:
    """Read polygons with attributes by the ending of the name: .geojson/.json or .zip (Shapefile).

    `declared_crs` ("EPSG:4490") is needed where the file names no coordinate system and refused where it
    contradicts one. Raises InvalidData (what cannot be read), InvalidGeometry (no polygons), UnknownCrs.
    """
    readers = {".geojson": _read_geojson, ".json": _read_geojson, ".zip": _read_shapefile}
    reader = readers.get(PurePosixPath(file_name.lower()).suffix)
    if reader is None:
        raise InvalidData(f"文件“{file_name}”的格式不支持。请提供 GeoJSON 或压缩为 zip 的 Shapefile。")
    found = reader(content)
    return replace(found, system=declared_system(found.system, declared_crs))


def declared_system(found: CoordinateSystem | None, declared_crs: str | None) -> CoordinateSystem | None:
    """The system found in the file or declared by the user; UnknownCrs if they contradict."""
    if not declared_crs:
        return found
    declared = system_of_text(declared_crs)
    if found is not None and found.srid != declared.srid:
        raise UnknownCrs(
            f"文件写明的坐标系是{found.title}，与选定的{declared.title}不一致。请核对后重新选择。"
        )
    return declared


def _read_geojson(content: bytes) -> VectorFile:
    document = _json_object(content)
    system = _geojson_system(document)
    features = tuple(
        VectorFeature(number, _geojson_polygons(geometry, number), attributes)
        for number, geometry, attributes in _geojson_features(document)
    )
    return VectorFile(
        features, system, {"kind": "GeoJSON", "encoding": "UTF-8", "features": str(len(features))}
    )


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidData("GeoJSON 文件不是 UTF-8 编码。请另存为 UTF-8 后重新上传。") from error
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise InvalidData(
            f"GeoJSON 文件{f'第 {line} 行' if line else ''}不是合法的 JSON。请检查后重新上传。"
        ) from error
    if not isinstance(document, dict):
        raise InvalidData("GeoJSON 文件的最外层不是对象。请上传 FeatureCollection、Feature 或面图形。")
    return document


def _geojson_system(document: dict[str, Any]) -> CoordinateSystem | None:
    crs = document.get("crs")
    if crs is None:
        return None
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        raise UnknownCrs(
            "GeoJSON 的 crs 没有写明名称。请改为如 urn:ogc:def:crs:EPSG::4490 的名称，或删去 crs 后在表单选定。"
        )
    return system_of_text(name)


def _geojson_features(document: dict[str, Any]) -> Iterator[tuple[int, Any, Mapping[str, Any]]]:
    """Number, geometry and attributes of each feature that has a geometry."""
    kind = document.get("type")
    if kind not in ("FeatureCollection", "Feature"):
        yield 1, document, {}
        return
    features = document.get("features", []) if kind == "FeatureCollection" else [document]
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise InvalidData("GeoJSON 的 features 不是要素列表。请检查文件结构后重新上传。")
    for number, feature in enumerate(features, start=1):
        properties = feature.get("properties")
        if feature.get("geometry") is not None:
            yield number, feature["geometry"], properties if isinstance(properties, dict) else {}


def _geojson_polygons(geometry: Any, number: int) -> tuple[shapely.Polygon, ...]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise InvalidGeometry(f"第 {number} 个要素的图形类型为 {kind}，这里只接受面。请删去点和线。")
    coordinates = geometry.get("coordinates") or []
    polygons = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(polygons, list) or not all(isinstance(rings, list) for rings in polygons):
        raise InvalidGeometry(f"第 {number} 个要素的坐标不是按“部分、圈、点”三层写的。请检查坐标的括号。")
    return tuple(
        _polygon(rings, f"第 {number} 个要素" + (f"第 {part} 部分" if len(polygons) > 1 else ""))
        for part, rings in enumerate(polygons, start=1) if rings
    )


def _polygon(rings: list[Any], where: str) -> shapely.Polygon:
    """A polygon of rings of [x, y(, z)] positions; the height is dropped. `where` begins the words of a fault."""
    plain = [_ring(ring, f"{where}第 {number} 圈") for number, ring in enumerate(rings, start=1)]
    return shapely.Polygon(plain[0], plain[1:])


def _ring(ring: Any, where: str) -> list[tuple[float, float]]:
    """The points of a ring; InvalidGeometry names the point that is no pair of numbers, or the ends that do not meet."""
    if not isinstance(ring, list):
        raise InvalidGeometry(f"{where}不是点的列表。请检查坐标的括号。")
    points = [_position(position, f"{where}第 {number} 点") for number, position in enumerate(ring, start=1)]
    if len(points) < 4:
        raise InvalidGeometry(f"{where}只有 {len(points)} 个点。首尾重复的一点算在内，一圈至少要有 4 个点。")
    if points[0] != points[-1]:
        (x, y), (u, v) = points[0], points[-1]
        raise InvalidGeometry(f"{where}没有闭合：首点（{x:.10g}，{y:.10g}），末点（{u:.10g}，{v:.10g}）。请在末尾重复首点。")
    return points


def _position(position: Any, where: str) -> tuple[float, float]:
    if not isinstance(position, list) or len(position) < 2:
        raise InvalidGeometry(f"{where}不是一对坐标。每点写两个数字，经度或东坐标在前。")
    for value in position[:2]:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            raise InvalidGeometry(f"{where}的“{str(value)[:30]}”不是数字。坐标写成不带引号、不带千分位逗号的数字。")
    return float(position[0]), float(position[1])


def _read_shapefile(content: bytes) -> VectorFile:
    with tempfile.TemporaryDirectory() as folder:
        paths = [path for path in unpack(content, Path(folder)) if path.suffix.lower() == ".shp"]
        if len(paths) != 1:
            raise InvalidData(
                f"压缩包内有 {len(paths)} 个 .shp 文件，应有且只有 1 个。请只压缩需要的这一个图层。"
            )
        beside = {
            each.suffix.lower(): each for each in paths[0].parent.iterdir() if each.stem == paths[0].stem
        }
        encoding = _encoding(beside)
        _check_projection(beside)
        try:
            meta, _, blobs, columns = pyogrio.raw.read(paths[0], force_2d=True, encoding=encoding)
        except (DataSourceError, DataLayerError) as error:
            raise InvalidData(
                f"“{paths[0].name}”不能读取，可能缺少 .shx 或 .dbf，或文件已损坏。请重新导出。"
            ) from error
        except UnicodeDecodeError as error:
            raise InvalidData(
                f"“{paths[0].stem}.dbf”的文字不是 {encoding} 编码。请按实际编码更正 .cpg 后重新压缩。"
            ) from error
    features = tuple(_shapes(blobs, dict(zip(meta["fields"], columns, strict=True))))
    system = system_of_text(meta["crs"]) if meta["crs"] else None
    detected = {"kind": "Shapefile", "encoding": encoding, "features": str(len(features))}
    return VectorFile(features, system, detected)


def _check_projection(beside: Mapping[str, Path]) -> None:
    """Refuse a .prj that is no text, which the driver cannot report by itself."""
    try:
        text = beside[".prj"].read_text(encoding="utf-8") if ".prj" in beside else ""
    except UnicodeDecodeError as error:
        raise UnknownCrs(".prj 文件不是文本，坐标系无法识别。请重新导出图层。") from error
    if "\x00" in text:
        raise UnknownCrs(".prj 文件含有空字符，坐标系无法识别。请重新导出图层。")


def _encoding(beside: Mapping[str, Path]) -> str:
    """The encoding that the .cpg names; without one UTF-8 if the table's records are, else GB18030."""
    if ".cpg" in beside:
        stated = beside[".cpg"].read_text(encoding="ascii", errors="replace").strip().upper()
        if stated not in _ENCODINGS:
            raise InvalidData(f".cpg 写明的编码“{stated[:20]}”不支持。请改用 GBK 或 UTF-8 重新导出。")
        return _ENCODINGS[stated]
    table = beside[".dbf"].read_bytes() if ".dbf" in beside else b""
    try:
        table[int.from_bytes(table[8:10], "little") :].decode("utf-8")
    except UnicodeDecodeError:
        return "GB18030"
    return "UTF-8"


def _shapes(blobs: numpy.ndarray, columns: Mapping[str, numpy.ndarray]) -> Iterator[VectorFeature]:
    for index, geometry in enumerate(shapely.from_wkb(blobs, on_invalid="ignore")):
        if geometry is None:
            continue
        if geometry.geom_type not in {"Polygon", "MultiPolygon"}:
            raise InvalidGeometry(
                f"第 {index + 1} 个要素的图形类型为 {geometry.geom_type}，这里只接受面。请删去点和线。"
            )
        attributes = {name: values[index] for name, values in columns.items()}
        yield VectorFeature(index + 1, tuple(polygons_of(geometry)), attributes)
