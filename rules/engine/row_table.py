"""Large tables in a rule set: rows that are looked up by the facts and give derived facts, found by an index.

A row holds when all its cells do; an empty cell asks nothing. The index is a hash over the columns asked by `is`,
and inside each bucket the rows lie sorted by the start of their first interval, so that a question looks at a handful of
rows however many there are.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .syntax.comparison import OPERATORS
from .syntax.expression import Expression, Names, Value
from .value import Declaration, present

UNIQUE, FIRST = "unique", "first"
LOWER = {"at_least": 0, "above": 1, "on_or_after": 0, "after": 1}
UPPER = {"below": 0, "at_most": 1, "before": 0, "on_or_before": 1}
EQUAL = ("is", "in")
Bound = tuple[Any, int]


@dataclass(frozen=True, slots=True)
class Ask:
    """One column that asks: a fact and an operator."""

    fact: str
    operator: str

    @property
    def title(self) -> str:
        return f"{self.fact} {self.operator}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a cell for each column that asks (None: not asked; a tuple for `in`), a value for each that gives."""

    number: int
    line: int = field(compare=False)
    cells: tuple[Any, ...]
    gives: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up came to: the row, None when there is none or it cannot be told, and how many rows were looked at."""

    row: Row | None
    looked_at: int


@dataclass(frozen=True)
class RowTable:
    """One table. `hit` unique: rows must not overlap; first: the first that holds counts. `complete`: no gaps allowed."""

    name: str
    label: str
    basis: str
    asks: tuple[Ask, ...]
    gives: Mapping[str, Declaration]
    rows: tuple[Row, ...] = field(repr=False)
    hit: str
    complete: bool
    line: int = field(compare=False)

    def __hash__(self) -> int:
        return hash((self.name, self.hit, self.asks, len(self.rows)))

    @property
    def row_name(self) -> str:
        """The derived fact that holds the number of the row."""
        return f"{self.name}_row"

    @cached_property
    def facts(self) -> tuple[str, ...]:
        """The facts asked for, each once."""
        return tuple(dict.fromkeys(ask.fact for ask in self.asks))

    @cached_property
    def required(self) -> frozenset[str]:
        """Facts without which no row can be told: those that every row asks for."""
        return frozenset(
            ask.fact for index, ask in enumerate(self.asks) if all(row.cells[index] is not None for row in self.rows)
        )

    def values(self, column: str) -> frozenset:
        """Every value that a giving column has, empty cells left out."""
        if column not in self._values:
            at = list(self.gives).index(column)
            self._values[column] = frozenset(row.gives[at] for row in self.rows) - {None}
        return self._values[column]

    @cached_property
    def _values(self) -> dict[str, frozenset]:
        return {}

    @cached_property
    def _index(self) -> "RowIndex":
        return RowIndex(self)

    def find(self, facts: Mapping[str, Any]) -> Found:
        """The row that holds for the facts."""
        return self._index.find(facts)

    def sentence(self, row: Row, names: Names) -> str:
        """What a row asks, in words."""
        parts = []
        for ask, cell in zip(self.asks, row.cells, strict=True):
            if cell is not None:
                sort, values = names[ask.fact], cell if isinstance(cell, tuple) else (cell,)
                parts.append(f"{sort.label}{OPERATORS[ask.operator].word} {'、'.join(present(one, sort, sign=True) for one in values)}")
        return "，且".join(parts)


class Bucket:
    """Rows that ask the same of the hashed columns, sorted by the start of their interval."""

    def __init__(self, entries: list[tuple[Bound | None, Bound | None, int]]) -> None:
        entries.sort(key=lambda entry: (entry[0] is not None, entry[0] or ()))
        self.open = sum(entry[0] is None for entry in entries)
        self.starts = [entry[0] for entry in entries[self.open :]]
        self.places = [entry[2] for entry in entries]
        self.ends = self._furthest([entry[1] for entry in entries])

    def _furthest(self, ends: list[Bound | None]) -> list[Bound | None]:
        """For each row the furthest end of all up to it: where it lies before the value, none before can hold it."""
        found: list[Bound | None] = []
        furthest: Bound | None = (None, 0)
        for number, end in enumerate(ends):
            furthest = end if not number else None if end is None or furthest is None else max(furthest, end)
            found.append(furthest)
        return found

    def candidates(self, value: Any) -> list[int]:
        """Places of the rows whose interval may hold the value (all when it is unknown)."""
        if value is None:
            return self.places
        at = self.open + bisect_right(self.starts, (value, 0))
        found = []
        while at:
            at -= 1
            end = self.ends[at]
            if end is not None and end <= (value, 0):
                break
            found.append(self.places[at])
        return found


class RowIndex:
    """The index of one table, made once."""

    def __init__(self, table: RowTable) -> None:
        self.table = table
        self.hashed = tuple(index for index, ask in enumerate(table.asks) if ask.operator == "is")
        self.ranged = next((ask.fact for ask in table.asks if ask.operator in LOWER or ask.operator in UPPER), None)
        self.tests = tuple((ask.fact, OPERATORS[ask.operator]((), ()).apply()) for ask in table.asks)
        # By which of the hashed columns a row asks: usually one pattern, so one look-up.
        self.patterns: dict[tuple[int, ...], dict[tuple, Bucket]] = {}
        self._fill()

    def _fill(self) -> None:
        groups: dict[tuple[int, ...], dict[tuple, list]] = {}
        for place, row in enumerate(self.table.rows):
            asked = tuple(index for index in self.hashed if row.cells[index] is not None)
            key = tuple(row.cells[index] for index in asked)
            low, high = interval(self.table, row, self.ranged) if self.ranged else (None, None)
            groups.setdefault(asked, {}).setdefault(key, []).append((low, high, place))
        self.patterns = {asked: {key: Bucket(entries) for key, entries in group.items()} for asked, group in groups.items()}

    def find(self, facts: Mapping[str, Any]) -> Found:
        """The row, by the index."""
        value = facts[self.ranged] if self.ranged else None
        places: list[int] = []
        for asked, buckets in self.patterns.items():
            key = tuple(facts[self.table.asks[index].fact] for index in asked)
            if None in key:
                chosen = [bucket for known, bucket in buckets.items() if all(a is None or a == b for a, b in zip(key, known, strict=True))]
            else:
                chosen = [buckets[key]] if key in buckets else []
            places.extend(place for bucket in chosen for place in bucket.candidates(value))
        return self._judged(sorted(places), facts)

    def _judged(self, places: list[int], facts: Mapping[str, Any]) -> Found:
        holding: Row | None = None
        for looked_at, place in enumerate(places, 1):
            row = self.table.rows[place]
            verdict = self._holds(row, facts)
            if verdict is None:
                # A row that cannot be told might be the one, or a second one.
                return Found(None, looked_at)
            if verdict and self.table.hit == FIRST:
                return Found(row, looked_at)
            if verdict and holding is None:
                holding = row
        return Found(holding, len(places))

    def _holds(self, row: Row, facts: Mapping[str, Any]) -> bool | None:
        verdict: bool | None = True
        for (fact, holds), cell in zip(self.tests, row.cells, strict=True):
            if cell is None:
                continue
            actual = facts[fact]
            if actual is None:
                verdict = None
            elif not (holds(actual, *cell) if isinstance(cell, tuple) else holds(actual, cell)):
                return False
        return verdict


def interval(table: RowTable, row: Row, fact: str) -> tuple[Bound | None, Bound | None]:
    """Where a row's interval of the fact starts and where it has ended: (value, 0) is at the value, (value, 1) just behind it."""
    low: Bound | None = None
    high: Bound | None = None
    for ask, cell in zip(table.asks, row.cells, strict=True):
        if ask.fact != fact or cell is None:
            continue
        if ask.operator in LOWER:
            start = (cell, LOWER[ask.operator])
            low = start if low is None else max(low, start)
        elif ask.operator in UPPER:
            end = (cell, UPPER[ask.operator])
            high = end if high is None else min(high, end)
    return low, high


