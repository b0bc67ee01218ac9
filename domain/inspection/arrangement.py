"""Where a layer of polygons covers the plane not at all, once, or more than once: exact, and in time with its faults.

Every edge of every ring has its polygon on its left. Where two edges run the same way in opposite directions, as
between neighbours, the number of polygons that cover the plane is the same on both sides; only the edges that are left
over (the outline of the layer, and the edges of faults) change it. The faces of the arrangement of these edges are
therefore covered by one and the same number of polygons throughout, and one point of each tells it. Of a clean layer of
81,000 polygons only the outline is left.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy
import shapely

from domain.inspection.subject import in_threads

_ALONE = 1


class Arrangement:
    """Faces of the left-over edges of valid polygons, with the number of polygons that cover each."""

    def __init__(self, polygons: numpy.ndarray) -> None:
        self.polygons = polygons

    @cached_property
    def tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.polygons)

    @cached_property
    def faces(self) -> numpy.ndarray:
        """The bounded faces, in the order of their lower left corners."""
        lines = shapely.linestrings(unmatched_edges(self.polygons))
        if not len(lines):
            return numpy.empty(0, dtype=object)
        noded = shapely.get_parts(shapely.union_all(lines))
        faces = shapely.get_parts(shapely.polygonize(noded))
        return faces[numpy.lexsort(shapely.bounds(faces).T[::-1])]

    @cached_property
    def covered(self) -> numpy.ndarray:
        """How many polygons cover each face: 0 and 1 are certain, more may be one with neighbours that only touch.

        A point inside a face may lie on a matched edge within it; then one well inside a polygon there is asked again.
        """
        points = shapely.point_on_surface(self.faces)
        count = self._touched(points)
        for face in numpy.flatnonzero(count > _ALONE):
            here = self.polygons[self.tree.query(points[face], predicate="intersects").min()]
            points[face] = shapely.point_on_surface(shapely.intersection(here, self.faces[face]))
        return self._touched(points)

    def _touched(self, points: numpy.ndarray) -> numpy.ndarray:
        """How many polygons each point lies in or on."""
        found = self.tree.query(points, predicate="intersects")[0] if len(points) else numpy.empty(0, dtype=int)
        return numpy.bincount(found, minlength=len(points))

    @cached_property
    def gaps(self) -> numpy.ndarray:
        """Faces that no polygon covers: the interior rings of the union, exactly."""
        return self.faces[self.covered == 0]

    @cached_property
    def overlaps(self) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Pairs of polygons whose interiors meet, first below second, in order.

        Only polygons that reach into a face covered more than once can be of a pair.
        """
        crowded = self.faces[self.covered > _ALONE]
        if not len(crowded):
            return numpy.empty(0, dtype=int), numpy.empty(0, dtype=int)
        suspects = numpy.unique(self.tree.query(crowded, predicate="intersects")[1])
        return meeting_pairs(self.polygons, suspects)


def meeting_pairs(polygons: numpy.ndarray, among: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Pairs among some polygons whose interiors meet; asked by the relation, so that nothing is intersected in vain."""
    chosen = polygons[among]
    first, second = shapely.STRtree(chosen).query(chosen)
    later = first < second
    first, second = among[first[later]], among[second[later]]
    meets = interiors_meet(polygons[first], polygons[second])
    first, second = first[meets], second[meets]
    order = numpy.lexsort((second, first))
    return first[order], second[order]


def interiors_meet(left: numpy.ndarray, right: numpy.ndarray) -> numpy.ndarray:
    """Whether the interiors of pairs of valid polygons have a point in common."""
    if not len(left):
        return numpy.zeros(0, dtype=bool)
    return in_threads(lambda a, b: shapely.relate_pattern(a, b, "T********"), left, right)


def unmatched_edges(polygons: numpy.ndarray) -> numpy.ndarray:
    """Edges (n, 2, 2) that do not run as often one way as the other, each once."""
    rings = shapely.get_rings(shapely.orient_polygons(_parts(polygons)))
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    if not len(coordinates):
        return numpy.empty((0, 2, 2))
    coordinates = coordinates + 0.0  # minus zero is zero
    places, vertex = numpy.unique(numpy.ascontiguousarray(coordinates).view(complex).ravel(), return_inverse=True)
    is_edge = (ring[1:] == ring[:-1]) & (vertex[1:] != vertex[:-1])
    start, end = vertex[:-1][is_edge], vertex[1:][is_edge]
    edge = numpy.minimum(start, end) * len(places) + numpy.maximum(start, end)
    order = numpy.argsort(edge, kind="stable")
    begin = numpy.flatnonzero(numpy.concatenate([[True], edge[order][1:] != edge[order][:-1]]))
    net = numpy.add.reduceat(numpy.where(start < end, 1, -1)[order], begin)
    left = order[begin[net != 0]]
    ends = numpy.stack([places[start[left]], places[end[left]]], axis=1)
    return numpy.stack([ends.real, ends.imag], axis=2)


def _parts(polygons: Sequence) -> numpy.ndarray:
    return shapely.get_parts(numpy.asarray(polygons, dtype=object))
