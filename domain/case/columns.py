"""Columns of case lists and of their exports: what every case has, and the searchable fields of one case type."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from domain.case.inbox import SORT_COLUMNS, CaseLine
from domain.case.tables import Case
from domain.case.words import code_of, status_words, words
from domain.form import Choice
from domain.form.value import unit_word
from rules.case_type import CaseType, Catalogue
from rules.case_type.form import NUMBER_TYPES, FieldDefinition, dictionary_of

Cell = str | Decimal | date | datetime | None
Dictionaries = Mapping[str, Sequence[Choice]]

USUAL = ("clock", "title", "case_type", "town", "step", "holder", "submitted_at", "number")
"""What a list shows while nobody chose otherwise."""
EXPORTABLE = ("number", "title", "case_type", "status", "district", "town", "step", "holder", "submitted_at", "due_on",
              "light", "closed_at")
OWN_NAMES = {"district_code": "district", "steps": "step", "draft_number": "number"}
"""Names by which a case type may call a column of ours (rules/case_type/case_facts.yaml)."""
FIELD_PREFIX = "f_"
"""Before the key of a form field, so that it never meets a key of ours."""


@dataclass(frozen=True)
class Column:
    """One column: its key, its head, and the form field behind it if there is one."""

    key: str
    label: str
    form_field: FieldDefinition | None = None
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_number(self) -> bool:
        return self.form_field is not None and self.form_field.type in NUMBER_TYPES

    @property
    def is_sortable(self) -> bool:
        return self.key in SORT_COLUMNS


def columns_of(case_type: CaseType | None, dictionaries: Dictionaries) -> dict[str, Column]:
    """Every column a list may show, by key, in the order they are offered."""
    found = {key: Column(key, label) for key, label in words("columns").items()}
    for one in searchable(case_type):
        unit = f"（{unit_word(one)}）" if unit_word(one) else ""
        key = FIELD_PREFIX + one.key
        found[key] = Column(key, one.label + unit, one, code_words(one, dictionaries))
    return found


def searchable(case_type: CaseType | None) -> list[FieldDefinition]:
    """The fields of a case type that are kept in the typed index."""
    return [one for one in case_type.form.fields() if one.search] if case_type else []


def code_words(one: FieldDefinition, dictionaries: Dictionaries) -> dict[str, str]:
    """The words of a field's codes, retired ones included."""
    if one.type == "boolean":
        return {"true": "是", "false": "否"}
    own = {option.value: option.label for option in one.options}
    return own | {choice.value: choice.label for choice in dictionaries.get(dictionary_of(one), ())}


def usual_columns(case_type: CaseType | None) -> tuple[str, ...]:
    """The columns of a list that nobody changed: the usual ones and those that the case type names."""
    keys = {one.key for one in searchable(case_type)}
    named = case_type.list.columns if case_type else ()
    own = [FIELD_PREFIX + key if key in keys else OWN_NAMES.get(key, key) for key in named]
    return tuple(dict.fromkeys((*USUAL, *own)))


def wanted(keys: Iterable[str], known: Mapping[str, Column]) -> list[Column]:
    """The named columns in the order they are offered; unknown names fall away."""
    named = set(keys)
    return [column for key, column in known.items() if key in named]


def field_keys(columns: Iterable[Column]) -> tuple[str, ...]:
    """Keys of the form fields among the columns: what the typed index is asked for."""
    return tuple(column.form_field.key for column in columns if column.form_field is not None)


@dataclass(frozen=True)
class Places:
    """Names of districts and towns by code."""

    districts: Mapping[str, str]
    towns: Mapping[str, str]

    @classmethod
    def of(cls, dictionaries: Dictionaries) -> "Places":
        named = [{choice.value: choice.label for choice in dictionaries.get(key, ())} for key in ("districts", "towns")]
        return cls(*named)


def cell(
    column: Column, case: Case | CaseLine, holder: str, values: Mapping[str, Any], catalogue: Catalogue, places: Places
) -> Cell:
    """The plain value of a case in a column: text, number, date or moment."""
    if column.form_field is not None:
        value = values.get(column.form_field.key)
        return column.choices.get(value, value) if isinstance(value, str) else value
    own = _OWN.get(column.key)
    return own(case, holder, catalogue, places) if own else getattr(case, column.key)


# One function a column, made once: a list asks for each of them in every row.
_OWN: dict[str, Callable[[Case | CaseLine, str, Catalogue, Places], Cell]] = {
    "clock": lambda case, holder, catalogue, places: case.light_words,
    "title": lambda case, holder, catalogue, places: case.title,
    "case_type": lambda case, holder, catalogue, places: catalogue.edition(case.case_type, case.edition).short,
    "status": lambda case, holder, catalogue, places: status_words(case),
    "district": lambda case, holder, catalogue, places: places.districts.get(case.district_code or "", case.district_code),
    "town": lambda case, holder, catalogue, places: places.towns.get(case.town_code or "", case.town_code),
    "step": lambda case, holder, catalogue, places: step_words(case, catalogue),
    "holder": lambda case, holder, catalogue, places: holder,
    "number": lambda case, holder, catalogue, places: code_of(case),
    "light": lambda case, holder, catalogue, places: words("lights").get(case.light, ""),
    "outcome": lambda case, holder, catalogue, places: words("outcomes").get(case.outcome or "", ""),
}


def step_words(case: Case | CaseLine, catalogue: Catalogue) -> str:
    """The steps now in hand, in words."""
    if not case.steps:
        return ""
    workflow = catalogue.edition(case.case_type, case.edition).workflow
    return "、".join(workflow.step(key).label for key in case.steps.split(",") if key)
