"""How the payments of a contract stand, and what the tax module says when it is asked."""

from collections.abc import Mapping
from typing import Any

from domain import payment
from domain.facts import Ask, fact
from domain.ports.errors import PartnerRefused

GIVES = {
    "agreed_on": "date",
    "paid": "boolean",
    "payment_light": "code",
    "overdue_reason_given": "boolean",
    "payment_state": "text",
    "current_item": "text",
    "paid_total": "decimal",
    "unpaid_total": "decimal",
}


@fact("payments", title="缴款登记", gives=GIVES)
def payments(ask: Ask) -> Mapping[str, Any]:
    """The instalment in question (the earliest unpaid one) with its light, and the sums in yuan."""
    found = payment.standing(ask.session, ask.case)
    current = found.current
    if current is None:
        return {}
    return {
        "agreed_on": current.agreed_on,
        "paid": found.is_paid_up,
        "payment_light": payment.light_of(ask.session, current.agreed_on, found.is_paid_up),
        "overdue_reason_given": bool(ask.values.get("overdue_reason")),
        "payment_state": "已缴付" if found.is_paid_up else "部分缴付" if found.paid else "未缴付",
        "current_item": current.item or f"第 {current.place} 期",
        "paid_total": found.paid,
        "unpaid_total": found.unpaid,
    }


@fact("tax_payments", title="税务征收模块", gives={"tax_answer": "text"}, outside=True)
def tax_payments(ask: Ask) -> Mapping[str, Any]:
    """The payments of the case's contract as they are now, to be taken in by the effect `read_payments`."""
    number = ask.values.get("contract_number")
    if not number:
        return {}
    try:
        found = ask.office.partners.tax.payments(contract_number=number)
    except PartnerRefused as refusal:
        return {"tax_answer": f"没有读到缴款：{refusal.text}", "payments": ()}
    read = [
        payment.PaymentRead(each.voucher_number, each.amount, each.paid_on, each.item) for each in found.payments
    ]
    return {"tax_answer": f"读到 {len(read)} 笔", "payments": tuple(read)}
