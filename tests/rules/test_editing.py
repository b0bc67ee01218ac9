"""Edits of a rule file change what they name and not one character beside it; bad ones are refused with their place."""

import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import rules
from rules.engine import difference
from rules.engine.document import parse_document
from rules.engine.editing import Draft, EditRefused
from rules.engine.editing.writing import flow
from rules.engine.note import NOTHING_KNOWN
from rules.engine.rule_book import rule_files, tables_known
from rules.engine.rule_set_reader import Unread
from rules.engine.value import plain
from tests.rules.test_difference import TEXT as PLAIN_TEXT

FOLDER = Path(rules.__file__).parent
KNOWN = tables_known(NOTHING_KNOWN, [])
FILES = rule_files([FOLDER / "sets", FOLDER / "case_types"])
TEXT = """\
# 年度警戒线，业主 2026 年 1 月定
key: sample
title: 样例   # 名称
kind: warning_line
edition: {from: 2026-01-01, until: null}
hit: first

facts:
  area_m2: {type: decimal, unit: m2, label: 面积, min: "0"}   # 来自台账
  status:  {type: code, label: 状态, domain: [甲, 乙, 丙]}
parameters:
  ratio: {value: "0.10", unit: "1", label: 警戒比例, basis: 第一条}
  days:
    label: 期限
    unit: day
    basis: 第二条
    values:
      - {from: 2026-01-01, value: 20}   # 旧
      - {from: 2027-01-01, value: 25}
rules:
  # 面积先看
  - key: large
    label: 面积过大
    basis: 第一条
    when:
      all:
        - {fact: area_m2, above: 100}   # 含一百
        - fact: status
          is: 甲
    then: {outcome: stop, message: "面积 {area_m2} 过大"}

  # 再看下限
  - key: small
    basis: 第一条
    when: {fact: area_m2, below: "10"}
    then: {outcome: warn}
cases:
  - {name: 一百 0.00 不过大, on: 2026-06-30, given: {area_m2: "100", status: 甲}, expect: {outcome: none}}
  # 边上
  - name: 小
    on: 2026-06-30
    given:
      area_m2: "9.99"
    expect: {outcome: warn}
"""


def edited(before: str, after: str, draft: Draft) -> None:
    """The draft's text is TEXT with that one piece exchanged."""
    assert TEXT.count(before) == 1
    assert draft.text == TEXT.replace(before, after)


