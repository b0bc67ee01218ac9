"""Two editions compared: every change is found, in a sentence that says what left and what came."""

from pathlib import Path
from typing import Any

import pytest

import rules
from rules.engine import Change, RuleSet, difference, read_rule_set, read_text
from rules.engine.mutation import mutants
from rules.engine.note import NOTHING_KNOWN
from rules.engine.rule_book import rule_files, tables_known

FOLDER = Path(rules.__file__).parent
KNOWN = tables_known(NOTHING_KNOWN, [])
FILES = rule_files([FOLDER / "sets", FOLDER / "case_types"])
TEXT = """\
key: sample
title: 样例
kind: warning_line
edition: {from: 2026-01-01, until: null}
hit: first
facts:
  area_m2: {type: decimal, unit: m2, label: 面积, min: "0"}
  status: {type: code, label: 状态, domain: [甲, 乙, 丙]}
parameters:
  ratio: {value: "0.10", unit: "1", label: 警戒比例, basis: 第一条, default: true}
  days:
    values: [{from: 2026-01-01, value: 20}]
    by: {status: {甲: 15}}
    unit: day
    label: 期限
    basis: 第二条
derived:
  line_m2: {expr: ratio * area_m2, unit: m2, label: 警戒线}
rules:
  - key: large
    label: 面积过大
    basis: 第一条
    when: {all: [{fact: area_m2, above: 100}, {fact: status, is: 甲}]}
    then: {outcome: stop, message: "面积 {area_m2} 过大"}
  - key: small
    label: 面积过小
    basis: 第一条
    when: {fact: area_m2, below: 10}
    then: {outcome: warn, line: {fact: line_m2}}
  - key: other
    label: 另一条
    basis: 第三条
    when: {fact: status, in: [乙, 丙]}
    then: {outcome: justify}
cases:
  - {name: 一百不过大, on: 2026-06-30, given: {area_m2: "100", status: 甲}, expect: {outcome: none}}
"""


def read(text: str) -> RuleSet:
    return read_text(text, "sample.yaml", KNOWN)


def changed(*swaps: tuple[str, str]) -> list[Change]:
    text = TEXT
    for before, after in swaps:
        assert before in text
        text = text.replace(before, after, 1)
    return difference(read(TEXT), read(text))


SINGLE: list[tuple[str, str, str, str, str]] = [
    ('value: "0.10"', 'value: "0.12"', "parameter", "parameters.ratio", "警戒比例由 0.10 改为 0.12"),
    ("value: 20}", "value: 25}", "parameter", "parameters.days", "期限自 2026-01-01 起由 20 日 改为 25 日"),
    ("value: 20}]", "value: 20}, {from: 2026-07-01, value: 25}]", "parameter", "parameters.days", "期限自 2026-07-01 起为 25 日"),
    ("{甲: 15}", "{甲: 10}", "parameter", "parameters.days.by", "期限对 甲 由 15 日 改为 10 日"),
    ("{甲: 15}", "{甲: 15, 乙: 7}", "parameter", "parameters.days.by", "期限对 乙 另定为 7 日"),
    (", default: true", "", "parameter", "parameters.ratio.default", "参数「警戒比例」的默认值标记由 是 改为 否"),
    ("above: 100", "above: 120", "limit", "rules.large.when.all[0].above", "规则「面积过大」的限值：面积高于 100.00 m² 改为 120.00 m²"),
    ("above: 100", "at_least: 100", "operator", "rules.large.when.all[0].at_least", "规则「面积过大」的比较：面积 高于 100.00 m² 改为 不低于 100.00 m²"),
    (", {fact: status, is: 甲}]", ", {fact: status, is: 甲}, {fact: area_m2, at_most: 900}]", "condition", "rules.large.when.all[2]", "规则「面积过大」的条件增加一项：面积不高于 900.00 m²"),
    ("[乙, 丙]", "[丙]", "limit", "rules.other.when.in", "规则「另一条」的限值：状态属于 （乙、丙） 改为 （丙）"),
    ("outcome: justify", "outcome: warn", "outcome", "rules.other.then.outcome", "规则「另一条」的结论由 须说明 改为 预警"),
    ("{area_m2} 过大", "{area_m2} 超限", "message", "rules.large.then.message", "规则「面积过大」的告知的话由 面积 {area_m2} 过大 改为 面积 {area_m2} 超限"),
    ("basis: 第三条", "basis: 第四条", "basis", "rules.other", "规则「另一条」的依据由 第三条 改为 第四条"),
    ("label: 另一条", "label: 别的", "rule", "rules.other", "规则「别的」的名称由 另一条 改为 别的"),
    ("until: null", "until: 2026-12-31", "edition", "edition.until", "失效日期由 长期 改为 2026-12-31"),
    ("from: 2026-01-01, until", "from: 2026-02-01, until", "edition", "edition.from", "生效日期由 2026-01-01 改为 2026-02-01"),
    ("hit: first", "hit: worst", "set", "hit", "取法由 first 改为 worst"),
    ("title: 样例", "title: 样例二", "set", "title", "名称由 样例 改为 样例二"),
    ('min: "0"', 'min: "1"', "fact", "facts.area_m2", "事实「面积」的最小值由 0 改为 1"),
    ("[甲, 乙, 丙]", "[甲, 乙, 丙, 丁]", "fact", "facts.status", "事实「状态」的取值由 甲 甲、乙 乙、丙 丙 改为 甲 甲、乙 乙、丙 丙、丁 丁"),
    ("ratio * area_m2", "ratio * area_m2 * 2", "derived", "derived.line_m2", "派生事实「警戒线」的算法由 警戒比例 × 面积 改为 （警戒比例 × 面积） × 2"),
    (", line: {fact: line_m2}", ", line: {fact: area_m2}", "outcome", "rules.small.then.line", "规则「面积过小」的线由 警戒线 改为 面积"),
    ("expect: {outcome: none}", "expect: {outcome: stop}", "case", "cases.一百不过大.expect.outcome", "用例「一百不过大」的应得的结论由 无结论 改为 停办"),
    ('given: {area_m2: "100"', 'given: {area_m2: "99"', "case", "cases.一百不过大.given.area_m2", "用例「一百不过大」的给定的面积由 100 改为 99"),
]  # fmt: skip


