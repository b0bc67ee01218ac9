"""对账: sound books pass, every kind of damage is found; random books always stay sound."""

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from domain import hold, ledger
from domain.case.tables import Case
from domain.errors import PortalError
from domain.ledger.check import check
from domain.ledger.warning import stopped
from tests.domain.ledger_books import (
    CITY,
    PUDONG,
    QINGPU,
    YEAR,
    new_case,
    opened,
    stored,
    used,
    working,
)
from tests.domain.plot_layer import farmland, load, number

AREAS = (QINGPU, PUDONG)


def faulty(database):
    with database.reading() as session:
        return {outcome.key for outcome in check(session) if not outcome.ok}


@pytest.fixture
def books(database):
    load(database, [farmland(1, QINGPU, "1000"), farmland(2, QINGPU, "5")])
    with working(database) as work:
        case = stored(work, "100")
        used(work, "40")
        ledger.freeze(work, new_case(work), Decimal(10))
        hold.take(work, case, hold.PLOT, [number(1)], "reserved")
    return database


def test_sound_books_pass_and_everything_was_looked_at(books):
    with books.reading() as session:
        outcomes = {outcome.key: outcome for outcome in check(session)}
    assert not faulty(books)
    assert outcomes["balanced"].checked == 3 and outcomes["details"].checked == 2 and outcomes["marks"].checked == 1


@pytest.mark.parametrize(("damage", "found"), [
    ("UPDATE ledger_entry SET amount = amount + 1 WHERE id = (SELECT max(id) FROM ledger_entry)", {"balanced", "totals"}),
    ("UPDATE ledger_account SET balance = balance + 1 WHERE pool = 'plan' AND measure = 'used'", {"totals", "plan"}),
    ("UPDATE ledger_freeze SET state = 'released'", {"frozen"}),
    ("DELETE FROM resource_detail WHERE list_key = 'planned'", {"details"}),
    ("UPDATE hold SET mark = 'stored'", {"marks"}),
])
def test_damage_is_found(books, damage, found):
    with books.writing() as session:
        session.execute(text(damage))
        session.commit()
    assert faulty(books) == found


def test_the_command_says_what_is_wrong_and_fails(books, monkeypatch, capsys):
    from portal import command_line

    monkeypatch.setenv("DATABASE_URL", books.url)
    assert command_line.main(["ledger", "check", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] and document["checked"] > 10 and document["first_fault"] is None
    with books.writing() as session:
        session.execute(text("UPDATE hold SET mark = 'stored'"))
        session.commit()
    assert command_line.main(["ledger", "check"]) == 1
    assert number(1) in capsys.readouterr().out


class Books(RuleBasedStateMachine):
    """Random acts on the books of two districts and the city; whatever is refused must change nothing."""

    database = None

    def __init__(self) -> None:
        super().__init__()
        self.cases: list[int] = []
        with working(self.database) as work:
            for table in ("ledger_entry", "resource_detail", "ledger_freeze", "ledger_warning_state", "ledger_warning_change",
                          "ledger_posting", "ledger_account"):  # fmt: skip
                work.session.execute(text(f"DELETE FROM {table}"))
            for area in (*AREAS, CITY):
                opened(work, area, "300")

    def act(self, do) -> None:
        try:
            with working(self.database) as work:
                do(work)
        except PortalError:
            return

    amounts = st.decimals("0.01", "150", places=2)
    places = st.sampled_from(AREAS)

    @rule(area=places, amount=amounts)
    def store(self, area, amount):
        self.act(lambda work: stored(work, str(amount), area))

    @rule(area=places, amount=amounts)
    def freeze(self, area, amount):
        def do(work):
            case = new_case(work, area)
            ledger.freeze(work, case, amount, year=YEAR)
            self.cases.append(case.id)

        self.act(do)

    @rule(data=st.data(), settles=st.booleans())
    def end(self, data, settles):
        if self.cases:
            case_id = self.cases.pop(data.draw(st.integers(0, len(self.cases) - 1)))

            def do(work):
                case = work.session.get(Case, case_id)
                if settles:
                    ledger.settle(work, case, ledger.Detail("nonbuild_outflow"))
                else:
                    ledger.unfreeze(work, case)

            self.act(do)

    @rule(area=places, amount=amounts, kind=st.sampled_from(["lend_major", "give_back"]))
    def lend(self, area, amount, kind):
        self.act(lambda work: ledger.post(work, kind, amount, area=area, year=YEAR, case=new_case(work, area)))

    @rule(amount=amounts, kind=st.sampled_from(["lease", "end_lease"]))
    def lease(self, amount, kind):
        self.act(lambda work: ledger.post(work, kind, amount, area=QINGPU, other=PUDONG, year=YEAR, case=new_case(work)))

    @invariant()
    def sound(self):
        assert not faulty(self.database)
        with self.database.reading() as session:
            halted = set(stopped(session, YEAR))
            for area in AREAS:
                state = ledger.plan_state(session, area, YEAR)
                assert (area in halted) == (state.remaining_m2 < state.stored_m2 * Decimal("0.1"))
            whole = sum(
                ledger.balance(session, ledger.AccountKey(pool, area, YEAR, measure))
                for area in (*AREAS, CITY)
                for pool, measure in (("stock", "remaining"), ("stock", "turnover"), ("plan", "remaining"), ("plan", "used"))
            )
        assert whole == 900


def test_random_books_stay_sound(database):
    machine = type("TheseBooks", (Books,), {"database": database})
    run_state_machine_as_test(machine, settings=settings(
        max_examples=8, stateful_step_count=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck),
    ))  # fmt: skip
