"""One mapping of a definition file, read key by key; every fault is noted with its line."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from rules.engine.document import Block, Series
from rules.engine.fault import Fault
from rules.engine.syntax.condition_reader import ConditionReader
from rules.engine.syntax.formula import nearest

from .condition import BoundCondition, Names

KEY = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")


class DefinitionFaults(Exception):
    """Everything wrong in the definitions; its text has one `file:line: key: message` a line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Notes:
    """Collects the faults of one file."""

    def __init__(self, file: str, faults: list[Fault]) -> None:
        self.file, self.faults = file, faults

    @property
    def has_faults(self) -> bool:
        return any(fault.file == self.file for fault in self.faults)

    def __call__(self, line: int, key: str, message: str) -> None:
        self.faults.append(Fault(self.file, line, key, message))


class Entry:
    """A mapping whose keys are asked for one by one; `close` reports keys that nobody asked for."""

    def __init__(self, block: Block, path: str, note: Notes) -> None:
        self.block, self.path, self.note = block, path, note
        self.asked: list[str] = []

    def fault(self, key: str, message: str) -> None:
        """Note a fault at one of this mapping's keys (at the mapping itself if the key is absent)."""
        self.note(self.line(key), f"{self.path}.{key}" if self.path else key, message)

    def line(self, key: str = "") -> int:
        return self.block.line_of(key)

    def raw(self, key: str, required: bool = False) -> Any:
        """What is written, None if nothing is."""
        self.asked.append(key)
        value = self.block.get(key)
        if required and value is None:
            self.fault(key, f"缺少 {key}。请补写")
        return value

    def text(self, key: str, required: bool = False, default: str = "") -> str:
        value = self.raw(key, required)
        if value is None:
            return default
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, str):
            self.fault(key, f"{key} 是空的。请写内容，或删去这个键")
            return default
        self.fault(key, f"{key} 应是文字，实际是 {value!r}。是数字、日期或 true 的要加引号")
        return default

    def key(self, name: str = "key", required: bool = True) -> str:
        """A key in small letters, digits and underscores."""
        value = self.text(name, required)
        if value and not KEY.match(value):
            self.fault(name, f"键「{value}」只能用小写英文字母、数字和下划线，以字母开头，最长 63 个字符")
            return ""
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fault(key, f"{key} 只能是 true 或 false，实际是 {value!r}")
            return default
        return value

    def whole(
        self, key: str, required: bool = False, least: int = 0, default: int | None = None
    ) -> int | None:
        value = self.raw(key, required)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self.fault(key, f"{key} 应是不小于 {least} 的整数，实际是 {value!r}")
            return default
        return value

    def number(self, key: str) -> Decimal | None:
        value = self.raw(key)
        if value is None or isinstance(value, bool):
            return self._no_number(key, value)
        try:
            return Decimal(value)
        except (InvalidOperation, TypeError, ValueError):
            return self._no_number(key, value)

    def _no_number(self, key: str, value: Any) -> None:
        if value is not None:
            self.fault(key, f"{key} 应是数字，实际是 {value!r}")

    def day(self, key: str, required: bool = False) -> date | None:
        value = self.raw(key, required)
        if value is not None and not isinstance(value, date):
            self.fault(key, f"{key} 应是日期（2026-01-31），实际是 {value!r}")
            return None
        return value

    def one_of(self, key: str, choices: Iterable[str], required: bool = False, default: str = "") -> str:
        value = self.text(key, required, default)
        return value if not value or self.is_among(key, value, choices) else default

    def words(
        self, key: str, choices: Iterable[str] | None = None, default: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """A list of texts, each among the choices if they are given; an absent list is the default."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, Series) or not all(isinstance(item, str) and item for item in value):
            self.fault(key, f"{key} 应是文字的列表，如 [a, b]")
            return default
        for index, item in enumerate(value):
            if item in value[:index]:
                self.fault(key, f"{key} 里 {item} 写了两次，只能写一次")
        if choices is None:
            return tuple(value)
        return tuple(item for item in value if self.is_among(key, item, choices))

    def is_among(self, key: str, value: str, choices: Iterable[str], what: str = "") -> bool:
        """Whether a value is one of the choices; notes a fault with the nearest spelling if not."""
        choices = tuple(choices)
        if value in choices:
            return True
        listed = "、".join(sorted(choices)[:30]) or "（一个也没有）"
        self.fault(key, f"{what or f'{key} '}没有 {value}{nearest(value, choices)}。可用 {listed}")
        return False

    def child(self, key: str, required: bool = False) -> "Entry | None":
        """The mapping under a key."""
        value = self.raw(key, required)
        if value is None:
            return None
        if not isinstance(value, Block):
            self.fault(key, f"{key} 应是映射（键: 值），实际是 {value!r}")
            return None
        return Entry(value, self._below(key), self.note)

    def children(self, key: str, required: bool = False) -> tuple["Entry", ...]:
        """The mappings in the list under a key."""
        value = self.raw(key, required)
        if value is None:
            return ()
        if not isinstance(value, Series) or not all(isinstance(item, Block) for item in value):
            self.fault(key, f"{key} 应是列表，每一项是映射（- key: …）")
            return ()
        return tuple(
            Entry(item, self._child_path(key, index, item), self.note) for index, item in enumerate(value)
        )

    def mapping(self, key: str) -> Mapping[str, str]:
        """A mapping of texts to texts."""
        entry = self.child(key)
        if entry is None:
            return {}
        return {name: entry.text(name, required=True) for name in entry.block}

    def condition(self, key: str, names: Names, shown: Names | None = None) -> BoundCondition | None:
        """A condition over the names; `shown` are the same names with the values that may be compared."""
        value = self.raw(key)
        if value is None:
            return None
        read = ConditionReader(shown or names, self._condition_fault).condition(
            value, self._below(key), self.line(key)
        )
        return None if read is None else BoundCondition(read, names)

    def _condition_fault(self, line: int, path: str, message: str) -> None:
        """The engine speaks of rule files; here a condition reads form fields and the case itself."""
        self.note(
            line,
            path,
            message.replace(
                "请在 facts、parameters 或 derived 里声明", "条件只能读表单字段和 case. 开头的事实"
            ),
        )

    def close(self) -> None:
        """Report unknown and repeated keys."""
        for key in self.block:
            if key not in self.asked:
                known = tuple(dict.fromkeys(self.asked))
                self.fault(key, f"这里没有键 {key}{nearest(key, known)}。可写 {'、'.join(known)}")
        for line, key in self.block.repeated:
            self.note(line, self._below(key), f"键 {key} 写了两次，只能写一次")

    def _below(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _child_path(self, key: str, index: int, item: Block) -> str:
        name = item.get("key", item.get("name"))
        return f"{self._below(key)}[{name if isinstance(name, str) else index}]"


def distinct(entries: Iterable[tuple[Entry, str]], what: str) -> None:
    """Note a fault at each key that was used before."""
    seen: dict[str, int] = {}
    for entry, key in entries:
        if key and key in seen:
            entry.fault("key", f"{what} {key} 重复，第 {seen[key]} 行已经用过。请改名")
        seen.setdefault(key, entry.line("key"))
