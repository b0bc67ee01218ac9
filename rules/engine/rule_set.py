"""A rule set as read: its facts, parameters, derived facts, flags, rules and golden cases."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from .kind import Kind
from .leaf_report import LeafReport
from .message import Message
from .row_table import RowTable
from .syntax.condition import Condition
from .syntax.expression import Expression
from .value import DECISION_DATE, Declaration, plain

WORST, FIRST, ALL = "worst", "first", "all"


@dataclass(frozen=True, slots=True)
class Edition:
    """The days on which a rule set holds, both included; `until` None means until further notice."""

    start: date
    until: date | None
    demo: bool

    def holds(self, on: date) -> bool:
        return self.start <= on and (self.until is None or on <= self.until)


@dataclass(frozen=True, slots=True)
class DatedValue:
    """A value and the first day on which it holds (None: always)."""

    start: date | None
    value: Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """A legal number that a rule reads: dated, possibly different by the code of one fact."""

    declaration: Declaration
    basis: str
    default: bool
    values: tuple[DatedValue, ...]
    by: str | None = None
    special: Mapping[str, Any] = field(default_factory=dict)

    def general(self, on: date) -> Any:
        """The value on that day, None before the first one."""
        found = None
        for dated in self.values:
            if dated.start is None or dated.start <= on:
                found = dated.value
        return found

    def value(self, on: date, facts: Mapping[str, Any]) -> Any:
        """The value for these facts; None when the fact it depends on is missing."""
        if self.by is None:
            return self.general(on)
        code = facts[self.by]
        if code is None:
            return None
        return self.special[code] if code in self.special else self.general(on)


@dataclass(frozen=True, slots=True)
class Derived:
    """A fact that is worked out from others: a value, or the verdict of a condition."""

    declaration: Declaration
    expression: Expression | None
    condition: Condition | None

    def reads(self) -> frozenset[str]:
        return (self.expression or self.condition).reads()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: when it holds, what follows, on what basis."""

    key: str
    label: str
    basis: str
    when: Condition
    outcome: str | None
    message: Message | None
    sets: tuple[str, ...]
    values: Mapping[str, Any]
    line: int
    when_line: int


@dataclass(frozen=True, slots=True)
class Case:
    """A golden case: what was given on a day and what must come of it."""

    name: str
    on: date
    given: Mapping[str, Any]
    expect: Mapping[str, Any]
    line: int


@dataclass(frozen=True)
class RuleSet:
    """One edition of one rule set, ready to be compiled."""

    key: str
    title: str
    kind: Kind
    edition: Edition
    hit: str
    hit_declared: bool
    covers: tuple[str, ...]
    asked_on: tuple[str, ...]
    facts: Mapping[str, Declaration]
    parameters: Mapping[str, Parameter]
    tables: Mapping[str, RowTable]
    derived: Mapping[str, Derived]
    flags: Mapping[str, Declaration]
    rules: tuple[Rule, ...]
    cases: tuple[Case, ...]
    file: str
    lines: Mapping[str, int]
    content: str

    @cached_property
    def names(self) -> dict[str, Declaration]:
        """Every name a rule may read, with its declaration."""
        return {
            **self.facts,
            **{key: parameter.declaration for key, parameter in self.parameters.items()},
            **{key: derived.declaration for key, derived in self.derived.items()},
            **self.flags,
            "on": DECISION_DATE,
        }

    @cached_property
    def digest(self) -> str:
        """SM3 of the canonical content, golden cases left out: they do not change an answer."""
        return hashlib.new("sm3", self.content.encode()).hexdigest()

    @cached_property
    def leaf_reports(self) -> tuple[tuple[LeafReport, ...], ...]:
        """How each leaf of each rule is reported."""
        return tuple(
            tuple(LeafReport(leaf, self.names) for leaf in rule.when.leaves()) for rule in self.rules
        )


def canonical(document: Mapping[str, Any]) -> str:
    """The document without its golden cases as one JSON text; mapping order is kept, it is the order of the rules."""
    kept = {key: plain(value) for key, value in document.items() if key != "cases"}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
