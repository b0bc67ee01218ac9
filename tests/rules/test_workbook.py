"""A rule set as a workbook and back: nothing lost, edits brought in, faults told at their cell."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

import rules
from rules.engine import Draft, EditRefused, difference, from_workbook, table_rows, to_workbook
from rules.engine.note import NOTHING_KNOWN
from rules.engine.rule_book import rule_files, tables_known
from tests.rules.test_editing import DRAFT, TEXT
from tests.rules.test_row_table import big, text_of

FOLDER = Path(rules.__file__).parent
KNOWN = tables_known(NOTHING_KNOWN, [])
FILES = rule_files([FOLDER / "sets", FOLDER / "case_types"])
TABLE = text_of("code is,number at_least", "一,3,10", "  # 二级以下", "二,,20.50", '三,"4",30')


def edited(draft: Draft, *cells: tuple[str, str, Any], then: Callable[[Any], Any] | None = None) -> Draft:
    """The draft read back from its workbook with those cells (sheet, cell, value) changed."""
    book = load_workbook(io.BytesIO(to_workbook(draft)))
    for sheet, cell, value in cells:
        book[sheet][cell] = value
    if then is not None:
        then(book)
    file = io.BytesIO()
    book.save(file)
    return from_workbook(file.getvalue(), "表.xlsx", draft.known)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_set_comes_back_character_by_character(file: Path) -> None:
    draft = Draft(file.read_text(encoding="utf-8"), str(file), KNOWN)
    back = from_workbook(to_workbook(draft), "表.xlsx", KNOWN)
    assert back.text == draft.text
    assert back.read().digest == draft.read().digest


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n"), TABLE])
def test_layout_and_comments_come_back(text: str) -> None:
    assert from_workbook(to_workbook(Draft(text)), "表.xlsx").text == text


def test_the_sheets_are_there_and_nothing_is_worked_out() -> None:
    draft = DRAFT.set_message("large", "=1+1")
    book = load_workbook(io.BytesIO(to_workbook(draft)))
    assert book.sheetnames == ["说明", "参数", "规则", "用例", "原文"]
    assert book["原文"].sheet_state == "hidden"
    heads = [cell.value for cell in book["规则"][1]]
    assert heads[:7] == ["键", "名称", "依据", "area_m2 above", "status is", "area_m2 below", "其他条件（YAML）"]
    message = book["规则"].cell(2, heads.index("告知") + 1)
    assert (message.value, message.data_type) == ("=1+1", "s") or message.data_type == "f"
    assert from_workbook(to_workbook(draft)).text == draft.text


EDITS: list[tuple[tuple, str, str]] = [
    (("参数", "D2", "0.12"), '"0.10"', '"0.12"'),
    (("参数", "D2", 0.12), '"0.10"', '"0.12"'),
    (("参数", "G2", "第八条"), "警戒比例, basis: 第一条", "警戒比例, basis: 第八条"),
    (("参数", "D4", 30), "value: 25", "value: 30"),
    (("说明", "C3", "别名"), "样例   #", "别名   #"),
    (("说明", "C6", date(2026, 12, 31)), "until: null", "until: 2026-12-31"),
    (("规则", "D2", 120), "above: 100", "above: 120"),
    (("规则", "E2", "乙"), "is: 甲\n", "is: 乙\n"),
    (("规则", "F3", "12.5"), '"10"', '"12.5"'),
    (("规则", "C3", "第九条"), "small\n    basis: 第一条", "small\n    basis: 第九条"),
    (("用例", "C2", "101"), 'area_m2: "100"', 'area_m2: "101"'),
    (("用例", "A3", "偏小"), "name: 小", "name: 偏小"),
]  # fmt: skip


@pytest.mark.parametrize("cell, before, after", EDITS)
def test_an_edited_cell_changes_its_place_and_no_other(cell: tuple, before: str, after: str) -> None:
    assert TEXT.count(before) == 1
    assert edited(DRAFT, cell).text == TEXT.replace(before, after)


def test_rows_added_removed_and_emptied_cells() -> None:
    def change(book: Any) -> None:
        book["规则"].append(["mid", "居中", "第三条", None, "乙", 50, None, "justify", "居中 {area_m2}"])
        book["规则"]["E2"] = None
        book["用例"].delete_rows(3)
        book["参数"].append(["ratio", "2026-07-01", None, "0.2"])

    draft = edited(DRAFT, then=change)
    assert [(change.kind, change.sentence) for change in difference(DRAFT.read(), draft.read())] == [
        ("parameter", "警戒比例自 2026-07-01 起为 0.2"),
        ("condition", "规则「面积过大」的条件由「面积高于 100.00 m²，且状态是甲」改为「面积高于 100.00 m²」"),
        ("rule", "增加规则：「居中」状态是乙，且面积低于 50.00 m²的，须说明，告知「居中 【面积】」（第三条）"),
        ("case", "删去用例：「小」应得 预警"),
    ]


def test_rows_of_a_large_table_come_back() -> None:
    draft = edited(Draft(TABLE), ("表 prices", "C3", 21), then=lambda book: book["表 prices"].append(["二", None, None]))
    assert draft.text == TABLE.replace("二,,20.50", "二,,21").replace('三,"4",30\n', '三,"4",30\n      二,,\n')


FAULTS: list[tuple[tuple, str, str]] = [
    (("参数", "D2", "一成"), "参数!D2", "应是十进制数"),
    (("参数", "B3", "去年"), "参数!B3", "不是日期"),
    (("参数", "F2", "m2"), "参数!F2", "单位不能在表格里改"),
    (("规则", "D2", "很大"), "规则!D2", "应是十进制数"),
    (("规则", "E2", "丁"), "规则!E2", "不在代码表内"),
    (("规则", "H3", "halt"), "规则!H3", "没有结论 halt"),
    (("规则", "A3", "large"), "规则!A3", "键重复"),
    (("规则", "A1", "代号"), "规则!A1", "栏目应是「键」"),
    (("用例", "B2", "昨天"), "用例!B2", "不是日期"),
    (("用例", "C2", "多"), "用例!C2", "应是十进制数"),
    (("用例", "E2", "{outcome: halt}"), "用例!E2", "没有结论 halt"),
    (("说明", "C2", "other"), "说明!C2", "不能在表格里改"),
]  # fmt: skip


@pytest.mark.parametrize("cell, place, message", FAULTS)
def test_a_bad_cell_is_told_with_sheet_row_and_column(cell: tuple, place: str, message: str) -> None:
    with pytest.raises(EditRefused) as refused:
        edited(DRAFT, cell)
    (fault,) = refused.value.faults
    assert (fault.file, fault.key) == ("表.xlsx", place)
    assert str(fault.line) in place
    assert message in fault.message


def test_a_bad_row_of_a_large_table_is_told_at_its_cell() -> None:
    with pytest.raises(EditRefused, match="表 prices!A3: .*不在代码表内"):
        edited(Draft(TABLE), ("表 prices", "A3", "九"))


def test_what_is_no_workbook_of_ours_is_refused() -> None:
    with pytest.raises(EditRefused, match="不是能读的 xlsx|已损坏"):
        from_workbook(b"PK nothing")
    with pytest.raises(EditRefused, match="没有工作表「原文」"):
        edited(DRAFT, then=lambda book: book.remove(book["原文"]))
    with pytest.raises(EditRefused, match="没有工作表「规则」"):
        edited(DRAFT, then=lambda book: book.remove(book["规则"]))


def test_single_rows_of_a_table_are_edited_as_lines() -> None:
    draft = Draft(TABLE)
    assert draft.set_table_cells("prices", 2, {"price": "21"}).text == TABLE.replace("二,,20.50", "二,,21")
    assert draft.remove_table_row("prices", 1).text == TABLE.replace("      一,3,10\n", "")
    assert draft.add_table_row("prices", {"code is": "一", "price": "5"}, 1).text == TABLE.replace("      一,3,10\n", "      一,,5\n      一,3,10\n")
    assert [row[0] for row in draft.move_table_row("prices", 3, 1).table_rows("prices")[1]] == ["三", "一", "二"]
    with pytest.raises(EditRefused, match="只有 3 行，没有第 9 行"):
        draft.set_table_cells("prices", 9, {"price": "1"})
    with pytest.raises(EditRefused, match=r"rows\[2\].price: .*应是十进制数"):
        draft.set_table_cells("prices", 2, {"price": "贵"})


def test_ten_thousand_rows_go_round_and_are_read_by_page() -> None:
    draft = Draft(big(10_000), "big.yaml")
    assert from_workbook(to_workbook(draft)).text == draft.text
    rules_read = draft.read()
    page = table_rows(rules_read, "prices", start=5000, count=50)
    found = table_rows(rules_read, "prices", count=50, search="C77 300")
    assert (page["total"], page["rows"][0]["number"], len(page["rows"])) == (10_000, 5001, 50)
    assert [row["cells"] for row in found["rows"]][:1] == [["C77", "200", "300", "772.5"]]
