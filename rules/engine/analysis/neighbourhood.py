"""Which rules may hold together at all, found by boxes and a sweep, so that only those pairs are analysed exactly."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .inequality import Inequality
from .region import Choice, Conjunction


@dataclass(slots=True)
class Box:
    """The plain limits of one conjunction: a set per choice, a closed interval per form of one variable."""

    owner: int
    choices: dict[str, frozenset]
    spans: dict[str, list[Fraction | None]]

    def apart(self, other: "Box") -> bool:
        """Whether no facts can lie in both; touching ends are not apart, the exact analysis decides those."""
        for name, values in self.choices.items():
            if name in other.choices and not values & other.choices[name]:
                return True
        for name, (low, high) in self.spans.items():
            span = other.spans.get(name)
            if span is not None and (_less(high, span[0]) or _less(span[1], low)):
                return True
        return False


def _less(left: Fraction | None, right: Fraction | None) -> bool:
    return left is not None and right is not None and left < right


def box(owner: int, case: Conjunction) -> Box:
    """The box around one conjunction."""
    found = Box(owner, {}, {})
    for atom in case:
        if isinstance(atom, Choice) and atom.inside:
            found.choices[atom.name] = found.choices.get(atom.name, atom.values) & atom.values
        elif isinstance(atom, Inequality) and len(atom.form.terms) == 1:
            _narrow(found.spans, atom)
    return found


def _narrow(spans: dict[str, list[Fraction | None]], atom: Inequality) -> None:
    ((name, factor),) = atom.form.terms
    limit = -atom.form.constant / factor
    span = spans.setdefault(name, [None, None])
    if factor > 0:
        span[1] = limit if span[1] is None else min(span[1], limit)
    else:
        span[0] = limit if span[0] is None else max(span[0], limit)


def neighbours(cases: Sequence[Sequence[Conjunction]]) -> list[set[int]]:
    """For each rule (given by its conjunctions) the rules whose boxes meet one of its own."""
    found: list[set[int]] = [set() for _ in cases]
    boxes = [box(owner, case) for owner, conjunctions in enumerate(cases) for case in conjunctions]
    for group in _groups(boxes):
        for left, right in _meeting(group):
            if left.owner != right.owner and not left.apart(right):
                found[left.owner].add(right.owner)
                found[right.owner].add(left.owner)
    return found


def _groups(boxes: list[Box]) -> Iterator[list[Box]]:
    """Boxes that share a value of the most telling choice; boxes without that choice belong to every group."""
    values: dict[str, Counter] = {}
    for one in boxes:
        for name, allowed in one.choices.items():
            values.setdefault(name, Counter()).update(allowed)
    if not values:
        yield boxes
        return
    name = max(values, key=lambda key: (len(values[key]), key))
    free = [one for one in boxes if name not in one.choices]
    buckets: dict[Any, list[Box]] = {value: [] for value in values[name]}
    for one in boxes:
        for value in one.choices.get(name, ()):
            buckets[value].append(one)
    yield from ([*bucket, *free] for bucket in buckets.values())
    yield free


def _meeting(boxes: list[Box]) -> Iterator[tuple[Box, Box]]:
    """Pairs that meet on the interval that most boxes have, by a sweep from the lowest start."""
    counts = Counter(name for one in boxes for name in one.spans)
    if not counts:
        yield from _pairs(boxes)
        return
    name = max(counts, key=lambda key: (counts[key], key))
    spans: list[tuple[Any, Any, Box]] = [(*one.spans.get(name, (None, None)), one) for one in boxes]
    spans.sort(key=lambda span: (span[0] is not None, span[0] or 0))
    active: list[tuple[Any, Box]] = []
    for low, high, one in spans:
        active = [(end, other) for end, other in active if not _less(end, low)]
        for _, other in active:
            yield other, one
        active.append((high, one))


def _pairs(boxes: Iterable[Box]) -> Iterator[tuple[Box, Box]]:
    seen: list[Box] = []
    for one in boxes:
        for other in seen:
            yield other, one
        seen.append(one)
