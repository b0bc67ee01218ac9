"""One decision with some facts altered: both answers, and what in the reasoning changed between them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from .change import Change, change, word
from .decision import VERDICT_WORDS, Decision
from .leaf_report import VERDICT_KEYS
from .rule_book import BOTH, CompiledSet
from .rule_set import RuleSet
from .value import present

VERDICTS = {VERDICT_KEYS[verdict]: words for verdict, words in VERDICT_WORDS.items()}


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The decision as it is, as it would be, and every change from one to the other, facts first, outcome last."""

    before: Decision
    after: Decision
    changes: tuple[Change, ...]


def what_if(
    rules: RuleSet, facts: Mapping[str, Any], altered: Mapping[str, Any], on: date,
    altered_on: date | None = None, engine: str = BOTH,
) -> WhatIf:  # fmt: skip
    """The set decided on the facts and on the facts with `altered` over them (None takes a fact away), on another day if given.

    Raises InvalidFact for a fact that does not fit.
    """
    compiled = CompiledSet(rules, engine)
    before = compiled.decide(facts, on)
    after = compiled.decide({**facts, **altered}, altered_on or on)
    return WhatIf(before, after, tuple(_changes(before, after)))


def _changes(before: Decision, after: Decision) -> Iterator[Change]:
    yield from _values(before, after)
    yield from _reasoning(before, after)
    kind = before.rules.kind
    pairs = (
        ("outcome", "decided", kind.word(before.outcome), kind.word(after.outcome)),
        ("rule", "deciding", _deciding(before), _deciding(after)),
        ("message", "told", before.message, after.message),
        ("missing", "lacking", _labels(before), _labels(after)),
    )
    for key, template, old, new in pairs:
        if old != new:
            nothing = word("none")
            yield change(key, template, key, 0, before=old or nothing, after=new or nothing)


def _deciding(decision: Decision) -> str:
    return decision.rule.label if decision.rule is not None else ""


def _labels(decision: Decision) -> str:
    return "、".join(decision.rules.names[name].label for name in decision.missing)


def _values(before: Decision, after: Decision) -> Iterator[Change]:
    for name, sort in before.rules.names.items():
        old, new = before.found[name], after.found[name]
        if old != new:
            given = name in before.rules.facts or name == "on"
            texts = [_text(value, sort) for value in (old, new)]
            yield change(sort.role, "given" if given else "worked_out", name, sort.line, label=sort.label, before=texts[0], after=texts[1])


def _text(value: Any, sort: Any) -> str:
    """A list is told by its records, for their number may be the same."""
    if not isinstance(value, tuple):
        return present(value, sort)
    records = ("，".join(f"{sort.columns[key].label} {present(part, sort.columns[key])}" for key, part in record.items()) for record in value)
    return f"{present(value, sort)}（{'；'.join(records)}）"


def _reasoning(before: Decision, after: Decision) -> Iterator[Change]:
    for rule, old, new in zip(before.rules.rules, before.considered, after.considered, strict=True):
        verdicts = VERDICTS[old["verdict"]], VERDICTS[new["verdict"]]
        pairs = zip(old["leaves"], new["leaves"], strict=True)
        told = [(one, other) for one, other in pairs if one["verdict"] != other["verdict"]]
        if verdicts[0] != verdicts[1]:
            why = "；".join(leaf["words"] for leaf in new["leaves"])
            yield change("verdict", "verdict", f"rules.{rule.key}", rule.line, label=rule.label, before=verdicts[0], after=verdicts[1], why=why)
            continue
        for one, other in told:
            yield change("leaf", "leaf", f"rules.{rule.key}", rule.line, label=rule.label, verdict=verdicts[1],
                         before=one["words"], after=other["words"])  # fmt: skip
