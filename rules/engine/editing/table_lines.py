"""The rows of a large table as lines of the rule file: only lines that say something else are written anew."""

import csv
import io
from collections.abc import Sequence

from .layout import Layout, WrongPlace

Cells = tuple[str, ...]


class TableLines:
    """The lines of one table's `rows: |`: comments and blank lines stay where they are."""

    def __init__(self, layout: Layout, name: str) -> None:
        self.layout, self.name = layout, name
        self.node = layout.find(("tables", name, "rows")).node
        if getattr(self.node, "style", None) != "|":
            line = self.node.start_mark.line + 1
            raise WrongPlace(line, f"tables.{name}.rows", "只有写成 rows: | 的表才能逐行修改。请在 YAML 里改")
        self.first = self.node.start_mark.line + 1
        self.lines = layout.text.split("\n")
        count = self.node.value.rstrip("\n").count("\n") + 1
        self.data = [
            index for index in range(self.first, self.first + count)
            if self.lines[index].strip() and not self.lines[index].lstrip().startswith("#")
        ]  # fmt: skip
        self.titles, *self.rows = (_cells(self.lines[index]) for index in self.data)

    def with_rows(self, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """The text with these rows, whose cells stand in the order of the titles given. Raises WrongPlace."""
        if sorted(titles) != sorted(self.titles):
            line = self.data[0] + 1
            raise WrongPlace(line, f"tables.{self.name}.rows", f"栏目应是 {'、'.join(self.titles)}，给的是 {'、'.join(titles)}")
        order = [list(titles).index(title) for title in self.titles]
        wanted = [tuple(row[index] for index in order) for row in rows]
        if not wanted:
            raise WrongPlace(self.first, f"tables.{self.name}.rows", "表里至少要有一行数据")
        start = _alike(self.rows, wanted)
        end = min(_alike(self.rows[::-1], wanted[::-1]), min(len(self.rows), len(wanted)) - start)
        return self._written(start, end, wanted)

    def _written(self, start: int, end: int, wanted: list[Cells]) -> str:
        indent = self.lines[self.data[0]][: -len(self.lines[self.data[0]].lstrip())]
        ending = "\r" if self.lines[self.data[0]].endswith("\r") else ""
        new = [f"{indent}{_line(cells)}{ending}" for cells in wanted[start : len(wanted) - end]]
        old = self.data[1 + start : len(self.data) - end]
        shared = min(len(old), len(new))
        lines = list(self.lines)
        for index, line in zip(old[:shared], new, strict=False):
            lines[index] = line if _cells(line) != _cells(lines[index]) else lines[index]
        for index in reversed(old[shared:]):
            del lines[index]
        at = (old[shared - 1] if shared else self.data[start]) + 1
        lines[at:at] = new[shared:]
        return "\n".join(lines)


def _alike(old: Sequence[Cells], new: Sequence[Cells]) -> int:
    """How many rows are the same from the start."""
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _cells(line: str) -> Cells:
    return tuple(cell.strip() for cell in next(csv.reader([line.strip()], skipinitialspace=True)))


def _line(cells: Cells) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="").writerow(cells)
    return file.getvalue()
