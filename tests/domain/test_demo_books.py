"""The demo books tell a year: districts in every state, cases at every step, and books that hold."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from domain import portal_clock
from domain.actor import SYSTEM
from domain.case.tables import Case
from domain.demo import books, people, space
from domain.ledger import LedgerFreeze, LedgerPosting, WarningState, plan_state
from domain.ledger.check import check
from domain.portal_clock import today
from portal.demo import load_part

QINGPU, PUDONG, CHONGMING, LINGANG = "310118", "310115", "310151", "310100LG"


@pytest.fixture
def told(database):
    for name, loader in (("people", people.load), ("space", space.load), ("books", books.load)):
        with database.writing() as session:
            load_part(session, SYSTEM, name, loader)
    return database


def test_the_demo_shows_every_state_of_the_books(told):
    with told.reading() as session:
        year = today(session).year
        states = {area: plan_state(session, area, year) for area in (QINGPU, PUDONG, CHONGMING, LINGANG)}
        stopped = session.exec(select(WarningState.area_code).where(WarningState.is_stopped)).all()
        frozen = session.exec(select(LedgerFreeze).where(LedgerFreeze.state == "active")).all()
        cases = session.exec(select(Case)).all()
        booked = session.exec(select(LedgerPosting.booked_on).where(LedgerPosting.case_id.is_not(None))).all()
        unsound = [each.label for each in check(session) if not each.ok]
    assert unsound == []
    assert stopped == [CHONGMING]
    assert states[QINGPU].frozen_m2 > 0 and len(frozen) == 2 and states[PUDONG].frozen_m2 == 0
    assert states[PUDONG].remaining_m2 > states[PUDONG].stored_m2 / 2
    assert states[LINGANG].stored_m2 == 0, "临港 files its plan in the browser journeys"
    standing = {case.steps or case.outcome for case in cases}
    assert standing == {"granted", "refused", "apply", "district_review", "city_review", "bureau_review", "chief", "city"}
    assert all(case.is_demo and "样例" in case.title for case in cases)
    assert booked == sorted(booked) and booked[-1] <= today()


def test_no_other_database_is_given_another_time(database):
    with database.reading() as session:
        session.info["office"] = None
        with pytest.raises(ValueError, match="only a demo"), portal_clock.at_moment(session, datetime(2026, 1, 1, tzinfo=UTC)):
            raise AssertionError("time was turned back")
