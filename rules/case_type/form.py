"""The form of a case type as data: sections, fields, and the facts they give to conditions and rules."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

from rules.engine.unit import unit_named
from rules.engine.value import Declaration

from .condition import BoundCondition

FACT_TYPES = {
    "text": "text",
    "long_text": "text",
    "phone": "text",
    "credit_code": "text",
    "email": "text",
    "integer": "integer",
    "decimal": "decimal",
    "money": "decimal",
    "area": "decimal",
    "length": "decimal",
    "date": "date",
    "choice": "code",
    "boolean": "boolean",
    "district": "code",
    "town": "code",
    "choices": "list",
    "range": "",
    "plots": "",
    "note": "",
}
"""Field type → fact type; range and plots give facts of their own names, a note gives none."""

FIELD_TYPES = tuple(FACT_TYPES)
NUMBER_TYPES = ("integer", "decimal", "money", "area", "length")
TEXT_TYPES = ("text", "long_text", "phone", "credit_code", "email")
CHOICE_TYPES = ("choice", "choices")
PLACE_TYPES = ("range", "plots")
SEARCHABLE_TYPES = (
    "text",
    "phone",
    "credit_code",
    "email",
    *NUMBER_TYPES,
    "date",
    "choice",
    "boolean",
    "district",
    "town",
)
IMPLIED_UNITS = {"area": "m2", "money": "yuan", "length": "m"}
IMPLIED_DECIMALS = {"area": 2, "money": 2, "length": 2, "integer": 0, "decimal": 4}
OWN_DICTIONARIES = {"district": "districts", "town": "towns"}
LONGEST = {"text": 200, "long_text": 5000, "phone": 20, "credit_code": 18, "email": 200}


@dataclass(frozen=True, slots=True)
class Option:
    """One value that may be chosen."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a system takes a value from: `provider.key`; for a prefill, whether people may change it."""

    provider: str
    key: str
    may_change: bool = False
    otherwise: str = ""
    """What is said when the provider has no value."""


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One field; `path` is its key, or `section.key` inside a repeated section."""

    key: str
    label: str
    type: str
    section: str
    is_repeated: bool = False
    unit: str = ""
    required: bool = False
    required_when: BoundCondition | None = None
    visible_when: BoundCondition | None = None
    minimum: Decimal | date | None = None
    maximum: Decimal | date | None = None
    decimals: int = 0
    max_length: int = 0
    pattern: str = ""
    pattern_hint: str = ""
    dictionary: str = ""
    options: tuple[Option, ...] = ()
    prefill: Source | None = None
    computed: Source | None = None
    search: bool = False
    hint: str = ""
    personal: bool = False
    basis: str = ""
    same_rule: str = ""
    line: int = field(default=0, compare=False)

    @property
    def path(self) -> str:
        return f"{self.section}.{self.key}" if self.is_repeated else self.key

    @property
    def is_written_by_system(self) -> bool:
        """True when nobody types this value: computed, or prefilled without the right to change it."""
        return self.computed is not None or (self.prefill is not None and not self.prefill.may_change)


@dataclass(frozen=True, slots=True)
class Repeat:
    """How often a section may be filled in, and what one of its entries is called."""

    minimum: int
    maximum: int
    item: str
    add: str


@dataclass(frozen=True, slots=True)
class SectionDefinition:
    """Fields that belong together; `editable_in` and `shown_in` are steps (shown_in empty: everywhere)."""

    key: str
    label: str
    fields: tuple[FieldDefinition, ...]
    note: str = ""
    visible_when: BoundCondition | None = None
    repeat: Repeat | None = None
    editable_in: tuple[str, ...] = ()
    shown_in: tuple[str, ...] = ()
    personal: bool = False
    line: int = field(default=0, compare=False)

    def is_shown_in(self, step: str) -> bool:
        return not self.shown_in or step in self.shown_in


@dataclass(frozen=True)
class FormDefinition:
    """All sections of a form, in order."""

    sections: tuple[SectionDefinition, ...]

    def fields(self) -> Iterator[FieldDefinition]:
        """Every field, those of repeated sections included."""
        for section in self.sections:
            yield from section.fields

    def field(self, path: str) -> FieldDefinition:
        """The field of this path. Raises KeyError."""
        return self._fields[path]

    def has(self, path: str) -> bool:
        return path in self._fields

    def section(self, key: str) -> SectionDefinition:
        """The section of this key. Raises KeyError."""
        return self._sections[key]

    @cached_property
    def _fields(self) -> Mapping[str, FieldDefinition]:
        return {each.path: each for each in self.fields()}

    @cached_property
    def _sections(self) -> Mapping[str, SectionDefinition]:
        return {each.key: each for each in self.sections}

    @cached_property
    def names(self) -> Mapping[str, Declaration]:
        """The facts this form gives; a repeated section is a list of records."""
        names: dict[str, Declaration] = {}
        for section in self.sections:
            columns = {name: each for one in section.fields for name, each in declarations(one).items()}
            if section.repeat is None:
                names |= columns
            else:
                names[section.key] = Declaration(section.key, "list", section.label, columns=columns)
        return names


def declarations(one: FieldDefinition, domain: Mapping[str, str] | None = None) -> dict[str, Declaration]:
    """The facts that one field gives, by name; `domain` limits what a condition may compare it with."""
    kind = FACT_TYPES[one.type]
    if one.type == "choices":
        column = Declaration("value", "code", one.label, domain=domain)
        return {one.key: Declaration(one.key, "list", one.label, columns={"value": column})}
    if one.type == "range":
        return {
            f"{one.key}_area_m2": Declaration(
                f"{one.key}_area_m2", "decimal", f"{one.label}面积", unit_named("m2")
            ),
            f"{one.key}_feature_count": Declaration(
                f"{one.key}_feature_count", "integer", f"{one.label}图形数"
            ),
        }
    if one.type == "plots":
        return {f"{one.key}_count": Declaration(f"{one.key}_count", "integer", f"{one.label}块数")}
    if not kind:
        return {}
    return {
        one.key: Declaration(one.key, kind, one.label, unit_named(one.unit) if one.unit else None, domain)
    }


def dictionary_of(one: FieldDefinition) -> str:
    """The key of the dictionary whose codes the field takes; empty for a field without one."""
    return one.dictionary or OWN_DICTIONARIES.get(one.type, "")
