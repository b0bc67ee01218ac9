"""Cases that are opened from another one 关联案件: an erratum, a cancellation; which case type it is says `links`."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, literal, union_all
from sqlmodel import Session, col, select

from domain.actor import Actor
from domain.case import draft, filled_form, history, index, prefill, scope
from domain.case.definition import case_type_of
from domain.case.tables import Case, CaseLink
from domain.command import Work, anyone_signed_in, command
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.exchange import OutboxMessage
from domain.office import office_of
from domain.portal_clock import local_date
from rules.case_type import CaseType


def linked_type(session: Session, case: Case, relation: str, on: Any) -> CaseType:
    """The case type that a relation leads to. Raises NotFound if the case type of the case has no such relation."""
    key = case_type_of(session, case).links.get(relation)
    if key is None:
        raise NotFound("这类办件没有这种关联办件。请刷新页面，从办件页面进入。")
    return office_of(session).catalogue.current(key, on)


def openable(session: Session, actor: Actor, case: Case, today: Any) -> list[tuple[str, CaseType]]:
    """The linked cases that the actor may open from a case outside of its steps, by relation; one query at most."""
    types = [(relation, linked_type(session, case, relation, today)) for relation in case_type_of(session, case).links]
    fitting = [(relation, each) for relation, each in types if not actor.is_applicant and draft.may_start(actor, each)]
    if not fitting or case.submitted_at is None:
        return []
    is_told, under_way = _told_and_under_way(session, case)
    return [(relation, each) for relation, each in fitting if is_told and relation not in under_way]


def _told_and_under_way(session: Session, case: Case) -> tuple[bool, frozenset[str]]:
    """Whether anything of the case has left the house, and the relations whose case is still being handled."""
    told = select(literal(1), literal("")).where(exists().where(OutboxMessage.case_id == case.id))
    links = select(literal(2), CaseLink.relation).join(Case, col(Case.id) == CaseLink.to_id)
    links = links.where(CaseLink.from_id == case.id, Case.status != "closed")
    rows = session.execute(union_all(told, links)).all()
    return any(kind == 1 for kind, _ in rows), frozenset(relation for kind, relation in rows if kind == 2)


@command("case.open_linked", allow=anyone_signed_in)
def open_linked_case(work: Work, case_id: int, relation: str, reason: str) -> Case:
    """Open a linked case from the page of a case, which may be closed already."""
    case = scope.find(work.session, work.actor, case_id)
    if not _has_left_the_house(work.session, case):
        raise Conflict("办件的结果还没有推送或报送，内容可以直接退回修改，不需要另开关联办件。")
    return open_linked(work, case, relation, reason)


def _has_left_the_house(session: Session, case: Case) -> bool:
    """Whether others outside know what the case says: its result was pushed, or it was reported."""
    told = select(OutboxMessage.id).where(OutboxMessage.case_id == case.id).limit(1)
    return case.submitted_at is not None and session.exec(told).first() is not None


def open_linked(work: Work, case: Case, relation: str, reason: str, values: Mapping[str, Any] | None = None) -> Case:
    """Open a case of the linked type with its reason; one of a kind at a time."""
    definition = linked_type(work.session, case, relation, local_date(work.at))
    if not draft.may_start(work.actor, definition):
        raise NotAllowed(f"你的岗位不能发起「{definition.title}」。请由有权的岗位发起。")
    if not reason.strip():
        raise InvalidData("没有填写理由，不能发起。请写明理由。", {"reason": "请写明理由"})
    if (other := running(work.session, case, relation)) is not None:
        raise Conflict(f"这件已有正在办理的「{definition.short}」（{other.number or other.draft_number}），不能再开一件。请先办完它。")
    opened = draft.begin(work, definition, district_code=case.district_code, values={"reason": reason.strip(), **(values or {})})
    opened.organisation_id, opened.town_code = case.organisation_id, case.town_code
    tie(work, case, opened, relation)
    history.note(work, case, "open_linked", f"转{definition.short}", opinion=reason.strip(), linked=opened.draft_number)
    return opened


def tie(work: Work, original: Case, case: Case, relation: str) -> None:
    """Link two cases, and let the newer one show what it takes from the original."""
    work.session.add(CaseLink(from_id=original.id, to_id=case.id, relation=relation, created_at=work.at))
    work.session.flush()
    prefill.refresh(work, case, {})
    case.title = filled_form.title(work.session, case, case_type_of(work.session, case))[:200]
    index.rewrite(work.session, case)


def running(session: Session, case: Case, relation: str) -> Case | None:
    """The linked case that is still being handled."""
    statement = select(Case).join(CaseLink, col(CaseLink.to_id) == Case.id)
    statement = statement.where(CaseLink.from_id == case.id, CaseLink.relation == relation, Case.status != "closed")
    return session.exec(statement.limit(1)).first()


def original_of(session: Session, case: Case) -> Case | None:
    """The case from which this one was opened; None if there is none."""
    statement = select(Case).join(CaseLink, col(CaseLink.from_id) == Case.id).where(CaseLink.to_id == case.id)
    return session.exec(statement.order_by(col(CaseLink.id)).limit(1)).first()


def linked_cases(session: Session, case: Case, relation: str) -> list[Case]:
    """The cases that were opened from this one, the latest first."""
    statement = select(Case).join(CaseLink, col(CaseLink.to_id) == Case.id)
    statement = statement.where(CaseLink.from_id == case.id, CaseLink.relation == relation)
    return list(session.exec(statement.order_by(col(CaseLink.id).desc())).all())
