"""Limits of ranges 分级: equal intervals, quantiles, natural breaks (Jenks), or one's own."""

from collections.abc import Sequence
from decimal import Decimal

import numpy

MOST_FOR_JENKS = 600
"""Natural breaks of more values are found on a sample of this many, evenly spaced in order of size."""


def inner_limits(values: Sequence[Decimal], method: str, count: int, own: Sequence[Decimal] = ()) -> tuple[Decimal, ...]:
    """The limits between classes, rising, at most `count` − 1: a value equal to a limit belongs to the class above it.

    Fewer different values than classes give fewer classes, but for equal intervals, where a class may be empty. `own`
    limits are taken as they are.
    """
    if method == "own":
        return tuple(own)
    ordered = sorted(values)
    different = sorted(set(ordered))
    if len(different) < 2:
        return ()
    if method == "equal":
        return tuple(_equal(ordered, count))
    found = {"quantile": _quantile, "natural": _natural}[method](ordered, min(count, len(different)))
    return tuple(sorted({max(each, different[1]) for each in found}))


def class_of(value: Decimal, limits: Sequence[Decimal]) -> int:
    """The class of a value from 0: how many limits it reaches."""
    return sum(value >= limit for limit in limits)


def _equal(ordered: Sequence[Decimal], count: int) -> list[Decimal]:
    low, high = ordered[0], ordered[-1]
    return [low + (high - low) * place / count for place in range(1, count)]


def _quantile(ordered: Sequence[Decimal], count: int) -> list[Decimal]:
    return [ordered[len(ordered) * place // count] for place in range(1, count)]


def _natural(ordered: Sequence[Decimal], count: int) -> list[Decimal]:
    """The first value of each class but the lowest, where the squared deviations within classes are least (Fisher, Jenks)."""
    sample = ordered
    if len(ordered) > MOST_FOR_JENKS:
        places = numpy.linspace(0, len(ordered) - 1, MOST_FOR_JENKS).round().astype(int)
        sample = [ordered[place] for place in places]
    starts = _best_starts(numpy.array([float(each) for each in sample]), count)
    return [sample[start] for start in starts]


def _best_starts(values: numpy.ndarray, count: int) -> list[int]:
    """Where classes 2…count begin in rising values, by dynamic programming over exact sums of squares."""
    size = len(values)
    values = values - values.mean()
    sums, squares = numpy.concatenate([[0], values.cumsum()]), numpy.concatenate([[0], (values**2).cumsum()])

    def cost(start: numpy.ndarray, end: int) -> numpy.ndarray:
        inside = sums[end] - sums[start]
        return squares[end] - squares[start] - inside**2 / (end - start)

    best = numpy.full((count + 1, size + 1), numpy.inf)
    cut = numpy.zeros((count + 1, size + 1), dtype=int)
    best[0, 0] = 0
    for classes in range(1, count + 1):
        for end in range(classes, size + 1):
            starts = numpy.arange(classes - 1, end)
            totals = best[classes - 1, starts] + cost(starts, end)
            place = int(totals.argmin())
            best[classes, end], cut[classes, end] = totals[place], starts[place]
    found, end = [], size
    for classes in range(count, 1, -1):
        end = int(cut[classes, end])
        found.append(end)
    return found[::-1]
