"""Project ranges as they are uploaded: GeoJSON, 界址点 TXT and zipped Shapefile, read into one value.

Reading never judges: a self-crossing or empty range is read and shown, and the rule set `project_range_quality`
refuses it with its place (domain/range_quality.py computes the facts). Only what cannot be read at all is refused here.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

import numpy
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from shapely.geometry.base import BaseGeometry

from domain.area import area_m2, rounded_m2, unrounded_areas_m2
from domain.boundary_points import BoundaryPointFile, read_boundary_points
from domain.coordinate_transformation import LocalSystem
from domain.errors import InvalidData
from domain.geometry import InvalidGeometry, multipolygon, polygons_of, require_polygons
from domain.projection import CoordinateSystem, UnknownCrs, system_of_srid, system_of_text, to_storage
from domain.zip_archive import unpack


@dataclass(frozen=True, slots=True)
class ProjectRange:
    """The range of a project: in the storage system for decisions, and as surveyed for checks and display.

    `survey` holds the polygons in the coordinates of the file (x east or longitude, y north or latitude), one per parcel part.
    `geometry` is one multipolygon in EPSG:4490; it is None as long as the coordinate system is not known, and may be
    invalid. `area_m2` is None unless the geometry is valid.
    """

    survey: tuple[shapely.Polygon, ...]
    parcel_names: tuple[str, ...]
    system: CoordinateSystem | None
    geometry: shapely.MultiPolygon | None
    area_m2: Decimal | None
    parts_overlap_m2: Decimal
    detected: Mapping[str, str]
    stated_area_m2: Decimal | None = None

    @property
    def part_count(self) -> int:
        """Polygons in the file."""
        return len(self.survey)

    @property
    def ring_count(self) -> int:
        """Outer and inner rings in the file."""
        return sum(1 + len(part.interiors) for part in self.survey)

    @property
    def point_count(self) -> int:
        """Points in the file, without the repeated closing ones."""
        return int(shapely.get_num_coordinates(list(self.survey)).sum()) - self.ring_count if self.survey else 0

    def usable_geometry(self) -> shapely.MultiPolygon:
        """The multipolygon for overlay and storage; UnknownCrs or InvalidGeometry if it cannot serve."""
        if self.geometry is None:
            raise UnknownCrs("项目范围没有坐标系，不能猜测。请在上传时选定坐标系。")
        require_polygons(self.geometry)
        return self.geometry


def read_range(
    content: bytes,
    file_name: str,
    declared_crs: str | None = None,
    local_systems: Mapping[str, LocalSystem] | None = None,
) -> ProjectRange:
    """Read an uploaded range by the ending of its name: .geojson/.json, .txt or .zip (Shapefile).

    `declared_crs` ("EPSG:4490") is what the user states in the form; it is needed when the file names no coordinate system and refused
    when it contradicts one. A GeoJSON without `crs` is WGS 84 by RFC 7946, but Chinese practice differs, so it must be declared.
    Raises InvalidData for unreadable files (InvalidBoundaryFile with line and point), UnknownCrs for systems not accepted.
    """
    kind = PurePosixPath(file_name.lower()).suffix
    if not content.strip():
        raise InvalidData(f"文件“{file_name}”是空的。请上传有内容的范围文件。")
    if kind in {".geojson", ".json"}:
        return _read_geojson(content, declared_crs)
    if kind == ".txt":
        return _read_boundary_points(content, declared_crs, local_systems or {})
    if kind == ".zip":
        return _read_shapefile(content, declared_crs)
    raise InvalidData(f"文件“{file_name}”的格式不支持。请上传 GeoJSON、界址点 TXT 或压缩为 zip 的 Shapefile。")


def range_of_polygon(geometry: BaseGeometry, name: str = "") -> ProjectRange:
    """A range drawn on the map: polygons in EPSG:4490."""
    parts = tuple(polygons_of(geometry))
    return _range(parts, (name,) * len(parts), system_of_srid(4490), {"kind": "绘制"})


def _range(
    survey: Sequence[shapely.Polygon],
    names: Sequence[str],
    system: CoordinateSystem | None,
    detected: Mapping[str, str],
    stated_area_m2: Decimal | None = None,
    local: LocalSystem | None = None,
) -> ProjectRange:
    """Merge and convert the parts; adjoining parcels become one polygon, overlapping ones count once."""
    shown = dict(detected) | {"crs": local.name if local else system.title if system else "未知"}
    frame = [local.to_zone(part) for part in survey] if local else list(survey)
    geometry, area, overlap = None, None, Decimal("0.00")
    if system is not None:
        is_sound = bool(shapely.is_valid(frame).all()) and all(not part.is_empty for part in frame)
        merged = shapely.union_all(frame) if is_sound else shapely.MultiPolygon(frame)
        geometry = multipolygon(to_storage(merged, system)) if not merged.is_empty else shapely.MultiPolygon()
        if geometry.is_valid:
            area = area_m2(geometry)
            parts = unrounded_areas_m2([to_storage(part, system) for part in frame]) if frame else numpy.zeros(1)
            overlap = max(overlap, rounded_m2(parts.sum() - unrounded_areas_m2([geometry])[0]))
    return ProjectRange(tuple(survey), tuple(names), system, geometry, area, overlap, shown, stated_area_m2)


def _declared(found: CoordinateSystem | None, declared_crs: str | None) -> CoordinateSystem | None:
    """The system found in the file or declared by the user; UnknownCrs if they contradict."""
    if not declared_crs:
        return found
    declared = system_of_text(declared_crs)
    if found is not None and found.srid != declared.srid:
        raise UnknownCrs(f"文件写明的坐标系是{found.title}，与选定的{declared.title}不一致。请核对后重新选择。")
    return declared


def _read_geojson(content: bytes, declared_crs: str | None) -> ProjectRange:
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidData("GeoJSON 文件不是 UTF-8 编码。请另存为 UTF-8 后重新上传。") from error
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise InvalidData(f"GeoJSON 文件{f'第 {line} 行' if line else ''}不是合法的 JSON。请检查后重新上传。") from error
    if not isinstance(document, dict):
        raise InvalidData("GeoJSON 文件的最外层不是对象。请上传 FeatureCollection、Feature 或面图形。")
    system = _declared(_geojson_system(document), declared_crs)
    parts, names = [], []
    for number, (geometry, name) in enumerate(_geojson_geometries(document), start=1):
        polygons = _geojson_polygons(geometry, number)
        parts += polygons
        names += [name] * len(polygons)
    return _range(parts, names, system, {"kind": "GeoJSON", "encoding": "UTF-8", "features": str(len(set(names)))})


def _geojson_system(document: dict[str, Any]) -> CoordinateSystem | None:
    crs = document.get("crs")
    if crs is None:
        return None
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        raise UnknownCrs("GeoJSON 的 crs 没有写明名称。请改为如 urn:ogc:def:crs:EPSG::4490 的名称，或删去 crs 后在表单选定。")
    return system_of_text(name)


def _geojson_geometries(document: dict[str, Any]) -> list[tuple[Any, str]]:
    kind = document.get("type")
    if kind not in {"FeatureCollection", "Feature"}:
        return [(document, "图形 1")]
    features = document.get("features", []) if kind == "FeatureCollection" else [document]
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise InvalidData("GeoJSON 的 features 不是要素列表。请检查文件结构后重新上传。")
    named = [(feature.get("geometry"), _feature_name(feature, n)) for n, feature in enumerate(features, start=1)]
    return [(geometry, name) for geometry, name in named if geometry is not None]


def _feature_name(feature: dict[str, Any], number: int) -> str:
    properties = feature.get("properties") or {}
    named = properties.get("name") or properties.get("名称") or properties.get("地块名称") if isinstance(properties, dict) else None
    return f"要素 {number}{f' {named}' if named else ''}"


def _geojson_polygons(geometry: Any, number: int) -> list[shapely.Polygon]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in {"Polygon", "MultiPolygon"}:
        raise InvalidGeometry(f"第 {number} 个要素的图形类型为 {kind}，项目范围只接受面。请删去点和线。")
    coordinates = geometry.get("coordinates") or []
    try:
        polygons = [coordinates] if kind == "Polygon" else coordinates
        return [_polygon(rings) for rings in polygons if rings]
    except (TypeError, ValueError, IndexError, shapely.errors.ShapelyError) as error:
        raise InvalidGeometry(
            f"第 {number} 个要素的坐标不完整：每圈至少 4 个点且首尾相同，每点为两个数字。请修正后重新上传。"
        ) from error


def _polygon(rings: list[Any]) -> shapely.Polygon:
    """A polygon of rings of [x, y(, z)] positions; the height is dropped."""
    plain = [[(float(position[0]), float(position[1])) for position in ring] for ring in rings]
    if any(len(ring) < 4 or ring[0] != ring[-1] for ring in plain):
        raise ValueError("ring too short or not closed")
    return shapely.Polygon(plain[0], plain[1:])


def _read_boundary_points(
    content: bytes, declared_crs: str | None, local_systems: Mapping[str, LocalSystem]
) -> ProjectRange:
    file = read_boundary_points(content, local_systems)
    local = local_systems[file.local_system] if file.local_system else None
    system = _declared(local.target if local else file.system, declared_crs)
    detected = {"kind": "界址点 TXT", "encoding": file.encoding, "features": str(len(file.parcels))}
    if local:
        detected["note"] = local.note
    parts = [parcel.polygon for parcel in file.parcels]
    names = [parcel.name or parcel.number for parcel in file.parcels]
    return _range(parts, names, system, detected, _stated_area_m2(file), local)


def _stated_area_m2(file: BoundaryPointFile) -> Decimal | None:
    """The sum of the stated hectares in m²; None unless every parcel states one."""
    stated = [parcel.stated_area_ha for parcel in file.parcels]
    return None if None in stated else sum(stated) * 10_000


def _read_shapefile(content: bytes, declared_crs: str | None) -> ProjectRange:
    with tempfile.TemporaryDirectory() as folder:
        paths = [path for path in unpack(content, Path(folder)) if path.suffix.lower() == ".shp"]
        if len(paths) != 1:
            raise InvalidData(f"压缩包内有 {len(paths)} 个 .shp 文件，应有且只有 1 个。请只压缩项目范围这一个图层。")
        try:
            meta, _, blobs, _ = pyogrio.raw.read(paths[0], columns=[], force_2d=True)
        except (DataSourceError, DataLayerError) as error:
            raise InvalidData(f"“{paths[0].name}”不能读取，可能缺少 .shx 或 .dbf，或文件已损坏。请重新导出。") from error
        has_projection = paths[0].with_suffix(".prj").exists() or paths[0].with_suffix(".PRJ").exists()
    found = system_of_text(meta["crs"]) if meta["crs"] else None
    detected = {"kind": "Shapefile", "features": str(len(blobs)), "prj": "有" if has_projection else "无"}
    return _range(*_shapes(blobs), _declared(found, declared_crs), detected)


def _shapes(blobs: numpy.ndarray) -> tuple[list[shapely.Polygon], list[str]]:
    parts, names = [], []
    for number, geometry in enumerate(shapely.from_wkb(blobs, on_invalid="ignore"), start=1):
        if geometry is None:
            continue
        if geometry.geom_type not in {"Polygon", "MultiPolygon"}:
            raise InvalidGeometry(f"第 {number} 个要素的图形类型为 {geometry.geom_type}，项目范围只接受面。请删去点和线。")
        polygons = polygons_of(geometry)
        parts += polygons
        names += [f"要素 {number}"] * len(polygons)
    return parts, names
