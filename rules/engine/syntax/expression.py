"""Nodes of calculated values: literals, names, exact arithmetic, dates. Nothing is handed to eval."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ..number import EXACT, shortest
from ..unit import PURE
from ..value import TYPE_WORDS, Declaration, present
from .linear import Linear, Space

Value = Callable[[dict], Any]
Names = Mapping[str, Declaration]


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


def numeric(sort: Declaration, doing: str) -> None:
    """Raises TypeFault unless the sort is a number."""
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


def joined(left: Declaration, right: Declaration, doing: str) -> Declaration:
    """The sort of two numbers of one unit put together. Raises TypeFault."""
    numeric(left, doing)
    numeric(right, doing)
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
        return joined(self.left.sort(names), self.right.sort(names), "相加")

    def linear(self, space: Space) -> Linear:
        return self.left.linear(space).plus(self.right.linear(space))


class Difference(Binary):
    sign = "−"
    apply = staticmethod(EXACT.subtract)

    def sort(self, names: Names) -> Declaration:
        return joined(self.left.sort(names), self.right.sort(names), "相减")

    def linear(self, space: Space) -> Linear:
        return self.left.linear(space).plus(self.right.linear(space).times(-1))


class Product(Binary):
    sign = "×"
    apply = staticmethod(EXACT.multiply)

    def sort(self, names: Names) -> Declaration:
        left, right = self.left.sort(names), self.right.sort(names)
        numeric(left, "相乘")
        numeric(right, "相乘")
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
        numeric(left, "相除")
        numeric(right, "相除")
        if isinstance(self.right, Literal) and not self.right.value:
            raise TypeFault("除数是 0。请改正算式")
        return Declaration("", "decimal", left.label, unit=(left.unit or PURE).per(right.unit or PURE))

    def linear(self, space: Space) -> Linear:
        left, right = self.left.linear(space), self.right.linear(space)
        if right.fixed and right.constant:
            return left.over(right.constant)
        return space.opaque(self)


FLIPPED = {Sum: Difference, Difference: Sum, Product: Quotient, Quotient: Product}
