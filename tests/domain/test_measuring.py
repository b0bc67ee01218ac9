"""Measuring on the map: lengths of geodesics against closed forms and other people's figures, the one area, typed coordinates."""

import math
from decimal import Decimal

import numpy
import pytest
import shapely

from domain.area import FLATTENING, SEMI_MAJOR_AXIS_M, area_m2
from domain.errors import InvalidData
from domain.measuring import MOST_POINTS, measure, read_point, read_points
from domain.projection import from_storage, zone_system

MILLIMETRE = 0.001


def meridian_m(south, north):
    """The arc of the meridian between two latitudes by numerical integration of its radius of curvature."""
    e2 = FLATTENING * (2 - FLATTENING)
    nodes, weights = numpy.polynomial.legendre.leggauss(20)
    half = math.radians(north - south) / 2
    latitude = math.radians((north + south) / 2) + half * nodes
    radius = SEMI_MAJOR_AXIS_M * (1 - e2) / (1 - e2 * numpy.sin(latitude) ** 2) ** 1.5
    return float((radius * weights).sum() * half)


def test_along_the_equator_the_length_is_that_of_a_circle():
    length = measure([(120.0, 0.0), (120.1, 0.0)]).length_m
    assert abs(float(length) - SEMI_MAJOR_AXIS_M * math.radians(0.1)) <= MILLIMETRE


@pytest.mark.parametrize("kilometres", [0.1, 1, 10, 100])
def test_along_a_meridian_the_length_is_the_integral_of_the_curvature(kilometres):
    north = 31.2 + kilometres / 110.9
    length = measure([(121.5, 31.2), (121.5, north)]).length_m
    assert abs(float(length) - meridian_m(31.2, north)) <= MILLIMETRE


def test_on_the_central_meridian_the_plane_of_the_zone_keeps_the_length():
    """The Gauss–Krüger plane is true to scale there; proj made its coordinates, not the geodesic."""
    ends = shapely.LineString([(120.0, 31.0), (120.0, 31.09)])
    plane = from_storage(ends, zone_system(40)).length
    assert abs(float(measure(list(ends.coords)).length_m) - plane) <= MILLIMETRE


def test_a_way_is_the_sum_of_its_legs_and_a_ring_is_closed():
    corners = [(121.0, 31.0), (121.01, 31.0), (121.01, 31.01)]
    way, ring = measure(corners), measure(corners, is_ring=True)
    assert len(way.legs_m) == 2 and way.length_m == sum(way.legs_m) and way.area_m2 is None
    assert len(ring.legs_m) == 3 and ring.legs_m[:2] == way.legs_m and ring.area_m2 == area_m2(shapely.Polygon(corners))


@pytest.mark.parametrize(("points", "is_ring", "words"), [
    ([(121.0, 31.0)], False, "有 1 个点"), ([(121.0, 31.0), (121.1, 31.0)], True, "有 2 个点"),
    ([(121.0, 31.0)] * (MOST_POINTS + 1), False, f"2 至 {MOST_POINTS}"),
    ([(0, 0), (1, 1), (1, 0), (0, 1)], True, "自相交"),
])
def test_what_cannot_be_measured_is_refused(points, is_ring, words):
    with pytest.raises(InvalidData, match=words):
        measure(points, is_ring)


@pytest.mark.parametrize("text", ["121.1,31.2", " 121.1， 31.2 ", "１２１.１ 31.2", "121.1°E　31.2°N"])
def test_degrees_are_read_in_every_writing(text):
    assert read_point(text) == (121.1, 31.2)


@pytest.mark.parametrize("zone", [40, 41])
def test_surveyed_metres_with_their_zone_are_read(zone):
    placed = from_storage(shapely.Point(121.1, 31.2), zone_system(zone))
    x, y = read_point(f"{placed.y:.4f},{placed.x:.4f}")
    assert (x, y) == (pytest.approx(121.1, abs=2e-9), pytest.approx(31.2, abs=2e-9))


@pytest.mark.parametrize("text", ["", "121.1", "甲,乙", "31.2,121.1", "3442000,605000", "40605000,3442000", "1,2,3", "nan,1"])
def test_other_coordinates_are_refused(text):
    with pytest.raises(InvalidData):
        read_point(text)


def test_a_fault_names_its_line():
    assert read_points("121.1,31.1\n\n121.2,31.1\n") == [(121.1, 31.1), (121.2, 31.1)]
    with pytest.raises(InvalidData, match="第 3 行"):
        read_points("121.1,31.1\n\nJ1\n")


def test_lengths_are_decimals_of_a_millimetre():
    assert measure([(121.0, 31.0), (121.0, 31.1)]).length_m == Decimal("11087.032")
