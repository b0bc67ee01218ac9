"""One written value turned into another by the fewest edits, so that comments and layout beside them stay."""

from collections.abc import Mapping
from typing import Any

from ..value import plain
from .layout import Layout, Place


def merged(text: str, place: Place, old: Any, new: Any) -> str:
    """The text in which the value at the place, `old` as read, has become `new`. Raises WrongPlace."""
    if plain(old) == plain(new):
        return text
    if isinstance(old, Mapping) and isinstance(new, Mapping) and old and new:
        return _mapping(text, place, old, new)
    if isinstance(old, list) and isinstance(new, list | tuple) and old and new:
        return _list(text, place, old, new)
    return Layout(text).with_value(place, new)


def _mapping(text: str, place: Place, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    gone = [key for key in old if key not in new]
    came = [key for key in new if key not in old]
    if len(gone) == len(came) == 1:
        # One key for another is a renaming: another operator, another way to ask; it stays where it was.
        text = Layout(text).with_key((*place, gone[0]), came[0])
        old = {came[0] if key == gone[0] else key: value for key, value in old.items()}
        gone = []
    if len(gone) == len(old):
        return Layout(text).with_value(place, new)
    for key in gone:
        text = Layout(text).without((*place, key))
    for key, value in new.items():
        if key in old:
            text = merged(text, (*place, key), old[key], value)
        else:
            text = Layout(text).with_entry(place, key, value)
    return text


def _list(text: str, place: Place, old: list, new: list | tuple) -> str:
    same = [plain(item) for item in old], [plain(item) for item in new]
    start = 0
    while start < min(len(old), len(new)) and same[0][start] == same[1][start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and same[0][-1 - end] == same[1][-1 - end]:
        end += 1
    left, came = old[start : len(old) - end], new[start : len(new) - end]
    for index, (before, after) in enumerate(zip(left, came, strict=False), start):
        text = merged(text, (*place, index), before, after)
    for index in range(len(left) - 1, len(came) - 1, -1):
        text = Layout(text).without((*place, start + index))
    for index in range(len(left), len(came)):
        at = start + index
        text = Layout(text).with_item(place, came[index], at if at < len(old) else None)
    return text
