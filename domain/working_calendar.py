"""The working calendar 工作日历: which days are working days, counted by prefix sums.

A year is official when the State Council's notice for it has been entered; all other years are estimated
from weekends and statutory holidays, and every result that touches one says that it is provisional (暂定).
Pure: no database. domain/calendar_table.py adds what administrators entered.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml

from domain.errors import InvalidData

FOLDER = Path(__file__).parent / "reference" / "calendars"
FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2099, 12, 31)
_BASE = FIRST_DAY.toordinal()
_DAYS = LAST_DAY.toordinal() - _BASE + 1


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day that differs from its weekday: a holiday, or a weekend day on which people work."""

    day: date
    name: str
    is_working: bool


@dataclass(frozen=True, slots=True)
class YearTable:
    """The notice of one year; its days may reach into the last days of December before."""

    year: int
    papers: tuple[str, ...]
    days: tuple[SpecialDay, ...]


class WorkingCalendar:
    """Working days between 2000 and 2099. Immutable; `version` is a digest of its content.

    `special` replaces the weekday rule for single days; `official_years` are the years whose table is in force.
    """

    def __init__(self, special: Iterable[SpecialDay], official_years: Iterable[int]) -> None:
        self._special = {entry.day: entry for entry in special}
        self.official_years = frozenset(official_years)
        self.version = _digest(self._special, self.official_years)
        works = [self._works(_BASE + offset) for offset in range(_DAYS)]
        self._rank = [0, *accumulate(works)]
        self._working = [_BASE + offset for offset, is_working in enumerate(works) if is_working]

    def _works(self, ordinal: int) -> bool:
        day = date.fromordinal(ordinal)
        entry = self._special.get(day)
        return day.weekday() < 5 if entry is None else entry.is_working

    def is_working_day(self, day: date) -> bool:
        """True if people work on that day; the caller asks `is_provisional` how sure that is."""
        offset = _offset(day)
        return self._rank[offset + 1] > self._rank[offset]

    def special_day(self, day: date) -> SpecialDay | None:
        """The holiday or make-up working day that falls on a day, with its name; None on ordinary days."""
        return self._special.get(day)

    def is_provisional(self, first: date, last: date | None = None) -> bool:
        """True if any year from the first day to the last has no official table."""
        years = range(first.year, (last or first).year + 1)
        return any(year not in self.official_years for year in years)

    def add(self, day: date, count: int) -> tuple[date, bool]:
        """The count-th working day after a day (before it if negative), and whether it is provisional.

        The day itself is not counted (行政许可法第八十二条、民法典第二百零一条：开始的当日不计入); a count of
        0 gives the day back. Unit: working days. Provisional when a year from the one to the other has no
        official table. Raises InvalidData outside 2000–2099.

        >>> official_calendar().add(date(2026, 9, 30), 1)
        (datetime.date(2026, 10, 8), False)
        """
        if count == 0:
            return day, self.is_provisional(day)
        offset = _offset(day)
        before = self._rank[offset + 1] if count > 0 else self._rank[offset]
        index = before + count - 1 if count > 0 else before + count
        if not 0 <= index < len(self._working):
            raise InvalidData(_out_of_range(f"{day} 起第 {count} 个工作日"))
        found = date.fromordinal(self._working[index])
        return found, self.is_provisional(min(day, found), max(day, found))

    def between(self, after: date, through: date) -> int:
        """Working days after one day through another, (after, through]; negative if they lie the other way."""
        return self._rank[_offset(through) + 1] - self._rank[_offset(after) + 1]

    def working_days(self, after: date, through: date) -> list[date]:
        """The working days after one day through another, in order."""
        first = bisect_right(self._working, after.toordinal())
        last = bisect_right(self._working, through.toordinal())
        return [date.fromordinal(ordinal) for ordinal in self._working[first:last]]


def read_year_table(document: Mapping[str, Any], source: str) -> YearTable:
    """A year's table from a document like 2026.json; raises InvalidData that names what is wrong.

    Refused: a missing key, no notice named, a day given twice, a day of another year (but the December before),
    and an ordinary weekday marked as working: it says nothing and usually hides a wrong date.
    """
    for key in ("year", "papers", "days"):
        if key not in document:
            raise InvalidData(f"工作日历 {source} 缺少 {key}。请按 year、papers、days 三项补全。")
    year, papers = document["year"], document["papers"]
    if not isinstance(year, int) or isinstance(year, bool) or not FIRST_DAY.year < year < LAST_DAY.year:
        raise InvalidData(f"工作日历 {source} 的年份「{year}」不可用。应为 2001 至 2098 的整数。")
    if not isinstance(papers, list) or not papers or not all(isinstance(p, str) and p.strip() for p in papers):
        raise InvalidData(f"工作日历 {source} 没有写明所依据的国务院通知。请在 papers 中写上通知的网址或文号。")
    if not isinstance(document["days"], list) or not document["days"]:
        raise InvalidData(f"工作日历 {source} 没有任何日期。请在 days 中列出放假日和调休上班日。")
    days = tuple(_special_day(row, year, source) for row in document["days"])
    if repeated := [day for day, times in Counter(entry.day for entry in days).items() if times > 1]:
        raise InvalidData(f"工作日历 {source} 中 {min(repeated)} 写了不止一次。请只留一条。")
    return YearTable(year, tuple(papers), days)


