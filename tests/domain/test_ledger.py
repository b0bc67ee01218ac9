"""Ledgers: double entry, never negative, frozen area, the warning line."""

from decimal import Decimal

import pytest
from sqlmodel import select

from domain import ledger
from domain.errors import Conflict, InvalidData, NotFound, Refused
from domain.ledger.definition import read
from domain.ledger.tables import LedgerEntry, LedgerPosting, ResourceDetail, WarningChange
from domain.ledger.warning import stopped
from tests.domain.ledger_books import (
    CITY,
    LINGANG,
    PLANNED,
    PUDONG,
    QINGPU,
    YEAR,
    new_case,
    opened,
    stored,
    used,
    working,
)  # fmt: skip


def plan(database, area=QINGPU):
    with database.reading() as session:
        return ledger.plan_state(session, area, YEAR)


def stock(database, measure="remaining", area=QINGPU):
    with database.reading() as session:
        return ledger.balance(session, ledger.AccountKey("stock", area, YEAR, measure))


def test_storing_moves_area_from_stock_to_plan_and_leaves_one_detail(database):
    with working(database) as work:
        opened(work, QINGPU, "1000")
        case = stored(work, "100.01")
    assert (stock(database), stock(database, "total")) == (Decimal("899.99"), Decimal(1000))
    assert (plan(database).stored_m2, plan(database).remaining_m2) == (Decimal("100.01"), Decimal("100.01"))
    with database.reading() as session:
        [row] = session.exec(select(ResourceDetail)).all()
    assert (row.case_id, row.amount, row.scope, row.area_code) == (case.id, Decimal("100.01"), "district", QINGPU)


def test_every_posting_balances_to_zero_and_keeps_running_balances(database):
    with working(database) as work:
        opened(work, QINGPU, "1000")
        stored(work, "100")
        used(work, "40.5")
    with database.reading() as session:
        postings = session.exec(select(LedgerPosting)).all()
        entries = session.exec(select(LedgerEntry)).all()
        state = ledger.plan_state(session, QINGPU, YEAR)
    for posting in postings:
        assert sum(entry.amount for entry in entries if entry.posting_id == posting.id) == 0
    assert state.stored_m2 == state.remaining_m2 + state.used_m2 == Decimal(100)


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "1e30"])
def test_an_amount_that_is_not_exact_or_not_positive_is_refused(database, amount):
    with pytest.raises(InvalidData, match="不能入账"), working(database) as work:
        opened(work, QINGPU, amount)
    assert stock(database) == 0


@pytest.mark.function("LAND-099", "negative_refused")
def test_a_posting_that_would_make_an_account_negative_is_refused_whole(database):
    with working(database) as work:
        opened(work, QINGPU, "100")
    with pytest.raises(Refused, match=r"100\.00 平方米，本次转出 100\.01 平方米，差 0\.01 平方米"), working(database) as work:
        stored(work, "100.01")
    assert (stock(database), plan(database).stored_m2) == (Decimal(100), 0)
    with database.reading() as session:
        assert len(session.exec(select(LedgerPosting)).all()) == 1


def test_the_database_itself_refuses_a_negative_balance(database):
    from sqlalchemy.exc import IntegrityError

    with working(database) as work:
        opened(work, QINGPU, "100")
    with pytest.raises(IntegrityError), working(database) as work:
        row = ledger.account(work.session, ledger.AccountKey("stock", QINGPU, YEAR, "remaining"))
        row.balance = Decimal("-0.01")


def test_the_same_act_is_booked_once(database):
    with working(database) as work:
        opened(work, QINGPU, "1000")
        case = stored(work, "100")
    with pytest.raises(Conflict, match="已经入账"), working(database) as work:
        ledger.post(work, "store", Decimal(100), area=QINGPU, year=YEAR, case=case, detail=PLANNED)
    assert plan(database).stored_m2 == 100


def test_an_unknown_area_has_no_books(database):
    with pytest.raises(NotFound, match="999999"), working(database) as work:
        opened(work, "999999", "1")


def test_a_reversal_restores_every_account_once(database):
    with working(database) as work:
        opened(work, QINGPU, "1000")
        stored(work, "100")
        posting = work.session.exec(select(LedgerPosting).where(LedgerPosting.kind == "store")).one()
        ledger.reverse(work, posting, "更正（样例）")
    assert (stock(database), plan(database).stored_m2, plan(database).remaining_m2) == (1000, 0, 0)
    with database.reading() as session:
        assert session.exec(select(ResourceDetail)).all() == []
    with pytest.raises(Conflict), working(database) as work:
        ledger.reverse(work, work.session.get(LedgerPosting, posting.id), "再次（样例）")


