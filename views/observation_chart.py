"""The course of a series drawn on the server: readings over time, the lines of its rules, and the time of its alarms.

Here are the places of things, in the units of the drawing, for desk and phone; observations/_course.html draws them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.format import local, moment
from domain.observation.intake import plain
from domain.observation.tables import Observation, ObservationAlarm
from views.ledger_chart import DESK, PHONE, Drawn, Mark

TICKS = {DESK: 6, PHONE: 2}
ROWS = 24
"""Readings in the table below the drawing; the page lists all of them."""


@dataclass(frozen=True)
class Line:
    """A limit of the rules: its name and its value in the unit of the series."""

    label: str
    value: Decimal


@dataclass(frozen=True)
class Course:
    """One drawing: the path of the readings, the spans of alarms, grid, moments, limits, and the newest reading."""

    kind: str
    width: int
    height: int
    left: float
    right: float
    base: float
    path: str
    alarms: Sequence[tuple[float, float]]
    over: Sequence[Mark]
    grid: Sequence[Mark]
    ticks: Sequence[Mark]
    lines: Sequence[Mark]
    end: Mark


def course(readings: Sequence[Observation], alarms: Sequence[ObservationAlarm], lines: Sequence[Line], unit: str) -> Drawn | None:
    """The readings, the oldest first, in both widths, with the table of the newest; None if there is none."""
    if not readings:
        return None
    rows = [(moment(each.at), f"{plain(each.value)} {unit}") for each in reversed(readings[-ROWS:])]
    return Drawn([_course(readings, alarms, lines, unit, width) for width in (DESK, PHONE)], ("测得时刻", "读数"), rows)


def _course(
    readings: Sequence[Observation], alarms: Sequence[ObservationAlarm], lines: Sequence[Line], unit: str, width: int
) -> Course:
    is_desk = width == DESK
    height, left, right = (270, 64.0, width - 150.0) if is_desk else (210, 44.0, width - 8.0)
    base = height - 34.0
    values = [each.value for each in readings] + [each.value for each in lines]
    low, high = _room(min(values), max(values))
    first, last = readings[0].at, readings[-1].at
    seconds = max((last - first).total_seconds(), 1.0)

    def x(at: datetime) -> float:
        return round(left + (right - left) * (at - first).total_seconds() / seconds, 1)

    def y(value: Decimal) -> float:
        return round(base - (base - 22) * float((value - low) / (high - low)), 1)

    places = [(x(each.at), y(each.value)) for each in readings]
    limit = min((each.value for each in lines), default=None)
    over = [Mark(*place, "") for place, each in zip(places, readings, strict=True) if limit is not None and each.value > limit]
    spans = [(x(max(each.from_at, first)), x(min(each.ended_at or last, last))) for each in alarms if (each.ended_at or last) >= first]
    ticks = [first + (last - first) * place / (TICKS[width] - 1) for place in range(TICKS[width])]
    return Course(
        "desk" if is_desk else "phone", width, height, left, right, base,
        "M" + "L".join(f"{a} {b}" for a, b in places),
        [(start, max(end - start, 2.0)) for start, end in spans], over,
        [Mark(left - 6, y(each), plain(each)) for each in _grid(low, high)],
        [Mark(x(each), base + 18, f"{local(each):%m-%d %H:%M}") for each in ticks],
        [Mark(right, y(each.value), f"{each.label} {plain(each.value)} {unit}") for each in lines],
        Mark(*places[-1], f"{plain(readings[-1].value)} {unit}"),
    )  # fmt: skip


def _room(low: Decimal, high: Decimal) -> tuple[Decimal, Decimal]:
    """The least and the largest value drawn, with some air; zero is kept where nothing lies below it."""
    air = max((high - low) * Decimal("0.15"), Decimal("0.1"))
    return (Decimal(0) if 0 <= low < high else low - air), high + air


def _grid(low: Decimal, high: Decimal) -> list[Decimal]:
    """Up to six round values between the least and the largest."""
    unit = Decimal(10) ** (high - low).adjusted()
    step = next(each for each in (unit * size / 10 for size in (1, 2, 5, 10, 20, 50)) if (high - low) / each <= 5)
    first = -(-low // step)
    return [each for place in range(7) if low <= (each := (first + place) * step) <= high]
