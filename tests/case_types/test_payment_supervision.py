"""价款缴纳监管 (LAND-038): lights on calendar days, notices behind gates, money from the tax module or by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from domain import payment
from domain.actor import SYSTEM
from domain.case import papers
from domain.case.tables import Case
from domain.clock import clocks_of
from domain.contract import AgreedPayment, Contract, open_from_contract
from domain.document.tables import Document
from domain.errors import Conflict, InvalidData, NotAllowed, OutsideSystemDown, Refused
from domain.notice import Notice
from domain.portal_clock import today
from tests.domain.case.filing_steps import Walk

TYPE, DISTRICT = "payment_supervision", "310118"


@pytest.fixture
def transferor(linked, person):
    return person("district_transferor", district=DISTRICT)


class Supervision(Walk):
    def __init__(self, database, *days, number="样例-转让-2026-003", amounts=None):
        self.database = database
        with database.reading() as session:
            self.today = today(session)
        agreed = [
            AgreedPayment(f"第 {place} 期", Decimal(amount), self.today + timedelta(days=day))
            for place, (day, amount) in enumerate(zip(days, amounts or ["1000.00"] * len(days), strict=True), 1)
        ]
        contract = Contract(number, "仿真-合同-2026-0003", "样例-地块-01", "青浦区样例路", Decimal("10000.00"), DISTRICT, "样例转让人",
                            "样例置业发展有限公司", self.today - timedelta(days=200), "逾期按日支付违约金。", tuple(agreed))
        with database.writing() as session:
            self.id = open_from_contract(session, SYSTEM, TYPE, contract).id

    def light(self):
        return self.case.light

    def issue(self, actor, key):
        with self.database.writing() as session:
            return papers.issue_document(session, actor, self.task("supervise"), key)

    def pay(self, actor, amount, voucher="PZ-1", day=0):
        with self.database.writing() as session:
            return payment.add_by_hand(
                session, actor, self.task("supervise"), voucher, Decimal(amount), self.today + timedelta(days=day)
            )


@pytest.mark.function("LAND-038", "sent_to_transferor")
def test_a_contract_opens_its_supervision_by_itself(database, transferor, person):
    elsewhere = person("district_transferor", district="310115")
    walk = Supervision(database, 30)
    case = walk.case
    assert (case.status, case.steps) == ("open", "supervise") and case.number.startswith("沪让缴〔")
    with database.reading() as session:
        told = session.exec(select(Notice.person_id).where(Notice.case_id == walk.id)).all()
    assert told == [transferor.person_id] and elsewhere.person_id not in told
    assert case.values["terms"] == "逾期按日支付违约金。"


@pytest.mark.parametrize(
    ("day", "light"), [(16, "green"), (15, "yellow"), (1, "yellow"), (0, "yellow"), (-1, "black"), (-60, "black"), (-61, "black")]
)
def test_lights_follow_calendar_days(database, transferor, day, light):
    assert Supervision(database, day).light() == light


@pytest.mark.function("LAND-038", "reminder_printed")
@pytest.mark.parametrize(("day", "is_issued"), [(16, False), (15, True), (0, True), (-1, False)])
def test_the_reminder_is_printed_at_yellow_only(database, transferor, day, is_issued):
    walk = Supervision(database, day)
    if is_issued:
        assert walk.issue(transferor, "reminder_notice").number.startswith("沪让缴提")
    else:
        with pytest.raises(Refused, match="黄灯时才打印"):
            walk.issue(transferor, "reminder_notice")


@pytest.mark.function("LAND-038", "black_needs_reason", "overdue_notice_issued")
def test_the_overdue_notice_needs_black_and_a_reason(database, transferor):
    walk = Supervision(database, -1)
    with pytest.raises(Refused, match="还没有填写逾期未缴款原因"):
        walk.issue(transferor, "overdue_notice")
    assert walk.fill(transferor, "supervise", overdue_reason="funding") == {}
    assert walk.issue(transferor, "overdue_notice").label == "未按期缴款通知书"
    early = Supervision(database, 5, number="样例-转让-2026-002")
    assert early.fill(transferor, "supervise", overdue_reason="funding") == {}
    with pytest.raises(Refused, match="黑灯时才发"):
        early.issue(transferor, "overdue_notice")


@pytest.mark.function("LAND-038", "termination_after_sixty_days")
def test_the_contract_is_ended_on_day_sixty_one_and_not_on_day_sixty(database, transferor):
    early = Supervision(database, -60)
    with pytest.raises(Refused, match="逾期超过 60"):
        early.act(transferor, "supervise", "terminate_contract", "受让人不缴款")
    assert early.case.status == "open"
    late = Supervision(database, -61, number="样例-转让-2026-002")
    late.act(transferor, "supervise", "terminate_contract", "受让人不缴款")
    assert (late.case.status, late.case.outcome) == ("closed", "terminated")
    with database.reading() as session:
        assert session.exec(select(Document.key).where(Document.case_id == late.id)).all() == ["termination_notice"]


@pytest.mark.function("LAND-038", "payments_read", "paid_ends")
def test_payments_are_read_from_the_tax_module_and_end_the_supervision(database, transferor, running):
    walk = Supervision(database, -20, 5, amounts=["1000.00", "500.00"])
    walk.act(transferor, "supervise", "read", "")
    assert walk.case.values["payment_state"] == "未缴付" and walk.light() == "black"
    day = walk.today.isoformat()
    running.control("payments", contract_number="样例-转让-2026-003", voucher_number="PZ-9", amount="1000.00", paid_on=day, item="第一期")
    walk.act(transferor, "supervise", "read", "")
    assert walk.case.values["payment_state"] == "部分缴付" and walk.light() == "yellow", "the second instalment has its own light"
    running.control("payments", contract_number="样例-转让-2026-003", voucher_number="PZ-10", amount="500.00", paid_on=day, item="第二期")
    walk.act(transferor, "supervise", "read", "")
    assert (walk.case.status, walk.case.outcome, walk.case.values["payment_state"]) == ("closed", "done", "已缴付")
    with database.reading() as session:
        assert {each.status for each in clocks_of(session, walk.id)} == {"finished"}


def test_reading_twice_counts_a_voucher_once(database, transferor, running):
    walk = Supervision(database, 10, number="样例-转让-2026-002", amounts=["99999999.00"])
    for _time in range(2):
        walk.act(transferor, "supervise", "read", "")
    assert walk.case.values["paid_total"] == "12345678.90"


def test_a_tax_module_that_is_down_changes_nothing(database, transferor, running):
    walk = Supervision(database, 10)
    running.fault("tax", "down")
    with pytest.raises(OutsideSystemDown):
        walk.act(transferor, "supervise", "read", "")
    assert walk.case.values["payment_state"] == "未缴付"


@pytest.mark.function("LAND-038", "payments_filled_in")
def test_a_payment_typed_with_its_voucher_counts_and_can_be_taken_back(database, transferor):
    walk = Supervision(database, -5, 20, amounts=["1000.00", "1000.00"])
    row = walk.pay(transferor, "1000.00")
    assert walk.light() == "green"
    with database.writing() as session:
        payment.take_back(session, transferor, walk.task("supervise"), row.id, "凭证录错")
    assert walk.light() == "black" and walk.case.values["payment_state"] == "未缴付"
    walk.pay(transferor, "2000.00", voucher="PZ-2")
    assert walk.case.outcome == "done"


def test_what_the_tax_module_says_of_a_typed_voucher_wins(database, transferor, running):
    walk = Supervision(database, 10, amounts=["1000.00"])
    walk.pay(transferor, "600.00", voucher="PZ-7")
    running.control("payments", contract_number="样例-转让-2026-003", voucher_number="PZ-7", amount="60.00",
                    paid_on=walk.today.isoformat(), item="首期")
    walk.act(transferor, "supervise", "read", "")
    assert walk.case.values["paid_total"] == "60.00"


@pytest.mark.parametrize(
    ("amount", "voucher", "day", "field"),
    [("0", "PZ-1", 0, "amount"), ("1.005", "PZ-1", 0, "amount"), ("-1", "PZ-1", 0, "amount"), ("1", " ", 0, "voucher_number"), ("1", "PZ-1", 1, "paid_on")],
)
def test_a_payment_that_cannot_be_is_refused_at_its_field(database, transferor, amount, voucher, day, field):
    walk = Supervision(database, 10)
    with pytest.raises(InvalidData) as refused:
        walk.pay(transferor, amount, voucher, day)
    assert set(refused.value.fields) == {field}


def test_a_voucher_is_typed_once_and_only_by_the_transferor(database, transferor, person):
    walk = Supervision(database, 10)
    walk.pay(transferor, "1.00")
    with pytest.raises(InvalidData, match="登记过"):
        walk.pay(transferor, "2.00")
    with pytest.raises(NotAllowed):
        walk.pay(person("window", district=DISTRICT), "2.00", "PZ-2")


def test_the_same_contract_opens_one_supervision_and_nobody_may_start_one(database, transferor):
    Supervision(database, 10)
    with pytest.raises(Conflict, match="已经在缴款监管中"):
        Supervision(database, 10)
    with pytest.raises(NotAllowed):
        Walk(database, transferor, TYPE)
    with database.reading() as session:
        assert len(session.exec(select(Case).where(Case.case_type == TYPE)).all()) == 1


def test_money_fills_the_instalments_by_their_dates():
    entries = [{"item": "二", "amount": "500.00", "agreed_on": "2026-06-01"}, {"item": "一", "amount": "1000.00", "agreed_on": "2026-03-01"}]
    found = payment.filled(entries, Decimal("1200.00"))
    assert [(each.item, each.paid, each.is_paid) for each in found] == [("一", Decimal("1000.00"), True), ("二", Decimal("200.00"), False)]
