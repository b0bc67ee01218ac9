"""Vector tiles: features of a layer in the square of a web map, in the Mapbox Vector Tile format, version 2.1.

Only what our map needs is written: one layer a tile, polygons, text properties. A point is written as a small round, a
line as a thin band, of the same size on the screen at every scale. Geometries are simplified
to half a unit of the tile, for looking at and never for deciding.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

EXTENT = 4096
"""Units along the side of a tile."""
BUFFER = 64
"""Units drawn beyond the edge, so that outlines do not show it."""
DEEPEST = 20
MARK, BAND = 60, 14
"""Radius of a point and half the width of a line in units of the tile; a mark at the edge is within the buffer."""
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
    """A geometry in EPSG:4490 with the texts that the map reads."""

    geometry: BaseGeometry
    properties: Mapping[str, str]


def tiles_over(bounds: tuple[float, float, float, float], zoom: int) -> Iterator[Tile]:
    """The squares of a zoom that bounds in degrees (west, south, east, north) meet, row by row from the north."""
    west, south, east, north = bounds
    corners = numpy.array([[west, north], [east, south]])
    (left, top), (right, bottom) = (Tile(zoom, 0, 0).units(corners) // EXTENT).astype(int).tolist()
    for row in range(top, bottom + 1):
        yield from (Tile(zoom, column, row) for column in range(left, right + 1))


def encode(tile: Tile, name: str, features: Sequence[TileFeature]) -> bytes:
    """The tile as MVT bytes; empty if no polygon is large enough to be seen in it."""
    shapes = _in_units(tile, [each.geometry for each in features])
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


def narrowed(content: bytes, key: str, values: Collection[str]) -> bytes:
    """A tile that `encode` made with those features alone whose property has one of the values; empty if there are none."""
    fields = [each for _tag, layer in _fields(content) for each in _fields(layer)]
    keys = [each.decode() for tag, each in fields if tag == 3]
    texts = [next(text for _tag, text in _fields(each)).decode() for tag, each in fields if tag == 4]
    wanted = {(keys.index(key), number) for number, text in enumerate(texts) if text in values} if key in keys else set()
    kept = [(tag, each) for tag, each in fields if tag != 2 or wanted & _tags(each)]
    return _field(3, b"".join(_field(tag, each) for tag, each in kept) + _END) if any(tag == 2 for tag, _each in kept) else b""


def _fields(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields of a protocol buffer in their order; the numbers among them are passed over."""
    at = 0
    while at < len(content):
        key, at = _read_varint(content, at)
        size, at = _read_varint(content, at)
        if key & 7 == 2:
            yield key >> 3, content[at : at + size]
            at += size


def _tags(feature: bytes) -> set[tuple[int, int]]:
    """The properties of a feature, as pairs of the numbers of key and value."""
    packed, at, numbers = next(content for tag, content in _fields(feature) if tag == 2), 0, []
    while at < len(packed):
        number, at = _read_varint(packed, at)
        numbers.append(number)
    return set(zip(numbers[::2], numbers[1::2], strict=True))


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place after it."""
    value = shift = 0
    while True:
        byte = content[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return value, at


def _in_units(tile: Tile, geometries: Sequence[BaseGeometry]) -> Sequence[BaseGeometry]:
    """The parts of geometries in and around the tile in its units; cut first, so that far corners cost nothing."""
    if not geometries:
        return []
    near = shapely.clip_by_rect(numpy.array(geometries, dtype=object), *tile.bounds)
    return shapely.simplify(_drawn(shapely.transform(near, tile.units)), 4, preserve_topology=False)


def _drawn(shapes: numpy.ndarray) -> numpy.ndarray:
    """Points and lines as the polygons that stand for them."""
    dimensions = shapely.get_dimensions(shapes)
    for dimension, reach in ((0, MARK), (1, BAND)):
        chosen = dimensions == dimension
        if chosen.any():
            shapes[chosen] = shapely.buffer(shapes[chosen], reach, quad_segs=3)
    return shapes


def _commands(shape: BaseGeometry) -> list[int]:
    """The drawing commands of the polygons of a shape: outer rings turn clockwise on the screen, holes the other way."""
    commands: list[int] = []
    at = numpy.zeros(2, dtype=numpy.int64)
    for part in shapely.get_parts(shape):
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        for number, ring in enumerate([part.exterior, *part.interiors]):
            points = _points(ring, is_hole=number > 0)
            if len(points) < 3:
                if number == 0:
                    break
                continue
            steps = _zigzag(numpy.diff(points, axis=0, prepend=at[None, :])).ravel().tolist()
            commands += [_MOVE_ONE, *steps[:2], (len(points) - 1) << 3 | _LINE, *steps[2:], _CLOSE]
            at = points[-1]
    return commands


def _points(ring: BaseGeometry, is_hole: bool) -> numpy.ndarray:
    """The points of a ring as whole units, open, without repetition, in the direction that the format asks for."""
    points = numpy.rint(shapely.get_coordinates(ring)).astype(numpy.int64)
    points = points[1:][(points[1:] != points[:-1]).any(axis=1)]
    x, y = points[:, 0], points[:, 1]
    doubled = int((x * numpy.roll(y, -1) - numpy.roll(x, -1) * y).sum())
    return points[:0] if doubled == 0 else points if (doubled > 0) != is_hole else points[::-1]


def _zigzag(values: numpy.ndarray) -> numpy.ndarray:
    return (values << 1) ^ (values >> 63)


def _varint(value: int) -> bytes:
    return _SHORT[value] if value < len(_SHORT) else bytes([value & 0x7F | 0x80]) + _varint(value >> 7)


_SHORT = [bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80, value >> 7]) for value in range(1 << 14)]
"""The numbers of one and two bytes, which are nearly all that a tile holds."""


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
    return _field(3, content + _END)


_END = b"\x28" + _varint(EXTENT) + b"\x78\x02"
"""Extent and version, with which a layer ends."""
