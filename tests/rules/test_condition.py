"""Every operator: true, false and unknown, in both engines, in words, and its refusals."""

import pytest

from rules.engine import InvalidFact, Unread
from rules.engine.rule_book import BOTH
from tests.rules.rule_sample import decided, rule, sample, verdict

PLOTS = [{"size_m2": "3", "code": "A"}, {"size_m2": "5", "code": "B"}]
F = "fact"
TRUTHS = [
    ({F: "area_m2", "is": "10.0"}, {"area_m2": "10"}, {"area_m2": "10.01"}),
    ({F: "area_m2", "is_not": 10}, {"area_m2": "9"}, {"area_m2": 10}),
    ({F: "area_m2", "below": "0.3"}, {"area_m2": "0.29"}, {"area_m2": "0.3"}),
    ({F: "area_m2", "at_most": "0.3"}, {"area_m2": "0.3"}, {"area_m2": "0.30001"}),
    ({F: "area_m2", "above": "0.3"}, {"area_m2": "0.300000001"}, {"area_m2": "0.3"}),
    ({F: "area_m2", "at_least": "0.3"}, {"area_m2": "0.3"}, {"area_m2": "0.299999999"}),
    ({F: "area_m2", "between": [1, 2]}, {"area_m2": "2"}, {"area_m2": "2.01"}),
    ({F: "area_m2", "between": [1, 2]}, {"area_m2": "1"}, {"area_m2": "0.99"}),
    ({"not": {F: "area_m2", "between": [1, 2]}}, {"area_m2": "0"}, {"area_m2": "1.5"}),
    ({F: "number", "in": [1, 3]}, {"number": 3}, {"number": 2}),
    ({F: "status", "in": ["甲", "乙"]}, {"status": "乙"}, {"status": "丙"}),
    ({F: "status", "not_in": ["甲", "乙"]}, {"status": "丙"}, {"status": "甲"}),
    ({F: "status", "in": []}, None, {"status": "甲"}),
    ({F: "name", "is": "ZD1174626"}, {"name": "ZD1174626"}, {"name": "ZD0872068"}),
    ({F: "name", "starts_with": "QP-"}, {"name": "QP-1"}, {"name": "SJ-1"}),
    ({"not": {F: "name", "starts_with": "QP-"}}, {"name": "SJ-1"}, {"name": "QP-1"}),
    ({F: "name", "matches": "[A-Z]{2}-[0-9]{3}"}, {"name": "QP-001"}, {"name": "QP-0011"}),
    ({"not": {F: "name", "matches": "[0-9]+"}}, {"name": "甲"}, {"name": "12"}),
    ({F: "name", "is": {"fact": "status"}}, {"name": "甲", "status": "甲"}, {"name": "乙", "status": "甲"}),
    ({F: "done", "is": True}, {"done": True}, {"done": False}),
    ({F: "filed_on", "before": "2026-03-01"}, {"filed_on": "2026-02-28"}, {"filed_on": "2026-03-01"}),
    ({F: "filed_on", "on_or_before": "2026-03-01"}, {"filed_on": "2026-03-01"}, {"filed_on": "2026-03-02"}),
    ({F: "filed_on", "after": "2026-03-01"}, {"filed_on": "2026-03-02"}, {"filed_on": "2026-03-01"}),
    ({F: "filed_on", "on_or_after": "2026-03-01"}, {"filed_on": "2026-03-01"}, {"filed_on": "2026-02-28"}),
    ({"days_between": ["filed_on", "on"], "at_most": 2}, {"filed_on": "2026-06-28"}, {"filed_on": "2026-06-27"}),
    ({F: "filed_on", "before": {"expr": "add_days(on, 1)"}}, {"filed_on": "2026-06-30"}, {"filed_on": "2026-07-01"}),
    (
        {F: "area_m2", "above": {"fact": "other_m2"}},
        {"area_m2": "1.00001", "other_m2": "1"},
        {"area_m2": "1", "other_m2": "1"},
    ),
    (
        {"expr": "area_m2 * 2 - other_m2", "at_least": 0},
        {"area_m2": "1", "other_m2": "2"},
        {"area_m2": "1", "other_m2": "3"},
    ),
    ({"list": "plots", "any": {F: "size_m2", "above": 4}}, {"plots": PLOTS}, {"plots": PLOTS[:1]}),
    ({"list": "plots", "every": {F: "size_m2", "above": 4}}, {"plots": PLOTS[1:]}, {"plots": PLOTS}),
    ({"list": "plots", "every": {F: "size_m2", "above": 4}}, {"plots": []}, {"plots": PLOTS}),
    ({"not": {"list": "plots", "any": {F: "size_m2", "above": 4}}}, {"plots": []}, {"plots": PLOTS}),
    ({"list": "plots", "sum": "size_m2", "is": 8}, {"plots": PLOTS}, {"plots": []}),
    ({"list": "plots", "count": True, "at_least": 2}, {"plots": PLOTS}, {"plots": PLOTS[:1]}),
    (
        {"list": "plots", "count": True, "where": {F: "code", "is": "A"}, "is": 1},
        {"plots": PLOTS},
        {"plots": PLOTS[1:]},
    ),
    ({"list": "plots", "highest": "size_m2", "is": 5}, {"plots": PLOTS}, {"plots": PLOTS[:1]}),
    ({"list": "plots", "collect": "code", "is": "A、B"}, {"plots": PLOTS}, {"plots": PLOTS[::-1]}),
    ({"expr": "sum(plots.size_m2) + count(plots) * area_m2", "is": 10}, {"plots": PLOTS, "area_m2": 1}, {"plots": [], "area_m2": 1}),
    ({F: "area_m2", "exists": True}, {"area_m2": "0"}, {}),
    ({F: "plots", "missing": True}, {}, {"plots": []}),
    (
        {"all": [{F: "done", "is": True}, {F: "number", "above": 1}]},
        {"done": True, "number": 2},
        {"done": False},
    ),
    ({"any": [{F: "done", "is": True}, {F: "number", "above": 1}]}, {"done": True}, {"done": False, "number": 1}),
    (
        {"not": {"all": [{F: "done", "is": True}, {F: "number", "above": 1}]}},
        {"done": False},
        {"done": True, "number": 2},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("when", "holding", "failing"), TRUTHS, ids=lambda part: str(part)[:60])
def test_operator_in_both_engines(when: dict, holding: dict | None, failing: dict) -> None:
    if holding is not None:
        assert verdict(when, holding, BOTH) == "true"
    assert verdict(when, failing, BOTH) == "false"


@pytest.mark.parametrize(
    "when",
    [when for when, _, _ in TRUTHS if not {"exists", "missing"} & set(when)],
    ids=lambda when: str(when)[:60],
)
def test_missing_facts_leave_a_condition_open(when: dict) -> None:
    assert verdict(when, {}, BOTH) == "unknown"


def test_a_deciding_part_outweighs_an_unknown_one() -> None:
    parts = [{F: "done", "is": True}, {F: "number", "above": 1}]
    assert verdict({"all": parts}, {"number": 1}, BOTH) == "false"
    assert verdict({"all": parts}, {"number": 2}, BOTH) == "unknown"
    assert verdict({"any": parts}, {"number": 2}, BOTH) == "true"
    assert verdict({"any": parts}, {"number": 1}, BOTH) == "unknown"


def test_an_empty_column_leaves_a_list_open_unless_another_record_decides() -> None:
    some = {"list": "plots", "any": {F: "size_m2", "above": 4}}
    assert verdict(some, {"plots": [{"code": "A"}]}) == "unknown"
    assert verdict(some, {"plots": [{"code": "A"}, {"size_m2": 5}]}) == "true"
    assert verdict({"list": "plots", "sum": "size_m2", "above": 0}, {"plots": [{"code": "A"}]}) == "unknown"


def test_division_by_zero_cannot_be_told() -> None:
    assert (
        verdict({"expr": "area_m2 / other_m2", "above": 1}, {"area_m2": 5, "other_m2": 0}, BOTH) == "unknown"
    )
    assert verdict({"expr": "area_m2 / other_m2", "above": 1}, {"area_m2": 5, "other_m2": 2}, BOTH) == "true"


def test_decimal_arithmetic_is_exact() -> None:
    when = {"expr": "area_m2 + other_m2", "is": "0.3"}
    assert verdict(when, {"area_m2": "0.1", "other_m2": "0.2"}, BOTH) == "true"
    large = "123456789012345678901234.56"
    assert (
        verdict({F: "area_m2", "is": {F: "other_m2"}}, {"area_m2": large, "other_m2": large}, BOTH) == "true"
    )


@pytest.mark.parametrize(
    ("formula", "given", "expected"),
    [
        ("round(area_m2, 1)", {"area_m2": "0.25"}, "0.3"),
        ("round(area_m2, 1)", {"area_m2": "-0.25"}, "-0.3"),
        ("round_up(area_m2, 0)", {"area_m2": "1.01"}, "2"),
        ("round_down(area_m2, 0)", {"area_m2": "1.99"}, "1"),
        ("max(area_m2, other_m2, 3)", {"area_m2": "1", "other_m2": "2"}, "3"),
        ("min(area_m2, other_m2)", {"area_m2": "1", "other_m2": "2"}, "1"),
        ("abs(area_m2 - other_m2)", {"area_m2": "1", "other_m2": "2.5"}, "1.5"),
        ("-(area_m2 + 2) * 3", {"area_m2": "1"}, "-9"),
        ("area_m2 - other_m2 - 1", {"area_m2": "10", "other_m2": "2"}, "7"),
    ],
)
def test_formula(formula: str, given: dict, expected: str) -> None:
    derived = {"worked_out": {"expr": formula, "unit": "m2", "label": "算出"}}
    rules = sample(rule("only", {F: "worked_out", "is": expected}), derived=derived)
    assert decided(rules, given, BOTH).to_json()["derived"] == {"worked_out": expected}


@pytest.mark.parametrize(
    ("formula", "given", "expected"),
    [
        ("add_months(filed_on, 1)", "2026-01-31", "2026-02-28"),
        ("add_months(filed_on, 12)", "2024-02-29", "2025-02-28"),
        ("add_months(filed_on, -2)", "2026-01-15", "2025-11-15"),
        ("add_days(filed_on, 60)", "2026-05-31", "2026-07-30"),
        ("add_days(filed_on, 9999999)", "2026-05-31", None),
    ],
)
def test_date_formula(formula: str, given: str, expected: str | None) -> None:
    rules = sample(
        rule("only", {F: "due", "exists": True}), derived={"due": {"expr": formula, "label": "到期日"}}
    )
    assert decided(rules, {"filed_on": given}, BOTH).to_json()["derived"] == {"due": expected}


def test_words_carry_the_values_found() -> None:
    rules = sample(rule("only", {F: "area_m2", "below": 10}))
    words = [
        decided(rules, {"area_m2": value}).considered[0]["leaves"][0]["words"]
        for value in ("9", "28652.4", None)
    ]
    assert words == [
        "面积 9.00 m² 低于 10.00 m²",
        "面积 28,652.40 m² 不低于 10.00 m²",
        "面积 （未知） 无法判断是否低于 10.00 m²",
    ]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"area_m2": 1.5}, "浮点数会丢精度"),
        ({"area_m2": "NaN"}, "有限的数"),
        ({"area_m2": True}, "应是十进制数"),
        ({"number": "1.5"}, "应是整数"),
        ({"status": "丁"}, "不在代码表内（甲、乙、丙）"),
        ({"filed_on": "2026-02-30"}, "应是日期"),
        ({"done": 1}, "应是是否"),
        ({"name": 5}, "应是文本"),
        ({"plots": "A"}, "应是清单"),
        ({"plots": [{"sise_m2": 1}]}, "没有栏目 sise_m2"),
        ({"aera_m2": 1}, "是否 area_m2"),
    ],
)
def test_fact_that_does_not_fit_is_refused(facts: dict, reason: str) -> None:
    with pytest.raises(InvalidFact, match=reason):
        decided(sample(rule("only", {F: "area_m2", "above": 0})), facts)


def test_names_like_code_are_not_run() -> None:
    with pytest.raises(Unread, match="算式读不通"):
        sample(rule("only", {"expr": "().__class__", "above": 0}))
