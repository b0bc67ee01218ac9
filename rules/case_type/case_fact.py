"""What every case knows about itself, for conditions, texts and lists; written down in case_facts.yaml."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from rules.engine.document import Block, read_document
from rules.engine.value import Declaration

PREFIX = "case."


@cache
def _document() -> Block:
    return read_document(Path(__file__).with_name("case_facts.yaml"))


@cache
def case_facts() -> Mapping[str, Declaration]:
    """The facts `case.status`, `case.today` … by their full name."""
    return {
        PREFIX + key: Declaration(PREFIX + key, row["type"], row["label"], domain=row.get("domain"))
        for key, row in _document()["facts"].items()
    }


def case_facts_of(steps: Iterable[str]) -> Mapping[str, Declaration]:
    """The same, with `case.step` limited to the steps of one workflow."""
    step = replace(case_facts()["case.step"], domain={key: key for key in steps})
    return {**case_facts(), "case.step": step}


@cache
def text_fields() -> Mapping[str, str]:
    """Names that titles and documents may print beside the form's fields, with their labels."""
    return dict(_document()["texts"])


@cache
def list_columns() -> tuple[str, ...]:
    """Columns that every list has beside the searchable fields."""
    return tuple(_document()["columns"])
