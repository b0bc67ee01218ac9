"""Places of things in the charts of the books: nothing lies outside the drawing, the numbers are those of the books."""

import re
from datetime import date
from decimal import Decimal

import pytest

from domain.ledger.course import CoursePoint
from domain.ledger.statement import AreaBooks
from views.ledger_chart import district_bars, year_course


def point(on, remaining, stored, added="0"):
    stored = Decimal(stored)
    return CoursePoint(on, Decimal(remaining), stored, Decimal(added), stored / 10)


POINTS = (point(date(2026, 2, 10), "1000000", "1000000", "1000000"), point(date(2026, 11, 3), "90000", "1000000"))


def test_the_table_says_the_end_of_every_month_since_the_first_posting():
    rows = year_course(POINTS, 2026, date(2026, 11, 28)).rows
    assert [row[0] for row in rows] == [f"{month} 月" for month in range(2, 12)]
    assert rows[0] == ("2 月", "100.0000", "100.0000", "10.0000") and rows[-1] == ("11 月", "9.0000", "100.0000", "10.0000")


def test_what_is_booked_after_the_year_stands_at_its_end():
    late = point(date(2027, 1, 12), "50000", "1000000")
    drawn = year_course((*POINTS, late), 2026, date(2027, 3, 1))
    assert drawn.rows[-1] == ("12 月", "5.0000", "100.0000", "10.0000") and len(drawn.rows) == 11
    assert all(inside(course) for course in drawn.drawings)


def inside(course):
    """True if every number of the paths lies within the drawing."""
    places = re.findall(r"([MHV])([\d.]+)(?: ([\d.]+))?", course.remaining + course.line)
    return all(
        float(first) <= (course.height if command == "V" else course.width) and float(second or 0) <= course.height
        for command, first, second in places
    )


@pytest.mark.parametrize("stored", ["1", "9999.99", "123456.78", "987654321.09"])
def test_small_and_large_pools_have_a_grid_with_words_that_differ(stored):
    for course in year_course((point(date(2026, 3, 1), stored, stored, stored),), 2026, date(2026, 12, 31)).drawings:
        words = [mark.text for mark in course.grid]
        assert 1 <= len(words) <= 5 and len(set(words)) == len(words) and inside(course)


def test_a_district_without_a_plan_has_no_bar_and_none_at_all_no_chart():
    empty = AreaBooks("310118", {}, Decimal(0), None, None)
    full = AreaBooks("310115", {("plan", "total"): Decimal(100), ("plan", "remaining"): Decimal(40)}, Decimal(10), Decimal(10), None)
    assert district_bars([empty]) is None
    desk, phone = district_bars([empty, full]).drawings
    for bars in (desk, phone):
        [bar] = bars.rows
        assert bars.left + bar.stored <= bars.width
        assert bar.frozen < bar.remaining < bar.stored and bar.line == pytest.approx(bar.stored / 10, abs=0.1)
