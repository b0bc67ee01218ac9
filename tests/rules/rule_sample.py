"""Small rule sets for tests, given as parts that matter."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from rules.engine import Decision, RuleSet, read_text
from rules.engine.rule_book import PYTHON, CompiledSet

DAY = date(2026, 6, 30)
FACTS: dict[str, Any] = {
    "area_m2": {"type": "decimal", "unit": "m2", "label": "面积"},
    "other_m2": {"type": "decimal", "unit": "m2", "label": "另一面积"},
    "count": {"type": "integer", "label": "件数"},
    "status": {"type": "code", "label": "状态", "domain": ["甲", "乙", "丙"]},
    "name": {"type": "text", "label": "名称"},
    "done": {"type": "boolean", "label": "已办"},
    "filed_on": {"type": "date", "label": "收件日"},
    "plots": {
        "type": "list",
        "label": "地块",
        "columns": {
            "size_m2": {"type": "decimal", "unit": "m2", "label": "地块面积"},
            "code": {"type": "text", "label": "地块编号"},
        },
    },
}
FACTS["number"] = FACTS.pop("count")


def sample(*rules: Mapping[str, Any], kind: str = "validation", **parts: Any) -> RuleSet:
    """A rule set over FACTS with the given rules; `parts` replaces or adds sections."""
    document = {
        "key": "sample", "title": "样例", "kind": kind, "edition": {"from": "2026-01-01"}, "facts": FACTS,
        "rules": list(rules), **parts,
    }  # fmt: skip
    return read_text(json.dumps(document, ensure_ascii=False, default=str), "sample.yaml")


def rule(key: str, when: Any, outcome: str | None = "refuse", **then: Any) -> dict[str, Any]:
    """One rule."""
    return {
        "key": key,
        "basis": "样例",
        "when": when,
        "then": {**({"outcome": outcome} if outcome else {}), **then},
    }


def decided(rules: RuleSet, facts: Mapping[str, Any], engine: str = PYTHON, on: date = DAY) -> Decision:
    """The decision of a sample set."""
    return CompiledSet(rules, engine).decide(facts, on)


def verdict(when: Any, facts: Mapping[str, Any], engine: str = PYTHON, **parts: Any) -> str:
    """Verdict of a single condition: true, false or unknown."""
    return decided(sample(rule("only", when), **parts), facts, engine).considered[0]["verdict"]
