"""A rule set as a workbook and back: what is not changed in a cell comes back character by character.

The sheet 原文 holds the text itself. Reading a workbook starts from that text, compares every cell with what the text
would show there, and makes an edit only where they differ.
"""

import io
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from .document import UnreadableDocument, parse_document, read_document
from .editing import Draft, EditRefused
from .editing.writing import flow
from .fault import Fault
from .form import FormRow, Opaque, RowTest, form, with_rows
from .note import NOTHING_KNOWN, Known
from .row_table import RowTable
from .row_table_reader import texts_of
from .rule_set import RuleSet
from .value import Declaration, plain

HEAD_FILL, EDIT_FILL = PatternFill("solid", fgColor="DDE6EE"), PatternFill("solid", fgColor="FFF8DC")
MARK, RETURN_MARK, RETURN = "|", "/", "\r"
Lines = list[list[str]]


@cache
def _names() -> Mapping[str, Any]:
    return read_document(Path(__file__).with_name("workbook_sheets.yaml"))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its heads, its lines of texts, and for each head what it is about (for reading it back)."""

    title: str
    heads: list[str]
    keys: list[Any]
    lines: Lines


def sheets(draft: Draft) -> list[Sheet]:
    """What the workbook of a draft shows, the source left out. Raises Unread."""
    rules, written = draft.read(), parse_document(draft.text)
    tables = [_table_sheet(table) for table in rules.tables.values()]
    return [_about(written), _parameters(rules, written), _rules(draft, rules), _cases(rules, written), *tables]


def _about(written: Mapping[str, Any]) -> Sheet:
    lines = []
    for place, label in _names()["about_rows"].items():
        value: Any = written
        for step in place.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        lines.append([label, place, shown(value)])
    return Sheet(_names()["about"], list(_names()["about_heads"]), ["label", "place", "value"], lines)


def _parameters(rules: RuleSet, written: Mapping[str, Any]) -> Sheet:
    lines = []
    for name, parameter in rules.parameters.items():
        row = written["parameters"][name]
        told = [parameter.declaration.label, shown(row.get("unit")), shown(row.get("basis"))]
        dated = [("", row["value"])] if "value" in row else [(shown(one["from"]), one["value"]) for one in row.get("values", ())]
        lines += [[name, start, "", shown(value), *told] for start, value in dated]
        special = next(iter(row["by"].values())) if row.get("by") else {}
        lines += [[name, "", code, shown(value), *told] for code, value in special.items()]
    return Sheet(_names()["parameters"], list(_names()["parameter_heads"]), ["name", "start", "code", "value", "label", "unit", "basis"], lines)


def _rules(draft: Draft, rules: RuleSet) -> Sheet:
    rows, heads = form(draft).rows, _names()["rule_heads"]
    tests = list(dict.fromkeys(_test_key(test) for row in rows for test in row.tests if isinstance(test, RowTest)))
    values = list(rules.kind.values)
    keys = ["key", "label", "basis", *tests, "rest", "outcome", "message", *(("value", name) for name in values), "sets", "note"]
    titles = [heads[key] if isinstance(key, str) else rules.kind.values[key[1]] if key[0] == "value" else " ".join(key) for key in keys]
    return Sheet(_names()["rules"], titles, keys, [_rule_line(row, keys) for row in rows])


def _test_key(test: RowTest) -> tuple[str, str]:
    """The column of a comparison: its subject as it is written, and its operator."""
    ((kind, subject),) = test.subject.items()
    return (subject if kind == "fact" else flow({kind: subject}), test.operator)


def _rule_line(row: FormRow, keys: Sequence[Any]) -> list[str]:
    held: dict[Any, str] = {}
    rest = []
    for test in row.tests:
        if isinstance(test, RowTest) and _test_key(test) not in held:
            held[_test_key(test)] = shown(test.raw()[test.operator])
        else:
            rest.append(test.raw())
    held |= {"key": row.key, "label": row.label, "basis": row.basis, "rest": flow(rest) if rest else "", "outcome": shown(row.outcome)}
    held |= {"message": shown(row.message), "sets": shown(row.sets), "note": shown(row.note)}
    held |= {("value", name): shown(value) for name, value in row.values.items()}
    return [held.get(key, "") for key in keys]


def _cases(rules: RuleSet, written: Mapping[str, Any]) -> Sheet:
    heads = _names()["case_heads"]
    keys = ["name", "on", *(("given", name) for name in rules.facts), "expect", "why"]
    titles = [heads[key] if isinstance(key, str) else key[1] for key in keys]
    lines = []
    for case in written.get("cases") or ():
        held = {("given", name): "null" if value is None else shown(value) for name, value in case["given"].items()}
        held |= {"name": shown(case["name"]), "on": shown(case["on"]), "expect": flow(case["expect"]), "why": shown(case.get("why"))}
        lines.append([held.get(key, "") for key in keys])
    return Sheet(_names()["cases"], titles, keys, lines)


def _table_sheet(table: RowTable) -> Sheet:
    keys = [ask.title for ask in table.asks] + list(table.gives)
    return Sheet(_names()["table"].format(name=table.name), keys, keys, list(texts_of(table)))


def shown(value: Any) -> str:
    """A written value as a cell shows it: words and numbers bare, lists and references as YAML on one line."""
    if value is None:
        return ""
    if isinstance(value, Mapping | list | tuple):
        return flow(value)
    return str(value).lower() if isinstance(value, bool) else str(plain(value))


def to_workbook(draft: Draft) -> bytes:
    """The draft as an xlsx file. Raises Unread when the draft cannot be read."""
    book = Workbook(write_only=False)
    book.remove(book.active)
    for sheet in sheets(draft):
        _write(book.create_sheet(sheet.title[:31]), sheet)
    book[_names()["about"]].append([_names()["how"]])
    source = book.create_sheet(_names()["source"])
    for number, line in enumerate(draft.text.split("\n"), 1):
        # The mark keeps empty lines and blanks at either end from being lost on the way.
        _put(source, number, 1, f"{MARK}{line.removesuffix(RETURN)}{RETURN_MARK if line.endswith(RETURN) else MARK}")
    source.sheet_state = "hidden"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _write(page: Any, sheet: Sheet) -> None:
    for column, head in enumerate(sheet.heads, 1):
        _put(page, 1, column, head)
        page.cell(1, column).fill, page.cell(1, column).font = HEAD_FILL, Font(bold=True)
        page.column_dimensions[get_column_letter(column)].width = 18
    page.freeze_panes = "A2"
    style = _edited_style(page)
    for number, line in enumerate(sheet.lines, 2):
        for column, text in enumerate(line, 1):
            if text != "":
                _put(page, number, column, text, style)


def _edited_style(page: Any) -> Any:
    """The style of cells to edit, made once: ten thousand rows share it."""
    cell = page.cell(2, 1)
    cell.fill, cell.number_format = EDIT_FILL, "@"
    return copy(cell._style)


def _put(page: Any, row: int, column: int, text: str, style: Any = None) -> None:
    """A text as a text: a number keeps its digits, and nothing that begins with = is worked out."""
    cell = page.cell(row, column)
    cell.value = text
    cell.data_type = "s"
    if style is not None:
        cell._style = style


def from_workbook(
    content: bytes, file: str = "workbook.xlsx", known: Known = NOTHING_KNOWN, made_of: str | None = None
) -> Draft:
    """The draft that a workbook holds. Raises EditRefused whose faults name the sheet, row and column of each bad cell.

    With `made_of` also when the workbook was made of another text, whose later changes it would undo.
    """
    try:
        book = load_workbook(io.BytesIO(content), read_only=True)
    except (InvalidFileException, KeyError, ValueError, OSError) as error:
        raise EditRefused([Fault(file, 1, "", f"不是能读的 xlsx 文件（{error}）。请用导出的表格")]) from error
    except Exception as error:
        raise EditRefused([Fault(file, 1, "", f"表格文件已损坏（{type(error).__name__}）。请重新导出")]) from error
    source = _names()["source"]
    if source not in book.sheetnames:
        raise EditRefused([Fault(file, 1, source, f"没有工作表「{source}」，无法还原。请用导出的表格改，不要删去这一张")])
    lines = [cell_text(row[0]) for row in book[source].iter_rows(min_col=1, max_col=1, values_only=True)]
    text = "\n".join(line[1:-1] + (RETURN if line.endswith(RETURN_MARK) else "") for line in lines)
    if made_of is not None and text != made_of:
        raise EditRefused([Fault(file, 1, source, "这份表格下载之后，规则又改过，直接并入会把那些改动抹掉。请重新下载表格再改")])
    return WorkbookReader(book, Draft(text, file, known), file).draft()


def cell_text(value: Any) -> str:
    """A cell's value as text: whole numbers without .0, days as 2026-01-31."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        number = Decimal(repr(value))
        return f"{number.to_integral_value() if number == number.to_integral_value() else number:f}"
    return str(value)


