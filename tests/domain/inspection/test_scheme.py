"""Schemes: the shipped ones are in order, a broken one is refused with file, line and what to do."""

from pathlib import Path

import pytest

from domain.inspection.measure import MEASURES
from domain.inspection.scheme import check_kinds, read_schemes, rule_faults, schemes
from portal.command_line import main
from tests.domain.inspection.sample_package import BOOK, ON

GOOD = """key: sample
title: 样例
basis: 样例
rules: package_quality
crs: [4490]
layers:
  - name: A
    fields:
      - {name: N, type: text}
checks:
  - {key: overlap, marks: 5}
"""


def test_shipped_schemes_are_in_order_and_their_rule_set_judges_every_check() -> None:
    found, faults = read_schemes()
    assert faults == []
    assert {"supplement_package", "geology_deposit", "delta_planning_result", "ministry_report", "tenure_faces", "clue_patches", "applied_map"} == set(found)
    assert [fault for scheme in found.values() for fault in rule_faults(scheme)] == []


def test_every_check_that_there_is_has_a_measure_and_a_rule() -> None:
    rules = BOOK.rule_set("quality", "package_quality", ON)
    assert list(check_kinds()) == list(rules.facts["check"].domain)
    assert set(check_kinds()) == set(MEASURES)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("key: sample", "key: other", 1, "与文件名 sample 不同"), ("crs: [4490]", "crs: 4490", 5, "EPSG 编号的列表"),
        ("type: text", "type: words", 9, "没有 words"), ("key: overlap", "key: overlaps", 11, "没有 overlaps"),
        ("title: 样例", "titel: 样例", 2, "没有键 titel"), ("  - name: A", "  - name: A\n    key: M", 7, "字段 M 没有列在 fields"),
        ("  - name: A", "  - name: A\n    apart: [B]", 7, "图层 B 不在本方案"), ("{name: N, type: text}", "{name: N, pattern: \"(\"}", 9, "不能识别"),
        ("{name: N, type: text}", "{name: N, list: nothing}", 9, "没有代码表"),
    ],
)  # fmt: skip
def test_broken_scheme_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    (tmp_path / "sample.yaml").write_text(GOOD.replace(old, new), encoding="utf-8")
    found, faults = read_schemes(tmp_path)
    assert found == {}
    assert any(fault.line == line and words in fault.message for fault in faults), faults


def test_scheme_whose_rule_set_is_missing_or_lacks_a_parameter_is_told(tmp_path: Path) -> None:
    (tmp_path / "sample.yaml").write_text(GOOD, encoding="utf-8")
    scheme = read_schemes(tmp_path)[0]["sample"]
    assert "没有类别为 quality 的规则集" in rule_faults(scheme, tmp_path)[0].message


def test_check_of_rule_files_covers_the_schemes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check", "rules/schemes"]) == 0
    assert f"{len(schemes())} 个规则文件，没有错误" in capsys.readouterr().out