class TestFreezing:
    @pytest.fixture
    def books(self, database):
        with working(database) as work:
            opened(work, QINGPU, "1000")
            stored(work, "100")
        return database

    @pytest.mark.function("LAND-099", "deducted_when_done")
    def test_frozen_area_stays_in_what_remains_until_it_is_used(self, books):
        with working(books) as work:
            case = new_case(work)
            ledger.freeze(work, case, Decimal(30))
        assert (plan(books).remaining_m2, plan(books).frozen_m2, plan(books).available_m2) == (100, 30, 70)
        with working(books) as work:
            ledger.settle(work, case, ledger.Detail("conversion_outflow", paddy_m2=Decimal(10)))
        assert (plan(books).remaining_m2, plan(books).frozen_m2, plan(books).used_m2) == (70, 0, 30)

    @pytest.mark.parametrize(("amount", "passes"), [("69.99", True), ("70", True), ("70.01", False)])
    def test_a_case_freezes_no_more_than_is_available(self, books, amount, passes):
        with working(books) as work:
            ledger.freeze(work, new_case(work), Decimal(30))
            if passes:
                ledger.freeze(work, new_case(work), Decimal(amount))
            else:
                with pytest.raises(Refused, match=r"可用 70\.00 平方米（剩余 100\.00，已冻结 30\.00）.*差 0\.01"):
                    ledger.freeze(work, new_case(work), Decimal(amount))
        assert plan(books).frozen_m2 == 30 + (Decimal(amount) if passes else 0)

    def test_freezing_again_replaces_what_the_case_had_frozen(self, books):
        with working(books) as work:
            case = new_case(work)
            ledger.freeze(work, case, Decimal(90))
            ledger.freeze(work, case, Decimal(95))
        assert plan(books).frozen_m2 == 95

    def test_a_case_that_froze_nothing_cannot_use_anything(self, books):
        with pytest.raises(Conflict, match="没有冻结的面积"), working(books) as work:
            ledger.settle(work, new_case(work), ledger.Detail("nonbuild_outflow"))

    def test_giving_up_lets_go(self, books):
        from domain.case import ending

        with working(books) as work:
            case = new_case(work)
            ledger.freeze(work, case, Decimal(30))
            ending.release(work, case, "terminated")
        assert (plan(books).frozen_m2, plan(books).remaining_m2) == (0, 100)

    @pytest.mark.parametrize(("target", "frozen"), [("apply", 0), ("declare", 0), ("review", 30)])
    def test_returning_to_or_before_the_step_of_the_freeze_lets_go(self, books, target, frozen):
        from domain.case import ending
        from domain.case.tables import Task

        with working(books) as work:
            case = new_case(work, step="apply")
            for step in ("declare", "review"):
                task = Task(case_id=case.id, step=step, role="district_handler", created_at=work.at)
                work.session.add(task)
                work.session.flush()
                if step == "declare":
                    ledger.freeze(work, case, Decimal(30), task=task)
            ending.release_before(work, case, target)
        assert plan(books).frozen_m2 == frozen

    def test_paddy_cannot_exceed_the_farmland(self, books):
        with pytest.raises(InvalidData, match="水田面积"), working(books) as work:
            case = new_case(work)
            ledger.freeze(work, case, Decimal(30))
            ledger.settle(work, case, ledger.Detail("nonbuild_outflow", paddy_m2=Decimal("30.01")))


@pytest.mark.function("LAND-069", "warning_line_computed", "stop", "others_untouched", "resume")
def test_the_line_stops_and_resumes_one_district_by_itself(database):
    """Stored 100, out 91: 9 < 10 stops; supplement 1: 10 < 10.1 still stops; supplement 2: 11 ≥ 10.2 lifts."""
    told = []
    with working(database) as work:
        for area in (QINGPU, PUDONG):
            opened(work, area, "1000")
            stored(work, "100", area)
        for act in (lambda: used(work, "90"), lambda: used(work, "1"), lambda: stored(work, "1"), lambda: stored(work, "1")):
            act()
            told.append(sorted(stopped(work.session, YEAR)))
    assert told == [[], [QINGPU], [QINGPU], []]
    with database.reading() as session:
        log = session.exec(select(WarningChange).order_by(WarningChange.id)).all()
    assert [(row.change, row.remaining, row.line) for row in log] == [
        ("stopped", 9, 10), ("resumed", 11, Decimal("10.2")),
    ]
    assert all(row.decision_id and row.posting_id and row.case_id for row in log)


def test_frozen_area_does_not_stop_a_district(database):
    with working(database) as work:
        opened(work, QINGPU, "1000")
        stored(work, "100")
        ledger.freeze(work, new_case(work), Decimal(95))
        assert stopped(work.session, YEAR) == {}


@pytest.mark.parametrize("kind", ["lend_major", "lend"])
def test_lending_keeps_the_sum_of_city_and_districts(database, kind):
    with working(database) as work:
        opened(work, CITY, "500")
        opened(work, LINGANG, "100")
        ledger.post(work, kind, Decimal(60), area=LINGANG, year=YEAR, case=new_case(work, LINGANG))
    assert (stock(database, area=CITY), stock(database, "turnover", LINGANG), stock(database, "total", LINGANG)) == (440, 60, 160)
    with working(database) as work:
        ledger.post(work, "give_back", Decimal(60), area=LINGANG, year=YEAR, case=new_case(work, LINGANG))
    assert (stock(database, area=CITY), stock(database, "turnover", LINGANG)) == (500, 0)


def test_a_lease_needs_another_district(database):
    with pytest.raises(InvalidData, match="对方区"), working(database) as work:
        ledger.post(work, "lease", Decimal(1), area=QINGPU, other=QINGPU, year=YEAR, case=new_case(work))


@pytest.mark.parametrize(("change", "message"), [
    ({"sign": 1}, "合计不为零"), ({"measure": "nothing"}, "没有账户"), ({"at": "elsewhere"}, "约定的取值"),
])
def test_a_kind_that_does_not_balance_is_refused_at_the_start(change, message):
    import yaml

    from domain.ledger.definition import FILE

    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    outflow = next(kind for kind in document["kinds"] if kind["key"] == "outflow")
    outflow["lines"][0] |= change
    with pytest.raises(ValueError, match=f"outflow.*{message}"):
        read(document)
