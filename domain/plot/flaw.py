"""Cells of a workbook that cannot be taken as typed: merged with another, or a formula without a usable value.

The reader of values shows such cells as empty; so the worksheet itself is read once more, as a stream, for them alone.
"""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, iterparse

from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a cell cannot be taken."""

    reason: str
    is_merged: bool = False


Flaws = Mapping[tuple[int, int], Flaw]
"""By row and column, both from 1."""
_UNCOUNTED = Flaw("这一格是公式，文件里没有算出的值，请改成文字后再上传")
_MOST_MERGED = 20_000


def flaws_of(path: Path, sheet: Any) -> Flaws:
    """The flaws of a worksheet that openpyxl opened for reading alone."""
    found: dict[tuple[int, int], Flaw] = {}
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path) as part:
        for _event, element in iterparse(part):
            name = element.tag.rpartition("}")[2]
            if name == "c":
                found |= _cell(element)
            elif name == "mergeCell":
                found |= dict(_merged(element.get("ref", "")))
            if name in ("row", "mergeCell"):
                element.clear()
    return found


def _cell(element: Element) -> dict[tuple[int, int], Flaw]:
    """The flaw of a cell: an error value, or a formula whose value was never counted."""
    parts = {child.tag.rpartition("}")[2]: child.text for child in element}
    place = element.get("r", "")
    if place and element.get("t") == "e":
        return {coordinate_to_tuple(place): Flaw(f"这一格的值是 {parts.get('v') or '错误'}，请改正公式或改成文字")}
    if place and "f" in parts and not parts.get("v"):
        return {coordinate_to_tuple(place): _UNCOUNTED}
    return {}


def _merged(ref: str) -> Iterator[tuple[tuple[int, int], Flaw]]:
    """Every cell of a merged range but its first, which has the value."""
    west, north, east, south = range_boundaries(ref)
    if (east - west + 1) * (south - north + 1) > _MOST_MERGED:
        south = north + _MOST_MERGED // (east - west + 1)
    for row in range(north, south + 1):
        for column in range(west, east + 1):
            if (row, column) != (north, west):
                yield (row, column), Flaw(f"这一格与第 {north} 行合并，请取消合并，逐行填写", is_merged=True)
