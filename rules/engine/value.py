"""Facts as declared and as given: their types, how a given value is taken in, and how it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from .fault import InvalidFact
from .number import EXACT, GREATEST, shortest
from .unit import DAY, PURE, Unit

TYPES = ("decimal", "integer", "text", "boolean", "date", "code", "list")
NUMERIC = frozenset({"decimal", "integer"})
TYPE_WORDS = {
    "decimal": "小数",
    "integer": "整数",
    "text": "文本",
    "boolean": "是否",
    "date": "日期",
    "code": "代码",
    "list": "清单",
}
WEEKDAYS = "一二三四五六日"
UNKNOWN_WORD = "（未知）"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared of one fact, column, parameter, derived fact or flag."""

    name: str
    type: str
    label: str
    unit: Unit | None = None
    domain: Mapping[str, str] | None = None
    columns: Mapping[str, "Declaration"] = field(default_factory=dict)
    minimum: Any = None
    maximum: Any = None
    own_step: Decimal | None = None
    provider: str | None = None
    role: str = "fact"
    line: int = 0

    @property
    def numeric(self) -> bool:
        return self.type in NUMERIC

    @property
    def step(self) -> Decimal | None:
        """Smallest difference that counts for this fact, None for types without order."""
        if self.own_step is not None:
            return self.own_step
        if self.type in ("integer", "date"):
            return Decimal(1)
        return (self.unit or PURE).step if self.type == "decimal" else None


def take(declaration: Declaration, raw: Any) -> Any:
    """The given value as the declared type; None stays None (a missing fact). Raises InvalidFact."""
    if raw is None:
        return None
    value = TAKERS[declaration.type](declaration, raw)
    low, high = declaration.minimum, declaration.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise InvalidFact(_outside(declaration, value))
    return value


def _outside(declaration: Declaration, value: Any) -> str:
    low, high = present(declaration.minimum, declaration), present(declaration.maximum, declaration)
    bounds = "，".join(
        text
        for text, limit in ((f"不小于 {low}", declaration.minimum), (f"不大于 {high}", declaration.maximum))
        if limit is not None
    )
    return f"{_titled(declaration)}为 {present(value, declaration)}，超出允许范围（{bounds}）。请核对来源数据"


def _titled(declaration: Declaration) -> str:
    return f"「{declaration.label}」（{declaration.name}）" if declaration.name else f"「{declaration.label}」"


def _refuse(declaration: Declaration, raw: Any, expected: str) -> InvalidFact:
    return InvalidFact(
        f"{_titled(declaration)}应是{expected}，给的是 {raw!r}（{type(raw).__name__}）。请改正事实的来源"
    )


def _decimal(declaration: Declaration, raw: Any) -> Decimal:
    kind = type(raw)
    if kind is Decimal:
        value = raw
    elif kind is int:
        value = Decimal(raw)
    elif kind is str:
        value = _parsed(declaration, raw)
    else:
        raise _refuse(declaration, raw, "十进制数（Decimal、整数或数字文本；浮点数会丢精度，不收）")
    if not value.is_finite() or abs(value) > GREATEST or value.as_tuple().exponent < -20:
        raise _refuse(declaration, raw, "有限的数（绝对值不超过 10 的 30 次方，小数不超过 20 位）")
    return value


def _parsed(declaration: Declaration, raw: str) -> Decimal:
    try:
        return Decimal(raw)
    except InvalidOperation as error:
        raise _refuse(declaration, raw, "十进制数") from error


def _integer(declaration: Declaration, raw: Any) -> int:
    if type(raw) is int:
        return raw
    value = _decimal(declaration, raw)
    if value != value.to_integral_value():
        raise _refuse(declaration, raw, "整数")
    return int(value)


def _text(declaration: Declaration, raw: Any) -> str:
    if isinstance(raw, str):
        return raw
    raise _refuse(declaration, raw, "文本")


def _boolean(declaration: Declaration, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    raise _refuse(declaration, raw, "是否（true 或 false）")


def _date(declaration: Declaration, raw: Any) -> date:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    if not isinstance(raw, str):
        raise _refuse(declaration, raw, "日期（不带时刻）")
    try:
        return date.fromisoformat(raw)
    except ValueError as error:
        raise _refuse(declaration, raw, "日期（2026-01-31）") from error


def _code(declaration: Declaration, raw: Any) -> str:
    text = _text(declaration, raw)
    if declaration.domain is not None and text not in declaration.domain:
        raise InvalidFact(
            f"{_titled(declaration)}的值「{text}」不在代码表内（{'、'.join(declaration.domain)}）。请核对来源数据"
        )
    return text


def _list(declaration: Declaration, raw: Any) -> tuple[dict, ...]:
    if not isinstance(raw, list | tuple):
        raise _refuse(declaration, raw, "清单")
    return tuple(_record(declaration, row) for row in raw)


def _record(declaration: Declaration, row: Any) -> dict:
    if not isinstance(row, Mapping):
        raise _refuse(declaration, row, "由栏目组成的清单")
    strange = set(row) - set(declaration.columns)
    if strange:
        raise InvalidFact(
            f"{_titled(declaration)}没有栏目 {'、'.join(sorted(strange))}，可用的栏目是 {'、'.join(declaration.columns)}"
        )
    return {name: take(column, row.get(name)) for name, column in declaration.columns.items()}


TAKERS = {
    "decimal": _decimal,
    "integer": _integer,
    "text": _text,
    "boolean": _boolean,
    "date": _date,
    "code": _code,
    "list": _list,
}


def present(value: Any, declaration: Declaration, sign: bool = False) -> str:
    """The value as people read it: thousands, unit, Chinese date; with the unit's sign for working, its word for messages."""
    if value is None:
        return UNKNOWN_WORD
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | Decimal):
        return quantity(value, declaration.unit or PURE, sign)
    if isinstance(value, date):
        return f"{value.year} 年 {value.month} 月 {value.day} 日（周{WEEKDAYS[value.weekday()]}）"
    if isinstance(value, tuple):
        return f"{len(value)} 条"
    return (declaration.domain or {}).get(value, value)


def quantity(value: int | Decimal, unit: Unit, sign: bool = False) -> str:
    """A number with thousands and its unit, with at least the unit's decimals and never fewer digits than it has."""
    number = Decimal(value)
    exponent = EXACT.normalize(number).as_tuple().exponent
    places = 0 if isinstance(value, int) else max(unit.decimals, -exponent)
    word = unit.sign if sign else unit.label
    gap = "" if not word or unit.key == "percent" else " "
    return f"{number:,.{places}f}{gap}{word}"


def plain(value: Any) -> Any:
    """The value for JSON: numbers and dates as text that reads back to the same value."""
    kind = type(value)
    if kind is str or value is None or kind is bool or kind is int:
        return value
    if isinstance(value, Decimal):
        return shortest(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return value


DECISION_DATE = Declaration("on", "date", "判断日期", role="built_in")
DAYS = Declaration("days", "integer", "天数", unit=DAY)
