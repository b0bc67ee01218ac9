"""GeoJSON with the place of every fault: feature, part, ring and point are named.

A GeoJSON without `crs` is WGS 84 by RFC 7946, but practice in China differs, so its system counts as not named.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import shapely

from domain.errors import InvalidData
from domain.geometry import InvalidGeometry
from domain.projection import UnknownCrs
from domain.spatial_file.columns import as_column, common_type, field_of_values, told_by_values
from domain.spatial_file.coordinate_words import system_of_words
from domain.spatial_file.driver import HEIGHT_NOTE, layers_in, read_layer
from domain.spatial_file.model import FileLayer

_KINDS = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection")
_MOST = 1e300
"""Nothing beyond it is a coordinate; infinity and NaN are refused with it."""
LARGEST_WHOLE_BYTES = 96 * 1024 * 1024
"""Up to here a file is looked at whole, with the place of every fault; a larger one is streamed by the driver."""
_HEAD_BYTES = 64 * 1024


def read_geojson(path: Path, name: str) -> FileLayer:
    """The features of a GeoJSON file as one layer."""
    if path.stat().st_size > LARGEST_WHOLE_BYTES:
        return _streamed(path, name)
    document = _json_object(path.read_bytes())
    system, words = _system(document)
    shapes, rows = [], []
    for number, geometry, attributes in _features(document):
        shapes.append(None if geometry is None else _shape(geometry, f"第 {number} 个要素"))
        rows.append({key: _plain(value) for key, value in attributes.items()})
    columns = told_by_values(rows)
    return FileLayer(
        name, common_type(shapes), tuple(field_of_values(key, column) for key, column in columns.items()),
        as_column(shapes), columns, system, words, notes=(HEIGHT_NOTE,) if _has_height(document) else (),
    )  # fmt: skip


def _streamed(path: Path, name: str) -> FileLayer:
    """The features as the driver reads them piece by piece; its system counts only if the head of the file names one."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        raise InvalidData(f"“{path.name}”不是 GeoJSON（不以大括号开头）。请重新导出。")
    (found, kind), *others = layers_in(path, path.name)
    if others:
        raise InvalidData(f"“{path.name}”不是一个要素集。请导出为 FeatureCollection。")
    layer = replace(read_layer(path, found, kind, path.name), name=name)
    return layer if b'"crs"' in head else replace(layer, system=None, crs_words="")


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
        raise InvalidData("GeoJSON 文件的最外层不是对象。请上传 FeatureCollection、Feature 或图形。")
    if document.get("type") == "Topology":
        raise InvalidData("文件是 TopoJSON，不是 GeoJSON。请另存为 GeoJSON 后重新上传。")
    return document


def _system(document: dict[str, Any]):
    crs = document.get("crs")
    if crs is None:
        return None, ""
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        raise UnknownCrs(
            "GeoJSON 的 crs 没有写明名称。请改为如 urn:ogc:def:crs:EPSG::4490 的名称，或删去 crs 后在表单选定。"
        )
    return system_of_words(name)


def _features(document: dict[str, Any]) -> Iterator[tuple[int, Any, Mapping[str, Any]]]:
    """Number, geometry (or None) and attributes of each feature."""
    kind = document.get("type")
    if kind not in ("FeatureCollection", "Feature"):
        yield 1, document, {}
        return
    features = document.get("features", []) if kind == "FeatureCollection" else [document]
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise InvalidData("GeoJSON 的 features 不是要素列表。请检查文件结构后重新上传。")
    for number, feature in enumerate(features, start=1):
        properties = feature.get("properties")
        yield number, feature.get("geometry"), properties if isinstance(properties, dict) else {}


def _has_height(document: dict[str, Any]) -> bool:
    """True if a position has a third number; the first of each feature stands for the rest."""
    for _, geometry, _ in _features(document):
        each = geometry.get("coordinates") if isinstance(geometry, dict) else None
        while isinstance(each, list) and each and isinstance(each[0], list):
            each = each[0]
        if isinstance(each, list) and len(each) > 2:
            return True
    return False


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _shape(geometry: Any, where: str):
    """The geometry of a GeoJSON object; `where` begins the words of a fault."""
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in _KINDS:
        raise InvalidGeometry(f"{where}的图形类型为 {kind}，不是 GeoJSON 的图形类型。请检查文件结构。")
    if kind == "GeometryCollection":
        members = geometry.get("geometries")
        if not isinstance(members, list):
            raise InvalidGeometry(f"{where}的 geometries 不是列表。请检查文件结构。")
        return shapely.GeometryCollection([_shape(member, where) for member in members])
    coordinates = geometry.get("coordinates") or []
    if not isinstance(coordinates, list):
        raise InvalidGeometry(f"{where}的坐标不是列表。请检查坐标的括号。")
    return _MAKERS[kind](coordinates, where)


