"""A rule file being edited: every operation gives a new draft, or is refused with file, line and key."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from ..document import NUMBER, UnreadableDocument, parse_document
from ..fault import Fault, InvalidFact
from ..note import NOTHING_KNOWN, Known
from ..number import shortest
from ..rule_set import RuleSet
from ..rule_set_reader import Unread, read_text
from ..syntax.comparison import OPERATORS
from ..value import Declaration, plain, take
from .layout import Layout, Place, WrongPlace, place_words, sections_after
from .merging import merged
from .table_lines import TableLines

DAY = Declaration("day", "date", "日期")
WHERE = str | Sequence[str | int]


class EditRefused(Unread):
    """The edit cannot be made, or would bring a fault into the file that was not there; carries the faults."""


@dataclass(frozen=True)
class Draft:
    """One text under a file name. Places are written as faults name them (`rules.large.when.all[0].above`) or as steps.

    Every method answers a new draft whose text differs from this one only at the place named. Raises EditRefused, or
    Unread when the text itself is no YAML.
    """

    text: str
    file: str = "draft.yaml"
    known: Known = NOTHING_KNOWN

    def read(self) -> RuleSet:
        """The rule set as it now stands. Raises Unread."""
        return read_text(self.text, self.file, self.known)

    def faults(self) -> list[Fault]:
        """What keeps the draft from being read, empty when it can be."""
        try:
            self.read()
        except Unread as unread:
            return unread.faults
        return []

    def line(self, where: WHERE) -> int:
        """The line of the nearest thing at a place, for a link from a finding to its spot."""
        layout = self._layout()
        place = layout.parsed(where)
        while place and not layout.has(place):
            place = place[:-1]
        if not place:
            return 1
        entry = layout.find(place)
        return (entry.key or entry.node).start_mark.line + 1

    def value(self, where: WHERE) -> Any:
        """The raw value written at a place. Raises EditRefused when there is none."""
        layout = self._layout()
        place = self._place(layout, where)
        self._found(layout, place)
        return _at(self._document(), place)

    # What stands in the file, by place.

    def set(self, where: WHERE, value: Any) -> "Draft":
        """The value at a place replaced; the last key is put in when it is missing."""
        return self._edit(where, lambda layout, place: layout.with_value(place, value), lambda document, place: _set(document, place, value))

    def remove(self, where: WHERE) -> "Draft":
        """What stands at a place taken out; a section whose last entry goes is taken out with it."""
        return self._edit(where, Layout.without, _remove)

    def add(self, where: WHERE, value: Any, before: int | None = None) -> "Draft":
        """A new item in the list at a place: before the item of that number, or at the end."""
        return self._edit(
            where, lambda layout, place: layout.with_item(place, value, before),
            lambda document, place: _add(document, place, value, before),
        )  # fmt: skip

    def move(self, where: WHERE, to: int) -> "Draft":
        """An item of a list moved so that it has that number (from 0) afterwards."""
        return self._edit(where, lambda layout, place: layout.moved(place, to), lambda document, place: _move(document, place, to))

    def rename(self, where: WHERE, key: str) -> "Draft":
        """The last key of a place renamed."""
        return self._edit(where, lambda layout, place: layout.with_key(place, key), lambda document, place: _rename(document, place, key))

    def set_all(self, values: Mapping[WHERE, Any]) -> "Draft":
        """Many written values replaced at once; reads the text once however many there are."""
        layout = self._layout()
        places = {self._place(layout, where): value for where, value in values.items()}
        expected = deepcopy(self._document())
        for place, value in places.items():
            self._found(layout, place)
            _set(expected, place, value)
        return self._checked(layout.with_values(places), expected, next(iter(places), ()))

    # What a maintainer changes, by name.

    def set_parameter(self, name: str, value: Any, start: date | str | None = None, code: str | None = None) -> "Draft":
        """A parameter's value: from a day on (added or replaced), for one code, or its only or latest value."""
        row = self.value(("parameters", name))
        if "table" in row:
            raise self._refused(("parameters", name), f"{name} 取自 rules/tables 的 {row['table']}，请在那里改")
        if code is not None:
            return self.set(("parameters", name, "by", *self._by(name, row), code), value)
        if start is None:
            where = ("value",) if "value" in row else ("values", len(row["values"]) - 1, "value")
            return self.set(("parameters", name, *where), value)
        return self._dated(name, row, value, self._day(("parameters", name), start))

    def _by(self, name: str, row: Mapping[str, Any]) -> tuple[str]:
        by = row.get("by")
        if not isinstance(by, Mapping) or len(by) != 1:
            raise self._refused(("parameters", name), f"{name} 没有按代码区分（by），不能只改一个代码的值")
        return (next(iter(by)),)

    def _dated(self, name: str, row: Mapping[str, Any], value: Any, start: date) -> "Draft":
        place = ("parameters", name)
        if "value" in row:
            first = self.value("edition.from")
            if start <= first:
                raise self._refused(place, f"起始日期应晚于版本的生效日期 {plain(first)}；要改本来的值，不写日期")
            series = [{"from": first, "value": row["value"]}, {"from": start, "value": value}]
            return self._edit(
                (*place, "value"),
                lambda layout, at: Layout(layout.with_key(at, "values")).with_value((*place, "values"), series),
                lambda document, at: (_rename(document, at, "values"), _set(document, (*place, "values"), series)),
            )
        days = [dated["from"] for dated in row["values"]]
        if start in days:
            return self.set((*place, "values", days.index(start), "value"), value)
        later = sum(day < start for day in days)
        return self.add((*place, "values"), {"from": start, "value": value}, later if later < len(days) else None)

    def set_edition(self, start: date | str, until: date | str | None) -> "Draft":
        """First and last day of the edition; `until` None means until further notice."""
        days = self._day("edition.from", start), None if until in (None, "") else self._day("edition.until", until)
        # In between, the last day may lie before the first: both are written before the file is read again.
        text = self._layout().with_value(("edition", "from"), days[0])
        text = Layout(text).with_value(("edition", "until"), days[1])
        expected = deepcopy(self._document())
        _set(expected, ("edition", "from"), days[0])
        _set(expected, ("edition", "until"), days[1])
        return self._checked(text, expected, ("edition",))

    def set_title(self, title: str) -> "Draft":
        return self.set("title", title)

    def set_note(self, note: str | None) -> "Draft":
        """The note of the set; None or empty takes it out."""
        if note:
            return self.set("note", note)
        return self.remove("note") if "note" in self._document() else self

    def add_rule(self, rule: Mapping[str, Any], before: str | None = None) -> "Draft":
        """A rule with key, label, basis, when and then; before another rule or at the end."""
        return self.add("rules", dict(rule), None if before is None else self.place_of_rule(before))

    def replace_rule(self, key: str, rule: Mapping[str, Any]) -> "Draft":
        """A rule changed part by part, so that what stays keeps its layout; the new one may have another key."""
        return self.put(("rules", self.place_of_rule(key)), rule)

    def put(self, where: WHERE, value: Any) -> "Draft":
        """The value at a place turned into another with as few changes as possible; comments beside the rest stay."""
        place = self._place(self._layout(), where)
        expected = deepcopy(self._document())
        text = self._tried(merged, self.text, place, self.value(place), value)
        _set(expected, place, value)
        return self._checked(text, expected, place, ordered=False)

    def move_rule(self, key: str, to: int) -> "Draft":
        """A rule moved to that place (from 0)."""
        return self.move(("rules", self.place_of_rule(key)), to)

    def remove_rule(self, key: str) -> "Draft":
        return self.remove(("rules", self.place_of_rule(key)))

    def place_of_rule(self, key: str) -> int:
        """The number (from 0) of a rule. Raises EditRefused."""
        layout = self._layout()
        self._found(layout, ("rules", key))
        return layout.find(("rules", key)).index

    def set_limit(self, where: WHERE, limit: Any) -> "Draft":
        """The limit of the comparison at a place (`rules.large.when.all[0]`, with or without its operator)."""
        place, operator = self._comparison(where)
        return self.set((*place, operator), limit)

    def set_operator(self, where: WHERE, operator: str, limit: Any = None) -> "Draft":
        """The operator of the comparison at a place, and its limit when one is given."""
        place, old = self._comparison(where)
        if operator not in OPERATORS:
            raise self._refused(place, f"没有比较词 {operator}。可写 {'、'.join(OPERATORS)}")
        kept = self.value((*place, old)) if limit is None else limit
        text = self._tried(self._layout().with_key, (*place, old), operator)
        text = self._tried(Layout(text).with_value, (*place, operator), kept)
        expected = deepcopy(self._document())
        _rename(expected, (*place, old), operator)
        _set(expected, (*place, operator), kept)
        return self._checked(text, expected, (*place, operator))

    def _comparison(self, where: WHERE) -> tuple[Place, str]:
        layout = self._layout()
        place = self._place(layout, where)
        if place and place[-1] in OPERATORS:
            place = place[:-1]
        self._found(layout, place)
        block = _at(self._document(), place)
        written = [key for key in block if key in OPERATORS] if isinstance(block, Mapping) else []
        if len(written) != 1:
            raise self._refused(place, "这里不是一个比较：应恰好有一个比较词")
        return place, written[0]

    def set_outcome(self, rule: str, outcome: str) -> "Draft":
        return self.set(("rules", rule, "then", "outcome"), outcome)

    def set_message(self, rule: str, message: str | None) -> "Draft":
        """What is said; None or empty takes it out."""
        place = ("rules", rule, "then", "message")
        return self.set(place, message) if message else self.remove(place)

    def set_basis(self, rule: str, basis: str) -> "Draft":
        return self.set(("rules", rule, "basis"), basis)

    def set_label(self, rule: str, label: str) -> "Draft":
        return self.set(("rules", rule, "label"), label)

    def add_case(self, case: Mapping[str, Any]) -> "Draft":
        """A golden case with name, on, given and expect."""
        return self.add("cases", dict(case))

    def replace_case(self, number: int, case: Mapping[str, Any]) -> "Draft":
        """The golden case of that number (from 0) changed part by part."""
        return self.put(("cases", number), case)

    def remove_case(self, number: int) -> "Draft":
        return self.remove(("cases", number))

    # The rows of large tables.

    def table_rows(self, name: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Titles and rows of a table as the file writes them."""
        lines = self._tried(TableLines, self._layout(), name)
        return lines.titles, lines.rows

    def set_table_rows(self, name: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> "Draft":
        """All rows of a table; cells in the order of the titles. Lines that say the same stay as they are."""
        layout = self._layout()
        lines = self._tried(TableLines, layout, name)
        text = self._tried(lines.with_rows, titles, rows)
        expected = deepcopy(self._document())
        order = [list(titles).index(title) for title in lines.titles]
        _set(expected, ("tables", name, "rows"), [[row[index] for index in order] for row in rows])
        return self._checked(text, expected, ("tables", name, "rows"), table=name)

    def set_table_cells(self, name: str, number: int, cells: Mapping[str, str]) -> "Draft":
        """Some cells of the row of that number (from 1), by their titles."""
        titles, rows = self._row_of(name, number)
        self._known_titles(name, titles, cells)
        rows[number - 1] = tuple(cells.get(title, text) for title, text in zip(titles, rows[number - 1], strict=True))
        return self.set_table_rows(name, titles, rows)

    def add_table_row(self, name: str, cells: Mapping[str, str], number: int | None = None) -> "Draft":
        """A new row that then has that number (from 1), or the last."""
        titles, rows = self.table_rows(name)
        self._known_titles(name, titles, cells)
        rows.insert(len(rows) if number is None else number - 1, tuple(cells.get(title, "") for title in titles))
        return self.set_table_rows(name, titles, rows)

    def remove_table_row(self, name: str, number: int) -> "Draft":
        titles, rows = self._row_of(name, number)
        return self.set_table_rows(name, titles, [*rows[: number - 1], *rows[number:]])

    def move_table_row(self, name: str, number: int, to: int) -> "Draft":
        """The row of that number moved so that it has the other number (both from 1)."""
        titles, rows = self._row_of(name, number)
        self._row_of(name, to)
        rows.insert(to - 1, rows.pop(number - 1))
        return self.set_table_rows(name, titles, rows)

    def _row_of(self, name: str, number: int) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        titles, rows = self.table_rows(name)
        if not 1 <= number <= len(rows):
            raise self._refused(("tables", name, "rows"), f"表 {name} 只有 {len(rows)} 行，没有第 {number} 行")
        return titles, rows

    def _known_titles(self, name: str, titles: Sequence[str], cells: Mapping[str, str]) -> None:
        for title in cells:
            if title not in titles:
                raise self._refused(("tables", name, "rows"), f"表 {name} 没有栏目 {title}。栏目有 {'、'.join(titles)}")

    # How an edit is made and proven.

    def _layout(self) -> Layout:
        self._document()
        return Layout(self.text)

    def _document(self) -> Any:
        try:
            return parse_document(self.text)
        except UnreadableDocument as error:
            raise Unread([Fault(self.file, error.line, "", error.message)]) from error

    def _place(self, layout: Layout, where: WHERE) -> Place:
        return layout.parsed(where)

    def _day(self, where: WHERE, raw: Any) -> date:
        try:
            return take(DAY, raw)
        except InvalidFact as error:
            raise self._refused(where, f"「{raw}」不是日期，应写成 2026-01-31") from error

    def _found(self, layout: Layout, place: Place) -> None:
        self._tried(layout.find, place)

    def _tried(self, edit: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return edit(*arguments)
        except WrongPlace as wrong:
            raise EditRefused([Fault(self.file, wrong.line, wrong.key, wrong.message)]) from wrong

    def _refused(self, where: WHERE, message: str) -> EditRefused:
        key = where if isinstance(where, str) else place_words(where)
        return EditRefused([Fault(self.file, self.line(where), key, message)])

    def _edit(self, where: WHERE, in_text: Callable[[Layout, Place], str], in_document: Callable[[Any, Place], Any]) -> "Draft":
        layout = self._layout()
        place = self._place(layout, where)
        text = self._tried(in_text, layout, place)
        expected = deepcopy(self._document())
        in_document(expected, place)
        return self._checked(text, expected, place)

    def _checked(self, text: str, expected: Any, place: Place, ordered: bool = True, table: str = "") -> "Draft":
        edited = replace(self, text=text)
        # The text is cut by hand, so it is read again: exactly the wanted change, nothing else, or no edit at all.
        try:
            found = parse_document(text)
        except UnreadableDocument:
            found = None
        if found is not None and table:
            # Of a table the cells are compared, for its comments are part of the text that the file holds.
            found["tables"][table]["rows"] = TableLines(Layout(text), table).rows
        if found is None or _words(found, ordered) != _words(expected, ordered):
            raise self._refused(place, "这里的写法（锚点、别名或特殊缩进）不能逐处修改。请在 YAML 里改")
        before = None
        brought = []
        for fault in edited.faults():
            before = before if before is not None else {(old.key, old.message) for old in self.faults()}
            if (fault.key, fault.message) not in before:
                brought.append(fault)
        if brought:
            raise EditRefused(brought)
        return edited


def _words(document: Any, ordered: bool) -> str:
    return json.dumps(_numbers_as_text(plain(document)), ensure_ascii=False, sort_keys=not ordered)


def _numbers_as_text(value: Any) -> Any:
    """A number that stays without quotes says the same as the text it was given as."""
    if isinstance(value, Mapping):
        return {key: _numbers_as_text(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_numbers_as_text(part) for part in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return shortest(Decimal(value)) if isinstance(value, str) and NUMBER.match(value) else value


def _step(parent: Any, step: str | int) -> str | int:
    """The index or key that a step means in a parsed parent."""
    if isinstance(parent, Mapping):
        return str(step)
    if isinstance(step, int):
        return step
    names = [item.get("key", item.get("name")) if isinstance(item, Mapping) else None for item in parent]
    return [None if name is None else str(name) for name in names].index(step)


def _at(document: Any, place: Place) -> Any:
    for step in place:
        document = document[_step(document, step)]
    return document


def _set(document: Any, place: Place, value: Any) -> None:
    _section(document, place, value if len(place) == 1 else {})
    for step in place[:-1]:
        if isinstance(document, Mapping) and document.get(step, "") is None:
            document[step] = {}
        document = document[_step(document, step)]
    document[_step(document, place[-1])] = value


def _section(document: dict, place: Place, value: Any) -> None:
    """The section of a place put in where it is missing, in the order in which a file has its sections."""
    key = str(place[0])
    if key in document:
        return
    later = sections_after(key, document)
    kept = {name: document.pop(name) for name in later}
    document[key] = value
    document.update(kept)


def _remove(document: Any, place: Place) -> None:
    parent = _at(document, place[:-1])
    del parent[_step(parent, place[-1])]
    if not parent and len(place) == 2:
        del document[place[0]]


def _add(document: Any, place: Place, value: Any, before: int | None) -> None:
    _section(document, place, [])
    parent = _at(document, place[:-1])
    step = _step(parent, place[-1])
    if isinstance(parent, Mapping) and parent.get(step) is None:
        parent[step] = []
    parent[step].insert(len(parent[step]) if before is None else before, value)


def _move(document: Any, place: Place, to: int) -> None:
    items = _at(document, place[:-1])
    items.insert(to, items.pop(_step(items, place[-1])))


def _rename(document: Any, place: Place, key: str) -> None:
    parent = _at(document, place[:-1])
    pairs = [(key if name == place[-1] else name, value) for name, value in parent.items()]
    parent.clear()
    parent.update(pairs)
