"""What a decision says: outcome by policy, gates that cannot be told, messages, flags, parameters, JSON for ever."""

import json
from datetime import date

import pytest

from rules.engine import read_content
from rules.engine.kind import kinds
from rules.engine.rule_book import BOTH, CompiledSet
from tests.rules.rule_sample import DAY, FACTS, decided, rule, sample

NUMBER = {"fact": "number", "above": 5}
DONE = {"fact": "done", "is": True}
TWO = [rule("light_one", NUMBER, "warn", field="甲"), rule("heavy_one", DONE, "refuse", field="乙")]


def test_worst_outcome_decides_whatever_the_order() -> None:
    rules = sample(*TWO, hit="worst")
    assert (decision := decided(rules, {"number": 9, "done": True})).outcome == "refuse"
    assert decision.values == {"field": "乙"}
    assert [row["rule"] for row in decision.fired] == ["light_one", "heavy_one"]


def test_first_rule_decides_under_first() -> None:
    rules = sample(*TWO, hit="first")
    assert decided(rules, {"number": 9, "done": True}).outcome == "warn"


def test_all_joins_the_messages_and_keeps_the_worst() -> None:
    rules = sample(
        rule("a", NUMBER, "warn", message="件数 {number}"), rule("b", DONE, message="已办"), hit="all"
    )
    decision = decided(rules, {"number": 9, "done": True})
    assert (decision.outcome, decision.message) == ("refuse", "件数 9；已办")


def test_equal_outcomes_go_by_file_order() -> None:
    rules = sample(rule("a", NUMBER, field="甲"), rule("b", DONE, field="乙"), hit="worst")
    assert decided(rules, {"number": 9, "done": True}).rule.key == "a"


def test_nothing_fired_is_none() -> None:
    decision = decided(sample(*TWO, hit="worst"), {"number": 1, "done": False})
    assert (decision.outcome, decision.message, decision.rule, decision.values) == ("none", "", None, {})


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_kind_decides_and_only_gates_stop_when_they_cannot_tell(kind: str) -> None:
    outcome = next(iter(kinds()[kind].outcomes))
    rules = sample(rule("only", NUMBER, outcome), kind=kind)
    assert decided(rules, {"number": 6}, BOTH).outcome == outcome
    assert decided(rules, {"number": 5}, BOTH).outcome == "none"
    unknown = decided(rules, {}, BOTH)
    assert unknown.outcome == ("undetermined" if kinds()[kind].gate else "none")
    assert unknown.missing == ["number"]


def test_the_safe_kinds_are_gates() -> None:
    gates = {key for key, kind in kinds().items() if kind.gate}
    assert {
        "admission",
        "warning_line",
        "reconciliation",
        "usage_gate",
        "validation",
        "fast_track",
        "quality",
    } <= gates


def test_a_gate_with_an_unknown_heavier_rule_cannot_be_told() -> None:
    rules = sample(*TWO, hit="worst")
    decision = decided(rules, {"number": 9})
    assert decision.outcome == "undetermined"
    assert decision.message == "缺少「已办」，「样例」判不出，不能继续。请补齐后再办"


def test_a_gate_that_already_refuses_need_not_know_the_rest() -> None:
    assert decided(sample(*TWO, hit="worst"), {"done": True}).outcome == "refuse"


def test_under_first_an_unknown_earlier_rule_stops_the_gate() -> None:
    rules = sample(*TWO, hit="first")
    assert decided(rules, {"done": True}).outcome == "undetermined"
    assert decided(rules, {"number": 9}).outcome == "warn"


def test_missing_names_the_facts_behind_derived_ones() -> None:
    derived = {"margin_m2": {"expr": "area_m2 - other_m2", "unit": "m2", "label": "差额"}}
    rules = sample(rule("only", {"fact": "margin_m2", "below": 0}), derived=derived)
    assert decided(rules, {"area_m2": 1}).missing == ["other_m2"]


def test_message_writes_quantities_dates_and_codes_for_people() -> None:
    text = "{area_m2}，{number}，{filed_on}，{done}，{status}，{ratio}"
    parameters = {"ratio": {"value": "0.10", "unit": "1", "label": "比例", "basis": "样例"}}
    rules = sample(rule("only", {"fact": "done", "is": True}, message=text), parameters=parameters)
    facts = {"area_m2": "28652.4", "number": 1306, "filed_on": "2026-11-24", "done": True, "status": "甲"}
    assert (
        decided(rules, facts).message == "28,652.40 平方米，1,306，2026 年 11 月 24 日（周二），是，甲，0.1"
    )


def test_small_differences_are_never_rounded_away() -> None:
    rules = sample(rule("only", {"fact": "area_m2", "above": 0}, message="{area_m2}"))
    assert decided(rules, {"area_m2": "0.0004"}).message == "0.0004 平方米"


def test_values_may_be_worked_out() -> None:
    rules = sample(rule("only", DONE, field={"expr": "area_m2 * 2"}, fix={"fact": "name"}))
    assert decided(rules, {"done": True, "area_m2": "1.25", "name": "甲"}).to_json()["values"] == {
        "field": "2.5",
        "fix": "甲",
    }


