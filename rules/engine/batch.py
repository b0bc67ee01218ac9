"""Many decisions of one edition without their reasoning: what a replay over past cases asks for.

The evaluator alone answers; the C engine adds no answer of its own, it only checks the evaluator, and costs more
than the whole answer. An answer equals that of `decide`: rules are asked in the order in which they would decide, and
the first that holds ends the question. Where a gate cannot be told, the full decision is made for its message.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from .fault import RuleError
from .kind import NONE
from .program import Program
from .rule_book import PYTHON, CompiledSet
from .rule_set import ALL, FIRST, Rule, RuleSet
from .syntax.condition import Test

Question = tuple[Mapping[str, Any], date]


class Answer(NamedTuple):
    """Outcome, deciding rule and message; `outcome` is None when no decision could be made, `message` then says why."""

    outcome: str | None
    rule: str | None
    message: str


def decide_outcomes(rules: RuleSet, questions: Iterable[Question]) -> Iterator[Answer]:
    """The answer to each (facts, day) in turn, equal to that of a full decision; lazily, in constant memory."""
    return map(BatchDecider(rules).answer, questions)


class BatchDecider:
    """One edition prepared for many questions; holds no state between them."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules, self._program, self._full = rules, Program(rules), CompiledSet(rules, PYTHON)
        self._ranked = _ranked(rules)
        self._tests = tuple(enumerate(rule.when.compile() for rule in rules.rules))
        self._ranks = [rules.kind.severity(rule.outcome) if rule.outcome else None for rule in rules.rules]
        # Flags need their rounds: there nothing is gained by a short way.
        self._way = self._whole if rules.flags else self._listed if rules.hit == ALL else self._quick

    def answer(self, question: Question) -> Answer:
        """The answer to one (facts, day)."""
        given, on = question
        try:
            return self._way(given, on)
        except RuleError as refused:
            return Answer(None, None, str(refused))

    def _quick(self, given: Mapping[str, Any], on: date) -> Answer:
        facts = self._program.facts(given, on)
        gate, unknown = self.rules.kind.gate, []
        for rule, test in self._ranked:
            verdict = test(facts, None)
            if verdict:
                if unknown and not _harmless(rule, unknown):
                    break
                return Answer(rule.outcome, rule.key, self._said(rule, facts))
            if verdict is None and gate:
                unknown.append(rule)
        return self._whole(given, on) if unknown else Answer(NONE, None, "")

    def _listed(self, given: Mapping[str, Any], on: date) -> Answer:
        facts = self._program.facts(given, on)
        fired = []
        for place, test in self._tests:
            verdict = test(facts, None)
            if verdict:
                fired.append(place)
            elif verdict is None and self.rules.kind.gate:
                return self._whole(given, on)
        if not fired:
            return Answer(NONE, None, "")
        rules = self.rules.rules
        best = rules[min(fired, key=lambda place: (self._ranks[place], place))]
        said = filter(None, (self._said(rules[place], facts) for place in fired))
        return Answer(best.outcome, best.key, "；".join(said))

    def _said(self, rule: Rule, facts: dict[str, Any]) -> str:
        return rule.message.filled(facts, self.rules.names) if rule.message is not None else ""

    def _whole(self, given: Mapping[str, Any], on: date) -> Answer:
        decision = self._full.decide(given, on)
        return Answer(decision.outcome, decision.rule.key if decision.rule else None, decision.message)


def _ranked(rules: RuleSet) -> tuple[tuple[Rule, Test], ...]:
    """The concluding rules with their tests, in the order in which they decide: by place, or the gravest first."""
    concluding = [rule for rule in rules.rules if rule.outcome is not None]
    if rules.hit != FIRST:
        concluding.sort(key=lambda rule: rules.kind.severity(rule.outcome))
    return tuple((rule, rule.when.compile()) for rule in concluding)


def _harmless(decided: Rule, unknown: list[Rule]) -> bool:
    """Whether the unknown rules before the deciding one would say the same."""
    return all(rule.outcome == decided.outcome and rule.values == decided.values for rule in unknown)
