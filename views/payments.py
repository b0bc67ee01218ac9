"""Payments of a contract on the case page: instalments with their lights, records, and typing one in with its voucher."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import payment
from domain.case import access, papers
from domain.case.tables import Case, Task
from domain.errors import InvalidData
from views import case as case_view
from views import page
from views.case_step import Attempt
from views.panels import panel
from views.posted import by_field, faults_of, given_texts, text, whole_day

LIGHT_WORDS = {"green": "未到提醒期", "yellow": "临近约定缴款日", "black": "逾期未缴付", "off": "已缴付"}
SOURCES = {"tax": "税务征收模块", "hand": "人工补填"}


@panel("payments")
def payments(request: Request, session: Session, case: Case, task: Task | None) -> Mapping[str, Any]:
    """What the panel shows: each instalment with its light, the records, and the form while the step is in hand."""
    found = payment.standing(session, case)
    url = request.app.state.templates.url
    faults = getattr(request.state, "payment_faults", ())
    can_add = task is not None and access.holds(page.actor(request), task)
    return {
        "papers_href": url("case_tab", case_id=case.id, tab="papers"), "papers": _papers(request, session, case, task),
        "instalments": [_instalment(session, each) for each in found.instalments],
        "due": found.due, "paid": found.paid, "unpaid": found.unpaid,
        "records": [_record(url, case, row, can_add) for row in payment.records_of(session, case.id)],
        "can_add": can_add,
        "add_href": url("add_payment", case_id=case.id, task_id=task.id) if task is not None else "",
        "task_id": task.id if task is not None else None,
        "given": given_texts(request), "errors": by_field(faults), "faults": faults,
    }  # fmt: skip


def _papers(request: Request, session: Session, case: Case, task: Task | None) -> list[Mapping[str, str]]:
    """The notices that may be issued at the step in hand; their gates say which of them the light allows."""
    url = request.app.state.templates.url
    offered = papers.issuable(session, page.actor(request), case, task)
    return [{"label": each.label, "href": url("issue_document", case_id=case.id, task_id=task.id, key=each.key)} for each in offered]


def _instalment(session: Session, each: payment.Instalment) -> Mapping[str, Any]:
    colour = payment.light_of(session, each.agreed_on, each.is_paid)
    return {
        "item": each.item or f"第 {each.place} 期", "agreed_on": each.agreed_on, "amount": each.amount, "paid": each.paid,
        "light": {"colour": colour, "words": LIGHT_WORDS.get(colour, colour)},
    }  # fmt: skip


def _record(url: Any, case: Case, row: payment.PaymentRecord, can_add: bool) -> Mapping[str, Any]:
    may_void = can_add and row.source == "hand" and row.void_at is None
    return {
        "row": row, "source": SOURCES[row.source],
        "void_href": url("void_payment", case_id=case.id, record_id=row.id) if may_void else "",
    }  # fmt: skip


def add(request: Request) -> Response:
    """Type in one payment; what is wrong stands at its field on the case page."""
    case_id, task_id = request.path_params["case_id"], request.path_params["task_id"]
    try:
        given = _given(request)
        with page.writing(request) as session:
            payment.add_by_hand(session, page.actor(request), task_id, **given)
    except InvalidData as refused:
        return _again(request, case_id, refused)
    return page.redirect(request, "case", case_id=case_id, anchor="payments")


def _given(request: Request) -> dict[str, Any]:
    """The posted payment in its types. Raises InvalidData naming the fields."""
    faults: dict[str, str] = {}
    amount = paid_on = None
    try:
        amount = Decimal(text(request, "amount").replace(",", "") or "0")
    except InvalidOperation:
        faults["amount"] = "金额应是数字，例如 60000000.00"
    else:
        if not amount.is_finite():
            faults["amount"] = "金额应是数字，例如 60000000.00"
    try:
        paid_on = whole_day(_day_text(request), "paid_on")
    except InvalidData as fault:
        faults |= fault.fields
    if paid_on is None and "paid_on" not in faults:
        faults["paid_on"] = "请填写缴款日期"
    if faults:
        raise InvalidData("缴款信息有误，没有登记。请改正后再登记。", faults)
    return {
        "voucher_number": text(request, "voucher_number", 200), "amount": amount, "paid_on": paid_on,
        "item": text(request, "item", 200),
    }  # fmt: skip


def _day_text(request: Request) -> str:
    """Year, month and day of the three boxes as one date."""
    parts = [text(request, f"paid_on-{part}", 10) for part in ("year", "month", "day")]
    if not any(parts):
        return ""
    return "-".join(part.zfill(width) for part, width in zip(parts, (4, 2, 2), strict=True))


def void(request: Request) -> Response:
    """Take back a typed payment, with its reason."""
    case_id, record_id = request.path_params["case_id"], request.path_params["record_id"]
    task_id = int(text(request, "task_id", 18) or "0")
    try:
        with page.writing(request) as session:
            payment.take_back(session, page.actor(request), task_id, record_id, text(request, "reason", 500))
    except InvalidData as refused:
        return _again(request, case_id, refused)
    return page.redirect(request, "case", case_id=case_id, anchor="payments")


def _again(request: Request, case_id: int, refused: InvalidData) -> Response:
    """The case page with the faults in the panel."""
    request.state.payment_faults = faults_of(refused)
    return case_view.answer(request, case_id, "work", Attempt({}, refused.message), 422)
