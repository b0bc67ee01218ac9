"""The window of a reading: what the rule set of its series is given, and how far back it looks."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

from sqlmodel import Session, col, select

from domain import decision, portal_clock
from domain.observation.tables import Observation, ObservationSeries
from domain.office import office_of
from rules.engine import Decision, RuleError
from rules.engine.rule_set import RuleSet

WINDOW, LIST = "window_hours", "readings"
"""The parameter and the list fact that every rule set over observations declares."""
_HOUR, _STEP = Decimal(3600), Decimal("0.000001")


class WindowUnknown(RuleError):
    """The rule set does not say over how many hours it looks."""


def rules_at(session: Session, series: ObservationSeries, at: datetime) -> RuleSet:
    """The edition that judges a reading: that in force on the day it was taken. Raises RuleError."""
    book = office_of(session).book
    return book.rule_set(decision.kind_of(book, series.rule_set), series.rule_set, portal_clock.local_date(at))


def window_of(rules: RuleSet, at: datetime) -> timedelta:
    """How far back an edition looks from a reading. Raises WindowUnknown."""
    parameter = rules.parameters.get(WINDOW)
    hours = None if parameter is None or parameter.by is not None else parameter.general(portal_clock.local_date(at))
    if hours is None:
        raise WindowUnknown(f"规则集「{rules.title}」没有写明时间窗（参数 {WINDOW}，小时），不能判断监测读数。请补上这个参数")
    return timedelta(seconds=float(hours * _HOUR))


def facts_at(session: Session, series_id: int, at: datetime, window: timedelta) -> Mapping[str, Any]:
    """The readings of the window that ends at a moment, the oldest first, each with its age in hours.

    The age is rounded up to 0.000001 hours, so that nothing older than a limit counts as being at it.
    """
    statement = (
        select(Observation.at, Observation.value)
        .where(Observation.series_id == series_id, Observation.at >= at - window, Observation.at <= at)
        .order_by(col(Observation.at), col(Observation.id))
    )
    return {LIST: [{"value": value, "age_hours": _hours(at - taken)} for taken, value in session.exec(statement).all()]}


def _hours(age: timedelta) -> Decimal:
    seconds = Decimal(age.days * 86_400 + age.seconds) + Decimal(age.microseconds) / 1_000_000
    return (seconds / _HOUR).quantize(_STEP, rounding=ROUND_UP)


def judged(session: Session, series: ObservationSeries, at: datetime) -> Decision:
    """What the rules say of the window that ends at a moment. Raises RuleError."""
    rules = rules_at(session, series, at)
    facts = facts_at(session, series.id, at, window_of(rules, at))
    on, subject = portal_clock.local_date(at), f"series:{series.key}"
    return office_of(session).book.decide_edition(rules.digest, facts, on=on, subject=subject)
