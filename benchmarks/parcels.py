"""Generated parcels that share their edges exactly, and faults put into them at known places."""

from dataclasses import dataclass, field

import numpy
import shapely

from domain.projection import system_of_srid
from domain.spatial_file import FileField, FileLayer, SpatialFile

WEST, SOUTH, SIDE = 121.10, 30.95, 0.001
BETWEEN = 6
"""Points between the corners of an edge: 29 vertices a parcel, as in a cadastre."""


def parcels(count: int, seed: int = 1) -> numpy.ndarray:
    """A square of at least `count` four-sided parcels with bent edges, in EPSG:4490, without gap or overlap."""
    side = int(numpy.ceil(count**0.5))
    random = numpy.random.default_rng(seed)
    corners = numpy.stack(numpy.meshgrid(numpy.arange(side + 1.0), numpy.arange(side + 1.0), indexing="ij"), axis=-1)
    corners += random.uniform(-0.2, 0.2, corners.shape)
    across, up = _edges(corners[:-1], corners[1:], random), _edges(corners[:, :-1], corners[:, 1:], random)
    rings = numpy.concatenate(
        [across[:, :-1, :-1], up[1:, :, :-1], across[:, 1:, :0:-1], up[:-1, :, ::-1]], axis=2
    )
    degrees = rings.reshape(side * side, -1, 2) * SIDE + (WEST, SOUTH)
    return shapely.polygons(degrees)[:count]


def _edges(start: numpy.ndarray, end: numpy.ndarray, random: numpy.random.Generator) -> numpy.ndarray:
    """Points along edges, bent a little: (…, BETWEEN + 2, 2)."""
    share = numpy.linspace(0, 1, BETWEEN + 2)[:, None]
    points = start[..., None, :] * (1 - share) + end[..., None, :] * share
    points[..., 1:-1, :] += random.uniform(-0.02, 0.02, points[..., 1:-1, :].shape)
    return points


@dataclass
class Injected:
    """Parcels with faults: the geometries, and the rows of each kind of fault (overlaps and repeats by later row)."""

    geometries: numpy.ndarray
    invalid: set[int] = field(default_factory=set)
    repeated: set[int] = field(default_factory=set)
    holes: set[int] = field(default_factory=set)
    overlaps: set[int] = field(default_factory=set)


def with_faults(clean: numpy.ndarray, invalid: int, repeated: int, holes: int, overlaps: int, seed: int = 2) -> Injected:
    """Faults in parcels that touch none of each other, so that each is found alone.

    Invalid: two vertices change places, the ring crosses itself. Repeated: the parcel once more, begun at another
    vertex. Hole: an empty square in the middle. Overlap: a small square over the middle, as a further parcel.
    """
    side = int(numpy.ceil(len(clean) ** 0.5))
    rows = numpy.arange(len(clean))
    inner = rows[((rows // side) % 3 == 1) & ((rows % side) % 3 == 1) & (rows // side < (len(clean) // side) - 1)]
    chosen = numpy.random.default_rng(seed).permutation(inner)[: invalid + repeated + holes + overlaps]
    if len(chosen) < invalid + repeated + holes + overlaps:
        raise ValueError(f"{len(clean)} parcels have no room for that many faults")
    bad, twice, hollow, covered = numpy.split(chosen, numpy.cumsum([invalid, repeated, holes]))
    found = clean.copy()
    for row in bad:
        found[row] = _crossed(clean[row])
    for row in hollow:
        found[row] = shapely.difference(clean[row], _middle(clean[row]))
    again = [_turned(clean[row]) for row in twice]
    over = [_middle(clean[row]) for row in covered]
    total, count = numpy.array([*found, *again, *over], dtype=object), len(clean)
    return Injected(
        total, set(bad.tolist()), set(range(count, count + repeated)), set(hollow.tolist()),
        set(range(count + repeated, count + repeated + overlaps)),
    )  # fmt: skip


def _crossed(parcel: shapely.Polygon) -> shapely.Polygon:
    points = shapely.get_coordinates(parcel)
    points[[3, 10]] = points[[10, 3]]
    return shapely.Polygon(points)


def _turned(parcel: shapely.Polygon) -> shapely.Polygon:
    points = shapely.get_coordinates(parcel)[:-1]
    return shapely.Polygon(numpy.roll(points, 5, axis=0)[::-1])


def _middle(parcel: shapely.Polygon) -> shapely.Polygon:
    point = shapely.centroid(parcel)
    return shapely.box(point.x - SIDE / 20, point.y - SIDE / 20, point.x + SIDE / 20, point.y + SIDE / 20)


def as_file(geometries: numpy.ndarray, layer: str = "DKM") -> SpatialFile:
    """The parcels as a package of one layer with a number for each."""
    numbers = numpy.array([str(row + 1) for row in range(len(geometries))], dtype=object)
    read = FileLayer(layer, "Polygon", (FileField("DKBH", "", "text", 20),), geometries, {"DKBH": numbers}, system_of_srid(4490))
    return SpatialFile("parcels.gpkg", "GeoPackage", (read,), "UTF-8")
