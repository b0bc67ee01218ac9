"""The workbook of plot numbers: what people type, and what the empty template offers."""

import io

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
