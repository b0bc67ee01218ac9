"""Readings are judged window by window, then the alarms are brought into line: each step a transaction of its own.

What is still to be judged stands in the series itself, so that a stop at any place loses nothing and repeats nothing.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

import yaml
from sqlmodel import Session, col, func, or_, select

from domain import rule_trouble
from domain.actor import SYSTEM
from domain.command import Work, command, system_only
from domain.decision import ENGINE_FAULTS
from domain.failpoint import reach
from domain.observation.alarm import settle_alarms
from domain.observation.intake import QUEUE, locked
from domain.observation.tables import Observation, ObservationSeries
from domain.observation.window import judged, rules_at, window_of
from domain.rule_trouble import Found
from domain.waking import wake
from rules.engine import RuleError

log = logging.getLogger(__name__)
PAGE = 100
UNDETERMINED = "undetermined"
FAULTS = (RuleError, *ENGINE_FAULTS)
_FILE = Path(__file__).parents[1] / "reference" / "observation.yaml"


class Storage(Protocol):
    """Opens sessions, like portal.database.Database."""

    reading: Callable[[], AbstractContextManager[Session]]
    writing: Callable[[], AbstractContextManager[Session]]


@cache
def words() -> dict[str, str]:
    """The texts of notices about observations."""
    return yaml.safe_load(_FILE.read_text(encoding="utf-8"))


def next_series(session: Session) -> int | None:
    """The series that has waited longest for its readings to be judged."""
    waits = or_(col(ObservationSeries.judge_from).is_not(None), col(ObservationSeries.settle_from).is_not(None))
    return session.exec(select(ObservationSeries.id).where(waits).order_by(col(ObservationSeries.judge_from)).limit(1)).first()


def judge_next(storage: Storage) -> bool:
    """Do one step of what waits; True if there was one."""
    with storage.reading() as session:
        series_id = next_series(session)
    if series_id is None:
        return False
    with storage.writing() as session:
        is_judged = judge_page(session, SYSTEM, series_id)
    reach("observation:judged")
    if is_judged:
        with storage.writing() as session:
            settle(session, SYSTEM, series_id)
    return True


@command("observation.judge", allow=system_only)
def judge_page(work: Work, series_id: int, size: int = PAGE) -> bool:
    """Judge the next windows of a series in the order of time; True when none is left."""
    series = locked(work.session, series_id)
    upper = _upper(work.session, series)
    readings = [] if upper is None else _page(work.session, series, upper, size)
    logged: set[type[Exception]] = set()
    for at in dict.fromkeys(each.at for each in readings):
        outcome, series.fault = _outcome(work.session, series, at, logged)
        for each in (reading for reading in readings if reading.at == at):
            each.outcome = outcome
    following = _following(work.session, series, readings[-1].at, upper) if readings else None
    series.judge_from = following
    if following is None:
        series.judge_through = None
    if series.fault:
        rule_trouble.note(work, Found(rule_trouble.SERIES, series.key, series.fault))
    work.session.add_all([series, *readings])
    work.record(f"series:{series.key}", count=len(readings))
    return following is None


@command("observation.settle", allow=system_only)
def settle(work: Work, series_id: int) -> None:
    """Bring the alarms into line with what was judged, unless more readings came meanwhile."""
    series = locked(work.session, series_id)
    if series.judge_from is None and series.settle_from is not None:
        settle_alarms(work, series, series.settle_from, words())
        series.settle_from = None
        work.session.add(series)
    work.record(f"series:{series.key}")


def _upper(session: Session, series: ObservationSeries) -> datetime | None:
    """The end of the last window that holds a new reading."""
    if series.judge_from is None or series.judge_through is None:
        return None
    return series.judge_through + _reach(session, series, series.judge_through)


def _reach(session: Session, series: ObservationSeries, at: datetime) -> timedelta:
    try:
        return window_of(rules_at(session, series, at), at)
    except FAULTS:
        return timedelta(0)  # nothing can be judged there; the reading itself says why


def _page(session: Session, series: ObservationSeries, upper: datetime, size: int) -> list[Observation]:
    """The next readings; those of one moment are never parted."""
    own = (Observation.series_id == series.id, Observation.at >= series.judge_from)
    order = (col(Observation.at), col(Observation.id))
    moments = session.exec(select(Observation.at).where(*own, Observation.at <= upper).order_by(*order).limit(size)).all()
    if not moments:
        return []
    return list(session.exec(select(Observation).where(*own, Observation.at <= moments[-1]).order_by(*order)).all())


def _following(session: Session, series: ObservationSeries, last: datetime, upper: datetime | None) -> datetime | None:
    statement = select(func.min(Observation.at)).where(Observation.series_id == series.id, Observation.at > last)
    return session.exec(statement.where(Observation.at <= upper)).one()


def _outcome(
    session: Session, series: ObservationSeries, at: datetime, logged: set[type[Exception]]
) -> tuple[str, str | None]:
    """The outcome of a window, and why there is none: it then neither raises an alarm nor ends one.

    One fault of a kind is logged a turn: a rule set without an edition would otherwise fill the log, window by window.
    """
    try:
        made = judged(session, series, at)
    except FAULTS as fault:
        if type(fault) not in logged:
            log.exception("the window of series %s at %s could not be judged", series.key, at)
            logged.add(type(fault))
        return UNDETERMINED, rule_trouble.reason_of(fault)
    return made.outcome, made.message if made.outcome == UNDETERMINED else None


def judge_again(work: Work, series: ObservationSeries) -> None:
    """Let the windows that could not be judged be judged once more, after the rules were put right."""
    undecided = (Observation.series_id == series.id, Observation.outcome == UNDETERMINED)
    first, last = work.session.exec(select(func.min(Observation.at), func.max(Observation.at)).where(*undecided)).one()
    if first is not None:
        series.judge_from = min(first, series.judge_from or first)
        series.judge_through = max(last, series.judge_through or last)
        series.settle_from = min(first, series.settle_from or first)
        work.session.add(series)
        work.after_commit(lambda: wake(QUEUE))


@command("observation.retry", allow=system_only)
def retry_faulty(work: Work) -> int:
    """Every night: the series whose newest window could not be judged get another try; how many."""
    faulty = work.session.exec(select(ObservationSeries).where(col(ObservationSeries.fault).is_not(None)).with_for_update()).all()
    for series in faulty:
        judge_again(work, series)
    work.record("series", count=len(faulty))
    return len(faulty)