DRAFT = Draft(TEXT, "sample.yaml")
SWAPS: list[tuple[str, tuple, str, str]] = [
    ("set_parameter", ("ratio", "0.12"), '"0.10"', '"0.12"'),
    ("set_parameter", ("days", 30), "value: 25", "value: 30"),
    ("set_parameter", ("days", 30, date(2026, 1, 1)), "value: 20", "value: 30"),
    ("set_parameter", ("days", 22, "2026-07-01"), "   # 旧\n", "   # 旧\n      - {from: 2026-07-01, value: 22}\n"),
    ("set_parameter", ("days", 28, "2028-01-01"), "value: 25}\n", "value: 25}\n      - {from: 2028-01-01, value: 28}\n"),
    ("set_parameter", ("ratio", "0.12", "2026-07-01"), 'value: "0.10"', 'values: [{from: 2026-01-01, value: "0.10"}, {from: 2026-07-01, value: "0.12"}]'),
    ("set_edition", ("2026-03-01", "2026-12-31"), "{from: 2026-01-01, until: null}", "{from: 2026-03-01, until: 2026-12-31}"),
    ("set_title", ("样例：二",), "样例 ", "样例：二 "),
    ("set_note", ("见 069",), "until: null}\n", "until: null}\nnote: 见 069\n"),
    ("set_limit", ("rules.large.when.all[0]", 120), "above: 100", "above: 120"),
    ("set_limit", ("rules.small.when.below", "12"), 'below: "10"', 'below: "12"'),
    ("set_limit", ("rules.large.when.all[1]", "乙"), "is: 甲\n", "is: 乙\n"),
    ("set_operator", ("rules.large.when.all[0]", "at_least"), "above: 100", "at_least: 100"),
    ("set_operator", ("rules.small.when", "between", ["1", "10"]), 'below: "10"', 'between: ["1", "10"]'),
    ("set_outcome", ("small", "justify"), "outcome: warn}\ncases", "outcome: justify}\ncases"),
    ("set_message", ("large", "过大：{area_m2}"), '"面积 {area_m2} 过大"', '"过大：{area_m2}"'),
    ("set_message", ("small", "偏小"), "{outcome: warn}\ncases", "{outcome: warn, message: 偏小}\ncases"),
    ("set_message", ("large", None), ', message: "面积 {area_m2} 过大"', ""),
    ("set_basis", ("small", "第 3 条"), "small\n    basis: 第一条", "small\n    basis: 第 3 条"),
    ("set_label", ("small", "过小"), "    then: {outcome: warn}\n", "    then: {outcome: warn}\n    label: 过小\n"),
    ("remove_case", (1,), TEXT[TEXT.index("  # 边上"):], ""),
    ("replace_case", (1, {"name": "小", "on": date(2026, 6, 30), "given": {"area_m2": "9.98"}, "expect": {"outcome": "warn"}}), '"9.99"', '"9.98"'),
    ("add_case", ({"name": "大", "on": "2026-06-30", "given": {"area_m2": "200", "status": "甲"}, "expect": {"outcome": "stop"}},), TEXT[TEXT.index("    expect: {outcome: warn}"):], '    expect: {outcome: warn}\n  - {name: 大, on: "2026-06-30", given: {area_m2: "200", status: 甲}, expect: {outcome: stop}}\n'),
    ("remove_rule", ("small",), TEXT[TEXT.index("  # 再看下限"):TEXT.index("cases:")], ""),
    ("add", ("facts.status.domain", "丁"), "丙]", "丙, 丁]"),
    ("remove", ("facts.status.domain[1]",), ", 乙", ""),
    ("move", ("facts.status.domain[2]", 0), "[甲, 乙, 丙]", "[丙, 甲, 乙]"),
    ("remove", ("parameters.days.values[0]",), "      - {from: 2026-01-01, value: 20}   # 旧\n", ""),
    ("set", ("cases.一百 0.00 不过大.given.area_m2", "99"), '"100"', '"99"'),
    ("set", ("facts.area_m2.max", "900"), ', min: "0"', ', min: "0", max: "900"'),
]  # fmt: skip


@pytest.mark.parametrize("name, arguments, before, after", SWAPS)
def test_only_the_named_place_changes(name: str, arguments: tuple, before: str, after: str) -> None:
    edited(before, after, getattr(DRAFT, name)(*arguments))


def test_a_rule_is_added_before_another_and_at_the_end() -> None:
    new = {"key": "mid", "basis": "第二条", "when": {"fact": "area_m2", "is": "50"}, "then": {"outcome": "warn"}}
    written = "  - key: mid\n    basis: 第二条\n    when: {fact: area_m2, is: \"50\"}\n    then: {outcome: warn}\n"
    edited("  # 再看下限\n", f"{written}  # 再看下限\n", DRAFT.add_rule(new, before="small"))
    edited("    then: {outcome: warn}\ncases", f"    then: {{outcome: warn}}\n{written}cases", DRAFT.add_rule(new))


def test_a_long_condition_is_written_in_lines_of_its_own() -> None:
    parts = [{"fact": "area_m2", "between": [str(index * 1000), str(index * 1000 + 500)]} for index in range(4)]
    draft = DRAFT.add_rule({"key": "wide", "basis": "第二条", "when": {"any": parts}, "then": {"outcome": "warn"}})
    assert "    when:\n      any:\n        - {fact: area_m2, between: [\"0\", \"500\"]}\n" in draft.text
    assert max(map(len, draft.text.splitlines())) < 111


