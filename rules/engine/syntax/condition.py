"""Conditions: three-valued, compiled to closures; all, any, not, and the base of every leaf."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .expression import Names

Verdict = bool | None
Test = Callable[[dict, list | None], Verdict]
Describe = Callable[[Any, Any, Verdict, dict], str]


class Condition:
    """A condition that is true, false or cannot be told (None)."""

    def reads(self) -> frozenset[str]:
        raise NotImplementedError

    def compile(self) -> Test:
        """A closure from facts and trace to the verdict; every leaf appends one step to the trace.

        Without a trace (None) a group stops at the part that decides: the verdict is the same, the steps are not kept.
        """
        raise NotImplementedError

    def leaves(self) -> tuple["Leaf", ...]:
        """The leaves in the order in which they write the trace."""
        raise NotImplementedError

    def words(self, names: Names) -> str:
        raise NotImplementedError

    def mutants(self) -> Iterator[tuple[str, "Condition"]]:
        raise NotImplementedError

    def negated(self) -> "Condition":
        return Not(self)


class Leaf(Condition):
    """A condition without conditions beside it; writes (actual, limit, verdict) to the trace."""

    line: int = 0

    def leaves(self) -> tuple["Leaf", ...]:
        return (self,)

    def describer(self, names: Names) -> Describe:
        """A function that puts the leaf in words with what was found; `shown` remembers values already put in words."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Group(Condition):
    """Several conditions joined; the deciding verdict wins, then unknown, then the other."""

    parts: tuple[Condition, ...]
    decides = False
    joiner = ""
    key = ""

    def reads(self) -> frozenset[str]:
        return frozenset().union(*(part.reads() for part in self.parts))

    def compile(self) -> Test:
        tests, decides = tuple(part.compile() for part in self.parts), self.decides

        def judge(facts: dict, trace: list | None) -> Verdict:
            verdict: Verdict = not decides
            for test in tests:
                found = test(facts, trace)
                if found is decides:
                    if trace is None:
                        return decides
                    verdict = decides
                elif found is None and verdict is not decides:
                    verdict = None
            return verdict

        return judge

    def leaves(self) -> tuple[Leaf, ...]:
        return tuple(leaf for part in self.parts for leaf in part.leaves())

    def words(self, names: Names) -> str:
        return self.joiner.join(_part_words(part, names) for part in self.parts)

    def mutants(self) -> Iterator[tuple[str, Condition]]:
        other = AnyHolds if isinstance(self, AllHold) else AllHold
        yield f"「{self.key}」改为「{other.key}」", other(self.parts)
        for index, part in enumerate(self.parts):
            for description, mutant in part.mutants():
                yield (
                    description,
                    replace(self, parts=(*self.parts[:index], mutant, *self.parts[index + 1 :])),
                )


def _part_words(part: Condition, names: Names) -> str:
    words = part.words(names)
    return f"（{words}）" if isinstance(part, Group) else words


class AllHold(Group):
    decides = False
    joiner = "，且"
    key = "all"

    def negated(self) -> Condition:
        return AnyHolds(tuple(part.negated() for part in self.parts))


class AnyHolds(Group):
    decides = True
    joiner = "，或"
    key = "any"

    def negated(self) -> Condition:
        return AllHold(tuple(part.negated() for part in self.parts))


@dataclass(frozen=True, slots=True)
class Not(Condition):
    part: Condition

    def reads(self) -> frozenset[str]:
        return self.part.reads()

    def compile(self) -> Test:
        test = self.part.compile()

        def judge(facts: dict, trace: list | None) -> Verdict:
            found = test(facts, trace)
            return None if found is None else not found

        return judge

    def leaves(self) -> tuple[Leaf, ...]:
        return self.part.leaves()

    def words(self, names: Names) -> str:
        return f"不是（{self.part.words(names)}）"

    def mutants(self) -> Iterator[tuple[str, Condition]]:
        yield "去掉「not」", self.part
        for description, mutant in self.part.mutants():
            yield description, Not(mutant)

    def negated(self) -> Condition:
        return self.part
