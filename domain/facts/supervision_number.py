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
