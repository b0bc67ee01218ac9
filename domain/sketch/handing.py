"""A sketch as a file: GeoJSON, or a 界址点 TXT in the zone nearest to it."""

import shapely

from domain import geojson
from domain.area import area_m2
from domain.boundary_points import BoundaryPointFile, parcel_from_polygon, write_boundary_points
from domain.errors import InvalidData
from domain.geometry import polygons_of
from domain.projection import from_storage, zone_of_longitude, zone_system
from domain.sketch.drawing import POLYGON
from domain.sketch.tables import Sketch

FORMATS = {"geojson": ".geojson", "txt": ".txt"}


def file_of(sketch: Sketch, file_format: str) -> tuple[bytes, str]:
    """The content and the name of the file. Raises InvalidData for a format that there is not, or that the sketch does not fit."""
    if file_format not in FORMATS:
        raise InvalidData("没有这种格式。请选 GeoJSON 或界址点 TXT。")
    content = geojson.content_of([({"name": sketch.name}, sketch.geometry)]) if file_format == "geojson" else _boundary_points(sketch)
    return content, sketch.name.replace("/", "_") + FORMATS[file_format]


def _boundary_points(sketch: Sketch) -> bytes:
    if sketch.kind != POLYGON:
        raise InvalidData("界址点 TXT 只放面。这个草图是线或点，请下载 GeoJSON。")
    system = zone_system(zone_of_longitude(shapely.centroid(sketch.geometry).x))
    parcels = [
        parcel_from_polygon(from_storage(part, system), str(number), sketch.name, area_m2(part))
        for number, part in enumerate(polygons_of(sketch.geometry), start=1)
    ]
    return write_boundary_points(BoundaryPointFile(tuple(parcels), system))
