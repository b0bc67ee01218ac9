"""Nodes of calculated values: literals, names, exact arithmetic, dates. Nothing is handed to eval."""

import calendar
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ..number import EXACT, rounded, shortest
from ..unit import DAY, PURE
from ..value import TYPE_WORDS, Declaration, present
from .linear import Linear, Space

Value = Callable[[dict], Any]
Names = Mapping[str, Declaration]
LAST_DAY = date.max.toordinal()


class TypeFault(Exception):
    """Two things that cannot be combined or compared."""


class Expression:
    """A calculated value: knows what it reads, its type and unit, its words and its mutants."""

    def reads(self) -> frozenset[str]:
        raise NotImplementedError

    def sort(self, names: Names) -> Declaration:
        """Type and unit of the result. Raises TypeFault."""
        raise NotImplementedError

    def compile(self) -> Value:
        """A closure from the facts to the value, None when it cannot be told."""
        raise NotImplementedError

    def words(self, names: Names) -> str:
        raise NotImplementedError

    def mutants(self) -> Iterator[tuple[str, "Expression"]]:
        return iter(())

    def linear(self, space: Space) -> Linear:
        return space.opaque(self)


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    """A constant; `like` is the declaration whose unit and domain it takes on, None for a bare number."""

    value: Any
    like: Declaration | None = field(default=None, compare=False, repr=False)

    def reads(self) -> frozenset[str]:
        return frozenset()

    def sort(self, names: Names) -> Declaration:
        if self.like is not None:
            return self.like
        return Declaration(
            "", "integer" if isinstance(self.value, int) else "decimal", "常数", role="constant"
        )

    def compile(self) -> Value:
        value = self.value
        return lambda facts: value

    def words(self, names: Names) -> str:
        if self.like is None:
            return shortest(self.value)
        return present(self.value, self.like, sign=True)

    def linear(self, space: Space) -> Linear:
        return (
            space.constant(self.value) if isinstance(self.value, int | Decimal | date) else space.opaque(self)
        )

    def mutants(self) -> Iterator[tuple[str, Expression]]:
        for step in _steps(self.value, self.like):
            moved = shifted(self.value, step)
            if _within(moved, self.like):
                yield f"{plain_words(self.value)} 改为 {plain_words(moved)}", replace(self, value=moved)


def _steps(value: Any, like: Declaration | None) -> tuple[Decimal, ...]:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | date):
        return ()
    step = like.step if like is not None and like.step is not None else Decimal(1)
    return (step, -step)


def _within(value: Any, like: Declaration | None) -> bool:
    if like is None:
        return True
    return not (
        (like.minimum is not None and value < like.minimum)
        or (like.maximum is not None and value > like.maximum)
    )


def shifted(value: Any, step: Decimal) -> Any:
    """The value moved by a step of its type: days for dates, whole numbers for integers."""
    if isinstance(value, date):
        return value + timedelta(days=int(step))
    return value + int(step) if isinstance(value, int) else EXACT.add(value, step)


