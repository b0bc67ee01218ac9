"""Contradictions, shadows, overlaps and gaps: what is reported, and what is rightly left alone."""

import json
from typing import Any

import pytest

from rules.engine import RuleSet, read_text
from rules.engine.analysis.finding import findings

FACTS = {
    "area_m2": {"type": "decimal", "unit": "m2", "label": "面积", "min": "0"},
    "other_m2": {"type": "decimal", "unit": "m2", "label": "另一面积"},
    "days": {"type": "integer", "unit": "day", "label": "天数"},
    "due_on": {"type": "date", "label": "到期日"},
    "status": {"type": "code", "label": "状态", "domain": ["甲", "乙"]},
    "done": {"type": "boolean", "label": "已办"},
    "plots": {
        "type": "list",
        "label": "地块",
        "columns": {"size_m2": {"type": "decimal", "unit": "m2", "label": "地块面积"}},
    },
}


def sample(*whens: Any, outcomes: tuple = ("refuse", "warn", "refuse", "warn"), **parts: Any) -> RuleSet:
    rules = [
        {"key": f"rule_{index}", "basis": "样例", "when": when, "then": {"outcome": outcome}}
        for index, (when, outcome) in enumerate(zip(whens, outcomes, strict=False))
    ]
    head = {"key": "sample", "title": "样例", "kind": "validation", "edition": {"from": "2026-01-01"}}
    return read_text(
        json.dumps({**head, "facts": FACTS, "rules": rules, **parts}, ensure_ascii=False), "sample.yaml"
    )


def messages(rules: RuleSet) -> list[str]:
    return [finding.message for finding in findings(rules)]


def area(**limit: Any) -> dict:
    return {"fact": "area_m2", **limit}


def days(**limit: Any) -> dict:
    return {"fact": "days", **limit}


LIMIT = {"parameters": {"limit_m2": {"value": "7", "unit": "m2", "label": "上限", "basis": "样例"}}}
MARGIN = {"derived": {"margin_m2": {"expr": "area_m2 - other_m2", "unit": "m2", "label": "差额"}}}


@pytest.mark.parametrize(
    ("whens", "parts"),
    [
        ([area(above=5), area(at_most=5)], {}),
        ([days(above=5), days(below=6)], {}),
        ([area(above={"param": "limit_m2"}), area(below=7)], LIMIT),
        ([{"fact": "margin_m2", "below": 0}, {"fact": "area_m2", "at_least": {"fact": "other_m2"}}], MARGIN),
        ([{"fact": "status", "is": "甲"}, {"fact": "status", "not_in": ["甲"]}], {}),
        ([{"fact": "done", "is": True}, {"fact": "done", "is_not": True}], {}),
        (
            [{"fact": "due_on", "before": {"fact": "on"}}, {"days_between": ["on", "due_on"], "at_least": 0}],
            {},
        ),
        ([area(missing=True), area(above=0)], {}),
        (
            [
                {"list": "plots", "any": {"fact": "size_m2", "above": 1}},
                {"not": {"list": "plots", "any": {"fact": "size_m2", "above": 1}}},
            ],
            {},
        ),
        ([area(above=5), area(above=3)], {"hit": "worst"}),
    ],
    ids=str,
)
def test_rules_that_exclude_each_other_are_left_alone(whens: list, parts: dict) -> None:
    assert messages(sample(*whens, **parts)) == []


@pytest.mark.parametrize(
    ("whens", "parts", "example"),
    [
        ([area(above=5), area(at_least=5, )], {}, "面积"),
        ([area(at_least=5), area(at_most=5)], {}, "面积 5.00 m²"),
        ([area(above={"param": "limit_m2"}), area(below="7.02")], LIMIT, "面积 7.01 m²"),
        ([days(above=5), days(below=7)], {}, "天数 6 日"),
        ([{"fact": "status", "is": "甲"}, {"fact": "status", "not_in": ["乙"]}], {}, "状态 甲"),
        ([{"fact": "due_on", "on_or_before": "2026-03-01"}, {"fact": "due_on", "on_or_after": "2026-03-01"}], {}, "2026 年 3 月 1 日"),
    ],
    ids=str,
)  # fmt: skip
def test_overlap_names_facts_under_which_both_hold(whens: list, parts: dict, example: str) -> None:
    (message,) = messages(sample(*whens, outcomes=("warn", "refuse"), **parts))
    assert "会同时成立而结论不同" in message
    assert example in message


def test_same_outcome_may_overlap() -> None:
    assert messages(sample(area(above=5), area(below=9), outcomes=("refuse", "refuse"))) == []


def test_same_outcome_with_other_values_may_not() -> None:
    rules = sample(area(above=5), area(below=9), outcomes=("refuse", "warn"))
    assert len(messages(rules)) == 1


def test_a_rule_covered_by_several_earlier_ones_is_unreachable() -> None:
    rules = sample(area(below=5), area(at_least=5), area(between=[4, 6]), hit="first")
    assert [finding.key for finding in findings(rules)] == ["rules.rule_2"]


def test_a_rule_for_missing_facts_is_reachable() -> None:
    assert messages(sample(area(at_least=0), area(missing=True), hit="first")) == []


def test_a_lighter_rule_wholly_under_a_heavier_one_never_concludes() -> None:
    rules = sample(area(above=5), area(above=9), outcomes=("refuse", "warn"), hit="worst")
    assert "不可达" in messages(rules)[0]
    assert messages(sample(area(above=5), area(above=9), outcomes=("warn", "refuse"), hit="worst")) == []


@pytest.mark.parametrize(
    ("covers", "whens", "gap"),
    [
        ("days", [days(below=5), days(above=5)], "天数 5 日"),
        ("days", [days(below=5), days(at_least=5)], None),
        ("days", [days(at_most=4), days(above=4)], None),
        ("days", [days(at_most=4), days(at_least=5)], None),
        ("area_m2", [area(at_most=4), area(at_least="4.01")], "面积"),
        ("area_m2", [area(is_=0), area(above=0)], None),
        ("status", [{"fact": "status", "is": "甲"}, {"fact": "status", "is": "乙"}], None),
        (["status", "done"], [{"fact": "status", "is": "甲"}, {"all": [{"fact": "status", "is": "乙"}, {"fact": "done", "is": True}]}], "状态 乙"),
    ],
)  # fmt: skip
def test_gaps_in_a_covered_domain(covers: Any, whens: list, gap: str | None) -> None:
    whens = [{key.rstrip("_"): value for key, value in when.items()} for when in whens]
    found = messages(sample(*whens, covers=covers))
    assert [gap in message for message in found] == ([] if gap is None else [True])


def test_a_dated_parameter_is_analysed_on_every_day_it_changes() -> None:
    values = [{"from": "2026-01-01", "value": "5"}, {"from": "2026-07-01", "value": "9"}]
    parameters = {"limit_m2": {"values": values, "unit": "m2", "label": "上限", "basis": "样例"}}
    rules = sample(
        area(above={"param": "limit_m2"}), area(at_most=5), parameters=parameters, covers="area_m2"
    )
    assert "有缺口" in messages(rules)[0]
