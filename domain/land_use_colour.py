"""Colours of land-use classes, by classification; each value says whether it is from a standard, from memory, or our own."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rules.engine.document import read_document

FILE = Path(__file__).parent / "reference" / "land_use_colours.yaml"
THIRD_SURVEY, LAND_SEA_USE = "third_survey", "land_sea_use"
BASES = ("standard", "memory", "own")


@dataclass(frozen=True, slots=True)
class ClassColour:
    """The colour (#rrggbb) of the classes that begin with a code, and what it rests on (one of BASES)."""

    code: str
    name: str
    colour: str
    basis: str


@functools.cache
def colours(classification: str = THIRD_SURVEY) -> Mapping[str, ClassColour]:
    """The colours of a classification by code. Raises KeyError for another classification, ValueError for an unknown basis."""
    rows = [ClassColour(str(row["code"]), row["name"], row["colour"], row["basis"]) for row in read_document(FILE)[classification]["colours"]]
    if wrong := [each.code for each in rows if each.basis not in BASES]:
        raise ValueError(f"{FILE.name} 中 {wrong[0]} 的 basis 不在 {'、'.join(BASES)} 之内。请改正。")
    return MappingProxyType({each.code: each for each in rows})


def colour_of(class_code: str, classification: str = THIRD_SURVEY) -> str | None:
    """The colour of a class by the longest code that it begins with; None if there is none."""
    known = colours(classification)
    fitting = [code for code in known if class_code.startswith(code)]
    return known[max(fitting, key=len)].colour if fitting else None
