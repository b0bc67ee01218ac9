"""Workbooks are written row by row; every cell keeps its type, and a full sheet is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest

from domain import workbook
from domain.errors import InvalidData
from domain.workbook import Workbook


def test_cells_keep_their_type(tmp_path):
    moment = datetime(2026, 11, 24, 1, 20, 30, tzinfo=UTC)
    with Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.sheet("甲", ("编号", "面积", "日期", "时刻", "说明"), {4: 40})
        sheet.add([(7, Decimal("12.50"), date(2026, 11, 24), moment, "文字"), (8, None, None, None, "")])
    read = openpyxl.load_workbook(tmp_path / "a.xlsx")["甲"]
    number, area, day, at, words = (cell.value for cell in read[2])
    assert (number, area, words) == (7, 12.5, "文字")
    assert (day.isoformat(), at.isoformat()) == ("2026-11-24T00:00:00", "2026-11-24T09:20:30")
    assert [cell.value for cell in read[3]] == [8, None, None, None, None]
    assert read.freeze_panes == "A2"
    assert read.auto_filter.ref == "A1:E3"
    assert (read.column_dimensions["A"].width, read.column_dimensions["E"].width) == (pytest.approx(14.71, abs=0.01), pytest.approx(40.71, abs=0.01))


@pytest.mark.parametrize("text", ["=1+1", "+86", "-5", "@name", "\tx"])
def test_a_text_that_looks_like_a_formula_stays_a_text(tmp_path, text):
    with Workbook(tmp_path / "a.xlsx") as book:
        book.sheet("甲", ("说明",)).add([(text,)])
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx")["甲"]["A2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)


def test_sheets_follow_each_other_and_count_their_own_rows(tmp_path):
    with Workbook(tmp_path / "a.xlsx") as book:
        first = book.sheet("甲", ("一",))
        first.add((str(n),) for n in range(3))
        second = book.sheet("乙", ("一", "二"), has_seconds=True)
        second.add([(datetime(2026, 1, 1, tzinfo=UTC),)])
    read = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert (first.row_count, second.row_count) == (3, 1)
    assert read.sheetnames == ["甲", "乙"]
    assert read["甲"].max_row == 4
    assert read["乙"]["A2"].number_format == "yyyy-mm-dd hh:mm:ss"


def test_a_full_sheet_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    with Workbook(tmp_path / "a.xlsx") as book, pytest.raises(InvalidData, match="超过 2 行"):
        book.sheet("甲", ("一",)).add([("1",), ("2",), ("3",)])
