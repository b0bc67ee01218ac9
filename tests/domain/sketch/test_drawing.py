"""Reading drawings: rings and holes, tables, and what is refused in words."""

from decimal import Decimal

import pytest
import shapely

from domain.area import area_m2
from domain.errors import InvalidData
from domain.measuring import measure
from domain.sketch import measures_of, parts_of, read_drawing, text_of

SQUARE = "121.06,31.06\n121.07,31.06\n121.07,31.07\n121.06,31.07"
INNER = "121.062,31.062\n121.068,31.062\n121.068,31.068\n121.062,31.068"
INMOST = "121.064,31.064\n121.066,31.064\n121.065,31.066"
AWAY = "121.08,31.06\n121.09,31.06\n121.09,31.07"


def test_a_ring_inside_another_is_its_hole_whatever_the_order():
    outer, hole = shapely.box(121.06, 31.06, 121.07, 31.07), shapely.box(121.062, 31.062, 121.068, 31.068)
    for text in (f"{SQUARE}\n\n{INNER}", f"{INNER}\n\n{SQUARE}"):
        assert shapely.equals(read_drawing(text, "polygon"), outer.difference(hole))


def test_an_island_in_a_hole_and_a_ring_outside_are_parts():
    found = read_drawing(f"{SQUARE}\n\n{INNER}\n\n{INMOST}\n\n{AWAY}", "polygon")
    assert len(found.geoms) == 3 and sorted(len(part.interiors) for part in found.geoms) == [0, 0, 1]


def test_the_text_of_a_drawing_draws_the_very_same():
    for text, kind in ((f"{SQUARE}\n\n{INNER}", "polygon"), (f"{AWAY}\n\n{SQUARE}", "line"), (AWAY, "point"),
                       ("3442000.123,40605000.456\n3442100,40605000\n3442100,40605100", "polygon")):
        drawn = read_drawing(text, kind)
        assert shapely.equals_exact(read_drawing(text_of(drawn), kind), drawn, 0) and read_drawing(text_of(drawn), kind).wkb == drawn.wkb


def test_a_table_with_head_numbers_and_a_closing_point_is_read():
    table = "点号\tX\tY\nJ1\t3442000\t40605000\nJ2\t3442100\t40605000\nJ3\t3442100\t40605100\nJ1\t3442000\t40605000"
    plain = "3442000,40605000\n3442100,40605000\n3442100,40605100"
    assert shapely.equals(read_drawing(table, "polygon"), read_drawing(plain, "polygon"))


def test_area_is_that_of_decisions_and_length_that_of_measuring():
    found, ring = measures_of(read_drawing(SQUARE, "polygon")), measure(parts_of(read_drawing(SQUARE, "polygon"))[0], is_ring=True)
    assert (found.points, found.area_m2, found.length_m) == (4, area_m2(shapely.box(121.06, 31.06, 121.07, 31.07)), ring.length_m)
    with_hole = measures_of(read_drawing(f"{SQUARE}\n\n{INNER}", "polygon"))
    assert with_hole.length_m > found.length_m and with_hole.area_m2 < found.area_m2
    assert measures_of(read_drawing(AWAY, "point")).length_m == Decimal("0.000")


@pytest.mark.parametrize(("text", "kind", "words"), [
    ("121.06,31.06\n121.07,31.07\n121.07,31.06\n121.06,31.07", "polygon", "自相交"),
    ("121.06,31.06\n121.07,31.07", "polygon", "至少要 3 个"), ("121.06,31.06\n121.06,31.06", "line", "至少要 2 个"), ("", "polygon", "还没有坐标"),
    ("121.06,31.06\nx,y", "line", "第 2 行"), ("31.06,121.06\n31.07,121.06", "line", "第 1 行"), ("12.06,31.06", "point", "不在上海"),
    (f"{SQUARE}\n\n{SQUARE}", "polygon", "重复"), (f"{SQUARE}\n\n121.065,31.065\n121.08,31.065\n121.08,31.08", "polygon", "相交"),
    (SQUARE, "circle", "面、线还是点"), ("121.06,31.06\n" * 5001, "point", "超过 5000"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused_in_words(text, kind, words):
    with pytest.raises(InvalidData, match=words) as fault:
        read_drawing(text, kind)
    assert fault.value.fields
