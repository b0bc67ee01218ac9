"""Functions of the expression language: extremes, rounding, dates."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ..number import EXACT, rounded
from ..unit import DAY
from ..value import TYPE_WORDS, Declaration
from .expression import (
    Expression,
    Literal,
    Names,
    Operation,
    TypeFault,
    Value,
    bare,
    joined,
    numeric,
    unit_words,
)
from .linear import Linear, Space

LAST_DAY = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class Call(Operation):
    """A named function of the expression language applied to its arguments."""

    arguments: tuple[Expression, ...]
    key = ""
    arity = (1, 1)
    sentence = ""

    def operands(self) -> tuple[Expression, ...]:
        return self.arguments

    def with_operands(self, operands: tuple[Expression, ...]) -> Expression:
        return type(self)(operands)

    def of(self, *values: Any) -> Any:
        """The function itself, on values that are all known."""
        raise NotImplementedError

    def compile(self) -> Value:
        parts, of = tuple(argument.compile() for argument in self.arguments), self.of

        def calculate(facts: dict) -> Any:
            values = [part(facts) for part in parts]
            return None if None in values else of(*values)

        return calculate

    def words(self, names: Names) -> str:
        return self.sentence.format(*(argument.words(names) for argument in self.arguments))


class Negative(Call):
    key = "negative"
    sentence = "−{0}"

    def sort(self, names: Names) -> Declaration:
        sort = self.arguments[0].sort(names)
        numeric(sort, "取负")
        return sort

    def of(self, value: Any) -> Any:
        return EXACT.minus(value)

    def linear(self, space: Space) -> Linear:
        return self.arguments[0].linear(space).times(-1)


class Extreme(Call):
    """The largest or smallest of several values of one unit."""

    arity = (2, 9)

    def sort(self, names: Names) -> Declaration:
        sorts = [argument.sort(names) for argument in self.arguments]
        if all(sort.type == "date" for sort in sorts):
            return sorts[0]
        result = sorts[0]
        for sort in sorts[1:]:
            result = joined(result, sort, "比大小")
        return result

    def words(self, names: Names) -> str:
        return f"{'、'.join(argument.words(names) for argument in self.arguments)}中的{self.sentence}"

    def mutants(self) -> Iterator[tuple[str, Expression]]:
        other = Smallest if isinstance(self, Largest) else Largest
        yield f"「{self.key}」改为「{other.key}」", other(self.arguments)
        yield from Operation.mutants(self)


class Largest(Extreme):
    key = "max"
    sentence = "较大者"

    def of(self, *values: Any) -> Any:
        return max(values)


class Smallest(Extreme):
    key = "min"
    sentence = "较小者"

    def of(self, *values: Any) -> Any:
        return min(values)


class Absolute(Call):
    key = "abs"
    sentence = "{0}的绝对值"

    def sort(self, names: Names) -> Declaration:
        sort = self.arguments[0].sort(names)
        numeric(sort, "取绝对值")
        return sort

    def of(self, value: Any) -> Any:
        return abs(value)


class Rounded(Call):
    """Rounding to a fixed number of decimals, half away from zero."""

    key = "round"
    arity = (2, 2)
    sentence = "{0}（四舍五入到 {1} 位小数）"

    def sort(self, names: Names) -> Declaration:
        sort, places = self.arguments[0].sort(names), self.arguments[1]
        numeric(sort, "取整")
        if not (isinstance(places, Literal) and isinstance(places.value, int) and 0 <= places.value <= 8):
            raise TypeFault(f"{self.key} 的第二个参数应是 0 到 8 的小数位数")
        return replace(sort, name="", type="decimal") if not bare(sort) else sort

    def of(self, value: Any, places: int) -> Any:
        return rounded(value, places, self.key)

    def mutants(self) -> Iterator[tuple[str, Expression]]:
        for description, mutant in self.arguments[0].mutants():
            yield description, type(self)((mutant, self.arguments[1]))


class RoundedUp(Rounded):
    key = "round_up"
    sentence = "{0}（向上取到 {1} 位小数）"


class RoundedDown(Rounded):
    key = "round_down"
    sentence = "{0}（向下取到 {1} 位小数）"


class DaysBetween(Call):
    """Calendar days from the first date to the second; negative when the second is earlier."""

    key = "days_between"
    arity = (2, 2)
    sentence = "{0}至{1}的日历天数"

    def sort(self, names: Names) -> Declaration:
        for argument in self.arguments:
            _dated(argument.sort(names), self.key)
        return Declaration("", "integer", "天数", unit=DAY)

    def of(self, start: date, end: date) -> int:
        return (end - start).days

    def linear(self, space: Space) -> Linear:
        start, end = self.arguments
        return end.linear(space).plus(start.linear(space).times(-1))

    def mutants(self) -> Iterator[tuple[str, Expression]]:
        yield "日期先后对调", DaysBetween(self.arguments[::-1])
        yield from Operation.mutants(self)


def _dated(sort: Declaration, key: str) -> None:
    if sort.type != "date":
        raise TypeFault(f"{key} 要用日期，「{sort.label}」是{TYPE_WORDS[sort.type]}")


class AddDays(Call):
    """The date so many calendar days later."""

    key = "add_days"
    arity = (2, 2)
    sentence = "{0}起 {1} 日后"
    unit_key = "day"

    def sort(self, names: Names) -> Declaration:
        start, count = (argument.sort(names) for argument in self.arguments)
        _dated(start, self.key)
        if count.type != "integer" or not (bare(count) or unit_words(count) == self.unit_key):
            raise TypeFault(
                f"{self.key} 的第二个参数应是单位为 {self.unit_key} 的整数，「{count.label}」是 {unit_words(count)}"
            )
        return Declaration("", "date", start.label)

    def of(self, start: date, count: int) -> date | None:
        day = start.toordinal() + count
        return date.fromordinal(day) if 1 <= day <= LAST_DAY else None

    def linear(self, space: Space) -> Linear:
        return self.arguments[0].linear(space).plus(self.arguments[1].linear(space))


class AddMonths(AddDays):
    """The same day so many months later, the last day of the month when that day does not exist."""

    key = "add_months"
    sentence = "{0}起 {1} 个月后"
    unit_key = "month"

    def of(self, start: date, count: int) -> date | None:
        year, month = divmod(start.year * 12 + start.month - 1 + count, 12)
        if not date.min.year <= year <= date.max.year:
            return None
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(start.day, last))

    def linear(self, space: Space) -> Linear:
        return space.opaque(self)


CALLS = {
    call.key: call
    for call in (
        Largest,
        Smallest,
        Absolute,
        Rounded,
        RoundedUp,
        RoundedDown,
        DaysBetween,
        AddDays,
        AddMonths,
    )
}
