"""Small panels of case pages: the quick mark, the case library, the erratum, the counts of a house case."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select
from starlette.requests import Request

from domain import case_result, erratum
from domain.case.tables import Case, CaseEvent, StoredDecision, Task
from domain.errors import InvalidData
from domain.exchange.words import word
from domain.linked_case import original_of
from domain.report_extent import range_materials
from views.panels import panel

MARK_LABEL = "是否快速办理"
OUTCOMES = {"granted": "准予", "denied": "不予", "withdrawn": "撤回", "cancelled": "注销"}
LEFT = ("residential_houses", "joint_enterprises", "other_enterprises")
RIGHT = ("expropriation_agreements", "replacement_agreements", "compensation_decisions")


@panel("quick_mark")
def quick_mark(request: Request, session: Session, case: Case, task: Task | None) -> Mapping[str, Any]:
    """Every mark with who made it and when, and the way that was decided by rule."""
    edits = select(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.operation == "edit")
    marks = [
        {"at": event.at, "who": event.person_name, "before": change["before"], "after": change["after"]}
        for event in session.exec(edits.order_by(col(CaseEvent.id).desc())).all()
        for change in event.detail.get("changes", ())
        if change["label"] == MARK_LABEL
    ]
    routed = select(StoredDecision).where(StoredDecision.case_id == case.id, StoredDecision.moment == "route")
    decision = session.exec(routed.order_by(col(StoredDecision.id).desc()).limit(1)).first()
    return {"marked": case.values.get("marked"), "marks": marks, "decision": decision}


@panel("case_library")
def case_library(request: Request, session: Session, case: Case, task: Task | None) -> Mapping[str, Any]:
    """Every version of the result that went to the case library, and how far it is."""
    rows = [
        {"version": each.version, "outcome": OUTCOMES[each.outcome], "reason": each.reason, "receipt": each.receipt_number,
         "status": word("statuses", each.message.status), "fault": each.message.fault, "at": each.message.created_at}
        for each in case_result.pushed(session, case.id)
    ]  # fmt: skip
    return {"rows": rows}


@panel("erratum")
def erratum_panel(request: Request, session: Session, case: Case, task: Task | None) -> Mapping[str, Any]:
    """What the erratum would change, or has changed, with both values."""
    found = original_of(session, case)
    changes, fault = _changes(session, case)
    return {
        "original": found, "href": request.app.state.templates.url("case", case_id=found.id) if found else "",
        "changes": changes, "fault": fault, "files": [row.name for row in range_materials(session, case)],
        "is_applied": case.outcome == "done",
    }  # fmt: skip


def _changes(session: Session, case: Case) -> tuple[Sequence[Mapping[str, str]], str]:
    if case.status == "closed":
        return erratum.applied_changes(session, case), ""
    try:
        found = erratum.changes_of(session, case)
    except InvalidData as refused:
        return (), refused.message
    return [{"label": each.label, "before": each.before_words, "after": each.after_words} for each in found], ""


@panel("house_counts")
def house_counts(request: Request, session: Session, case: Case, task: Task | None) -> Mapping[str, Any]:
    """Both sides of the equation with their sums, as they were read last; nothing without the data."""
    values = case.values
    if any(values.get(name) is None for name in (*LEFT, *RIGHT)):
        return {"is_read": False, "answer": values.get("registration_answer", "")}
    left, right = sum(int(values[name]) for name in LEFT), sum(int(values[name]) for name in RIGHT)
    return {
        "is_read": True, "left": left, "right": right, "difference": left - right, "values": values,
        "read_on": case.prefilled.get(LEFT[0], {}).get("read_on", ""),
    }  # fmt: skip
