"""Drafts: opened under rules, saved as they are typed, discarded without a trace for others."""

import secrets
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, func, select

from domain import decision, portal_clock
from domain.actor import Actor
from domain.case import access, ending, filled_form, history, inbox, index, prefill, scope
from domain.case.definition import case_type_of
from domain.case.tables import Case, Material, Task
from domain.command import Work, anyone_signed_in, command
from domain.decision import Gathered
from domain.errors import Conflict, InvalidData, NotAllowed
from domain.office import office_of
from rules.case_type import CaseType

MOST_DRAFTS = 20
"""Drafts of one case type in one pair of hands; more are a mistake."""


def startable(session: Session, actor: Actor) -> list[CaseType]:
    """The case types this actor may start today."""
    today = portal_clock.today(session)
    return [t for t in office_of(session).catalogue.all(today) if may_start(actor, t)]


def may_start(actor: Actor, case_type: CaseType) -> bool:
    """True if one of the actor's roles may start this case type."""
    if actor.is_applicant:
        return "applicant" in case_type.started_by
    return actor.is_system or actor.has_role(*case_type.started_by)


def drafts_of(session: Session, actor: Actor, case_type: str) -> list[Case]:
    """The actor's unfinished drafts of a case type: offered before a new one is begun."""
    statement = select(Case).where(
        Case.case_type == case_type, Case.status == "draft", Case.created_by == actor.person_id
    )
    return list(session.exec(statement.order_by(col(Case.changed_at).desc())).all())


def unfinished(session: Session, actor: Actor, limit: int = 50) -> list[Case]:
    """What waits for an applicant and the enterprise: filings to correct before drafts, the latest first; one query."""
    waiting = col(Case.status).in_(("correction", "draft"))
    statement = scope.visible_cases(actor).where(waiting, *inbox.box(actor, "mine"))
    order = (col(Case.status) == "draft", col(Case.changed_at).desc(), col(Case.id).desc())
    return list(session.exec(statement.order_by(*order).limit(limit)).all())


def unopened(session: Session, actor: Actor, definition: CaseType) -> Case:
    """A case that is kept nowhere: what outside providers may look at before the draft is opened."""
    at = portal_clock.now(session)
    return Case(
        draft_number="", case_type=definition.key, edition=definition.edition.key, values={}, prefilled={},
        organisation_id=actor.organisation_id, applicant_id=actor.person_id if actor.is_applicant else None,
        created_by=actor.person_id, created_at=at, changed_at=at,
    )


@command("case.open_draft", allow=anyone_signed_in)
def open_draft(
    work: Work,
    case_type: str,
    *,
    district_code: str | None = None,
    values: Mapping[str, Any] | None = None,
    gathered: Gathered | None = None,
) -> Case:
    """Begin a filing: the start gates are asked, what is known is filled in."""
    definition = office_of(work.session).catalogue.current(case_type, portal_clock.local_date(work.at))
    if not may_start(work.actor, definition):
        raise NotAllowed(f"你的身份不能发起「{definition.title}」。谁可以申请，见办事指南。")
    count = select(func.count()).select_from(Case).where(Case.case_type == case_type, Case.status == "draft")
    if work.session.exec(count.where(Case.created_by == work.actor.person_id)).one() >= MOST_DRAFTS:
        raise Conflict(f"你已有 {MOST_DRAFTS} 份未完成的草稿。请先继续办理或删除其中的一份。")
    return begin(work, definition, district_code=district_code, values=values, gathered=gathered)


def begin(
    work: Work,
    definition: CaseType,
    *,
    district_code: str | None = None,
    values: Mapping[str, Any] | None = None,
    gathered: Gathered | None = None,
    applicant_id: int | None = None,
) -> Case:
    """Make the draft and its first task; the building block under open_draft and linked cases."""
    case = Case(
        draft_number=_draft_number(work, definition),
        case_type=definition.key,
        edition=definition.edition.key,
        district_code=_district(work, definition, district_code),
        organisation_id=work.actor.organisation_id,
        applicant_id=applicant_id or (work.actor.person_id if work.actor.is_applicant else None),
        created_by=work.actor.person_id,
        values=dict(values or {}),
        created_at=work.at,
        changed_at=work.at,
        is_demo=office_of(work.session).is_demo,
    )
    work.session.add(case)
    work.session.flush()
    decision.pass_gates(work, case, definition.asks_on_start, "start", gathered=gathered)
    prefill.refresh(work, case, gathered or {})
    _show_on_lists(work, case)
    _first_task(work, case, definition)
    history.note(work, case, "open_draft", "新建草稿")
    index.rewrite(work.session, case)
    return case


