"""An edition standing on the shelf of the rule book: from which moment it is in force, read when first asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from .rule_book import CompiledSet

ZONE = ZoneInfo("Asia/Shanghai")
Track = tuple[str, str, bool]
"""Kind, key, and whether it is the line of demo editions: editions follow one another on one track."""


@dataclass(frozen=True, slots=True)
class StoredEdition:
    """An edition as the portal's records keep it: `text` as written, `content` as RuleSet.content fixes it.

    `file` names it in faults and is different for every edition.
    """

    kind: str
    key: str
    demo: bool
    digest: str
    text: str
    content: str
    effective_at: datetime
    until: date | None
    file: str
    ended: bool = False
    """True once another edition has taken its place: it is compiled only when a case of its time asks."""

    @property
    def track(self) -> Track:
        return self.kind, self.key, self.demo


class Standing:
    """One edition with the moment from which it is in force; compiled when first asked."""

    def __init__(
        self, effective_at: datetime, until: date | None, demo: bool, digest: str, make: Callable[[], "CompiledSet"]
    ) -> None:
        self.effective_at, self.until, self.demo, self.digest, self._make = effective_at, until, demo, digest, make

    @cached_property
    def compiled(self) -> "CompiledSet":
        """The edition ready to decide. Raises EditionUnknown when the stored text can no longer be read."""
        return self._make()


def start_of(day: date) -> datetime:
    """The first moment of a day in Shanghai."""
    return datetime.combine(day, time(0), ZONE)


def moment_of(on: date | datetime) -> datetime:
    """A moment as it is; of a day the last moment, so that the day's latest edition is meant."""
    return on if isinstance(on, datetime) else start_of(on + timedelta(days=1)) - timedelta(microseconds=1)


def day_of(on: date | datetime) -> date:
    """The day in Shanghai."""
    return on.astimezone(ZONE).date() if isinstance(on, datetime) else on


def standing_at(track: list[Standing], on: date | datetime) -> Standing | None:
    """The edition of one track in force then: the last that began, unless its time ran out and nothing followed.

    An edition that a later one replaced within a day held until that moment, whatever its last day says.
    """
    begun = [each for each in track if each.effective_at <= moment_of(on)]
    if not begun:
        return None
    last = begun[-1]
    return last if last.until is None or day_of(on) <= last.until else None
