"""One document that a case type produces: an entry under `documents` of its documents.yaml.

    - key: acceptance_notice
      label: 受理通知书
      template: notice
      number: {series: acceptance_notice, pattern: "沪规划资源受〔{year}〕{seq}号"}
      public: true
      issuer: 上海市规划和自然资源局
      addressee: "{applicant_name}"
      paragraphs: ["你单位于{submitted_on:date}提出的{case_type}申请……，决定予以受理。"]
      rows: [{label: 用地面积, value: "{land_area_m2:area}"}]
      tables: [{title: 宗地, of: parcels, columns: [{label: 面积, value: "{area_m2:area}", numeric: true}]}]
      closing: 特此通知。
      verification: [{label: 用地面积, value: "{land_area_m2:area}"}]

Texts hold placeholders (placeholder.py). `public` lets the applicant download it. `verification` is what the
public look-up may show besides title, number, issuer and date; it must hold no personal data. `needs` are
rule sets asked before it is issued; `issued_in` and `issued_on` say when, and are read by the case.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domain.document.content import DocumentContent, Row, Table
from domain.document.placeholder import MissingData, filled, is_empty, missing_paths, placeholders, value_at
from domain.errors import InvalidData
from domain.numbering import NumberPattern

TEMPLATES = ("notice", "permit", "demand", "form", "summary")
HEADINGS = ("plain", "red", "letter")
"""plain: name of the office in black; red: red name and line 红头; letter: red name and double line 信函格式."""

_TEXTS = ("title", "issuer", "addressee", "closing", "copies", "contact")
_REQUIRED = ("key", "label", "template")
_READ_BY_THE_CASE = ("issued_in", "issued_on")
"""Say when a document is issued; domain/case reads them, they do not change what it says."""
_DEFAULT_HEADING = {"demand": "letter"}


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """One column of a table: its head, the text of a cell, and whether figures stand in it."""

    label: str
    value: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """A table over a repeated section of the form; placeholders in its columns read one entry."""

    title: str
    of: str
    columns: tuple[ColumnDefinition, ...]


@dataclass(frozen=True, slots=True)
class DocumentDefinition:
    """What a case type says about one document it produces; every text has been checked."""

    key: str
    label: str
    template: str
    heading: str
    texts: Mapping[str, str]
    paragraphs: tuple[str, ...]
    rows: tuple[Row, ...]
    tables: tuple[TableDefinition, ...]
    enclosures: tuple[str, ...]
    verification: tuple[Row, ...]
    receipt: bool
    public: bool
    needs: tuple[str, ...]
    series: str
    number: NumberPattern | None

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "DocumentDefinition":
        """Read one entry; raises InvalidData that names the document, the key, and what was expected."""
        name = data.get("key") or data.get("label") or "（没有 key）"
        try:
            return _parsed(data)
        except InvalidData as error:
            raise InvalidData(f"文书 {name}：{error.message}") from error

    def paths(self) -> set[str]:
        """Every field that the texts read; in a table, as `section.field`."""
        read = {each.path for text in self._own_texts() for each in placeholders(text)}
        for table in self.tables:
            columns = [each for column in table.columns for each in placeholders(column.value)]
            read |= {table.of} | {f"{table.of}.{each.path}" for each in columns}
        return read

    def compose(self, values: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> DocumentContent:
        """The document in words. `labels` names fields for the message.

        Raises MissingData with every field that is empty though a text needs it.
        """
        missing = [path for text in self._own_texts() for path in missing_paths(text, values)]
        missing += [path for table in self.tables for path in _missing_in(table, values)]
        if missing:
            raise MissingData(self.label, tuple(dict.fromkeys(missing)), labels)
        return DocumentContent(
            template=self.template,
            heading=self.heading,
            **{name: filled(text, values) for name, text in self.texts.items()},
            paragraphs=tuple(said for text in self.paragraphs if (said := filled(text, values)).strip()),
            rows=_filled_rows(self.rows, values),
            tables=tuple(_filled_table(table, values) for table in self.tables),
            enclosures=tuple(filled(text, values) for text in self.enclosures),
            facts={row.label: row.value for row in _filled_rows(self.verification, values)},
            receipt=self.receipt,
        )

    def _own_texts(self) -> Iterator[str]:
        yield from self.texts.values()
        yield from self.paragraphs
        yield from self.enclosures
        for row in self.rows + self.verification:
            yield from (row.label, row.value)


def _parsed(data: Mapping[str, Any]) -> DocumentDefinition:
    known = {*_REQUIRED, *_TEXTS, "heading", "paragraphs", "rows", "tables", "enclosures", "verification",
             "receipt", "public", "needs", "number", *_READ_BY_THE_CASE}
    if unknown := sorted(set(data) - known):
        raise InvalidData(f"没有 {unknown[0]} 这个键。可用的键：{'、'.join(sorted(known))}。")
    if absent := [key for key in _REQUIRED if not data.get(key)]:
        raise InvalidData(f"缺少 {absent[0]}。请补写。")
    template = _one_of(data["template"], TEMPLATES, "template")
    series, pattern = _number(data["number"]) if data.get("number") is not None else ("", None)
    definition = DocumentDefinition(
        key=data["key"],
        label=data["label"],
        template=template,
        heading=_one_of(data.get("heading", _DEFAULT_HEADING.get(template, "plain")), HEADINGS, "heading"),
        texts={"title": data["label"]} | {name: _text(data[name], name) for name in _TEXTS if name in data},
        paragraphs=tuple(_text(each, "paragraphs") for each in data.get("paragraphs", ())),
        rows=tuple(_row(each, "rows") for each in data.get("rows", ())),
        tables=tuple(_table(each) for each in data.get("tables", ())),
        enclosures=tuple(_text(each, "enclosures") for each in data.get("enclosures", ())),
        verification=tuple(_row(each, "verification") for each in data.get("verification", ())),
        receipt=_flag(data.get("receipt", False), "receipt"),
        public=_flag(data.get("public", False), "public"),
        needs=tuple(_text(each, "needs") for each in data.get("needs", ())),
        series=series,
        number=pattern,
    )
    definition.paths()  # reads, and thereby checks, every placeholder
    return definition


def _one_of(value: Any, choices: tuple[str, ...], key: str) -> str:
    if value not in choices:
        raise InvalidData(f"{key} 写的是 {value}，只能是 {'、'.join(choices)} 之一。")
    return value


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise InvalidData(f"{key} 里的 {value} 不是文字。以花括号开头的文字要加引号。")
    return value


def _flag(value: Any, key: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidData(f"{key} 写的是 {value}，只能是 true 或 false。")
    return value


def _exact_keys(data: Any, required: set[str], optional: set[str], key: str) -> None:
    if not isinstance(data, Mapping) or not required <= set(data) <= required | optional:
        wanted = "、".join([*sorted(required), *(f"{each}（可不写）" for each in sorted(optional))])
        raise InvalidData(f"{key} 的每一项要写 {wanted}，实际是 {data}。")


def _number(data: Any) -> tuple[str, NumberPattern]:
    _exact_keys(data, {"series", "pattern"}, set(), "number")
    return _text(data["series"], "series"), NumberPattern.parse(_text(data["pattern"], "pattern"))


def _row(data: Any, key: str) -> Row:
    _exact_keys(data, {"label", "value"}, set(), key)
    return Row(_text(data["label"], key), _text(data["value"], key))


def _table(data: Any) -> TableDefinition:
    _exact_keys(data, {"of", "columns"}, {"title"}, "tables")
    columns = []
    for column in data["columns"]:
        _exact_keys(column, {"label", "value"}, {"numeric"}, "columns")
        numeric = _flag(column.get("numeric", False), "numeric")
        columns.append(ColumnDefinition(_text(column["label"], "columns"), _text(column["value"], "columns"), numeric))
    return TableDefinition(_text(data.get("title", ""), "tables"), _text(data["of"], "tables"), tuple(columns))


def _entries(table: TableDefinition, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The entries of the repeated section; no entry at all counts as missing data."""
    entries = value_at(values, table.of)
    return () if is_empty(entries) else tuple(entries)


def _missing_in(table: TableDefinition, values: Mapping[str, Any]) -> Iterator[str]:
    entries = _entries(table, values)
    if not entries:
        yield table.of
    for entry in entries:
        for column in table.columns:
            yield from (f"{table.of}.{path}" for path in missing_paths(column.value, entry))


def _filled_rows(rows: tuple[Row, ...], values: Mapping[str, Any]) -> tuple[Row, ...]:
    return tuple(Row(filled(row.label, values), filled(row.value, values)) for row in rows)


def _filled_table(table: TableDefinition, values: Mapping[str, Any]) -> Table:
    return Table(
        title=table.title,
        columns=tuple(column.label for column in table.columns),
        rows=tuple(tuple(filled(c.value, entry) for c in table.columns) for entry in _entries(table, values)),
        numeric=tuple(column.numeric for column in table.columns),
    )
