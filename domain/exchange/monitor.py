"""The lists of the exchange monitor: messages out and in, within the reader's districts, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlmodel import Session, col, func, select

from domain.actor import Actor
from domain.case.scope import visible as visible_cases
from domain.case.tables import Case
from domain.errors import NotFound
from domain.exchange.tables import InboxMessage, OutboxMessage, PartnerLine
from domain.portal_clock import SHANGHAI
from domain.role import role

PAGE_ROWS = 50


@dataclass(frozen=True)
class Query:
    """What is looked for; dates are days in Shanghai, both included."""

    partner: str = ""
    status: str = ""
    result: str = ""
    """awaited | arrived | yellow | red"""
    case: str = ""
    key: str = ""
    since: date | None = None
    until: date | None = None
    is_oldest_first: bool = False
    after: int | None = None
    """Id of the last row of the page before."""
    before: int | None = None
    """Id of the first row of the page after."""


@dataclass(frozen=True)
class Row:
    """A message with the number of its case, which is all of the case that the list needs."""

    message: Any
    case_number: str | None


@dataclass(frozen=True)
class Page:
    """One page: its rows, the place of the first one (1 is the top), and how many there are in all."""

    rows: Sequence[Row]
    first: int
    total: int

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def visible(actor: Actor, case_id: Any) -> ColumnElement[bool]:
    """The condition that a message may be seen: everything by those with the whole city, else by district of its case."""
    grants = [grant for grant in actor.grants if "exchange" in role(grant.role).may]
    if actor.is_system or any(grant.district_code is None and grant.organisation_id is None for grant in grants):
        return true()
    districts = {grant.district_code for grant in grants if grant.district_code}
    if not districts:
        return false()
    return col(case_id).in_(select(Case.id).where(col(Case.district_code).in_(districts)))


def outbox_page(session: Session, actor: Actor, query: Query, size: int = PAGE_ROWS) -> Page:
    """A page of the messages out, with three queries."""
    return _page(session, OutboxMessage, _outbox_conditions(actor, query), query, size)


def inbox_page(session: Session, actor: Actor, query: Query, size: int = PAGE_ROWS) -> Page:
    """A page of the messages in, with three queries."""
    return _page(session, InboxMessage, _inbox_conditions(actor, query), query, size)


def _page(session: Session, table: Any, conditions: list[ColumnElement[bool]], query: Query, size: int) -> Page:
    """Keyset paging by id; going back reads the page before in reverse."""
    goes_back = query.before is not None
    descends = query.is_oldest_first == goes_back
    edge = query.before if goes_back else query.after
    beyond = true() if edge is None else (table.id < edge if descends else table.id > edge)
    order = col(table.id).desc() if descends else col(table.id)
    statement = select(table, Case.number, Case.draft_number).outerjoin(Case, col(Case.id) == table.case_id)
    found = session.exec(statement.where(*conditions, beyond).order_by(order).limit(size)).all()
    rows = [Row(message, number or draft) for message, number, draft in (reversed(found) if goes_back else found)]
    total = session.exec(select(func.count()).select_from(table).where(*conditions)).one()
    return Page(rows, _place(session, table, conditions, rows, query.is_oldest_first), total)


def _place(session: Session, table: Any, conditions: Any, rows: Sequence[Row], is_oldest_first: bool) -> int:
    if not rows:
        return 1
    top = rows[0].message.id
    ahead = table.id < top if is_oldest_first else table.id > top
    return session.exec(select(func.count()).select_from(table).where(*conditions, ahead)).one() + 1


def _outbox_conditions(actor: Actor, query: Query) -> list[ColumnElement[bool]]:
    table = OutboxMessage
    conditions = _shared_conditions(actor, table, query, table.created_at)
    if query.result in ("awaited", "arrived"):
        conditions.append(table.result_status == query.result)
    elif query.result:
        conditions.append(and_(table.reply_light == query.result, table.result_status == "awaited"))
    return conditions


def _inbox_conditions(actor: Actor, query: Query) -> list[ColumnElement[bool]]:
    return _shared_conditions(actor, InboxMessage, query, InboxMessage.received_at)


def _shared_conditions(actor: Actor, table: Any, query: Query, moment: Any) -> list[ColumnElement[bool]]:
    conditions = [visible(actor, table.case_id)]
    if query.partner:
        conditions.append(table.partner == query.partner)
    if query.status:
        conditions.append(table.status == query.status)
    if query.key:
        conditions.append(col(table.business_key).contains(query.key, autoescape=True))
    if query.case:
        named = or_(Case.number == query.case, Case.draft_number == query.case)
        conditions.append(col(table.case_id).in_(select(Case.id).where(named)))
    if query.since:
        conditions.append(moment >= _midnight(query.since))
    if query.until:
        conditions.append(moment < _midnight(query.until + timedelta(days=1)))
    return conditions


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), SHANGHAI)


def outbox_message(session: Session, actor: Actor, message_id: int) -> OutboxMessage:
    """One message out; NotFound both when there is none and when it is out of the reader's districts."""
    statement = select(OutboxMessage).where(OutboxMessage.id == message_id, visible(actor, OutboxMessage.case_id))
    return _found(session.exec(statement).first())


def inbox_message(session: Session, actor: Actor, message_id: int) -> InboxMessage:
    """One message in; NotFound as above."""
    statement = select(InboxMessage).where(InboxMessage.id == message_id, visible(actor, InboxMessage.case_id))
    return _found(session.exec(statement).first())


def _found(message: Any) -> Any:
    if message is None:
        raise NotFound("没有这条报文，或者它不在你的查阅范围内。请从交换监控的列表进入。")
    return message


@dataclass(frozen=True)
class CaseName:
    """A message's case by its number (draft number before it has one), and whether the reader may open it."""

    number: str
    may_open: bool


def case_name(session: Session, actor: Actor, case_id: int | None) -> CaseName | None:
    """The case of a message; None for a message without one."""
    statement = select(Case.number, Case.draft_number, visible_cases(actor)).where(Case.id == case_id)
    found = session.exec(statement).first() if case_id is not None else None
    return CaseName(found[0] or found[1], bool(found[2])) if found else None


def lines(session: Session) -> dict[str, PartnerLine]:
    """The state of the line to each partner that was ever called."""
    return {line.partner: line for line in session.exec(select(PartnerLine)).all()}


def counts(session: Session, actor: Actor) -> dict[tuple[str, str], int]:
    """How many messages out there are by partner and status."""
    statement = select(OutboxMessage.partner, OutboxMessage.status, func.count()).where(
        visible(actor, OutboxMessage.case_id)
    )
    grouped = session.exec(statement.group_by(OutboxMessage.partner, OutboxMessage.status)).all()
    return {(partner, status): count for partner, status, count in grouped}


def everything(session: Session, actor: Actor, query: Query, size: int = 1000) -> Any:
    """All rows of a query, page by page, for the export."""
    query = replace(query, after=None, before=None)
    while True:
        statement = select(OutboxMessage, Case.number, Case.draft_number).outerjoin(
            Case, col(Case.id) == OutboxMessage.case_id
        )
        beyond = true() if query.after is None else col(OutboxMessage.id) > query.after
        rows = session.exec(
            statement.where(*_outbox_conditions(actor, query), beyond).order_by(col(OutboxMessage.id)).limit(size)
        ).all()
        if not rows:
            return
        yield from (Row(message, number or draft) for message, number, draft in rows)
        query = replace(query, after=rows[-1][0].id)
        session.expunge_all()
