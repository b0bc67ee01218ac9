"""Linear forms: what an expression comes to when names are kept and everything known is worked out."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Linear:
    """A sum of coefficient × variable plus a constant; exact fractions throughout."""

    terms: tuple[tuple[str, Fraction], ...]
    constant: Fraction

    @property
    def fixed(self) -> bool:
        return not self.terms

    def plus(self, other: "Linear") -> "Linear":
        terms = dict(self.terms)
        for name, factor in other.terms:
            terms[name] = terms.get(name, Fraction(0)) + factor
        kept = tuple(sorted((name, factor) for name, factor in terms.items() if factor))
        return Linear(kept, self.constant + other.constant)

    def times(self, factor: Fraction | int) -> "Linear":
        if not factor:
            return Linear((), Fraction(0))
        return Linear(tuple((name, own * factor) for name, own in self.terms), self.constant * factor)

    def over(self, divisor: Fraction) -> "Linear":
        return self.times(Fraction(1) / divisor)


class Space(Protocol):
    """Where linear forms are made: knows parameters, derived facts and names the rest."""

    def constant(self, value: Any) -> Linear: ...

    def named(self, name: str) -> Linear: ...

    def opaque(self, expression: Any) -> Linear: ...


def measure(value: Any) -> Fraction:
    """A number or date as an exact fraction (dates by their day number)."""
    return Fraction(value.toordinal()) if isinstance(value, date) else Fraction(value)
