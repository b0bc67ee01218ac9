"""Excel workbooks of any size: rows are written as they come and are not kept in memory.

A text is always written as text, whatever it begins with; dates, moments (as they are read in Shanghai) and numbers keep
their type, so that a spreadsheet can sort and add them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import xlsxwriter

from domain.errors import InvalidData
from domain.format import local

Cell = str | int | float | Decimal | date | datetime | None
MOST_ROWS = 1_000_000
"""A worksheet ends at 1,048,576 rows; beyond this the list must be narrowed."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Texts that begin so are taken for formulas when a file passes through CSV or is typed over again."""
WIDTH = 14
_FORMATS = {
    "head": {"bold": True, "bottom": 1},
    "date": {"num_format": "yyyy-mm-dd"},
    "moment": {"num_format": "yyyy-mm-dd hh:mm"},
    "second": {"num_format": "yyyy-mm-dd hh:mm:ss"},
    "text": {"quote_prefix": True},
}
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


class Workbook:
    """A file of worksheets, written one after the other; whole when the `with` block ends."""

    def __init__(self, path: Path) -> None:
        self._book = xlsxwriter.Workbook(str(path), _OPTIONS)
        self._formats = {name: self._book.add_format(each) for name, each in _FORMATS.items()}
        self._open: Sheet | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()
        self._book.close()

    def sheet(
        self, title: str, heads: Sequence[str], widths: Mapping[int, int] | None = None, has_seconds: bool = False
    ) -> "Sheet":
        """Begin a worksheet with its heads; the one before cannot be written any more. Widths in characters by place."""
        self._end()
        moments = self._formats["second" if has_seconds else "moment"]
        self._open = Sheet(self._book.add_worksheet(title), {**self._formats, "moment": moments}, heads, widths or {})
        return self._open

    def _end(self) -> None:
        if self._open is not None:
            self._open.end()


class Sheet:
    """One worksheet: heads that stay in sight, a filter over all rows."""

    def __init__(self, sheet: Any, formats: Mapping[str, Any], heads: Sequence[str], widths: Mapping[int, int]) -> None:
        self._sheet, self._formats, self._columns, self.row_count = sheet, formats, len(heads), 0
        for place, head in enumerate(heads):
            sheet.set_column(place, place, widths.get(place, WIDTH))
            sheet.write_string(0, place, head, formats["head"])
        sheet.freeze_panes(1, 0)

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Write rows below those that are there. Raises InvalidData when the sheet is full."""
        for row in rows:
            if self.row_count == MOST_ROWS:
                raise InvalidData(f"超过 {MOST_ROWS} 行，一张工作表放不下，没有导出。请先缩小筛选范围。")
            self.row_count += 1
            for place, value in enumerate(row):
                self._write(place, value)

    def end(self) -> None:
        """Let the filter reach over all that was written."""
        self._sheet.autofilter(0, 0, max(self.row_count, 1), max(self._columns - 1, 0))

    def _write(self, place: int, value: Cell) -> None:
        if value is None or value == "":
            return
        if isinstance(value, datetime):
            self._sheet.write_datetime(self.row_count, place, local(value).replace(tzinfo=None), self._formats["moment"])
        elif isinstance(value, date):
            self._sheet.write_datetime(self.row_count, place, value, self._formats["date"])
        elif isinstance(value, int | float | Decimal):
            self._sheet.write_number(self.row_count, place, float(value))
        else:
            looks_like_formula = value.startswith(FORMULA_STARTS)
            self._sheet.write_string(self.row_count, place, value, self._formats["text"] if looks_like_formula else None)
