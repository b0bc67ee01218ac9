"""The sweep: every open clock computed anew, page by page, each page a transaction of its own.

Runs at midnight in Shanghai, after a change of the calendar and after a move of the demo date. Screens may
write between two pages. A clock that cannot be computed is recorded with its fault and the rest goes on.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlmodel import Session, col, select

from domain import clock as clocks
from domain.actor import SYSTEM
from domain.clock import Clock, ClockEntry, Move, Refreshed
from domain.clock_state import EntryKind
from domain.command import Work, command, system_only

PAGE_CASES = 200

Writing = Callable[[], AbstractContextManager[Session]]
"""Opens a writing session, like portal.database.Database.writing."""


@dataclass(frozen=True, slots=True)
class SweptPage:
    """One page of a sweep; `last_case_id` is None when no case was left."""

    last_case_id: int | None
    refreshed: Refreshed


@dataclass(frozen=True, slots=True)
class Sweep:
    """A whole sweep: clocks computed, what the calendar moved, and the clocks that failed with the reason."""

    clocks: int
    moves: tuple[Move, ...]
    faults: tuple[tuple[int, str], ...]


def sweep(
    writing: Writing,
    *,
    reason: str = "每日重算",
    page_cases: int = PAGE_CASES,
    on_page: Callable[[int], None] | None = None,
) -> Sweep:
    """Compute every open clock for today; `on_page` is told after each page how many clocks are done.

    `reason` goes into the ledgers of the clocks that a change of the calendar moved. Running it again changes
    nothing: a sweep that was interrupted is simply started once more.
    """
    done, moves, faults, after = 0, [], [], 0
    while True:
        with writing() as session:
            page = sweep_page(session, SYSTEM, after, page_cases, reason)
        if page.last_case_id is None:
            return Sweep(done, tuple(moves), tuple(faults))
        after, done = page.last_case_id, done + page.refreshed.count
        moves += page.refreshed.moves
        faults += page.refreshed.faults
        if on_page is not None:
            on_page(done)


@command("clock.sweep", allow=system_only)
def sweep_page(work: Work, after_case_id: int, page_cases: int, reason: str) -> SweptPage:
    """Compute the clocks of the next cases that have an open one; a fixed number of queries whatever the count."""
    session = work.session
    case_ids = session.exec(
        select(Clock.case_id)
        .where(Clock.status != "finished", Clock.case_id > after_case_id)
        .distinct()
        .order_by(Clock.case_id)
        .limit(page_cases)
    ).all()
    if not case_ids:
        return SweptPage(None, Refreshed(0, (), ()))
    statement = select(Clock).where(col(Clock.case_id).in_(case_ids)).order_by(Clock.case_id, Clock.id)
    held = session.exec(statement.with_for_update().execution_options(populate_existing=True)).all()
    refreshed = clocks.refresh(session, held, reason)
    work.record(
        "clocks", through_case=case_ids[-1], count=refreshed.count, moved=len(refreshed.moves), failed=len(refreshed.faults)
    )
    return SweptPage(case_ids[-1], refreshed)


def moved_entries(session: Session, calendar_version: str, after_id: int = 0, limit: int = 50) -> list[ClockEntry]:
    """What a calendar moved, as ledger entries, page by page; the version is that of its CalendarRevision."""
    return list(
        session.exec(
            select(ClockEntry)
            .where(
                ClockEntry.calendar_version == calendar_version,
                ClockEntry.kind == EntryKind.RECOMPUTE,
                ClockEntry.id > after_id,
            )
            .order_by(ClockEntry.id)
            .limit(limit)
        )
    )


def faulty_clocks(session: Session, after_id: int = 0, limit: int = 50) -> list[Clock]:
    """The clocks that the last refresh could not compute, for the administrators' screen."""
    statement = select(Clock).where(col(Clock.fault).is_not(None), Clock.id > after_id).order_by(Clock.id)
    return list(session.exec(statement.limit(limit)))
