"""Leaves over a list of records: some record meets a condition, every record does."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from .aggregate import inner_names
from .condition import Condition, Describe, Leaf, Test, Verdict
from .expression import Names

STATES = {True: "成立", False: "不成立", None: "无法判断"}


@dataclass(frozen=True, slots=True)
class Quantifier(Leaf):
    """One condition asked of each record; the trace keeps the numbers (from 1) of those that decided."""

    listed: str
    inner: Condition
    line: int = field(default=0, compare=False, repr=False)
    key = ""
    opposite = ""
    decides = True

    def reads(self) -> frozenset[str]:
        return frozenset({self.listed}) | self.inner.reads()

    def compile(self) -> Test:
        listed, holds, decides = self.listed, self.inner.compile(), self.decides

        def judge(facts: dict, trace: list | None) -> Verdict:
            records = facts[listed]
            if records is None:
                if trace is not None:
                    trace.append((None, (), None))
                return None
            found = [holds({**facts, **record}, None) for record in records]
            deciding = tuple(number for number, verdict in enumerate(found, 1) if verdict is decides)
            verdict = decides if deciding else (None if None in found else not decides)
            if trace is not None:
                trace.append((records, deciding, verdict))
            return verdict

        return judge

    def words(self, names: Names) -> str:
        inside = self.inner.words(inner_names(names, self.listed))
        return f"{names[self.listed].label}中{self.word}{inside}"

    def describer(self, names: Names) -> Describe:
        words, label = self.words(names), names[self.listed].label

        def describe(actual: Any, limits: Any, verdict: Verdict, shown: dict) -> str:
            if actual is None:
                return f"{label}缺失，无法逐条判断"
            which = f"（第 {'、'.join(str(number) for number in limits)} 条）" if limits else ""
            return f"{words}：共 {len(actual)} 条，{STATES[verdict]}{which}"

        return describe

    def mutants(self) -> Iterator[tuple[str, Condition]]:
        other = EveryRecord if isinstance(self, AnyRecord) else AnyRecord
        yield f"「{self.key}」改为「{other.key}」", other(self.listed, self.inner, self.line)
        for description, mutant in self.inner.mutants():
            yield description, replace(self, inner=mutant)


class AnyRecord(Quantifier):
    key, decides, word = "any", True, "有"

    def negated(self) -> Condition:
        return EveryRecord(self.listed, self.inner.negated(), self.line)


class EveryRecord(Quantifier):
    key, decides, word = "every", False, "每条都"

    def negated(self) -> Condition:
        return AnyRecord(self.listed, self.inner.negated(), self.line)


QUANTIFIERS = {quantifier.key: quantifier for quantifier in (AnyRecord, EveryRecord)}