class WorkbookReader:
    """One reading of one workbook: sheet by sheet, each compared with what its source would show."""

    def __init__(self, book: Any, base: Draft, file: str) -> None:
        self.book, self.base, self.file = book, base, file
        self.before = {sheet.title: sheet for sheet in sheets(base)}
        self.names = base.read().names

    def draft(self) -> Draft:
        """The source with every changed cell brought in."""
        draft = self._read_about(self.base)
        draft = self._read_parameters(draft)
        draft = self._read_rules(draft)
        draft = self._read_cases(draft)
        for name in self.base.read().tables:
            draft = self._read_table(draft, name)
        return draft

    def _lines(self, sheet: Sheet) -> list[tuple[int, list[str]]]:
        """(row in the sheet, texts) of the lines that are not empty. Raises EditRefused when sheet or heads are not as exported."""
        if sheet.title not in self.book.sheetnames:
            raise self._fault(sheet.title, 1, "", f"没有工作表「{sheet.title}」。请用导出的表格")
        rows = self.book[sheet.title].iter_rows(values_only=True)
        heads = [cell_text(value) for value in next(rows, ())][: len(sheet.heads)]
        if heads != sheet.heads:
            wrong = next(index for index in range(len(sheet.heads)) if heads[index : index + 1] != sheet.heads[index : index + 1])
            raise self._fault(sheet.title, 1, get_column_letter(wrong + 1), f"栏目应是「{sheet.heads[wrong]}」。不要改动或调换栏目")
        found = []
        for number, row in enumerate(rows, 2):
            texts = [cell_text(value) for value in row[: len(sheet.heads)]]
            if any(texts):
                found.append((number, texts + [""] * (len(sheet.heads) - len(texts))))
        return found

    def _fault(self, sheet: str, row: int, column: str, message: str) -> EditRefused:
        return EditRefused([Fault(self.file, row, f"{sheet}!{column}{row}", message)])

    def _placed(self, refused: Exception, sheet: Sheet, row: int, key: Any = None) -> EditRefused:
        """The refusal told at a cell of the sheet."""
        column = get_column_letter(sheet.keys.index(key) + 1) if key in sheet.keys else ""
        faults = getattr(refused, "faults", None)
        messages = [fault.message for fault in faults] if faults else [str(refused)]
        return self._fault(sheet.title, row, column, "；".join(messages))

    def _read_about(self, draft: Draft) -> Draft:
        sheet = self.before[_names()["about"]]
        before = {line[1]: line[2] for line in sheet.lines}
        for row, (_, place, text) in self._lines(sheet):
            if place not in before or text == before[place]:
                continue
            if place in ("key", "kind"):
                raise self._fault(sheet.title, row, "C", f"{place} 不能在表格里改")
            value: Any = text
            if place.startswith("edition."):
                value = None if text == "" else self._day(text, sheet, row, "value")
            try:
                draft = draft.set_note(text) if place == "note" else draft.set(place, value)
            except EditRefused as refused:
                raise self._placed(refused, sheet, row, "value") from refused
        return draft

    def _day(self, text: str, sheet: Sheet, row: int, key: Any) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise self._placed(ValueError(f"「{text}」不是日期，应写成 2026-01-31"), sheet, row, key) from error

    def _read_parameters(self, draft: Draft) -> Draft:
        sheet = self.before[_names()["parameters"]]
        before = {tuple(line[:3]): line for line in sheet.lines}
        met = set()
        for row, line in self._lines(sheet):
            name, start, code, value, label, _, basis = line
            met.add((name, start, code))
            old = before.get((name, start, code), ["", "", "", "", "", "", ""])
            if line[5] != old[5] and old[5]:
                raise self._fault(sheet.title, row, "F", "单位不能在表格里改")
            day = self._day(start, sheet, row, "start") if start else None
            try:
                if value != old[3]:
                    sort = self.names.get(name)
                    typed = self._typed(value, sort) if sort is not None else value
                    draft = draft.set_parameter(name, typed, day, code or None)
                for aspect, text, was in (("label", label, old[4]), ("basis", basis, old[6])):
                    if text != was and old[0]:
                        draft = draft.set(("parameters", name, aspect), text)
            except EditRefused as refused:
                raise self._placed(refused, sheet, row, "value") from refused
        for name, start, code in before.keys() - met:
            draft = self._parameter_gone(draft, sheet, name, start, code)
        return draft

    def _parameter_gone(self, draft: Draft, sheet: Sheet, name: str, start: str, code: str) -> Draft:
        try:
            row = draft.value(("parameters", name))
            if code:
                return draft.remove(("parameters", name, "by", next(iter(row["by"])), code))
            days = [shown(dated["from"]) for dated in row.get("values", ())]
            return draft.remove(("parameters", name, "values", days.index(start))) if start in days and len(days) > 1 else draft.remove(("parameters", name))
        except EditRefused as refused:
            raise self._placed(refused, sheet, 1) from refused

    def _typed(self, text: str, sort: Declaration | None) -> Any:
        """A cell as the raw value of a fact's type: words and numbers as text, references and lists from YAML."""
        if text[:1] in ("{", "[") or text == "null":
            return plain(parse_document(f"v: {text}")["v"])
        if sort is not None and sort.type == "boolean":
            return {"true": True, "false": False}.get(text, text)
        return text

    def _read_rules(self, draft: Draft) -> Draft:
        sheet = self.before[_names()["rules"]]
        lines = self._lines(sheet)
        if [line for _, line in lines] == sheet.lines:
            return draft
        rows = {row.key: row for row in form(draft).rows}
        before = {line[0]: line for line in sheet.lines}
        made = [self._rule(sheet, row, line, before.get(line[0]), rows.get(line[0])) for row, line in lines]
        numbers = {line[0]: row for row, line in lines}
        if len(numbers) != len(lines):
            repeated = next(row for index, (row, line) in enumerate(lines) if line[0] in [one[0] for _, one in lines[:index]])
            raise self._fault(sheet.title, repeated, "A", "规则的键重复。每条规则一个键")
        try:
            return with_rows(draft, made)
        except EditRefused as refused:
            raise EditRefused([self._at_rule(fault, sheet, numbers) for fault in refused.faults]) from refused

    def _at_rule(self, fault: Fault, sheet: Sheet, numbers: Mapping[str, int]) -> Fault:
        """A fault of the text told at its cell."""
        steps = fault.key.split(".")
        row = numbers.get(steps[1] if len(steps) > 1 else "", 1)
        key: Any = next((key for key in sheet.keys if isinstance(key, tuple) and key[1] == steps[-1]), steps[-1])
        column = get_column_letter(sheet.keys.index(key) + 1) if key in sheet.keys else ""
        return Fault(self.file, row, f"{sheet.title}!{column}{row}", fault.message)

    def _rule(self, sheet: Sheet, row: int, line: list[str], before: list[str] | None, old: FormRow | None) -> FormRow:
        cells = dict(zip(sheet.keys, line, strict=True))
        was = dict(zip(sheet.keys, before, strict=True)) if before else dict.fromkeys(sheet.keys, "")
        base = old or FormRow(None, cells["key"], "", "", (), None)
        try:
            values = {
                key[1]: base.values[key[1]] if text == was[key] and key[1] in base.values else self._typed(text, None)
                for key, text in cells.items() if isinstance(key, tuple) and key[0] == "value" and text != ""
            }  # fmt: skip
            sets = base.sets if cells["sets"] == was["sets"] else self._typed(cells["sets"], None) or None
            return replace(
                base, key=cells["key"], label=cells["label"] or cells["key"], basis=cells["basis"], tests=self._tests(sheet, cells, was, base),
                outcome=cells["outcome"] or None, message=cells["message"] or None, values=values, sets=sets, note=cells["note"] or None,
            )  # fmt: skip
        except (UnreadableDocument, ValueError) as error:
            raise self._placed(error, sheet, row) from error

    def _tests(self, sheet: Sheet, cells: Mapping[Any, str], was: Mapping[Any, str], base: FormRow) -> tuple[RowTest | Opaque, ...]:
        """The conditions in their old order, changed and emptied cells brought in, new ones at the end."""
        keys = [key for key in sheet.keys if isinstance(key, tuple) and key[0] != "value"]
        found: list[RowTest | Opaque] = []
        rest: list[RowTest | Opaque] = []
        met: set[tuple[str, str]] = set()
        for test in base.tests:
            if isinstance(test, RowTest) and _test_key(test) not in met:
                met.add(_test_key(test))
                text = cells[_test_key(test)]
                if text == was[_test_key(test)]:
                    found.append(test)
                elif text:
                    found.append(replace(test, limit=self._limit(_test_key(test), text), limit_kind="constant"))
            else:
                rest.append(test)
                found.append(test)
        if cells["rest"] != was["rest"]:
            found = [test for test in found if test not in rest]
            found += [Opaque(one) for one in (self._typed(cells["rest"], None) or [])]
        new = [key for key in keys if key not in met and cells[key]]
        return (*found, *(RowTest(_subject(key[0]), key[1], self._limit(key, cells[key])) for key in new))

    def _limit(self, key: tuple[str, str], text: str) -> Any:
        subject, operator = key
        if operator in ("exists", "missing"):
            return {"true": True}.get(text, text)
        return self._typed(text, self.names.get(subject))

    def _read_cases(self, draft: Draft) -> Draft:
        sheet = self.before[_names()["cases"]]
        lines = self._lines(sheet)
        if [line for _, line in lines] == sheet.lines:
            return draft
        written = parse_document(draft.text).get("cases") or []
        shown_before = dict(zip(map(tuple, sheet.lines), written, strict=True))
        by_name = {shown(case["name"]): (case, line) for case, line in zip(written, sheet.lines, strict=True)}
        cases = [shown_before.get(tuple(line)) or self._case(sheet, row, line, *by_name.get(line[0], (None, None))) for row, line in lines]
        try:
            return draft.put(("cases",), cases) if written else draft.set("cases", cases)
        except EditRefused as refused:
            raise EditRefused([self._at_case(fault, sheet, lines) for fault in refused.faults]) from refused

    def _at_case(self, fault: Fault, sheet: Sheet, lines: list[tuple[int, list[str]]]) -> Fault:
        head, _, rest = fault.key.partition("]")
        number = head.removeprefix("cases[")
        row = lines[int(number)][0] if number.isdigit() and int(number) < len(lines) else 1
        steps = rest.strip(".").split(".")
        key: Any = ("given", steps[1]) if steps[0] == "given" and len(steps) > 1 else steps[0]
        column = get_column_letter(sheet.keys.index(key) + 1) if key in sheet.keys else ""
        return Fault(self.file, row, f"{sheet.title}!{column}{row}", fault.message)

    def _case(self, sheet: Sheet, row: int, line: list[str], old: Any, before: list[str] | None) -> dict[str, Any]:
        cells = dict(zip(sheet.keys, line, strict=True))
        was = dict(zip(sheet.keys, before, strict=True)) if before else dict.fromkeys(sheet.keys, "")
        given = {}
        try:
            for key, text in cells.items():
                if isinstance(key, tuple) and text != "":
                    kept = old is not None and text == was[key]
                    given[key[1]] = old["given"][key[1]] if kept else self._typed(text, self.names[key[1]])
            expect = old["expect"] if old is not None and cells["expect"] == was["expect"] else parse_document(f"v: {cells['expect']}")["v"]
        except UnreadableDocument as error:
            raise self._placed(ValueError(error.message), sheet, row, "expect") from error
        on = self._day(cells["on"], sheet, row, "on")
        return {"name": cells["name"], "on": on, "given": given, "expect": expect, **({"why": cells["why"]} if cells["why"] else {})}

    def _read_table(self, draft: Draft, name: str) -> Draft:
        sheet = self.before[_names()["table"].format(name=name)]
        lines = self._lines(replace(sheet, title=sheet.title[:31]))
        if [line for _, line in lines] == sheet.lines:
            return draft
        try:
            return draft.set_table_rows(name, sheet.keys, [line for _, line in lines])
        except EditRefused as refused:
            raise EditRefused([self._at_row(fault, sheet, lines) for fault in refused.faults]) from refused

    def _at_row(self, fault: Fault, sheet: Sheet, lines: list[tuple[int, list[str]]]) -> Fault:
        _, _, rest = fault.key.partition(".rows[")
        number, _, title = rest.partition("].")
        number = number.rstrip("]")
        row = lines[int(number) - 1][0] if number.isdigit() else 1
        column = get_column_letter(sheet.keys.index(title) + 1) if title in sheet.keys else ""
        return Fault(self.file, row, f"{sheet.title}!{column}{row}", fault.message)


def _subject(written: str) -> dict[str, Any]:
    return plain(parse_document(f"v: {written}")["v"]) if written.startswith("{") else {"fact": written}
