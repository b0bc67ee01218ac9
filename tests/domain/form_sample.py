"""Forms for the tests of the form engine, written as a definition file would be."""

from collections.abc import Mapping
from typing import Any

from domain.form import Choice, Form
from rules.case_type.case_fact import case_facts_of
from rules.case_type.entry import Entry, Notes
from rules.case_type.form import FieldDefinition, FormDefinition
from rules.case_type.form_reader import FormReader
from rules.engine.document import parse_document
from tests.rules.case_type_sample import KNOWN

DICTIONARIES = {
    "pipeline_kind": (
        Choice("water", "给水"),
        Choice("gas", "燃气"),
        Choice("coal_gas", "煤气", is_retired=True),
    ),
    "districts": (Choice("310101", "黄浦区"), Choice("310118", "青浦区")),
    "towns": (Choice("310118002", "香花桥街道"),),
}


def definition(text: str) -> FormDefinition:
    """The form in a YAML text, as the loader reads it; faults fail the test."""
    faults: list = []
    root = Entry(parse_document(text), "", Notes("form.yaml", faults))
    form = FormReader(root, KNOWN, case_facts_of(["apply", "window"]), "apply", ("apply", "window")).read()
    assert not faults, [str(fault) for fault in faults]
    return form


def form_of(text: str, values: Mapping[str, Any] | None = None, **rights: Any) -> Form:
    """A form with all its sections editable unless told otherwise."""
    form = definition(text)
    settings = {
        "step": "apply",
        "editable": {section.key for section in form.sections},
        "dictionaries": DICTIONARIES,
    }
    return Form(form, values or {}, **{**settings, **rights})


def one_field(line: str, values: Mapping[str, Any] | None = None, **rights: Any) -> Form:
    """A form of one section `main` with one field."""
    return form_of(
        f"sections:\n  - key: main\n    label: 主要\n    fields:\n      - {line}\n", values, **rights
    )


def field(line: str) -> FieldDefinition:
    """One field definition."""
    return next(one_field(line).definition.fields())
