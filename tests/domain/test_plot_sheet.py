"""The workbook of plot numbers: what people type, and what the empty template offers."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from domain import plot
from domain.errors import InvalidData
from tests.domain.plot_layer import read, workbook


@pytest.mark.function("LAND-060", "plots_matched")
def test_columns_are_known_by_their_heads_in_any_order_and_others_are_named_as_left_out(tmp_path):
    content = workbook(
        [("备注一", "青浦区", "GD310118-000001"), ("", "青浦区", "GD310118-000002")],
        head=("备注", "行政区（必填）", "＊地块唯一编号"), above=[("2026 年度地块（样例）",), ()],
    )
    sheet = read(content, tmp_path)
    assert [(row.row_no, row.plot_number, row.district) for row in sheet.rows] == [
        (4, "GD310118-000001", "青浦区"), (5, "GD310118-000002", "青浦区"),
    ]
    assert sheet.ignored == ("备注",)


@pytest.mark.parametrize(("typed", "read_as"), [
    (" GD310118-000001 ", "GD310118-000001"), ("ＧＤ３１０１１８－０００００１", "GD310118-000001"), ("gd310118-000001", "GD310118-000001"),
    (310118000001, "310118000001"), (310118000001.0, "310118000001"), ("GD310118-\u200b000001", "GD310118-000001"),
])
def test_what_was_typed_is_tidied_up(tmp_path, typed, read_as):
    [row] = read(workbook([(typed, 310118)]), tmp_path).rows
    assert (row.plot_number, row.district) == (read_as, "310118")


def test_empty_rows_are_passed_and_a_row_without_number_is_kept_to_be_refused(tmp_path):
    sheet = read(workbook([("GD1", "青浦区"), (None, None), (None, "青浦区")]), tmp_path)
    assert [row.plot_number for row in sheet.rows] == ["GD1", ""]


@pytest.mark.parametrize(("content", "message"), [
    (b"not a workbook", "不是可以读取的 Excel"),
    (workbook([("GD1",)], head=("地块唯一编号",)), "没有找到同时有"),
    (workbook([]), "表头下面没有地块"),
    (workbook([(f"GD{n}", "青浦区") for n in range(5001)]), "超过 5,000 行"),
])
def test_a_file_that_is_no_such_table_is_refused(tmp_path, content, message):
    with pytest.raises(InvalidData, match=message):
        read(content, tmp_path)


@pytest.mark.function("LAND-059", "filled_template_uploaded")
def test_the_template_can_be_filled_in_and_read_back(tmp_path):
    content = plot.template_workbook(["青浦区", "浦东新区"], ["市级指标", "区级指标"])
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book["地块"]
    assert [cell.value for cell in sheet[1]] == ["地块唯一编号*", "行政区*", "指标范围"]
    assert "填写说明" in book.sheetnames
    assert {str(rule.sqref).split(":")[0] for rule in sheet.data_validations.dataValidation} == {"B2", "C2"}
    sheet.append(["GD310118-000001", "青浦区", "市级指标"])
    buffer = io.BytesIO()
    book.save(buffer)
    assert read(buffer.getvalue(), tmp_path).rows[0].quota_scope == "市级指标"


SHEETS = Path(__file__).parent.parent / "data" / "plots"


@pytest.mark.function("LAND-059", "filled_template_uploaded")
@pytest.mark.function("LAND-060", "plots_matched")
def test_a_table_saved_by_a_spreadsheet_program_is_read_as_people_typed_it():
    sheet = plot.read_sheet(SHEETS / "typed.xlsx")
    assert [(row.row_no, row.plot_number, row.district, row.quota_scope, row.fault) for row in sheet.rows] == [
        (4, "GD310118-000001", "青浦区", "市级指标", ""), (5, "GD310118-000002", "310118", "", ""),
        (7, "GD310118-000003", "青浦区", "区级指标", ""),
    ]
    assert (sheet.sheet, sheet.ignored) == ("地块", ("序号", "备注"))


def test_formulas_count_by_the_values_that_the_file_holds():
    rows = plot.read_sheet(SHEETS / "formulas.xlsx").rows
    assert [(row.plot_number, row.district, row.fault) for row in rows] == [
        ("GD310118-000001", "青浦区", ""), ("GD310118-000002", "青浦区", ""),
    ]


@pytest.mark.parametrize(("name", "faults"), [
    ("formula_errors.xlsx", {2: "", 3: "“地块唯一编号”这一格的值是 #N/A，请改正公式或改成文字"}),
    ("merged.xlsx", {2: "", 3: "“行政区”这一格与第 2 行合并，请取消合并，逐行填写", 4: "“行政区”这一格与第 2 行合并，请取消合并，逐行填写"}),
])
def test_a_cell_that_cannot_be_taken_as_typed_says_why(name, faults):
    assert {row.row_no: row.fault for row in plot.read_sheet(SHEETS / name).rows} == faults


def test_a_formula_that_was_never_counted_is_not_passed_over_as_an_empty_row(tmp_path):
    content = workbook([("GD1", "青浦区"), ('="GD"&2', '="青浦区"'), ("GD3", "青浦区")])
    faults = {row.row_no: row.fault for row in read(content, tmp_path).rows}
    assert faults[2] == faults[4] == ""
    assert "“地块唯一编号”这一格是公式，文件里没有算出的值" in faults[3] and "“行政区”这一格是公式" in faults[3]


def test_a_merged_cell_below_the_last_row_is_no_row(tmp_path):
    book = openpyxl.load_workbook(io.BytesIO(workbook([("GD1", "青浦区")])))
    book.active.merge_cells("B2:B9")
    book.save(tmp_path / "book.xlsx")
    assert [row.fault for row in plot.read_sheet(tmp_path / "book.xlsx").rows] == [""]


def test_two_tables_are_not_chosen_between():
    with pytest.raises(InvalidData, match="有 2 张地块表（“练塘镇”、“金泽镇”），没有上传。请合成一张"):
        plot.read_sheet(SHEETS / "two_tables.xlsx")


def test_a_second_table_without_rows_does_no_harm(tmp_path):
    book = openpyxl.load_workbook(io.BytesIO(workbook([])))
    book.create_sheet("青浦").append(["地块唯一编号", "行政区"])
    book["青浦"].append(["GD1", "青浦区"])
    book.save(tmp_path / "book.xlsx")
    assert plot.read_sheet(tmp_path / "book.xlsx").sheet == "青浦"


def test_a_workbook_that_unpacks_to_far_more_than_a_table_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr("domain.plot.sheet.LARGEST_UNPACKED_MB", 1)
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (3 * 1024 * 1024))
    with pytest.raises(InvalidData, match="解开后有 3 MB，超过 1 MB"):
        plot.read_sheet(tmp_path / "book.xlsx")
