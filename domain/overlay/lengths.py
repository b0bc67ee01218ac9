"""Lengths of many geometries at once, in metres on the ellipsoid, for widths of slivers and common edges.

Each edge is measured in the plane that touches the ellipsoid at its middle: exact to a millimetre on edges of a
kilometre. What a person reads as a measured length is a geodesic (domain/measuring.py).
"""

import numpy
import shapely

from domain.area import FLATTENING, SEMI_MAJOR_AXIS_M

_E2 = FLATTENING * (2 - FLATTENING)


def lengths_m(geometries: numpy.ndarray) -> numpy.ndarray:
    """Length of the lines of each geometry in EPSG:4490, in metres; of polygons their rings; points have none."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    while (shapely.get_type_id(parts) >= 4).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    polygonal = shapely.get_type_id(parts) == 3
    rings, ring_owner = shapely.get_rings(parts[polygonal], return_index=True)
    linear = numpy.isin(shapely.get_type_id(parts), (1, 2))
    lines = numpy.concatenate([rings, parts[linear]])
    line_owner = numpy.concatenate([owner[polygonal][ring_owner], owner[linear]]).astype(int)
    return numpy.bincount(line_owner, weights=_lengths(lines), minlength=len(geometries))


def _lengths(lines: numpy.ndarray) -> numpy.ndarray:
    coordinates, line_of_vertex = shapely.get_coordinates(lines, return_index=True)
    is_edge = line_of_vertex[1:] == line_of_vertex[:-1]
    start, end = coordinates[:-1][is_edge], coordinates[1:][is_edge]
    middle = numpy.radians((start[:, 1] + end[:, 1]) / 2)
    east, north = numpy.radians(end - start).T
    bend = 1 - _E2 * numpy.sin(middle) ** 2
    across = SEMI_MAJOR_AXIS_M / numpy.sqrt(bend) * numpy.cos(middle) * east
    along = SEMI_MAJOR_AXIS_M * (1 - _E2) / bend**1.5 * north
    return numpy.bincount(line_of_vertex[1:][is_edge], weights=numpy.hypot(across, along), minlength=len(lines))
