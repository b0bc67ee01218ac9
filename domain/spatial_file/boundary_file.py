"""Boundary-point files (界址点 TXT) as a layer: one row a parcel, the points in a layer of their own."""

from collections.abc import Mapping
from pathlib import Path

import shapely

from domain.boundary_points import BoundaryPointFile, read_boundary_points
from domain.coordinate_transformation import LocalSystem
from domain.errors import InvalidData
from domain.spatial_file.columns import as_column
from domain.spatial_file.model import FileField, FileLayer

_PARCEL_FIELDS = (
    FileField("DKBH", "地块编号"), FileField("DKMC", "地块名称"), FileField("DKMJ", "地块面积（公顷）", "decimal"),
    FileField("TFH", "图幅号"), FileField("DKYT", "地块用途"), FileField("DLBM", "地类编码"),
    FileField("JZDS", "界址点数", "integer"),
)  # fmt: skip
_POINT_FIELDS = (
    FileField("DKBH", "地块编号"), FileField("JZDH", "界址点号"), FileField("QH", "圈号", "integer"),
    FileField("X", "X（北）", "decimal"), FileField("Y", "Y（东）", "decimal"),
)  # fmt: skip
MOST_BYTES = 128 * 1024 * 1024


def read_boundary_file(
    path: Path, name: str, local_systems: Mapping[str, LocalSystem]
) -> tuple[BoundaryPointFile, list[FileLayer]]:
    """The file as read, with its parcels as polygons and its points; points of a local system are brought into its zone."""
    if path.stat().st_size > MOST_BYTES:
        raise InvalidData(f"界址点文件“{path.name}”超过 {MOST_BYTES >> 20} MB。请拆分后提供。")
    file = read_boundary_points(path.read_bytes(), local_systems)
    local = local_systems[file.local_system] if file.local_system else None
    system = local.target if local else file.system
    notes = (f"坐标由{local.name}换算。{local.note}",) if local else ()

    def placed(shape):
        return local.to_zone(shape) if local else shape

    parcels = [
        (p.number, p.name, p.stated_area_ha, p.map_sheet, p.use, p.land_class, p.point_count) for p in file.parcels
    ]
    points = [
        (parcel.number or parcel.name, point.name, point.ring, point.north_m, point.east_m, point)
        for parcel in file.parcels for ring in parcel.rings for point in ring
    ]  # fmt: skip
    words = system.title if system else ""
    return file, [
        FileLayer(
            name, "Polygon", _PARCEL_FIELDS, as_column(placed(parcel.polygon) for parcel in file.parcels),
            _columns(_PARCEL_FIELDS, parcels), system, words, "地块", notes,
        ),
        FileLayer(
            f"{name}_界址点", "Point", _POINT_FIELDS,
            as_column(placed(shapely.Point(row[-1].east_m, row[-1].north_m)) for row in points),
            _columns(_POINT_FIELDS, points), system, words, "界址点", notes,
        ),
    ]  # fmt: skip


def _columns(fields: tuple[FileField, ...], rows: list[tuple]) -> dict:
    return {field.name: as_column(None if row[i] == "" else row[i] for row in rows) for i, field in enumerate(fields)}
