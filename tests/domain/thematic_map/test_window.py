"""Scale, coordinates and north on paper, against geodesics computed by pyproj."""

import numpy
import pyproj
import pytest
import shapely

from domain.thematic_map.window import Box, open_window, round_scale, scale_bar, ticks

ELLIPSOID = pyproj.Geod(ellps="GRS80")
CITY = shapely.box(120.86, 30.68, 122.12, 31.87)
TOWN = shapely.box(121.05, 31.08, 121.13, 31.14)
PAGE = Box(16, 33, 200, 147)


@pytest.mark.parametrize(("extent", "tolerance"), [(CITY, 1e-4), (TOWN, 1e-6)])
def test_a_millimetre_on_paper_is_what_the_scale_says(extent, tolerance):
    """Between points of the window in every direction; about the middle meridian the projection is true."""
    window = open_window(extent, PAGE)
    west, south, east, north = extent.bounds
    middle = (west + east) / 2
    for start, end in (((middle, south), (middle, north)), ((west, (south + north) / 2), (middle, (south + north) / 2)), ((west, south), (east, north))):
        on_paper = numpy.hypot(*numpy.diff(window.places(numpy.array([start, end])), axis=0)[0])
        on_ground = ELLIPSOID.inv(*start, *end)[2]
        assert on_paper / 1000 * window.denominator == pytest.approx(on_ground, rel=tolerance)


def test_the_scale_bar_is_as_long_as_it_says():
    for denominator in (2_000, 80_000, 1_000_000):
        bar = scale_bar(denominator, 46)
        assert bar.part_mm * denominator / 1000 == pytest.approx(bar.part_m) and 10 < bar.part_mm * bar.parts <= 46


def test_the_extent_fits_and_a_larger_scale_would_not():
    window = open_window(CITY, PAGE)
    assert shapely.covers(PAGE.shape, window.to_paper(CITY))
    needed = window.denominator * max(
        (window.to_paper(CITY).bounds[2] - window.to_paper(CITY).bounds[0]) / PAGE.width, (window.to_paper(CITY).bounds[3] - window.to_paper(CITY).bounds[1]) / PAGE.height
    )
    assert window.denominator / needed < 1.2


@pytest.mark.parametrize(("needed", "round_one"), [(999_999, 1_000_000), (1_000_000, 1_000_000), (1_000_001, 1_100_000), (4_321, 4_500), (81, 85)])
def test_scales_are_round(needed, round_one):
    assert round_scale(needed) == round_one


def test_north_is_up_in_the_middle_and_its_turn_at_the_edge_is_stated():
    window = open_window(CITY, PAGE)
    (x1, y1), (x2, y2) = window.places(numpy.array([[window.projection.meridian, 31.0], [window.projection.meridian, 31.5]]))
    assert x1 == pytest.approx(x2, abs=1e-6) and y2 < y1
    corner = window.degrees(numpy.array([[PAGE.right, PAGE.y]]))[0]
    north_of_corner = window.places(numpy.array([corner, corner + [0, 0.001]]))
    step = numpy.diff(north_of_corner, axis=0)[0]
    turn = abs(numpy.degrees(numpy.arctan2(step[0], -step[1]))) * 60
    assert window.convergence_minutes == pytest.approx(turn, rel=0.02)


@pytest.mark.parametrize("edge", ["top", "bottom", "left", "right"])
def test_coordinates_stand_where_they_belong(edge):
    window = open_window(TOWN, PAGE)
    found = ticks(window, edge)
    assert len(found) >= 3
    for tick in found:
        at = [tick.at, PAGE.y if edge == "top" else PAGE.bottom] if edge in ("top", "bottom") else [PAGE.x if edge == "left" else PAGE.right, tick.at]
        degrees = window.degrees(numpy.array([at]))[0][0 if edge in ("top", "bottom") else 1]
        assert degrees == pytest.approx(tick.degrees, abs=2e-5)
        whole, rest = tick.text[:-1].split("°")
        minutes, _, seconds = rest.partition("′")
        assert degrees == pytest.approx(int(whole) + int(minutes) / 60 + int(seconds.rstrip("″") or 0) / 3600, abs=2e-5)
