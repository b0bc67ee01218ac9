"""The case that another one corrects or cancels, as forms and rules see it."""

from collections.abc import Mapping
from typing import Any

from domain import linked_case, permit_cancellation, usage_control
from domain.case.tables import Case
from domain.case.words import status_words
from domain.facts import Ask, fact

CANCELLATION = "cancellation"

ORIGINAL = {
    "original_code": "text",
    "original_title": "text",
    "original_status": "text",
    "original_message": "text",
    "original_supervision_number": "text",
}
PERMIT = {
    "permit_found": "boolean",
    "permit_in_force": "boolean",
    "permit_busy": "boolean",
    "permit_reported": "boolean",
    "permit_title": "text",
    "permit_number": "text",
    "permit_supervision_number": "text",
    "permit_answer": "text",
}


@fact("original", title="原办件", gives=ORIGINAL)
def original(ask: Ask) -> Mapping[str, Any]:
    """What a linked case shows of its original; nothing without one."""
    found = linked_case.original_of(ask.session, ask.case)
    if found is None:
        return {}
    row = usage_control.latest(ask.session, found.id)
    return {
        "original_code": found.number or found.draft_number,
        "original_title": found.title,
        "original_status": status_words(found),
        "original_message": usage_control.faults_in_words(row) if row else "",
        "original_supervision_number": _supervision_number(ask, found),
    }


def _supervision_number(ask: Ask, case: Case) -> str:
    row = usage_control.numbered(ask.session, case.id)
    return (row.number if row else None) or ""


@fact("permit_to_cancel", title="本单位的许可", gives=PERMIT)
def permit_to_cancel(ask: Ask) -> Mapping[str, Any]:
    """The permit that a cancellation names: whether it is there, in force, free, and was reported."""
    number = ask.values.get("original_number")
    found = permit_cancellation.permit_named(ask.session, ask.case, number, CANCELLATION) if number else None
    if found is None:
        said = "没有找到本单位的这件许可。请核对许可证号或办件编号" if number else ""
        return {"permit_found": False, "permit_in_force": False, "permit_busy": False, "permit_reported": False,
                "permit_title": "", "permit_number": "", "permit_supervision_number": "", "permit_answer": said}
    number_of = _supervision_number(ask, found.case)
    return {
        "permit_found": True,
        "permit_in_force": found.is_in_force,
        "permit_busy": _is_busy(ask, found.case),
        "permit_reported": bool(number_of),
        "permit_title": found.case.title,
        "permit_number": found.paper.number if found.paper is not None else "",
        "permit_supervision_number": number_of,
        "permit_answer": "许可有效" if found.is_in_force else "许可没有生效或已经注销",
    }


def _is_busy(ask: Ask, permit: Case) -> bool:
    """Whether another case is changing the permit now."""
    others = (linked_case.running(ask.session, permit, relation) for relation in ("erratum", CANCELLATION))
    return any(other is not None and other.id != ask.case.id for other in others)
