"""Columns of values as rows bring them: fields told from the values where a format declares none."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy

from domain.spatial_file.model import FileField

_KINDS = ((bool, "boolean"), (int, "integer"), (float, "decimal"), (datetime.datetime, "moment"), (datetime.date, "date"))


def as_column(values: Iterable[Any]) -> numpy.ndarray:
    """An array of plain values, None for what is missing."""
    listed = list(values)
    column = numpy.empty(len(listed), dtype=object)
    column[:] = listed
    return column


def told_by_values(rows: Sequence[Mapping[str, Any]], names: Iterable[str] | None = None) -> dict[str, numpy.ndarray]:
    """Columns of rows by name, in the order in which the names first appear."""
    ordered = dict.fromkeys(names if names is not None else (name for row in rows for name in row))
    return {name: as_column(row.get(name) for row in rows) for name in ordered}


def common_type(shapes: Iterable[Any]) -> str:
    """The geometry type of all shapes, the multiple one if some are; Geometry for a mixture, "" for none."""
    kinds = {shape.geom_type for shape in shapes if shape is not None}
    if len({kind.removeprefix("Multi") for kind in kinds}) == 1:
        return max(kinds, key=len)
    return "Geometry" if kinds else ""


def field_of_values(name: str, column: numpy.ndarray, alias: str = "") -> FileField:
    """A field whose type is that of all its values; text where they differ."""
    kinds = {_kind(value) for value in column if value is not None}
    if kinds == {"integer", "decimal"}:
        return FileField(name, alias, "decimal")
    return FileField(name, alias, kinds.pop() if len(kinds) == 1 else "text")


def _kind(value: Any) -> str:
    return next((kind for type_, kind in _KINDS if isinstance(value, type_)), "text")
