"""Units of measure: what may be added, compared or multiplied with what, and how a quantity is written."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from .document import read_document

FACTOR = re.compile(r"[A-Za-z_0-9]+")
Parts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit by its dimension; two units are interchangeable only when equal."""

    key: str
    parts: Parts
    sign: str
    label: str
    decimals: int
    step: Decimal

    def times(self, other: "Unit") -> "Unit":
        return _named(_merge(self.parts, other.parts, 1))

    def per(self, other: "Unit") -> "Unit":
        return _named(_merge(self.parts, other.parts, -1))


def _merge(left: Parts, right: Parts, sign: int) -> Parts:
    powers = dict(left)
    for symbol, power in right:
        powers[symbol] = powers.get(symbol, 0) + sign * power
    return tuple(sorted((symbol, power) for symbol, power in powers.items() if power))


@cache
def units() -> dict[str, Unit]:
    """Every named unit by its key."""
    block = read_document(Path(__file__).with_name("units.yaml"))
    return {
        key: Unit(
            key,
            tuple(sorted(row["parts"].items())),
            row["sign"],
            row["label"],
            row["decimals"],
            Decimal(row["step"]),
        )
        for key, row in block.items()
    }


@cache
def _named(parts: Parts) -> Unit:
    for unit in units().values():
        if unit.parts == parts:
            return unit
    key = "*".join(symbol if power == 1 else f"{symbol}^{power}" for symbol, power in parts)
    return Unit(key, parts, key, key, 2, Decimal("0.01"))


@cache
def unit_named(text: str) -> Unit | None:
    """The unit for a key such as `m2` or a quotient such as `yuan/m2`; None when a part is unknown."""
    numerator, _, denominator = text.partition("/")
    top = units().get(numerator)
    if not denominator:
        return top
    bottom = units().get(denominator)
    if top is None or bottom is None:
        return None
    return _quotient(text, top, bottom)


def _quotient(text: str, top: Unit, bottom: Unit) -> Unit:
    plain = top.per(bottom)
    if plain.key in units():
        return plain
    return Unit(
        text, plain.parts, f"{top.sign}/{bottom.sign}", f"{top.label}/{bottom.label}", top.decimals, top.step
    )


PURE = unit_named("1")
DAY = unit_named("day")
