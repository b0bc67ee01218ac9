"""The rule book: editions by date, demo editions, broken files, stored editions."""

from datetime import date
from pathlib import Path

import pytest

from rules.engine import EditionUnknown, NoEditionInForce, RuleBook, RuleSetMissing, Unread, check
from rules.engine.rule_book import PYTHON, RULES

TEXT = """
key: sample_set
title: 样例
kind: warning_line
edition: {{from: {start}, until: {until}{more}}}
facts:
  area_m2: {{type: decimal, unit: m2, label: 面积}}
rules:
  - {{key: below, basis: 样例, when: {{fact: area_m2, below: {limit}}}, then: {{outcome: stop}}}}
"""
SPRING, SUMMER = date(2026, 3, 1), date(2026, 8, 1)


def write(
    folder: Path, name: str, limit: int, start: str = "2026-01-01", until: str = "null", more: str = ""
) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(TEXT.format(limit=limit, start=start, until=until, more=more), encoding="utf-8")
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sets"


def book(folder: Path, **settings: object) -> RuleBook:
    return RuleBook([folder], **settings)


def outcome(rules: RuleBook, area: int, on: date = SPRING) -> str:
    return rules.decide("warning_line", "sample_set", {"area_m2": area}, on=on).outcome


def test_the_edition_of_the_day_decides(folder: Path) -> None:
    write(folder, "old.yaml", 10, until="2026-06-30")
    write(folder, "new.yaml", 20, start="2026-07-01")
    rules = book(folder)
    assert rules.faults == ()
    assert [outcome(rules, 15, on) for on in (date(2026, 6, 30), date(2026, 7, 1))] == ["none", "stop"]
    assert [edition.edition.start for edition in rules.editions("warning_line", "sample_set")] == [
        date(2026, 1, 1),
        date(2026, 7, 1),
    ]


def test_no_edition_no_set(folder: Path) -> None:
    write(folder, "a.yaml", 10)
    rules = book(folder)
    with pytest.raises(NoEditionInForce, match="在 2025-12-31 没有生效的版本"):
        outcome(rules, 1, date(2025, 12, 31))
    with pytest.raises(RuleSetMissing, match="没有类别为 light"):
        rules.decide("light", "sample_set", {}, on=SPRING)


def test_a_demo_edition_counts_only_in_a_demo_book(folder: Path) -> None:
    write(folder, "a.yaml", 10)
    write(folder, "demo.yaml", 20, more=", demo: true")
    assert outcome(book(folder), 15) == "none"
    assert outcome(book(folder, demo=True), 15) == "stop"
    assert book(folder).faults == ()


def test_a_broken_file_keeps_the_last_good_edition(folder: Path) -> None:
    file = write(folder, "a.yaml", 10)
    rules = book(folder)
    file.write_text(file.read_text(encoding="utf-8").replace("below: 10", "belwo: 20"), encoding="utf-8")
    faults = rules.reload()
    assert "是否 below" in faults[0].message
    assert rules.faults == faults
    assert outcome(rules, 9) == "stop"
    write(folder, "a.yaml", 20)
    assert rules.reload() == ()
    assert outcome(rules, 15) == "stop"


def test_a_file_broken_from_the_start_does_not_stop_the_others(folder: Path) -> None:
    write(folder, "a.yaml", 10)
    (folder / "b.yaml").write_text("key: [", encoding="utf-8")
    rules = book(folder)
    assert len(rules.faults) == 1
    assert outcome(rules, 9) == "stop"


def test_a_deleted_file_is_gone(folder: Path) -> None:
    file = write(folder, "a.yaml", 10)
    rules = book(folder)
    file.unlink()
    rules.reload()
    with pytest.raises(RuleSetMissing):
        outcome(rules, 9)


def test_a_new_edition_that_overlaps_is_not_put_in_force(folder: Path) -> None:
    write(folder, "a.yaml", 10)
    rules = book(folder)
    write(folder, "b.yaml", 20, start="2026-07-01")
    assert "有效期重叠（到长期）。请把前一版的 until 改为 2026-06-30" in rules.reload()[0].message
    assert outcome(rules, 15, SUMMER) == "none"
    write(folder, "a.yaml", 10, until="2026-06-30")
    assert rules.reload() == ()
    assert outcome(rules, 15, SUMMER) == "stop"