def _point(position: Any, where: str) -> shapely.Point:
    return shapely.Point(_position(position, where)) if position else shapely.Point()


def _line(points: list[Any], where: str) -> shapely.LineString:
    found = _positions(points, where)
    if len(found) == 1:
        raise InvalidGeometry(f"{where}的线只有 1 个点。一条线至少要有 2 个点。")
    return shapely.LineString(found)


def _polygon(rings: list[Any], where: str) -> shapely.Polygon:
    if not rings:
        return shapely.Polygon()
    plain = [_ring(ring, f"{where}第 {number} 圈") for number, ring in enumerate(rings, start=1)]
    return shapely.Polygon(plain[0], plain[1:])


def _multi(make, gather):
    def made(members: list[Any], where: str):
        if not all(isinstance(each, list) for each in members):
            raise InvalidGeometry(f"{where}的坐标不是按“部分、圈、点”三层写的。请检查坐标的括号。")
        is_many = len(members) > 1
        return gather([
            make(each, f"{where}第 {part} 部分" if is_many else where)
            for part, each in enumerate(members, start=1) if each
        ])  # fmt: skip

    return made


def _ring(ring: Any, where: str):
    """The points of a ring; InvalidGeometry names the point that is no pair of numbers, or the ends that do not meet."""
    if not isinstance(ring, list):
        raise InvalidGeometry(f"{where}不是点的列表。请检查坐标的括号。")
    points = _positions(ring, where)
    if len(points) < 4:
        raise InvalidGeometry(f"{where}只有 {len(points)} 个点。首尾重复的一点算在内，一圈至少要有 4 个点。")
    if tuple(points[0][:2]) != tuple(points[-1][:2]):
        (x, y), (u, v) = points[0][:2], points[-1][:2]
        raise InvalidGeometry(f"{where}没有闭合：首点（{x:.10g}，{y:.10g}），末点（{u:.10g}，{v:.10g}）。请在末尾重复首点。")
    return points


def _positions(points: list[Any], where: str):
    """The points as pairs of numbers; heights are left off."""
    if not isinstance(points, list):
        raise InvalidGeometry(f"{where}不是点的列表。请检查坐标的括号。")
    plain = _plain_positions(points)
    if plain is not None:
        return plain
    return [_position(position, f"{where}第 {number} 点") for number, position in enumerate(points, start=1)]


def _plain_positions(points: list[Any]) -> numpy.ndarray | None:
    """The points as an array if every one is of plain finite numbers; None sends them to be looked at one by one."""
    try:
        if not set(map(type, itertools.chain.from_iterable(points))) <= {int, float}:
            return None
        found = numpy.array(points, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return None
    is_plain = found.ndim == 2 and found.shape[1] >= 2 and bool(numpy.isfinite(found[:, :2]).all())
    return found[:, :2] if is_plain else None


def _position(position: Any, where: str) -> tuple[float, ...]:
    if not isinstance(position, list) or len(position) < 2:
        raise InvalidGeometry(f"{where}不是一对坐标。每点写两个数字，经度或东坐标在前。")
    for value in position[:2]:
        is_number = type(value) is float or type(value) is int
        if not is_number or not -_MOST < value < _MOST:
            raise InvalidGeometry(f"{where}的“{str(value)[:30]}”不是数字。坐标写成不带引号、不带千分位逗号的数字。")
    return float(position[0]), float(position[1])


_MAKERS = {
    "Point": _point, "LineString": _line, "Polygon": _polygon,
    "MultiPoint": _multi(_point, shapely.MultiPoint),
    "MultiLineString": _multi(_line, shapely.MultiLineString),
    "MultiPolygon": _multi(_polygon, shapely.MultiPolygon),
}  # fmt: skip
