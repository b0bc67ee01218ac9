"""Golden cases proposed at the limits: facts at, just below and just above each, so chosen that the limit decides.

Only the facts are proposed. What must come of them is left for a person who reads the article; the engine's own
answer stands beside, named as the engine's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from ..decision import Decision
from ..editing.writing import flow
from ..fault import RuleError
from ..golden import CaseResult, run_cases
from ..rule_book import PYTHON, CompiledSet
from ..rule_set import FIRST, Case, Rule, RuleSet
from ..syntax.aggregate import Aggregate
from ..syntax.comparison import Comparison, Is, IsNot
from ..syntax.condition import Condition, Group, Leaf, Not
from ..syntax.expression import Expression, Literal, Sum
from ..syntax.function import AddDays
from ..syntax.quantifier import Quantifier
from ..value import Declaration, plain, present
from .coverage import SIDES, Limit, differences, limits, missing_sides, names_at
from .scene import Scene


@dataclass(frozen=True, slots=True)
class ProposedCase:
    """Facts for one golden case. `key` and `line` say for which limit or rule; `side` is -1, 0 or 1, None for a whole rule.

    `engine` is what the engine answers (outcome, outcome_word, rule, message): beside the proposal, never its expectation.
    """

    name: str
    on: date
    given: Mapping[str, Any]
    key: str
    line: int
    side: int | None
    engine: Mapping[str, Any]

    def entry(self, outcome: str, **expected: Any) -> dict[str, Any]:
        """The golden case with the outcome that a person confirmed, for Draft.add_case."""
        return {"name": self.name, "on": self.on, "given": dict(self.given), "expect": {"outcome": outcome, **expected}}

    @property
    def yaml(self) -> str:
        """The case as lines of a rule file; the outcome is left empty, so that it is refused until it is filled in."""
        return (
            f"  # 引擎的回答是「{self.engine['outcome_word']}」。应得的结论请按条文写，不照抄引擎\n"
            f"  - name: {flow(self.name)}\n    on: {self.on.isoformat()}\n    given: {flow(dict(self.given))}\n    expect: {{outcome: }}\n"
        )


def proposed_cases(rules: RuleSet, missing_only: bool = True) -> list[ProposedCase]:
    """One case for each limit and side, and for each rule that none fires; only what the golden cases leave untried.

    With `missing_only=False` also those that a golden case has already. A side that no facts can meet, or whose facts
    cannot be found exactly (rounding, products of facts), is left out.
    """
    results = run_cases(rules)
    known = _Proposer(rules)
    found = [known.limit(limit, side) for limit, side in _sides(rules, results, missing_only)]
    decided = [result.decision for result in results] if missing_only else []
    decided += [known.decided(case.given) for case in found if case is not None]
    fired = {row["rule"] for decision in decided if decision is not None for row in decision.fired}
    found += [known.rule(rule) for rule in rules.rules if rule.key not in fired]
    return _distinct(case for case in found if case is not None)


def _sides(rules: RuleSet, results: list[CaseResult], missing_only: bool) -> list[tuple[Limit, int]]:
    if missing_only:
        return [(limit, side) for limit, side, _ in missing_sides(rules, results)]
    return [(limit, side) for limit in dict.fromkeys(limits(rules)) for side in SIDES]


def _distinct(cases: Iterable[ProposedCase]) -> list[ProposedCase]:
    """Cases by their facts: one case may serve two limits."""
    found: dict[str, ProposedCase] = {}
    for case in cases:
        found.setdefault(f"{case.on} {plain(case.given)}", case)
    return list(found.values())


class _Proposer:
    def __init__(self, rules: RuleSet) -> None:
        self.rules, self.on = rules, rules.edition.start
        self.compiled = CompiledSet(rules, PYTHON)

    def rule(self, rule: Rule) -> ProposedCase | None:
        """Facts for which the rule decides."""
        given = self._facts(self.rules, rule, rule.when, lambda facts: self._fires(facts, rule))
        return None if given is None else self._case(f"{rule.label}成立", given, f"rules.{rule.key}", rule.line, None)

    def limit(self, limit: Limit, side: int) -> ProposedCase | None:
        """Facts that meet the limit on that side, in a rule that turns on it."""
        names = names_at(self.rules, limit)
        sort = limit.leaf.left.sort(names)
        pinned = _Pinned(limit, side * sort.step, sort.type == "date")
        wanted = side * sort.step
        for rules, rule, condition in self._places(limit, pinned):
            given = self._facts(rules, rule, condition, lambda facts: wanted in self._met(limit, facts))
            if given is not None:
                bound = self._bound(limit, given, sort)
                title = f"{limit.leaf.left.words(names)}{SIDES[side]}（限值 {bound}）" if bound else f"{limit.leaf.left.words(names)}{SIDES[side]}"
                return self._case(title, given, f"{limit.key}.{limit.leaf.key}", limit.leaf.line, side)
        return None

    def _bound(self, limit: Limit, given: Mapping[str, Any], sort: Declaration) -> str:
        decision = self.decided(given)
        bound = limit.leaf.limits[limit.index]
        if limit.listed is not None and not isinstance(bound, Literal):
            return ""
        return "" if decision is None else present(bound.compile()(decision.found), sort, sign=True)

    def _places(self, limit: Limit, pinned: "_Pinned") -> Iterator[tuple[RuleSet, Rule | None, Condition]]:
        """The limit pinned where it stands: in a rule, or in a derived fact as the rules that read it see it."""
        for rule in self.rules.rules:
            condition = pinned.within(rule.when)
            if condition is not rule.when:
                yield self.rules, rule, condition
        for name, derived in self.rules.derived.items():
            condition = pinned.within(derived.condition) if derived.condition is not None else None
            if condition is not None and condition is not derived.condition:
                yield from self._by_readers(name, condition)
                yield self.rules, None, condition
        if limit.listed is not None:
            yield self.rules, None, pinned.leaf(True)

    def _by_readers(self, name: str, condition: Condition) -> Iterator[tuple[RuleSet, Rule | None, Condition]]:
        changed = replace(self.rules, derived={**self.rules.derived, name: replace(self.rules.derived[name], condition=condition)})
        for rule in self.rules.rules:
            if name in rule.when.reads():
                yield changed, rule, rule.when

    def _facts(
        self, rules: RuleSet, rule: Rule | None, condition: Condition, fits: Callable[[Mapping[str, Any]], bool]
    ) -> dict[str, Any] | None:
        """Facts that make the condition true and no other rule decide before; without the latter if it must be."""
        scene = Scene(rules, self.on)
        asked = scene.opened(condition)
        for others in (self._before(rule), []):
            for point in scene.points(asked, [scene.opened(other) for other in others]):
                given = scene.given(point)
                if given is not None and fits(given):
                    return given
        return None

    def _before(self, rule: Rule | None) -> list[Condition]:
        """Conditions of the rules that would decide instead."""
        if rule is None or rule.outcome is None:
            return []
        severity, place = self.rules.kind.severity, self.rules.rules.index(rule)
        own = (0 if self.rules.hit == FIRST else severity(rule.outcome), place)
        return [
            other.when
            for index, other in enumerate(self.rules.rules)
            if other is not rule and other.outcome and (0 if self.rules.hit == FIRST else severity(other.outcome), index) < own
        ]

    def decided(self, given: Mapping[str, Any]) -> Decision | None:
        try:
            return self.compiled.decide(given, self.on)
        except RuleError:
            return None

    def _fires(self, given: Mapping[str, Any], rule: Rule) -> bool:
        decision = self.decided(given)
        return decision is not None and any(row["rule"] == rule.key for row in decision.fired)

    def _met(self, limit: Limit, given: Mapping[str, Any]) -> set[Decimal]:
        decision = self.decided(given)
        result = CaseResult(Case("", self.on, given, {}, 0), decision, ())
        return set(differences(limit, result))

    def _case(self, name: str, given: dict[str, Any], key: str, line: int, side: int | None) -> ProposedCase:
        decision = self.decided(given)
        engine = {
            "outcome": decision.outcome, "outcome_word": self.rules.kind.word(decision.outcome),
            "rule": decision.rule.key if decision.rule else None, "message": decision.message,
        }  # fmt: skip
        return ProposedCase(name, self.on, plain(given), key, line, side, engine)


class _Pinned:
    """A limit's comparison replaced by the demand that the difference is exactly so much."""

    def __init__(self, limit: Limit, difference: Decimal, dated: bool) -> None:
        self.limit, self.difference, self.dated = limit, difference, dated

    def within(self, condition: Condition, positive: bool = True) -> Condition:
        """The condition with the comparison replaced; the very same object where it does not occur."""
        if condition is self.limit.leaf:
            return self.leaf(positive)
        if isinstance(condition, Not):
            part = self.within(condition.part, not positive)
            return condition if part is condition.part else Not(part)
        if isinstance(condition, Group):
            parts = tuple(self.within(part, positive) for part in condition.parts)
            return condition if all(map(_same, parts, condition.parts)) else replace(condition, parts=parts)
        if isinstance(condition, Quantifier):
            inner = self.within(condition.inner, positive)
            return condition if inner is condition.inner else replace(condition, inner=inner)
        return self._inside_aggregate(condition)

    def _inside_aggregate(self, condition: Condition) -> Condition:
        if isinstance(condition, Comparison) and isinstance(condition.left, Aggregate) and condition.left.where is not None:
            where = self.within(condition.left.where)
            if where is not condition.left.where:
                return replace(condition, left=replace(condition.left, where=where))
        return condition

    def leaf(self, positive: bool) -> Leaf:
        leaf = self.limit.leaf
        return (Is if positive else IsNot)(leaf.left, (self._moved(leaf.limits[self.limit.index]),), leaf.line)

    def _moved(self, bound: Expression) -> Expression:
        if not self.difference:
            return bound
        if self.dated:
            return AddDays((bound, Literal(int(self.difference))))
        return Sum(bound, Literal(self.difference))


def _same(one: Condition, other: Condition) -> bool:
    return one is other
