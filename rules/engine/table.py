"""Shared legal numbers of rules/tables: each with unit, article, source and dated values."""

from collections.abc import Iterable
from pathlib import Path

from .declaration_reader import DeclarationReader
from .document import Block, UnreadableDocument, read_document
from .fault import Fault
from .note import KEY, Known, Notes
from .rule_set import Parameter

ROW_REQUIRED = ("label", "basis", "values")
ROW_OPTIONAL = ("type", "unit", "source", "checked_on", "verified", "note", "step", "min", "max")


def read_tables(folder: Path, faults: list[Fault]) -> dict[str, Parameter]:
    """Every dated number of the folder as `table.row`; faults are added to the given list."""
    found: dict[str, Parameter] = {}
    for file in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        found.update(_read(file, faults))
    return found


def _read(file: Path, faults: list[Fault]) -> Iterable[tuple[str, Parameter]]:
    notes = Notes(str(file))
    try:
        document = read_document(file)
    except UnreadableDocument as error:
        faults.append(Fault(str(file), error.line, "", error.message))
        return []
    rows = _rows(document, notes)
    faults.extend(notes.faults)
    return [] if notes.faults else rows


def _rows(document: Block, notes: Notes) -> list[tuple[str, Parameter]]:
    if not notes.schema(document, "", document.line, ("key", "title", "numbers"), ("note", "source")):
        return []
    key = document["key"]
    if not KEY.match(str(key)) or not isinstance(document["numbers"], Block):
        notes(document.line, "key", "key 应是小写英文，numbers 应是映射：每个键一个法定数")
        return []
    reader = DeclarationReader(notes, Known())
    for name, row in document["numbers"].items():
        line = document["numbers"].line_of(name)
        if notes.schema(row, f"numbers.{name}", line, ROW_REQUIRED, ROW_OPTIONAL):
            for kept in ("source", "checked_on", "verified"):
                row.pop(kept, None)
    return [
        (f"{key}.{name}", number)
        for name, number in reader.parameters(document["numbers"], document.line).items()
    ]
