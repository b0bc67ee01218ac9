"""A whole rule set in words: as prose, and as a decision table; both made from the rules, never written beside them."""

from typing import Any

from .rule_set import ALL, FIRST, Parameter, Rule, RuleSet
from .syntax.comparison import Comparison
from .syntax.condition import AllHold, Condition, Leaf
from .syntax.expression import Expression, Name
from .value import plain, present

HIT_WORDS = {"worst": "同时成立的，取最重的结论", FIRST: "自上而下，第一条成立的为准", ALL: "成立的全部列出"}


def prose(rules: RuleSet) -> list[str]:
    """The set as sentences: its subject, parameters, derived facts, then one sentence a rule."""
    return [
        _opening(rules),
        *_parameters(rules),
        *_derived(rules),
        *(_sentence(rules, rule) for rule in rules.rules),
    ]


def _opening(rules: RuleSet) -> str:
    edition = rules.edition
    until = f"至 {edition.until.isoformat()}" if edition.until else "起长期有效"
    demo = "（演示值）" if edition.demo else ""
    several = f"{HIT_WORDS[rules.hit]}。" if len(rules.rules) > 1 else ""
    gate = "缺少所需事实而判不出的，不予通过。" if rules.kind.gate else ""
    return f"{rules.kind.label}「{rules.title}」{demo}，{edition.start.isoformat()} {until}。{several}{gate}"


def _parameters(rules: RuleSet) -> list[str]:
    return [
        f"{parameter.declaration.label}{_parameter_words(parameter)}（{parameter.basis}）。"
        for parameter in rules.parameters.values()
    ]


def _parameter_words(parameter: Parameter) -> str:
    sort = parameter.declaration
    dated = [
        f"{'' if value.start is None else f'自 {value.start.isoformat()} 起'}为 {present(value.value, sort)}"
        for value in parameter.values
    ]
    special = [f"{code} 为 {present(value, sort)}" for code, value in parameter.special.items()]
    return "，".join([*dated, *special]) + ("，暂按默认值，待业主确认" if parameter.default else "")


def _derived(rules: RuleSet) -> list[str]:
    sentences = []
    for derived in rules.derived.values():
        label = derived.declaration.label
        if derived.expression is not None:
            sentences.append(f"{label} = {derived.expression.words(rules.names)}。")
        else:
            sentences.append(f"「{label}」是指：{derived.condition.words(rules.names)}。")
    return sentences


def _sentence(rules: RuleSet, rule: Rule) -> str:
    return f"{rule.when.words(rules.names)}的，{conclusion(rules, rule)}（{rule.basis}）。"


def conclusion(rules: RuleSet, rule: Rule) -> str:
    """What follows from the rule: outcome, values, flags and message."""
    parts = [rules.kind.word(rule.outcome)] if rule.outcome is not None else []
    parts += [f"{rules.kind.values[key]}：{_value(rules, value)}" for key, value in rule.values.items()]
    parts += [f"记为「{rules.flags[flag].label}」" for flag in rule.sets]
    if rule.message is not None:
        parts.append(f"告知「{_message(rules, rule)}」")
    return "，".join(parts)


def _value(rules: RuleSet, value: Any) -> str:
    return value.words(rules.names) if isinstance(value, Expression) else str(plain(value))


def _message(rules: RuleSet, rule: Rule) -> str:
    pieces = list(rule.message.pieces)
    pieces[1::2] = [f"【{rules.names[name].label}】" for name in pieces[1::2]]
    return "".join(pieces)


def table(rules: RuleSet) -> dict[str, Any]:
    """The set as a decision table: one column per thing asked, one row per rule, what does not fit a column as text."""
    columns: dict[str, str] = {}
    split = [_split(rules, rule.when, columns) for rule in rules.rules]
    rows = [
        _row(rules, rule, cells, rest, columns)
        for rule, (cells, rest) in zip(rules.rules, split, strict=True)
    ]
    return {
        "key": rules.key, "title": rules.title, "hit": rules.hit, "hit_words": HIT_WORDS[rules.hit],
        "columns": [{"key": key, "label": label} for key, label in columns.items()],
        "has_rest": any(row["rest"] for row in rows), "rows": rows,
    }  # fmt: skip


def _split(rules: RuleSet, condition: Condition, columns: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    parts = condition.parts if isinstance(condition, AllHold) else (condition,)
    cells: dict[str, list[str]] = {}
    rest = []
    for part in parts:
        if isinstance(part, Comparison) and isinstance(part.left, Name):
            columns.setdefault(part.left.name, rules.names[part.left.name].label)
            cells.setdefault(part.left.name, []).append(cell(part, rules))
        else:
            rest.append(part.words(rules.names))
    return {key: "，且".join(texts) for key, texts in cells.items()}, rest


def cell(leaf: Leaf, rules: RuleSet) -> str:
    """A comparison without its subject, as it stands in a column: 「低于 10.00 m²」."""
    return leaf.words(rules.names).removeprefix(leaf.left.words(rules.names))


def _row(
    rules: RuleSet, rule: Rule, cells: dict[str, str], rest: list[str], columns: dict[str, str]
) -> dict[str, Any]:
    fired = [case.name for case in rules.cases if case.expect.get("rule") == rule.key]
    return {
        "rule": rule.key, "label": rule.label, "basis": rule.basis, "line": rule.line,
        "cells": [cells.get(key, "") for key in columns], "rest": "，且".join(rest),
        "outcome": rule.outcome, "outcome_word": rules.kind.word(rule.outcome) if rule.outcome else "",
        "conclusion": conclusion(rules, rule), "cases": fired,
    }  # fmt: skip
