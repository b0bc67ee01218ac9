"""Regions of facts: a condition taken apart into cases, each a conjunction that can be checked for contradiction."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ..number import shortest
from ..rule_set import RuleSet
from ..syntax.comparison import Comparison, Exists, In
from ..syntax.condition import AllHold, AnyHolds, Condition, Leaf, Not
from ..syntax.expression import Expression, Literal, Name, Operation, Quotient
from ..syntax.linear import Linear, measure
from ..value import Declaration, present
from .inequality import Inequality, at_most_zero, below_zero, solution

MOST_CASES = 3000


class TooManyCases(Exception):
    """The condition falls apart into more cases than can be analysed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A text, code or boolean lies inside (or outside) a set of values."""

    name: str
    values: frozenset
    inside: bool


@dataclass(frozen=True, slots=True)
class Presence:
    name: str
    present: bool


Atom = Inequality | Choice | Presence
Conjunction = tuple[Atom, ...]


class FactSpace:
    """The facts of a rule set on one day: parameters worked out, derived facts opened, bounds known."""

    def __init__(self, rules: RuleSet, on: date) -> None:
        self.rules, self.names, self.on = rules, rules.names, on
        self.whole: set[str] = set()
        self.bounds: dict[str, list[Inequality]] = {}
        self.labels: dict[str, Declaration] = {}

    def constant(self, value: Any) -> Linear:
        return Linear((), measure(value))

    def named(self, name: str) -> Linear:
        parameter = self.rules.parameters.get(name)
        if parameter is not None and not parameter.special:
            value = parameter.general(self.on)
            return self.constant(value) if value is not None else self.variable(name, self.names[name])
        derived = self.rules.derived.get(name)
        if derived is not None and derived.expression is not None:
            return derived.expression.linear(self)
        return self.variable(name, self.names[name])

    def opaque(self, expression: Expression) -> Linear:
        return self.variable(str(expression), expression.sort(self.names))

    def variable(self, key: str, sort: Declaration) -> Linear:
        """The variable itself as a form; its type and bounds are noted once."""
        form = Linear(((key, Fraction(1)),), Fraction(0))
        if key not in self.labels:
            self.labels[key] = sort
            if sort.type in ("integer", "date"):
                self.whole.add(key)
            self.bounds[key] = self._bounds(key, sort, form)
        return form

    def _bounds(self, key: str, sort: Declaration, form: Linear) -> list[Inequality]:
        low, high = sort.minimum, sort.maximum
        parameter = self.rules.parameters.get(key)
        if parameter is not None and parameter.special:
            values = [*parameter.special.values(), *filter(None.__ne__, [parameter.general(self.on)])]
            low, high = min(values), max(values)
        found = []
        if low is not None:
            found.append(at_most_zero(self.constant(low).plus(form.times(-1))))
        if high is not None:
            found.append(at_most_zero(form.plus(self.constant(high).times(-1))))
        return found


@dataclass
class Region:
    """Conditions of one rule set taken apart, and whether conjunctions of them can hold."""

    space: FactSpace
    _seen: dict[Any, list[Conjunction]] = field(default_factory=dict)

    def cases(self, condition: Condition, negated: bool = False) -> list[Conjunction]:
        """The conjunctions under which the condition is true (or false when negated). Raises TooManyCases."""
        key = (condition, negated)
        if key not in self._seen:
            self._seen[key] = self._cases(condition, negated)
        return self._seen[key]

    def not_true(self, condition: Condition) -> list[Conjunction]:
        """The conjunctions under which the condition is false or cannot be told."""
        given = self._given(condition, through_conditions=True)
        unknown: list[Conjunction] = [(Presence(name, False),) for name in sorted(given)]
        if any(self.space.names[name].type == "list" for name in given) or self._divides(condition):
            # A record with an empty column, or a division by zero, leaves the condition open though all facts are there.
            unknown = [()]
        return self.cases(condition, negated=True) + unknown

    def _given(self, condition: Condition, through_conditions: bool = False) -> set[str]:
        """Facts that must be there for the condition to be told; derived facts are traced back to the facts they read."""
        found: set[str] = set()
        for leaf in condition.leaves():
            if not isinstance(leaf, Exists):
                found |= self._traced(leaf.reads(), through_conditions)
        return found

    def _traced(self, names: Iterable[str], through_conditions: bool) -> set[str]:
        found: set[str] = set()
        for name in names:
            derived = self.space.rules.derived.get(name)
            if derived is not None and derived.expression is not None:
                found |= self._traced(derived.reads(), through_conditions)
            elif derived is not None and through_conditions:
                found |= self._given(derived.condition, through_conditions)
            elif name in self.space.rules.facts:
                found.add(name)
        return found

    def _divides(self, condition: Condition) -> bool:
        waiting = [leaf for leaf in condition.leaves() if not isinstance(leaf, Exists)]
        return any(isinstance(part, Quotient) for leaf in waiting for part in self._expressions(leaf))

    def _expressions(self, leaf: Leaf) -> Iterator[Expression]:
        for expression in (leaf.left, *leaf.limits) if isinstance(leaf, Comparison) else ():
            yield from self._parts(expression)

    def _parts(self, expression: Expression) -> Iterator[Expression]:
        yield expression
        derived = self.space.rules.derived.get(expression.name) if isinstance(expression, Name) else None
        if derived is not None and derived.expression is not None:
            yield from self._parts(derived.expression)
        for operand in expression.operands() if isinstance(expression, Operation) else ():
            yield from self._parts(operand)

    def _cases(self, condition: Condition, negated: bool) -> list[Conjunction]:
        if isinstance(condition, Not):
            return self.cases(condition.part, not negated)
        if isinstance(condition, AllHold | AnyHolds):
            parts = [self.cases(part, negated) for part in condition.parts]
            joined = isinstance(condition, AnyHolds) is not negated
            return [case for part in parts for case in part] if joined else self._product(parts)
        return self._leaf(condition.negated() if negated else condition, condition, negated)

    def _product(self, parts: list[list[Conjunction]]) -> list[Conjunction]:
        found: list[Conjunction] = [()]
        for part in parts:
            found = [left + right for left in found for right in part]
            if len(found) > MOST_CASES:
                raise TooManyCases
        return found

    def _leaf(self, asked: Condition, leaf: Leaf, negated: bool) -> list[Conjunction]:
        if isinstance(asked, Exists):
            return self._existence(asked)
        present_atoms = tuple(Presence(name, True) for name in sorted(self._given(leaf)))
        alternatives = self._compared(asked) if isinstance(asked, Comparison) else None
        if alternatives is None:
            alternatives = [(Choice(f"?{leaf}", frozenset({True}), not negated),)]
        return [present_atoms + alternative for alternative in alternatives]

    def _existence(self, leaf: Exists) -> list[Conjunction]:
        if isinstance(leaf.left, Name):
            return [(Presence(leaf.left.name, leaf.present_means),)]
        return [(Choice(f"?{leaf.left}", frozenset({True}), leaf.present_means),)]

    def _compared(self, leaf: Comparison) -> list[Conjunction] | None:
        sort = leaf.left.sort(self.space.names)
        if sort.numeric or sort.type == "date":
            return self._ordered(leaf)
        if not isinstance(leaf.left, Name) or not all(isinstance(limit, Literal) for limit in leaf.limits):
            return None
        values = frozenset(limit.value for limit in leaf.limits)
        if leaf.key in ("is", "in", "is_not", "not_in"):
            return self._choice(leaf.left.name, values, leaf.key in ("is", "in"))
        return None

    def _choice(self, name: str, values: frozenset, inside: bool) -> list[Conjunction]:
        derived = self.space.rules.derived.get(name)
        if derived is not None and derived.condition is not None and len(values) == 1:
            return self.cases(derived.condition, negated=(True in values) is not inside)
        return [(Choice(name, values, inside),)]

    def _ordered(self, leaf: Comparison) -> list[Conjunction]:
        left = leaf.left.linear(self.space)
        over = [left.plus(limit.linear(self.space).times(-1)) for limit in leaf.limits]
        under = [form.times(-1) for form in over]
        if isinstance(leaf, In):
            return self._listed(leaf.key == "in", over, under)
        return ORDERINGS[leaf.key](over, under)

    def _listed(self, inside: bool, over: list[Linear], under: list[Linear]) -> list[Conjunction]:
        if inside:
            return [(at_most_zero(a), at_most_zero(b)) for a, b in zip(over, under, strict=True)]
        return self._product([[(below_zero(a),), (below_zero(b),)] for a, b in zip(over, under, strict=True)])

    def witness(self, atoms: Iterable[Atom]) -> dict[str, Any] | None:
        """Values under which all atoms hold together, None when they contradict one another."""
        atoms = tuple(atoms)
        chosen = self._presences(atoms)
        choices = self._choices(atoms) if chosen is not None else None
        if choices is None:
            return None
        inequalities = [atom for atom in atoms if isinstance(atom, Inequality)]
        names = {name for atom in inequalities for name, _ in atom.form.terms}
        bounds = [bound for name in names for bound in self.space.bounds.get(name, ())]
        point = solution([*inequalities, *bounds], self.space.whole)
        return None if point is None else {**chosen, **choices, **point}

    def _presences(self, atoms: Iterable[Atom]) -> dict[str, Any] | None:
        found: dict[str, bool] = {}
        for atom in atoms:
            if isinstance(atom, Presence) and found.setdefault(atom.name, atom.present) is not atom.present:
                return None
        return {name: None for name, there in found.items() if not there}

    def _choices(self, atoms: Iterable[Atom]) -> dict[str, Any] | None:
        by_name: dict[str, list[Choice]] = {}
        for atom in atoms:
            if isinstance(atom, Choice):
                by_name.setdefault(atom.name, []).append(atom)
        found = {}
        for name, choices in by_name.items():
            picked = self._picked(name, choices)
            if picked is None:
                return None
            found[name] = picked[0]
        return found

    def _picked(self, name: str, choices: list[Choice]) -> tuple[Any] | None:
        allowed: frozenset | None = self._domain(name)
        for choice in choices:
            if choice.inside:
                allowed = choice.values if allowed is None else allowed & choice.values
        excluded = frozenset().union(*(choice.values for choice in choices if not choice.inside))
        if allowed is None:
            return ("其他",)
        left = sorted(allowed - excluded, key=str)
        return (left[0],) if left else None

    def _domain(self, name: str) -> frozenset | None:
        sort = self.space.names.get(name)
        if name.startswith("?") or (sort is not None and sort.type == "boolean"):
            return frozenset({True, False})
        return frozenset(sort.domain) if sort is not None and sort.domain is not None else None

    def escaping(self, start: Conjunction, conditions: Iterable[Condition]) -> dict[str, Any] | None:
        """Values in `start` for which none of the conditions is true, None when they cover it. Raises TooManyCases."""
        return self._escape(start, [self.not_true(condition) for condition in conditions], [MOST_CASES])

    def uncovered(self, start: Conjunction, conditions: Iterable[Condition]) -> dict[str, Any] | None:
        """Values in `start`, all facts known, for which every condition is false. Raises TooManyCases."""
        return self._escape(
            start, [self.cases(condition, negated=True) for condition in conditions], [MOST_CASES]
        )

    def _escape(
        self, atoms: Conjunction, ways: list[list[Conjunction]], budget: list[int]
    ) -> dict[str, Any] | None:
        budget[0] -= 1
        if budget[0] < 0:
            raise TooManyCases
        found = self.witness(atoms)
        if found is None or not ways:
            return found
        for way in ways[0]:
            escaped = self._escape(atoms + way, ways[1:], budget)
            if escaped is not None:
                return escaped
        return None

    def words(self, values: Mapping[str, Any]) -> str:
        """A witness in words, as 「剩余面积 0.00 m²，状态 可用」."""
        return "，".join(self._phrases(values)) or "任何情形"

    def _phrases(self, values: Mapping[str, Any]) -> Iterator[str]:
        for name, value in sorted(values.items()):
            sort = self.space.labels.get(name) or self.space.names.get(name)
            if name.startswith("?") or sort is None:
                continue
            if isinstance(value, Fraction):
                value = _shown(value, sort)
            yield f"{sort.label} {'缺失' if value is None else present(value, sort, sign=True) if not isinstance(value, str) else value}"


def _shown(value: Fraction, sort: Declaration) -> Any:
    if sort.type == "date" and value.denominator == 1 and 1 <= value <= date.max.toordinal():
        return date.fromordinal(int(value))
    if value.denominator == 1 and sort.type == "integer":
        return int(value)
    number = Decimal(value.numerator) / Decimal(value.denominator)
    return Decimal(shortest(round(number, 6)))


ORDERINGS: dict[str, Any] = {
    "is": lambda over, under: [(at_most_zero(over[0]), at_most_zero(under[0]))],
    "is_not": lambda over, under: [(below_zero(over[0]),), (below_zero(under[0]),)],
    "below": lambda over, under: [(below_zero(over[0]),)],
    "at_most": lambda over, under: [(at_most_zero(over[0]),)],
    "above": lambda over, under: [(below_zero(under[0]),)],
    "at_least": lambda over, under: [(at_most_zero(under[0]),)],
    "between": lambda over, under: [(at_most_zero(under[0]), at_most_zero(over[1]))],
    "outside": lambda over, under: [(below_zero(over[0]),), (below_zero(under[1]),)],
}
ORDERINGS |= {"before": ORDERINGS["below"], "on_or_before": ORDERINGS["at_most"]}
ORDERINGS |= {"after": ORDERINGS["above"], "on_or_after": ORDERINGS["at_least"]}
