"""Charts of the books, drawn on the server: remaining area against the warning line, by district and over the year.

Here are the places of things, in the units of the drawing, for desk and phone; the templates ledgers/_bars.html and
ledgers/_course.html draw them. Amounts are words in hectares, as the tables show them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from domain.format import M2_PER_HECTARE, date_table, signed, thousands
from domain.ledger import area_label
from domain.ledger.course import CoursePoint
from domain.ledger.statement import AreaBooks

DESK, PHONE = 1300, 340
_MONTHS = 12


@dataclass(frozen=True)
class Bar:
    """One district: widths of what was stored, remains and is frozen, and the place of the warning line."""

    label: str
    words: str
    is_stopped: bool
    y: float
    stored: float
    remaining: float
    frozen: float
    line: float


@dataclass(frozen=True)
class Bars:
    """The districts with a plan, one bar each; `left` is where bars begin and `lead` how far words stand above them."""

    kind: str
    width: int
    height: float
    left: float
    rows: Sequence[Bar]


@dataclass(frozen=True)
class Mark:
    """A word at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Course:
    """The year of one plan pool: paths of remaining area and warning line, grid, months, and what was stored when."""

    kind: str
    width: int
    height: int
    left: float
    right: float
    base: float
    remaining: str
    fill: str
    line: str
    grid: Sequence[Mark]
    months: Sequence[Mark]
    stores: Sequence[Mark]
    end: Mark
    line_end: Mark


@dataclass(frozen=True)
class Drawn:
    """A chart in both widths with its table of the same numbers."""

    drawings: Sequence[Any]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def hectares(value_m2: Decimal) -> str:
    """An area in hectares with four decimals, without the unit; the column or caption has it."""
    return thousands(value_m2 / M2_PER_HECTARE, 4)


def district_bars(books: Sequence[AreaBooks]) -> Drawn | None:
    """Remaining against warning line of every area that stored something; None if none did."""
    shown = [each for each in books if each.line is not None]
    if not shown:
        return None
    columns = ("行政区", "累计预存", "剩余", "其中冻结", "警戒线", "高出警戒线", "办理")
    rows = [
        (
            area_label(each.area), hectares(each.of("plan", "total")), hectares(each.of("plan", "remaining")), hectares(each.frozen),
            hectares(each.line), signed((each.of("plan", "remaining") - each.line) / M2_PER_HECTARE, 4), "停办" if each.stopped else "可办",
        )
        for each in shown
    ]  # fmt: skip
    return Drawn((_bars(shown, DESK), _bars(shown, PHONE)), columns, rows)


def _bars(shown: Sequence[AreaBooks], width: int) -> Bars:
    is_desk = width == DESK
    left, room, step, lead = (110.0, 780.0, 30.0, 6.0) if is_desk else (0.0, 330.0, 62.0, 38.0)
    scale = Decimal(room) / max(each.of("plan", "total") for each in shown)
    rows = [_bar(each, lead + place * step, scale, is_desk) for place, each in enumerate(shown)]
    return Bars("desk" if is_desk else "phone", width, len(shown) * step + 12, left, rows)


def _bar(each: AreaBooks, y: float, scale: Decimal, is_desk: bool) -> Bar:
    remaining, stored = each.of("plan", "remaining"), each.of("plan", "total")
    words = f"剩余 {hectares(remaining)}，警戒线 {hectares(each.line)}"
    if is_desk:
        words += f"，预存 {hectares(stored)}"
    if each.stopped:
        words += "，停办"
    return Bar(
        area_label(each.area), words, each.stopped is not None, y, _length(stored, scale), _length(remaining, scale),
        _length(each.frozen, scale), _length(each.line, scale),
    )  # fmt: skip


def _length(amount: Decimal, scale: Decimal) -> float:
    return round(float(amount * scale), 1)


