"""Areas: against geodesic areas of densified edges, the closed form of the ellipsoid, and areal scale
factors.
"""

import math
from decimal import Decimal

import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.area import area_m2, areas_m2, rounded_m2, sum_m2, unrounded_areas_m2
from domain.geometry import CrsMismatch, InvalidGeometry
from domain.projection import to_storage, zone_system

CGCS2000 = pyproj.Geod(a=6378137.0, f=1 / 298.257222101)


def geodesic_area(polygon: shapely.Polygon, step: float) -> float:
    """Karney's geodesic area after cutting the straight edges so short that geodesics follow them."""
    return abs(CGCS2000.geometry_area_perimeter(shapely.segmentize(polygon, step))[0])


@pytest.mark.parametrize(
    ("corners", "step", "relative"),
    [
        ([(121.0, 31.0), (121.001, 31.0), (121.001, 31.001), (121.0, 31.0012)], 1e-5, 1e-8),
        ([(121.4, 31.1), (121.47, 31.13), (121.45, 31.22), (121.38, 31.19)], 1e-5, 1e-9),
        ([(121.0, 31.0), (122.0, 31.0003), (121.9998, 32.0), (121.0, 31.9999)], 5e-5, 1e-10),
        ([(100.0, -10.0), (120.0, -9.5), (119.0, 20.0), (101.0, 19.0)], 5e-4, 1e-10),
    ],
)
def test_area_equals_geodesic_area_of_densified_edges(corners, step, relative):
    polygon = shapely.Polygon(corners)
    assert unrounded_areas_m2([polygon])[0] == pytest.approx(geodesic_area(polygon, step), rel=relative)


def test_zone_of_the_ellipsoid_has_its_closed_form_area():
    a, f = 6378137.0, 1 / 298.257222101
    e, b, s = math.sqrt(f * (2 - f)), a * (1 - f), math.sin(math.radians(30))
    closed_form = math.pi * b * b * (s / (1 - e * e * s * s) + math.atanh(e * s) / e)
    assert unrounded_areas_m2([shapely.box(-180, 0, 180, 30)])[0] == pytest.approx(closed_form, rel=1e-15)


@pytest.mark.parametrize(("zone", "east_m"), [(40, 40_605_000), (41, 41_366_600)])
def test_surveyed_rectangle_has_plane_area_less_areal_scale(zone, east_m):
    rectangle = shapely.box(east_m, 3_442_000, east_m + 100, 3_442_200)
    crs = pyproj.CRS.from_epsg(zone_system(zone).srid)
    to_degrees = pyproj.Transformer.from_crs(crs, 4490, always_xy=True)
    scale = pyproj.Proj(crs).get_factors(*to_degrees.transform(east_m + 50, 3_442_100)).areal_scale
    converted = to_storage(rectangle, zone_system(zone))
    assert float(area_m2(converted)) == pytest.approx(20_000 / scale, abs=0.01)


def test_hole_and_parts_are_counted_once():
    outer, inner, far = (
        shapely.box(121, 31, 121.01, 31.01),
        shapely.box(121.002, 31.002, 121.004, 31.004),
        shapely.box(121.5, 31, 121.51, 31.01),
    )
    with_hole = shapely.difference(outer, inner)
    together = shapely.MultiPolygon([with_hole, far])
    whole, hole, part = unrounded_areas_m2([outer, inner, far])
    assert unrounded_areas_m2([together])[0] == pytest.approx(whole - hole + part, abs=1e-6)


def test_direction_and_start_of_ring_do_not_matter():
    polygon = shapely.Polygon([(121.1, 31.1), (121.13, 31.12), (121.12, 31.16), (121.08, 31.14)])
    coordinates = list(polygon.exterior.coords)[:-1]
    turned = shapely.Polygon((coordinates[2:] + coordinates[:2])[::-1])
    assert area_m2(turned) == area_m2(polygon)


@settings(max_examples=60, deadline=None)
@given(
    west=st.floats(120.8, 122.0), south=st.floats(30.7, 31.8), size=st.floats(1e-4, 5e-2), share=st.floats(0.05, 0.95),
    slope=st.floats(-0.5, 0.5),
)  # fmt: skip
def test_parts_of_a_split_polygon_add_up_to_the_whole(west, south, size, share, slope):
    whole = shapely.box(west, south, west + size, south + size)
    cut = [
        (west + share * size - slope * size * 0.09, south),
        (west + share * size + slope * size * 0.09, south + size),
    ]
    left = shapely.Polygon([(west, south), cut[0], cut[1], (west, south + size)])
    right = shapely.Polygon([cut[0], (west + size, south), (west + size, south + size), cut[1]])
    total, *parts = unrounded_areas_m2([whole, left, right])
    assert sum(parts) == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize(
    ("value", "rounded"), [(0.005, "0.01"), (0.00499999, "0.00"), (2.675, "2.67"), (10.015625, "10.02")]
)
def test_rounding_is_half_up_on_the_exact_double(value, rounded):
    assert rounded_m2(value) == Decimal(rounded)


def test_points_lines_and_empty_geometry_have_no_area():
    mixed = shapely.GeometryCollection(
        [shapely.Point(121, 31), shapely.LineString([(121, 31), (121.1, 31.1)])]
    )
    assert areas_m2([mixed, shapely.Polygon(), shapely.Point(121, 31)]) == [Decimal("0.00")] * 3
    nested = shapely.GeometryCollection(
        [mixed, shapely.MultiPolygon([shapely.box(121, 31, 121.001, 31.001)])]
    )
    assert area_m2(nested) == area_m2(shapely.box(121, 31, 121.001, 31.001))


def test_sum_of_nothing_still_has_two_decimals():
    assert str(sum_m2([])) == "0.00"


def test_projected_coordinates_are_refused():
    with pytest.raises(CrsMismatch, match="EPSG:4490"):
        area_m2(shapely.box(40_605_000, 3_442_000, 40_605_100, 3_442_100))


def test_coordinates_that_are_no_numbers_are_refused():
    with pytest.raises(InvalidGeometry, match="不是数值"):
        area_m2(shapely.Polygon([(121, 31), (121.1, math.nan), (121.1, 31.1), (121, 31)]))


def test_edge_longer_than_the_quadrature_is_refused():
    with pytest.raises(InvalidGeometry, match="30 度"):
        area_m2(shapely.Polygon([(121, -10), (122, -10), (122, 31)]))
