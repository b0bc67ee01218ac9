"""Vector tiles: polygons of a layer in the square of a web map, in the Mapbox Vector Tile format, version 2.1.

Only what a map of polygons needs is written: one layer a tile, polygons, text properties. Geometries are simplified
to half a unit of the tile, for looking at and never for deciding.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

EXTENT = 4096
"""Units along the side of a tile."""
BUFFER = 64
"""Units drawn beyond the edge, so that outlines do not show it."""
DEEPEST = 20
_MOVE_ONE, _CLOSE, _LINE = 9, 15, 2
_POLYGON = b"\x18\x03"


@dataclass(frozen=True, slots=True)
class Tile:
    """A square of the web map (EPSG:3857): zoom, column from the west, row from the north."""

    zoom: int
    column: int
    row: int

    def exists(self) -> bool:
        """True if the web map has such a square."""
        count = 1 << self.zoom if 0 <= self.zoom <= DEEPEST else 0
        return 0 <= self.column < count and 0 <= self.row < count

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the tile with its buffer, in degrees."""
        margin = BUFFER / EXTENT
        west, east = (self._longitude(self.column + part) for part in (-margin, 1 + margin))
        north, south = (self._latitude(self.row + part) for part in (-margin, 1 + margin))
        return west, south, east, north

    def _longitude(self, column: float) -> float:
        return column / (1 << self.zoom) * 360 - 180

    def _latitude(self, row: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / (1 << self.zoom)))))

    def units(self, degrees: numpy.ndarray) -> numpy.ndarray:
        """Longitudes and latitudes as units of the tile, x to the east, y to the south; not rounded."""
        scale = (1 << self.zoom) * EXTENT
        x = (degrees[:, 0] + 180) / 360 * scale - self.column * EXTENT
        mercator = numpy.arcsinh(numpy.tan(numpy.radians(degrees[:, 1]))) / math.pi
        return numpy.column_stack([x, (1 - mercator) / 2 * scale - self.row * EXTENT])


@dataclass(frozen=True, slots=True)
class TileFeature:
    """A polygon in EPSG:4490 with the texts that the map reads."""

    geometry: BaseGeometry
    properties: Mapping[str, str]


def encode(tile: Tile, name: str, features: Sequence[TileFeature]) -> bytes:
    """The tile as MVT bytes; empty if no polygon is large enough to be seen in it."""
    shapes = shapely.transform([each.geometry for each in features], tile.units) if features else []
    if len(shapes):
        shapes = shapely.simplify(shapes, 4, preserve_topology=False)
        shapes = shapely.clip_by_rect(shapes, -BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
    keys: dict[str, int] = {}
    values: dict[str, int] = {}
    written = []
    for shape, feature in zip(shapes, features, strict=True):
        if commands := _commands(shape):
            tags = [
                number for key, value in feature.properties.items()
                for number in (keys.setdefault(key, len(keys)), values.setdefault(value, len(values)))
            ]
            written.append(_feature(tags, commands))
    return _layer(name, written, keys, values) if written else b""


def _commands(shape: BaseGeometry) -> list[int]:
    """The drawing commands of the polygons of a shape: outer rings turn clockwise on the screen, holes the other way."""
    commands: list[int] = []
    at = (0, 0)
    for part in shapely.get_parts(shape):
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        for number, ring in enumerate([part.exterior, *part.interiors]):
            points = _points(ring, is_hole=number > 0)
            if len(points) < 3:
                if number == 0:
                    break
                continue
            for place, (x, y) in enumerate(points):
                if place == 1:
                    commands.append((len(points) - 1) << 3 | _LINE)
                elif place == 0:
                    commands.append(_MOVE_ONE)
                commands += [_zigzag(x - at[0]), _zigzag(y - at[1])]
                at = (x, y)
            commands.append(_CLOSE)
    return commands


def _points(ring: BaseGeometry, is_hole: bool) -> list[tuple[int, int]]:
    """The points of a ring as whole units, open, without repetition, in the direction that the format asks for."""
    rounded = numpy.rint(shapely.get_coordinates(ring)).astype(int)
    moved = numpy.concatenate([[True], (rounded[1:] != rounded[:-1]).any(axis=1)])
    points = [tuple(point) for point in rounded[moved].tolist()]
    points = points[:-1] if len(points) > 1 and points[0] == points[-1] else points
    if len(points) < 3:
        return []
    following = points[1:] + points[:1]
    doubled = sum(x * v - u * y for (x, y), (u, v) in zip(points, following, strict=True))
    return [] if doubled == 0 else points if (doubled > 0) != is_hole else points[::-1]


def _zigzag(value: int) -> int:
    return (value << 1) ^ (value >> 63)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(tag: int, content: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    return _varint(tag << 3 | 2) + _varint(len(content)) + content


def _feature(tags: list[int], commands: list[int]) -> bytes:
    packed = b"".join(map(_varint, tags))
    return _field(2, _field(2, packed) + _POLYGON + _field(4, b"".join(map(_varint, commands))))


def _layer(name: str, features: list[bytes], keys: Mapping[str, int], values: Mapping[str, int]) -> bytes:
    content = _field(1, name.encode()) + b"".join(features)
    content += b"".join(_field(3, key.encode()) for key in keys)
    content += b"".join(_field(4, _field(1, value.encode())) for value in values)
    return _field(3, content + b"\x28" + _varint(EXTENT) + b"\x78\x02")
