"""Leaves judged once for all rules give every rule the verdict and the trace that its own condition gives alone."""

import random
from datetime import date

import pytest

from benchmarks.rules.differential import rule_set
from benchmarks.rules.random_rules import condition, facts
from rules.engine.leaf_table import LeafTable
from rules.engine.program import Program

DAY = date(2026, 6, 30)


@pytest.mark.parametrize("seed", range(12))
def test_verdicts_and_traces_are_those_of_each_condition_alone(seed):
    pick = random.Random(seed)
    rules = rule_set([condition(pick) for _ in range(30)])
    program = Program(rules)
    unknown = 0
    for _ in range(20):
        given = program.facts(facts(pick), DAY)
        verdicts, traces = program._table.judge(given)
        unknown += verdicts.count(None)
        for rule, verdict, trace in zip(rules.rules, verdicts, traces, strict=True):
            alone: list = []
            assert rule.when.compile()(given, alone) is verdict
            assert repr(alone) == repr(trace)
    assert unknown, "no rule was left unknown, so that case was not tried"


def test_equal_leaves_are_judged_once_and_differently_written_ones_apart():
    leaf, same, other = ({"fact": "area_m2", "above": limit} for limit in ("100", "100", "100.0"))
    rules = rule_set([{"all": [leaf, {"fact": "done", "is": True}]}, same, {"not": leaf}, other])
    table = LeafTable([rule.when for rule in rules.rules])
    assert len(table._tests) == 3
    verdicts, traces = table.judge(Program(rules).facts({"area_m2": "101", "done": None}, DAY))
    assert verdicts == [None, True, False, True]
    assert str(traces.step(3, 0)[1]) != str(traces.step(1, 0)[1])
    assert len(traces) == 4 and traces[0][0] is traces[1][0]
