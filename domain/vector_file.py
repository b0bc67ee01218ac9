"""Vector files with polygons, of any accepted format: their features with attributes and what was detected.

Coordinates stay as they are in the file; `VectorFile.stored` converts them. A file that names no coordinate
system is read, but not converted until someone declares one. Reading itself is domain/spatial_file's.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely

from domain.coordinate_transformation import LocalSystem
from domain.errors import InvalidData
from domain.geometry import InvalidGeometry, polygons_of
from domain.projection import CoordinateSystem, UnknownCrs, system_of_text, to_storage
from domain.spatial_file import FileLayer, SpatialFile, read_spatial_file
from domain.spatial_file.reading import contradiction

_NAME_FIELDS = ("name", "名称", "地块名称", "DKMC", "XMMC", "TEXT", "DKBH")
_POLYGONS = ("Polygon", "MultiPolygon")


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


def read_vector(
    content: bytes | Path,
    file_name: str,
    declared_crs: str | None = None,
    encoding: str | None = None,
    local_systems: Mapping[str, LocalSystem] | None = None,
) -> VectorFile:
    """Read the polygons with attributes of the one polygon layer of a file, given as bytes or by its path.

    `declared_crs` ("EPSG:4490") is needed where the file names no coordinate system and refused where it
    contradicts one. Raises InvalidData (what cannot be read, or several polygon layers), InvalidGeometry (no
    polygons), UnknownCrs.
    """
    if isinstance(content, Path):
        return _vector_of(read_spatial_file(content, file_name, declared_crs, encoding, local_systems))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"upload{Path(file_name.lower()).suffix}"
        path.write_bytes(content)
        return _vector_of(read_spatial_file(path, file_name, declared_crs, encoding, local_systems))


def declared_system(found: CoordinateSystem | None, declared_crs: str | None) -> CoordinateSystem | None:
    """The system found in the file or declared by the user; UnknownCrs if they contradict."""
    if not declared_crs:
        return found
    declared = system_of_text(declared_crs)
    if found is not None and found.srid != declared.srid:
        raise contradiction(found.title, declared)
    return declared


def _vector_of(file: SpatialFile) -> VectorFile:
    layer = _polygon_layer(file)
    if layer.system is None and layer.crs_words:
        raise UnknownCrs(
            f"坐标系“{layer.crs_words}”不在可接受之列。请转换为 CGCS2000 大地坐标系（EPSG:4490）或 CGCS2000 3 度带（第 40、41 带）。"
        )
    features = tuple(_features(layer))
    detected = {"kind": file.kind, "encoding": file.encoding, "features": str(len(features))}
    notes = (*file.notes, *layer.notes)
    return VectorFile(features, layer.system, detected | ({"note": " ".join(notes)} if notes else {}))


def _polygon_layer(file: SpatialFile) -> FileLayer:
    """The one layer that holds polygons; of a file with one layer that one, so that its fault can be told."""
    spatial = [layer for layer in file.layers if layer.geometry_type]
    with_polygons = [layer for layer in spatial if _holds_polygons(layer)]
    if len(with_polygons) > 1:
        names = "、".join(layer.name for layer in with_polygons[:6]) + ("等" if len(with_polygons) > 6 else "")
        raise InvalidData(
            f"文件“{file.file_name}”有 {len(with_polygons)} 个面图层（{names}），应有且只有 1 个。请只提供需要的这一个图层。"
        )
    if with_polygons:
        return with_polygons[0]
    if not file.layers or (not spatial and any(layer.count for layer in file.layers)):
        raise InvalidGeometry(f"文件“{file.file_name}”只有表格，没有图形。请提供含面图形的文件。")
    return max(spatial or file.layers, key=lambda layer: layer.count)


def _holds_polygons(layer: FileLayer) -> bool:
    return any(shape is not None and shape.geom_type in _POLYGONS for shape in layer.geometries)


def _features(layer: FileLayer) -> Iterator[VectorFeature]:
    for row, geometry in enumerate(layer.geometries):
        if geometry is None:
            continue
        if geometry.geom_type not in _POLYGONS:
            raise InvalidGeometry(
                f"第 {row + 1} 个要素的图形类型为 {geometry.geom_type}，这里只接受面。请删去点和线。"
            )
        yield VectorFeature(row + 1, tuple(polygons_of(geometry)), layer.values(row))
