"""Clocks 时限 of a case: an append-only ledger of what started, stopped and moved them, and what it says now.

The entries are the truth; the columns of Clock and the due date and light of the case are copies for lists,
written by `refresh` alone. The functions that take a Work are building blocks of the commands on cases.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NoReturn

from sqlalchemy import Index, bindparam, event, insert, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Field, Session, SQLModel, col, select

from domain import portal_clock
from domain.actor import SYSTEM
from domain.calendar_table import calendar_of
from domain.case.tables import Case
from domain.clock_state import ClockState, Counting, EntryKind, must_fit, state
from domain.columns import BIG_ID, code_column, id_column, moment_column
from domain.command import Work
from domain.errors import Conflict, NotFound, PortalError, Refused
from domain.light import COLOURS, DEFAULT_SET, Light, light_of
from domain.office import office_of
from domain.working_calendar import WorkingCalendar
from rules.engine import RuleError

log = logging.getLogger(__name__)


class Clock(SQLModel, table=True):
    """One time limit of a case or of one of its steps, with a copy of its present state for lists."""

    __tablename__ = "clock"
    __table_args__ = (
        Index("ix_clock_case", "case_id", "id"),
        Index("ix_clock_open", "status", "case_id"),
        Index("ix_clock_light", "light", "due_on"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    task_id: int | None = Field(default=None, sa_type=BIG_ID, foreign_key="task.id", index=True)
    """The step whose time it is; None for a clock of the whole case."""
    key: str = Field(sa_column=code_column())
    label: str
    counting: str = Field(default=Counting.WORKING, sa_column=code_column(length=8))
    light_set: str = Field(default=DEFAULT_SET, sa_column=code_column())
    legal_days: int | None = None
    warning_days: int | None = None
    status: str = Field(default="running", sa_column=code_column(length=8))
    """running | stopped | finished"""
    due_on: date
    is_provisional: bool = False
    light: str = Field(default="", sa_column=code_column(length=8))
    light_words: str = ""
    is_light_held: bool = False
    """Black by the rules, shown red because the date is provisional."""
    used_days: int = 0
    left_days: int = 0
    over_days: int = 0
    calendar_version: str = Field(default="", sa_column=code_column(length=16))
    refreshed_on: date
    fault: str | None = None
    """Why the last refresh could not compute this clock; its columns then hold the state before."""


class ClockEntry(SQLModel, table=True):
    """One line of a clock's ledger 时限流水; never changed, never deleted."""

    __tablename__ = "clock_entry"
    __table_args__ = (Index("ix_clock_entry_clock", "clock_id", "id"), Index("ix_clock_entry_calendar", "calendar_version"))

    id: int | None = Field(default=None, sa_column=id_column())
    clock_id: int = Field(sa_type=BIG_ID, foreign_key="clock.id")
    kind: str = Field(sa_column=code_column(length=12))
    effective_on: date
    days: int | None = None
    """Limit (start), extension (extend), days counted (finish); counted days."""
    due_on: date | None = None
    """Agreed date (start), due date from now on (recompute), due date at the end (finish)."""
    was_due_on: date | None = None
    was_provisional: bool | None = None
    is_provisional: bool | None = None
    calendar_version: str = Field(default="", sa_column=code_column(length=16))
    reason: str = ""
    at: datetime = Field(sa_column=moment_column())
    person_id: int | None = Field(default=None, sa_type=BIG_ID)
    person_name: str = ""


@event.listens_for(ClockEntry, "before_update")
@event.listens_for(ClockEntry, "before_delete")
def _refuse_change(_mapper: Any, _connection: Any, entry: ClockEntry) -> NoReturn:
    raise Refused(f"时限流水只能追加，不能修改或删除（流水 {entry.id}）。有误的，请追加一条更正并写明原因。")


