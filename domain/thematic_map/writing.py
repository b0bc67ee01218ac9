"""A map as files: PDF and PNG from the one SVG, the SVG itself, and the tables behind it as a workbook."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import xlsxwriter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from domain.document.rendering import FOLDER
from domain.errors import OutsideSystemDown
from domain.thematic_map.content import Cell, Content, Table
from domain.thematic_map.making import ThematicMap
from domain.thematic_map.sheet import Sheet
from domain.thematic_map.spec import number_words
from domain.workbook import FORMULA_STARTS

STYLE_SHEET = "thematic_map.css"
PNG_DPI = {"a4": 200, "a3": 150}
PNG_SECONDS = 60
FORMATS = {"pdf": "application/pdf", "png": "image/png", "svg": "image/svg+xml", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A table with its cells in words, and which columns are numbers."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: Sequence[str]
    numbers: frozenset[int]


def in_words(table: Table) -> WrittenTable:
    """The table as pages and documents write it."""
    numbers = frozenset(place for place, decimals in enumerate(table.decimals) if decimals is not None)
    rows = [[_words(cell, place, table) for place, cell in enumerate(row)] for row in table.rows]
    return WrittenTable(table.title, table.heads, rows, [_words(cell, place, table) for place, cell in enumerate(table.total)], numbers)


def _words(cell: Cell, place: int, table: Table) -> str:
    decimals = table.decimals[place] if place < len(table.decimals) else None
    return number_words(Decimal(cell), decimals or 0) if isinstance(cell, int | Decimal) else cell


def written(made: ThematicMap, kind: str) -> bytes:
    """The map as a file of one of `FORMATS`. Raises OutsideSystemDown where PNG cannot be made."""
    if kind == "xlsx":
        return workbook(made.content, made.tables)
    sheet = made.sheet()
    if kind == "svg":
        return sheet.svg.encode()
    return written_sheet(sheet, made.content, made.tables, made.spec.paper, made.spec.orientation, kind)


def written_sheet(sheet: Sheet, content: Content, tables: Sequence[Table], paper: str, orientation: str, kind: str = "pdf") -> bytes:
    """A sheet as PDF with the tables behind it, or its first page as PNG."""
    context = {
        "title": content.title, "maker": content.maker, "svg": Markup(sheet.svg), "paper": paper, "orientation": orientation,
        "source": content.source, "tables": [] if kind == "png" else [in_words(table) for table in tables],
    }
    pdf_bytes = _pdf(context)
    return _png(pdf_bytes, PNG_DPI[paper]) if kind == "png" else pdf_bytes


def _pdf(context: Mapping[str, Any]) -> bytes:
    from domain.document import (
        pdf,  # loaded with the first document: it takes a third of the start of the portal
    )

    page = _environment().get_template("thematic_map.html").render(context)
    identifier = hashlib.new("sm3", page.encode()).hexdigest()[:32].encode()
    return pdf.written(page, FOLDER / STYLE_SHEET, identifier)


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _png(pdf_bytes: bytes, dpi: int) -> bytes:
    """The first page as a picture, by poppler's pdftoppm: what is printed and what is pasted into a report are one drawing."""
    program = shutil.which("pdftoppm")
    if program is None:
        raise OutsideSystemDown("本机没有 pdftoppm（poppler-utils），不能导出 PNG。请改用 PDF 或 SVG，并请运维人员安装 poppler-utils。")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "sheet.pdf"
        source.write_bytes(pdf_bytes)
        command = [program, "-png", "-r", str(dpi), "-singlefile", "-f", "1", "-l", "1", str(source), str(Path(folder) / "sheet")]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=PNG_SECONDS)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise OutsideSystemDown(f"PNG 没有做成（{type(error).__name__}）。请重试，或改用 PDF、SVG。") from error
        return (Path(folder) / "sheet.png").read_bytes()


def workbook(content: Content, tables: Sequence[Table]) -> bytes:
    """The tables of a map, one on each sheet, and a sheet that says what they are of."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.xlsx"
        book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False})
        bold, text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"quote_prefix": True})
        for table in tables:
            _write_table(book.add_worksheet(_sheet_name(table.title)), table, bold, text, book)
        about = book.add_worksheet("说明")
        for row, line in enumerate([content.title, content.subtitle, *content.source, *content.notes, content.maker]):
            about.write_string(row, 0, line)
        about.set_column(0, 0, 90)
        book.close()
        return path.read_bytes()


def _sheet_name(title: str) -> str:
    return "".join("、" if each in "[]:*?/\\" else each for each in title)[:31]


def _write_table(sheet: Any, table: Table, bold: Any, text: Any, book: Any) -> None:
    for place, head in enumerate(table.heads):
        sheet.write_string(0, place, head, bold)
        sheet.set_column(place, place, 28 if place == 0 else 18)
    formats = [book.add_format({"num_format": "#,##0" + ("." + "0" * decimals if decimals else "")}) if decimals is not None else None for decimals in table.decimals]
    for number, row in enumerate([*table.rows, *([table.total] if table.total else [])], start=1):
        for place, cell in enumerate(row):
            if isinstance(cell, int | Decimal):
                sheet.write_number(number, place, float(cell), formats[place])
            elif cell:
                sheet.write_string(number, place, cell, text if cell.startswith(FORMULA_STARTS) else None)
    sheet.freeze_panes(1, 0)
