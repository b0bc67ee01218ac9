"""The words of the rules workbench on screens, by group."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from rules.engine.document import read_document

FILE = Path(__file__).with_name("wording.yaml")


@cache
def wording(group: str) -> Mapping[str, str]:
    """One group of words by key. Raises KeyError for a group that does not exist."""
    return dict(read_document(FILE)[group])
