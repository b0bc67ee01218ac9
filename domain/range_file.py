"""Project ranges as they are uploaded, in any format that domain/spatial_file reads, as one value.

Reading never judges: a self-crossing or empty range is read and shown, and the rule set
`project_range_quality` refuses it with its place (domain/range_quality.py computes the facts). Only what
cannot be read at all is refused here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.area import area_m2, rounded_m2, unrounded_areas_m2
from domain.boundary_points import BoundaryPointFile, read_boundary_points
from domain.coordinate_transformation import LocalSystem
from domain.errors import InvalidData
from domain.geometry import multipolygon, polygons_of, require_polygons
from domain.projection import CoordinateSystem, UnknownCrs, system_of_srid, to_storage
from domain.vector_file import declared_system, read_vector


@dataclass(frozen=True, slots=True)
class ProjectRange:
    """The range of a project: in the storage system for decisions, and as surveyed for checks and display.

    `survey` holds the polygons in the coordinates of the file (x east or longitude, y north or latitude), one
    per parcel part. `geometry` is one multipolygon in EPSG:4490; it is None as long as the coordinate system
    is not known, and may be invalid. `area_m2` is None unless the geometry is valid.
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
        return (
            int(shapely.get_num_coordinates(list(self.survey)).sum()) - self.ring_count if self.survey else 0
        )

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
    """Read an uploaded range of any accepted format; it may hold one layer of polygons.

    `declared_crs` ("EPSG:4490") is what the user states in the form; it is needed when the file names no
    coordinate system and refused when it contradicts one. A GeoJSON without `crs` is WGS 84 by RFC 7946, but
    Chinese practice differs, so it must be declared. Raises InvalidData for unreadable files
    (InvalidBoundaryFile with line and point), UnknownCrs for systems not accepted.
    """
    kind = PurePosixPath(file_name.lower()).suffix
    if not content.strip():
        raise InvalidData(f"文件“{file_name}”是空的。请上传有内容的范围文件。")
    if kind == ".txt":
        return _read_boundary_points(content, declared_crs, local_systems or {})
    return _read_vector(content, file_name, declared_crs, local_systems or {})


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
            parts = (
                unrounded_areas_m2([to_storage(part, system) for part in frame]) if frame else numpy.zeros(1)
            )
            overlap = max(overlap, rounded_m2(parts.sum() - unrounded_areas_m2([geometry])[0]))
    return ProjectRange(tuple(survey), tuple(names), system, geometry, area, overlap, shown, stated_area_m2)


def _read_vector(
    content: bytes, file_name: str, declared_crs: str | None, local_systems: Mapping[str, LocalSystem]
) -> ProjectRange:
    file = read_vector(content, file_name, declared_crs, None, local_systems)
    parts = [part for feature in file.features for part in feature.parts]
    names = [feature.name for feature in file.features for _ in feature.parts]
    return _range(parts, names, file.system, file.detected)


def _read_boundary_points(
    content: bytes, declared_crs: str | None, local_systems: Mapping[str, LocalSystem]
) -> ProjectRange:
    file = read_boundary_points(content, local_systems)
    local = local_systems[file.local_system] if file.local_system else None
    system = declared_system(local.target if local else file.system, declared_crs)
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