def test_check_reports_overlaps_and_holes_between_editions(folder: Path) -> None:
    write(folder, "a.yaml", 10, until="2026-05-31")
    write(folder, "b.yaml", 20, start="2026-07-01")
    messages = [fault.message for fault in check([folder]) if fault.key == "edition"]
    assert len(messages) == 1
    assert "有空档（2026-05-31 之后到 2026-07-01 之前）" in messages[0]


def test_one_key_is_of_one_kind(folder: Path) -> None:
    write(folder, "a.yaml", 10, until="2026-05-31")
    other = write(folder, "b.yaml", 20, start="2026-06-01")
    other.write_text(
        other.read_text(encoding="utf-8").replace("warning_line", "validation").replace("stop", "refuse"),
        encoding="utf-8",
    )
    assert any("同一个键只能是一类" in fault.message for fault in check([folder]))


def test_a_stored_edition_decides_again_after_the_file_changed(folder: Path) -> None:
    write(folder, "a.yaml", 10)
    stored = book(folder).rule_set("warning_line", "sample_set", SPRING)
    write(folder, "a.yaml", 20)
    rules = book(folder)
    with pytest.raises(EditionUnknown):
        rules.decide_edition(stored.digest, {"area_m2": 15}, on=SPRING)
    assert rules.adopt(stored.content) == stored.digest
    assert rules.decide_edition(stored.digest, {"area_m2": 15}, on=SPRING).outcome == "none"
    assert outcome(rules, 15) == "stop"


def test_the_evaluator_runs_alone_by_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "a.yaml", 10)
    monkeypatch.setitem(__import__("sys").modules, "durable_rules_engine", None)
    assert outcome(book(folder, engine=PYTHON), 9) == "stop"
    with pytest.raises(ValueError, match="RULE_ENGINE"):
        book(folder, engine="fast")


def test_shared_numbers_come_from_the_tables(folder: Path, tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "limits.yaml").write_text(
        "key: limits\ntitle: 样例\nnumbers:\n  smallest: {label: 下限, unit: m2, basis: 样例, "
        'values: [{from: 2026-01-01, value: "10"}, {from: 2026-07-01, value: "20"}]}\n',
        encoding="utf-8",
    )
    file = write(folder, "a.yaml", 10)
    text = file.read_text(encoding="utf-8").replace("below: 10", "below: {param: smallest_m2}")
    file.write_text(
        text + "parameters: {smallest_m2: {table: limits.smallest, label: 下限}}\n", encoding="utf-8"
    )
    rules = book(folder, tables=tables)
    assert rules.faults == ()
    assert [outcome(rules, 15, on) for on in (SPRING, SUMMER)] == ["none", "stop"]
    stored = rules.rule_set("warning_line", "sample_set", SPRING)
    other = book(tmp_path / "empty", tables=tmp_path / "none")
    other.adopt(stored.content)
    assert other.decide_edition(stored.digest, {"area_m2": 15}, on=SUMMER).outcome == "stop"


@pytest.mark.parametrize("place", ["engine", "tables", "case_types"])
def test_where_the_portal_itself_lies_decides_nothing(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir()
    write(tmp_path / place / "sets", "a.yaml", 10)
    assert outcome(book(tmp_path / place / "sets"), 5) == "stop"


def test_the_text_of_a_draft_is_read_once_until_the_shared_tables_may_have_changed(tmp_path):
    book = RuleBook([tmp_path])
    written = (RULES / "sets" / "observation_line_demo.yaml").read_text(encoding="utf-8")
    found = book.draft(written, "observation_line")
    assert book.draft(written, "observation_line") is found
    assert book.draft(written.replace("3.000", "4.000"), "observation_line").digest != found.digest
    with pytest.raises(Unread):
        book.draft("key: [", "observation_line")
    book.reload()
    again = book.draft(written, "observation_line")
    assert again is not found and again.digest == found.digest
