"""The one computation of areas: ellipsoidal on CGCS2000, of polygons whose edges are straight in longitude
and latitude.

Under an edge the area down to the equator is the integral of q over the longitude, where q is the area of the
ellipsoid between the equator and a latitude (the authalic function, Snyder 1987, eq. 3-12, times a²/2). On a
straight edge the latitude is linear in the longitude, so the integral is the mean of q along the edge times
the difference of longitude.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.geometry import InvalidGeometry, require_degrees

SEMI_MAJOR_AXIS_M = 6378137.0
"""CGCS2000 (EPSG:1024 ellipsoid): a."""

FLATTENING = 1 / 298.257222101
"""CGCS2000: f."""

CENT_M2 = Decimal("0.01")
"""Areas are kept to 0.01 m²."""

_E2 = FLATTENING * (2 - FLATTENING)
_E = _E2**0.5
_HALF_B2 = (SEMI_MAJOR_AXIS_M * (1 - FLATTENING)) ** 2 / 2
_NODES, _WEIGHTS = numpy.polynomial.legendre.leggauss(5)
_LONGEST_EDGE_DEGREES = 30.0
"""Five Gauss nodes are exact to the last digit of a double on edges up to this difference of latitude."""


def area_m2(geometry: BaseGeometry) -> Decimal:
    """Area of the polygons of a geometry, in square metres, rounded once to 0.01 m² (half up).

    Longitude and latitude in degrees on CGCS2000 (EPSG:4490), edges straight in longitude and latitude, area
    on the ellipsoid. Points, lines and the empty geometry have no area. The geometry must be valid: of a
    self-crossing ring the result is the signed sum of its loops; `geometry.require_polygons` refuses it.
    Raises CrsMismatch for coordinates that are no degrees, InvalidGeometry for edges over 30 degrees of
    latitude.

    >>> area_m2(shapely.box(121.0, 31.0, 121.001, 31.001))
    Decimal('10588.45')

    """
    return rounded_m2(unrounded_areas_m2([geometry])[0])


def areas_m2(geometries: Sequence[BaseGeometry] | numpy.ndarray) -> list[Decimal]:
    """Area of each geometry as in `area_m2`, computed together."""
    return [rounded_m2(value) for value in unrounded_areas_m2(geometries)]


def rounded_m2(value: float) -> Decimal:
    """Square metres rounded once to 0.01 m², half up."""
    return Decimal(float(value)).quantize(CENT_M2, ROUND_HALF_UP)


def sum_m2(areas: Iterable[Decimal]) -> Decimal:
    """Exact sum of rounded areas, with two decimals also when there is none."""
    return sum(areas, Decimal("0.00"))


def unrounded_areas_m2(geometries: Sequence[BaseGeometry] | numpy.ndarray) -> numpy.ndarray:
    """Area of each geometry in square metres before rounding, as an array of doubles.

    For sums and shares that are rounded afterwards; a decision compares `area_m2`. CRS, edges and errors as
    there.
    """
    owned = numpy.asarray(geometries, dtype=object)
    require_degrees(owned)
    parts, owner_of_part = owned, numpy.arange(len(owned))
    while (shapely.get_type_id(parts) >= 4).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner_of_part = owner_of_part[inner]
    polygonal = (shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)
    parts, owner_of_part = parts[polygonal], owner_of_part[polygonal]
    return numpy.bincount(owner_of_part, weights=_polygon_areas(parts), minlength=len(owned))


def _polygon_areas(polygons: numpy.ndarray) -> numpy.ndarray:
    """Outer ring less holes for each polygon."""
    rings, polygon_of_ring = shapely.get_rings(polygons, return_index=True)
    areas = numpy.abs(_signed_ring_areas(rings))
    is_outer = numpy.concatenate([[True], polygon_of_ring[1:] != polygon_of_ring[:-1]])[: len(rings)]
    return numpy.bincount(polygon_of_ring, numpy.where(is_outer, areas, -areas), minlength=len(polygons))


def _signed_ring_areas(rings: numpy.ndarray) -> numpy.ndarray:
    """Signed area of each ring; latitudes are measured from the ring's first vertex so that digits are not
    lost.
    """
    coordinates, ring_of_vertex = shapely.get_coordinates(rings, return_index=True)
    is_edge = ring_of_vertex[1:] == ring_of_vertex[:-1]
    start, end = coordinates[:-1][is_edge], coordinates[1:][is_edge]
    ring_of_edge = ring_of_vertex[1:][is_edge]
    first = coordinates[numpy.flatnonzero(numpy.append(True, ~is_edge)[: len(coordinates)])[ring_of_edge], 1]
    if len(start) and numpy.abs(end[:, 1] - start[:, 1]).max() > _LONGEST_EDGE_DEGREES:
        raise InvalidGeometry("图形有一条边跨越的纬度超过 30 度，面积无法保证精度。请检查该图形的坐标。")
    east = numpy.radians(end[:, 0] - start[:, 0])
    below = east * _mean_authalic(start[:, 1], end[:, 1], first)
    return numpy.bincount(ring_of_edge, weights=below, minlength=len(rings))


def _mean_authalic(start: numpy.ndarray, end: numpy.ndarray, reference: numpy.ndarray) -> numpy.ndarray:
    """Mean along each edge of the area, per radian of longitude, between the reference latitude and the edge."""
    middle, half = (start - reference) + (end - start) / 2, (end - start) / 2
    mean, phi0 = numpy.zeros(len(start)), numpy.radians(reference)
    s0 = numpy.sin(phi0)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        mean += weight / 2 * _authalic_from(phi0, s0, numpy.radians(middle + half * node))
    return mean


def _authalic_from(phi0: numpy.ndarray, s0: numpy.ndarray, dphi: numpy.ndarray) -> numpy.ndarray:
    """q(phi0 + dphi) - q(phi0) in m² per radian, in radians, `s0` the sine of phi0, written without cancellation."""
    s = numpy.sin(phi0 + dphi)
    ds = 2 * numpy.cos(phi0 + dphi / 2) * numpy.sin(dphi / 2)
    rational = ds * (1 + _E2 * s * s0) / ((1 - _E2 * s * s) * (1 - _E2 * s0 * s0))
    logarithmic = numpy.arctanh(_E * ds / (1 - _E2 * s * s0)) / _E
    return _HALF_B2 * (rational + logarithmic)
