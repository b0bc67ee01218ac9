"""The result of a case in the city's case library 市办件库: reported in versions, each correction with its reason."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from domain.case import ending, papers
from domain.case.definition import case_type_of
from domain.case.tables import Case, CaseEvent
from domain.command import Work
from domain.document.tables import Document
from domain.exchange import OutboxMessage, send
from domain.exchange_handlers.case_library import KIND, PARTNER, message_key, payload_of
from domain.person import Organisation
from domain.portal_clock import local_date
from domain.ports.case_library import CaseResult, Outcome

GIVEN_UP = {"withdrawn": Outcome.WITHDRAWN, "terminated": Outcome.WITHDRAWN, "refused": Outcome.DENIED}


@dataclass(frozen=True, slots=True)
class PushedResult:
    """One version of a result and how far it is."""

    version: int
    outcome: str
    reason: str
    message: OutboxMessage

    @property
    def receipt_number(self) -> str:
        return (self.message.answer or {}).get("receipt_number", "") if self.message.status == "delivered" else ""


def pushed(session: Session, case_id: int) -> list[PushedResult]:
    """Every version of a case's result that was reported, the latest first."""
    statement = select(OutboxMessage).where(
        OutboxMessage.case_id == case_id, OutboxMessage.partner == PARTNER, OutboxMessage.kind == KIND
    )
    messages = session.exec(statement.order_by(col(OutboxMessage.id).desc())).all()
    return [
        PushedResult(m.payload["version"], m.payload["outcome"], m.payload["correction_reason"] or "", m) for m in messages
    ]


def push(work: Work, case: Case, outcome: Outcome, reason: str) -> OutboxMessage:
    """Report the result of a case; from the second version on it is a correction with its reason."""
    earlier = pushed(work.session, case.id)
    version = earlier[0].version + 1 if earlier else 1
    organisation = work.session.get(Organisation, case.organisation_id) if case.organisation_id else None
    result = CaseResult(
        business_key=case.number,
        version=version,
        case_number=case.number,
        case_type=case_type_of(work.session, case).title,
        project_name=case.title,
        applicant_name=papers.applicant_name(work.session, case),
        applicant_code=(organisation.credit_code if organisation else None) or "",
        outcome=outcome,
        document_number=_document_number(work.session, case),
        decided_on=local_date(work.at),
        correction_reason=reason if version > 1 else None,
    )
    return send(work, PARTNER, KIND, message_key(case.number, version), payload_of(result), case_id=case.id)


def _document_number(session: Session, case: Case) -> str | None:
    """The number of the permit in force, if one is issued."""
    permits = [spec.key for spec in case_type_of(session, case).documents if spec.template == "permit"]
    statement = select(Document.number).where(
        Document.case_id == case.id, col(Document.key).in_(permits), Document.status == "issued"
    )
    return session.exec(statement.limit(1)).first()


def latest_opinion(session: Session, case: Case) -> str:
    """The words with which the case was last decided on."""
    statement = select(CaseEvent.opinion).where(CaseEvent.case_id == case.id, CaseEvent.opinion != "")
    return session.exec(statement.order_by(col(CaseEvent.id).desc()).limit(1)).first() or ""


@ending.on_giving_up
def correct_result(work: Work, case: Case, outcome: str) -> None:
    """A result that was reported before the case was given up is corrected."""
    if outcome in GIVEN_UP and pushed(work.session, case.id):
        push(work, case, GIVEN_UP[outcome], latest_opinion(work.session, case) or "办件已结束")
