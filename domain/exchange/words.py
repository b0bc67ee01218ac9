"""What states and kinds of messages are called on screens and in exports."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).resolve().parent.parent / "reference" / "exchange_words.yaml"


@dataclass(frozen=True, slots=True)
class Word:
    """A state as a tag: what it is called, and in which tone."""

    label: str
    tone: str = ""


@cache
def _words() -> Mapping[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def word(group: str, key: str) -> Word:
    """The word for a state; group is statuses, results, states, inbox or attempts. Raises KeyError for an unknown one."""
    return Word(**_words()[group][key])


def choices(group: str) -> list[dict[str, str]]:
    """The states of a group for a select field."""
    return [{"value": key, "label": entry["label"]} for key, entry in _words()[group].items()]


def kind_label(kind: str) -> str:
    """What a kind of message is called; a kind without a word shows its key."""
    return _words()["kinds"].get(kind, kind)


def inbox_kind_label(kind: str) -> str:
    """What a kind of message in is called."""
    return _words()["inbox_kinds"].get(kind, kind)


def result_word(result: Mapping[str, Any]) -> Word:
    """A partner's final word on a message; a state without a word shows its key."""
    state = str(result.get("state", ""))
    return Word(**_words()["states"].get(state, {"label": state}))


def source_label(source: str) -> str:
    """How a message came in."""
    return _words()["sources"][source]
