"""Columns as a driver takes them: names that fit the format, values in the driver's type with a mask of what is missing."""

import datetime
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy

from domain.errors import InvalidData
from domain.spatial_file.model import FileField, FileLayer

_TYPES = {
    "integer": ("int64", 0), "decimal": ("float64", 0.0), "boolean": ("bool", False),
    "date": ("datetime64[D]", "NaT"), "moment": ("datetime64[ms]", "NaT"),
}  # fmt: skip
_KINDS = {"integer": int, "decimal": float, "boolean": bool}


@dataclass(frozen=True, slots=True)
class NameRule:
    """What a format allows of a field name: its length in bytes of an encoding, and names that it keeps to itself."""

    longest_bytes: int
    encoding: str = "utf-8"
    reserved: Collection[str] = ()


def fitting_names(layer: FileLayer, rule: NameRule) -> tuple[dict[str, str], list[str]]:
    """Written name by field name, and a note for each that changed.

    A name too long is cut at the last whole character that fits; one that then repeats (without regard to case) or
    is reserved is cut again to end in _1, _2 …
    """
    found: dict[str, str] = {}
    taken = {name.lower() for name in rule.reserved}
    for field in layer.fields:
        name, number = _cut(field.name, "", rule), 0
        while name.lower() in taken:
            number += 1
            name = _cut(field.name, f"_{number}", rule)
        taken.add(name.lower())
        found[field.name] = name
    changed = [f"图层“{layer.name}”的字段名“{old}”写为“{new}”。" for old, new in found.items() if old != new]
    return found, changed


def _cut(name: str, ending: str, rule: NameRule) -> str:
    try:
        while len((name + ending).encode(rule.encoding)) > rule.longest_bytes:
            name = name[:-1]
    except UnicodeEncodeError as error:
        raise InvalidData(f"字段名“{name}”含有 {rule.encoding} 没有的字。请改用 UTF-8，或改写字段名。") from error
    return name + ending


def written(layer: FileLayer, field: FileField) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Values of a column in the driver's type, and True where one is missing; InvalidData names row and field."""
    values = [layer.columns[field.name][row] for row in range(layer.count)]
    missing = numpy.array([is_missing(value) for value in values], dtype=bool)
    if field.type not in _TYPES:
        return _texts(layer, field, values, missing), missing
    dtype, blank = _TYPES[field.type]
    plain = [blank if gone else _typed(layer, field, row, value)
             for row, (value, gone) in enumerate(zip(values, missing, strict=True), start=1)]  # fmt: skip
    return numpy.array(plain, dtype=dtype), missing


def is_missing(value: Any) -> bool:
    """True for no value: None, or what is not a number."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _typed(layer: FileLayer, field: FileField, row: int, value: Any) -> Any:
    try:
        if field.type in _KINDS:
            return _KINDS[field.type](value)
        if isinstance(value, datetime.datetime) and value.tzinfo:
            value = value.astimezone(datetime.UTC).replace(tzinfo=None)
        return numpy.datetime64(value)
    except (TypeError, ValueError) as error:
        raise InvalidData(
            f"图层“{layer.name}”第 {row} 行字段“{field.name}”的值“{value}”与字段类型不符，不能写入。请更正后再导出。"
        ) from error


def _texts(layer: FileLayer, field: FileField, values: list[Any], missing: numpy.ndarray) -> numpy.ndarray:
    if field.type == "binary":
        raise InvalidData(f"图层“{layer.name}”的字段“{field.name}”是二进制内容，不能写入。请去掉该字段后再导出。")
    column = numpy.empty(len(values), dtype=object)
    column[:] = [None if gone else str(value) for value, gone in zip(values, missing, strict=True)]
    return column


def check_texts(layer: FileLayer, columns: Mapping[str, numpy.ndarray], encoding: str, longest_bytes: int) -> None:
    """Refuse (InvalidData, with row and field) a text that the encoding lacks or that is too long."""
    for name, column in columns.items():
        for row, value in enumerate(column, start=1):
            if isinstance(value, str):
                _check_text(f"图层“{layer.name}”第 {row} 行字段“{name}”", value, encoding, longest_bytes)


def _check_text(where: str, value: str, encoding: str, longest_bytes: int) -> None:
    try:
        size = len(value.encode(encoding))
    except UnicodeEncodeError as error:
        lacking = value[error.start : error.end]
        raise InvalidData(f"{where}的“{lacking}”不在 {encoding} 编码里，不能写入。请改用 UTF-8 导出。") from error
    if size > longest_bytes:
        raise InvalidData(f"{where}的值长 {size} 字节，超过 {longest_bytes} 字节。请缩短，或改用 GeoPackage 导出。")
