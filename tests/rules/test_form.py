"""The form of a rule set: its cells with type, unit, operators and choices, and the way back into the text."""

from dataclasses import replace
from pathlib import Path

import pytest

import rules
from rules.engine import Draft, EditRefused, FormRow, Opaque, RowTest, difference, form, table, with_rows
from rules.engine.note import NOTHING_KNOWN
from rules.engine.rule_book import rule_files, tables_known
from tests.rules.test_editing import DRAFT, TEXT

FOLDER = Path(rules.__file__).parent
KNOWN = tables_known(NOTHING_KNOWN, [])
FILES = rule_files([FOLDER / "sets", FOLDER / "case_types"])


def test_columns_tell_type_unit_operators_and_choices() -> None:
    area, status = form(DRAFT).columns
    assert (area.key, area.label, area.type, area.unit, area.unit_label, area.minimum, area.step) == (
        "area_m2", "面积", "decimal", "m2", "平方米", "0", "0.01"
    )  # fmt: skip
    assert ("below", "低于") in area.operators
    assert not {"outside", "before", "starts_with"} & {key for key, _ in area.operators}
    assert status.choices == (("甲", "甲"), ("乙", "乙"), ("丙", "丙"))
    assert [key for key, _ in status.operators] == ["is", "is_not", "in", "not_in", "starts_with", "matches", "exists", "missing"]


def test_rows_hold_cells_that_know_their_place() -> None:
    large, small = form(DRAFT).rows
    assert [(test.column, test.operator, test.limit, test.place) for test in large.tests] == [
        ("area_m2", "above", 100, "rules.large.when.all[0]"), ("status", "is", "甲", "rules.large.when.all[1]"),
    ]  # fmt: skip
    assert (small.key, small.outcome, small.line) == ("small", "warn", 33)
    assert DRAFT.set_limit(large.tests[0].place, 150).read().rules[0].when.parts[0].limits[0].value == 150


def test_what_no_column_holds_is_prose_and_yaml() -> None:
    draft = DRAFT.set("rules.small.when", {"any": [{"fact": "area_m2", "below": "10"}, {"fact": "status", "is": "乙"}]})
    (opaque,) = form(draft).rows[1].tests
    assert isinstance(opaque, Opaque)
    assert opaque.words == "面积低于 10.00 m²，或状态是乙"
    assert opaque.yaml == '{any: [{fact: area_m2, below: "10"}, {fact: status, is: 乙}]}'


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rows_of_a_shipped_set_written_back_change_nothing(file: Path) -> None:
    draft = Draft(file.read_text(encoding="utf-8"), str(file), KNOWN)
    assert with_rows(draft, form(draft).rows).text == draft.text


def test_edited_rows_come_back_and_leave_the_rest_alone() -> None:
    large, small = form(DRAFT).rows
    moved = replace(large, tests=(replace(large.tests[0], operator="at_least", limit="150"), large.tests[1]))
    draft = with_rows(DRAFT, [moved, small])
    assert draft.text == TEXT.replace("above: 100", "at_least: 150")
    new = FormRow(None, "mid", "居中", "第三条", (RowTest({"fact": "area_m2"}, "is", "50"),), "justify", "居中")
    draft = with_rows(DRAFT, [small, new])
    assert [change.sentence for change in difference(DRAFT.read(), draft.read()) if change.kind == "rule"] == [
        "删去规则：「面积过大」面积高于 100.00 m²，且状态是甲的，停办，告知「面积 【面积】 过大」（第一条）",
        "增加规则：「居中」面积是 50.00 m²的，须说明，告知「居中」（第三条）",
    ]
    assert "# 再看下限\n" in draft.text


def test_rows_in_another_order() -> None:
    large, small = form(DRAFT).rows
    draft = with_rows(DRAFT, [small, replace(large, key="big")])
    assert [rule.key for rule in draft.read().rules] == ["small", "big"]
    assert "# 含一百" in draft.text


def test_a_bad_cell_is_refused_with_its_place() -> None:
    large, small = form(DRAFT).rows
    with pytest.raises(EditRefused, match="rules.small.when.below: .*应是十进制数"):
        with_rows(DRAFT, [large, replace(small, tests=(replace(small.tests[0], limit="少"),))])


def test_pages_and_search_show_part_of_the_rows() -> None:
    page = form(DRAFT, start=1, count=1)
    assert ([row.key for row in page.rows], page.total, len(page.columns)) == (["small"], 2, 2)
    assert [row.key for row in form(DRAFT, search="过大 甲").rows] == ["large"]
    shown = table(DRAFT.read(), start=0, count=1, search="small")
    assert ([row["rule"] for row in shown["rows"]], shown["total"]) == (["small"], 1)


def test_a_page_of_rows_is_written_back_alone() -> None:
    (small,) = form(DRAFT, start=1, count=1).rows
    draft = with_rows(DRAFT, [replace(small, outcome="justify")], start=1, replaced=["small"])
    assert draft.text == TEXT.replace("then: {outcome: warn}\ncases", "then: {outcome: justify}\ncases")
