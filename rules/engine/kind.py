"""The twelve kinds of rule set: where each is asked and what it may answer."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .document import read_document

NONE, UNDETERMINED = "none", "undetermined"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rule set; `outcomes` maps outcome to its word, worst first."""

    key: str
    label: str
    asked_on: tuple[str, ...]
    gate: bool
    outcomes: dict[str, str]
    values: dict[str, str]

    def severity(self, outcome: str) -> int:
        """Rank of an outcome, 0 being the worst."""
        return list(self.outcomes).index(outcome)

    def word(self, outcome: str) -> str:
        return {NONE: "无结论", UNDETERMINED: "判不出"}.get(outcome) or self.outcomes[outcome]


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by its key."""
    block = read_document(Path(__file__).with_name("kinds.yaml"))
    return {key: _kind(key, row) for key, row in block.items()}


def _kind(key: str, row: dict) -> Kind:
    return Kind(
        key, row["label"], tuple(row["asked_on"]), row["gate"], dict(row["outcomes"]), dict(row["values"])
    )
