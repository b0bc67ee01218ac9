"""The papers 文书 of a case: what their texts may say of it, when they may be issued, and the bytes beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlmodel import Session, col, select

from domain import decision, portal_clock
from domain.actor import Actor
from domain.case import access, access_rules, filled_form, history
from domain.case.definition import case_type_of
from domain.case.rule_reasons import rule_reasons
from domain.case.tables import Case, CaseEvent, Task
from domain.command import Work, anyone_signed_in, command
from domain.decision import Gathered
from domain.district import district_name
from domain.document.content import Opinion
from domain.document.definition import DocumentDefinition
from domain.document.issue import (
    IssueOrder,
    RenderedDocument,
    current_version,
    is_current,
    issue,
    order_of,
    prepare,
    preview,
    regenerate,
)
from domain.document.tables import Document
from domain.errors import NotFound
from domain.format import moment
from domain.person import Organisation, Person
from rules.case_type import DocumentSpec

ISSUED_ON_CORRECTION = "correction"
"""Value of `issued_on` in documents.yaml for the notice that goes with a request for correction."""
OPINION_SHEET = "summary"
"""The template of sheets that list what every step said."""


def order(session: Session, case: Case, key: str, extra: Mapping[str, Any] | None = None) -> IssueOrder:
    """The order for a declared document over the case as it is now; raises MissingData naming empty fields.

    A field of the form goes before what every case says of itself under the same name.
    """
    spec = _spec(session, case, key)
    form = filled_form.bind(session, case, None)
    filled = {name: text for name, text in filled_form.texts(form).items() if text not in (None, "")}
    values = {**filled_form.texts(form), **texts_of(session, case), **filled, **(extra or {})}
    definition = DocumentDefinition.parse(spec.source)
    made = order_of(definition, values, case_id=case.id, number_values=_number_values(case), labels=filled_form.labels(form))
    if definition.template != OPINION_SHEET:
        return made
    return replace(made, content=replace(made.content, opinions=_opinions(session, case)))


def _opinions(session: Session, case: Case) -> tuple[Opinion, ...]:
    """What every step said, the earliest first; steps by their labels."""
    workflow = case_type_of(session, case).workflow
    statement = select(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.opinion != "", col(CaseEvent.step).is_not(None))
    events = session.exec(statement.order_by(col(CaseEvent.id))).all()
    return tuple(
        Opinion(workflow.step(each.step).label if workflow.has(each.step) else each.label, each.opinion,
                f"{each.person_name}（代{each.on_behalf_of}）" if each.on_behalf_of else each.person_name, moment(each.at))
        for each in events
    )


def _spec(session: Session, case: Case, key: str) -> DocumentSpec:
    for spec in case_type_of(session, case).documents:
        if spec.key == key:
            return spec
    raise NotFound("这类办件没有这种文书。请从文书列表中选择。")


def texts_of(session: Session, case: Case) -> dict[str, Any]:
    """What every document may say of a case: rules/case_type/case_facts.yaml lists the names."""
    organisation = session.get(Organisation, case.organisation_id) if case.organisation_id else None
    latest = _latest_opinion(session, case)
    correction = access_rules.open_correction(session, case)
    return {
        "number": case.number or "",
        "draft_number": case.draft_number,
        "title": case.title,
        "case_type": case_type_of(session, case).title,
        "district": district_name(case.district_code) if case.district_code else "",
        "applicant_name": applicant_name(session, case),
        "organisation_name": organisation.name if organisation else "",
        "submitted_on": portal_clock.local_date(case.submitted_at) if case.submitted_at else None,
        "accepted_on": portal_clock.local_date(case.accepted_at) if case.accepted_at else None,
        "today": portal_clock.today(session),
        "outcome": case.outcome or "",
        "reason": latest,
        "opinion": latest,
        "rule_reasons": rule_reasons(session, case.id),
        "items": "；".join(item["what"] for item in correction.items) if correction else "",
    }


def applicant_name(session: Session, case: Case) -> str:
    """Who applies: the enterprise, else the person; empty for a case without an applicant."""
    organisation = session.get(Organisation, case.organisation_id) if case.organisation_id else None
    if organisation is not None:
        return organisation.name
    applicant = session.get(Person, case.applicant_id) if case.applicant_id else None
    return applicant.name if applicant else ""


def _latest_opinion(session: Session, case: Case) -> str:
    statement = select(CaseEvent.opinion).where(CaseEvent.case_id == case.id, CaseEvent.opinion != "")
    return session.exec(statement.order_by(col(CaseEvent.id).desc()).limit(1)).first() or ""


def _number_values(case: Case) -> dict[str, str]:
    return {"district": case.district_code or "310100"}


def issue_for_action(
    work: Work, case: Case, task: Task | None, key: str, prepared: Mapping[str, RenderedDocument] | None = None
) -> Document:
    """Issue a document, or make a new version of the one in force if the case's data has changed since."""
    spec = _spec(work.session, case, key)
    decision.pass_gates(work, case, spec.needs, "document", task=task)
    made = order(work.session, case, key)
    existing = in_force(work.session, case.id, key)
    if existing is None:
        return issue(work, made, (prepared or {}).get(key))
    if not is_current(work.session, existing, made.content):
        regenerate(work, existing.id, made.content, "办件数据已更新")
    return existing


def issue_correction_notice(work: Work, case: Case, task: Task) -> None:
    """Issue the notice that a case type declares for corrections, if it declares one."""
    for spec in case_type_of(work.session, case).documents:
        if spec.source.get("issued_on") == ISSUED_ON_CORRECTION:
            issue_for_action(work, case, task, spec.key)


def in_force(session: Session, case_id: int, key: str) -> Document | None:
    """The document of this kind that is issued and not void."""
    statement = select(Document).where(Document.case_id == case_id, Document.key == key, Document.status == "issued")
    return session.exec(statement.order_by(col(Document.id).desc()).limit(1)).first()


def preview_of(session: Session, case: Case, key: str) -> bytes:
    """The PDF as it would be issued now, without number and mark."""
    return preview(session, order(session, case, key))


def rendered_beforehand(session: Session, case: Case, keys: Sequence[str]) -> dict[str, RenderedDocument]:
    """Render the documents of an action before its transaction, so that no writer waits for a renderer."""
    return {key: prepare(session, order(session, case, key)) for key in keys}


@command("case.issue_document", allow=anyone_signed_in)
def issue_document(work: Work, task_id: int, key: str, *, gathered: Gathered | None = None) -> Document:
    """Issue one document by hand at the step in hand, if its gates allow."""
    task, case = access.must_hold(work, task_id)
    step = access.step_of(work.session, case, task)
    spec = _spec(work.session, case, key)
    if step.key not in spec.source.get("issued_in", ()):
        raise NotFound(f"环节「{step.label}」不制发《{spec.label}》。")
    document = issue_for_action(work, case, task, key)
    number = current_version(work.session, document).version_no
    history.note(work, case, "issue_document", f"制发《{spec.label}》", task=task, is_public=spec.public, version=number)
    return document


def issuable(session: Session, actor: Actor, case: Case, task: Task | None) -> list[DocumentSpec]:
    """The documents that may be issued by hand at the step in hand."""
    if task is None or not access.holds(actor, task):
        return []
    return [d for d in case_type_of(session, case).documents if task.step in d.source.get("issued_in", ())]
