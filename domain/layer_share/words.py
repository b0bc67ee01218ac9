"""The words of shares: reference/layer_sharing.yaml."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent.parent / "reference" / "layer_sharing.yaml"


@cache
def words() -> Mapping[str, Any]:
    """The whole file."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def choices(group: str) -> tuple[Mapping[str, str], ...]:
    """The keys of a group with their labels."""
    return tuple({"value": key, "label": label} for key, label in words()[group].items())
