"""Regions of facts: a condition taken apart into cases, each a conjunction that can be checked for contradiction."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ..number import shortest
from ..row_table import Looked, RowNumber
from ..rule_set import RuleSet
from ..syntax.aggregate import Aggregate
from ..syntax.comparison import Comparison, Exists, In
from ..syntax.condition import AllHold, AnyHolds, Condition, Leaf, Not
from ..syntax.expression import Expression, Literal, Name, Operation, Quotient
from ..syntax.function import Absolute, AddDays, Extreme, Smallest
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
        # Values of parameters that differ by code, while the case of one code is looked at; likewise which operand a
        # largest, smallest or absolute value comes to.
        self.pinned: dict[str, Any] = {}
        self.chosen: dict[Expression, Linear] = {}

    def constant(self, value: Any) -> Linear:
        return Linear((), measure(value))

    def named(self, name: str) -> Linear:
        if name in self.pinned:
            return self.constant(self.pinned[name])
        parameter = self.rules.parameters.get(name)
        if parameter is not None and not parameter.special:
            value = parameter.general(self.on)
            return self.constant(value) if value is not None else self.variable(name, self.names[name])
        derived = self.rules.derived.get(name)
        if derived is not None and derived.expression is not None:
            return derived.expression.linear(self)
        return self.variable(name, self.names[name])

    def opaque(self, expression: Expression) -> Linear:
        if expression in self.chosen:
            return self.chosen[expression]
        pins = [f"{name}={value}" for name, value in self.pinned.items() if name in expression.reads()]
        return self.variable(" ".join((str(expression), *pins)), self._sort(expression))

    def _sort(self, expression: Expression) -> Declaration:
        """The sort of the expression; what a table gives lies between its smallest and its largest value."""
        sort = expression.sort(self.names)
        if isinstance(expression, Looked) and expression.values():
            return replace(sort, minimum=min(expression.values()), maximum=max(expression.values()))
        return sort

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
            values = [*parameter.special.values(), *([] if (general := parameter.general(self.on)) is None else [general])]
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
        """The conjunctions under which the condition is false or cannot be told. Raises TooManyCases."""
        return self.other_than(True, condition)

    def other_than(self, verdict: bool, condition: Condition) -> list[Conjunction]:
        """The conjunctions under which the condition's verdict is any but this one. Raises TooManyCases."""
        key = (condition, "not", verdict)
        if key not in self._seen:
            self._seen[key] = self._other_than(verdict, condition)
        return self._seen[key]

    def _other_than(self, verdict: bool, condition: Condition) -> list[Conjunction]:
        if isinstance(condition, Not):
            return self.other_than(not verdict, condition.part)
        if isinstance(condition, AllHold | AnyHolds):
            parts = [self.other_than(verdict, part) for part in condition.parts]
            # All parts are not all true when one of them is not; one of several is not true when none of them is.
            if isinstance(condition, AllHold) is verdict:
                return [case for part in parts for case in part]
            return self._product(parts)
        if isinstance(condition, Exists):
            return self.cases(condition, negated=verdict)
        asked = self._asked_of_derived(condition)
        if asked is not None:
            inner, wanted = asked
            verdicts = wanted if verdict else {True, False} - wanted
            return self._product([self.other_than(one, inner) for one in sorted(verdicts)])
        return self.cases(condition, negated=verdict) + self._untold(condition)

    def _untold(self, leaf: Leaf) -> list[Conjunction]:
        given = self._given(leaf, through_conditions=True)
        if any(self.space.names[name].type == "list" for name in given) or self._divides(leaf):
            # A record with an empty column, or a division by zero, leaves the condition open though all facts are there.
            return [()]
        return [(Presence(name, False),) for name in sorted(given)]

    def _asked_of_derived(self, leaf: Leaf) -> tuple[Condition, set[bool]] | None:
        """A derived condition and the verdicts of it for which the leaf is true, None for any other leaf."""
        if not isinstance(leaf, Comparison) or not isinstance(leaf.left, Name):
            return None
        derived = self.space.rules.derived.get(leaf.left.name)
        if derived is None or derived.condition is None or not all(isinstance(one, Literal) for one in leaf.limits):
            return None
        values = {limit.value for limit in leaf.limits}
        return derived.condition, values if leaf.key in ("is", "in") else {True, False} - values

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
            parameter = self.space.rules.parameters.get(name)
            if derived is not None and isinstance(derived.expression, RowNumber):
                found |= derived.expression.table.required
            elif derived is not None and derived.expression is not None:
                found |= self._traced(derived.reads(), through_conditions)
            elif derived is not None and through_conditions:
                found |= self._given(derived.condition, through_conditions)
            elif parameter is not None and parameter.by is not None:
                found.add(parameter.by)
            elif name in self.space.rules.facts:
                found.add(name)
        return found

    def _divides(self, leaf: Leaf) -> bool:
        return any(isinstance(part, Quotient | RowNumber) for part in self._expressions(leaf))

    def _expressions(self, leaf: Leaf) -> Iterator[Expression]:
        for expression in (leaf.left, *leaf.limits) if isinstance(leaf, Comparison) else ():
            yield from self._parts(expression)

    def _parts(self, expression: Expression) -> Iterator[Expression]:
        yield expression
        derived = self.space.rules.derived.get(expression.name) if isinstance(expression, Name) else None
        if derived is not None and derived.expression is not None:
            yield from self._parts(derived.expression)
        if isinstance(expression, Looked):
            yield RowNumber(expression.table)
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
            joined = (_joined(left, right) for left in found for right in part)
            # Cases that say the same are one case, and those that contradict themselves are none.
            found = list({frozenset(case): case for case in joined if case is not None}.values())
            if len(found) > MOST_CASES:
                raise TooManyCases
        return found

    def _leaf(self, asked: Condition, leaf: Leaf, negated: bool) -> list[Conjunction]:
        if isinstance(asked, Exists):
            return self._existence(asked)
        derived = self._asked_of_derived(asked)
        if derived is not None:
            inner, verdicts = derived
            return [case for verdict in sorted(verdicts) for case in self.cases(inner, negated=not verdict)]
        present_atoms = tuple(Presence(name, True) for name in sorted(self._given(leaf)))
        alternatives = self._by_code(asked) if isinstance(asked, Comparison) else None
        if alternatives is None:
            alternatives = [(Choice(f"?{leaf}", frozenset({True}), not negated),)]
        return [present_atoms + alternative for alternative in alternatives]

    def _by_code(self, leaf: Comparison) -> list[Conjunction] | None:
        """The cases of a comparison; those of a parameter that differs by code are looked at code by code."""
        waiting = [name for name in self._parameters_of(leaf.reads()) if name not in self.space.pinned]
        if not waiting:
            return self._by_operand(leaf)
        name = waiting[0]
        parameter = self.space.rules.parameters[name]
        ways = [(Choice(parameter.by, frozenset({code}), True), value) for code, value in parameter.special.items()]
        ways.append((Choice(parameter.by, frozenset(parameter.special), False), parameter.general(self.space.on)))
        found: list[Conjunction] = []
        for choice, value in ways:
            self.space.pinned[name] = value
            try:
                cases = self._by_code(leaf) if value is not None else []
            finally:
                del self.space.pinned[name]
            if cases is None:
                return None
            found += [(choice, *case) for case in cases]
        return found

    def _by_operand(self, leaf: Comparison) -> list[Conjunction] | None:
        """The cases of a comparison; a largest, smallest or absolute value in it is looked at operand by operand."""
        waiting = [part for part in self._expressions(leaf) if isinstance(part, Extreme | Absolute) and part not in self.space.chosen]
        if not waiting:
            return self._compared(leaf)
        # The innermost first, so that the outer ones are made of what it came to.
        part = waiting[-1]
        forms = [operand.linear(self.space) for operand in part.operands()]
        if isinstance(part, Absolute):
            forms = [forms[0], forms[0].times(-1)]
        found: list[Conjunction] = []
        for index, form in enumerate(forms):
            over = [form.plus(other.times(-1)) for place, other in enumerate(forms) if place != index]
            atoms = tuple(at_most_zero(one if isinstance(part, Smallest) else one.times(-1)) for one in over)
            self.space.chosen[part] = form
            try:
                cases = self._by_operand(leaf)
            finally:
                del self.space.chosen[part]
            if cases is None:
                return None
            found += [(*atoms, *case) for case in cases]
        return found

    def _parameters_of(self, names: Iterable[str]) -> list[str]:
        """Parameters that differ by code among the names, those read by way of derived facts included."""
        found: set[str] = set()
        for name in names:
            derived, parameter = self.space.rules.derived.get(name), self.space.rules.parameters.get(name)
            if derived is not None and derived.expression is not None:
                found.update(self._parameters_of(derived.reads()))
            elif parameter is not None and parameter.special:
                found.add(name)
        return sorted(found)

    def _existence(self, leaf: Exists) -> list[Conjunction]:
        if not isinstance(leaf.left, Name):
            return [(Choice(f"?{leaf.left}", frozenset({True}), leaf.present_means),)]
        name = leaf.left.name
        derived = self.space.rules.derived.get(name)
        if derived is not None and derived.condition is not None:
            if leaf.present_means:
                return self.cases(derived.condition) + self.cases(derived.condition, negated=True)
            return self._product([self.other_than(verdict, derived.condition) for verdict in (True, False)])
        if derived is None and name not in self.space.rules.parameters:
            return [(Presence(name, leaf.present_means),)]
        if derived is not None and self._open_ended(derived.expression):
            return [(Choice(f"?{leaf.left}", frozenset({True}), leaf.present_means),)]
        given = sorted(self._traced((name,), False))
        if leaf.present_means:
            return [tuple(Presence(fact, True) for fact in given)]
        return [(Presence(fact, False),) for fact in given]

    def _open_ended(self, expression: Expression) -> bool:
        """Whether the value may be missing though all facts are there: by a division, a list, a day outside the calendar."""
        return any(isinstance(part, Quotient | Aggregate | AddDays | RowNumber) for part in self._parts(expression))

    def _compared(self, leaf: Comparison) -> list[Conjunction] | None:
        sort = leaf.left.sort(self.space.names)
        if sort.numeric or sort.type == "date":
            return self._ordered(leaf)
        if not isinstance(leaf.left, Name) or not all(isinstance(limit, Literal) for limit in leaf.limits):
            return None
        values = frozenset(limit.value for limit in leaf.limits)
        if leaf.key in ("is", "in", "is_not", "not_in"):
            return [(Choice(leaf.left.name, values, leaf.key in ("is", "in")),)]
        return None

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
        derived = self.space.rules.derived.get(name)
        if derived is not None and isinstance(derived.expression, Looked):
            return derived.expression.values()
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


def _joined(left: Conjunction, right: Conjunction) -> Conjunction | None:
    """Both together, each atom once; None where one says that a fact is there and the other that it is not."""
    added = tuple(atom for atom in right if atom not in left)
    for atom in added:
        if isinstance(atom, Presence) and Presence(atom.name, not atom.present) in left:
            return None
    return left + added


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
