"""What is inspected: a file laid against a scheme, with what several measures share worked out once."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.area import SEMI_MAJOR_AXIS_M, unrounded_areas_m2
from domain.errors import PortalError
from domain.inspection.scheme import LayerSpec, Scheme
from domain.projection import CoordinateSystem, to_storage
from domain.spatial_file import FileLayer, SpatialFile

THREADS = 2
_CHUNK = 2_000
_POLYGONAL = (3, 6)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that a measure found and a rule judges: its facts, and where it is (row from 0, None for the layer)."""

    check: str
    layer: str
    facts: Mapping[str, Any]
    row: int | None = None
    field: str = ""
    value: str = ""
    x: float | None = None
    y: float | None = None
    geometry: BaseGeometry | None = None
    """In the coordinates of the file; None to draw the feature itself."""


class InspectedLayer:
    """A layer of the file with the layer of the scheme that it is."""

    def __init__(self, layer: FileLayer, spec: LayerSpec) -> None:
        self.layer, self.spec = layer, spec
        self._names = {name.lower(): name for name in layer.columns}

    @property
    def name(self) -> str:
        return self.layer.name

    def column(self, name: str) -> numpy.ndarray | None:
        """The values of a field whatever its letters' case; None if the file has no such field."""
        found = self._names.get(name.lower())
        return None if found is None else self.layer.columns[found]

    def key_of(self, row: int | None) -> str:
        """The value that names a feature to its maker."""
        column = self.column(self.spec.key) if self.spec.key else None
        return "" if row is None or column is None else text_of(column[row])

    @cached_property
    def geometries(self) -> numpy.ndarray:
        """The geometries, None as the empty geometry, so that arrays need no gaps."""
        found = numpy.empty(self.layer.count, dtype=object)
        found[:] = [shapely.GeometryCollection() if each is None else each for each in self.layer.geometries]
        return found

    @cached_property
    def types(self) -> numpy.ndarray:
        return shapely.get_type_id(self.geometries)

    @cached_property
    def is_empty(self) -> numpy.ndarray:
        return shapely.is_empty(self.geometries)

    @cached_property
    def is_valid(self) -> numpy.ndarray:
        return in_threads(shapely.is_valid, self.geometries)

    @cached_property
    def polygons(self) -> numpy.ndarray:
        """Rows of valid polygons that are not empty: only these have an area and a topology."""
        return numpy.flatnonzero(self.is_valid & ~self.is_empty & numpy.isin(self.types, _POLYGONAL))

    @cached_property
    def system(self) -> CoordinateSystem | None:
        """The system of the file; None where there is none or the coordinates contradict it (the check `crs` tells)."""
        system, bounds = self.layer.system, self.layer.bounds()
        if system is None or bounds is None:
            return system
        west, south, east, north = bounds
        if not numpy.isfinite(bounds).all():
            return None
        in_degrees = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
        return system if in_degrees is not system.is_projected else None

    @cached_property
    def is_geographic(self) -> bool:
        """True for degrees; without a known system the size of the coordinates tells."""
        if self.system is not None:
            return not self.system.is_projected
        bounds = self.layer.bounds()
        return bounds is not None and max(abs(each) for each in bounds) <= 360

    def metres(self, start: numpy.ndarray, end: numpy.ndarray) -> numpy.ndarray:
        """Differences of coordinates (n, 2) in metres; on a sphere of the ellipsoid's radius for degrees."""
        difference = end - start
        if not self.is_geographic:
            return difference
        middle = numpy.radians((start[:, 1] + end[:, 1]) / 2)
        degree = numpy.radians(1) * SEMI_MAJOR_AXIS_M
        return difference * numpy.stack([degree * numpy.cos(middle), numpy.full(len(middle), degree)], axis=1)

    @cached_property
    def areas_m2(self) -> numpy.ndarray:
        """Area of each valid polygon by row, ellipsoidal where the system is known, else in the plane; others 0."""
        found = numpy.zeros(self.layer.count)
        found[self.polygons] = self.area_of(self.geometries[self.polygons])
        return found

    def area_of(self, geometries: numpy.ndarray) -> numpy.ndarray:
        """Square metres of geometries in the coordinates of the file."""
        if not len(geometries):
            return numpy.zeros(0)
        if self.system is None:
            return shapely.area(geometries)
        return unrounded_areas_m2(self.stored(geometries))

    def stored(self, geometries: numpy.ndarray) -> numpy.ndarray:
        """Geometries of the file in EPSG:4490."""
        if not self.system.is_projected:
            return geometries
        return to_storage(numpy.asarray(geometries, dtype=object), self.system)

    @cached_property
    def perimeters_m(self) -> numpy.ndarray:
        """Length of the boundary of each feature by row, in metres."""
        owner, _, length = self.edges
        return numpy.bincount(owner, weights=length, minlength=self.layer.count)

    @cached_property
    def edges(self) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
        """Every edge of every ring and line: row, its coordinates (n, 4), its length in metres."""
        coordinates, part, row = self._vertices
        is_edge = part[1:] == part[:-1]
        start, end = coordinates[:-1][is_edge], coordinates[1:][is_edge]
        length = numpy.hypot(*self.metres(start, end).T)
        return row[1:][is_edge], numpy.concatenate([start, end], axis=1), length

    @cached_property
    def vertices(self) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
        """Every vertex of every ring: coordinates (n, 2), number of its ring, row."""
        return self._vertices

    @cached_property
    def _vertices(self) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
        polygonal = numpy.flatnonzero(numpy.isin(self.types, _POLYGONAL) & ~self.is_empty)
        parts, owner = shapely.get_parts(self.geometries[polygonal], return_index=True)
        rings, of_part = shapely.get_rings(parts, return_index=True)
        coordinates, ring = shapely.get_coordinates(rings, return_index=True)
        return coordinates, ring, polygonal[owner[of_part[ring]]]


