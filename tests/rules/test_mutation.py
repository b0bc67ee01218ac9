"""Golden cases and mutants: what fails is told, what no case notices is listed."""

from pathlib import Path

import pytest

from rules.engine import Unread, mutate, read_text, test
from rules.engine.golden import run_cases
from rules.engine.mutation import mutants

TEXT = """key: sample_set
title: 样例
kind: validation
edition: {from: 2026-01-01}
facts:
  area_m2: {type: decimal, unit: m2, label: 面积, min: "0"}
  status: {type: code, label: 状态, domain: [甲, 乙, 丙]}
parameters:
  limit_m2: {value: "100", unit: m2, label: 上限, basis: 样例}
rules:
  - key: large
    basis: 样例
    when: {all: [{fact: area_m2, above: {param: limit_m2}}, {fact: status, in: [甲, 乙]}]}
    then: {outcome: refuse, field: area_m2, message: "{area_m2} 太大"}
cases:
  - {name: 太大, on: 2026-06-30, given: {area_m2: "100.01", status: 甲}, expect: {outcome: refuse, field: area_m2}}
  - {name: 等于, on: 2026-06-30, given: {area_m2: "100", status: 甲}, expect: {outcome: none}}
"""
MORE = """  - {name: 乙也算, on: 2026-06-30, given: {area_m2: "100.01", status: 乙}, expect: {outcome: refuse}}
  - {name: 丙不算, on: 2026-06-30, given: {area_m2: "100.01", status: 丙}, expect: {outcome: none}}
"""


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "sample.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_survivors_are_listed_with_place_and_change(tmp_path: Path) -> None:
    result = mutate([write(tmp_path, TEXT)])
    assert {(row["line"], row["at"], row["change"]) for row in result["survivors"]} == {
        (13, "rules.large.when", "去掉取值 乙"),
    }
    assert result["sets"][0]["killed"] == result["sets"][0]["mutants"] - 1


def test_more_cases_kill_them(tmp_path: Path) -> None:
    assert mutate([write(tmp_path, TEXT + MORE)])["survivors"] == []


def test_every_limit_operator_rule_and_parameter_is_tried() -> None:
    changes = {(mutant.key, mutant.change) for mutant in mutants(read_text(TEXT, "sample.yaml"))}
    assert changes == {
        ("rules.large", "删去这条规则"),
        ("rules.large.when", "「all」改为「any」"),
        ("rules.large.when", "「above」改为「at_most」"),
        ("rules.large.when", "「above」改为「at_least」"),
        ("rules.large.when", "「in」改为「not_in」"),
        ("rules.large.when", "去掉取值 甲"),
        ("rules.large.when", "去掉取值 乙"),
        ("parameters.limit_m2", "参数 100 改为 100.01"),
        ("parameters.limit_m2", "参数 100 改为 99.99"),
    }


def test_a_change_that_changes_nothing_is_not_asked_of_the_cases() -> None:
    text = TEXT.replace("above: {param: limit_m2}", "is: 0")
    changes = {mutant.change for mutant in mutants(read_text(text, "sample.yaml"))}
    assert "限值 0 改为 0.01" in changes
    twice = TEXT.replace("{fact: status, in: [甲, 乙]}", "{fact: area_m2, above: 50}")
    changes = {mutant.change for mutant in mutants(read_text(twice, "sample.yaml"))}
    assert "限值 50 改为 50.01" not in changes


@pytest.mark.parametrize(
    ("expect", "difference"),
    [
        ("{outcome: none}", "结论应是“无结论”，实际是“不能提交”"),
        ("{outcome: refuse, rule: large, fired: []}", "fired 应是 []，实际是 ['large']"),
        ("{outcome: refuse, field: status}", "field 应是 status，实际是 area_m2"),
        ("{outcome: refuse, message: 太小}", "告知的话应含「太小」，实际是「100.01 平方米 太大」"),
        ("{outcome: refuse, missing: [status]}", "missing 应是 ['status']，实际是 []"),
        ("{refused: 超出}", "应拒收这些事实，却判出了结论"),
    ],
)
def test_a_failing_case_says_what_differs(expect: str, difference: str) -> None:
    text = TEXT.replace("{outcome: refuse, field: area_m2}", expect)
    assert run_cases(read_text(text, "sample.yaml"))[0].differences == (difference,)


def test_a_case_may_expect_a_fact_to_be_refused() -> None:
    text = TEXT.replace(
        '"100.01", status: 甲}, expect: {outcome: refuse, field: area_m2}',
        '"-1"}, expect: {refused: 不小于 0.00}',
    )
    assert run_cases(read_text(text, "sample.yaml"))[0].passed


def test_unreadable_files_fail_the_test_and_stop_mutation(tmp_path: Path) -> None:
    file = write(tmp_path, TEXT.replace("above", "abov"))
    failed = test([file])["failed"]
    assert failed[0]["line"] == 13
    with pytest.raises(Unread):
        mutate([file])