def test_a_moved_rule_takes_its_comment_along() -> None:
    draft = DRAFT.move_rule("small", 0)
    head, rest = TEXT.split("  # 面积先看\n")
    large, rest = rest.split("  # 再看下限\n")
    small, tail = rest.split("cases:\n")
    assert draft.text == f"{head}  # 再看下限\n{small}\n  # 面积先看\n{large.rstrip()}\ncases:\n{tail}"
    assert [rule.key for rule in draft.read().rules] == ["small", "large"]
    assert draft.move_rule("small", 1).read().digest == DRAFT.read().digest


def test_a_rule_is_replaced_part_by_part() -> None:
    old = DRAFT.value("rules.large")
    draft = DRAFT.replace_rule("large", {**old, "key": "big", "basis": "第九条"})
    assert draft.text == TEXT.replace("key: large", "key: big").replace("面积过大\n    basis: 第一条", "面积过大\n    basis: 第九条")


def test_what_is_added_first_starts_its_section() -> None:
    bare = TEXT.partition("cases:")[0]
    case = {"name": "大", "on": date(2026, 6, 30), "given": {"area_m2": "200"}, "expect": {"outcome": "undetermined"}}
    draft = Draft(bare, "sample.yaml").add_case(case)
    assert draft.text.startswith(bare)
    assert draft.read().cases[0].name == "大"
    assert draft.remove_case(0).text == bare
    assert DRAFT.remove("parameters.ratio").remove("parameters.days").text.count("parameters") == 0
    with_parameter = Draft(bare, "s.yaml").set("parameters.more", {"value": 1, "unit": "day", "label": "更多", "basis": "第五条"})
    assert with_parameter.read().parameters["more"].general(date(2026, 1, 1)) == 1


REFUSED: list[tuple[str, tuple, int, str, str]] = [
    ("set_parameter", ("ratoi", "0.12"), 12, "parameters.ratoi", "没有 parameters.ratoi，是否 ratio"),
    ("set_parameter", ("ratio", "一成"), 12, "parameters.ratio.value", "应是十进制数"),
    ("set_parameter", ("ratio", "1", "明年"), 12, "parameters.ratio", "不是日期"),
    ("set_parameter", ("ratio", "1", "2025-01-01"), 12, "parameters.ratio", "应晚于版本的生效日期"),
    ("set_parameter", ("ratio", "1", None, "甲"), 12, "parameters.ratio", "没有按代码区分"),
    ("set_edition", ("2026-03-01", "2026-01-31"), 5, "edition.until", "until 早于 from"),
    ("set_limit", ("rules.large.when.all[0]", "很大"), 27, "rules.large.when.all[0].above", "应是十进制数"),
    ("set_limit", ("rules.large.when.all[1]", "丁"), 29, "rules.large.when.all[1].is", "不在代码表内"),
    ("set_limit", ("rules.large.when.all[7]", 1), 27, "rules.large.when.all[7]", "没有 rules.large.when.all[7]"),
    ("set_limit", ("rules.large.when", 1), 25, "rules.large.when", "不是一个比较"),
    ("set_operator", ("rules.large.when.all[1]", "above"), 29, "rules.large.when.all[1].above", "不能用 above"),
    ("set_operator", ("rules.small.when", "over"), 35, "rules.small.when", "没有比较词 over"),
    ("set_outcome", ("small", "halt"), 36, "rules.small.then.outcome", "没有结论 halt"),
    ("set_message", ("small", "{aera_m2}"), 36, "rules.small.then.message", "没有声明的 aera_m2"),
    ("remove", ("facts.status",), 27, "rules.large.when.all[1].fact", "没有声明事实 status"),
    ("move_rule", ("small", 2), 33, "rules[1]", "只有 2 项"),
    ("add_rule", ({"key": "large", "basis": "甲", "when": {"fact": "area_m2", "is": "1"}, "then": {"outcome": "warn"}},), 37, "rules.large", "重复"),
    ("add_case", ({"name": "缺", "on": "2026-06-30", "given": {}, "expect": {}},), 45, "cases[2].expect", "expect 应写"),
]  # fmt: skip


