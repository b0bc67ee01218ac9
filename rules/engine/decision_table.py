"""A rule set as a decision table: one column per thing asked, one row per rule; for reading, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .row_table import Row
from .row_table_reader import cell_text
from .rule_set import Rule, RuleSet
from .syntax.aggregate import Aggregate
from .syntax.comparison import LIMIT_OPERATORS, OPERATORS, Comparison
from .syntax.condition import AllHold, Condition, Leaf
from .syntax.condition_reader import HIDDEN
from .syntax.expression import Expression, Name
from .unit import PURE
from .value import Declaration, plain
from .words import HIT_WORDS, conclusion


@dataclass(frozen=True, slots=True)
class Column:
    """One thing asked.

    `key` is the fact's key, or the words of what is worked out; `operators` are the (key, word) that fit its type;
    `choices` the (value, label) to choose from, empty where any value may stand; bounds and step as text.
    """

    key: str
    label: str
    type: str
    role: str
    unit: str
    unit_label: str
    operators: tuple[tuple[str, str], ...]
    choices: tuple[tuple[str, str], ...]
    minimum: str
    maximum: str
    step: str


def columns(rules: RuleSet) -> dict[str, Column]:
    """The columns in the order in which the rules first ask for them."""
    found: dict[str, Column] = {}
    for rule in rules.rules:
        for part in parts(rule.when):
            if is_plain(part) and (key := column_key(part.left, rules)) not in found:
                found[key] = _column(key, part.left, rules)
    return found


def parts(condition: Condition) -> tuple[Condition, ...]:
    """The conditions that must all hold, one by one."""
    return condition.parts if isinstance(condition, AllHold) else (condition,)


def is_plain(condition: Condition) -> bool:
    """Whether the condition is one comparison, which a column can hold."""
    return isinstance(condition, Comparison) and not isinstance(condition.left, Aggregate)


def column_key(left: Expression, rules: RuleSet) -> str:
    return left.name if isinstance(left, Name) else left.words(rules.names)


def _column(key: str, left: Expression, rules: RuleSet) -> Column:
    sort = left.sort(rules.names)
    unit = sort.unit if sort.numeric and sort.unit is not None else PURE
    return Column(
        key, left.words(rules.names), sort.type, sort.role if isinstance(left, Name) else "expression", unit.key, unit.label,
        _operators(sort), _choices(sort), *(_plain(value) for value in (sort.minimum, sort.maximum, sort.step)),
    )  # fmt: skip


def _plain(value: Any) -> str:
    return "" if value is None else str(plain(value))


def _operators(sort: Declaration) -> tuple[tuple[str, str], ...]:
    """What may be asked of the type; dates are before and after, not below and above."""
    fitting = [operator for key, operator in OPERATORS.items() if key not in HIDDEN and sort.type in operator.types]
    if sort.type == "date":
        fitting = [one for one in fitting if not (one in LIMIT_OPERATORS and one.key != "between")]
    return tuple((operator.key, operator.word) for operator in fitting)


def _choices(sort: Declaration) -> tuple[tuple[str, str], ...]:
    if sort.type == "boolean":
        return (("true", "是"), ("false", "否"))
    return tuple((sort.domain or {}).items())


def chosen_rules(rules: RuleSet, search: str = "") -> list[tuple[int, Rule]]:
    """(place, rule) of the rules in which every word of the search is met: in key, label, basis, message or limits."""
    words = search.lower().split()
    numbered = enumerate(rules.rules)
    return [(place, rule) for place, rule in numbered if not words or _met(words, rule)]


def _met(words: Sequence[str], rule: Rule) -> bool:
    told = (rule.key, rule.label, rule.basis, rule.message.text if rule.message else "", *_limits(rule.when))
    text = "\n".join(told).lower()
    return all(word in text for word in words)


def _limits(condition: Condition) -> list[str]:
    return [
        _plain(getattr(limit, "value", None))
        for leaf in condition.leaves() if isinstance(leaf, Comparison)
        for limit in leaf.limits
    ]  # fmt: skip


def table(rules: RuleSet, start: int = 0, count: int | None = None, search: str = "") -> dict[str, Any]:
    """The rows from `start` (from 0), at most `count`, of those that meet the search; columns of the whole set.

    `total` counts the rows found; what does not fit a column stands in `rest` as text.
    """
    heads, chosen = columns(rules), chosen_rules(rules, search)
    shown = chosen[start : None if count is None else start + count]
    fired = _cases_by_rule(rules)
    rows = [_row(rules, rule, heads, fired.get(rule.key, [])) for _, rule in shown]
    return {
        "key": rules.key, "title": rules.title, "hit": rules.hit, "hit_words": HIT_WORDS[rules.hit],
        "columns": [{"key": key, "label": column.label} for key, column in heads.items()],
        "has_rest": any(row["rest"] for row in rows), "rows": rows, "start": start, "total": len(chosen),
    }  # fmt: skip


def _cases_by_rule(rules: RuleSet) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for case in rules.cases:
        found.setdefault(str(case.expect.get("rule")), []).append(case.name)
    return found


def _row(rules: RuleSet, rule: Rule, heads: dict[str, Column], cases: list[str]) -> dict[str, Any]:
    cells: dict[str, list[str]] = {}
    rest = []
    for part in parts(rule.when):
        if is_plain(part):
            cells.setdefault(column_key(part.left, rules), []).append(cell(part, rules))
        else:
            rest.append(part.words(rules.names))
    return {
        "rule": rule.key, "label": rule.label, "basis": rule.basis, "line": rule.line,
        "cells": ["，且".join(cells.get(key, ())) for key in heads], "rest": "，且".join(rest),
        "outcome": rule.outcome, "outcome_word": rules.kind.word(rule.outcome) if rule.outcome else "",
        "conclusion": conclusion(rules, rule), "cases": cases,
    }  # fmt: skip


def cell(leaf: Leaf, rules: RuleSet) -> str:
    """A comparison without its subject, as it stands in a column: 「低于 10.00 m²」."""
    return leaf.words(rules.names).removeprefix(leaf.left.words(rules.names))


def table_rows(
    rules: RuleSet, name: str, start: int = 0, count: int | None = None, search: str = ""
) -> dict[str, Any]:
    """Rows of a large table from `start` (from 0), at most `count`, of those in which every word of the search is met.

    `columns` are (title, label); each row has its number (from 1), line and cells as they are written. Only the rows
    of the page are put together. Raises KeyError for a table that the set does not have.
    """
    found = rules.tables[name]
    words = search.lower().split()
    chosen = [row for row in found.rows if not words or _row_met(words, row)]
    shown = chosen[start : None if count is None else start + count]
    asked = [(ask.title, f"{rules.names[ask.fact].label}{OPERATORS[ask.operator].word}") for ask in found.asks]
    given = [(key, sort.label) for key, sort in found.gives.items()]
    return {
        "key": name, "label": found.label, "basis": found.basis, "line": found.line, "columns": [*asked, *given],
        "asked": len(asked), "start": start, "total": len(chosen), "count": len(found.rows),
        "rows": [
            {"number": row.number, "line": row.line, "cells": [cell_text(value) for value in (*row.cells, *row.gives)]} for row in shown
        ],
    }  # fmt: skip


def _row_met(words: Sequence[str], row: Row) -> bool:
    text = "\n".join(cell_text(value) for value in (*row.cells, *row.gives)).lower()
    return all(word in text for word in words)
