"""The electronic supervision number 电子监管号 of a case, and what the platform says when it is asked."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import select

from domain import usage_control
from domain.case.definition import case_type_of
from domain.exchange import OutboxMessage
from domain.exchange.delivery import delivery_of
from domain.facts import Ask, fact
from domain.ports.errors import PartnerRefused
from rules.case_type import CaseType

STARTING_EFFECT = "start_report"

GIVES = {
    "controlled": "boolean",
    "exempted": "boolean",
    "supervision_number": "text",
    "returned_message": "text",
    "report_state": "text",
    "report_settled": "boolean",
    "report_failed": "boolean",
    "pre_review_number": "text",
    "pre_review_answer": "text",
}
FAILED = ("invalid", "rejected", "withdrawn")


def is_controlled(case_type: CaseType) -> bool:
    """Whether a case type reports for a number: one of its actions starts a report that asks for one."""
    calls = (call for step in case_type.workflow.steps for action in step.actions for call in action.effects)
    kinds = usage_control.kinds()
    return any(call.name == STARTING_EFFECT and kinds[str(call.arguments["kind"])].chain for call in calls)


@fact("supervision", title="用途管制监管平台", gives=GIVES)
def supervision(ask: Ask) -> Mapping[str, Any]:
    """The number in force, how far the latest round is, and what came back if it was refused."""
    row = usage_control.latest(ask.session, ask.case.id)
    number = usage_control.numbered(ask.session, ask.case.id)
    state = row.state if row else "none"
    said = usage_control.faults_in_words(row) if row and state in FAILED else ""
    return {
        "controlled": is_controlled(case_type_of(ask.session, ask.case)),
        "exempted": False,
        "supervision_number": number.number if number else None,
        "returned_message": said or None,
        "report_state": usage_control.states()[state].label,
        "report_settled": state in ("numbered", "recorded", "cancelled"),
        "report_failed": state in FAILED or (row is not None and usage_control.is_stuck(ask.session, row)),
        # Kept from the last time the platform was asked for it (effect take_pre_review_number).
        "pre_review_number": ask.values.get("pre_review_number"),
        "pre_review_answer": ask.values.get("pre_review_answer"),
    }


@fact("supervision_answer", title="用途管制监管平台", gives={"platform_answer": "text"}, outside=True)
def supervision_answer(ask: Ask) -> Mapping[str, Any]:
    """What the platform says now of the report that still waits for its answer; nothing if none does.

    `platform_answer` is the result document of the exchange, to be taken in by the effect `refresh_report`.
    """
    message = awaited(ask)
    kind = delivery_of(message) if message is not None else None
    if message is None or kind is None or kind.ask is None:
        return {}
    try:
        return {"business_key": message.business_key, "platform_answer": kind.ask(ask.office, message)}
    except PartnerRefused:
        return {}


def awaited(ask: Ask) -> OutboxMessage | None:
    """The delivered message of the latest round that has no result yet."""
    row = usage_control.latest(ask.session, ask.case.id)
    if row is None or not usage_control.states()[row.state].is_open:
        return None
    statement = select(OutboxMessage).where(
        OutboxMessage.partner == usage_control.PARTNER,
        OutboxMessage.business_key == row.business_key,
        OutboxMessage.status == "delivered",
        OutboxMessage.result_status == "awaited",
    )
    return ask.session.exec(statement).first()


@fact("pre_review_query", title="用途管制监管平台", gives={"pre_review_found": "text", "pre_review_said": "text"}, outside=True)
def pre_review_query(ask: Ask) -> Mapping[str, Any]:
    """The pre-review number 用地预审电子监管号 of the case's project as the platform has it now, and what it says if there is none."""
    code = ask.values.get("project_code")
    if not code:
        return {"pre_review_found": None, "pre_review_said": "办件没有项目编号，不能查询"}
    try:
        found = ask.office.partners.usage_control.pre_review_number(code)
    except PartnerRefused as refused:
        return {"pre_review_found": None, "pre_review_said": f"部系统答复：{refused.text}"}
    said = "已取得" if found.number else "部系统还没有给出用地预审电子监管号"
    return {"pre_review_found": found.number, "pre_review_said": said}