@pytest.mark.parametrize("before, after, kind, key, sentence", SINGLE)
def test_one_change_is_one_sentence(before: str, after: str, kind: str, key: str, sentence: str) -> None:
    (change,) = changed((before, after))
    assert (change.kind, change.key, change.sentence) == (kind, key, sentence)
    assert change.line > 0


def test_deleted_and_inserted_parts_are_marked() -> None:
    (change,) = changed(('value: "0.10"', 'value: "0.12"'))
    assert change.parts == (
        ("", "警戒比例由 "), ("deleted", "0.10"), ("", " 改为 "), ("inserted", "0.12")
    )  # fmt: skip
    assert (change.before, change.after) == ("0.10", "0.12")


def test_rules_added_removed_and_moved() -> None:
    large, small, other = (f"  - key: {part}" for part in TEXT.partition("cases:")[0].split("  - key: ")[1:])
    head, tail = TEXT.partition("  - key: large")[0], "cases:" + TEXT.partition("cases:")[2]
    moved = difference(read(TEXT), read(head + other + large + small + tail))
    assert [(change.kind, change.sentence) for change in moved] == [("moved", "规则「另一条」由第 3 条移到第 1 条")]
    removed = difference(read(TEXT), read(head + large + other + tail))
    assert [change.sentence for change in removed] == [
        "删去规则：「面积过小」面积低于 10.00 m²的，预警，线：警戒线（第一条）"
    ]
    (added,) = difference(read(head + large + other + tail), read(TEXT))
    assert (added.kind, added.parts[-1][0]) == ("rule", "inserted")


def test_the_same_text_has_no_changes() -> None:
    assert difference(read(TEXT), read(TEXT)) == []
    assert difference(read(TEXT), read(f"# 一句话\n{TEXT}")) == []


def test_what_no_sentence_fits_is_still_told() -> None:
    (change,) = changed(("edition: {from: 2026-01-01, until: null}", "edition: {from: 2026-01-01}"))
    assert (change.kind, change.after) == ("other", "edition")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_mutant_of_a_shipped_set_is_told(file: Path) -> None:
    found = read_rule_set(file, KNOWN)
    tried: list[Any] = list(mutants(found))
    silent = [mutant for mutant in tried if not difference(found, mutant.rules)]
    assert (silent, bool(tried)) == ([], True)
