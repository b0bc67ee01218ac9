"""The clock of the portal: the one place that asks what time it is.

On a demo database an administrator may have moved the date forward (domain/demo_date.py); then every moment
and date of the portal is moved with it, so that lights, holidays and expiries can be walked by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Field, Session, SQLModel, select

from domain.columns import BIG_ID, id_column, moment_column

SHANGHAI = ZoneInfo("Asia/Shanghai")
_OFFSET = "demo_clock_offset"


class DemoClock(SQLModel, table=True):
    """One move of the demo date; the latest one holds. Earlier ones stay as history."""

    __tablename__ = "demo_clock"

    id: int | None = Field(default=None, sa_column=id_column())
    offset_s: int
    """How far the portal's time is ahead of the real time, in seconds; always a whole number of days."""
    moved_to: date
    moved_at: datetime = Field(sa_column=moment_column())
    """The real moment of the move."""
    moved_by: int | None = Field(default=None, sa_type=BIG_ID)


def now(session: Session | None = None) -> datetime:
    """The present moment in UTC; moved forward if the session belongs to a demo database whose date was moved."""
    return datetime.now(UTC) + (timedelta(0) if session is None else offset(session))


def today(session: Session | None = None) -> date:
    """The present date in Shanghai, by the same clock."""
    return local_date(now(session))


def local_date(moment: datetime) -> date:
    """The date in Shanghai at a moment; raises ValueError for a moment without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(SHANGHAI).date()


def demo_date(session: Session) -> date | None:
    """The date to show in the banner while the demo date is moved; None while the portal keeps real time."""
    return today(session) if offset(session) else None


def offset(session: Session) -> timedelta:
    """How far the portal's time is ahead; zero, without asking the database, unless it is a demo database."""
    if not _is_demo(session.info):
        return timedelta(0)
    if _OFFSET not in session.info:
        latest = select(DemoClock.offset_s).order_by(DemoClock.id.desc()).limit(1)
        session.info[_OFFSET] = timedelta(seconds=session.exec(latest).first() or 0)
    return session.info[_OFFSET]


def shifted(by: timedelta | None) -> dict[str, Any]:
    """What a session is to know so that its clock is shifted, into the past too; nothing without a shift.

    For loading demo stories: on any other database the shift has no effect.
    """
    return {} if by is None else {_OFFSET: by}


def forget_offset(session: Session) -> None:
    """Ask the database again next time; called after a move."""
    session.info.pop(_OFFSET, None)


@contextmanager
def at_moment(session: Session, moment: datetime) -> Iterator[None]:
    """The portal's time is another moment inside: sample data that tell of the past are made then.

    Raises ValueError on a database that is not a demo, where time is never turned back.
    """
    if not _is_demo(session.info):
        raise ValueError("only a demo database may be given another time")
    before = offset(session)
    session.info[_OFFSET] = moment - datetime.now(UTC)
    try:
        yield
    finally:
        session.info[_OFFSET] = before


def _is_demo(info: dict[Any, Any]) -> bool:
    office = info.get("office")
    return office is not None and office.is_demo
