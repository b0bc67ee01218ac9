"""Values written as YAML that our reader takes back unchanged: on one line, or in lines of their own."""

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from ..document import DAY, INTEGER, NUMBER, WORDS
from ..number import shortest

WIDTH = 110
# Words that need no quotes wherever they stand: no sign of YAML's own, no blank at either end.
PLAIN = re.compile(r"[^\W_][^\s,\[\]{}#:&*!|>'\"%@`?\\]*( [^\s,\[\]{}#:&*!|>'\"%@`?\\]+)*\Z")


def scalar(value: Any) -> str:
    """One value; decimals in quotes, as rule files write them, texts only where they need them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f'"{shortest(value)}"'
    return value if is_plain(value) else json.dumps(value, ensure_ascii=False)


def is_plain(text: str) -> bool:
    """Whether a text stays that text without quotes."""
    other = text in WORDS or INTEGER.match(text) or NUMBER.match(text) or DAY.match(text)
    return bool(PLAIN.match(text)) and text.isprintable() and not other


def flow(value: Any) -> str:
    """The value on one line: `{fact: area_m2, above: 0}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def after_key(value: Any, indent: int, newline: str) -> str:
    """What follows `key:`: the value on the same line when it fits, else in lines of its own below."""
    line = flow(value)
    if not isinstance(value, Mapping | list | tuple) or not value or indent + len(line) <= WIDTH - 10:
        return f" {line}"
    return newline + block(value, indent + 2, newline)


def block(value: Any, indent: int, newline: str) -> str:
    """A mapping or list in lines of its own, each beginning at the indent; no newline at the end."""
    pad = " " * indent
    if isinstance(value, Mapping):
        lines = [f"{pad}{scalar(key)}:{after_key(part, indent, newline)}" for key, part in value.items()]
    else:
        lines = [f"{pad}- {item(part, indent, newline)}" for part in value]
    return newline.join(lines)


def item(value: Any, indent: int, newline: str, spread: bool = False) -> str:
    """What follows `- `; a long mapping goes on below its first key. `spread`: in lines even when it would fit."""
    line = flow(value)
    if not isinstance(value, Mapping | list) or not value or (not spread and indent + len(line) <= WIDTH - 2):
        return line
    return block(value, indent + 2, newline).lstrip(" ")
