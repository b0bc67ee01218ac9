"""Workbooks of flows: with and without a head, and what is refused."""

import io

import openpyxl
import pytest

from domain.errors import InvalidData
from domain.thematic_map.flow_sheet import read_flows
from domain.thematic_map.spec import MOST_FLOWS


def book(*rows):
    made, content = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        made.active.append(row)
    made.save(content)
    return content.getvalue()


def test_a_head_is_passed_over_and_numbers_may_be_text():
    assert read_flows(book(("起点", "终点", "数值"), ("青浦区", "松江区", 1.5), ("松江区", "青浦区", "2,000"))) == "青浦区,松江区,1.5\n松江区,青浦区,2000"
    assert read_flows(book(("青浦区", "松江区", 3))) == "青浦区,松江区,3"


@pytest.mark.parametrize(("content", "says"), [
    (b"PK not a zip", "不是可以读取"), (book(), "没有起讫数据"), (book(("青浦区", "", 3)), "第 1 条"), (book(("青浦区", "松江区", 0)), "第 1 条"),
    (book(*[("青浦区", "松江区", 1)] * (MOST_FLOWS + 1)), f"最多 {MOST_FLOWS} 行"),
])  # fmt: skip
def test_what_is_no_table_of_flows_is_refused(content, says):
    with pytest.raises(InvalidData, match=says):
        read_flows(content)
