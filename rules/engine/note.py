"""Notes taken while reading: what is known from outside the rule files, and the faults found so far."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from .document import Block
from .fault import Fault
from .rule_set import Parameter
from .syntax.formula import nearest

KEY = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True)
class Known:
    """What lies outside the rule files: dictionaries of codes, fact providers (None: not checked), dated tables."""

    dictionaries: Mapping[str, Mapping[str, str] | Collection[str]] = field(default_factory=dict)
    providers: Collection[str] | None = None
    tables: Mapping[str, Parameter] = field(default_factory=dict)


NOTHING_KNOWN = Known()


class Notes:
    """The faults found so far in one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []

    def __call__(self, line: int, key: str, message: str) -> None:
        self.faults.append(Fault(self.file, line, key, message))

    def schema(
        self, block: Any, path: str, line: int, required: Collection[str], optional: Collection[str]
    ) -> bool:
        """Whether the block is a mapping with all required and no unknown keys; notes what is not."""
        if not isinstance(block, Block):
            self(line, path, "这里应是映射（key: value）")
            return False
        before = len(self.faults)
        allowed = (*required, *optional)
        for key_line, key in block.repeated:
            self(key_line, f"{path}.{key}".lstrip("."), f"键 {key} 写了两次，只能写一次")
        for key in block:
            if key not in allowed:
                self(
                    block.line_of(key),
                    f"{path}.{key}".lstrip("."),
                    f"没有键 {key}{nearest(key, allowed)}。可写 {'、'.join(allowed)}",
                )
        for key in required:
            if block.get(key) in (None, ""):
                self(block.line_of(key), f"{path}.{key}".lstrip("."), f"缺少 {key}。请补上")
        return len(self.faults) == before
