"""The workbook of plot numbers 地块上传表: reading what people typed in a spreadsheet program, and making an empty one."""

import functools
import io
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
import yaml
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from domain.errors import InvalidData
from domain.plot.flaw import Flaws, flaws_of

FILE = Path(__file__).parent.parent / "reference" / "plot_sheet.yaml"
_TEMPLATE_ROWS = 5000
_LONGEST = 64
LARGEST_UNPACKED_MB = 200


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """One column of the table: what its head may be called, and what belongs into it."""

    key: str
    label: str
    aliases: tuple[str, ...]
    required: bool
    width: int
    hint: str


@dataclass(frozen=True, slots=True)
class SheetDefinition:
    """The table as declared in reference/plot_sheet.yaml."""

    title: str
    sheet: str
    notes_sheet: str
    largest_mb: int
    most_rows: int
    header_within: int
    columns: tuple[SheetColumn, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlotRow:
    """One row as read: its number in the worksheet, and the texts tidied up."""

    row_no: int
    plot_number: str
    district: str = ""
    quota_scope: str = ""
    fault: str = ""
    """What is wrong with the cells themselves, in words; empty if they can be read as typed."""


@dataclass(frozen=True, slots=True)
class PlotSheet:
    """A workbook as read: its rows, the heads of columns that were left out, and the name of the worksheet."""

    rows: tuple[PlotRow, ...]
    ignored: tuple[str, ...] = ()
    sheet: str = ""


@functools.cache
def definition() -> SheetDefinition:
    """What the table is."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    columns = tuple(SheetColumn(**{**row, "aliases": tuple(row["aliases"])}) for row in document["columns"])
    return SheetDefinition(**{**document, "columns": columns, "notes": tuple(document["notes"])})


def read_sheet(path: Path) -> PlotSheet:
    """Read the plots of a workbook; columns are known by their heads, in any order.

    Numbers stored as text or as numbers, spaces and full-width characters make no difference; a row whose cell is
    merged, or a formula without a value, is kept with what is wrong with it. Raises InvalidData if it is no workbook,
    has no such table or several, no rows, or too many.
    """
    try:
        _must_be_small(path)
        book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, ParseError) as error:
        raise InvalidData("文件不是可以读取的 Excel 工作簿（.xlsx），没有上传。请用模板填写后另存为 .xlsx。") from error
    try:
        return _only_table(book, path)
    except (zipfile.BadZipFile, KeyError, ParseError) as error:
        raise InvalidData("Excel 工作簿的内容不完整，读不出来，没有上传。请重新保存后再上传。") from error
    finally:
        book.close()


def _must_be_small(path: Path) -> None:
    """A workbook is a zip archive; one that unpacks to far more than any real table is not opened."""
    with zipfile.ZipFile(path) as archive:
        size_mb = sum(each.file_size for each in archive.infolist()) // (1024 * 1024)
    if size_mb > LARGEST_UNPACKED_MB:
        raise InvalidData(f"Excel 工作簿解开后有 {size_mb} MB，超过 {LARGEST_UNPACKED_MB} MB，没有上传。请只留地块表，另存后再上传。")


def _only_table(book: Any, path: Path) -> PlotSheet:
    """The one table of plots in the workbook; sheets without one, and tables without rows, are passed over."""
    found = [table for sheet in book.worksheets if (table := _table(sheet, path)) is not None]
    filled = [each for each in found if each.rows]
    if len(filled) > 1:
        names = "、".join(f"“{each.sheet}”" for each in filled)
        raise InvalidData(f"工作簿里有 {len(filled)} 张地块表（{names}），没有上传。请合成一张，其余删去。")
    if filled:
        return filled[0]
    if found:
        raise InvalidData("表头下面没有地块，没有上传。请至少填一行地块唯一编号。")
    heads = "、".join(f"“{column.label}”" for column in definition().columns if column.required)
    raise InvalidData(f"工作簿里没有找到同时有 {heads} 两列表头的表，没有上传。请下载模板，按模板填写。")


def _table(sheet: Any, path: Path) -> PlotSheet | None:
    """The table of one worksheet; None if no row near the top is its head."""
    rows = enumerate(sheet.iter_rows(values_only=True), start=1)
    for number, cells in rows:
        if number > definition().header_within:
            return None
        places = _places(cells)
        if places is not None:
            known = set(places.values())
            ignored = [_text(cell) for i, cell in enumerate(cells) if i not in known and _text(cell)]
            return PlotSheet(tuple(_rows(rows, places, flaws_of(path, sheet))), tuple(ignored), sheet.title)
    return None


def _places(cells: Sequence[Any]) -> Mapping[str, int] | None:
    """Which cell of the head row is which column; None if a required one is missing."""
    heads = {_head(cell): index for index, cell in reversed(list(enumerate(cells)))}
    found = {
        column.key: heads[name]
        for column in definition().columns
        for name in reversed([_head(each) for each in (column.label, *column.aliases)])
        if name in heads
    }
    required = {column.key for column in definition().columns if column.required}
    return found if required <= found.keys() else None


def _head(value: Any) -> str:
    """A head without what people put around it: a star for required, brackets with a note."""
    return _text(value).split("(")[0].strip("*: ").upper()


def _rows(rows: Iterable[tuple[int, Sequence[Any]]], places: Mapping[str, int], flaws: Flaws) -> Iterator[PlotRow]:
    most, count = definition().most_rows, 0
    for number, cells in rows:
        values = {key: _text(cells[index]) if index < len(cells) else "" for key, index in places.items()}
        found = {key: flaw for key, index in places.items() if (flaw := flaws.get((number, index + 1))) is not None}
        if not any(values.values()) and found.keys() <= {key for key, flaw in found.items() if flaw.is_merged}:
            continue
        count += 1
        if count > most:
            raise InvalidData(f"地块超过 {most:,} 行，没有上传。请分成几个文件上传。")
        values["plot_number"] = values["plot_number"].replace(" ", "").upper()
        yield PlotRow(number, **values, fault="；".join(f"“{_label(key)}”{flaw.reason}" for key, flaw in found.items()))


def _label(key: str) -> str:
    return next(column.label for column in definition().columns if column.key == key)


def _text(value: Any) -> str:
    """What a cell says: a whole number without its decimal point, full-width characters as usual ones."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = unicodedata.normalize("NFKC", str(value))
    return " ".join(text.replace("\u200b", "").replace("\ufeff", "").split())[:_LONGEST]


def template_workbook(districts: Sequence[str], quota_scopes: Sequence[str]) -> bytes:
    """An empty workbook with heads, choices for districts and quota scopes, and a sheet that explains how to fill it."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = definition().sheet
    for place, column in enumerate(definition().columns, start=1):
        _head_cell(sheet, place, column)
    _choices(sheet, book, {"district": districts, "quota_scope": quota_scopes})
    sheet.freeze_panes = "A2"
    _notes(book.create_sheet(definition().notes_sheet))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _head_cell(sheet: Any, place: int, column: SheetColumn) -> None:
    cell = sheet.cell(row=1, column=place, value=column.label + ("*" if column.required else ""))
    cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="D6E7EA")
    letter = cell.column_letter
    sheet.column_dimensions[letter].width = column.width
    sheet.column_dimensions[letter].number_format = "@"  # plot numbers stay text, leading zeros stay


def _choices(sheet: Any, book: Any, values: Mapping[str, Sequence[str]]) -> None:
    """Drop-down lists; the values stand on a hidden sheet, because a list in the rule itself is cut at 255 characters."""
    hidden = book.create_sheet("选项")
    hidden.sheet_state = "hidden"
    for place, column in enumerate(definition().columns, start=1):
        if not values.get(column.key):
            continue
        for row, value in enumerate(values[column.key], start=1):
            hidden.cell(row=row, column=place, value=value)
        source = hidden.cell(row=1, column=place).column_letter
        rule = DataValidation(
            type="list", formula1=f"选项!${source}$1:${source}${len(values[column.key])}", allow_blank=not column.required,
            showErrorMessage=True, errorTitle=column.label, error=f"请从列表中选择{column.label}。",
        )  # fmt: skip
        rule.add(f"{source}2:{source}{_TEMPLATE_ROWS + 1}")
        sheet.add_data_validation(rule)


def _notes(sheet: Any) -> None:
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 18, 90
    lines = [(definition().title, ""), *((column.label, column.hint) for column in definition().columns)]
    lines += [(str(number), note) for number, note in enumerate(definition().notes, start=1)]
    for number, (name, note) in enumerate(lines, start=1):
        sheet.cell(row=number, column=1, value=name).font = Font(bold=True)
        sheet.cell(row=number, column=2, value=note).alignment = Alignment(wrap_text=True, vertical="top")
