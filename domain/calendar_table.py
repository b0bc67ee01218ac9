"""The working calendar as administrators keep it: year tables and corrections above the shipped ones.

Every change is a revision with a reason and queues a job that recomputes the open clocks; what moved stands
in the clocks' ledgers under that revision.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlmodel import Field, Session, SQLModel, select

from domain import portal_clock
from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column
from domain.command import Work, command, holders_of
from domain.errors import InvalidData, NotFound, Refused
from domain.job import enqueue
from domain.office import office_of
from domain.working_calendar import (
    FIRST_DAY,
    LAST_DAY,
    SpecialDay,
    WorkingCalendar,
    YearTable,
    build,
    official_calendar,
    official_tables,
    read_year_table,
)

_VERSION, _CACHE = "calendar_version", "calendar"


class CalendarYear(SQLModel, table=True):
    """A year whose table was entered here, or whose table (shipped or entered) is declared not official."""

    __tablename__ = "calendar_year"

    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    is_official: bool = True
    document: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    """The year's table as entered, in the form of the shipped files; None leaves the shipped one in force."""
    changed_at: datetime = Field(sa_column=moment_column())
    changed_by: int | None = Field(default=None, sa_type=BIG_ID)


class CalendarDay(SQLModel, table=True):
    """A single day corrected by an administrator; stands above every year's table."""

    __tablename__ = "calendar_day"

    day: date = Field(primary_key=True)
    name: str
    is_working: bool
    reason: str
    changed_at: datetime = Field(sa_column=moment_column())
    changed_by: int | None = Field(default=None, sa_type=BIG_ID)


class CalendarRevision(SQLModel, table=True):
    """One change of the calendar: what, why, by whom, and the digest of the calendar it led to."""

    __tablename__ = "calendar_revision"

    id: int | None = Field(default=None, sa_column=id_column())
    at: datetime = Field(sa_column=moment_column())
    person_id: int | None = Field(default=None, sa_type=BIG_ID)
    person_name: str
    change: dict[str, Any] = Field(sa_column=json_column())
    reason: str
    version: str = Field(sa_column=code_column(length=16))


def calendar_of(session: Session) -> WorkingCalendar:
    """The calendar in force, built once per change for the whole process; asks one query a session.

    Kept by the digest of the last change, not by its id: a rolled-back change may leave its id to another.
    """
    if _VERSION not in session.info:
        latest = select(CalendarRevision.version).order_by(CalendarRevision.id.desc()).limit(1)
        session.info[_VERSION] = session.exec(latest).first()
    version = session.info[_VERSION]
    if version is None:
        return official_calendar()
    caches = office_of(session).caches
    kept = caches.get(_CACHE)
    if kept is None or kept[0] != version:
        kept = caches[_CACHE] = (version, _read_calendar(session))
    return kept[1]


def calendar_fault(session: Session) -> str | None:
    """What to say at the start and to administrators when the present year has no official table; None if it has."""
    year = portal_clock.today(session).year
    if year in calendar_of(session).official_years:
        return None
    return f"{year} 年的工作日历没有载入，时限只能暂定，黑灯和自动终止都不会发生。请系统管理员在“工作日历”中载入该年的表。"


def latest_revision(session: Session) -> CalendarRevision | None:
    """The last change of the calendar, None while only the shipped tables are in force."""
    return session.exec(select(CalendarRevision).order_by(CalendarRevision.id.desc()).limit(1)).first()


@command("calendar.load_year", allow=holders_of("system_admin"))
def load_year(work: Work, document: Mapping[str, Any], *, reason: str) -> CalendarRevision:
    """Put a year's official table in force, in place of an estimate or of an earlier table.

    `document` has the form of the shipped files. Raises InvalidData that names what is wrong in it.
    """
    before = calendar_of(work.session)
    table = read_year_table(document, "载入的表")
    row = work.session.get(CalendarYear, table.year) or CalendarYear(year=table.year, changed_at=work.at)
    row.document, row.is_official = _plain(table), True
    row.changed_at, row.changed_by = work.at, work.actor.person_id
    work.session.add(row)
    return _revise(work, before, {"load_year": table.year, "papers": list(table.papers), "days": len(table.days)}, reason)


