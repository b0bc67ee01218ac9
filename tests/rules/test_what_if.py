"""One decision with altered facts: what changes in the reasoning is told, from the fact to the outcome."""

from datetime import date
from pathlib import Path

import pytest

import rules
from rules.engine import InvalidFact, read_rule_set, what_if
from tests.rules.rule_sample import DAY, rule, sample

SET = Path(rules.__file__).parent / "sets" / "outflow_warning_line.yaml"


def test_every_step_from_the_fact_to_the_outcome_is_told() -> None:
    found = what_if(read_rule_set(SET), {"remaining_m2": "10", "stored_m2": "100"}, {"remaining_m2": "9.99"}, DAY)
    assert (found.before.outcome, found.after.outcome) == ("none", "stop")
    assert [change.sentence for change in found.changes] == [
        "事实「剩余耕地面积」由 10.00 平方米 改为 9.99 平方米",
        "算出的「高出警戒线的面积」由 0.00 平方米 变为 -0.01 平方米",
        "规则「剩余低于警戒线」由不成立变为成立：高出警戒线的面积 -0.01 m² 低于 0.00 m²",
        "结论由 无结论 变为 停办",
        "定结论的规则由 无 变为 剩余低于警戒线",
        "告知的话由「无」变为「剩余 9.99 平方米 低于警戒线 10.00 平方米，本区停止办理」",
    ]
    assert [change.kind for change in found.changes] == ["fact", "derived", "verdict", "outcome", "rule", "message"]


def test_a_fact_taken_away_is_named_as_missing() -> None:
    found = what_if(read_rule_set(SET), {"remaining_m2": "10", "stored_m2": "100"}, {"stored_m2": None}, DAY)
    assert found.after.outcome == "undetermined"
    assert "缺少的事实由 无 变为 累计预存面积" in [change.sentence for change in found.changes]


def test_a_leaf_that_turns_without_turning_its_rule_is_told() -> None:
    both = {"all": [{"fact": "area_m2", "above": 10}, {"fact": "done", "is": True}]}
    found = what_if(sample(rule("only", both)), {"area_m2": "5", "done": False}, {"area_m2": "11"}, DAY)
    assert [change.sentence for change in found.changes][1:] == [
        "规则「only」仍不成立，其中「面积 5.00 m² 不高于 10.00 m²」变为「面积 11.00 m² 高于 10.00 m²」"
    ]


def test_another_day_brings_other_parameters() -> None:
    parameter = {"values": [{"from": "2026-01-01", "value": "10"}, {"from": "2027-01-01", "value": "20"}], "unit": "m2", "label": "上限", "basis": "样例"}
    found = sample(rule("only", {"fact": "area_m2", "above": {"param": "limit"}}), parameters={"limit": parameter})
    changed = what_if(found, {"area_m2": "15"}, {}, DAY, altered_on=date(2027, 1, 1))
    assert (changed.before.outcome, changed.after.outcome) == ("refuse", "none")
    assert "算出的「上限」由 10.00 平方米 变为 20.00 平方米" in [change.sentence for change in changed.changes]


def test_changed_records_of_a_list_are_told() -> None:
    found = sample(rule("only", {"list": "plots", "any": {"fact": "size_m2", "above": 10}}))
    changed = what_if(found, {"plots": [{"size_m2": "5"}]}, {"plots": [{"size_m2": "50"}]}, DAY)
    assert changed.changes[0].sentence.startswith("事实「地块」由 1 条（地块面积 5.00 平方米，地块编号 （未知））")
    assert changed.after.outcome == "refuse"


def test_nothing_altered_nothing_told() -> None:
    assert what_if(read_rule_set(SET), {"remaining_m2": "10", "stored_m2": "100"}, {}, DAY).changes == ()
    with pytest.raises(InvalidFact, match="不读事实 strange"):
        what_if(read_rule_set(SET), {}, {"strange": 1}, DAY)
