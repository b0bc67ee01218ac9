"""The books of a year: opened from the layer, counted again once, carried over only if that is set."""

from decimal import Decimal

import pytest
from sqlmodel import select

from domain import layer, ledger, parameter
from domain.actor import SYSTEM
from domain.errors import Conflict, NotAllowed, NotFound, Refused
from domain.ledger import opening
from domain.ledger.tables import LedgerPosting
from domain.portal_clock import today
from tests.domain.ledger_books import LINGANG, PLANNED, PUDONG, QINGPU, new_case, working
from tests.domain.plot_layer import farmland, load

YEAR = today().year


def stock(database, measure="total", area=QINGPU):
    with database.reading() as session:
        return ledger.balance(session, ledger.AccountKey("stock", area, YEAR, measure))


@pytest.mark.function("LAND-093", "initial_equals_layer")
def test_every_area_opens_with_the_sum_of_its_features(database):
    features = [farmland(1, QINGPU, "1000.01"), farmland(2, QINGPU, "0.02"), farmland(1, PUDONG, "5"), farmland(1, LINGANG, "7.77")]
    load(database, features)
    with database.reading() as session:
        sums = layer.area_by_district(session, "annual_farmland")
    for area in (QINGPU, PUDONG, LINGANG):
        assert stock(database, area=area) == stock(database, "remaining", area) == sums[area]
        assert stock(database, "turnover", area) == 0
    assert stock(database, area="310151") == 0


def test_a_year_is_opened_once(database):
    load(database, [farmland(1, QINGPU, "10")])
    with pytest.raises(Conflict, match="已经初始化"), working(database) as work:
        opening.open_year(work, YEAR)
    assert stock(database) == 10


@pytest.mark.function("LAND-093", "initialised_yearly")
def test_the_nightly_part_opens_a_due_year_once_and_waits_for_the_layer(database):
    def tonight():
        with database.writing() as session:
            return opening.open_due_year(session, SYSTEM)

    assert "还没有数据" in tonight()
    load(database, [farmland(1, QINGPU, "10")], open_books=False)
    assert [tonight(), tonight()] == [f"{YEAR} 年初始化完成", "已初始化"]
    assert stock(database) == 10


class TestRecount:
    def test_a_city_user_brings_the_books_to_the_renewed_layer_once(self, database, person):
        load(database, [farmland(1, QINGPU, "10"), farmland(1, PUDONG, "5")])
        load(database, [farmland(1, QINGPU, "12.5"), farmland(1, PUDONG, "4")], open_books=False)
        viewer = person("city_viewer")
        with database.writing() as session:
            assert len(opening.recount(session, viewer)) == 2
        assert (stock(database), stock(database, "remaining"), stock(database, area=PUDONG)) == (Decimal("12.5"), Decimal("12.5"), 4)
        with database.writing() as session, pytest.raises(Conflict, match="每年只能重算一次"):
            opening.recount(session, viewer)

    def test_a_district_user_cannot(self, database, person):
        load(database, [farmland(1, QINGPU, "10")])
        handler = person("district_handler", district=QINGPU)
        with database.writing() as session, pytest.raises(NotAllowed):
            opening.recount(session, handler)

    def test_not_below_what_was_stored_already(self, database, person):
        load(database, [farmland(1, QINGPU, "10")])
        with working(database) as work:
            ledger.post(work, "store", Decimal(8), area=QINGPU, year=YEAR, case=new_case(work), detail=PLANNED)
        load(database, [farmland(1, QINGPU, "7.99")], open_books=False)
        viewer = person("city_viewer")
        with database.writing() as session, pytest.raises(Refused, match="不能为负"):
            opening.recount(session, viewer)
        assert stock(database) == 10

    def test_not_before_the_year_is_open(self, database, person):
        viewer = person("city_viewer")
        with database.writing() as session, pytest.raises(NotFound, match="还没有初始化"):
            opening.recount(session, viewer)


@pytest.mark.parametrize(("carries", "carried"), [(False, 0), (True, 70)])
def test_what_is_left_of_last_year_is_carried_over_only_if_set(database, person, carries, carried):
    administrator = person("system_admin")
    if carries:
        with database.writing() as session:
            parameter.change(session, administrator, "ledger_carry_over", "true")
    with working(database) as work:
        ledger.post(work, "opening", Decimal(500), area=QINGPU, year=YEAR - 1, key="opening:last")
        ledger.post(work, "store", Decimal(100), area=QINGPU, year=YEAR - 1, case=new_case(work), detail=PLANNED)
        ledger.freeze(work, new_case(work), Decimal(30), year=YEAR - 1)
    load(database, [farmland(1, QINGPU, "10")])
    with database.reading() as session:
        this, last = (ledger.plan_state(session, QINGPU, year) for year in (YEAR, YEAR - 1))
        assert len(session.exec(select(LedgerPosting).where(LedgerPosting.kind == "carry_over")).all()) == (1 if carries else 0)
    assert (this.remaining_m2, this.stored_m2, last.remaining_m2) == (carried, carried, 100 - carried)
    assert last.stored_m2 == last.remaining_m2 + last.used_m2 + last.carried_m2
