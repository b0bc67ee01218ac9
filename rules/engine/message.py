"""Messages with facts in braces, as 「剩余 {remaining_m2} 低于警戒线」."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .value import Declaration, present

PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Message:
    """A text cut at its places: words at even positions, names at odd ones."""

    text: str
    pieces: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.pieces[1::2]

    def filled(self, facts: Mapping[str, Any], names: Mapping[str, Declaration]) -> str:
        """The message with every place filled in, quantities with thousands and unit."""
        if len(self.pieces) == 1:
            return self.text
        parts = list(self.pieces)
        for index in range(1, len(parts), 2):
            parts[index] = present(facts[parts[index]], names[parts[index]])
        return "".join(parts)


def message(text: str) -> Message:
    """The text as a message. Raises ValueError for a brace that is no place."""
    pieces = tuple(PLACE.split(text))
    if any("{" in piece or "}" in piece for piece in pieces[::2]):
        raise ValueError("花括号里应是一个事实的键，如 {area_m2}")
    return Message(text, pieces)
