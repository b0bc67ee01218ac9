"""The small scales of the map: dissolved by group, without gaps that can be seen, and small however many plots there are."""

import numpy
import pytest
import shapely

from domain import map_legend
from domain.area import area_m2
from domain.layer import FeatureData
from domain.map_drawing import FIRST_ZOOM, dissolved, draw
from domain.map_legend import BY_KEY, DENSE_DETAIL_ZOOM, DETAIL_ZOOM, read_legend
from domain.map_tile import EXTENT, tiles_over
from tests.domain.test_map_tile import read_tile

LAND = BY_KEY["land_use"]
SIDE = 2.0**-8
WEST, SOUTH = 121.0, 31.0


def plots(count, codes=("0101", "1101")):
    """A square of count × count plots, their classes in stripes of four columns."""
    boxes = [
        (column, shapely.box(WEST + column * SIDE, SOUTH + row * SIDE, WEST + (column + 1) * SIDE, SOUTH + (row + 1) * SIDE))
        for column in range(count) for row in range(count)
    ]
    return [
        FeatureData(f"P-{number}", "310118", codes[column // 4 % len(codes)], area_m2(box), box)
        for number, (column, box) in enumerate(boxes)
    ]


def drawn_at(zoom, features):
    return [each for each in draw(LAND, features) if each.tile.zoom == zoom]


def test_plots_that_look_alike_are_one_polygon():
    kinds, shapes = dissolved(LAND, plots(8))
    assert kinds == [("paddy", "310118"), ("water", "310118")] and shapely.get_num_geometries(shapes).tolist() == [1, 1]
    assert float(shapely.area(shapes).sum()) == pytest.approx((8 * SIDE) ** 2, rel=1e-12)


def test_districts_are_kept_apart():
    mine, other = plots(4, ("0101",)), [FeatureData("Q", "310115", "0101", each.area_m2, each.geometry) for each in plots(4, ("0101",))]
    assert dissolved(LAND, mine + other)[0] == [("paddy", "310115"), ("paddy", "310118")]


@pytest.mark.parametrize("zoom", range(FIRST_ZOOM, DETAIL_ZOOM))
def test_every_small_scale_covers_the_plots_without_a_visible_gap(zoom, tmp_path):
    features = plots(32)
    covered = 0.0
    for number, each in enumerate(drawn_at(zoom, features)):
        shapes, columns = read_tile(each.content, each.tile, "land_use", tmp_path / str(number))
        assert set(columns["group"]) <= {"paddy", "water"}
        square = shapely.box(0, 0, EXTENT, EXTENT)
        covered += sum(float(shapely.area(shapely.intersection(shapely.make_valid(shape), square))) for shape in shapes)
    corners = numpy.array([[WEST, SOUTH], [WEST + 32 * SIDE, SOUTH + 32 * SIDE]])
    (left, bottom), (right, top) = next(tiles_over((WEST, SOUTH, WEST, SOUTH), zoom)).units(corners)
    dot = EXTENT / 256
    assert covered == pytest.approx((right - left) * (bottom - top), abs=2 * dot * (right - left + bottom - top))


def test_a_drawing_is_as_small_for_many_plots_as_for_few():
    few, many = (sum(len(each.content) for each in drawn_at(9, plots(count, ("0101",)))) for count in (16, 64))
    assert many < 4 * few


def test_what_is_smaller_than_a_dot_is_left_out():
    lone = FeatureData("S", "310118", "0101", area_m2(shapely.box(121, 31, 121.0001, 31.0001)), shapely.box(121, 31, 121.0001, 31.0001))
    assert drawn_at(FIRST_ZOOM, [lone]) == [] and list(draw(LAND, [])) == []


def test_a_dense_layer_is_dissolved_one_zoom_further(monkeypatch):
    assert {each.tile.zoom for each in draw(LAND, plots(8))} == set(range(FIRST_ZOOM, DETAIL_ZOOM))
    monkeypatch.setattr(map_legend, "FEW", 63)
    assert {each.tile.zoom for each in draw(LAND, plots(8))} == set(range(FIRST_ZOOM, DENSE_DETAIL_ZOOM))


def test_the_same_plots_are_drawn_the_same():
    features = plots(8)
    assert list(draw(LAND, features)) == list(draw(LAND, features))


def test_every_layer_of_the_legend_has_a_last_group_for_the_rest():
    for layer in read_legend():
        other = FeatureData("X", "310118", "9999", area_m2(shapely.box(121, 31, 121.01, 31.01)), shapely.box(121, 31, 121.01, 31.01), status="新状态")
        assert layer.group_of(other) == layer.groups[-1].key