@command("calendar.set_year_official", allow=holders_of("system_admin"))
def set_year_official(work: Work, year: int, *, is_official: bool, reason: str) -> CalendarRevision:
    """Declare a year's table not official (a draft entered by mistake), or official again."""
    before = calendar_of(work.session)
    row = work.session.get(CalendarYear, year)
    if (row is None or row.document is None) and year not in {table.year for table in official_tables()}:
        raise NotFound(f"没有 {year} 年的工作日历。请先载入该年的表。")
    row = row or CalendarYear(year=year, changed_at=work.at)
    row.is_official, row.changed_at, row.changed_by = is_official, work.at, work.actor.person_id
    work.session.add(row)
    return _revise(work, before, {"year": year, "is_official": is_official}, reason)


@command("calendar.correct_day", allow=holders_of("system_admin"))
def correct_day(work: Work, day: date, *, is_working: bool, name: str, reason: str) -> CalendarRevision:
    """Make a single day a working day or a day off, whatever its year's table says."""
    before = calendar_of(work.session)
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InvalidData(f"{day} 超出工作日历的范围（{FIRST_DAY} 至 {LAST_DAY}）。请核对日期。", {"day": "超出范围"})
    if not name.strip():
        raise InvalidData("更正工作日历要写明那天的名称，例如“台风停工”。请填写。", {"name": "请写明那天的名称"})
    row = work.session.get(CalendarDay, day) or CalendarDay(
        day=day, name="", is_working=is_working, reason="", changed_at=work.at
    )
    row.name, row.is_working, row.reason = name.strip(), is_working, reason
    row.changed_at, row.changed_by = work.at, work.actor.person_id
    work.session.add(row)
    return _revise(work, before, {"day": day.isoformat(), "is_working": is_working, "name": row.name}, reason)


@command("calendar.drop_correction", allow=holders_of("system_admin"))
def drop_correction(work: Work, day: date, *, reason: str) -> CalendarRevision:
    """Take back the correction of a day; its year's table says again what it is."""
    before = calendar_of(work.session)
    row = work.session.get(CalendarDay, day)
    if row is None:
        raise NotFound(f"{day} 没有更正过，不需要撤回。")
    work.session.delete(row)
    return _revise(work, before, {"day": day.isoformat(), "dropped": row.name}, reason)


def _revise(work: Work, before: WorkingCalendar, change: dict[str, Any], reason: str) -> CalendarRevision:
    """Write the revision and queue the recomputation; `before` was in force when the command began."""
    if not reason.strip():
        raise InvalidData("更改工作日历会移动办件的到期日。请写明依据或原因。", {"reason": "请写明依据或原因"})
    session = work.session
    session.flush()
    after = _read_calendar(session)
    if before.version == after.version:
        raise Refused("工作日历没有变化，不需要保存。请核对填写的内容。")
    revision = CalendarRevision(
        at=work.at,
        person_id=work.actor.person_id,
        person_name=work.actor.name,
        change=change,
        reason=reason.strip(),
        version=after.version,
    )
    session.add(revision)
    session.flush()
    session.info.pop(_VERSION, None)
    work.record("calendar", revision=revision.id, **change)
    enqueue(work, "sweep_clocks", "工作日历有更改，重算未办结的时限", {"revision": revision.id, "reason": reason.strip()})
    return revision


def _read_calendar(session: Session) -> WorkingCalendar:
    """The shipped tables, replaced or withdrawn by the entered years, with single days above both."""
    tables = {table.year: table for table in official_tables()}
    for row in session.exec(select(CalendarYear)):
        if row.document is not None:
            tables[row.year] = read_year_table(row.document, f"{row.year} 年的表")
        if not row.is_official:
            tables.pop(row.year, None)
    corrections = [SpecialDay(row.day, row.name, row.is_working) for row in session.exec(select(CalendarDay))]
    return build(tables.values(), corrections)


def _plain(table: YearTable) -> dict[str, Any]:
    days = [{"name": d.name, "date": d.day.isoformat(), "isOffDay": not d.is_working} for d in table.days]
    return {"year": table.year, "papers": list(table.papers), "days": days}
