"""The year so far, in which sample cases live: moments of it, and their lives told in the order of time."""

import dataclasses
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from sqlmodel import select

from domain import portal_clock
from domain.actor import Actor
from domain.command import Work
from domain.errors import Refused
from domain.person import Person, actor_of
from domain.portal_clock import SHANGHAI

Life = Iterator[datetime]
"""What becomes of a case: it yields the moment of its next act and is resumed at that moment."""
_SATURDAY = 5
_OPENS = time(9, 10, tzinfo=SHANGHAI)
_MINUTES = 460
"""Of an office day, over which acts are spread."""


@dataclass
class YearSoFar:
    """The demo's unit of work, and the sample officials by login as they may act today."""

    work: Work
    actors: dict[str, Actor] = field(default_factory=dict)

    @property
    def start(self) -> datetime:
        """The first minutes of the year."""
        return datetime(portal_clock.local_date(self.work.at).year, 1, 1, 0, 5, tzinfo=SHANGHAI)

    def moment(self, percent: float, after: datetime | None = None) -> datetime:
        """A moment of an office day at this share of the year so far; later than `after`, never in the future."""
        target = (self.start + (self.work.at - self.start) * percent / 100).astimezone(SHANGHAI)
        day = target.date() - timedelta(days=max(target.weekday() - _SATURDAY + 1, 0))
        found = datetime.combine(day, _OPENS) + timedelta(minutes=int(percent * 617) % _MINUTES)
        earliest = self.start + timedelta(hours=9) if after is None else after + timedelta(minutes=20)
        return min(max(found, earliest), self.work.at)

    def by(self, login: str) -> Work:
        """The unit of work in the name of a sample official, at the moment that is being told."""
        if login not in self.actors:
            raise Refused(f"没有演示账号 {login}，不能装入演示办件。请先装入演示账号。")
        return dataclasses.replace(self.work, actor=self.actors[login], at=portal_clock.now(self.work.session))

    def opening(self) -> Work:
        """The unit of work as it is, at the first minutes of the year."""
        return dataclasses.replace(self.work, at=self.start)

    def know(self) -> None:
        """Read every sample official with the grants that hold now; they did not exist in the past that is told."""
        session = self.work.session
        for person in session.exec(select(Person).where(Person.is_demo)).all():
            actor = actor_of(session, person.id)
            if person.login and actor is not None:
                self.actors[person.login] = actor

    def tell(self, lives: Iterable[Life]) -> None:
        """Let every life happen, act by act in the order of time over all of them."""
        waiting = [(moment, number, life) for number, life in enumerate(lives) if (moment := next(life, None)) is not None]
        heapq.heapify(waiting)
        while waiting:
            moment, number, life = heapq.heappop(waiting)
            with portal_clock.at_moment(self.work.session, moment):
                following = next(life, None)
            if following is not None:
                heapq.heappush(waiting, (following, number, life))
