"""The leaves of all rules of one edition, each different one judged once, and the rules put together from them.

Most rules are conjunctions of leaves. For those a leaf knows its rules as the bits of one number, so that a leaf that is
false settles all its rules in one step; any other condition is put together from the verdicts of its leaves. What a rule
writes to its trace is looked up when somebody reads it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .syntax.condition import AllHold, Condition, Group, Leaf, Not, Test, Verdict

Step = tuple[Any, Any, Verdict]
Joined = Callable[[list[Step]], Verdict]


class Traces(Sequence):
    """Per rule the steps of its leaves, in the order in which the rule names them."""

    __slots__ = ("_places", "_steps")

    def __init__(self, steps: list[Step], places: tuple[tuple[int, ...], ...]) -> None:
        self._steps, self._places = steps, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, rule: Any) -> list[Step]:
        return [self._steps[place] for place in self._places[rule]]

    def __iter__(self) -> Iterator[list[Step]]:
        steps = self._steps
        return ([steps[place] for place in places] for places in self._places)

    def step(self, rule: int, leaf: int) -> Step:
        """One step: (actual, limits, verdict)."""
        return self._steps[self._places[rule][leaf]]


class LeafTable:
    """The compiled conditions of a rule set; holds no state between calls."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._known: dict[Any, int] = {}
        self._tests: list[Test] = []
        self._size = len(conditions)
        self._places = tuple(tuple(map(self._place, condition.leaves())) for condition in conditions)
        masks = [0] * len(self._tests)
        self._joined: list[tuple[int, Joined]] = []
        for index, condition in enumerate(conditions):
            if _is_conjunction(condition):
                for place in self._places[index]:
                    masks[place] |= 1 << (self._size - 1 - index)
            else:
                self._joined.append((index, _join(condition, iter(self._places[index]))))
        self._leaves = tuple(zip(self._tests, masks, strict=True))

    def _place(self, leaf: Leaf) -> int:
        # What is written differently (1 and 1.0) stays apart: its steps are shown as written.
        key = (leaf, repr(leaf))
        if key not in self._known:
            self._known[key] = len(self._tests)
            self._tests.append(leaf.compile())
        return self._known[key]

    def judge(self, facts: dict[str, Any]) -> tuple[list[Verdict], Traces]:
        """The verdict of every rule, and its trace."""
        steps: list[Step] = []
        false = unknown = 0
        for test, rules in self._leaves:
            found = test(facts, steps)
            if found is False:
                false |= rules
            elif found is None:
                unknown |= rules
        verdicts: list[Verdict] = [bit == "0" for bit in f"{false:0{self._size}b}"] if self._size else []
        unknown &= ~false
        while unknown:
            bit = unknown.bit_length() - 1
            verdicts[self._size - 1 - bit] = None
            unknown ^= 1 << bit
        for index, joined in self._joined:
            verdicts[index] = joined(steps)
        return verdicts, Traces(steps, self._places)


def _is_conjunction(condition: Condition) -> bool:
    return isinstance(condition, Leaf) or (isinstance(condition, AllHold) and all(isinstance(part, Leaf) for part in condition.parts))


def _join(condition: Condition, places: Iterator[int]) -> Joined:
    """A closure over the steps of all leaves; `places` gives those of this condition, in order."""
    if isinstance(condition, Leaf):
        place = next(places)
        return lambda steps: steps[place][2]
    if isinstance(condition, Not):
        part = _join(condition.part, places)
        return lambda steps: None if (found := part(steps)) is None else not found
    if not isinstance(condition, Group):
        raise TypeError(f"{type(condition).__name__} is no condition that can be put together from leaves")
    return _group(tuple(_join(part, places) for part in condition.parts), condition.decides)


def _group(parts: tuple[Joined, ...], decides: bool) -> Joined:
    def joined(steps: list[Step]) -> Verdict:
        verdict: Verdict = not decides
        for part in parts:
            found = part(steps)
            if found is decides:
                return decides
            if found is None:
                verdict = None
        return verdict

    return joined
