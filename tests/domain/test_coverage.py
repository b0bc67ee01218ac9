"""Coverages: faces share their edges vertex by vertex, and merging keeps the area."""

import numpy
import shapely

from domain.coverage import GRID_DEGREES, faces_of, merged, shared_edges

LINES = [
    shapely.LineString([(0, 0), (3, 0), (3, 1), (0, 1), (0, 0)]),
    shapely.LineString([(1, -0.5), (1.1, 1.5)]),
    shapely.LineString([(2, -0.5), (1.9, 1.5)]),
]


def test_lines_become_faces_in_order_and_dangles_are_dropped():
    faces = faces_of(LINES)
    assert len(faces) == 3 and abs(shapely.area(faces).sum() - 3) < 1e-9
    assert [round(face.bounds[0]) for face in faces] == [0, 1, 2]
    assert shapely.coverage_is_valid(faces)


def test_every_coordinate_lies_on_the_grid_and_midpoints_are_exact():
    coordinates = shapely.get_coordinates(faces_of(LINES))
    assert (coordinates / GRID_DEGREES == numpy.round(coordinates / GRID_DEGREES)).all()
    first, second = coordinates[0], coordinates[1]
    middle = (first + second) / 2
    assert ((middle - first) == (second - middle)).all()


def test_shared_edges_name_neighbours_and_length():
    first, second, length = shared_edges(faces_of(LINES))
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 1), (1, 2)]
    assert all(abs(value - (1 + 0.05**2) ** 0.5) < 1e-9 for value in length)


def test_polygons_without_common_edge_have_no_pairs():
    first, second, length = shared_edges(numpy.array([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)]))
    assert len(first) == len(second) == len(length) == 0


def test_merging_joins_groups_and_leaves_out_negative_ones():
    united = merged(faces_of(LINES), numpy.array([7, 7, -1]))
    assert list(united) == [7] and abs(united[7].area - 2) < 0.1
