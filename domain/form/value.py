"""One value of one field: read from what was typed, kept in JSON, typed for rules, limited by its definition.

Kept in JSON: text, codes and dates as text, numbers with decimals as text with their own digits, whole
numbers and booleans as such, several choices as a list. Range and plots are references from other modules.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from domain import format as wording
from domain.form import identifier
from domain.form.fault import FieldFault
from rules.case_type.form import NUMBER_TYPES, PLACE_TYPES, TEXT_TYPES, FieldDefinition
from rules.engine.unit import unit_named

DATE_PARTS = (("year", "年"), ("month", "月"), ("day", "日"))
GREATEST = Decimal(10) ** 14
"""Numbers stay below it, so that four decimals still fit a 64-bit integer in the index."""
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
NEVER_NEGATIVE = ("area", "money", "length")

_FULL_WIDTH = str.maketrans("０１２３４５６７８９．，－＋％", "0123456789.,-+%")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?\Z")
_BLANK = " \t\r\n\u3000\u00a0"
_JOINERS = ("\u200c", "\u200d")
"""Zero-width joiners belong to emoji and some names; every other format character is refused."""


def parse(field: FieldDefinition, texts: Sequence[str]) -> Any:
    """The typed value of what was typed; None when nothing was. Raises FieldFault."""
    if field.type == "choices":
        return tuple(dict.fromkeys(text for text in texts if text)) or None
    if field.type == "date":
        return _named_day(field, texts)
    text = _clean(field, texts[-1] if texts else "")
    return PARSERS[field.type](field, text) if text else None


def check_limits(field: FieldDefinition, value: Any, choices: Collection[str] | None = None) -> None:
    """Raise FieldFault if a typed value is outside its definition; `choices` are the valid codes."""
    if value is None:
        return
    if field.type in NUMBER_TYPES or field.type == "date":
        _check_range(field, value)
    elif field.type in TEXT_TYPES:
        _check_text(field, value)
    elif choices is not None:
        _check_choices(field, value, choices)


def stored(field: FieldDefinition, value: Any) -> Any:
    """The typed value as it is kept in JSON."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def typed(field: FieldDefinition, kept: Any) -> Any:
    """The typed value of what is kept in JSON; None for nothing."""
    if kept is None or kept == "" or kept == [] or kept == {}:
        return None
    if field.type == "date":
        return date.fromisoformat(kept) if isinstance(kept, str) else kept
    if field.type == "integer":
        return int(kept)
    if field.type in NUMBER_TYPES:
        return Decimal(kept)
    return tuple(kept) if field.type == "choices" else kept


def typed_text(field: FieldDefinition, value: Any) -> str:
    """A typed value as it stands in an input: no thousands, no unit."""
    if value is None or field.type in PLACE_TYPES:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def date_parts(value: date | None) -> dict[str, str]:
    """A date in the three inputs year, month, day."""
    if value is None:
        return {"year": "", "month": "", "day": ""}
    return {"year": str(value.year), "month": str(value.month), "day": str(value.day)}


def unit_word(field: FieldDefinition) -> str:
    """The unit as it stands behind the box."""
    unit = unit_named(field.unit) if field.unit else None
    return unit.label if unit else ""


