"""Cancelling a permit 注销 at the request of its holder: which permit it is, and what its end means."""

from dataclasses import dataclass

from sqlmodel import Session, col, or_, select

from domain import case_result, linked_case
from domain.actor import SYSTEM
from domain.case import history, scope
from domain.case.definition import case_type_of
from domain.case.tables import Case
from domain.command import Work
from domain.document.issue import void
from domain.document.tables import Document
from domain.errors import Conflict
from domain.ports.case_library import Outcome


@dataclass(frozen=True, slots=True)
class PermitFound:
    """A permit as the holder names it: its case and its paper in force, if it has one."""

    case: Case
    paper: Document | None

    @property
    def is_in_force(self) -> bool:
        """True if the permit was granted and its paper is not void."""
        return self.case.status == "closed" and self.case.outcome == "granted" and self.paper is not None


def permit_named(session: Session, cancellation: Case, number: str, relation: str) -> PermitFound | None:
    """The permit by its own number or that of its case, as far as it belongs to the same holder.

    None if there is none, or if its case type has no such relation to the cancellation's.
    """
    statement = select(Case).outerjoin(Document, col(Document.case_id) == Case.id)
    statement = statement.where(or_(Case.number == number.strip(), Document.number == number.strip()))
    statement = statement.where(_same_holder(cancellation), Case.status != "draft")
    found = session.exec(statement.order_by(col(Case.id)).limit(1)).first()
    if found is None or case_type_of(session, found).links.get(relation) != cancellation.case_type:
        return None
    return PermitFound(found, paper_of(session, found))


def _same_holder(case: Case) -> object:
    if case.organisation_id is not None:
        return Case.organisation_id == case.organisation_id
    return Case.applicant_id == case.applicant_id


def paper_of(session: Session, case: Case) -> Document | None:
    """The permit of a case that is issued and not void."""
    keys = [spec.key for spec in case_type_of(session, case).documents if spec.template == "permit"]
    statement = select(Document).where(
        Document.case_id == case.id, col(Document.key).in_(keys), Document.status == "issued"
    )
    return session.exec(statement.order_by(col(Document.id).desc()).limit(1)).first()


def tie(work: Work, cancellation: Case, relation: str) -> None:
    """Link the cancellation with the permit that it names; an answer to a return finds the link there already."""
    found = permit_named(work.session, cancellation, str(cancellation.values.get("original_number") or ""), relation)
    tied = linked_case.original_of(work.session, cancellation)
    if found is None or (tied is not None and tied.id != found.case.id):
        raise Conflict("没有找到所填的许可，或与上次提交的不是同一件。请核对许可证号；要注销别的许可，请另行申请。")
    if tied is None:
        linked_case.tie(work, found.case, cancellation, relation)


def take_effect(work: Work, cancellation: Case) -> None:
    """The permit is void; its case says so, and the case library is corrected."""
    permit = linked_case.original_of(work.session, cancellation)
    if permit is None:
        raise Conflict("这件注销没有对应的许可，不能办结。请退回申请人重新填写许可证号。")
    permit = scope.find(work.session, SYSTEM, permit.id)
    reason = case_result.latest_opinion(work.session, cancellation) or "依申请注销"
    paper = paper_of(work.session, permit)
    if paper is not None:
        void(work, paper.id, f"依申请注销（{cancellation.number}）：{reason}")
    history.note(work, permit, "cancelled", "许可已注销", opinion=reason, is_public=True, linked=cancellation.number)
    if case_result.pushed(work.session, permit.id):
        case_result.push(work, permit, Outcome.CANCELLED, reason)
