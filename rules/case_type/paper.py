"""What a case type asks for and produces on paper: material slots and documents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .condition import BoundCondition

READ_AS = ("range", "plots")
ISSUED_ON = ("correction",)
"""Events besides an action that issue a document."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """A series and the pattern of its numbers."""

    series: str
    pattern: str


@dataclass(frozen=True, slots=True)
class MaterialSlot:
    """One kind of material that is asked for: formats are keys of file kinds, the size is in MB."""

    key: str
    label: str
    formats: tuple[str, ...]
    required: bool = False
    required_when: BoundCondition | None = None
    max_mb: int = 50
    many: bool = False
    collected_in: tuple[str, ...] = ()
    hint: str = ""
    template: str = ""
    read_as: str = ""
    personal: bool = False
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class DocumentSpec:
    """One document that is issued; `source` is the whole entry, for the domain's own document definition."""

    key: str
    label: str
    template: str
    source: Mapping[str, Any] = field(repr=False)
    number: Numbering | None = None
    needs: tuple[str, ...] = ()
    public: bool = False
    issued_in: tuple[str, ...] = ()
    """Steps whose holder may issue it by hand."""
    issued_on: str = ""
    line: int = field(default=0, compare=False)
