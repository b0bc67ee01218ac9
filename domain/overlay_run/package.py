"""The pieces of a result as a GeoPackage: one feature for each row, with its area as in the table."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy
import shapely

from domain.file_store import FileStore, ReceivedFile
from domain.geometry import multipolygon
from domain.overlay import OverlayTable
from domain.overlay.table import DISTRICT

LAYER_NAME = "pieces"


def write_pieces(
    store: FileStore, name: str, table: OverlayTable, groups: Mapping[str, list[str]], group_fields: Sequence[str]
) -> ReceivedFile | None:
    """Write the pieces that have a row into the file store; None if there are none."""
    areas = {(row.range_key, row.district_code, row.classes): row.area_m2 for row in table.rows}
    pieces = table.pieces
    keys = [
        (key, values[DISTRICT], tuple(values[layer] for layer in table.layer_keys))
        for key, values in zip(pieces.keys, pieces.attributes, strict=True)
    ]
    rows = [place for place, key in enumerate(keys) if key in areas]
    if not rows:
        return None
    columns = {"range_key": [keys[row][0] for row in rows], DISTRICT: [keys[row][1] for row in rows]}
    columns |= {field: [groups[keys[row][0]][place] for row in rows] for place, field in enumerate(group_fields)}
    columns |= {f"class_{layer}": [keys[row][2][place] for row in rows] for place, layer in enumerate(table.layer_keys)}
    columns |= {"area_m2": [float(areas[keys[row]]) for row in rows]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pieces.gpkg"
        _write(path, pieces.geometries[rows], columns)
        return store.put_path(path, name, allowed=("gpkg",))


def _write(path: Path, geometries: numpy.ndarray, columns: Mapping[str, Sequence[object]]) -> None:
    import pyogrio

    blobs = shapely.to_wkb(numpy.array([multipolygon(each) for each in geometries], dtype=object))
    values = [numpy.array(column, dtype=float if name == "area_m2" else object) for name, column in columns.items()]
    pyogrio.raw.write(
        path, blobs, values, list(columns), layer=LAYER_NAME, driver="GPKG", geometry_type="MultiPolygon", crs="EPSG:4490"
    )


def read_outlines(store: FileStore, digest: str, most: int) -> list[tuple[str, shapely.Geometry]]:
    """The first pieces of a result with the class of its first layer, for a small picture."""
    import pyogrio

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pieces.gpkg"
        path.write_bytes(store.read_bytes(digest))
        meta, _fids, blobs, columns = pyogrio.raw.read(path, layer=LAYER_NAME, max_features=most)
    first = next(place for place, field in enumerate(meta["fields"]) if field.startswith("class_"))
    return list(zip((value or "" for value in columns[first]), shapely.from_wkb(blobs), strict=True))