@dataclass(frozen=True, slots=True)
class RowNumber(Expression):
    """The number of the row found; unknown when there is none."""

    table: RowTable

    def reads(self) -> frozenset[str]:
        return frozenset(self.table.facts)

    def sort(self, names: Names) -> Declaration:
        return Declaration(self.table.row_name, "integer", f"{self.table.label}的行号", minimum=1)

    def compile(self) -> Value:
        find = self.table.find

        def calculate(facts: dict) -> int | None:
            row = find(facts).row
            return None if row is None else row.number

        return calculate

    def words(self, names: Names) -> str:
        asked = "、".join(names[fact].label for fact in self.table.facts)
        return f"按{asked}查「{self.table.label}」（{len(self.table.rows)} 行）得的行号"

    def __str__(self) -> str:
        return self.table.row_name


@dataclass(frozen=True, slots=True)
class Looked(Expression):
    """What the row found gives in one column."""

    table: RowTable
    column: str

    def reads(self) -> frozenset[str]:
        return frozenset({self.table.row_name})

    def sort(self, names: Names) -> Declaration:
        return self.table.gives[self.column]

    def values(self) -> frozenset:
        """Every value that the column has."""
        return self.table.values(self.column)

    def compile(self) -> Value:
        name, at, rows = self.table.row_name, list(self.table.gives).index(self.column), self.table.rows

        def calculate(facts: dict) -> Any:
            number = facts[name]
            return None if number is None else rows[number - 1].gives[at]

        return calculate

    def words(self, names: Names) -> str:
        return f"「{self.table.label}」该行的{self.table.gives[self.column].label}"

    def __str__(self) -> str:
        return f"{self.table.name}.{self.column}"