def year_course(points: Sequence[CoursePoint], year: int, until: date) -> Drawn | None:
    """The year of a plan pool up to a day; None while nothing was stored."""
    if not points:
        return None
    end = date(year, 12, 31)
    last = min(until, end)
    # What is booked in a later year for this one still belongs to the end of its drawing.
    points = [replace(each, on=min(each.on, end)) for each in points]
    columns = ("月末", "剩余", "累计预存", "警戒线")
    return Drawn((_course(points, year, last, DESK), _course(points, year, last, PHONE)), columns, _month_ends(points, last))


def _month_ends(points: Sequence[CoursePoint], last: date) -> list[tuple[str, ...]]:
    rows = []
    for month in range(1, last.month + 1):
        until = [each for each in points if each.on.month <= month]
        if until:
            now = until[-1]
            line = hectares(now.line_m2) if now.line_m2 is not None else "—"
            rows.append((f"{month} 月", hectares(now.remaining_m2), hectares(now.stored_m2), line))
    return rows


def _course(points: Sequence[CoursePoint], year: int, last: date, width: int) -> Course:
    is_desk = width == DESK
    height, left = (270, 64.0) if is_desk else (210, 44.0)
    right, base = (width - 150.0 if is_desk else width - 8.0), height - 34.0
    top = max(max(each.remaining_m2, each.line_m2 or Decimal(0)) for each in points) * Decimal("1.18")
    days = (date(year + 1, 1, 1) - date(year, 1, 1)).days

    def x(day: date) -> float:
        return round(left + (right - left) * (day - date(year, 1, 1)).days / days, 1)

    def y(amount: Decimal | None) -> float:
        return round(base - (base - 22) * float((amount or Decimal(0)) / top), 1)

    now = points[-1]
    remaining = _steps([(x(each.on), y(each.remaining_m2)) for each in points], base, x(last))
    months = [date(year, month, 1) for month in range(1, _MONTHS + 1) if is_desk or month % 3 == 1]
    stores = [Mark(x(e.on), y(e.remaining_m2), f"{date_table(e.on)[5:]} 预存 {signed(e.added_m2 / M2_PER_HECTARE, 4)}") for e in points if e.added_m2]
    return Course(
        "desk" if is_desk else "phone", width, height, left, right, base, remaining,
        f"{remaining}V{base}H{x(points[0].on)}z", _steps([(x(each.on), y(each.line_m2)) for each in points], None, x(last)),
        [Mark(left - 6, y(each), thousands(each / M2_PER_HECTARE, _decimals(top))) for each in _grid(top)],
        [Mark(x(each), base + 18, f"{each.month} 月") for each in months], stores if is_desk else [],
        Mark(x(last), y(now.remaining_m2), f"剩余 {hectares(now.remaining_m2)}"),
        Mark(x(last), y(now.line_m2), f"警戒线 {hectares(now.line_m2 or Decimal(0))}"),
    )  # fmt: skip


def _steps(places: Sequence[tuple[float, float]], base: float | None, end: float) -> str:
    """A path that keeps its height until the next place; it begins on the base line if that is given."""
    x, y = places[0]
    path = f"M{x} {y}" if base is None else f"M{x} {base}V{y}"
    return path + "".join(f"H{place}V{height}" for place, height in places[1:]) + f"H{end}"


def _grid(top: Decimal) -> list[Decimal]:
    """Two to five round amounts in m² below the top."""
    unit = Decimal(10) ** (top / M2_PER_HECTARE).adjusted()
    step = next(each for each in (Decimal(n) * unit / 10 for n in (1, 2, 5, 10, 20, 50)) if each * 5 * M2_PER_HECTARE >= top)
    return [step * place * M2_PER_HECTARE for place in range(1, 6) if step * place * M2_PER_HECTARE < top]


def _decimals(top: Decimal) -> int:
    """Decimals of the words on the axis: none from ten hectares on."""
    return max(0, 1 - (top / M2_PER_HECTARE).adjusted())
