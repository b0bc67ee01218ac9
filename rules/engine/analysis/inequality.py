"""Systems of linear inequalities over exact fractions, solved by Fourier–Motzkin elimination."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction

from ..syntax.linear import Linear

MOST = 1500


@dataclass(frozen=True, slots=True)
class Inequality:
    """`form` is at most zero, or below zero when `strict`."""

    form: Linear
    strict: bool

    def tightened(self, whole: Collection[str]) -> "Inequality":
        """The same over whole numbers: a strict bound becomes the next whole one, a bound between them moves down."""
        if self.form.fixed or not all(name in whole for name, _ in self.form.terms):
            return self
        scale = math.lcm(*(factor.denominator for _, factor in self.form.terms))
        form = self.form.times(scale)
        divisor = math.gcd(*(int(factor) for _, factor in form.terms))
        form = form.times(Fraction(1, divisor))
        limit = -form.constant
        highest = math.ceil(limit) - 1 if self.strict else math.floor(limit)
        return Inequality(Linear(form.terms, Fraction(-highest)), False)


def at_most_zero(form: Linear) -> Inequality:
    return Inequality(form, False)


def below_zero(form: Linear) -> Inequality:
    return Inequality(form, True)


def solution(inequalities: Iterable[Inequality], whole: Collection[str] = ()) -> dict[str, Fraction] | None:
    """A point that meets all inequalities, None when there is none.

    Exact over fractions; over whole numbers a system may be called solvable that is not, never the other way round.
    A system that grows past its bound is called solvable with no point (an empty mapping).
    """
    system = {inequality.tightened(whole) for inequality in inequalities}
    names = sorted({name for inequality in system for name, _ in inequality.form.terms})
    stages: list[tuple[str, list[Inequality]]] = []
    for name in names:
        involved = [inequality for inequality in system if _factor(inequality, name)]
        stages.append((name, involved))
        system = (system - set(involved)) | _eliminated(name, involved, whole)
        if len(system) > MOST:
            return {}
    if any(_false(inequality) for inequality in system):
        return None
    return _back(stages, whole)


def _factor(inequality: Inequality, name: str) -> Fraction:
    return dict(inequality.form.terms).get(name, Fraction(0))


def _false(inequality: Inequality) -> bool:
    constant = inequality.form.constant
    return inequality.form.fixed and (constant > 0 or (inequality.strict and constant == 0))


def _eliminated(name: str, involved: list[Inequality], whole: Collection[str]) -> set[Inequality]:
    above = [
        (inequality, _factor(inequality, name)) for inequality in involved if _factor(inequality, name) > 0
    ]
    below = [
        (inequality, _factor(inequality, name)) for inequality in involved if _factor(inequality, name) < 0
    ]
    found = set()
    for upper, up in above:
        for lower, down in below:
            form = upper.form.times(Fraction(1) / up).plus(lower.form.times(Fraction(1) / -down))
            found.add(Inequality(form, upper.strict or lower.strict).tightened(whole))
    return found


def _back(stages: list[tuple[str, list[Inequality]]], whole: Collection[str]) -> dict[str, Fraction]:
    point: dict[str, Fraction] = {}
    for name, involved in reversed(stages):
        point[name] = _chosen(name, involved, point, name in whole)
    return point


def _chosen(name: str, involved: list[Inequality], point: dict[str, Fraction], whole: bool) -> Fraction:
    low: tuple[Fraction, bool] | None = None
    high: tuple[Fraction, bool] | None = None
    for inequality in involved:
        factor = _factor(inequality, name)
        rest = inequality.form.constant + sum(
            own * point.get(other, 0) for other, own in inequality.form.terms if other != name
        )
        bound = (-rest / factor, inequality.strict)
        if factor > 0:
            high = bound if high is None or (bound[0], not bound[1]) < (high[0], not high[1]) else high
        else:
            low = bound if low is None or bound > low else low
    return _within(low, high, whole)


def _within(low: tuple[Fraction, bool] | None, high: tuple[Fraction, bool] | None, whole: bool) -> Fraction:
    if low is None and high is None:
        return Fraction(0)
    if low is None or high is None:
        value, strict = low or high
        away = 1 if low else -1
        if not strict and (not whole or value.denominator == 1):
            return value
        return Fraction(math.floor(value) + 1) if away > 0 else Fraction(math.ceil(value) - 1)
    if not low[1] and (not whole or low[0].denominator == 1):
        return low[0]
    if whole:
        return Fraction(math.floor(low[0]) + 1)
    return high[0] if not high[1] and high[0] == low[0] else (low[0] + high[0]) / 2
