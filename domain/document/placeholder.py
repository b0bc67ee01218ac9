"""Fields in the texts of documents: 「{field}」「{field:format}」「{field:format|what to print if empty}」.

A field is a key, or keys joined by dots for a value inside another. There is no expression, no call and no
attribute: a text that a rule maintainer writes can read values and do nothing else.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from domain import format as wording
from domain.errors import InvalidData

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_BODY = re.compile(r"([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)(?::([a-z0-9_]+))?(?:\|([^{}]*))?")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One field in a text: its dotted path, its format, and what stands there when it is empty."""

    path: str
    format: str | None
    fallback: str | None


class MissingData(InvalidData):
    """A document cannot be made, because these fields are empty; `paths` lists them all."""

    def __init__(self, label: str, paths: tuple[str, ...], labels: Mapping[str, str] | None = None) -> None:
        self.paths = paths
        named = {path: (labels or {}).get(path, path) for path in paths}
        super().__init__(
            f"还不能生成《{label}》，缺少：{'、'.join(named.values())}。请补填后再生成。",
            {path: f"生成《{label}》需要{name}。" for path, name in named.items()},
        )


def placeholders(text: str) -> tuple[Placeholder, ...]:
    """The fields a text reads, in order; raises InvalidData for anything that is not a placeholder."""
    rest = _PLACEHOLDER.sub("", text)
    if "{" in rest or "}" in rest:
        raise InvalidData(f"文书文字「{text}」的花括号不成对。请补全或删去。")
    return tuple(_parsed(body, text) for body in _PLACEHOLDER.findall(text))


def filled(text: str, values: Mapping[str, Any]) -> str:
    """The text with its fields printed. Raises MissingData for empty fields that have no fallback."""
    missing = missing_paths(text, values)
    if missing:
        raise MissingData(text, missing)
    return _PLACEHOLDER.sub(lambda found: _printed(_parsed(found.group(1), text), values), text)


def missing_paths(text: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields of a text that are empty and have no fallback."""
    read = placeholders(text)
    return tuple(each.path for each in read if each.fallback is None and is_empty(value_at(values, each.path)))


def printed(value: Any, format_key: str | None = None) -> str:
    """One value in words: by the format, else by its type. Raises InvalidData if it does not fit."""
    try:
        return FORMATS[format_key](value) if format_key else _by_type(value)
    except (TypeError, ValueError, InvalidOperation) as error:
        wanted = f"格式 {format_key}" if format_key else "文书"
        raise InvalidData(f"值「{value}」不能按{wanted}打印。请核对这一项填写的内容。") from error


def value_at(values: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; None where a part of it is absent."""
    found: Any = values
    for key in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found


def is_empty(value: Any) -> bool:
    """True for what counts as not filled in: nothing, blank text, an empty list. Zero and 否 are values."""
    return value is None or (isinstance(value, str) and not value.strip()) or value == [] or value == ()


def _parsed(body: str, text: str) -> Placeholder:
    found = _BODY.fullmatch(body)
    if found is None:
        raise InvalidData(f"文书文字「{text}」中的 {{{body}}} 不是字段。请写成 {{字段名}} 或 {{字段名:格式}}。")
    if found.group(2) and found.group(2) not in FORMATS:
        known = "、".join(FORMATS)
        raise InvalidData(f"文书文字「{text}」用了没有的格式 {found.group(2)}。可用的格式：{known}。")
    return Placeholder(*found.groups())


def _printed(each: Placeholder, values: Mapping[str, Any]) -> str:
    value = value_at(values, each.path)
    if is_empty(value) and each.fallback is not None:
        return each.fallback
    try:
        return printed(value, each.format)
    except InvalidData as error:
        raise InvalidData(f"{each.path}：{error.message}", {each.path: error.message}) from error


def _by_type(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return wording.moment(value)
    if isinstance(value, date):
        return _closed_up(wording.date_formal(value))
    if isinstance(value, Decimal):
        return wording.thousands(value)
    if isinstance(value, list | tuple):
        return "、".join(_by_type(each) for each in value)
    if isinstance(value, str | int):
        return str(value)
    raise TypeError(type(value).__name__)


def _number(value: Any) -> Decimal:
    """An exact number, also from the text in which a case keeps it; never from a float."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise TypeError(type(value).__name__)
    return Decimal(value)


def _day(value: Any) -> date:
    """A date, also from ISO text; a moment gives its day in Shanghai."""
    if isinstance(value, datetime):
        return wording.local(value).date()
    return value if isinstance(value, date) else date.fromisoformat(value)


def _moment(value: Any) -> str:
    return wording.moment(value if isinstance(value, datetime) else datetime.fromisoformat(value))


def _closed_up(text: str) -> str:
    """Without the gaps between digits and characters: printed documents have none (GB/T 9704—2012)."""
    return text.replace(" ", "")


FORMATS: Mapping[str, Callable[[Any], str]] = {
    "text": _by_type,
    "date": lambda value: _closed_up(wording.date_formal(_day(value))),
    "capital_date": lambda value: wording.capital_date(_day(value)),
    "moment": _moment,
    "area": lambda value: _closed_up(wording.area_m2(_number(value))),
    "hectares": lambda value: _closed_up(wording.hectares(_number(value))),
    "mu": lambda value: _closed_up(wording.mu(_number(value))),
    "money": lambda value: _closed_up(wording.money(_number(value))),
    "money_wan": lambda value: _closed_up(wording.money_wan(_number(value))),
    "capital": lambda value: wording.capital_money(_number(value)),
    "number": lambda value: wording.thousands(_number(value)),
    "percent": lambda value: wording.percent(_number(value)),
}
"""What may stand after the colon. Areas are given in square metres, money in yuan, percent as a ratio."""
