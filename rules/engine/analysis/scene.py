"""Facts made from a point of the analysis: a scene in which a condition holds, lists and all."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ..rule_set import RuleSet
from ..syntax.aggregate import Aggregate, Collected, Count
from ..syntax.comparison import Comparison
from ..syntax.condition import Condition, Group, Not
from ..syntax.expression import Expression, Operation
from ..syntax.quantifier import Quantifier
from ..value import Declaration
from .region import FactSpace, Region, TooManyCases

MOST_RECORDS = 40
# Texts in records differ from those beside them, so that one is not the other by accident.
SAMPLE_TEXT, SAMPLE_COLUMN = "样例", "样例二"


class Scene:
    """One rule set on one day in which every list has records that are all alike, so that their columns stand as facts."""

    def __init__(self, rules: RuleSet, on: date) -> None:
        self.rules, self.on = rules, on
        self.lists = {name: sort for name, sort in rules.facts.items() if sort.type == "list"}
        columns = {name: column for sort in self.lists.values() for name, column in sort.columns.items()}
        self.region = Region(FactSpace(replace(rules, facts={**rules.facts, **columns}), on))
        self.region.space.pinned["on"] = on
        self.aggregates = {str(one): one for one in _aggregates(rules)}

    def opened(self, condition: Condition) -> Condition:
        """The condition with what is asked of some or every record asked of the one record there is."""
        if isinstance(condition, Quantifier):
            return self.opened(condition.inner)
        if isinstance(condition, Not):
            return Not(self.opened(condition.part))
        if isinstance(condition, Group):
            return replace(condition, parts=tuple(map(self.opened, condition.parts)))
        return condition

    def points(self, condition: Condition, others: Sequence[Condition]) -> Iterator[dict[str, Any]]:
        """Points at which the condition holds and none of the others does, one for each of its cases."""
        try:
            for case in self.region.cases(condition):
                point = self.region.uncovered(case, others)
                if point is not None:
                    yield point
        except TooManyCases:
            return

    def given(self, point: Mapping[str, Any]) -> dict[str, Any] | None:
        """The point as given facts; what it leaves open is filled in. None when a value cannot be written exactly."""
        plain: dict[str, Any] = {}
        for name, sort in self.rules.facts.items():
            if name in point and point[name] is None:
                continue
            value = self._records(name, sort, point) if sort.type == "list" else self._value(name, sort, point)
            if value is None:
                return None
            plain[name] = value
        return plain

    def _value(self, name: str, sort: Declaration, point: Mapping[str, Any]) -> Any:
        if name not in point:
            return _any(sort, self.on)
        value = point[name]
        return _exact(value, sort) if isinstance(value, Fraction) else value

    def _records(self, listed: str, sort: Declaration, point: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        record = {name: self._value(name, column, point) for name, column in sort.columns.items()}
        count = 1
        for key, aggregate in self.aggregates.items():
            if aggregate.listed != listed or key not in point:
                continue
            record |= self._meeting(aggregate, sort)
            if isinstance(aggregate, Count):
                count = int(point[key])
            elif isinstance(point[key], Fraction):
                record[aggregate.column] = _exact(point[key], sort.columns[aggregate.column])
        for name, derived in self.rules.derived.items():
            collected = derived.expression
            if isinstance(collected, Collected) and collected.listed == listed and point.get(name):
                record |= self._meeting(collected, sort)
        fitting = 0 <= count <= MOST_RECORDS and None not in record.values()
        return [dict(record) for _ in range(count)] if fitting else None

    def _meeting(self, aggregate: Aggregate, sort: Declaration) -> dict[str, Any]:
        """Columns for which the aggregate's own condition holds."""
        if aggregate.where is None:
            return {}
        for point in self.points(self.opened(aggregate.where), []):
            return {name: self._value(name, column, point) for name, column in sort.columns.items() if name in point}
        return {}


def _exact(value: Fraction, sort: Declaration) -> Any:
    if sort.type == "date":
        day = int(value)
        return date.fromordinal(day) if value.denominator == 1 and 1 <= day <= date.max.toordinal() else None
    if sort.type == "integer":
        return int(value) if value.denominator == 1 else None
    number = Decimal(value.numerator) / Decimal(value.denominator)
    return number if Fraction(number) == value and -number.as_tuple().exponent <= 20 else None


def _any(sort: Declaration, on: date) -> Any:
    """Some value of the type: the smallest allowed, the first code."""
    if sort.minimum is not None:
        return sort.minimum
    if sort.domain:
        return next(iter(sort.domain))
    ways = {"decimal": Decimal(0), "integer": 0, "date": on, "boolean": False}
    return ways.get(sort.type, SAMPLE_COLUMN if sort.role == "column" else SAMPLE_TEXT) if sort.maximum is None else sort.maximum


def _aggregates(rules: RuleSet) -> Iterator[Aggregate]:
    for derived in rules.derived.values():
        if derived.expression is not None:
            yield from _within(derived.expression)
        else:
            yield from _asked(derived.condition)
    for rule in rules.rules:
        yield from _asked(rule.when)


def _asked(condition: Condition) -> Iterator[Aggregate]:
    for leaf in condition.leaves():
        if isinstance(leaf, Comparison):
            for expression in (leaf.left, *leaf.limits):
                yield from _within(expression)


def _within(expression: Expression) -> Iterator[Aggregate]:
    if isinstance(expression, Aggregate):
        yield expression
    operands: Iterable[Expression] = expression.operands() if isinstance(expression, Operation) else ()
    for operand in operands:
        yield from _within(operand)
