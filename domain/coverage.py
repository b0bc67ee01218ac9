"""Coverages: polygons that fill an area without gap or overlap because they are built from the same line
work.

Lines are noded on a grid of 2^-36 degrees (about 1.6 µm). The grid is a power of two, so that grid
coordinates and the midpoints of edges between them are exact doubles: a vertex put on a neighbour's edge lies
exactly on it.
"""

from collections.abc import Sequence

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

GRID_DEGREES = 2.0**-36
"""Spacing of the grid on which shared edges are noded."""


def faces_of(lines: Sequence[BaseGeometry] | numpy.ndarray) -> numpy.ndarray:
    """The polygons that lines enclose, noded on the grid, in a fixed order (by their lower left corner)."""
    noded = shapely.union_all(numpy.asarray(lines, dtype=object), grid_size=GRID_DEGREES)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    bounds = shapely.bounds(faces)
    return shapely.normalize(faces[numpy.lexsort(bounds.T[::-1])])


def shared_edges(polygons: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Pairs of polygons of a noded coverage that share edges: first index, second index (larger), length in
    degrees.
    """
    edge, owner, length = _edges(polygons)
    order = numpy.argsort(edge, kind="stable")
    edge, owner, length = edge[order], owner[order], length[order]
    twice = numpy.flatnonzero((edge[1:] == edge[:-1]) & (owner[1:] != owner[:-1]))
    pairs = numpy.sort(numpy.stack([owner[twice], owner[twice + 1]], axis=1), axis=1)
    if not len(pairs):
        return pairs[:, 0], pairs[:, 1], numpy.zeros(0)
    unique, where = numpy.unique(pairs, axis=0, return_inverse=True)
    total = numpy.bincount(where.ravel(), weights=length[twice], minlength=len(unique))
    return unique[:, 0], unique[:, 1], total


def merged(polygons: numpy.ndarray, group: numpy.ndarray) -> dict[int, BaseGeometry]:
    """The union of the polygons of each group number of a noded coverage; negative numbers are left out."""
    order = numpy.argsort(group, kind="stable")
    numbers, starts = numpy.unique(group[order], return_index=True)
    members = numpy.split(order, starts[1:])
    return {
        int(number): polygons[found[0]] if len(found) == 1 else shapely.coverage_union_all(polygons[found])
        for number, found in zip(numbers, members, strict=True)
        if number >= 0
    }


def _edges(polygons: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Every edge as a number that is the same for both its directions, with its polygon and length."""
    rings, owner_of_ring = shapely.get_rings(polygons, return_index=True)
    coordinates, ring_of_vertex = shapely.get_coordinates(rings, return_index=True)
    _, vertex = numpy.unique(coordinates, axis=0, return_inverse=True)
    vertex = vertex.ravel()
    is_edge = ring_of_vertex[1:] == ring_of_vertex[:-1]
    ends = numpy.sort(numpy.stack([vertex[:-1][is_edge], vertex[1:][is_edge]], axis=1), axis=1)
    length = numpy.hypot(*(coordinates[1:] - coordinates[:-1])[is_edge].T)
    return ends[:, 0] * (vertex.max() + 1) + ends[:, 1], owner_of_ring[ring_of_vertex[1:][is_edge]], length
