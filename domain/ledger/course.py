"""The course of a plan pool over its year: what remained and what was stored after every day with a posting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlmodel import Session, col, select

from domain.actor import Actor
from domain.ledger.definition import PLAN
from domain.ledger.scope import must_see
from domain.ledger.tables import ZERO, LedgerAccount, LedgerEntry, LedgerPosting
from domain.ledger.warning import line_on

_MEASURES = ("remaining", "total")


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """The plan pool at the end of a day on which something was booked, in m²; `added_m2` is what was stored that day."""

    on: date
    remaining_m2: Decimal
    stored_m2: Decimal
    added_m2: Decimal
    line_m2: Decimal | None


def course(session: Session, actor: Actor, area: str, year: int) -> list[CoursePoint]:
    """The points of an area's plan pool in a year, in order of days; raises NotFound outside the actor's right."""
    must_see(actor, area)
    statement = (
        select(LedgerPosting.booked_on, LedgerAccount.measure, LedgerEntry.balance_after)
        .join(LedgerPosting, col(LedgerPosting.id) == LedgerEntry.posting_id)
        .join(LedgerAccount, col(LedgerAccount.id) == LedgerEntry.account_id)
        .where(LedgerAccount.pool == PLAN, LedgerAccount.area_code == area, LedgerAccount.year == year)
        .where(col(LedgerAccount.measure).in_(_MEASURES))
        .order_by(col(LedgerEntry.id))
    )
    return _points(session, session.exec(statement).all())


def _points(session: Session, rows: Sequence[tuple[date, str, Decimal]]) -> list[CoursePoint]:
    """One point for each day, from the balances in the order in which they were booked."""
    days: dict[date, dict[str, Decimal]] = {}
    for day, measure, balance in rows:
        days.setdefault(day, {})[measure] = balance
    found: list[CoursePoint] = []
    remaining = stored = ZERO
    for day, balances in sorted(days.items()):
        before, remaining, stored = stored, balances.get("remaining", remaining), balances.get("total", stored)
        found.append(CoursePoint(day, remaining, stored, stored - before, line_on(session, remaining, stored, day)))
    return found