@pytest.mark.parametrize("name, arguments, line, key, message", REFUSED)
def test_a_bad_edit_is_refused_with_its_place(name: str, arguments: tuple, line: int, key: str, message: str) -> None:
    with pytest.raises(EditRefused) as refused:
        getattr(DRAFT, name)(*arguments)
    places = [(fault.file, fault.line, fault.key) for fault in refused.value.faults]
    assert ("sample.yaml", line, key) in places
    assert any(message in fault.message for fault in refused.value.faults)


def test_a_draft_that_is_broken_elsewhere_can_still_be_mended() -> None:
    broken = Draft(TEXT.replace("basis: 第二条", "basis:").replace("[甲, 乙, 丙]", "[甲, 乙]"), "sample.yaml")
    assert len(broken.faults()) == 1
    mended = broken.set("parameters.days.basis", "第二条")
    assert mended.faults() == []
    with pytest.raises(Unread, match="不是合法的 YAML"):
        Draft("key: [", "sample.yaml").set_title("甲")


def test_anchors_are_not_edited_behind_the_readers_back() -> None:
    text = TEXT.replace("then: {outcome: warn}", "then: &t {outcome: warn}").replace('message: "面积 {area_m2} 过大"}', 'message: "面积"}')
    text += "  - {name: 又, on: 2026-06-30, given: {area_m2: \"9\"}, expect: *t}\n"
    with pytest.raises(EditRefused, match="锚点"):
        Draft(text, "sample.yaml").set_outcome("small", "justify")


def test_windows_line_ends_stay() -> None:
    draft = Draft(TEXT.replace("\n", "\r\n"), "sample.yaml").set_note("说明").set_parameter("days", 28, "2028-01-01")
    assert "\n" not in draft.text.replace("\r\n", "")


def test_the_line_of_a_finding_is_found_in_the_draft() -> None:
    assert [DRAFT.line(key) for key in ("rules.small", "rules.large.when.all[0].above", "cases.小.expect", "rules.gone", "gone")] == [
        33, 27, 44, 20, 1,
    ]  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_written_value_of_a_shipped_set_can_be_set_and_set_back(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    draft = Draft(text, str(file), KNOWN)
    places = list(_scalars(parse_document(text), ()))
    pick = random.Random(str(file.name))
    for place, value in pick.sample(places, min(25, len(places))):
        assert plain(draft.value(place)) == plain(value)
        assert draft.set(place, value).read().digest == draft.read().digest
    labelled = draft.set_title("别的名称")
    (change,) = difference(draft.read(), labelled.read())
    assert change.kind == "set"
    assert labelled.set_title(draft.read().title).text == text


def _scalars(node: Any, place: tuple) -> Any:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else None
    if pairs is None:
        yield place, node
        return
    for step, child in pairs:
        yield from _scalars(child, (*place, step))


def test_random_values_are_written_so_that_they_read_back() -> None:
    pick = random.Random(7)
    letters = "甲a1 .,:#-'\"{}[]&*?|>%@`\\\n\t~=null"
    for _ in range(3000):
        text = "".join(pick.choice(letters) for _ in range(pick.randint(0, 8)))
        value = {"k": [text, {"z": text}], "n": pick.choice([None, True, 3, date(2026, 1, 31), "2026-01-31", "0.10", "12"])}
        assert json.dumps(plain(parse_document(f"v: {flow(value)}")["v"])) == json.dumps(plain(value)), text


def test_the_sample_of_differences_reads_too() -> None:
    assert Draft(PLAIN_TEXT, "sample.yaml").faults() == []


def test_a_part_of_a_rule_that_is_not_there_is_refused_with_its_place() -> None:
    with pytest.raises(EditRefused) as refused:
        DRAFT.set_operator("rules.large.when.all[9]", "at_least")
    assert [(fault.line, fault.key) for fault in refused.value.faults] == [(27, "rules.large.when.all[9]")]
