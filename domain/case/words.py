"""What the states and parts of a case are called on screens and in exports."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from domain.case.tables import Case
from rules.engine.document import read_document

FILE = Path(__file__).resolve().parent.parent / "reference" / "case_words.yaml"


@cache
def words(group: str) -> Mapping[str, str]:
    """One group of words by key. Raises KeyError for a group that does not exist."""
    return dict(read_document(FILE)[group])


def status_words(case: Case) -> str:
    """The state of a case; a closed one says how it ended."""
    if case.status == "closed" and case.outcome:
        return words("outcomes")[case.outcome]
    return words("statuses")[case.status]


def code_of(case: Case) -> str:
    """The number of a case, or the number of its draft while it has none."""
    return case.number or case.draft_number
