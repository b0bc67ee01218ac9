"""One decision explained: for the command line and for the workbench."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from .decision import Decision
from .rule_book import BOTH, CompiledSet
from .rule_set import RuleSet


def explain(rules: RuleSet, facts: Mapping[str, Any], on: date, engine: str = BOTH) -> Decision:
    """The decision of one set on the given facts; `.sentences()` is the text, `.to_json()` the data."""
    return CompiledSet(rules, engine).decide(facts, on)
