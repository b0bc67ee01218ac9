"""A whole rule set in words, made from the rules, never written beside them."""

from typing import Any

from .row_table import FIRST as FIRST_ROW
from .row_table import UNIQUE, Looked, RowNumber
from .rule_set import ALL, FIRST, Parameter, Rule, RuleSet
from .syntax.expression import Expression
from .value import plain, present

ROW_HIT_WORDS = {UNIQUE: "各行互不重叠", FIRST_ROW: "自上而下，第一行成立的为准"}
HIT_WORDS = {"worst": "同时成立的，取最重的结论", FIRST: "自上而下，第一条成立的为准", ALL: "成立的全部列出"}


def prose(rules: RuleSet) -> list[str]:
    """The set as sentences: its subject, parameters, derived facts, then one sentence a rule."""
    return [
        _opening(rules),
        *_parameters(rules),
        *_tables(rules),
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


def _tables(rules: RuleSet) -> list[str]:
    return [
        f"表「{table.label}」共 {len(table.rows):,} 行，按{'、'.join(rules.names[fact].label for fact in table.facts)}查得"
        f"{'、'.join(sort.label for sort in table.gives.values())}，{ROW_HIT_WORDS[table.hit]}（{table.basis}）。"
        for table in rules.tables.values()
    ]


def _derived(rules: RuleSet) -> list[str]:
    sentences = []
    for derived in rules.derived.values():
        if isinstance(derived.expression, RowNumber | Looked):
            continue
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
