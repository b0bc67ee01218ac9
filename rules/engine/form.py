"""A rule set as a form: rows whose cells can be edited, and the edited rows written back into the text.

What a column cannot hold (any-of, lists, negations) is a part in words with its YAML, kept as it is unless replaced.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .decision_table import Column, chosen_rules, column_key, columns, is_plain, parts
from .document import Block, parse_document
from .editing import Draft
from .editing.writing import flow
from .rule_set import Rule, RuleSet
from .syntax.comparison import OPERATORS
from .value import plain

SUBJECTS = ("fact", "expr", "days_between")
CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class RowTest:
    """One comparison: the column's subject as it is written ({fact: area_m2}), operator and limit as written.

    `limit_kind` says what the limit is: constant, fact, param or expr (then `limit` is that key or formula), or
    mixed (a list with such parts, edited as YAML). `place` is where it stands, `words` how it reads.
    """

    subject: Mapping[str, Any]
    operator: str
    limit: Any
    limit_kind: str = CONSTANT
    column: str = ""
    words: str = ""
    place: str = ""

    def raw(self) -> dict[str, Any]:
        """The comparison as it is written in the file."""
        limit = self.limit if self.limit_kind in (CONSTANT, "mixed") else {self.limit_kind: self.limit}
        return {**self.subject, self.operator: limit}


@dataclass(frozen=True, slots=True)
class Opaque:
    """A condition that no column can hold: its words, its YAML on one line, and what is written."""

    written: Any
    words: str = ""
    yaml: str = ""
    place: str = ""

    def raw(self) -> Any:
        return self.written


@dataclass(frozen=True, slots=True)
class FormRow:
    """One rule. `origin` is the key under which it stands in the file, None for a new one."""

    origin: str | None
    key: str
    label: str
    basis: str
    tests: tuple[RowTest | Opaque, ...]
    outcome: str | None
    message: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    sets: Any = None
    note: str | None = None
    place: int = 0
    line: int = 0

    def raw(self) -> dict[str, Any]:
        """The rule as it is written in the file."""
        conditions = [test.raw() for test in self.tests]
        then = {"outcome": self.outcome, "message": self.message or None, **self.values, "sets": self.sets}
        rule = {
            "key": self.key, "label": None if self.label in ("", self.key) else self.label, "basis": self.basis, "note": self.note,
            "when": conditions[0] if len(conditions) == 1 else {"all": conditions},
            "then": {key: value for key, value in then.items() if value is not None},
        }  # fmt: skip
        return {key: value for key, value in rule.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Form:
    """A page of rows with what may be chosen: columns, outcomes (key, word) and values (key, word) of the kind."""

    columns: tuple[Column, ...]
    outcomes: tuple[tuple[str, str], ...]
    values: tuple[tuple[str, str], ...]
    rows: tuple[FormRow, ...]
    start: int
    total: int


def form(draft: Draft, start: int = 0, count: int | None = None, search: str = "") -> Form:
    """The rows from `start` (from 0), at most `count`, of those that meet the search. Raises Unread."""
    rules, written = draft.read(), parse_document(draft.text)["rules"]
    chosen = chosen_rules(rules, search)
    shown = chosen[start : None if count is None else start + count]
    return Form(
        tuple(columns(rules).values()), tuple(rules.kind.outcomes.items()), tuple(rules.kind.values.items()),
        tuple(_row(rules, rule, written[place], place) for place, rule in shown), start, len(chosen),
    )  # fmt: skip


def _row(rules: RuleSet, rule: Rule, written: Block, place: int) -> FormRow:
    then = written["then"]
    values = {key: plain(value) for key, value in then.items() if key in rules.kind.values}
    when = written["when"]
    listed = "all" in when
    blocks = when["all"] if listed else [when]
    tests = tuple(
        _test(rules, part, block, f"rules.{rule.key}.when" + (f".all[{index}]" if listed else ""))
        for index, (part, block) in enumerate(zip(parts(rule.when), blocks, strict=True))
    )
    return FormRow(
        rule.key, rule.key, rule.label, rule.basis, tests, rule.outcome, then.get("message"), values, plain(then.get("sets")),
        written.get("note"), place, rule.line,
    )  # fmt: skip


def _test(rules: RuleSet, condition: Any, block: Block, place: str) -> RowTest | Opaque:
    words = condition.words(rules.names)
    subject = {key: plain(value) for key, value in block.items() if key in SUBJECTS}
    if not is_plain(condition) or len(subject) != 1:
        return Opaque(plain(block), words, flow(block), place)
    (operator,) = (key for key in block if key in OPERATORS)
    limit = block[operator]
    kind, value = CONSTANT, plain(limit)
    if isinstance(limit, Mapping):
        ((kind, value),) = limit.items()
    elif isinstance(limit, list) and any(isinstance(item, Mapping) for item in limit):
        kind = "mixed"
    return RowTest(subject, operator, value, kind, column_key(condition.left, rules), words, place)


def with_rows(draft: Draft, rows: Sequence[FormRow], start: int = 0, replaced: Sequence[str] | None = None) -> Draft:
    """The draft with the given rows instead of those `replaced` (all when None), the first at place `start`.

    Rows keep their file layout where they say the same; order, removals and additions follow the rows given. Raises
    EditRefused with file, line and key.
    """
    kept = {row.origin for row in rows if row.origin is not None}
    before = [rule["key"] for rule in parse_document(draft.text)["rules"]] if replaced is None else list(replaced)
    for key in before:
        if key not in kept and len(parse_document(draft.text)["rules"]) > 1:
            draft = draft.remove_rule(key)
    for place, row in enumerate(rows, start):
        draft = _placed(draft, row, place)
    return draft


def _placed(draft: Draft, row: FormRow, place: int) -> Draft:
    written = parse_document(draft.text)["rules"]
    if row.origin is None:
        return draft.add("rules", row.raw(), place if place < len(written) else None)
    here = [rule["key"] for rule in written].index(row.origin)
    raw = _as_written(row.raw(), written[here])
    draft = draft if plain(raw) == plain(written[here]) else draft.replace_rule(row.origin, raw)
    return draft if here == place else draft.move(("rules", here), place)


def _as_written(raw: dict[str, Any], written: Block) -> dict[str, Any]:
    """A label equal to the key stays when it is written out."""
    return {**raw, "label": raw["key"]} if "label" in written and "label" not in raw else raw
