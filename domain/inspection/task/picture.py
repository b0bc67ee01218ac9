"""The features of a package for the map and the attribute panel: a GeoPackage in EPSG:4490, read by place or by number.

It is made once per inspection and kept in the file store; a page reads the few features that it shows.
"""

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.file_store import FileStore, ReceivedFile
from domain.projection import UnknownCrs
from domain.spatial_file import FileLayer, SpatialFile

MOST_SHOWN = 1_500
"""Features of one layer that a page gets at once; of more, the page says that it shows a part."""
warnings.filterwarnings("ignore", message=".*has GPKG application_id, but non conformant file extension")
"""Files are kept under their digest, without an ending; the driver finds that odd on every read."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A feature as the map shows it: its number in the layer from 1, geometry in EPSG:4490, values by field."""

    number: int
    geometry: BaseGeometry | None
    values: dict[str, Any]


def drawn(store: FileStore, file: SpatialFile) -> tuple[ReceivedFile, list[float]] | None:
    """The GeoPackage of a file in the store, with its bounds; None if no layer has a place."""
    with tempfile.TemporaryDirectory() as folder:
        path, boxes = Path(folder) / "picture.gpkg", []
        for layer in file.layers:
            box = _written(path, layer)
            if box is not None:
                boxes.append(box)
        if not path.exists():
            return None
        received = store.put_path(path, "picture.gpkg", allowed=("gpkg",))
    bounds = numpy.array(boxes)
    whole = [*bounds[:, :2].min(axis=0).tolist(), *bounds[:, 2:].max(axis=0).tolist()] if boxes else []
    return received, whole


def _written(path: Path, layer: FileLayer) -> list[float] | None:
    """Write a layer, tables too; the bounds of what has a place in EPSG:4490."""
    import pyogrio

    try:
        geometries = layer.stored_geometries() if layer.geometry_type else numpy.full(layer.count, None, dtype=object)
    except UnknownCrs:
        geometries = numpy.full(layer.count, None, dtype=object)
    names = [each.name for each in layer.fields]
    texts = [numpy.array([_text(value) for value in layer.columns[name]], dtype=object) for name in names]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # geometries of a faulty package are written as they are
        pyogrio.raw.write(
            path, shapely.to_wkb(geometries), [numpy.array(text) for text in texts], [f"f_{place}" for place in range(len(names))],
            layer=layer.name, driver="GPKG", geometry_type="Unknown", crs="EPSG:4490", append=path.exists(),
            layer_options={"FID": "number", "SPATIAL_INDEX": "YES"},
        )  # fmt: skip
    found = [each for each in geometries if each is not None and not each.is_empty]
    box = shapely.total_bounds(found).tolist() if found else None
    return box if box and numpy.isfinite(box).all() else None


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and numpy.isnan(value)):
        return None
    return format(value, ".15g") if isinstance(value, float) else str(value)


def in_bounds(path: Path, layer: str, bounds: tuple[float, float, float, float], most: int = MOST_SHOWN) -> list[Shown]:
    """Features of a layer whose box meets the bounds, by number; one more than `most` at the most, so that one sees that there are more."""
    return _read(path, layer, bbox=bounds, max_features=most + 1)


def page_of(path: Path, layer: str, first: int, size: int) -> list[Shown]:
    """Features of a layer from place `first` (0 is the top)."""
    return _read(path, layer, skip_features=first, max_features=size)


def feature(path: Path, layer: str, number: int) -> Shown | None:
    """One feature by its number; None if the layer has it not."""
    found = _read(path, layer, where=f'"number" = {int(number)}')
    return found[0] if found else None


def _read(path: Path, layer: str, **wanted: Any) -> list[Shown]:
    import pyogrio

    if layer not in {name for name, _ in pyogrio.list_layers(path).tolist()}:
        return []
    meta, numbers, blobs, columns = pyogrio.raw.read(path, layer=layer, return_fids=True, **wanted)
    geometries = shapely.from_wkb(blobs, on_invalid="ignore") if blobs is not None else [None] * len(numbers)
    rows = zip(*columns, strict=True) if columns else ([()] * len(numbers))
    return [
        Shown(int(number), geometry, dict(zip(meta["fields"], row, strict=True)))
        for number, geometry, row in zip(numbers, geometries, rows, strict=True)
    ]
