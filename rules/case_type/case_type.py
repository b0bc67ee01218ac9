"""One case type 事项 in one edition: everything its five files say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from .form import FormDefinition
from .paper import DocumentSpec, MaterialSlot, Numbering
from .workflow import WorkflowDefinition

AUDIENCES = ("enterprise", "citizen", "anyone", "staff")
CASE_SCOPES = ("city", "district")


@dataclass(frozen=True, slots=True)
class Edition:
    """From which day an edition holds, and until which (that day included; None: open)."""

    from_on: date
    until_on: date | None = None

    @property
    def key(self) -> str:
        """First day as YYYY-MM-DD, the key kept with each case."""
        return self.from_on.isoformat()

    def covers(self, on: date) -> bool:
        return self.from_on <= on and (self.until_on is None or on <= self.until_on)

    def overlaps(self, other: "Edition") -> bool:
        first, second = sorted((self, other), key=lambda edition: edition.from_on)
        return first.until_on is None or first.until_on >= second.from_on


@dataclass(frozen=True, slots=True)
class ClockDefinition:
    """A time limit: counted in days from its start, or due on a date that a field holds."""

    key: str
    label: str
    counting: str
    light: str
    days: int | None = None
    due_from: str = ""
    legal_days: int | None = None
    warning_days: int = 0
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class CaseNumbering:
    """How and when a case gets its number."""

    numbering: Numbering
    step: str
    action: str


@dataclass(frozen=True, slots=True)
class Guide:
    """What a person reads before filing."""

    who: str = ""
    conditions: tuple[str, ...] = ()
    steps_note: str = ""
    fee: str = ""
    result: str = ""
    window: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class ListDefinition:
    """Columns of this case type's list and its order (`-` before a key: newest or largest first)."""

    columns: tuple[str, ...] = ()
    default_sort: str = "-submitted_at"


@dataclass(frozen=True)
class CaseType:
    """A case type in one edition."""

    key: str
    title: str
    short: str
    group: str
    edition: Edition
    basis: tuple[str, ...]
    owner: str
    audience: str
    started_by: tuple[str, ...]
    scope: str
    title_from: str
    draft_prefix: str
    number: CaseNumbering | None
    asks_on_start: tuple[str, ...]
    clocks: tuple[ClockDefinition, ...]
    guide: Guide
    list: ListDefinition
    links: Mapping[str, str]
    functions: tuple[str, ...]
    form: FormDefinition
    workflow: WorkflowDefinition
    materials: tuple[MaterialSlot, ...]
    documents: tuple[DocumentSpec, ...]
    folder: str = field(default="", compare=False)

    def clock(self, key: str) -> ClockDefinition:
        """The clock of this key. Raises KeyError."""
        return _found(self.clocks, key)

    def material(self, key: str) -> MaterialSlot:
        """The material slot of this key. Raises KeyError."""
        return _found(self.materials, key)

    def document(self, key: str) -> DocumentSpec:
        """The document of this key. Raises KeyError."""
        return _found(self.documents, key)

    def editable_sections(self, step: str) -> frozenset[str]:
        """Keys of the form sections that may be edited in a step."""
        own = {section.key for section in self.form.sections if step in section.editable_in}
        return frozenset(own | set(self.workflow.step(step).edits))


def _found(definitions: tuple, key: str):
    for each in definitions:
        if each.key == key:
            return each
    raise KeyError(key)
