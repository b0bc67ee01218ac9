"""Gaps, overlaps, empty and unreachable rows of a table, found exactly by cutting the facts into the pieces the rows make.

Every interval is half open on a line of bounds: (value, 0) is at the value, (value, 1) just behind it. Between two
neighbouring bounds of a column no row starts or ends, so one look decides for all values there.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ..row_table import EQUAL, FIRST, LOWER, UPPER, Ask, Bound, Row, RowTable
from ..rule_set import RuleSet
from ..value import Declaration, present
from .region import TooManyCases

MOST_PIECES = 400_000
Span = tuple[Bound | None, Bound | None]
Piece = tuple[Any, ...]
OTHER = object()


class TableCover:
    """One table cut into pieces: `overlaps`, `gaps` and `seen` (rows that are first somewhere) after `run`."""

    def __init__(self, rules: RuleSet, table: RowTable) -> None:
        self.names, self.table = rules.names, table
        self.facts = table.facts
        self.overlaps: dict[tuple[int, int], Piece] = {}
        self.gaps: list[Piece] = []
        self.seen: set[int] = set()
        self.empty = [row for row in table.rows if any(self._span(row, fact) is None for fact in self.facts)]
        self._left = MOST_PIECES

    def run(self) -> "TableCover":
        """Cut everything. Raises TooManyCases when there are too many pieces."""
        hollow = {row.number for row in self.empty}
        self._cut([row for row in self.table.rows if row.number not in hollow], 0, ())
        return self

    def _cut(self, rows: list[Row], depth: int, at: Piece) -> None:
        if depth == len(self.facts):
            self._piece(rows, at)
            return
        if not rows:
            self._piece(rows, (*at, *[OTHER] * (len(self.facts) - depth)))
            return
        fact = self.facts[depth]
        sort = self.names[fact]
        equal = any(ask.fact == fact and ask.operator in EQUAL for ask in self.table.asks)
        pieces = self._by_value(rows, fact, sort) if equal else self._by_span(rows, fact, sort)
        for value, here in pieces:
            self._cut(here, depth + 1, (*at, value))

    def _piece(self, rows: list[Row], at: Piece) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooManyCases
        if not rows:
            if len(self.gaps) < 1:
                self.gaps.append(at)
            return
        first, *others = sorted(rows, key=lambda row: row.number)
        self.seen.add(first.number)
        if self.table.hit != FIRST:
            for other in others:
                self.overlaps.setdefault((first.number, other.number), at)

    def _allowed(self, row: Row, fact: str) -> frozenset | None:
        """The values that a row's equal columns allow, None for all."""
        found: frozenset | None = None
        for ask, cell in zip(self.table.asks, row.cells, strict=True):
            if ask.fact == fact and ask.operator in EQUAL and cell is not None:
                values = frozenset(cell if isinstance(cell, tuple) else (cell,))
                found = values if found is None else found & values
        return found

    def _by_value(self, rows: list[Row], fact: str, sort: Declaration) -> Iterator[tuple[Any, list[Row]]]:
        allowed = [(row, self._allowed(row, fact), self._span(row, fact)) for row in rows]
        free = [row for row, values, _ in allowed if values is None]
        by_value: dict[Any, list[Row]] = {}
        for row, values, span in allowed:
            for value in values or ():
                if _inside(value, span):
                    by_value.setdefault(value, []).append(row)
        for value, here in by_value.items():
            yield value, [*here, *(row for row in free if _inside(value, self._span(row, fact)))]
        others = [True, False] if sort.type == "boolean" else list(sort.domain) if sort.domain is not None else None
        if others is None:
            yield OTHER, free
        else:
            yield from ((value, free) for value in others if value not in by_value)

    def _by_span(self, rows: list[Row], fact: str, sort: Declaration) -> Iterator[tuple[Any, list[Row]]]:
        """The pieces of a line, by a sweep: the rows that are open change only at a bound."""
        events: dict[Bound, tuple[list[Row], list[Row]]] = {}
        active: dict[int, Row] = {}
        floor = None if sort.minimum is None else (sort.minimum, 0)
        ceiling = None if sort.maximum is None else (sort.maximum, 1)
        for row in rows:
            low, high = self._span(row, fact) or (None, None)
            if low is None or (floor is not None and low <= floor):
                active[row.number] = row
            else:
                events.setdefault(low, ([], []))[0].append(row)
            if high is not None:
                events.setdefault(high, ([], []))[1].append(row)
        start = floor
        for bound in sorted(events):
            if (floor is None or bound > floor) and (ceiling is None or bound < ceiling):
                if start is None or start < bound:
                    yield (start, bound), list(active.values())
                start = bound
            if ceiling is None or bound < ceiling:
                opening, closing = events[bound]
                for row in closing:
                    active.pop(row.number, None)
                active.update((row.number, row) for row in opening)
        yield (start, ceiling), list(active.values())

    def _span(self, row: Row, fact: str) -> Span | None:
        """Where a row's interval starts and has ended; None when nothing lies in it."""
        low: Bound | None = None
        high: Bound | None = None
        sort = self.names[fact]
        for ask, cell in zip(self.table.asks, row.cells, strict=True):
            if ask.fact != fact or cell is None or ask.operator in EQUAL:
                continue
            bound = _bound(ask, cell, sort)
            if ask.operator in LOWER:
                low = bound if low is None else max(low, bound)
            else:
                high = bound if high is None else min(high, bound)
        floor, ceiling = sort.minimum, sort.maximum
        lowest = low if floor is None else max(low, (floor, 0)) if low is not None else (floor, 0)
        highest = high if ceiling is None else min(high, (ceiling, 1)) if high is not None else (ceiling, 1)
        if lowest is not None and highest is not None and lowest >= highest:
            return None
        if self._allowed(row, fact) == frozenset():
            return None
        return low, high

    def words(self, piece: Piece) -> str:
        """One combination of facts inside a piece, in words."""
        told = []
        for fact, value in zip(self.facts, piece, strict=True):
            sort = self.names[fact]
            if value is OTHER:
                told.append(f"{sort.label} 其他")
            elif isinstance(value, tuple):
                told.append(f"{sort.label} {present(_sample(value, sort), sort, sign=True)}")
            else:
                told.append(f"{sort.label} {present(value, sort, sign=True)}")
        return "，".join(told)


def _bound(ask: Ask, cell: Any, sort: Declaration) -> Bound:
    side = {**LOWER, **UPPER}[ask.operator]
    if side and sort.type in ("integer", "date"):
        # Behind a whole number or a day comes the next one, not something between.
        return (cell + timedelta(days=1) if isinstance(cell, date) else cell + 1, 0)
    return (cell, side)


def _inside(value: Any, span: Span | None) -> bool:
    if span is None:
        return False
    low, high = span
    return (low is None or low <= (value, 0)) and (high is None or (value, 0) < high)


def _sample(span: Span, sort: Declaration) -> Any:
    """A value in the span: its start, or a step behind or before a bound."""
    low, high = span
    if low is None and high is None:
        return Decimal(0) if sort.type == "decimal" else 0 if sort.type == "integer" else date(2000, 1, 1)
    step = sort.step or Decimal(1)
    if low is None:
        return high[0] if high[1] else _moved(high[0], -step)
    if not low[1]:
        return low[0]
    near = _moved(low[0], step)
    if high is None or (near, 0) < high:
        return near
    return (low[0] + high[0]) / 2


def _moved(value: Any, step: Decimal) -> Any:
    return value + timedelta(days=int(step)) if isinstance(value, date) else value + (int(step) if isinstance(value, int) else step)
