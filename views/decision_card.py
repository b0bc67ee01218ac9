"""A decision of the rules as the component `ui.decision` reads it: verdict, sentence, conditions with both sides, basis."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.case.words import words
from domain.decision import REFUSING
from rules.engine import Decision
from rules.engine.kind import NONE, UNDETERMINED, kinds
from rules.engine.unit import unit_named

TONES = {"justify": "warn", "warn": "warn", "warning": "warn", "notice": "warn"}
STATES = {"true": "yes", "false": "no", "unknown": "unknown"}


def card(document: Mapping[str, Any], links: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """The card of a stored or fresh decision (its JSON form). Every limit and every value stands in its conditions."""
    edition = document["edition"]
    return {
        "tone": tone(document["outcome"]),
        "verdict": verdict(document),
        "sentence": document["message"] or document["title"],
        "conditions": _conditions(document),
        "remedy": _parameters(document),
        "basis": document["basis"] or _all_basis(document),
        "rule_set": document["title"],
        "edition": f"{edition['from']}{'（演示值）' if edition['demo'] else ''}，判断日期 {document['on']}",
        "links": list(links),
    }


def fresh_card(decision: Decision, links: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """The card of a decision that was made a moment ago."""
    return card(decision.to_json(), links)


def failed_card(rule_set: str, reason: str, links: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """The card of a set that could not answer: nothing passes, and why is said."""
    marks = words("verdicts")
    return {
        "tone": "bad", "verdict": marks["failed"], "sentence": reason, "conditions": [], "remedy": marks["failed_remedy"],
        "basis": "—", "rule_set": rule_set, "edition": "—", "links": list(links),
    }


def tone(outcome: str) -> str:
    """Colour of an outcome: bad stops, warn asks for a word, none cannot tell, good passes."""
    if outcome == UNDETERMINED:
        return ""
    return "bad" if outcome in REFUSING else TONES.get(outcome, "good")


def verdict(document: Mapping[str, Any]) -> str:
    """The outcome in one word; a gate that found nothing against a case lets it pass."""
    if document["outcome"] == NONE and kinds()[document["kind"]].gate:
        return words("verdicts")["passed"]
    return document["outcome_word"]


def _conditions(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """The findings of the rules that decided; of all rules when none did."""
    rows = document["considered"]
    decided = {row["rule"] for row in document["fired"]}
    if document["outcome"] == UNDETERMINED:
        decided |= {row["rule"] for row in rows if row["verdict"] == "unknown"}
    chosen = [row for row in rows if row["rule"] in decided] or rows
    return [
        {"state": STATES[leaf["verdict"]], "text": leaf["words"], "note": row["label"] if row["label"] != row["rule"] else ""}
        for row in chosen
        for leaf in row["leaves"]
    ]


def _parameters(document: Mapping[str, Any]) -> str:
    """The limits that the set read, with their basis: what the other side of each comparison rests on."""
    marks = words("verdicts")
    return "；".join(
        f"{one['label']} {_value(one['value'], one['unit'])}"
        f"（{one['basis']}{marks['default'] if one['default'] else ''}）"
        for one in document["parameters"].values()
    )


def _value(value: Any, unit: str | None) -> str:
    """A parameter with its unit in words; yes and no are no numbers."""
    if isinstance(value, bool):
        return "是" if value else "否"
    known = unit_named(unit) if unit else None
    return f"{value} {known.label}".rstrip() if known else str(value)


def _all_basis(document: Mapping[str, Any]) -> str:
    return "；".join(dict.fromkeys(row["basis"] for row in document["considered"]))