def plain_words(value: Any) -> str:
    return shortest(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A fact, derived fact, parameter, flag or list column by its key."""

    name: str

    def reads(self) -> frozenset[str]:
        return frozenset({self.name})

    def sort(self, names: Names) -> Declaration:
        return names[self.name]

    def compile(self) -> Value:
        name = self.name
        return lambda facts: facts[name]

    def words(self, names: Names) -> str:
        return names[self.name].label

    def linear(self, space: Space) -> Linear:
        return space.named(self.name)


class Operation(Expression):
    """Anything with operands; subclasses name theirs in `operands()` and rebuild with `with_operands()`."""

    def operands(self) -> tuple[Expression, ...]:
        raise NotImplementedError

    def with_operands(self, operands: tuple[Expression, ...]) -> Expression:
        raise NotImplementedError

    def reads(self) -> frozenset[str]:
        return frozenset().union(*(operand.reads() for operand in self.operands()))

    def mutants(self) -> Iterator[tuple[str, Expression]]:
        operands = self.operands()
        for index, operand in enumerate(operands):
            for description, mutant in operand.mutants():
                yield description, self.with_operands((*operands[:index], mutant, *operands[index + 1 :]))


@dataclass(frozen=True, slots=True)
class Binary(Operation):
    """Two numbers and an arithmetic sign; dividing by zero gives a value that cannot be told."""

    left: Expression
    right: Expression
    sign = ""
    apply = None
    flipped = None

    def operands(self) -> tuple[Expression, ...]:
        return (self.left, self.right)

    def with_operands(self, operands: tuple[Expression, ...]) -> Expression:
        return type(self)(*operands)

    def compile(self) -> Value:
        left, right, apply = self.left.compile(), self.right.compile(), type(self).apply

        def calculate(facts: dict) -> Any:
            a, b = left(facts), right(facts)
            return None if a is None or b is None else apply(a, b)

        return calculate

    def words(self, names: Names) -> str:
        return f"{_bracketed(self.left, names)} {self.sign} {_bracketed(self.right, names)}"

    def mutants(self) -> Iterator[tuple[str, Expression]]:
        flipped = FLIPPED[type(self)]
        yield f"「{self.sign}」改为「{flipped.sign}」", flipped(self.left, self.right)
        yield from Operation.mutants(self)


def _bracketed(expression: Expression, names: Names) -> str:
    words = expression.words(names)
    return f"（{words}）" if isinstance(expression, Binary) else words


def _numeric(sort: Declaration, doing: str) -> None:
    if not sort.numeric:
        raise TypeFault(f"{doing}要用数，「{sort.label}」是{_kind(sort)}")


def _kind(sort: Declaration) -> str:
    return TYPE_WORDS[sort.type]


def unit_words(sort: Declaration) -> str:
    return (sort.unit or PURE).key


def same_unit(left: Declaration, right: Declaration) -> bool:
    """Whether two sorts may be added or compared; a bare number takes on any unit."""
    return bare(left) or bare(right) or (left.unit or PURE) == (right.unit or PURE)


def bare(sort: Declaration) -> bool:
    return sort.role == "constant"


def _joined(left: Declaration, right: Declaration, doing: str) -> Declaration:
    _numeric(left, doing)
    _numeric(right, doing)
    if not same_unit(left, right):
        raise TypeFault(
            f"单位不同不能{doing}：「{left.label}」是 {unit_words(left)}，「{right.label}」是 {unit_words(right)}。请先换算成同一单位"
        )
    known = right if bare(left) else left
    kind = "integer" if left.type == right.type == "integer" else "decimal"
    return (
        Declaration("", kind, known.label, unit=known.unit)
        if not bare(known)
        else Declaration("", kind, "常数", role="constant")
    )


class Sum(Binary):
    sign = "+"
    apply = staticmethod(EXACT.add)

    def sort(self, names: Names) -> Declaration:
        return _joined(self.left.sort(names), self.right.sort(names), "相加")

    def linear(self, space: Space) -> Linear:
        return self.left.linear(space).plus(self.right.linear(space))


class Difference(Binary):
    sign = "−"
    apply = staticmethod(EXACT.subtract)

    def sort(self, names: Names) -> Declaration:
        return _joined(self.left.sort(names), self.right.sort(names), "相减")

    def linear(self, space: Space) -> Linear:
        return self.left.linear(space).plus(self.right.linear(space).times(-1))


class Product(Binary):
    sign = "×"
    apply = staticmethod(EXACT.multiply)

    def sort(self, names: Names) -> Declaration:
        left, right = self.left.sort(names), self.right.sort(names)
        _numeric(left, "相乘")
        _numeric(right, "相乘")
        if bare(left) and bare(right):
            return Declaration("", "decimal", "常数", role="constant")
        label = right.label if bare(left) else left.label
        kind = "integer" if left.type == right.type == "integer" else "decimal"
        return Declaration("", kind, label, unit=(left.unit or PURE).times(right.unit or PURE))

    def linear(self, space: Space) -> Linear:
        left, right = self.left.linear(space), self.right.linear(space)
        if left.fixed:
            return right.times(left.constant)
        return left.times(right.constant) if right.fixed else space.opaque(self)


def _divide(left: Any, right: Any) -> Decimal | None:
    return None if not right else EXACT.divide(left, right)


class Quotient(Binary):
    sign = "÷"
    apply = staticmethod(_divide)

    def sort(self, names: Names) -> Declaration:
        left, right = self.left.sort(names), self.right.sort(names)
        _numeric(left, "相除")
        _numeric(right, "相除")
        if isinstance(self.right, Literal) and not self.right.value:
            raise TypeFault("除数是 0。请改正算式")
        return Declaration("", "decimal", left.label, unit=(left.unit or PURE).per(right.unit or PURE))

    def linear(self, space: Space) -> Linear:
        left, right = self.left.linear(space), self.right.linear(space)
        if right.fixed and right.constant:
            return left.over(right.constant)
        return space.opaque(self)


FLIPPED = {Sum: Difference, Difference: Sum, Product: Quotient, Quotient: Product}


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
        _numeric(sort, "取负")
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
            result = _joined(result, sort, "比大小")
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
        _numeric(sort, "取绝对值")
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
        _numeric(sort, "取整")
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
        raise TypeFault(f"{key} 要用日期，「{sort.label}」是{_kind(sort)}")


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
