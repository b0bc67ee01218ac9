"""Holds: one holder at a time; the refusal names the holder; two at once, one wins."""

import threading

import pytest
from sqlmodel import select

from domain import hold
from domain.case.tables import Case
from domain.errors import Conflict
from domain.hold import PLOT, Hold
from tests.domain.ledger_books import new_case, working


def cases(database, count=2):
    with working(database) as work:
        return [new_case(work).id for _ in range(count)]


def test_a_second_case_is_told_the_holder_and_takes_nothing(database):
    first, second = cases(database)
    with working(database) as work:
        hold.take(work, work.session.get(Case, first), PLOT, ["A", "B"], "reserved")
    with working(database) as work:
        number = work.session.get(Case, first).draft_number
    with pytest.raises(Conflict, match=f"B 已被办件 {number} 预占（自 "), working(database) as work:
        hold.take(work, work.session.get(Case, second), PLOT, ["B", "C"], "reserved")
    with database.reading() as session:
        assert hold.marks_of(session) == {"A": "reserved", "B": "reserved"}


def test_what_is_released_may_be_taken_again_and_the_history_stays(database):
    first, second = cases(database)
    with working(database) as work:
        hold.take(work, work.session.get(Case, first), PLOT, ["A", "B"], "reserved")
        assert hold.release(work, work.session.get(Case, first), PLOT, ["A"]) == 1
        hold.take(work, work.session.get(Case, second), PLOT, ["A"], "reserved")
    with database.reading() as session:
        rows = session.exec(select(Hold).where(Hold.object_key == "A").order_by(Hold.id)).all()
    assert [(row.case_id, row.ended_at is None) for row in rows] == [(first, False), (second, True)]


def test_holds_are_passed_on_under_another_mark_only_by_their_holder(database):
    first, second = cases(database)
    with working(database) as work:
        holder, other = work.session.get(Case, first), work.session.get(Case, second)
        hold.take(work, holder, PLOT, ["A"], "stored")
        hold.pass_on(work, holder, other, PLOT, ["A"], "used")
    with database.reading() as session:
        assert hold.holders(session, PLOT, ["A"])["A"].case_id == second
        assert hold.marks_of(session) == {"A": "used"}
    with pytest.raises(Conflict, match="已不在办件"), working(database) as work:
        hold.pass_on(work, work.session.get(Case, first), work.session.get(Case, second), PLOT, ["A"], "used")


def test_giving_up_releases_what_is_reserved_and_keeps_what_is_stored(database):
    from domain.case import ending

    [one] = cases(database, 1)
    with working(database) as work:
        case = work.session.get(Case, one)
        hold.take(work, case, PLOT, ["A"], "reserved")
        hold.take(work, case, PLOT, ["B"], "stored")
        ending.release(work, case, "withdrawn")
    with database.reading() as session:
        assert hold.marks_of(session) == {"B": "stored"}


@pytest.mark.function("LAND-060", "occupied_refused")
def test_of_two_cases_at_once_one_wins_and_the_other_is_told_the_holder(database):
    """Both start together; the keys are given in opposite orders, so that waiting for each other would show."""
    ids, barrier, told = cases(database), threading.Barrier(2), {}
    keys = [f"P{n:03d}" for n in range(40)]

    def attempt(case_id, wanted):
        barrier.wait()
        try:
            with working(database) as work:
                hold.take(work, work.session.get(Case, case_id), PLOT, wanted, "reserved")
            told[case_id] = "won"
        except Conflict as refusal:
            told[case_id] = refusal.message

    threads = [threading.Thread(target=attempt, args=pair) for pair in zip(ids, (keys, keys[::-1]), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(word == "won" for word in told.values()) == [False, True]
    winner = next(case_id for case_id, word in told.items() if word == "won")
    with database.reading() as session:
        assert {row.case_id for row in session.exec(select(Hold)).all()} == {winner}
        code = session.get(Case, winner).draft_number
    assert code in next(word for word in told.values() if word != "won")
