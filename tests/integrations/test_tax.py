"""The tax collection module: works, refuses properly, fails badly."""

from datetime import date
from decimal import Decimal

import pytest

from domain.ports import OutsideSystemDown, PartnerAnswerInvalid, PartnerRefused, partner
from integrations.answer import Fields
from integrations.tax.client import _read_payments

CONTRACT = "样例-转让-2026-001"


def test_payments_are_exact_and_in_order(running):
    found = running.partners.tax.payments(contract_number=CONTRACT)
    assert [(p.amount, p.paid_on) for p in found.payments] == [
        (Decimal("60000000.00"), date(2026, 3, 10)),
        (Decimal("60000000.00"), date(2026, 6, 9)),
    ]
    assert found.total == Decimal("120000000.00")
    assert found.answered_at.tzinfo is not None


def test_a_contract_is_found_by_its_electronic_number(running):
    found = running.partners.tax.payments(electronic_number="仿真-合同-2026-0002")
    assert found.contract_number == "样例-转让-2026-002"
    assert found.total == Decimal("12345678.90")


def test_nothing_paid_is_an_answer_not_an_error(running):
    found = running.partners.tax.payments(contract_number="样例-转让-2026-003")
    assert found.payments == ()
    assert found.total == 0


def test_a_payment_entered_at_the_control_is_seen_at_the_next_call(running):
    number = "样例-转让-2026-003"
    running.control(
        "payments",
        contract_number=number,
        voucher_number="样例-PZ-9001",
        amount="100.10",
        paid_on="2026-07-01",
        item="转让价款",
    )
    assert running.partners.tax.payments(contract_number=number).total == Decimal("100.10")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"contract_number": "样例-没有"}, "样例-没有"),
        ({"amount": "100.1"}, "两位小数"),
        ({"paid_on": "2026-02-30"}, "2026-02-30"),
        ({"voucher_number": "样例-PZ-0001"}, "样例-PZ-0001"),
        ({"item": ""}, "item"),
    ],
)
def test_the_control_refuses_a_payment_that_cannot_be(running, change, words):
    good = {
        "contract_number": CONTRACT,
        "voucher_number": "样例-PZ-9002",
        "amount": "100.10",
        "paid_on": "2026-07-01",
        "item": "转让价款",
    }
    assert words in running.control("payments", expect=422, **{**good, **change})["error"]


def test_an_unknown_contract_is_refused_with_code_and_text(running):
    with pytest.raises(PartnerRefused) as refused:
        running.partners.tax.payments(contract_number="样例-没有")
    assert refused.value.code == "TAX-404"
    assert "合同号" in refused.value.message and refused.value.correlation_id


@pytest.mark.parametrize(
    "query", [{}, {"contract_number": CONTRACT, "electronic_number": "仿真-合同-2026-0001"}]
)
def test_exactly_one_number_is_asked_for(running, query):
    with pytest.raises(ValueError, match="只能给出一个"):
        running.partners.tax.payments(**query)
    assert running.records == []


@pytest.mark.parametrize(
    ("field", "kind", "named"),
    [
        ("amount", "wrong_schema", "data.payments[0].amount"),
        ("amount", "wrong_value", "data.payments[0].amount"),
        ("paid_on", "wrong_value", "data.payments[0].paid_on"),
        ("voucher_number", "wrong_schema", "data.payments[0].voucher_number"),
        ("answered_at", "wrong_value", "data.answered_at"),
        ("contract_number", "wrong_value", "data.contract_number"),
        ("payments", "wrong_value", "data.payments"),
        ("code", "wrong_schema", "code"),
    ],
)
def test_a_wrong_field_is_named(running, field, kind, named):
    running.fault("tax", kind, field=field)
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        running.partners.tax.payments(contract_number=CONTRACT)
    assert invalid.value.field == named
    assert named in invalid.value.message


@pytest.mark.parametrize("amount", ["0.00", "-5.00", "1.005", "1e3", "NaN", "１.00"])
def test_an_amount_that_is_no_amount_is_refused(amount):
    with pytest.raises(PartnerAnswerInvalid, match=r"payments\[0\]\.amount"):
        _read_payments(_answer(amount=amount))


def test_a_repeated_voucher_is_refused():
    answer = _answer()
    answer._value["payments"] *= 2
    with pytest.raises(PartnerAnswerInvalid, match="重复的凭证号"):
        _read_payments(answer)


def test_a_field_outside_the_agreed_form_is_refused():
    with pytest.raises(PartnerAnswerInvalid, match="refunded"):
        _read_payments(_answer(refunded=True))


def test_a_down_partner_is_named(running):
    running.fault("tax", "down")
    with pytest.raises(OutsideSystemDown, match="税务征收模块"):
        running.partners.tax.payments(contract_number=CONTRACT)


def _answer(**payment):
    entry = {"voucher_number": "样例-PZ-1", "amount": "5.00", "paid_on": "2026-01-01", "item": "转让价款"}
    value = {
        "contract_number": CONTRACT,
        "electronic_number": None,
        "payments": [{**entry, **payment}],
        "answered_at": "2026-01-02T00:00:00+00:00",
    }
    return Fields(partner("tax"), value)
