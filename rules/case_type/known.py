"""What definitions may refer to by name; handed in, because rules imports nothing of ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class KnownRuleSet:
    """A rule set: its kind, the names of the facts it reads, and the outcomes and routes it may answer with."""

    kind: str
    facts: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()


def _no_fault(_document: Mapping[str, Any]) -> str | None:
    return None


@dataclass(frozen=True)
class Known:
    """Every name that a case type may use, and checks that belong to other modules.

    `facts` maps a provider to the keys it gives and their fact types; `dictionaries` a dictionary to its
    values and labels; `document_fault` and `number_fault` say what is wrong with a document entry or a
    number pattern, or None.
    """

    roles: frozenset[str]
    facts: Mapping[str, Mapping[str, str]]
    effects: frozenset[str]
    dictionaries: Mapping[str, Mapping[str, str]]
    rule_sets: Mapping[str, KnownRuleSet]
    document_templates: frozenset[str]
    panels: frozenset[str]
    operations: frozenset[str]
    partners: frozenset[str]
    formats: frozenset[str]
    document_fault: Callable[[Mapping[str, Any]], str | None] = field(default=_no_fault)
    number_fault: Callable[[str], str | None] = field(default=lambda _pattern: None)
