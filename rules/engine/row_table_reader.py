"""Reads `tables:` of a rule set: what is asked and given stands in the first line, each further line is a row."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from .declaration_reader import DeclarationReader
from .document import Block
from .fault import InvalidFact
from .row_table import EQUAL, FIRST, LOWER, UNIQUE, UPPER, Ask, Looked, Row, RowNumber, RowTable
from .rule_set import Derived
from .syntax.comparison import OPERATORS
from .syntax.condition_reader import literal
from .syntax.expression import TypeFault
from .syntax.formula import nearest
from .value import Declaration, take

REQUIRED, OPTIONAL = ("label", "basis", "gives", "rows"), ("hit", "complete", "note")
ASKED = (*EQUAL, *LOWER, *UPPER)
MOST_FAULTS = 50


class RowTableReader:
    """Reads every table and declares what it gives among the derived facts."""

    def __init__(self, declarations: DeclarationReader) -> None:
        self.declarations, self.notes = declarations, declarations.notes

    def tables(self, block: Any, line: int) -> tuple[dict[str, RowTable], dict[str, Derived]]:
        """The tables by name, and the derived facts they give."""
        tables: dict[str, RowTable] = {}
        derived: dict[str, Derived] = {}
        for name, row_line, row in self.declarations.named(block, "tables", line):
            if self.notes.schema(row, f"tables.{name}", row_line, REQUIRED, OPTIONAL):
                gives = self._gives(row, f"tables.{name}")
                table = self._table(name, row, gives, f"tables.{name}")
                if table is not None:
                    tables[name] = table
                    derived |= self._derived(table)
                else:
                    # What a broken table gives is known all the same, so that its readers are not called wrong too.
                    for column in gives.values():
                        self.declarations.declare(column)
        return tables, derived

    def _derived(self, table: RowTable) -> dict[str, Derived]:
        names = self.declarations.names
        number = RowNumber(table)
        sort = replace(number.sort(names), role="derived", line=table.line)
        found = {table.row_name: Derived(sort, number, None)}
        found |= {name: Derived(column, Looked(table, name), None) for name, column in table.gives.items()}
        for one in found.values():
            self.declarations.declare(one.declaration)
        return found

    def _table(self, name: str, block: Block, gives: dict[str, Declaration], path: str) -> RowTable | None:
        before = len(self.notes.faults)
        hit, complete = block.get("hit", UNIQUE), block.get("complete", False)
        if hit not in (UNIQUE, FIRST):
            self.notes(block.line_of("hit"), f"{path}.hit", f"没有取法 {hit}。可写 unique（各行不重叠）或 first（取第一行）")
        if not isinstance(complete, bool):
            self.notes(block.line_of("complete"), f"{path}.complete", "complete 只写 true 或 false")
        lines = self._lines(block, path)
        if len(self.notes.faults) > before or not lines:
            return None
        (line, titles), *rows = lines
        asks, places = self._heads(titles, gives, path, line)
        if len(self.notes.faults) > before:
            return None
        read = self._rows(rows, asks, gives, places, len(titles), path)
        if len(self.notes.faults) > before:
            return None
        return RowTable(name, str(block["label"]), str(block["basis"]), asks, gives, read, hit, complete, block.line)

    def _gives(self, block: Block, path: str) -> dict[str, Declaration]:
        found = {}
        for name, line, row in self.declarations.named(block["gives"], f"{path}.gives", block.line_of("gives")):
            column = self.declarations.column(name, row, line, f"{path}.gives.{name}")
            if column is not None:
                found[name] = replace(column, role="derived")
        return found

    def _lines(self, block: Block, path: str) -> list[tuple[int, list[str]]]:
        raw, line = block["rows"], block.line_of("rows")
        if not isinstance(raw, str):
            self.notes(line, f"{path}.rows", "rows 应是一段文字：写 rows: |，下面第一行是栏目，以后一行一条，用逗号分开")
            return []
        found = [
            (line + number, next(csv.reader([text], skipinitialspace=True)))
            for number, text in enumerate(raw.split("\n"), 1)
            if text.strip() and not text.lstrip().startswith("#")
        ]
        if len(found) < 2:
            self.notes(line, f"{path}.rows", "表里至少要有栏目一行和数据一行")
            return []
        return found

    def _heads(
        self, titles: list[str], gives: Mapping[str, Declaration], path: str, line: int
    ) -> tuple[tuple[Ask, ...], list[tuple[int, str | None]]]:
        """The columns that ask, and for each column of the text its place among them, or the name it gives."""
        asks: list[Ask] = []
        places: list[tuple[int, str | None]] = []
        for title in titles:
            words = title.split()
            if len(words) == 1 and words[0] in gives:
                places.append((-1, words[0]))
            elif len(words) == 2 and self._asked(words[0], words[1], path, line):
                places.append((len(asks), None))
                asks.append(Ask(*words))
            elif len(words) != 2:
                hint = nearest(title, gives)
                self.notes(line, f"{path}.rows", f"栏目「{title}」应写成「事实 比较词」，或是 gives 里的一个键{hint}")
        if len(places) == len(titles):
            self._all_once(asks, places, gives, path, line)
        return tuple(asks), places

    def _asked(self, fact: str, operator: str, path: str, line: int) -> bool:
        sort = self.declarations.names.get(fact)
        if sort is None or sort.role not in ("fact", "built_in"):
            known = [name for name, one in self.declarations.names.items() if one.role == "fact"]
            self.notes(line, f"{path}.rows", f"栏目里的 {fact} 不是事实{nearest(fact, known)}")
        elif operator not in ASKED:
            self.notes(line, f"{path}.rows", f"表里不能用比较词 {operator}{nearest(operator, ASKED)}。可写 {'、'.join(ASKED)}")
        elif sort.type not in OPERATORS[operator].types:
            self.notes(line, f"{path}.rows", f"「{sort.label}」不能用 {operator}")
        else:
            return True
        return False

    def _all_once(self, asks: list[Ask], places: list, gives: Mapping[str, Declaration], path: str, line: int) -> None:
        titles = [ask.title for ask in asks] + [name for _, name in places if name is not None]
        for title in {title for title in titles if titles.count(title) > 1}:
            self.notes(line, f"{path}.rows", f"栏目「{title}」写了两次")
        for name in gives:
            if name not in titles:
                self.notes(line, f"{path}.rows", f"缺少栏目 {name}（gives 里声明了它）")
        if not asks:
            self.notes(line, f"{path}.rows", "至少要有一个栏目问事实，如 area_m2 at_least")

    def _rows(
        self, rows: list[tuple[int, list[str]]], asks: tuple[Ask, ...], gives: Mapping[str, Declaration],
        places: list[tuple[int, str | None]], width: int, path: str,
    ) -> tuple[Row, ...]:  # fmt: skip
        found: list[Row] = []
        begun = len(self.notes.faults)
        reader = CellReader(asks, gives, self.declarations.names)
        for number, (line, texts) in enumerate(rows, 1):
            if len(self.notes.faults) - begun > MOST_FAULTS:
                self.notes(line, f"{path}.rows", f"错误太多，这一行起没有再查（共 {len(rows)} 行）。请先改正上面的")
                break
            if len(texts) != width:
                self.notes(line, f"{path}.rows[{number}]", f"第 {number} 行有 {len(texts)} 格，栏目有 {width} 个")
                continue
            cells: list[Any] = [None] * len(asks)
            given: dict[str, Any] = {}
            for text, (place, name) in zip(texts, places, strict=True):
                try:
                    if name is None:
                        cells[place] = reader.cell(place, text.strip())
                    else:
                        given[name] = reader.given(name, text.strip())
                except (InvalidFact, TypeFault) as fault:
                    title = asks[place].title if name is None else name
                    self.notes(line, f"{path}.rows[{number}].{title}", str(fault))
            found.append(Row(number, line, tuple(cells), tuple(given.get(name) for name in gives)))
        return tuple(found)


class CellReader:
    """Turns the texts of cells into values; a text met before is not worked out again."""

    def __init__(self, asks: tuple[Ask, ...], gives: Mapping[str, Declaration], names: Mapping[str, Declaration]) -> None:
        self.asks, self.gives, self.names = asks, gives, names
        self._seen: dict[tuple[Any, str], Any] = {}

    def cell(self, place: int, text: str) -> Any:
        """What a cell asks: None when it is empty, several values of `in` parted by |. Raises InvalidFact or TypeFault."""
        key = (place, text)
        if key not in self._seen:
            self._seen[key] = self._cell(self.asks[place], text)
        return self._seen[key]

    def _cell(self, ask: Ask, text: str) -> Any:
        if text == "":
            return None
        sort = self.names[ask.fact]
        if ask.operator == "in":
            return tuple(literal(_raw(sort, part.strip()), sort).value for part in text.split("|"))
        return literal(_raw(sort, text), sort).value

    def given(self, name: str, text: str) -> Any:
        """What a cell gives, None when it is empty. Raises InvalidFact."""
        key = (name, text)
        if key not in self._seen:
            self._seen[key] = None if text == "" else take(self.gives[name], _raw(self.gives[name], text))
        return self._seen[key]


def _raw(sort: Declaration, text: str) -> Any:
    return {"true": True, "false": False}.get(text, text) if sort.type == "boolean" else text


def texts_of(table: RowTable) -> Iterator[list[str]]:
    """The rows as texts, in the order of the asking and then the giving columns."""
    for row in table.rows:
        yield [cell_text(value) for value in (*row.cells, *row.gives)]


def cell_text(value: Any) -> str:
    """One value as it is written in a cell."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "|".join(map(cell_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