FLAGS = {"flags": {"large": {"label": "大件"}, "urgent": {"label": "急件"}}}
CHAIN = [
    rule("decide", {"fact": "urgent", "is": True}),
    rule("raise_urgent", {"all": [{"fact": "large", "is": True}, DONE]}, None, sets="urgent"),
    rule("raise_large", NUMBER, None, sets="large"),
]


def test_flags_chain_forward_whatever_the_order_of_rules() -> None:
    rules = sample(*CHAIN, **FLAGS)
    assert decided(rules, {"number": 9, "done": True}, BOTH).outcome == "refuse"
    assert decided(rules, {"number": 9, "done": False}, BOTH).outcome == "none"
    assert decided(rules, {"number": 1, "done": True}, BOTH).outcome == "none"


def test_an_unknown_flag_carries_on_as_unknown() -> None:
    decision = decided(sample(*CHAIN, **FLAGS), {"done": True}, BOTH)
    assert decision.outcome == "undetermined"
    assert decision.to_json()["flags"] == {"large": "unknown", "urgent": "unknown"}


def dated(**more: object) -> dict:
    values = [{"from": "2026-01-01", "value": "5"}, {"from": "2026-07-01", "value": "8"}]
    return {"limit": {"values": values, "unit": "m2", "label": "上限", "basis": "样例", **more}}


def test_a_dated_parameter_takes_the_value_of_the_day() -> None:
    rules = sample(rule("only", {"fact": "area_m2", "above": {"param": "limit"}}), parameters=dated())
    assert decided(rules, {"area_m2": 6}, on=date(2026, 6, 30)).outcome == "refuse"
    assert decided(rules, {"area_m2": 6}, on=date(2026, 7, 1)).outcome == "none"


def test_a_parameter_before_its_first_day_is_unknown() -> None:
    rules = sample(rule("only", {"fact": "area_m2", "above": {"param": "limit"}}), parameters=dated())
    assert decided(rules, {"area_m2": 6}, on=date(2025, 12, 31)).outcome == "undetermined"


def test_a_parameter_may_differ_by_a_code() -> None:
    parameters = dated(by={"status": {"乙": "20"}})
    rules = sample(rule("only", {"fact": "area_m2", "above": {"param": "limit"}}), parameters=parameters)
    assert decided(rules, {"area_m2": 6, "status": "甲"}).outcome == "refuse"
    assert decided(rules, {"area_m2": 6, "status": "乙"}).outcome == "none"
    unknown = decided(rules, {"area_m2": 6})
    assert (unknown.outcome, unknown.missing) == ("undetermined", ["status"])


def test_json_is_plain_complete_and_the_same_for_equal_facts() -> None:
    rules = sample(rule("only", {"fact": "area_m2", "above": 0}, message="{area_m2}"))
    first, second = (decided(rules, {"area_m2": value}, BOTH).to_json() for value in ("9.00", 9))
    assert json.dumps(first) == json.dumps(second)
    leaf = first["considered"][0]["leaves"][0]
    assert (leaf["fact"], leaf["operator"], leaf["limits"], leaf["actual"]) == (
        "area_m2",
        "above",
        ["0"],
        "9",
    )
    assert set(first["facts"]) == set(FACTS)


def test_json_does_not_depend_on_the_engine() -> None:
    rules = sample(*CHAIN, **FLAGS)
    facts = {"number": 9, "done": True}
    assert decided(rules, facts, BOTH).to_json() == decided(rules, facts).to_json()


def test_a_set_read_back_from_its_content_is_the_same_set() -> None:
    derived = {"late": {"when": {"fact": "filed_on", "before": "2026-03-01"}, "label": "迟"}}
    whens = {"any": [{"fact": "late", "is": True}, {"fact": "area_m2", "above": {"param": "limit"}}, NUMBER]}
    rules = sample(rule("only", whens), derived=derived, parameters=dated())
    again = read_content(rules.content)
    assert again.digest == rules.digest
    facts = {"filed_on": "2026-02-28", "area_m2": "5", "number": 0}
    assert decided(again, facts).to_json() == decided(rules, facts).to_json()


def test_digest_follows_every_change_but_golden_cases() -> None:
    base = sample(rule("only", NUMBER))
    case = {"name": "甲", "on": "2026-01-01", "given": {"number": 6}, "expect": {"outcome": "refuse"}}
    assert sample(rule("only", NUMBER), cases=[case]).digest == base.digest
    assert sample(rule("only", {"fact": "number", "above": 6})).digest != base.digest
    assert len(base.digest) == 64


def test_sentences_tell_title_facts_rules_and_conclusion() -> None:
    rules = sample(rule("only", {"fact": "area_m2", "below": 10}, message="太小"))
    lines = CompiledSet(rules, BOTH).decide({"area_m2": 9}, DAY, subject="QP-1").sentences()
    assert lines[0] == "填报校验「样例」，版本 2026-01-01，判断日期 2026 年 6 月 30 日（周二）"
    assert "规则「only」（样例）成立：面积 9.00 m² 低于 10.00 m²" in lines
    assert lines[-1] == "结论：不能提交。太小"
