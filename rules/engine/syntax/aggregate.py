"""Values drawn from a list of records: sum, count, lowest, highest, collected texts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..number import EXACT
from ..value import Declaration, present
from .expression import Expression, Names, TypeFault, Value

if TYPE_CHECKING:
    from .condition import Condition


def inner_names(names: Names, listed: str) -> Names:
    """The names seen inside a record of the list: its columns over the facts outside."""
    return {**names, **names[listed].columns}


@dataclass(frozen=True, slots=True)
class Aggregate(Expression):
    """One value over the records of a list that meet `where`; unknown when any record cannot be judged."""

    listed: str
    column: str | None = None
    where: "Condition | None" = None
    key = ""
    sentence = ""

    def reads(self) -> frozenset[str]:
        inner = self.where.reads() if self.where is not None else frozenset()
        return frozenset({self.listed}) | inner

    def columns(self, names: Names) -> Declaration:
        return names[self.listed].columns[self.column]

    def numeric_column(self, names: Names) -> Declaration:
        column = self.columns(names)
        if not column.numeric:
            raise TypeFault(f"{self.key} 要用数的栏目，「{column.label}」不是数")
        return column

    def compile(self) -> Value:
        listed, column, keep, finish = self.listed, self.column, self._keep(), self.finish

        def calculate(facts: dict) -> Any:
            records = facts[listed]
            if records is None:
                return None
            kept = [keep(facts, record) for record in records]
            if None in kept:
                return None
            values = [
                record[column] if column else 1 for record, use in zip(records, kept, strict=True) if use
            ]
            return None if None in values else finish(values)

        return calculate

    def _keep(self) -> Any:
        if self.where is None:
            return lambda facts, record: True
        holds = self.where.compile()
        return lambda facts, record: holds({**facts, **record}, None)

    def finish(self, values: list) -> Any:
        """The result over the values of the kept records, all known."""
        raise NotImplementedError

    def words(self, names: Names) -> str:
        of = f"（{self.where.words(inner_names(names, self.listed))}的）" if self.where is not None else ""
        column = self.columns(names).label if self.column else ""
        return f"{names[self.listed].label}{of}{self.sentence.format(column)}"

    def mutants(self) -> Iterator[tuple[str, Expression]]:
        if self.where is None:
            return
        yield "去掉清单的筛选条件", replace(self, where=None)
        for description, mutant in self.where.mutants():
            yield description, replace(self, where=mutant)


class Total(Aggregate):
    key = "sum"
    sentence = "的{0}合计"

    def sort(self, names: Names) -> Declaration:
        column = self.numeric_column(names)
        return Declaration("", column.type, f"{column.label}合计", unit=column.unit)

    def finish(self, values: list) -> Any:
        total: Any = 0
        for value in values:
            total = EXACT.add(total, value)
        return total


class Count(Aggregate):
    key = "count"
    sentence = "条数"

    def sort(self, names: Names) -> Declaration:
        return Declaration("", "integer", f"{names[self.listed].label}条数", minimum=0)

    def finish(self, values: list) -> Any:
        return len(values)


class Lowest(Aggregate):
    key = "lowest"
    sentence = "的{0}最小值"

    def sort(self, names: Names) -> Declaration:
        column = self.columns(names)
        if not column.numeric and column.type != "date":
            raise TypeFault(f"{self.key} 要用数或日期的栏目，「{column.label}」不是")
        return replace(column, name="")

    def finish(self, values: list) -> Any:
        return min(values, default=None)


class Highest(Lowest):
    key = "highest"
    sentence = "的{0}最大值"

    def finish(self, values: list) -> Any:
        return max(values, default=None)


class Collected(Aggregate):
    """The different texts of a column in the order of the list, joined by 、; empty when there is none."""

    key = "collect"
    sentence = "的{0}"

    def sort(self, names: Names) -> Declaration:
        column = self.columns(names)
        if column.type not in ("text", "code"):
            raise TypeFault(f"collect 要用文本或代码的栏目，「{column.label}」不是")
        return Declaration("", "text", column.label)

    def finish(self, values: list) -> Any:
        return "、".join(dict.fromkeys(values))


AGGREGATES = {aggregate.key: aggregate for aggregate in (Total, Count, Lowest, Highest, Collected)}


def listed_words(records: tuple, names: Names, listed: str) -> str:
    """How many records there are, in words."""
    return present(records, names[listed])
