"""Reading the books: the overview of all areas, the statement of one account, lists of details, the log of stops.

Every function takes the actor and answers only what lies in the actor's right; the number of queries is fixed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, or_, select

from domain import portal_clock
from domain.actor import Actor
from domain.case.tables import Case
from domain.ledger.account import AccountKey, account
from domain.ledger.definition import PLAN, pool
from domain.ledger.scope import must_see, visible_areas
from domain.ledger.tables import (
    ZERO,
    LedgerAccount,
    LedgerEntry,
    LedgerFreeze,
    LedgerPosting,
    ResourceDetail,
    WarningChange,
    WarningState,
)  # fmt: skip
from domain.ledger.warning import line_on

PAGE_SIZE = 50
DETAIL_SORTS = {
    "area": ResourceDetail.area_code, "number": ResourceDetail.number, "year": ResourceDetail.year,
    "title": ResourceDetail.title, "amount": ResourceDetail.amount, "paddy": ResourceDetail.paddy,
    "resource_type": ResourceDetail.resource_type, "scope": ResourceDetail.scope, "approved_at": ResourceDetail.approved_at,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AreaBooks:
    """The books of one area in a year: balances by (pool, measure) in m², the warning line, and whether it is stopped."""

    area: str
    balances: Mapping[tuple[str, str], Decimal]
    frozen: Decimal
    line: Decimal | None
    stopped: WarningState | None

    def of(self, pool_key: str, measure: str) -> Decimal:
        """A balance in m²; zero while nothing was booked."""
        return self.balances.get((pool_key, measure), ZERO)


@dataclass(frozen=True, slots=True)
class StatementQuery:
    """What of a statement is wanted."""

    kind: str = ""
    since: date | None = None
    until: date | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One entry of a statement with its posting, its case, and the labels of the other side."""

    entry: LedgerEntry
    posting: LedgerPosting
    case: Case | None
    others: tuple[AccountKey, ...]


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """Area that a running case has set aside."""

    freeze: LedgerFreeze
    case: Case


@dataclass(frozen=True)
class Statement:
    """The statement of an account: a page of rows (newest first), frozen area, sums of all rows that fit."""

    account: LedgerAccount | None
    rows: Sequence[StatementRow]
    frozen: Sequence[FrozenRow]
    total: int
    inward: Decimal
    outward: Decimal


@dataclass(frozen=True, slots=True)
class DetailQuery:
    """What of a list of details is wanted."""

    area: str = ""
    year: int | None = None
    text: str = ""
    sort: str = "approved_at"
    is_descending: bool = True
    page: int = 1


@dataclass(frozen=True)
class DetailPage:
    """A page of a list of details with the sums of all rows that fit, in m²."""

    rows: Sequence[ResourceDetail]
    total: int
    amount: Decimal
    paddy: Decimal
    names: Mapping[int, str] = field(default_factory=dict)


def overview(session: Session, actor: Actor, year: int) -> list[AreaBooks]:
    """The books of every area in the actor's right, in the order of the areas."""
    wanted = visible_areas(actor)
    statement = select(LedgerAccount).where(LedgerAccount.year == year, col(LedgerAccount.area_code).in_(wanted))
    rows: dict[str, list[LedgerAccount]] = {area: [] for area in wanted}
    for row in session.exec(statement).all():
        rows[row.area_code].append(row)
    states = select(WarningState).where(WarningState.year == year, col(WarningState.is_stopped).is_(True))
    stops = {row.area_code: row for row in session.exec(states).all()}
    return [_books(session, area, rows[area], stops.get(area)) for area in wanted]


def _books(session: Session, area: str, rows: Sequence[LedgerAccount], stop: WarningState | None) -> AreaBooks:
    balances = {(row.pool, row.measure): row.balance for row in rows}
    frozen = sum((row.frozen for row in rows), ZERO)
    return AreaBooks(area, balances, frozen, _line(session, balances), stop)


def _line(session: Session, balances: Mapping[tuple[str, str], Decimal]) -> Decimal | None:
    """The warning line of today's rule; None for an area that stored nothing."""
    remaining, stored = balances.get((PLAN, "remaining"), ZERO), balances.get((PLAN, "total"), ZERO)
    return line_on(session, remaining, stored, portal_clock.today(session))


def statement(session: Session, actor: Actor, key: AccountKey, query: StatementQuery, limit: int | None = PAGE_SIZE) -> Statement:
    """The statement of an account. Raises NotFound outside the actor's right."""
    must_see(actor, key.area)
    pool(key.pool)
    found = account(session, key)
    if found is None:
        return Statement(None, (), (), 0, ZERO, ZERO)
    conditions = _entry_conditions(found, query)
    totals = select(
        func.count(),
        func.sum(LedgerEntry.amount).filter(LedgerEntry.amount > 0),
        func.sum(LedgerEntry.amount).filter(LedgerEntry.amount < 0),
    ).join(LedgerPosting, col(LedgerPosting.id) == LedgerEntry.posting_id)
    count, inward, outward = session.exec(totals.where(*conditions)).one()
    return Statement(found, _rows(session, conditions, query, limit), _frozen(session, found), count, inward or ZERO, outward or ZERO)


