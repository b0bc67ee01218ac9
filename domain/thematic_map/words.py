"""The words, colours and papers of thematic maps: reference/thematic_map.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent.parent / "reference" / "thematic_map.yaml"


@cache
def words() -> Mapping[str, Any]:
    """The whole file."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def label_of(group: str, key: str) -> str:
    """What a key of a group is called on the screen; KeyError for one that the file lacks."""
    entry = words()[group][key]
    return entry if isinstance(entry, str) else entry["label"]


def choices(group: str) -> tuple[Mapping[str, str], ...]:
    """The keys of a group with their labels, for a select field."""
    return tuple({"value": key, "label": label_of(group, key)} for key in words()[group])


def paper_choices() -> tuple[Mapping[str, str], ...]:
    """The papers without the screens, for a select field."""
    return tuple(each for each in choices("papers") if not words()["papers"][each["value"]].get("is_screen"))


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of a unit: what it is called, its unit, and its decimals on maps and in tables."""

    key: str
    label: str
    unit: str
    decimals: int


def measures() -> tuple[Measure, ...]:
    """The measures that every layer has."""
    return tuple(Measure(key, **entry) for key, entry in words()["measures"].items())


def mark(key: str, **values: Any) -> str:
    """A sentence of the map's margin."""
    return words()["marks"][key].format(**values)
