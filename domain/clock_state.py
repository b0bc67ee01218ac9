"""What a clock's ledger says on a day: days used, stopped, left and over, and the due date. Pure.

The ledger is a list of entries in the order of their effective dates. The rules of counting:

- The day of the start is not counted; day 1 is the first counted day after it, and the clock is due on the
  limit-th counted day. Counted are working days or all days.
- The day of a stop is not counted, the day of the resumption is: the days from the stop up to the day before
  the resumption are stopped. Stopped and resumed on one day, nothing is stopped.
- Today is counted as used. On the due date itself nothing is left and nothing is over.
- While the clock stands still, the due date is a forecast: as if it were resumed tomorrow.
- An extension adds counted days. A finish counts its own day and freezes what was counted.
- A dated clock has an agreed date instead of a limit. Stops do not move it; only an extension does.

Example (working days): 10 days started on Friday 2026-11-06, so day 1 is 11-09; stopped on 11-11, resumed on
11-12. On 11-20 nine days are used (9, 10, 12, 13, 16 to 20), one is stopped, one is left, due on 11-23.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal, Protocol

from domain.errors import Refused
from domain.working_calendar import WorkingCalendar


class EntryKind(StrEnum):
    """What an entry of the ledger does."""

    START = "start"
    STOP = "stop"
    RESUME = "resume"
    EXTEND = "extend"
    FINISH = "finish"
    RECOMPUTE = "recompute"


class Counting(StrEnum):
    """Which days a clock counts."""

    WORKING = "working"
    CALENDAR = "calendar"


class Entry(Protocol):
    """One line of a ledger; `days` is the limit (start), the extension, or what was counted (finish)."""

    kind: str
    effective_on: date
    days: int | None
    due_on: date | None


class DayCount(Protocol):
    """Counts days of one sort; the working calendar is one such count."""

    def add(self, day: date, count: int) -> tuple[date, bool]: ...
    def between(self, after: date, through: date) -> int: ...
    def is_provisional(self, first: date, last: date) -> bool: ...


class AllDays:
    """Counts every day; needs no table, so it is never provisional."""

    def add(self, day: date, count: int) -> tuple[date, bool]:
        """The day that many days later."""
        return day + timedelta(days=count), False

    def between(self, after: date, through: date) -> int:
        """Days after one day through another."""
        return (through - after).days

    def is_provisional(self, first: date, last: date) -> bool:
        """Never: every day counts, whatever the notice says."""
        return False


SegmentKind = Literal["used", "stop", "left", "over"]
Status = Literal["running", "stopped", "finished"]


@dataclass(frozen=True, slots=True)
class Segment:
    """Counted days in a row of one sort, for the ruler; `first_on` and `last_on` are counted days."""

    kind: SegmentKind
    days: int
    first_on: date
    last_on: date


@dataclass(frozen=True, slots=True)
class ClockState:
    """The answer of a ledger on a day; all numbers are counted days.

    used + left = limit always (the limit with its extensions); over is counted beyond the limit.
    `is_provisional` is about the due date; `is_count_provisional` also about the days counted up to today.
    """

    counting: Counting
    status: Status
    as_of: date
    start_on: date
    due_on: date
    limit: int
    extended: int
    used: int
    stopped: int
    left: int
    over: int
    is_dated: bool
    is_provisional: bool
    is_count_provisional: bool
    stopped_on: date | None
    finished_on: date | None
    segments: tuple[Segment, ...]

    @property
    def is_running(self) -> bool:
        """True while days are being counted."""
        return self.status == "running"

    @property
    def total(self) -> int:
        """Days counted so far, within the limit and beyond."""
        return self.used + self.over


@dataclass(frozen=True, slots=True)
class _Ledger:
    """The entries read in order: what was started, the stops, the extensions, the end."""

    start: Entry
    stops: tuple[tuple[date, date | None], ...] = ()
    extended: int = 0
    finish: Entry | None = None
    last_on: date = date.min

    @property
    def status(self) -> Status:
        if self.finish is not None:
            return "finished"
        return "stopped" if self.stops and self.stops[-1][1] is None else "running"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch after one day through another in which the clock ran or stood still."""

    is_running: bool
    after: date
    through: date


_WORDS = {"running": "正在计时", "stopped": "已经停表", "finished": "已经办结"}
_ACTS = {"start": "起算", "stop": "停表", "resume": "续办", "extend": "延期", "finish": "结束", "recompute": "重算"}
_POSSIBLE = {
    "running": {"stop", "extend", "finish", "recompute"},
    "stopped": {"resume", "extend", "finish", "recompute"},
    "finished": set(),
}


def state(
    entries: Iterable[Entry], calendar: WorkingCalendar, today: date, counting: str = Counting.WORKING
) -> ClockState:
    """What the ledger says at the end of a day; entries that take effect later are left out.

    Dates are days in Shanghai. Raises Refused when the entries contradict each other (see `must_fit`).
    """
    ledger = _read(entry for entry in entries if entry.kind == "start" or entry.effective_on <= today)
    count: DayCount = calendar if counting == Counting.WORKING else AllDays()
    end = max(ledger.finish.effective_on if ledger.finish else today, ledger.start.effective_on)
    origin, limit, agreed_on = _limit(ledger, count)
    pieces = _pieces(ledger, origin, end)
    counted = _counted(pieces, count, running=True)
    due_on = agreed_on or _due_on(pieces, limit, end, count)
    if ledger.finish is not None and ledger.finish.days is not None:
        counted, due_on = ledger.finish.days, ledger.finish.due_on or due_on
    known_to = end if ledger.finish else due_on
    return ClockState(
        counting=Counting(counting),
        status=ledger.status,
        as_of=today,
        start_on=ledger.start.effective_on,
        due_on=due_on,
        limit=limit,
        extended=ledger.extended,
        used=min(counted, limit),
        stopped=_counted(pieces, count, running=False),
        left=max(limit - counted, 0),
        over=max(counted - limit, 0),
        is_dated=agreed_on is not None,
        is_provisional=count.is_provisional(origin, max(origin, known_to)),
        is_count_provisional=count.is_provisional(origin, max(origin, known_to, end)),
        stopped_on=ledger.stops[-1][0] if ledger.status == "stopped" else None,
        finished_on=ledger.finish.effective_on if ledger.finish else None,
        segments=_segments(pieces, limit, end, count),
    )