def _entry_conditions(found: LedgerAccount, query: StatementQuery) -> list[ColumnElement[bool]]:
    conditions: list[Any] = [LedgerEntry.account_id == found.id]
    if query.kind:
        conditions.append(LedgerPosting.kind == query.kind)
    if query.since:
        conditions.append(LedgerPosting.booked_on >= query.since)
    if query.until:
        conditions.append(LedgerPosting.booked_on <= query.until)
    return conditions


def _rows(session: Session, conditions: Sequence[Any], query: StatementQuery, limit: int | None) -> list[StatementRow]:
    wanted = (
        select(LedgerEntry, LedgerPosting, Case)
        .join(LedgerPosting, col(LedgerPosting.id) == LedgerEntry.posting_id)
        .outerjoin(Case, col(Case.id) == LedgerPosting.case_id)
        .where(*conditions)
        .order_by(col(LedgerEntry.id).desc())
    )
    if limit is not None:
        wanted = wanted.limit(limit).offset((max(query.page, 1) - 1) * limit)
    found = session.exec(wanted).all()
    others = _other_sides(session, found)
    return [StatementRow(entry, posting, case, others.get(entry.id, ())) for entry, posting, case in found]


def _other_sides(session: Session, rows: Sequence[Any]) -> dict[int, tuple[AccountKey, ...]]:
    """The accounts on the other side of each entry: those of its posting with the opposite sign and the same size."""
    wanted = (
        select(LedgerEntry, LedgerAccount)
        .join(LedgerAccount, col(LedgerAccount.id) == LedgerEntry.account_id)
        .where(col(LedgerEntry.posting_id).in_({posting.id for _entry, posting, _case in rows}))
        .order_by(col(LedgerEntry.id))
    )
    by_posting: dict[int, list[tuple[LedgerEntry, LedgerAccount]]] = {}
    for entry, row in session.exec(wanted).all() if rows else ():
        by_posting.setdefault(entry.posting_id, []).append((entry, row))
    return {entry.id: _opposite(entry, by_posting[posting.id]) for entry, posting, _case in rows}


def _opposite(entry: LedgerEntry, sides: Sequence[tuple[LedgerEntry, LedgerAccount]]) -> tuple[AccountKey, ...]:
    """Totals face the memo account, real area faces real area: the other side is of the same sort."""
    own = next(row for each, row in sides if each.id == entry.id)
    is_memo = _is_memo(own)
    return tuple(
        AccountKey(row.pool, row.area_code, row.year, row.measure)
        for each, row in sides
        if each.amount == -entry.amount and _is_memo(row) == is_memo
    )


def _is_memo(row: LedgerAccount) -> bool:
    return row.measure in ("total", "memo") and row.pool != "added"


def _frozen(session: Session, found: LedgerAccount) -> list[FrozenRow]:
    wanted = (
        select(LedgerFreeze, Case)
        .join(Case, col(Case.id) == LedgerFreeze.case_id)
        .where(LedgerFreeze.account_id == found.id, LedgerFreeze.state == "active")
        .order_by(col(LedgerFreeze.id).desc())
    )
    return [FrozenRow(freeze, case) for freeze, case in session.exec(wanted).all()]


def _detail_conditions(actor: Actor, list_key: str, query: DetailQuery) -> list[Any]:
    wanted = (must_see(actor, query.area),) if query.area else visible_areas(actor)
    conditions: list[Any] = [ResourceDetail.list_key == list_key, col(ResourceDetail.area_code).in_(wanted)]
    if query.year:
        conditions.append(ResourceDetail.year == query.year)
    if query.text:
        like = "%" + query.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        conditions.append(or_(*(col(c).ilike(like, escape="\\") for c in (ResourceDetail.title, ResourceDetail.number))))
    return conditions


def details(session: Session, actor: Actor, list_key: str, query: DetailQuery, limit: int | None = PAGE_SIZE) -> DetailPage:
    """A page of a list of details. Raises NotFound for an area outside the actor's right."""
    conditions = _detail_conditions(actor, list_key, query)
    count, amount, paddy = session.exec(
        select(func.count(), func.sum(ResourceDetail.amount), func.sum(ResourceDetail.paddy)).where(*conditions)
    ).one()
    order = col(DETAIL_SORTS.get(query.sort, ResourceDetail.approved_at))
    statement = select(ResourceDetail).where(*conditions)
    statement = statement.order_by(order.desc() if query.is_descending else order, col(ResourceDetail.id).desc())
    if limit is not None:
        statement = statement.limit(limit).offset((max(query.page, 1) - 1) * limit)
    return DetailPage(list(session.exec(statement).all()), count, amount or ZERO, paddy or ZERO)


def changes(
    session: Session, actor: Actor, area: str = "", page: int = 1, limit: int | None = PAGE_SIZE
) -> tuple[list[tuple[WarningChange, Case | None]], int]:
    """The log of stops and resumptions, newest first, and how many lines there are."""
    wanted = (must_see(actor, area),) if area else visible_areas(actor)
    condition = col(WarningChange.area_code).in_(wanted)
    count = session.exec(select(func.count()).select_from(WarningChange).where(condition)).one()
    statement = select(WarningChange, Case).outerjoin(Case, col(Case.id) == WarningChange.case_id).where(condition)
    statement = statement.order_by(col(WarningChange.id).desc())
    if limit is not None:
        statement = statement.limit(limit).offset((max(page, 1) - 1) * limit)
    return list(session.exec(statement).all()), count
