"""Where each key and value stands in a YAML text, and how pieces of it are replaced, put in, taken out and moved."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ..document import BaseLoader
from ..syntax.formula import nearest
from .writing import after_key, flow, item

Place = tuple[str | int, ...]
STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
# The order in which a rule file has its sections; a section that is put in comes after those before it.
SECTIONS = (
    "key", "title", "kind", "edition", "note", "hit", "covers", "asked_on", "facts", "parameters", "tables", "derived", "flags", "rules", "cases",
)  # fmt: skip


class WrongPlace(ValueError):
    """A place that is not in the text; carries the line nearest to it and the place in words."""

    def __init__(self, line: int, key: str, message: str) -> None:
        super().__init__(message)
        self.line, self.key, self.message = line, key, message


def place_words(place: Sequence[str | int]) -> str:
    """The place as faults write it: `rules.large.when.all[0].above`."""
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return words.removeprefix(".")


@dataclass(frozen=True, slots=True)
class Entry:
    """One node on the way to a place: its step in the parent, the key's node (None in a list), and its own node."""

    step: str | int
    key: yaml.Node | None
    node: yaml.Node
    parent: yaml.Node
    index: int


class Layout:
    """One text with its nodes; every edit answers a new text and leaves the layout as it was."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self._shift = int(text.startswith("\ufeff"))
        self.root: Any = yaml.compose(text, Loader=BaseLoader)

    def start(self, node: yaml.Node) -> int:
        return node.start_mark.index + self._shift

    def end(self, node: yaml.Node) -> int:
        """Behind the node's last character; blank lines and comments after it are not part of it."""
        while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            node = last if isinstance(node, yaml.SequenceNode) else last[1] if self._written(last[1]) else last[0]
        end = node.end_mark.index + self._shift
        if getattr(node, "style", None) in ("|", ">"):
            end = len(self.text[:end].rstrip())
        return end

    def _written(self, node: yaml.Node) -> bool:
        return node.end_mark.index > node.start_mark.index

    def parsed(self, place: str | Sequence[str | int]) -> Place:
        """A place as steps; a golden case may be named by its number or its name, dots and all."""
        if not isinstance(place, str):
            return tuple(place)
        if place.startswith("cases."):
            rest = place.removeprefix("cases.")
            names = [name for name in self._names("cases") if rest == name or rest.startswith(f"{name}.")]
            if names:
                name = max(names, key=len)
                return ("cases", name, *self.parsed(rest[len(name) + 1 :]))
        return tuple(int(number) if number else word for number, word in STEP.findall(place))

    def _names(self, section: str) -> list[str]:
        for key, node in self.root.value:
            if key.value == section and isinstance(node, yaml.SequenceNode):
                return [name for child in node.value if (name := _named(child)) is not None]
        return []

    def find(self, place: Sequence[str | int]) -> Entry:
        """The entry at a place of at least one step. Raises WrongPlace."""
        node: Any = self.root
        entry: Entry | None = None
        for depth, step in enumerate(place):
            entry = self.child(node, step)
            if entry is None:
                raise WrongPlace(
                    node.start_mark.line + 1, place_words(place), f"没有 {place_words(place[: depth + 1])}{_hint(node, step)}"
                )
            node = entry.node
        if entry is None:
            raise WrongPlace(1, "", "要写明改哪一处")
        return entry

    def has(self, place: Sequence[str | int]) -> bool:
        node: Any = self.root
        for step in place:
            entry = self.child(node, step)
            if entry is None:
                return False
            node = entry.node
        return True

    def child(self, node: yaml.Node, step: str | int) -> Entry | None:
        """The entry of one step: a key of a mapping, a number or a `key`/`name` in a list."""
        if isinstance(node, yaml.MappingNode):
            for index, (key, value) in enumerate(node.value):
                if key.value == str(step):
                    return Entry(step, key, value, node, index)
            return None
        if not isinstance(node, yaml.SequenceNode):
            return None
        for index, value in enumerate(node.value):
            if index == step or (isinstance(step, str) and _named(value) == step):
                return Entry(step, None, value, node, index)
        return None

    def _spliced(self, start: int, end: int, new: str) -> str:
        return self.text[:start] + new + self.text[end:]

    def _column(self, at: int) -> int:
        return at - (self.text.rfind("\n", 0, at) + 1)

    def with_value(self, place: Sequence[str | int], value: Any) -> str:
        """The value at a place replaced, or put in when only its last key is missing. Raises WrongPlace."""
        if not self.has(place) and isinstance(place[-1], str):
            return self.with_entry(place[:-1], place[-1], value)
        entry = self.find(place)
        start, end = self.start(entry.node), self.end(entry.node)
        if isinstance(entry.node, yaml.ScalarNode) and self._written(entry.node) and entry.node.style not in ("|", ">"):
            return self._spliced(start, end, self.like(entry.node, value))
        if entry.key is None or entry.parent.flow_style:
            indent = self._column(start)
            return self._spliced(start, end, flow(value) if entry.parent.flow_style else item(value, indent - 2, self.newline))
        key_end = self.end(entry.key)
        colon = self.text.index(":", key_end) + 1
        written = after_key(value, self._column(self.start(entry.key)), self.newline)
        return self._spliced(colon, max(end, colon), written)

    def like(self, node: yaml.ScalarNode, value: Any) -> str:
        """The new value in the manner of the old one: a number without quotes stays without."""
        bare = not node.style and re.fullmatch(r"[-+]?(0|[1-9]\d*)(\.\d+)?", node.value)
        if bare and re.fullmatch(r"[-+]?(0|[1-9]\d*)(\.\d+)?", str(value)):
            return str(value)
        return flow(value)

    def with_values(self, values: dict[Place, Any]) -> str:
        """Several written scalars replaced at once, each at its own place. Raises WrongPlace."""
        pieces = []
        for place, value in values.items():
            node = self.find(place).node
            pieces.append((self.start(node), self.end(node), self.like(node, value)))
        text = self.text
        for start, end, new in sorted(pieces, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def with_key(self, place: Sequence[str | int], key: str) -> str:
        """The last key of the place renamed, its value and position kept. Raises WrongPlace."""
        entry = self.find(place)
        if entry.key is None:
            raise WrongPlace(entry.node.start_mark.line + 1, place_words(place), "清单里的一项没有键可改")
        return self._spliced(self.start(entry.key), self.end(entry.key), key)

    def with_entry(self, place: Sequence[str | int], key: str, value: Any) -> str:
        """A new key at the end of the mapping at a place (of a file: in the order of its sections). Raises WrongPlace."""
        if not place:
            return self._with_section(key, value)
        if len(place) == 1 and not self.has(place):
            return self._with_section(str(place[0]), {key: value})
        entry = self.find(place)
        node = entry.node
        if not isinstance(node, yaml.MappingNode):
            if isinstance(node, yaml.ScalarNode) and not self._written(node):
                return self.with_value(place, {key: value})
            raise WrongPlace(node.start_mark.line + 1, place_words(place), f"{place_words(place)} 下不能加 {key}：那里不是映射")
        if node.flow_style:
            return self._into_flow(node, len(node.value), f"{flow(key)}: {flow(value)}")
        last_key, last = node.value[-1]
        indent = self._column(self.start(node.value[0][0]))
        return self._below(max(self.end(last), self.end(last_key)), f"{' ' * indent}{flow(key)}:{after_key(value, indent, self.newline)}")

    def _with_section(self, key: str, value: Any) -> str:
        later = sections_after(key, [pair[0].value for pair in self.root.value])
        last_key, last = self.root.value[len(self.root.value) - len(later) - 1]
        body = after_key(value, 0, self.newline)
        if key in ("rules", "cases") and isinstance(value, list):
            body = "".join(f"{self.newline}  - {item(one, 2, self.newline, spread=True)}" for one in value)
        return self._below(max(self.end(last), self.end(last_key)), f"{flow(key)}:{body}")

    def _below(self, at: int, lines: str) -> str:
        """The lines put below the line in which `at` lies."""
        end = self.text.find("\n", at)
        if end < 0:
            return f"{self.text}{self.newline}{lines}{self.newline}"
        return self._spliced(end + 1, end + 1, lines + self.newline)

    def _into_flow(self, node: yaml.Node, index: int, written: str) -> str:
        children = [(self.start(_first(child)), self.end(_last(child))) for child in node.value]
        if not children:
            inside = self.start(node) + 1
            return self._spliced(inside, self.end(node) - 1, written)
        if index < len(children):
            return self._spliced(children[index][0], children[index][0], f"{written}, ")
        return self._spliced(children[-1][1], children[-1][1], f", {written}")

    def with_item(self, place: Sequence[str | int], value: Any, index: int | None = None) -> str:
        """A new item in the list at a place, before the item of that number or at the end. Raises WrongPlace."""
        if not self.has(place) and len(place) == 1:
            return self._with_section(str(place[0]), [value])
        node = self.find(place).node
        if not isinstance(node, yaml.SequenceNode) or (node.flow_style and not node.value):
            if isinstance(node, yaml.SequenceNode) or not self._written(node):
                return self._started(place, value)
            raise WrongPlace(node.start_mark.line + 1, place_words(place), f"{place_words(place)} 不是列表")
        index = len(node.value) if index is None else index
        if node.flow_style:
            return self._into_flow(node, index, flow(value))
        dash = self._column(self.text.rfind("-", 0, self.start(node.value[0])))
        spread = not node.value[0].flow_style and isinstance(node.value[0], yaml.MappingNode)
        lines = f"{' ' * dash}- {item(value, dash, self.newline, spread)}"
        if index < len(node.value):
            start, _ = self._region(node, index)
            return self._spliced(start, start, lines + self.newline)
        return self._below(self.end(node.value[-1]), lines)

    def _started(self, place: Sequence[str | int], value: Any) -> str:
        if len(place) > 1:
            return self.with_value(place, [value])
        entry = self.find(place)
        colon = self.text.index(":", self.end(entry.key)) + 1
        written = f"{self.newline}  - {item(value, 2, self.newline, spread=True)}"
        return self._spliced(colon, max(self.end(entry.node), colon), written)

    def _region(self, node: yaml.Node, index: int) -> tuple[int, int]:
        """From the line of a block entry, comments right above it included, to behind its last line."""
        child = node.value[index]
        first = self.start(_first(child))
        if isinstance(node, yaml.SequenceNode):
            first = self.text.rfind("-", 0, first)
        column = self._column(first)
        start = first - column
        while start and (above := self._line_above(start)).strip().startswith("#") and _indent(above) == column:
            start -= len(above)
        end = self.text.find("\n", max(self.end(_last(child)), self.end(_first(child))))
        return start, len(self.text) if end < 0 else end + 1

    def _line_above(self, start: int) -> str:
        return self.text[self.text.rfind("\n", 0, start - 1) + 1 : start]

    def without(self, place: Sequence[str | int]) -> str:
        """The entry at a place taken out, with the comments right above it. Raises WrongPlace."""
        entry = self.find(place)
        count = len(entry.parent.value)
        if count == 1 and len(place) > 1:
            return self.without(place[:-1]) if len(place) == 2 else self.with_value(place[:-1], _empty(entry.parent))
        if not entry.parent.flow_style:
            return self._spliced(*self._region(entry.parent, entry.index), "")
        spans = [(self.start(_first(child)), self.end(_last(child))) for child in entry.parent.value]
        if entry.index:
            return self._spliced(spans[entry.index - 1][1], spans[entry.index][1], "")
        return self._spliced(spans[0][0], spans[1][0], "")

    def moved(self, place: Sequence[str | int], to: int) -> str:
        """The item at a place moved so that it has that number afterwards. Raises WrongPlace."""
        entry = self.find(place)
        node, count = entry.parent, len(entry.parent.value)
        if not 0 <= to < count:
            raise WrongPlace(entry.node.start_mark.line + 1, place_words(place), f"只有 {count} 项，不能移到第 {to + 1} 项")
        if to == entry.index:
            return self.text
        order = [index for index in range(count) if index != entry.index]
        order.insert(to, entry.index)
        spans = [
            (self.start(_first(child)), self.end(_last(child))) if node.flow_style else self._region(node, index)
            for index, child in enumerate(node.value)
        ]
        pieces = [self.text[start:end] for start, end in spans]
        gaps = [self.text[spans[index][1] : spans[index + 1][0]] for index in range(count - 1)]
        if not node.flow_style and not pieces[-1].endswith("\n"):
            pieces[-1] += self.newline
        written = "".join(piece + gap for piece, gap in zip([pieces[index] for index in order], [*gaps, ""], strict=True))
        return self._spliced(spans[0][0], spans[-1][1], written)


def sections_after(key: str, present: Iterable[str]) -> list[str]:
    """The sections behind the place of a missing one: all behind the last that is to stand before it."""
    names = list(present)
    before = set(SECTIONS[: SECTIONS.index(key)]) if key in SECTIONS else set(names)
    last = max((index for index, name in enumerate(names) if name in before), default=0)
    return names[last + 1 :]


def _first(child: Any) -> yaml.Node:
    return child[0] if isinstance(child, tuple) else child


def _last(child: Any) -> yaml.Node:
    return child[1] if isinstance(child, tuple) else child


def _empty(node: yaml.Node) -> Any:
    return {} if isinstance(node, yaml.MappingNode) else []


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _named(node: yaml.Node) -> str | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value in ("key", "name"):
                return value.value
    return None


def _hint(node: yaml.Node, step: str | int) -> str:
    if isinstance(node, yaml.MappingNode):
        return nearest(str(step), [key.value for key, _ in node.value])
    names = [name for child in node.value if (name := _named(child))] if isinstance(node, yaml.SequenceNode) else []
    return nearest(str(step), names)