def must_fit(entries: Sequence[Entry], added: Entry) -> None:
    """Raise Refused, saying why and what to do, if an entry cannot follow a ledger.

    Refused: a second start, a stop of a clock that stands still or has an agreed date, a resumption of one that
    runs, anything after the finish, an effective date before the last one, and a limit or extension below 1 day.
    """
    _read([*entries, added])


def _read(entries: Iterable[Entry]) -> _Ledger:
    rest = iter(entries)
    start = next(rest, None)
    if start is None or start.kind != EntryKind.START:
        raise Refused("时限还没有起算，不能停表、续办、延期或结束。请先起算。")
    if start.due_on is None and (start.days is None or start.days < 1):
        raise Refused(f"时限的天数是 {start.days}，无法起算。请在事项定义中写明 1 天以上的天数，或约定的日期。")
    ledger = _Ledger(start, last_on=start.effective_on)
    for entry in rest:
        ledger = _followed(ledger, entry)
    return ledger


def _followed(ledger: _Ledger, entry: Entry) -> _Ledger:
    kind, on = str(entry.kind), entry.effective_on
    if kind not in _POSSIBLE[ledger.status]:
        raise Refused(f"时限{_WORDS[ledger.status]}（{ledger.last_on}），不能再{_ACTS[kind]}。请核对时限流水。")
    if on < ledger.last_on:
        raise Refused(f"{_ACTS[kind]}的日期 {on} 早于上一条流水的日期 {ledger.last_on}。请改为当日或其后的日期。")
    if kind == EntryKind.RECOMPUTE:
        return ledger
    if kind == EntryKind.STOP:
        if ledger.start.due_on is not None:
            raise Refused(f"约定日期 {ledger.start.due_on} 不因停表顺延。确需改期的，请登记延期并写明依据。")
        return replace(ledger, stops=(*ledger.stops, (on, None)), last_on=on)
    if kind == EntryKind.RESUME:
        return replace(ledger, stops=(*ledger.stops[:-1], (ledger.stops[-1][0], on)), last_on=on)
    if kind == EntryKind.EXTEND:
        if entry.days is None or entry.days < 1:
            raise Refused(f"延期的天数是 {entry.days}。请填写 1 天以上的天数。")
        return replace(ledger, extended=ledger.extended + entry.days, last_on=on)
    return replace(ledger, finish=entry, last_on=on)


def _limit(ledger: _Ledger, count: DayCount) -> tuple[date, int, date | None]:
    """Where counting begins, how many days it allows, and the agreed date if there is one.

    An agreed date that lay before the start counts from itself: all days since are over.
    """
    start = ledger.start
    if start.due_on is None:
        return start.effective_on, (start.days or 0) + ledger.extended, None
    agreed_on = count.add(start.due_on, ledger.extended)[0] if ledger.extended else start.due_on
    origin = min(start.effective_on, agreed_on)
    return origin, count.between(origin, agreed_on), agreed_on


def _pieces(ledger: _Ledger, origin: date, end: date) -> list[_Piece]:
    """The time from the origin through the end, cut where the clock stopped and went on."""
    pieces, at = [], origin
    for stopped_on, resumed_on in ledger.stops:
        before = max(at, stopped_on - timedelta(days=1))
        through = end if resumed_on is None else max(before, resumed_on - timedelta(days=1))
        pieces += [_Piece(True, at, before), _Piece(False, before, max(before, through))]
        at = max(before, through)
    pieces.append(_Piece(True, at, max(at, end)))
    return [piece for piece in pieces if piece.after < piece.through]


def _counted(pieces: Iterable[_Piece], count: DayCount, *, running: bool) -> int:
    return sum(count.between(p.after, p.through) for p in pieces if p.is_running is running)


def _due_on(pieces: Iterable[_Piece], limit: int, end: date, count: DayCount) -> date:
    """The limit-th counted running day; after the end the clock is taken to run on."""
    missing = limit
    for piece in pieces:
        days = count.between(piece.after, piece.through) if piece.is_running else 0
        if 0 < missing <= days:
            return count.add(piece.after, missing)[0]
        missing -= days
    return count.add(end, missing)[0]


def _segments(pieces: Iterable[_Piece], limit: int, end: date, count: DayCount) -> tuple[Segment, ...]:
    """The pieces as runs of counted days, split at the limit, and what is left after them."""
    segments: list[Segment | None] = []
    missing = limit
    for piece in pieces:
        days = count.between(piece.after, piece.through)
        if not piece.is_running:
            segments.append(_segment("stop", piece.after, days, count))
            continue
        within = min(days, missing)
        missing -= within
        segments.append(_segment("used", piece.after, within, count))
        segments.append(_segment("over", count.add(piece.after, within)[0], days - within, count))
    segments.append(_segment("left", end, missing, count))
    return tuple(segment for segment in segments if segment is not None)


def _segment(kind: SegmentKind, after: date, days: int, count: DayCount) -> Segment | None:
    if days < 1:
        return None
    return Segment(kind, days, count.add(after, 1)[0], count.add(after, days)[0])
