"""Classes of the third national land survey (三调工作分类) with their place in the three major classes."""

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from domain.errors import NotFound

FOLDER = Path(__file__).parent / "reference"


@dataclass(frozen=True, slots=True)
class LandUseClass:
    """A class: DLBM, DLMC, its first-level class, and 农用地, 建设用地 or 未利用地 (empty for classes that
    are divided further).
    """

    code: str
    name: str
    parent: str
    major_class: str

    @property
    def is_arable(self) -> bool:
        """True for 耕地 (01 and below)."""
        return self.code == "01" or self.parent == "01"


@functools.cache
def land_use_classes() -> Mapping[str, LandUseClass]:
    """Every class by its code."""
    with (FOLDER / "land_use" / "third_survey_classes.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            LandUseClass(r["code"], r["name"], r["parent"], r["major_class"]) for r in csv.DictReader(file)
        ]
    return MappingProxyType({row.code: row for row in rows})


def land_use_class(code: str) -> LandUseClass:
    """The class of a code; NotFound for a code that the classification does not have."""
    found = land_use_classes().get(code)
    if found is None:
        raise NotFound(f"三调工作分类没有地类编码“{code}”。请核对 DLBM。")
    return found
