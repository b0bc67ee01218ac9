"""Races on one account: several sessions at once never take more than is there, and nothing is lost."""

import threading
from decimal import Decimal

from domain import ledger
from domain.case.tables import Case
from domain.errors import Conflict, Refused
from domain.ledger.check import check
from tests.domain.ledger_books import PLANNED, PUDONG, QINGPU, YEAR, new_case, opened, stored, working


def together(*acts):
    """Run the acts at the same moment; what each raised, or None."""
    barrier, told = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        barrier.wait()
        try:
            act()
        except (Refused, Conflict) as refusal:
            told[place] = type(refusal)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return told


def plan(database):
    with database.reading() as session:
        assert not [outcome for outcome in check(session) if not outcome.ok]
        return ledger.plan_state(session, QINGPU, YEAR)


def books(database, count):
    with working(database) as work:
        for area in (QINGPU, PUDONG):
            opened(work, area, "1000")
        stored(work, "100")
        return [new_case(work).id for _ in range(count)]


def test_only_as_many_freeze_as_there_is_area(database):
    ids = books(database, 4)

    def freezing(case_id):
        def act():
            with working(database) as work:
                ledger.freeze(work, work.session.get(Case, case_id), Decimal(40), year=YEAR)

        return act

    told = together(*map(freezing, ids))
    assert told.count(None) == 2 and told.count(Refused) == 2
    assert plan(database).frozen_m2 == 80


def test_one_act_at_once_is_booked_once(database):
    [case_id] = books(database, 1)

    def storing():
        with working(database) as work:
            ledger.post(work, "store", Decimal(10), area=QINGPU, year=YEAR, case=work.session.get(Case, case_id), detail=PLANNED)

    assert sorted(map(str, together(storing, storing))) == sorted(map(str, [None, Conflict]))
    assert plan(database).stored_m2 == 110


def test_one_freeze_is_used_once(database):
    [case_id] = books(database, 1)
    with working(database) as work:
        ledger.freeze(work, work.session.get(Case, case_id), Decimal(40), year=YEAR)

    def using():
        with working(database) as work:
            ledger.settle(work, work.session.get(Case, case_id), ledger.Detail("nonbuild_outflow"))

    assert together(using, using).count(None) == 1
    assert (plan(database).used_m2, plan(database).frozen_m2) == (40, 0)


def test_opposite_leases_do_not_wait_for_each_other(database):
    first, second = books(database, 2)

    def leasing(case_id, area, other):
        def act():
            with working(database) as work:
                case = work.session.get(Case, case_id)
                ledger.post(work, "lease", Decimal(5), area=area, other=other, year=YEAR, case=case)

        return act

    assert together(leasing(first, QINGPU, PUDONG), leasing(second, PUDONG, QINGPU)) == [None, None]
    plan(database)