@dataclass
class Subject:
    """A package under inspection: its file, its scheme, the values of the parameters, and the districts.

    `tell` gets words and the share done from 0 to 1, and may raise to end the inspection.
    """

    file: SpatialFile
    scheme: Scheme
    parameters: Mapping[str, Decimal]
    district: str = ""
    tell: Callable[[str, float], None] = lambda words, share: None
    shared: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def layers(self) -> tuple[InspectedLayer, ...]:
        """The layers of the file that the scheme knows, in the order of the scheme."""
        pairs = [(self.match(spec), spec) for spec in self.scheme.layers]
        return tuple(InspectedLayer(layer, spec) for layer, spec in pairs if layer is not None)

    def match(self, spec: LayerSpec) -> FileLayer | None:
        """The file's layer that a scheme's layer means: of its name, else of its Chinese name."""
        for wanted in filter(None, (spec.name, spec.alias)):
            for layer in self.file.layers:
                if layer.name.lower() == wanted.lower():
                    return layer
        return None

    def layer(self, name: str) -> InspectedLayer | None:
        """The inspected layer of a name in the scheme."""
        return next((each for each in self.layers if each.spec.name == name), None)

    def spatial(self) -> Iterator[InspectedLayer]:
        """The layers that have geometry."""
        return (each for each in self.layers if each.spec.geometry != "table")

    def limit(self, name: str) -> float:
        """A parameter's value as a number."""
        return float(self.parameters[name])


def in_threads(function: Callable[..., numpy.ndarray], *arrays: numpy.ndarray) -> numpy.ndarray:
    """A function of shapely over arrays, in chunks on threads (it releases the interpreter's lock); order is kept."""
    count = len(arrays[0])
    if count <= _CHUNK:
        return function(*arrays)
    chunks = numpy.array_split(numpy.arange(count), -(-count // _CHUNK))
    with ThreadPoolExecutor(THREADS) as pool:
        return numpy.concatenate(list(pool.map(lambda chunk: function(*(each[chunk] for each in arrays)), chunks)))


def text_of(value: Any) -> str:
    """A value of a file as text; "" for none, NaN and blanks."""
    if value is None or (isinstance(value, float) and numpy.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def number_of(value: Any) -> Decimal | None:
    """A value of a file as a number; None for what is none."""
    text = text_of(value)
    try:
        found = Decimal(text)
    except ArithmeticError:
        return None
    return found if found.is_finite() else None


def rounded(value: float, digits: int = 2) -> Decimal:
    """A measured value as a fact, half up."""
    return Decimal(float(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


class InspectionRefused(PortalError):
    """A package cannot be inspected by a scheme at all."""

    status = 422
