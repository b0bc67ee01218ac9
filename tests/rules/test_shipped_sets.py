"""The rule files that are shipped: in order, every golden case passed, every mutant noticed."""

from datetime import date
from pathlib import Path

import pytest

import rules
from rules.engine import RuleBook, check, mutate, read_rule_set, test
from rules.engine.golden import run_cases
from rules.engine.rule_book import BOTH
from rules.engine.table import read_tables

FOLDER = Path(rules.__file__).parent
FILES = sorted((FOLDER / "sets").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file_is_in_order(file: Path) -> None:
    assert check([file]) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_golden_cases_pass_in_both_engines(file: Path) -> None:
    results = run_cases(read_rule_set(file), BOTH)
    assert [(result.case.name, result.differences) for result in results if not result.passed] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_mutant_survives(file: Path) -> None:
    result = mutate([file])
    assert result["survivors"] == []
    assert result["sets"][0]["mutants"] > 0


def test_all_sets_lie_together_without_clash() -> None:
    book = RuleBook([FOLDER / "sets"])
    assert book.faults == ()
    assert test([FOLDER / "sets"])["failed"] == []


def test_nobody_is_fast_tracked_but_in_a_demo() -> None:
    facts = {"marked": True, "pipeline_class": "给水", "length_m": "10", "diameter_mm": "100"}
    facts |= {"in_protected_area": False, "commitment_signed": True}
    outcomes = [
        RuleBook([FOLDER / "sets"], demo=demo)
        .decide("fast_track", "pipeline_fast_track", facts, on=date(2026, 3, 1))
        .outcome
        for demo in (False, True)
    ]
    assert outcomes == ["standard", "qualifies"]


def test_statutory_numbers_are_dated() -> None:
    faults: list = []
    numbers = read_tables(FOLDER / "tables", faults)
    assert faults == []
    reply = numbers["statutory_deadlines.disclosure_reply"]
    assert [reply.general(day) for day in (date(2008, 4, 30), date(2019, 5, 14), date(2019, 5, 15))] == [
        None,
        15,
        20,
    ]


def test_a_broken_table_names_file_line_and_key(tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text("key: limits\ntitle: 样例\nnumbers:\n  smallest: {label: 下限, unit: m3, basis: 样例, values: []}\n", encoding="utf-8")
    faults: list = []
    assert read_tables(tmp_path, faults) == {}
    assert {(fault.file, fault.line, fault.key) for fault in faults} == {
        (str(file), 4, "parameters.smallest.unit"),
        (str(file), 4, "parameters.smallest.values"),
    }
