"""A whole set in words and as a table."""

from pathlib import Path

import rules
from rules.engine import prose, read_rule_set, table
from tests.rules.rule_sample import rule, sample

SETS = Path(rules.__file__).parent / "sets"


def test_prose_reads_like_the_regulation() -> None:
    lines = prose(read_rule_set(SETS / "outflow_warning_line.yaml"))
    assert lines == [
        "预警线「年度耕地资源使用警戒线」，2026-01-01 起长期有效。缺少所需事实而判不出的，不予通过。",
        "警戒比例为 0.1，暂按默认值，待业主确认（LAND-069）。",
        "警戒下限为 0.00 平方米，暂按默认值，待业主确认（LAND-069）。",
        "警戒线 = 警戒比例 × 累计预存面积、警戒下限中的较大者。",
        "高出警戒线的面积 = 剩余耕地面积 − 警戒线。",
        "高出警戒线的面积低于 0.00 m²的，停办，线：警戒线，告知「剩余 【剩余耕地面积】 低于警戒线 【警戒线】，本区停止办理」（LAND-069；LAND-096）。",
    ]


def test_table_has_a_column_for_each_fact_and_a_rest() -> None:
    first = {
        "all": [
            {"fact": "area_m2", "above": 1},
            {"fact": "area_m2", "at_most": 5},
            {"fact": "status", "is": "甲"},
        ]
    }
    second = {"any": [{"fact": "done", "is": True}, {"fact": "number", "below": 3}]}
    shown = table(sample(rule("first", first), rule("second", second, "warn"), hit="first"))
    assert [column["label"] for column in shown["columns"]] == ["面积", "状态"]
    assert [row["cells"] for row in shown["rows"]] == [["高于 1.00 m²，且不高于 5.00 m²", "是甲"], ["", ""]]
    assert [row["rest"] for row in shown["rows"]] == ["", "已办是是，或件数低于 3"]
    assert [row["outcome_word"] for row in shown["rows"]] == ["不能提交", "提示"]
    assert shown["hit_words"] == "自上而下，第一条成立的为准"


def test_every_shipped_set_has_words_for_every_rule() -> None:
    for file in SETS.glob("*.yaml"):
        read = read_rule_set(file)
        assert len(prose(read)) >= 1 + len(read.rules)
        assert [row["rule"] for row in table(read)["rows"]] == [rule.key for rule in read.rules]
