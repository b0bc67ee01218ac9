"""Streets, towns and townships of the city."""

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "reference" / "administrative_codes" / "shanghai_towns.csv"


@dataclass(frozen=True, slots=True)
class Town:
    """A street, town or township: 9-digit code, name, code of its district."""

    code: str
    name: str
    district_code: str


@functools.cache
def towns() -> tuple[Town, ...]:
    """The streets and towns of the city by code."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = [Town(r["code"], r["name"], r["district_code"]) for r in csv.DictReader(file)]
    return tuple(sorted(rows, key=lambda town: town.code))
