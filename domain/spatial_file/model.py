"""What was read from a spatial file: its layers with their fields, geometries and values, as they are in the file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy
import shapely

from domain.projection import CoordinateSystem, UnknownCrs, to_storage


@dataclass(frozen=True, slots=True)
class FileField:
    """A field as the file declares it; the alias is its Chinese name where the format has one.

    `type` is one of text, integer, decimal, date, moment, boolean, binary; `length` is in bytes or digits as the format
    counts them, 0 where it states none.
    """

    name: str
    alias: str = ""
    type: str = "text"
    length: int = 0
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class FileLayer:
    """A layer of a file: geometries and values by row, unjudged.

    `geometries` is an array of n geometries in the coordinates of the file, two-dimensional, curves already cut into
    lines, None for a row without one; it may hold invalid ones. `columns` has an array of n values for each field.
    `geometry_type` is what the file declares ("" for a table without geometry). `system` is None where the file names no
    coordinate system or one that is not accepted; `crs_words` says what the file names. `notes` tell in Chinese what
    reading changed or assumed (curves, heights, blocks, encoding).
    """

    name: str
    geometry_type: str
    fields: tuple[FileField, ...]
    geometries: numpy.ndarray
    columns: Mapping[str, numpy.ndarray]
    system: CoordinateSystem | None = None
    crs_words: str = ""
    alias: str = ""
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Rows of the layer."""
        return len(self.geometries)

    def values(self, row: int) -> dict[str, Any]:
        """The values of a row (from 0) by field name."""
        return {name: _plain(column[row]) for name, column in self.columns.items()}

    def stored_geometries(self) -> numpy.ndarray:
        """The geometries in EPSG:4490, None where there is none; UnknownCrs if the system is not known."""
        if self.system is None:
            raise UnknownCrs(f"图层“{self.name}”没有可接受的坐标系，不能猜测。请写明坐标系，或在读取时声明。")
        converted = [None if each is None else to_storage(each, self.system) for each in self.geometries]
        return numpy.array(converted, dtype=object) if converted else numpy.empty(0, dtype=object)

    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north in the coordinates of the file; None for a layer without geometry."""
        found = [each for each in self.geometries if each is not None and not each.is_empty]
        return tuple(shapely.total_bounds(found).tolist()) if found else None


def _plain(value: Any) -> Any:
    """A number of an array as one of Python, which JSON and Decimal take."""
    return value.item() if isinstance(value, numpy.generic) else value


@dataclass(frozen=True, slots=True)
class SpatialFile:
    """A file or package: which format, which layers, which member files, and what reading noticed."""

    file_name: str
    kind: str
    layers: tuple[FileLayer, ...]
    encoding: str = ""
    members: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    header: Mapping[str, str] = field(default_factory=dict)
    """Written facts beside the layers, such as the header of a boundary-point file or stated record counts."""

    def layer(self, name: str) -> FileLayer | None:
        """The layer of a name, or None."""
        return next((layer for layer in self.layers if layer.name == name), None)
