"""Notices to the report administrators when a message needs a person."""

from collections.abc import Sequence

from sqlmodel import Session, col, or_, select

from domain.command import Work
from domain.exchange.tables import OutboxMessage
from domain.notice import notify
from domain.person import Person, RoleGrant
from domain.portal_clock import now
from domain.ports.partner import partner


def report_admins(session: Session) -> list[int]:
    """Ids of the people who look after reporting now."""
    at = now(session)
    statement = (
        select(RoleGrant.person_id)
        .join(Person, col(Person.id) == RoleGrant.person_id)
        .where(RoleGrant.role == "report_admin", RoleGrant.from_at <= at, col(Person.is_active).is_(True))
        .where(or_(col(RoleGrant.until_at).is_(None), col(RoleGrant.until_at) > at))
        .distinct()
    )
    return list(session.exec(statement.order_by(RoleGrant.person_id)).all())


def warn_report_admins(work: Work, messages: Sequence[OutboxMessage], what: str, words: str) -> None:
    """One notice per administrator, however many messages are concerned."""
    if not messages:
        return
    first = messages[0]
    count = "" if len(messages) == 1 else f"等 {len(messages)} 条"
    title = f"发往{partner(first.partner).label}的报文 {first.business_key} {count}{what}"
    for person_id in report_admins(work.session):
        notify(work, person_id, "exchange", title, words, case_id=first.case_id if len(messages) == 1 else None)
