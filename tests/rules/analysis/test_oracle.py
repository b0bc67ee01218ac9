"""The analysis against brute force: on small domains every combination of facts is tried, and both must say the same."""

import itertools
import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.engine.analysis.finding import findings
from rules.engine.program import Program
from rules.engine.rule_set import FIRST, RuleSet
from tests.rules.rule_sample import DAY, rule, sample

FACTS: dict[str, Any] = {
    "n": {"type": "integer", "label": "件数", "min": 0, "max": 4},
    "m": {"type": "integer", "label": "另一件数", "min": 0, "max": 3},
    "c": {"type": "code", "label": "状态", "domain": ["甲", "乙", "丙"]},
    "b": {"type": "boolean", "label": "已办"},
}
VALUES = {"n": [*range(5), None], "m": [*range(4), None], "c": ["甲", "乙", "丙", None], "b": [True, False, None]}
DERIVED: dict[str, Any] = {
    "both": {"expr": "n + m", "label": "合计", "unit": "1"},
    "ready": {"when": {"all": [{"fact": "b", "is": True}, {"fact": "n", "above": 1}]}, "label": "可办"},
}
PARAMETERS = {"most": {"value": 2, "type": "integer", "unit": "1", "label": "上限", "basis": "样例", "by": {"c": {"甲": 1, "乙": 3}}}}
EVERY = [dict(zip(VALUES, values, strict=True)) for values in itertools.product(*VALUES.values())]
EXAMPLES = int(os.environ.get("RULE_ORACLE_EXAMPLES", "120"))
ORDERED = ("is", "is_not", "below", "at_most", "above", "at_least")

numbers = st.integers(-1, 6)
limits = st.one_of(
    numbers, st.sampled_from([{"fact": "m"}, {"fact": "n"}, {"param": "most"}, {"expr": "m + 1"}, {"expr": "2 * m"}, {"fact": "both"}])
)
subjects = st.sampled_from([{"fact": "n"}, {"fact": "m"}, {"fact": "both"}, {"expr": "n - m"}, {"expr": "2 * n"}, {"expr": "max(n, m)"}, {"expr": "min(n, 2, m) + 1"}, {"expr": "abs(n - m)"}])
leaves = st.one_of(
    st.builds(lambda subject, operator, limit: {**subject, operator: limit}, subjects, st.sampled_from(ORDERED), limits),
    st.builds(lambda subject, low, more: {**subject, "between": [low, low + more]}, subjects, numbers, st.integers(0, 3)),
    st.builds(lambda subject, key, some: {**subject, key: some}, subjects, st.sampled_from(["in", "not_in"]), st.lists(numbers, unique=True, max_size=3)),
    st.builds(lambda key, some: {"fact": "c", key: some}, st.sampled_from(["in", "not_in"]), st.lists(st.sampled_from("甲乙丙"), unique=True, max_size=3)),
    st.builds(lambda key, one: {"fact": "c", key: one}, st.sampled_from(["is", "is_not"]), st.sampled_from("甲乙丙")),
    st.builds(lambda name, key, one: {"fact": name, key: one}, st.sampled_from(["b", "ready"]), st.sampled_from(["is", "is_not"]), st.booleans()),
    st.builds(lambda name, key: {"fact": name, key: True}, st.sampled_from([*VALUES, "both", "ready"]), st.sampled_from(["exists", "missing"])),
)  # fmt: skip
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda key, parts: {key: parts}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=4,
)
written = st.lists(st.tuples(conditions, st.sampled_from(["refuse", "warn"])), min_size=1, max_size=4)


def built(rules: list, **parts: Any) -> RuleSet:
    made = [rule(f"r{index}", when, outcome) for index, (when, outcome) in enumerate(rules)]
    return sample(*made, facts=FACTS, derived=DERIVED, parameters=PARAMETERS, **parts)


def truth(rules: RuleSet) -> list[list[Any]]:
    """The verdicts of all rules for every combination of facts."""
    program = Program(rules)
    return [program.judge(facts, DAY).verdicts for facts in EVERY]


def told(rules: RuleSet, words: str) -> set[str]:
    return {finding.key.removeprefix("rules.").removesuffix(".when") for finding in findings(rules) if words in finding.message}


def never(verdicts: list[list[Any]], count: int) -> set[str]:
    return {f"r{index}" for index in range(count) if not any(row[index] for row in verdicts)}


def hidden(rules: RuleSet, verdicts: list[list[Any]]) -> set[str]:
    """Rules that hold somewhere, but never where nothing before them does."""
    severity = [rules.kind.severity(one.outcome) for one in rules.rules]
    order = sorted(range(len(severity)), key=lambda index: (0 if rules.hit == FIRST else severity[index], index))
    found = set()
    for place, index in enumerate(order):
        before = order[:place]
        holding = [row for row in verdicts if row[index]]
        if holding and all(any(row[other] for other in before) for row in holding):
            found.add(f"r{index}")
    return found


def clashing(rules: RuleSet, verdicts: list[list[Any]]) -> set[str]:
    """The later of each two rules that hold together with different outcomes."""
    outcomes = [one.outcome for one in rules.rules]
    return {
        f"r{second}"
        for row in verdicts
        for first, second in itertools.combinations(range(len(outcomes)), 2)
        if row[first] and row[second] and outcomes[first] != outcomes[second]
    }


quiet = settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 120, suppress_health_check=list(HealthCheck))


@quiet
@given(written)
def test_contradictions_and_overlaps_are_those_of_brute_force(rules: list) -> None:
    found = built(rules)
    verdicts = truth(found)
    assert told(found, "永远不成立") == never(verdicts, len(rules))
    assert told(found, "会同时成立而结论不同") == clashing(found, verdicts)


@quiet
@given(written, st.sampled_from(["first", "worst"]))
def test_unreachable_rules_are_those_of_brute_force(rules: list, hit: str) -> None:
    found = built(rules, hit=hit)
    verdicts = truth(found)
    assert told(found, "不可达") == hidden(found, verdicts)


@quiet
@given(written)
def test_gaps_are_those_of_brute_force(rules: list) -> None:
    found = built(rules, hit="worst", covers=["n", "m", "c", "b"])
    known = [row for row, facts in zip(truth(found), EVERY, strict=True) if None not in facts.values()]
    open_somewhere = any(not any(row) for row in known)
    assert bool(told(found, "有缺口：")) is open_somewhere


@quiet
@given(st.lists(st.tuples(
    st.builds(lambda operator, limit: {"expr": "n * m", operator: limit}, st.sampled_from(ORDERED), numbers),
    st.sampled_from(["refuse", "warn"])), min_size=1, max_size=3))  # fmt: skip
def test_what_cannot_be_worked_out_exactly_is_never_called_impossible(rules: list) -> None:
    found = built(rules)
    verdicts = truth(found)
    assert told(found, "永远不成立") <= never(verdicts, len(rules))
    assert told(found, "会同时成立而结论不同") >= clashing(found, verdicts)
