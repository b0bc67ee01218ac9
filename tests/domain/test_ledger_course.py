"""The course of a plan pool: one point a day, with the warning line that what was stored had set by then."""

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from domain.actor import SYSTEM
from domain.errors import NotFound
from domain.ledger.course import course
from tests.domain.ledger_books import QINGPU, YEAR, opened, stored, used, working


@pytest.mark.function("LAND-069", "warning_line_computed")
def test_the_line_steps_with_what_is_stored_and_a_day_is_one_point(database):
    acts = ((3, stored, "60"), (3, stored, "40"), (5, used, "91"), (7, stored, "1"), (9, stored, "1"))
    with working(database) as work:
        opened(work, QINGPU, "1000")
        for month, act, amount in acts:
            act(dataclasses.replace(work, at=datetime(YEAR, month, 10, 4, tzinfo=UTC)), amount)
    with database.reading() as session:
        points = course(session, SYSTEM, QINGPU, YEAR)
    assert [(p.on, p.remaining_m2, p.stored_m2, p.added_m2, p.line_m2) for p in points] == [
        (date(YEAR, 3, 10), 100, 100, 100, 10), (date(YEAR, 5, 10), 9, 100, 0, 10),
        (date(YEAR, 7, 10), 10, 101, 1, Decimal("10.1")), (date(YEAR, 9, 10), 11, 102, 1, Decimal("10.2")),
    ]


def test_a_pool_in_which_nothing_was_stored_has_no_course_and_others_are_not_told(database, person):
    with database.reading() as session:
        assert course(session, SYSTEM, QINGPU, YEAR) == []
        with pytest.raises(NotFound, match="查阅范围"):
            course(session, person("district_handler", district="310115"), QINGPU, YEAR)
