"""Leaves that compare: one small class per operator."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ..value import TYPE_WORDS, Declaration, present
from .condition import Condition, Describe, Leaf, Test, Verdict
from .expression import Expression, Literal, Name, Names, TypeFault, same_unit, unit_words

ORDERED = frozenset({"decimal", "integer", "date"})
SIMPLE = frozenset({"decimal", "integer", "date", "text", "boolean", "code"})


@dataclass(frozen=True, slots=True)
class Comparison(Leaf):
    """A value on the left, an operator, and limits on the right; unknown when any of them is."""

    left: Expression
    limits: tuple[Expression, ...]
    line: int = field(default=0, compare=False, repr=False)
    key = ""
    word = ""
    types = SIMPLE
    opposite = ""
    neighbours: ClassVar[tuple[str, ...]] = ()

    def apply(self) -> Callable[..., bool]:
        """The test itself on known values."""
        raise NotImplementedError

    def check(self, names: Names) -> None:
        """Raises TypeFault when type, unit or domain do not fit."""
        left = self.left.sort(names)
        if left.type not in self.types:
            raise TypeFault(f"「{left.label}」是{TYPE_WORDS[left.type]}，不能用 {self.key}")
        for limit in self.limits:
            _fits(left, limit, names, self.key)

    def reads(self) -> frozenset[str]:
        return self.left.reads().union(*(limit.reads() for limit in self.limits))

    def compile(self) -> Test:
        if len(self.limits) == 1 and isinstance(self.limits[0], Literal) and isinstance(self.left, Name):
            return _against_constant(self.left.name, self.limits[0].value, self.apply())
        return self._general()

    def _general(self) -> Test:
        left, limits, holds = (
            self.left.compile(),
            tuple(limit.compile() for limit in self.limits),
            self.apply(),
        )

        def judge(facts: dict, trace: list | None) -> Verdict:
            actual = left(facts)
            bounds = tuple(limit(facts) for limit in limits)
            verdict = None if actual is None or None in bounds else holds(actual, *bounds)
            if trace is not None:
                trace.append((actual, bounds, verdict))
            return verdict

        return judge

    def words(self, names: Names) -> str:
        limits = self._limits(names)
        gap = " " if limits[:1].isascii() and limits else ""
        return f"{self.left.words(names)}{self.word}{gap}{limits}"

    def _limits(self, names: Names) -> str:
        return "、".join(_named(limit, names) for limit in self.limits)

    def describer(self, names: Names) -> Describe:
        """As 「剩余 9.00 m² 低于 10.00 m²」; the word is turned round when the verdict is false."""
        sort, subject = self.left.sort(names), self.left.words(names)
        tenses = {verdict: self.tense(verdict) for verdict in (True, False, None)}
        fixed = self._bounds([limit.value for limit in self.limits], sort) if self._constant() else None

        def describe(actual: Any, limits: Any, verdict: Verdict, shown: dict) -> str:
            if subject not in shown:
                shown[subject] = f"{subject} {present(actual, sort, sign=True)}"
            bounds = fixed if fixed is not None else self._bounds(limits, sort)
            return f"{shown[subject]} {tenses[verdict]} {bounds}".rstrip()

        return describe

    def _constant(self) -> bool:
        return all(isinstance(limit, Literal) for limit in self.limits)

    def tense(self, verdict: Verdict) -> str:
        if verdict is None:
            return f"无法判断是否{self.word}"
        return self.word if verdict else OPERATORS[self.opposite].word

    def _bounds(self, limit: Any, sort: Declaration) -> str:
        return "、".join(present(value, sort, sign=True) for value in limit)

    def negated(self) -> Condition:
        return OPERATORS[self.opposite](self.left, self.limits, self.line)

    def mutants(self) -> Iterator[tuple[str, Condition]]:
        for key in (self.opposite, *self.neighbours):
            yield f"「{self.key}」改为「{key}」", OPERATORS[key](self.left, self.limits, self.line)
        for description, mutant in self.left.mutants():
            yield description, replace(self, left=mutant)
        for index, limit in enumerate(self.limits):
            for description, mutant in limit.mutants():
                yield f"限值 {description}", self._with_limit(index, mutant)

    def _with_limit(self, index: int, limit: Expression) -> Condition:
        return replace(self, limits=(*self.limits[:index], limit, *self.limits[index + 1 :]))


def _against_constant(name: str, constant: Any, holds: Callable[..., bool]) -> Test:
    bounds = (constant,)

    def judge(facts: dict, trace: list | None) -> Verdict:
        actual = facts[name]
        verdict = None if actual is None else holds(actual, constant)
        if trace is not None:
            trace.append((actual, bounds, verdict))
        return verdict

    return judge


def _fits(left: Declaration, limit: Expression, names: Names, key: str) -> None:
    right = limit.sort(names)
    numbers = left.numeric and right.numeric
    texts = {left.type, right.type} <= {"text", "code"}
    if not (numbers or texts or left.type == right.type):
        raise TypeFault(
            f"「{left.label}」是{TYPE_WORDS[left.type]}，不能与{TYPE_WORDS[right.type]}「{right.label}」比较（{key}）"
        )
    if numbers and not same_unit(left, right):
        raise TypeFault(
            f"单位不同不能比较：「{left.label}」是 {unit_words(left)}，「{right.label}」是 {unit_words(right)}。请先换算成同一单位"
        )


def _named(limit: Expression, names: Names) -> str:
    return limit.words(names) if isinstance(limit, Literal) else f"「{limit.words(names)}」"


class Is(Comparison):
    key, word, opposite = "is", "是", "is_not"

    def apply(self) -> Callable[..., bool]:
        return lambda actual, limit: actual == limit


class IsNot(Comparison):
    key, word, opposite = "is_not", "不是", "is"

    def apply(self) -> Callable[..., bool]:
        return lambda actual, limit: actual != limit


class Below(Comparison):
    key, word, opposite, neighbours, types = "below", "低于", "at_least", ("at_most",), ORDERED

    def apply(self) -> Callable[..., bool]:
        return lambda actual, limit: actual < limit


class AtMost(Comparison):
    key, word, opposite, neighbours, types = "at_most", "不高于", "above", ("below",), ORDERED

    def apply(self) -> Callable[..., bool]:
        return lambda actual, limit: actual <= limit


class Above(Comparison):
    key, word, opposite, neighbours, types = "above", "高于", "at_most", ("at_least",), ORDERED

    def apply(self) -> Callable[..., bool]:
        return lambda actual, limit: actual > limit


class AtLeast(Comparison):
    key, word, opposite, neighbours, types = "at_least", "不低于", "below", ("above",), ORDERED

    def apply(self) -> Callable[..., bool]:
        return lambda actual, limit: actual >= limit


DATES = frozenset({"date"})


class Before(Below):
    key, word, opposite, neighbours, types = "before", "早于", "on_or_after", ("on_or_before",), DATES


class OnOrBefore(AtMost):
    key, word, opposite, neighbours, types = "on_or_before", "不晚于", "after", ("before",), DATES


class After(Above):
    key, word, opposite, neighbours, types = "after", "晚于", "on_or_before", ("on_or_after",), DATES


class OnOrAfter(AtLeast):
    key, word, opposite, neighbours, types = "on_or_after", "不早于", "before", ("after",), DATES


class Between(Comparison):
    """Both ends belong to it."""

    key, word, opposite, types = "between", "介于", "outside", ORDERED

    def apply(self) -> Callable[..., bool]:
        return lambda actual, low, high: low <= actual <= high

    def _limits(self, names: Names) -> str:
        return "至".join(_named(limit, names) for limit in self.limits) + "（含）"

    def _bounds(self, limit: Any, sort: Declaration) -> str:
        return " 至 ".join(present(value, sort, sign=True) for value in limit) + "（含）"

    def check(self, names: Names) -> None:
        Comparison.check(self, names)
        low, high = self.limits
        if isinstance(low, Literal) and isinstance(high, Literal) and low.value > high.value:
            raise TypeFault("between 的下限大于上限。请对调两个限值")


class Outside(Between):
    """Below the lower end or above the upper; the negation of between."""

    key, word, opposite = "outside", "不介于", "between"

    def apply(self) -> Callable[..., bool]:
        return lambda actual, low, high: not low <= actual <= high


class In(Comparison):
    key, word, opposite = "in", "属于", "not_in"

    def apply(self) -> Callable[..., bool]:
        return lambda actual, *limits: actual in limits

    def compile(self) -> Test:
        return self._general()

    def _limits(self, names: Names) -> str:
        return f"（{'、'.join(_named(limit, names) for limit in self.limits) or '空'}）"

    def _bounds(self, limit: Any, sort: Declaration) -> str:
        return f"（{'、'.join(present(value, sort, sign=True) for value in limit) or '空'}）"

    def mutants(self) -> Iterator[tuple[str, Condition]]:
        yield f"「{self.key}」改为「{self.opposite}」", self.negated()
        for index, limit in enumerate(self.limits):
            rest = (*self.limits[:index], *self.limits[index + 1 :])
            yield f"去掉取值 {getattr(limit, 'value', index)}", replace(self, limits=rest)


class NotIn(In):
    key, word, opposite = "not_in", "不属于", "in"

    def apply(self) -> Callable[..., bool]:
        return lambda actual, *limits: actual not in limits


class StartsWith(Comparison):
    key, word, opposite, types = "starts_with", "开头是", "not_starts_with", frozenset({"text", "code"})

    def check(self, names: Names) -> None:
        left = self.left.sort(names)
        if left.type not in self.types:
            raise TypeFault(f"「{left.label}」是{TYPE_WORDS[left.type]}，不能用 {self.key}")

    def apply(self) -> Callable[..., bool]:
        return lambda actual, limit: actual.startswith(limit)


class NotStartsWith(StartsWith):
    key, word, opposite = "not_starts_with", "开头不是", "starts_with"

    def apply(self) -> Callable[..., bool]:
        return lambda actual, limit: not actual.startswith(limit)


class Matches(StartsWith):
    """The whole text fits a pattern that was found safe when it was read (pattern.py)."""

    key, word, opposite = "matches", "符合格式", "not_matches"

    def apply(self) -> Callable[..., bool]:
        fits = re.compile(self.limits[0].value, re.ASCII).fullmatch
        return lambda actual, limit: len(actual) <= LONGEST_TEXT and fits(actual) is not None


class NotMatches(Matches):
    key, word, opposite = "not_matches", "不符合格式", "matches"

    def apply(self) -> Callable[..., bool]:
        fits = re.compile(self.limits[0].value, re.ASCII).fullmatch
        return lambda actual, limit: len(actual) > LONGEST_TEXT or fits(actual) is None


LONGEST_TEXT = 400


class Exists(Comparison):
    """Whether the fact is known at all; never itself unknown."""

    key, word, opposite, types = "exists", "已有", "missing", SIMPLE | {"list"}
    present_means = True

    def compile(self) -> Test:
        left, meaning = self.left.compile(), self.present_means

        def judge(facts: dict, trace: list | None) -> Verdict:
            actual = left(facts)
            verdict = (actual is not None) is meaning
            if trace is not None:
                trace.append((actual, (), verdict))
            return verdict

        return judge

    def describer(self, names: Names) -> Describe:
        sort, subject = self.left.sort(names), self.left.words(names)

        def describe(actual: Any, limits: Any, verdict: Verdict, shown: dict) -> str:
            return (
                f"{subject}缺失" if actual is None else f"{subject}已有（{present(actual, sort, sign=True)}）"
            )

        return describe


class Missing(Exists):
    key, word, opposite = "missing", "缺失", "exists"
    present_means = False


OPERATORS: dict[str, type[Comparison]] = {
    operator.key: operator
    for operator in (
        Is, IsNot, Below, AtMost, Above, AtLeast, Between, Outside, In, NotIn, Before, OnOrBefore, After, OnOrAfter,
        StartsWith, NotStartsWith, Matches, NotMatches, Exists, Missing,
    )
}  # fmt: skip
LIMIT_OPERATORS = (Below, AtMost, Above, AtLeast, Between, Outside)