def _special_day(row: Any, year: int, source: str) -> SpecialDay:
    if not isinstance(row, Mapping) or not {"name", "date", "isOffDay"} <= set(row):
        raise InvalidData(f"工作日历 {source} 有一条日期缺少 name、date 或 isOffDay：{row}。请补全。")
    try:
        day = date.fromisoformat(str(row["date"]))
    except ValueError as fault:
        raise InvalidData(f"工作日历 {source} 的日期「{row['date']}」不可用。请写成 2026-10-01 的样子。") from fault
    if not isinstance(row["isOffDay"], bool):
        raise InvalidData(f"工作日历 {source} 中 {day} 的 isOffDay 应为 true 或 false。")
    if day.year != year and (day.year, day.month) != (year - 1, 12):
        raise InvalidData(f"工作日历 {source} 是 {year} 年的表，却有 {day}。请改到该年的表里。")
    if not row["isOffDay"] and day.weekday() < 5:
        raise InvalidData(f"工作日历 {source} 把 {day} 标为调休上班，但那天本来就是周一至周五。请核对通知。")
    return SpecialDay(day, str(row["name"]), not row["isOffDay"])


@cache
def official_tables(folder: Path = FOLDER) -> tuple[YearTable, ...]:
    """The tables that ship with the portal, by year; raises InvalidData that names file and fault."""
    tables = []
    for path in sorted(folder.glob("[0-9][0-9][0-9][0-9].json")):
        table = read_year_table(json.loads(path.read_text(encoding="utf-8")), path.name)
        if path.stem != str(table.year):
            raise InvalidData(f"工作日历 {path.name} 里写的是 {table.year} 年。请改文件名或年份。")
        tables.append(table)
    return tuple(tables)


@cache
def estimated_days(folder: Path = FOLDER) -> tuple[SpecialDay, ...]:
    """Statutory holidays of every year, for years without an official table; no make-up days are guessed."""
    document = yaml.safe_load((folder / "statutory_days.yaml").read_text(encoding="utf-8"))
    years = range(FIRST_DAY.year, LAST_DAY.year + 1)
    fixed = [
        SpecialDay(date(year, row["month"], row["day"]), row["name"], False)
        for year in years
        for row in document["every_year"]
    ]
    lunar = [
        SpecialDay(day, name, False)
        for festivals in document["by_year"].values()
        for name, days in festivals.items()
        for day in days
    ]
    return (*fixed, *lunar)


def build(tables: Iterable[YearTable], corrections: Iterable[SpecialDay] = ()) -> WorkingCalendar:
    """A calendar from official tables, estimates for all other years, and corrections above both.

    Where two tables name one day, the later year's notice is the newer one and holds.
    """
    in_order = sorted(tables, key=lambda table: table.year)
    official = {table.year for table in in_order}
    special = [entry for entry in estimated_days() if entry.day.year not in official]
    special += [entry for table in in_order for entry in table.days]
    return WorkingCalendar([*special, *corrections], official)


@cache
def official_calendar() -> WorkingCalendar:
    """The calendar of the tables that ship with the portal, without anything administrators entered."""
    return build(official_tables())


def _offset(day: date) -> int:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InvalidData(_out_of_range(day.isoformat()))
    return day.toordinal() - _BASE


def _out_of_range(what: str) -> str:
    return f"{what} 超出工作日历的范围（{FIRST_DAY} 至 {LAST_DAY}）。请核对日期。"


def _digest(special: Mapping[date, SpecialDay], official_years: frozenset[int]) -> str:
    """SM3 over the days and years, 16 hex digits: equal calendars have equal versions in every process."""
    days = [f"{day}:{int(entry.is_working)}:{entry.name}" for day, entry in sorted(special.items())]
    content = "\n".join([*days, *map(str, sorted(official_years))])
    return hashlib.new("sm3", content.encode()).hexdigest()[:16]
