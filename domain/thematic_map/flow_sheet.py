"""A table of flows from a workbook: two names and a number in the first three columns of its first sheet."""

import io
import zipfile
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from domain.errors import InvalidData
from domain.thematic_map.spec import MOST_FLOWS

LARGEST_MB, LARGEST_UNPACKED_MB = 2, 50


def read_flows(content: bytes) -> str:
    """The lines “from,to,number” of a workbook; a first row without a number is its head. Raises InvalidData."""
    rows = [row for row in _rows(content) if any(each not in (None, "") for each in row)]
    if rows and _number(rows[0][2]) is None:
        rows = rows[1:]
    if not rows:
        raise InvalidData("工作簿的第一张表里没有起讫数据。请按“起点、终点、数值”三列填写。", {"file": "没有数据"})
    if len(rows) > MOST_FLOWS:
        raise InvalidData(f"起讫表最多 {MOST_FLOWS} 行，现有 {len(rows)} 行。请合并或删减。", {"file": f"最多 {MOST_FLOWS} 行"})
    return "\n".join(_line(number, row) for number, row in enumerate(rows, start=1))


def _line(number: int, row: tuple[Any, Any, Any]) -> str:
    origin, destination = (str(each or "").strip().replace(",", " ") for each in row[:2])
    value = _number(row[2])
    if not origin or not destination or value is None or value <= 0:
        raise InvalidData(f"第 {number} 条应为起点、终点和大于 0 的数值。请改正后再上传。", {"file": f"第 {number} 条读不出来"})
    return f"{origin},{destination},{value}"


def _number(value: Any) -> Decimal | None:
    try:
        found = Decimal(str(value).replace(",", ""))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _rows(content: bytes) -> list[tuple[Any, Any, Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(each.file_size for each in archive.infolist()) > LARGEST_UNPACKED_MB * 1024 * 1024:
                raise InvalidData("工作簿解开后太大，没有读取。请只留起讫表，另存后再上传。", {"file": "文件太大"})
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        return [(*row, None, None, None)[:3] for row in sheet.iter_rows(max_row=MOST_FLOWS + 200, max_col=3, values_only=True)]
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, ParseError, IndexError) as error:
        raise InvalidData("文件不是可以读取的 Excel 工作簿（.xlsx）。请另存为 .xlsx 后再上传。", {"file": "不是 .xlsx 工作簿"}) from error
