"""What a document says, and nothing about its number, date or mark: equal for preview and final."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under column heads; `numeric` marks the columns whose figures stand to the right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A titled group of labelled values and tables, as on a form."""

    title: str
    rows: tuple[Row, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person said at one step: 环节、意见、姓名、时间."""

    step: str
    text: str
    person: str
    at: str


@dataclass(frozen=True, slots=True)
class DocumentContent:
    """One composed document. All values are the printed words, so that the digest is that of what is read."""

    template: str
    title: str
    issuer: str = ""
    heading: str = "plain"
    addressee: str = ""
    paragraphs: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    tables: tuple[Table, ...] = ()
    sections: tuple[Section, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    closing: str = ""
    enclosures: tuple[str, ...] = ()
    copies: str = ""
    contact: str = ""
    receipt: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the public verification page shows besides title, number, issuer and date; no personal data."""

    def digest(self) -> str:
        """SM3 of the canonical text of the content, as 64 hex digits: a different one means changed data."""
        canonical = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.new("sm3", canonical.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Plain lists and mappings, for the record of a version."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "DocumentContent":
        """The content as recorded by to_json()."""
        return cls(
            **{
                **data,
                "paragraphs": tuple(data["paragraphs"]),
                "rows": _rows(data["rows"]),
                "tables": _tables(data["tables"]),
                "sections": tuple(
                    Section(each["title"], _rows(each["rows"]), _tables(each["tables"])) for each in data["sections"]
                ),
                "opinions": tuple(Opinion(**each) for each in data["opinions"]),
                "enclosures": tuple(data["enclosures"]),
            }
        )


def _rows(data: Any) -> tuple[Row, ...]:
    return tuple(Row(**each) for each in data)


def _tables(data: Any) -> tuple[Table, ...]:
    return tuple(
        Table(each["title"], tuple(each["columns"]), tuple(map(tuple, each["rows"])), tuple(each["numeric"]))
        for each in data
    )
