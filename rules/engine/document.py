"""YAML files read into mappings and lists that remember the line of every key.

Scalars follow YAML 1.2: only `true` and `false` are booleans (so `on` stays a word), numbers with a
point become Decimal from their own digits, and ISO dates become `date`.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

BaseLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+\Z")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
DEEPEST = 60


class UnreadableDocument(ValueError):
    """A file that is not one YAML mapping; carries the line at fault."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


class Block(dict):
    """A mapping with its own line and the line of each key."""

    __slots__ = ("line", "lines", "repeated")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line, self.lines, self.repeated = line, {}, []

    def line_of(self, key: str) -> int:
        return self.lines.get(key, self.line)


class Series(list):
    """A sequence with its own line and the line of each item."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line, self.lines = line, []

    def numbered(self) -> Iterator[tuple[int, Any]]:
        return zip(self.lines, self, strict=True)


def read_document(path: Path) -> Block:
    """The file's mapping. Raises UnreadableDocument with the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableDocument(
            1, f"文件不是 UTF-8 编码（第 {error.start} 字节）。请另存为 UTF-8"
        ) from error
    return parse_document(text)


def parse_document(text: str) -> Block:
    """The mapping in a YAML text. Raises UnreadableDocument with the line."""
    try:
        node = yaml.compose(text, Loader=BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise UnreadableDocument(
            line, f"不是合法的 YAML：{error.problem or error.context}。请检查缩进、冒号和引号"
        ) from error
    except yaml.reader.ReaderError as error:
        raise UnreadableDocument(
            1, f"含有 YAML 不允许的字符（位置 {error.position}）。请删去控制字符"
        ) from error
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1 if node is not None else 1
        raise UnreadableDocument(line, "文件应是一个映射（key: value），实际不是。请从 key、title、kind 写起")
    return _construct(node, 0)


def _construct(node: yaml.Node, depth: int) -> Any:
    line = node.start_mark.line + 1
    if depth > DEEPEST:
        raise UnreadableDocument(line, f"嵌套超过 {DEEPEST} 层。请把条件拆成派生事实")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, line, depth)
    if isinstance(node, yaml.SequenceNode):
        return _sequence(node, line, depth)
    return _scalar(node, line)


def _mapping(node: yaml.MappingNode, line: int, depth: int) -> Block:
    block = Block(line)
    for key_node, value_node in node.value:
        key_line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise UnreadableDocument(key_line, "键必须是一个词，不能是列表或映射")
        key = key_node.value
        if key in block:
            block.repeated.append((key_line, key))
        block[key] = _construct(value_node, depth + 1)
        block.lines[key] = key_line
    return block


def _sequence(node: yaml.SequenceNode, line: int, depth: int) -> Series:
    series = Series(line)
    for item in node.value:
        series.append(_construct(item, depth + 1))
        series.lines.append(item.start_mark.line + 1)
    return series


def _scalar(node: yaml.ScalarNode, line: int) -> Any:
    text = node.value
    if node.style:
        return text
    if text in WORDS:
        return WORDS[text]
    if INTEGER.match(text):
        return int(text)
    if NUMBER.match(text):
        return Decimal(text)
    return _day(text, line) if DAY.match(text) else text


def _day(text: str, line: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UnreadableDocument(line, f"「{text}」不是存在的日期。请写成 2026-01-31 的样子") from error