@dataclass(frozen=True, slots=True)
class Move:
    """A clock whose due date the calendar moved, or made certain or provisional."""

    clock_id: int
    case_id: int
    was_due_on: date
    due_on: date
    was_provisional: bool
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did: how many clocks it computed, what the calendar moved, which clocks failed and why."""

    count: int
    moves: tuple[Move, ...]
    faults: tuple[tuple[int, str], ...]


def start(
    work: Work,
    case: Case,
    *,
    key: str,
    label: str,
    days: int | None = None,
    due_on: date | None = None,
    counting: str = Counting.WORKING,
    light_set: str = DEFAULT_SET,
    legal_days: int | None = None,
    warning_days: int | None = None,
    task_id: int | None = None,
    on: date | None = None,
    reason: str = "",
) -> Clock:
    """Start a clock with a limit in days, or with an agreed date; the day `on` (today) is not counted.

    Raises Conflict if the same clock of the case (or step) is still open, Refused for a limit below one day or a
    day that has not come, ValueError unless exactly one of `days` and `due_on` is given.
    """
    if (days is None) == (due_on is None):
        raise ValueError("a clock has either a limit in days or an agreed date")
    session, today = work.session, portal_clock.today(work.session)
    if any(c.key == key and c.task_id == task_id and c.status != "finished" for c in clocks_of(session, case.id)):
        raise Conflict(f"时限「{label}」已经起算，不能重复起算。请核对时限流水。")
    entry = _entry(work, EntryKind.START, on, reason, days=days, due_on=due_on)
    calendar = calendar_of(session)
    begun = state([entry], calendar, today, counting)
    clock = Clock(
        case_id=case.id,
        task_id=task_id,
        key=key,
        label=label,
        counting=counting,
        light_set=light_set,
        legal_days=legal_days,
        warning_days=warning_days,
        due_on=begun.due_on,
        refreshed_on=today,
        calendar_version=calendar.version,
    )
    session.add(clock)
    session.flush()
    _append(work, clock, entry)
    return clock


def stop(work: Work, clock: Clock, reason: str, on: date | None = None) -> None:
    """Stop a clock; the day of the stop is not counted. Raises Refused if it stands still, ended or is dated."""
    _add(work, clock, EntryKind.STOP, reason, on)


def resume(work: Work, clock: Clock, reason: str, on: date | None = None) -> None:
    """Let a stopped clock go on; the day of the resumption is counted."""
    _add(work, clock, EntryKind.RESUME, reason, on)


def extend(work: Work, clock: Clock, days: int, reason: str, on: date | None = None) -> None:
    """Add counted days to a clock.

    Refused after the due date (行政许可法第四十二条：延长须在期限届满前经批准), so that no extension hides a delay.
    """
    on = on or portal_clock.today(work.session)
    now_says = state_of(work.session, clock, on)
    if now_says.over:
        raise Refused(f"时限「{clock.label}」已于 {now_says.due_on} 到期，不能再延期。延期须在到期前批准。")
    _add(work, clock, EntryKind.EXTEND, reason, on, days=days)


def finish(work: Work, clock: Clock, reason: str = "", on: date | None = None) -> None:
    """End a clock and freeze what it counted; the day itself is counted. Later calendar changes leave it alone."""
    session = work.session
    on = on or portal_clock.today(session)
    frozen = state_of(session, clock, on)
    _add(work, clock, EntryKind.FINISH, reason, on, days=frozen.total, due_on=frozen.due_on)


def stop_running(work: Work, case_id: int, reason: str) -> list[Clock]:
    """Stop every clock of a case that runs against a limit (correction, suspension); agreed dates run on."""
    clocks = clocks_of(work.session, case_id)
    entries = _entries(work.session, clocks)
    running = [c for c in clocks if c.status == "running" and entries[c.id][0].due_on is None]
    for clock in running:
        stop(work, clock, reason)
    return running


def resume_stopped(work: Work, case_id: int, reason: str) -> list[Clock]:
    """Let every stopped clock of a case go on."""
    stopped = [clock for clock in clocks_of(work.session, case_id) if clock.status == "stopped"]
    for clock in stopped:
        resume(work, clock, reason)
    return stopped


def finish_open(work: Work, case_id: int, reason: str, *, task_id: int | None = None) -> list[Clock]:
    """End the open clocks of a step, or of the whole case with all its steps if no step is named."""
    mine = [c for c in clocks_of(work.session, case_id) if task_id is None or c.task_id == task_id]
    ending = [clock for clock in mine if clock.status != "finished"]
    for clock in ending:
        finish(work, clock, reason)
    return ending


def clocks_of(session: Session, case_id: int) -> list[Clock]:
    """Every clock of a case, ended ones too, in the order they were started."""
    return list(session.exec(select(Clock).where(Clock.case_id == case_id).order_by(Clock.id)))


def open_clock(session: Session, case_id: int, key: str, task_id: int | None = None) -> Clock:
    """The open clock of a case (or step) by its key; raises NotFound if there is none."""
    fitting = [c for c in clocks_of(session, case_id) if (c.key, c.task_id) == (key, task_id) and c.status != "finished"]
    if not fitting:
        raise NotFound(f"没有正在计时或停表的时限「{key}」。请核对时限流水。")
    return fitting[-1]


def ledger_of(session: Session, clock: Clock) -> list[ClockEntry]:
    """The entries of a clock in the order they were written."""
    return _entries(session, [clock])[clock.id]


def state_of(session: Session, clock: Clock, on: date | None = None) -> ClockState:
    """What a clock says on a day (today)."""
    return state(ledger_of(session, clock), calendar_of(session), on or portal_clock.today(session), clock.counting)


def states_of(
    session: Session, clocks: Sequence[Clock], ledgers: Mapping[int, Sequence[ClockEntry]] | None = None
) -> dict[int, ClockState]:
    """What several clocks say today, by clock id; with one query unless their ledgers were read already."""
    entries = _entries(session, clocks) if ledgers is None else ledgers
    today, calendar = portal_clock.today(session), calendar_of(session)
    return {clock.id: state(entries[clock.id], calendar, today, clock.counting) for clock in clocks}


def with_ledgers(session: Session, case_id: int) -> tuple[list[Clock], dict[int, list[ClockEntry]]]:
    """Every clock of a case, in the order they were started, and the entries of each by its id; one query."""
    joined = select(Clock, ClockEntry).join(ClockEntry, col(ClockEntry.clock_id) == Clock.id).where(Clock.case_id == case_id)
    clocks: dict[int, Clock] = {}
    entries: dict[int, list[ClockEntry]] = defaultdict(list)
    for clock, entry in session.exec(joined.order_by(col(Clock.id), col(ClockEntry.id))).all():
        clocks[clock.id] = clock
        entries[clock.id].append(entry)
    return list(clocks.values()), entries


def refresh(session: Session, clocks: Sequence[Clock], reason: str = "") -> Refreshed:
    """Compute clocks anew and copy what they say to their columns and to their cases' list columns.

    Give all clocks of a case together: the case shows the most serious one. Finished clocks keep what they had.
    Where the calendar moved a due date, the ledger gets a `recompute` entry with `reason`. A clock that cannot
    be computed keeps its columns and gets the fault; the others go on. Five queries whatever the count.
    """
    entries, cases = _entries(session, clocks), _cases(session, clocks)
    rows, moves, faults = [], [], []
    for clock in clocks:
        if clock.status == "finished":
            continue
        row, move, fault = _computed(session, clock, entries[clock.id])
        rows.append({"b_id": clock.id, **row})
        _show(clock, row)
        moves += [move] if move else []
        faults += [(clock.id, fault)] if fault else []
    _write(session, Clock, rows)
    _write(session, Case, [_case_row(case, clocks) for case in cases])
    _record_moves(session, moves, reason)
    return Refreshed(len(rows), tuple(moves), tuple(faults))


def _computed(
    session: Session, clock: Clock, entries: Sequence[ClockEntry]
) -> tuple[dict[str, Any], Move | None, str | None]:
    """The new columns of a clock, the move if the calendar made one, and the fault if it failed."""
    calendar, today, book = calendar_of(session), portal_clock.today(session), office_of(session).book
    row, move = {name: getattr(clock, name) for name in _COPIED}, None
    try:
        found = state(entries, calendar, today, clock.counting)
        move = _move(clock, entries, calendar)
        row |= _counted_columns(found, calendar)
        limits = {"legal_days": clock.legal_days, "warning_days": clock.warning_days}
        row |= _light_columns(light_of(book, clock.light_set, found, **limits))
    except Exception as fault:  # One clock must not stop the others: its fault is logged, stored and shown.
        log.exception("clock %s of case %s could not be computed", clock.id, clock.case_id)
        is_told = isinstance(fault, PortalError | RuleError)
        words = str(fault) if is_told else f"{type(fault).__name__}，详见运行日志"
        return {**row, "fault": f"{today} 未能重算：{words}"}, move, words
    return {**row, "fault": None}, move, None


_COPIED = (
    "status",
    "due_on",
    "is_provisional",
    "light",
    "light_words",
    "is_light_held",
    "used_days",
    "left_days",
    "over_days",
    "calendar_version",
    "refreshed_on",
)


def _counted_columns(found: ClockState, calendar: WorkingCalendar) -> dict[str, Any]:
    return {
        "status": found.status,
        "due_on": found.due_on,
        "is_provisional": found.is_provisional,
        "used_days": found.used,
        "left_days": found.left,
        "over_days": found.over,
        "calendar_version": calendar.version,
        "refreshed_on": found.as_of,
    }


def _light_columns(light: Light) -> dict[str, Any]:
    return {"light": light.colour, "light_words": light.words, "is_light_held": light.is_held}


def _move(clock: Clock, entries: Sequence[ClockEntry], calendar: WorkingCalendar) -> Move | None:
    """What the calendar changed since the last refresh: both due dates are taken on the day of that refresh."""
    if clock.calendar_version == calendar.version:
        return None
    fresh = state(entries, calendar, clock.refreshed_on, clock.counting)
    if (fresh.due_on, fresh.is_provisional) == (clock.due_on, clock.is_provisional):
        return None
    return Move(
        clock.id, clock.case_id, clock.due_on, fresh.due_on, clock.is_provisional, fresh.is_provisional
    )


def _case_row(case: Case, clocks: Iterable[Clock]) -> dict[str, Any]:
    """The list columns of a case: those of its most serious open clock, whole-case clocks before those of steps."""
    mine = [clock for clock in clocks if clock.case_id == case.id]
    whole = [clock for clock in mine if clock.task_id is None]
    # With nothing open the last clock to end says how long it took.
    pool = [c for c in whole if c.status != "finished"] or [c for c in mine if c.status != "finished"]
    if pool:
        shown = min(pool, key=lambda clock: (_severity(clock.light), clock.due_on))
    else:
        shown = (whole or mine)[-1]
    row = {"due_on": shown.due_on, "light": shown.light, "light_words": shown.light_words}
    _show(case, row)
    return {"b_id": case.id, **row}


def _severity(light: str) -> int:
    return COLOURS.index(light) if light in COLOURS else len(COLOURS)


def _record_moves(session: Session, moves: Sequence[Move], reason: str) -> None:
    if not moves:
        return
    same = {
        "kind": EntryKind.RECOMPUTE,
        "effective_on": portal_clock.today(session),
        "calendar_version": calendar_of(session).version,
        "reason": reason,
        "at": portal_clock.now(session),
        "person_name": SYSTEM.name,
    }
    rows = [
        {
            "clock_id": move.clock_id,
            "due_on": move.due_on,
            "was_due_on": move.was_due_on,
            "is_provisional": move.is_provisional,
            "was_provisional": move.was_provisional,
            **same,
        }
        for move in moves
    ]
    # Inserted past the unit of work, which would send one statement a row on SQLite.
    session.connection().execute(insert(ClockEntry.__table__), rows)


def _add(work: Work, clock: Clock, kind: EntryKind, reason: str, on: date | None, **values: Any) -> None:
    """Check that an entry fits the ledger and append it; every act but the end must say why."""
    if kind != EntryKind.FINISH and not reason.strip():
        raise Refused(f"时限「{clock.label}」的变动要记入流水。请写明原因。")
    entry = _entry(work, kind, on, reason, **values)
    _locked(work.session, clock.case_id)
    must_fit(ledger_of(work.session, clock), entry)
    _append(work, clock, entry)


def _entry(work: Work, kind: EntryKind, on: date | None, reason: str, **values: Any) -> ClockEntry:
    today = portal_clock.today(work.session)
    if on is not None and on > today:
        raise Refused(f"{on} 还没有到，不能提前登记。请在当日登记。")
    return ClockEntry(
        kind=kind,
        effective_on=on or today,
        reason=reason.strip(),
        at=work.at,
        person_id=work.actor.person_id,
        person_name=work.actor.name,
        **values,
    )


def _append(work: Work, clock: Clock, entry: ClockEntry) -> None:
    """Write the entry, then refresh; a calendar change not yet seen is settled first, so that the two never mix."""
    session = work.session
    calendar = calendar_of(session)
    siblings = _locked(session, clock.case_id)
    if clock.calendar_version != calendar.version:
        refresh(session, siblings, "工作日历有更改")
    entry.clock_id, entry.calendar_version = clock.id, calendar.version
    session.add(entry)
    session.flush()
    refresh(session, siblings)
    work.record(f"case:{clock.case_id}", clock=clock.key, entry=str(entry.kind), effective_on=entry.effective_on.isoformat())


def _locked(session: Session, case_id: int) -> list[Clock]:
    """The clocks of a case as they are now, held until the transaction ends, so that a sweep cannot write old values."""
    statement = select(Clock).where(Clock.case_id == case_id).order_by(Clock.id).with_for_update()
    return list(session.exec(statement.execution_options(populate_existing=True)))


def _entries(session: Session, clocks: Iterable[Clock]) -> dict[int, list[ClockEntry]]:
    found: dict[int, list[ClockEntry]] = defaultdict(list)
    ids = [clock.id for clock in clocks]
    for entry in session.exec(select(ClockEntry).where(col(ClockEntry.clock_id).in_(ids)).order_by(ClockEntry.id)):
        found[entry.clock_id].append(entry)
    return found


def _cases(session: Session, clocks: Iterable[Clock]) -> list[Case]:
    ids = {clock.case_id for clock in clocks}
    return list(session.exec(select(Case).where(col(Case.id).in_(ids)).order_by(Case.id)))


def _write(session: Session, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    """Write rows that share their columns in one statement, whatever their number."""
    if not rows:
        return
    columns = table.__table__
    names = [name for name in rows[0] if name != "b_id"]
    statement = update(columns).where(columns.c.id == bindparam("b_id"))
    session.connection().execute(statement.values({name: bindparam(name) for name in names}), list(rows))


def _show(row: SQLModel, values: dict[str, Any]) -> None:
    """Let a loaded row show what is written past the unit of work."""
    for name, value in values.items():
        set_committed_value(row, name, value)
