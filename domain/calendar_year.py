"""One year of the working calendar as administrators look at it, and what each change of it moved."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session, col, func, select

from domain.calendar_table import CalendarDay, CalendarRevision, calendar_of
from domain.case.tables import Case
from domain.clock import Clock, ClockEntry
from domain.clock_state import EntryKind


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day: whether people work, the name of its holiday or make-up day, and whether somebody corrected it."""

    day: date
    is_working: bool
    name: str
    is_special: bool
    is_corrected: bool


@dataclass(frozen=True, slots=True)
class Month:
    """One month in weeks from Monday to Sunday; None stands for a day of another month."""

    number: int
    weeks: tuple[tuple[DayCell | None, ...], ...]
    working_days: int


@dataclass(frozen=True, slots=True)
class Year:
    """A year with its months, and whether its table is official (else every date in it is provisional)."""

    year: int
    is_official: bool
    months: tuple[Month, ...]


@dataclass(frozen=True, slots=True)
class MovedClock:
    """A due date that a revision moved; the case is named by its number alone, administrators see no cases."""

    case_number: str
    label: str
    was_due_on: date
    due_on: date
    was_provisional: bool
    is_provisional: bool


def year_of(session: Session, year: int) -> Year:
    """A year of the calendar in force, with at most three queries."""
    calendar = calendar_of(session)
    first, last = date(year, 1, 1), date(year, 12, 31)
    corrected = set(session.exec(select(CalendarDay.day).where(col(CalendarDay.day).between(first, last))).all())
    cells = {}
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        special = calendar.special_day(day)
        is_working = calendar.is_working_day(day)
        cells[day] = DayCell(day, is_working, special.name if special else "", special is not None, day in corrected)
    months = tuple(_month([cell for cell in cells.values() if cell.day.month == number]) for number in range(1, 13))
    return Year(year, year in calendar.official_years, months)


def _month(cells: list[DayCell]) -> Month:
    padded: list[DayCell | None] = [None] * cells[0].day.weekday() + list(cells)
    padded += [None] * (-len(padded) % 7)
    weeks = tuple(tuple(padded[start : start + 7]) for start in range(0, len(padded), 7))
    return Month(cells[0].day.month, weeks, sum(cell.is_working for cell in cells))


def revisions(session: Session, limit: int = 50) -> list[tuple[CalendarRevision, int]]:
    """The latest changes of the calendar, each with how many due dates it moved; two queries."""
    rows = session.exec(select(CalendarRevision).order_by(col(CalendarRevision.id).desc()).limit(limit)).all()
    counted = select(ClockEntry.calendar_version, func.count()).where(
        ClockEntry.kind == EntryKind.RECOMPUTE, col(ClockEntry.calendar_version).in_([row.version for row in rows])
    )
    moved = dict(session.exec(counted.group_by(ClockEntry.calendar_version)).all())
    return [(row, moved.get(row.version, 0)) for row in rows]


def moved_clocks(session: Session, revision: CalendarRevision, limit: int = 500) -> list[MovedClock]:
    """The due dates that a revision moved."""
    number = func.coalesce(Case.number, Case.draft_number)
    statement = (
        select(number, Clock.label, ClockEntry.was_due_on, ClockEntry.due_on, ClockEntry.was_provisional, ClockEntry.is_provisional)
        .join(Clock, Clock.id == ClockEntry.clock_id)
        .join(Case, Case.id == Clock.case_id)
        .where(ClockEntry.kind == EntryKind.RECOMPUTE, ClockEntry.calendar_version == revision.version)
    )
    return [MovedClock(*row) for row in session.execute(statement.order_by(col(ClockEntry.id)).limit(limit)).all()]