def _clean(field: FieldDefinition, text: str) -> str:
    """The text in NFC without blanks around it. Raises FieldFault for characters that cannot be kept."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip(_BLANK)
    allowed = "\n\t" if field.type == "long_text" else ""
    for place, each in enumerate(text, start=1):
        if unicodedata.category(each) in ("Cc", "Cs", "Cf") and each not in allowed and each not in _JOINERS:
            raise FieldFault(
                f"{field.label}第 {place} 个字符是看不见的控制字符 U+{ord(each):04X}，不能保存。请删去它，或重新输入。"
            )
    return text


def _plain_text(field: FieldDefinition, text: str) -> str:
    return text


def _identifier(read: Callable[[str], str]) -> Callable[[FieldDefinition, str], str]:
    return lambda field, text: read(text.translate(_FULL_WIDTH))


def _number(field: FieldDefinition, text: str) -> Decimal:
    plain = text.translate(_FULL_WIDTH)
    if not _NUMBER.match(plain):
        raise FieldFault(_no_number(field, text, plain))
    value = Decimal(plain.replace(",", ""))
    if abs(value) >= GREATEST:
        raise FieldFault(f"{field.label} {text} 超过系统能记的 14 位整数。请核对位数和单位。")
    places = len(plain.partition(".")[2])
    if places > field.decimals:
        raise FieldFault(
            f"{field.label} {text} 有 {places} 位小数，最多 {field.decimals} 位。请按规定的位数填写，系统不代为舍入。"
        )
    return value


def _no_number(field: FieldDefinition, text: str, plain: str) -> str:
    if "," in plain and _NUMBER.match(plain.replace(",", "")):
        return f"{field.label}「{text}」的逗号不在千分位上，分不清是多少。请去掉逗号再填。"
    unit = unit_word(field)
    return f"{field.label}「{text}」不是数字。只填数字{f'，单位{unit}不用写' if unit else ''}，例如 {_sample(field)}。"


def _sample(field: FieldDefinition) -> str:
    return "12" if field.decimals == 0 else "1250.5"


def _fixed(field: FieldDefinition, text: str) -> Decimal:
    """Area, money and length always keep their two decimals."""
    return _number(field, text).quantize(Decimal(1).scaleb(-field.decimals))


def _whole(field: FieldDefinition, text: str) -> int:
    if "." in text.translate(_FULL_WIDTH):
        raise FieldFault(f"{field.label}「{text}」不是整数。请填整数。")
    return int(_number(field, text))


def _yes_no(field: FieldDefinition, text: str) -> bool:
    if text not in ("true", "false"):
        raise FieldFault(f"{field.label}只能选是或否，收到的是「{text}」。请重新选择。")
    return text == "true"


def _named_day(field: FieldDefinition, texts: Sequence[str]) -> date | None:
    """The date; a fault names the field, because the summary shows it away from its label."""
    try:
        return _day(texts)
    except FieldFault as fault:
        raise FieldFault(f"{field.label}：{fault.message}", fault.parts) from fault


def _day(texts: Sequence[str]) -> date | None:
    """From one ISO text (a native date picker) or from year, month and day."""
    parts = [text.translate(_FULL_WIDTH).strip(_BLANK) for text in texts]
    if not any(parts):
        return None
    if len(parts) == 1:
        parts = parts[0].split("-") if parts[0].count("-") == 2 else [parts[0], "", ""]
    named = list(zip(DATE_PARTS, parts, strict=True))
    missing = [(key, word) for (key, word), part in named if not part]
    if missing:
        words = "、".join(word for _key, word in missing)
        raise FieldFault(
            f"日期缺少{words}。年、月、日都要填，例如 2026 年 3 月 31 日。",
            tuple(key for key, _word in missing),
        )
    strange = [(key, part) for (key, _word), part in named if not re.fullmatch(r"[0-9]{1,4}", part)]
    if strange:
        raise FieldFault(
            f"日期里的「{strange[0][1]}」不是数字。年、月、日只填数字。", tuple(key for key, _part in strange)
        )
    return _existing_day(*(int(part) for part in parts))


def _existing_day(year: int, month: int, day: int) -> date:
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise FieldFault(f"年份 {year} 不在 {EARLIEST_YEAR} 到 {LATEST_YEAR} 之间。请填四位年份。", ("year",))
    if not 1 <= month <= 12:
        raise FieldFault(f"没有 {month} 月。月份填 1 到 12。", ("month",))
    try:
        return date(year, month, day)
    except ValueError:
        raise FieldFault(f"{year} 年 {month} 月没有 {day} 日。请核对日期。", ("day",)) from None


PARSERS: dict[str, Callable[[FieldDefinition, str], Any]] = {
    "text": _plain_text,
    "long_text": _plain_text,
    "phone": _identifier(identifier.phone),
    "credit_code": _identifier(identifier.credit_code),
    "email": _identifier(identifier.email),
    "integer": _whole,
    "decimal": _number,
    "money": _fixed,
    "area": _fixed,
    "length": _fixed,
    "choice": _plain_text,
    "district": _plain_text,
    "town": _plain_text,
    "boolean": _yes_no,
}


def _check_range(field: FieldDefinition, value: Any) -> None:
    low, high = field.minimum, field.maximum
    if low is None and field.type in NEVER_NEGATIVE:
        low = Decimal(0)
    if low is not None and value < low:
        word = "早于最早日期" if field.type == "date" else "小于最小值"
        raise FieldFault(f"{field.label} {_said(field, value)} {word} {_said(field, low)}。请核对后改正。")
    if high is not None and value > high:
        word = "晚于最晚日期" if field.type == "date" else "超过最大值"
        raise FieldFault(f"{field.label} {_said(field, value)} {word} {_said(field, high)}。请核对后改正。")


def is_year(field: FieldDefinition) -> bool:
    """A whole number without unit whose bounds are years: written without commas."""
    low, high = field.minimum, field.maximum
    is_bounded = isinstance(low, Decimal) and isinstance(high, Decimal) and EARLIEST_YEAR <= low and high <= LATEST_YEAR
    return field.type == "integer" and not field.unit and is_bounded


def _said(field: FieldDefinition, value: Any) -> str:
    if isinstance(value, date):
        return wording.date_formal(value)
    if is_year(field):
        return str(value)
    unit = unit_word(field)
    places = field.decimals if field.type in NEVER_NEGATIVE else None
    return wording.thousands(value, places) + (f" {unit}" if unit else "")


def _check_text(field: FieldDefinition, value: str) -> None:
    if field.max_length and len(value) > field.max_length:
        over = len(value) - field.max_length
        raise FieldFault(
            f"{field.label}有 {len(value)} 字，最多 {field.max_length} 字。请删去 {over} 字，或写进附件。"
        )
    if field.pattern and not re.fullmatch(field.pattern, value, re.ASCII):
        raise FieldFault(f"{field.label}「{value}」的格式不对，应是{field.pattern_hint}。请核对后改正。")


def _check_choices(field: FieldDefinition, value: Any, choices: Collection[str]) -> None:
    for each in value if isinstance(value, tuple) else (value,):
        if each not in choices:
            raise FieldFault(f"{field.label}没有「{each}」这一项，可能已经停用。请在列出的各项里重新选择。")