def _first_task(work: Work, case: Case, definition: CaseType) -> None:
    step = definition.workflow.step(definition.workflow.start)
    holder = case.applicant_id if step.scope == "applicant" else work.actor.person_id
    task = Task(
        case_id=case.id,
        step=step.key,
        role=step.role,
        district_code=case.district_code if step.scope in ("district", "town") else None,
        organisation_id=case.organisation_id,
        status="held" if holder else "ready",
        assignee_id=holder,
        created_at=work.at,
        claimed_at=work.at if holder else None,
    )
    work.session.add(task)
    case.steps = step.key


def _draft_number(work: Work, definition: CaseType) -> str:
    """Unguessable and readable: prefix, year and eight characters without look-alikes."""
    letters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
    year = portal_clock.local_date(work.at).year
    return f"{definition.draft_prefix}-{year}-{''.join(secrets.choice(letters) for _ in range(8))}"


def _district(work: Work, definition: CaseType, wanted: str | None) -> str | None:
    """Staff of one district file for that district; others say which, on the form."""
    own = work.actor.districts()
    if own is not None and not work.actor.is_applicant:
        if wanted is not None and wanted not in own:
            raise NotAllowed("只能为本辖区发起。请核对所选行政区。")
        if wanted is None and len(own) == 1:
            return next(iter(own))
    return wanted


@command("case.save", allow=anyone_signed_in)
def save(
    work: Work,
    task_id: int,
    posted: Any,
    *,
    case_version: int | None = None,
    gathered: Gathered | None = None,
) -> tuple[Case, dict[str, str]]:
    """Save what was typed, complete or not; answers the case and the faults by field.

    Values that cannot be read are not kept, and their field says why; everything else is. Raises Conflict if
    somebody saved in between.
    """
    task, case = access.must_hold(work, task_id)
    _must_be_fresh(work.session, case, case_version)
    form = filled_form.bind(work.session, case, task)
    values, faults = form.accept(posted)
    _must_be_open(case)
    before, case.values = case.values, dict(values)
    prefill.refresh(work, case, gathered or {})
    _show_on_lists(work, case)
    index.rewrite(work.session, case)
    _note_changes(work, case, task, before)
    return case, faults


def _note_changes(work: Work, case: Case, task: Task, before: Mapping[str, Any]) -> None:
    """What an official changes of a filed case goes into its history with both values; a draft only counts up."""
    changed = sorted(key for key in {*before, *case.values} if before.get(key) != case.values.get(key))
    if not changed:
        return
    if case.submitted_at is None or case.status == "correction":  # in the applicant's hands, saved while typing
        case.version, case.changed_at = case.version + 1, work.at
        work.record(f"case:{case.id}", operation="save", fields=changed)
        return
    differences = filled_form.bind(work.session, case, task).differences(before)
    said = [{"label": d.label, "before": d.before, "after": d.after} for d in differences]
    history.note(work, case, "edit", "修改表单", task=task, changes=said)


def _must_be_fresh(session: Session, case: Case, version: int | None) -> None:
    if version is None or version == case.version:
        return
    raise Conflict("这份表单在你打开之后被保存过，本次内容没有覆盖它。请打开最新的表单，核对后再填。")


def _must_be_open(case: Case) -> None:
    if case.status in ("closed", "suspended"):
        raise Conflict("办件已结束或已停表，表单不能再改。")


def _show_on_lists(work: Work, case: Case) -> None:
    """Title, district and town of the case come from its form."""
    definition = case_type_of(work.session, case)
    case.title = filled_form.title(work.session, case, definition)[:200]
    wanted = case.values.get("district")
    if wanted and case.status in ("draft", "correction") and definition.scope == "district":
        own = work.actor.districts()
        if own is not None and not work.actor.is_applicant and wanted not in own:
            raise InvalidData("只能为本辖区发起。", {"district": "只能选择本辖区"})
        case.district_code = wanted
    case.town_code = case.values.get("town") or case.town_code


@command("case.discard", allow=anyone_signed_in)
def discard(work: Work, case_id: int) -> None:
    """Delete a draft: only its writer can, only while it was never filed."""
    case = scope.find(work.session, work.actor, case_id)
    if case.status != "draft" or case.created_by != work.actor.person_id:
        raise Conflict("只能删除自己还没有提交过的草稿。已提交的请用「撤回申请」。")
    ending.release(work, case, "discarded")
    for table in (Task, Material):
        for row in work.session.exec(select(table).where(table.case_id == case.id)).all():
            if isinstance(row, Task):
                row.status = "cancelled"
            else:
                row.removed_at = work.at
    case.status, case.outcome, case.closed_at = "closed", "discarded", work.at
    index.remove(work.session, case)
    history.note(work, case, "discard", "删除草稿")
