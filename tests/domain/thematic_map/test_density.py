"""Dots and densities: how many, where, and that the kernel adds up to what lies there."""

from decimal import Decimal

import numpy
import pytest
import shapely

from domain.layer import FeatureData
from domain.thematic_map.density import kernel_density, strewn
from domain.thematic_map.selection import Placed


def placed(shape, area="1"):
    return Placed(FeatureData("k", "310118", "0101", Decimal(area), shape), shape, Decimal(area))


SQUARES = [placed(shapely.box(121 + step / 100, 31, 121.008 + step / 100, 31.008)) for step in range(10)]


def test_as_many_dots_as_the_whole_holds_and_every_one_in_its_feature():
    amounts = [Decimal("3.3")] * 10
    places = strewn(SQUARES, amounts, Decimal(1), 1)
    assert len(places) == 33
    inside = [sum(shapely.contains_xy(each.geometry, places[:, 0], places[:, 1])) for each in SQUARES]
    assert sum(inside) == 33 and set(inside) <= {3, 4}


def test_the_same_map_has_the_same_dots():
    amounts = [Decimal(5)] * 10
    assert numpy.array_equal(strewn(SQUARES, amounts, Decimal(1), 7), strewn(SQUARES, amounts, Decimal(1), 7))


def test_a_sliver_that_is_never_met_still_gets_its_dots():
    sliver = placed(shapely.Polygon([(121, 31), (121.1, 31.1), (121.1, 31.1000001)]))
    assert len(strewn([sliver], [Decimal(3)], Decimal(1), 1)) == 3


def test_a_density_adds_up_to_what_lies_there():
    """The integral of the kernel over the ground is the amount itself."""
    extent = shapely.box(120.9, 30.9, 121.3, 31.2)
    surface = kernel_density(SQUARES, [2.0] * 10, extent, Decimal(3000))
    assert surface.values.sum() * surface.cell_m**2 / 1_000_000 == pytest.approx(20.0, rel=0.01)


def test_what_is_above_a_level_shrinks_as_the_level_rises():
    extent = shapely.box(120.95, 30.95, 121.15, 31.06)
    surface = kernel_density(SQUARES, [1.0] * 10, extent, Decimal(2000))
    areas = [surface.above(surface.highest * share).area for share in (0.1, 0.4, 0.8)]
    assert areas == sorted(areas, reverse=True) and areas[2] > 0
    assert shapely.covers(extent.buffer(1e-9), surface.above(surface.highest * 0.1))
