"""Numbers of cases and documents 文号: a pattern, and one counter for each year, district or series in it.

「沪规划资源管〔{year}〕{seq:04}号」 counts from 1 in every year; 「沪青地（{year}）EA{district}{year}{seq:05}」
in every district and year. A number is taken inside the transaction that uses it, so that a rolled-back
act leaves no gap; a void number stays on record and is never given again.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, String
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, select

from domain.columns import code_column, id_column, moment_column
from domain.errors import Conflict, InvalidData, NotFound, Refused

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SEQUENCE = re.compile(r"seq(?::0?([1-9]))?")
_CALENDAR = {"year": "%Y", "month": "%m", "day": "%d"}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
PREVIEW_GAP = "□"
"""Stands for one digit of a number that is not given yet, so that a preview breaks its lines alike."""


class NumberState(enum.StrEnum):
    """Whether a number given out is in use or void."""

    USED = "used"
    VOID = "void"


class NumberCounter(SQLModel, table=True):
    """The last number given in one series and scope; the scope is the pattern with all but {seq} filled in."""

    __tablename__ = "number_counter"
    __table_args__ = (PrimaryKeyConstraint("series", "scope"),)

    series: str = Field(sa_column=Column(String(120), nullable=False))
    scope: str = Field(sa_column=Column(String(200), nullable=False))
    last: int = Field(sa_column=Column(Integer, nullable=False))


class GivenNumber(SQLModel, table=True):
    """One number given out: to what (`subject`, like "document:12"), when, and whether it is void."""

    __tablename__ = "given_number"

    id: int | None = Field(default=None, sa_column=id_column())
    number: str = Field(sa_column=code_column(length=200, unique=True))
    series: str = Field(sa_column=code_column(length=120, index=True))
    subject: str = Field(sa_column=code_column(length=80, index=True))
    state: str = Field(default=NumberState.USED, sa_column=code_column(length=8))
    given_at: datetime = Field(sa_column=moment_column())
    void_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    void_reason: str | None = None


@dataclass(frozen=True, slots=True)
class NumberPattern:
    """A checked pattern: text with {seq} or {seq:05}, {year} {month} {day}, and names given by the caller."""

    text: str
    names: tuple[str, ...]
    width: int | None

    @classmethod
    def parse(cls, text: str) -> "NumberPattern":
        """Read a pattern; raises InvalidData that says which placeholder is wrong."""
        bodies = _PLACEHOLDER.findall(text)
        if "{" in _PLACEHOLDER.sub("", text) or "}" in _PLACEHOLDER.sub("", text):
            raise InvalidData(f"编号规则「{text}」的花括号不成对。请补全或删去。")
        sequences = [match for body in bodies if (match := _SEQUENCE.fullmatch(body))]
        if len(sequences) != 1:
            raise InvalidData(f"编号规则「{text}」要有且只有一个流水号 {{seq}}，或补零的 {{seq:05}}，位数 1 到 9。")
        names = tuple(dict.fromkeys(body for body in bodies if not _SEQUENCE.fullmatch(body)))
        if wrong := [name for name in names if not _NAME.fullmatch(name)]:
            raise InvalidData(f"编号规则「{text}」中的 {{{wrong[0]}}} 不是字段名。字段名用小写英文字母、数字和下划线。")
        if ("day" in names and "month" not in names) or ("month" in names and "year" not in names):
            raise InvalidData(f"编号规则「{text}」按月要同时写 {{year}}，按日要同时写 {{month}}，否则会重号。")
        width = sequences[0].group(1)
        return cls(text, names, int(width) if width else None)

    def given_names(self) -> tuple[str, ...]:
        """The names whose values the caller has to give: all but those taken from the date."""
        return tuple(name for name in self.names if name not in _CALENDAR)

    def scope(self, on: date, values: Mapping[str, str]) -> str:
        """The pattern with everything but the sequence filled in: what one counter counts for."""
        if missing := [name for name in self.given_names() if not values.get(name)]:
            raise InvalidData(f"编号规则「{self.text}」缺少 {'、'.join(missing)} 的值，不能编号。请先填写。")
        return _PLACEHOLDER.sub(lambda found: self._filled(found, on, values), self.text)

    def number(self, scope: str, sequence: int) -> str:
        """The number itself; raises Refused when the sequence outgrows its width."""
        digits = str(sequence) if self.width is None else f"{sequence:0{self.width}d}"
        if self.width is not None and len(digits) > self.width:
            raise Refused(f"编号规则「{self.text}」的 {self.width} 位流水号已经用完，不能再编号。请先加宽流水号。")
        return _PLACEHOLDER.sub(digits, scope)

    def preview(self, on: date, values: Mapping[str, str]) -> str:
        """The number as it will look, with 「□」 for the digits that are not given yet."""
        return _PLACEHOLDER.sub(PREVIEW_GAP * (self.width or 1), self.scope(on, values))

    def _filled(self, found: re.Match[str], on: date, values: Mapping[str, str]) -> str:
        body = found.group(1)
        if _SEQUENCE.fullmatch(body):
            return found.group()
        value = on.strftime(_CALENDAR[body]) if body in _CALENDAR else str(values[body])
        if "{" in value or "}" in value:
            raise InvalidData(f"编号用的值「{value}」含有花括号，不能编号。请改正后再试。")
        return value


def take_number(
    session: Session,
    series: str,
    pattern: NumberPattern,
    on: date,
    values: Mapping[str, str],
    *,
    subject: str,
    at: datetime,
) -> str:
    """Take the next number of a series inside the running transaction.

    `on` is the day in Shanghai whose year counts. The counter row is locked until the transaction ends:
    others wait for it, so there is neither a gap nor a double number.
    """
    scope = pattern.scope(on, values)
    number = pattern.number(scope, _advance(session, series, scope))
    given = GivenNumber(number=number, series=series, subject=subject, given_at=at)
    if session.exec(select(GivenNumber.id).where(GivenNumber.number == number)).first() is not None:
        raise Conflict(f"编号 {number} 已经用于另一个编号序列。请检查编号规则是否与别的规则重复。")
    session.add(given)
    session.flush()
    return number


def peek_number(session: Session, series: str, pattern: NumberPattern, on: date, values: Mapping[str, str]) -> str:
    """The number that would come next; another act may still take it first."""
    scope = pattern.scope(on, values)
    last = session.exec(
        select(NumberCounter.last).where(NumberCounter.series == series, NumberCounter.scope == scope)
    ).first()
    return pattern.number(scope, (last or 0) + 1)


def void_number(session: Session, number: str, *, reason: str, at: datetime) -> None:
    """Mark a number as void; it stays on record and is never given again. A second time is refused."""
    given = session.exec(select(GivenNumber).where(GivenNumber.number == number)).first()
    if given is None:
        raise NotFound(f"没有找到编号 {number}。请核对编号。")
    if given.state == NumberState.VOID:
        raise Refused(f"编号 {number} 已经作废，不需要再次作废。")
    given.state, given.void_at, given.void_reason = NumberState.VOID, at, reason
    session.add(given)
    session.flush()


def _advance(session: Session, series: str, scope: str) -> int:
    """Count one on and give the new value, in one statement that holds the row's lock on both databases."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = (
        dialect.insert(NumberCounter)
        .values(series=series, scope=scope, last=1)
        .on_conflict_do_update(index_elements=["series", "scope"], set_={"last": NumberCounter.last + 1})
        .returning(NumberCounter.last)
    )
    return session.execute(statement).scalar_one()
