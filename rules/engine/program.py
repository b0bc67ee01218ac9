"""A rule set compiled to closures: facts in, verdicts with full trace out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from .fault import ChainTooLong, InvalidFact
from .leaf_table import LeafTable, Traces
from .rule_set import Derived, RuleSet
from .syntax.condition import Verdict
from .syntax.expression import Value
from .syntax.formula import nearest
from .value import take


@dataclass(slots=True)
class Judgement:
    """What the evaluator found: every name's value, and per rule its verdict and trace."""

    facts: dict[str, Any]
    verdicts: list[Verdict]
    traces: Traces
    rounds: int


class Program:
    """The compiled form of one rule set edition; holds no state between calls."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._takers = tuple(rules.facts.items())
        self._parameters = tuple(rules.parameters.items())
        self._derived = tuple((name, _derive(derived)) for name, derived in rules.derived.items())
        self._table = LeafTable([rule.when for rule in rules.rules])
        self._flags = tuple(rules.flags)

    def judge(self, given: Mapping[str, Any], on: date) -> Judgement:
        """Verdicts of all rules. Raises InvalidFact for a fact that does not fit its declaration."""
        facts = self.facts(given, on)
        return self._chained(facts) if self._flags else self._judged(facts, 1)

    def facts(self, given: Mapping[str, Any], on: date) -> dict[str, Any]:
        """Facts taken in, parameters of the day, derived facts. Raises InvalidFact."""
        facts = self._taken(given, on)
        for name, calculate in self._derived:
            facts[name] = calculate(facts)
        return facts

    def _taken(self, given: Mapping[str, Any], on: date) -> dict[str, Any]:
        known = self.rules.facts
        for name in given:
            if name not in known:
                raise InvalidFact(
                    f"「{self.rules.title}」不读事实 {name}{nearest(name, known)}。可给 {'、'.join(known)}"
                )
        facts = {name: take(sort, given.get(name)) for name, sort in self._takers}
        facts["on"] = on
        for name, parameter in self._parameters:
            facts[name] = parameter.value(on, facts)
        return facts

    def _judged(self, facts: dict[str, Any], rounds: int) -> Judgement:
        verdicts, traces = self._table.judge(facts)
        return Judgement(facts, verdicts, traces, rounds)

    def _chained(self, facts: dict[str, Any]) -> Judgement:
        flags: dict[str, Verdict] = dict.fromkeys(self._flags, False)
        for rounds in range(1, len(self._flags) + 3):
            found = self._judged({**facts, **flags}, rounds)
            now = self._raised(found.verdicts)
            if now == flags:
                return found
            flags = now
        raise ChainTooLong(
            f"「{self.rules.title}」的标记 {len(self._flags) + 2} 轮后仍在变。请检查 sets 与读它的规则是否成环"
        )

    def _raised(self, verdicts: list[Verdict]) -> dict[str, Verdict]:
        flags: dict[str, Verdict] = dict.fromkeys(self._flags, False)
        for rule, verdict in zip(self.rules.rules, verdicts, strict=True):
            if verdict is False:
                continue
            for flag in rule.sets:
                flags[flag] = True if verdict else flags[flag] or None
        return flags


def _derive(derived: Derived) -> Value:
    if derived.expression is None:
        test = derived.condition.compile()
        return lambda facts: test(facts, None)
    calculate = derived.expression.compile()
    return _as_decimal(calculate) if derived.declaration.type == "decimal" else calculate


def _as_decimal(calculate: Value) -> Value:
    def exact(facts: dict) -> Decimal | None:
        value = calculate(facts)
        return Decimal(value) if isinstance(value, int) else value

    return exact
