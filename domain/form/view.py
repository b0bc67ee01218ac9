"""What templates get to see of a form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Choice:
    """One code that may be chosen; a retired one stays valid where it is already chosen."""

    value: str
    label: str
    hint: str = ""
    is_retired: bool = False


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field as shown: `name` is posted, `id` is linked from the error summary."""

    path: str
    name: str
    id: str
    label: str
    type: str
    value: Any
    shown: str
    is_editable: bool
    is_required: bool
    is_filled: bool = False
    hint: str = ""
    error: str = ""
    wrong_parts: tuple[str, ...] = ()
    unit: str = ""
    conversion: str = ""
    choices: tuple[Choice, ...] = ()
    prefill: Mapping[str, Any] | None = None
    place: Mapping[str, Any] | None = None
    max_length: int = 0
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry of a repeated section; `place` is what its delete and move buttons post."""

    index: int
    place: str
    fields: tuple[FieldView, ...]
    can_remove: bool


@dataclass(frozen=True, slots=True)
class SectionView:
    """One section: either `fields`, or `entries` when it is repeated."""

    key: str
    label: str
    note: str
    is_editable: bool
    is_repeated: bool
    fields: tuple[FieldView, ...] = ()
    entries: tuple[EntryView, ...] = ()
    item: str = ""
    add_label: str = ""
    can_add: bool = False
    error: str = ""
    filled_count: int = 0
    asked_count: int = 0
    is_personal: bool = False

    @property
    def is_complete(self) -> bool:
        """True when every field that must be filled in is, and nothing in it is wrong."""
        is_wrong = bool(self.error) or any(each.error for each in self.all_fields())
        return self.filled_count == self.asked_count and not is_wrong

    def all_fields(self) -> tuple[FieldView, ...]:
        return (*self.fields, *(each for entry in self.entries for each in entry.fields))


@dataclass(frozen=True, slots=True)
class FormError:
    """One line of the error summary: the id of the field and the message."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that changed between two rounds, in words."""

    path: str
    section: str
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One typed search value."""

    field: str
    text_value: str | None = None
    number_value: Any = None
    date_value: Any = None


@dataclass(frozen=True, slots=True)
class PrintSection:
    """A section on paper: rows of label and words, or one such group for each entry."""

    label: str
    rows: tuple[tuple[str, str], ...] = ()
    entries: tuple[tuple[tuple[str, str], ...], ...] = field(default=())
