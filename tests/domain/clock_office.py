"""An office whose date a test sets: tables of time on both engines, one rule book, cases to hang clocks on."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import Session, SQLModel

from domain import portal_clock
from domain.actor import Actor, Grant
from domain.audit import AuditEntry, AuditHead
from domain.calendar_table import CalendarDay, CalendarRevision, CalendarYear
from domain.case.tables import Case, Task
from domain.clock import Clock, ClockEntry
from domain.command import Work
from domain.job import Job
from domain.office import Office
from domain.portal_clock import DemoClock
from portal.database import Database
from rules.engine import RuleBook

TABLES = (AuditEntry, AuditHead, Case, Task, Clock, ClockEntry, CalendarYear, CalendarDay, CalendarRevision, DemoClock, Job)
ADMINISTRATOR = Actor(7, "顾思齐（样例）", (Grant("system_admin"),))
HANDLER = Actor(8, "陆明远（样例）", (Grant("district_handler", "310118"),))


class ClockOffice:
    """Sessions on a demo database whose date is what the test says."""

    def __init__(self, url: str, book: RuleBook) -> None:
        self.database = Database(url)
        self.office = Office(None, book, None, None, is_demo=True)
        self._numbers = itertools.count(1)
        SQLModel.metadata.create_all(self.database.engine, tables=[each.__table__ for each in TABLES])

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.database.writing() as session:
            session.info["office"] = self.office
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.database.reading() as session:
            session.info["office"] = self.office
            yield session

    @contextmanager
    def working(self, actor: Actor = HANDLER) -> Iterator[Work]:
        """A unit of work that is committed at its end, as inside a command."""
        with self.writing() as session:
            work = Work(session, actor, portal_clock.now(session), "test")
            yield work
            work.finish()

    def on(self, day: date) -> None:
        """Let it be ten o'clock of a day in Shanghai."""
        wanted = datetime.combine(day, time(10), portal_clock.SHANGHAI)
        ahead = int((wanted - datetime.now(UTC)) / timedelta(seconds=1))
        with self.writing() as session:
            session.add(DemoClock(offset_s=ahead, moved_to=day, moved_at=datetime.now(UTC)))
            session.commit()

    def new_case(self, session: Session) -> Case:
        at = portal_clock.now(session)
        case = Case(draft_number=f"YL-{next(self._numbers)}", case_type="sample", edition="2026-01-01",
                    title="样例", created_at=at, changed_at=at, status="open")
        session.add(case)
        session.flush()
        return case
