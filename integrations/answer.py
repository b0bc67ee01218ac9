"""Strict reading of a partner's JSON: every field is asked for by name and type, and none may be left over."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from domain.ports.errors import PartnerAnswerInvalid, PartnerRefused, Rejection
from domain.ports.partner import Partner
from integrations.http import Answer
from integrations.redaction import PERSONAL_FIELDS, SECRET_FIELDS, redact

Choice = TypeVar("Choice", bound=StrEnum)

SUCCESS_CODE = "0000"
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Fields:
    """The fields of one JSON object; `done` refuses those that were not asked for."""

    def __init__(
        self, partner: Partner, value: Any, path: str = "", correlation_id: str | None = None
    ) -> None:
        self._partner = partner
        self._path = path
        self._correlation_id = correlation_id
        self._read: set[str] = set()
        if not isinstance(value, dict):
            self.fail("", f"应为对象，实为{_kind(value)}")
        self._value: dict[str, Any] = value

    def text(self, name: str, pattern: str = r"(?s).{1,2000}") -> str:
        """Return a text that matches the whole pattern (any text that is not empty, by default)."""
        value = self._take(name)
        if not isinstance(value, str):
            self.fail(name, f"应为文字，实为{_kind(value)}")
        if not re.fullmatch(pattern, value):
            self.fail(name, f"的值{_shown(name, value)}不符合格式 {pattern}")
        return value

    def text_or_none(self, name: str, pattern: str = r"(?s).{1,2000}") -> str | None:
        """Return a text, or None where the partner says null; the field itself must be there."""
        return None if self._is_null(name) else self.text(name, pattern)

    def texts(self, name: str) -> list[str]:
        """Return a list of texts; a single text stands for a list of one."""
        value = self._take(name)
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            self.fail(name, f"应为文字或文字列表，实为{_kind(value)}")
        return texts

    def count(self, name: str) -> int:
        """Return a whole number that is not negative."""
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail(name, f"应为整数，实为{_kind(value)}")
        if value < 0:
            self.fail(name, f"不能为负数，实为 {value}")
        return value

    def count_or_none(self, name: str) -> int | None:
        """Return a whole number that is not negative, or None where the partner says null."""
        return None if self._is_null(name) else self.count(name)

    def nothing(self, name: str) -> None:
        """Refuse any value but null."""
        if not self._is_null(name):
            self.fail(name, "应为空值")

    def truth(self, name: str) -> bool:
        """Return true or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            self.fail(name, f"应为 true 或 false，实为{_kind(value)}")
        return value

    def truth_or_none(self, name: str) -> bool | None:
        """Return true, false, or None where the partner says null."""
        return None if self._is_null(name) else self.truth(name)

    def decimal(self, name: str) -> Decimal:
        """Return an exact number; the partner writes it as text so that no digit is lost."""
        value = self._take(name)
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            self.fail(name, f"应为写成文字的十进制数，实为{_shown(name, value)}")
        return Decimal(value)

    def decimal_or_none(self, name: str) -> Decimal | None:
        """Return an exact number, or None where the partner says null."""
        return None if self._is_null(name) else self.decimal(name)

    def day(self, name: str) -> date:
        """Return a date written YYYY-MM-DD."""
        value = self._take(name)
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            self.fail(name, f"应为 YYYY-MM-DD 的日期，实为{_shown(name, value)}")
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise self.fault(name, f"不是存在的日期：{value}") from error

    def moment(self, name: str) -> datetime:
        """Return a moment with its zone."""
        value = self._take(name)
        if not isinstance(value, str):
            self.fail(name, f"应为带时区的时间，实为{_kind(value)}")
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise self.fault(name, f"不是时间：{_shown(name, value)}") from error
        if moment.tzinfo is None:
            self.fail(name, f"没有时区：{_shown(name, value)}")
        return moment

    def moment_or_none(self, name: str) -> datetime | None:
        """Return a moment, or None where the partner says null."""
        return None if self._is_null(name) else self.moment(name)

    def choice(self, name: str, kind: type[Choice]) -> Choice:
        """Return a member of the enumeration."""
        value = self._take(name)
        if not isinstance(value, str) or value not in [member.value for member in kind]:
            self.fail(name, f"应为 {'、'.join(kind)} 之一，实为{_shown(name, value)}")
        return kind(value)

    def object(self, name: str) -> "Fields":
        """Return the fields of a nested object."""
        return Fields(self._partner, self._take(name), self._name(name), self._correlation_id)

    def objects(self, name: str) -> list["Fields"]:
        """Return the fields of every object of a list."""
        value = self._take(name)
        if not isinstance(value, list):
            self.fail(name, f"应为列表，实为{_kind(value)}")
        path = self._name(name)
        return [
            Fields(self._partner, item, f"{path}[{index}]", self._correlation_id)
            for index, item in enumerate(value)
        ]

    def done(self) -> None:
        """Refuse fields that the agreed form does not have: they may change the meaning of the others."""
        unknown = sorted(set(self._value) - self._read)
        if unknown:
            self.fail(unknown[0], "是约定之外的字段")

    def fault(self, name: str, text: str) -> PartnerAnswerInvalid:
        """Return the error that names this field."""
        return PartnerAnswerInvalid(self._partner, self._name(name), text, self._correlation_id)

    def fail(self, name: str, text: str) -> NoReturn:
        """Raise the error that names this field."""
        raise self.fault(name, text)

    def _take(self, name: str) -> Any:
        self._read.add(name)
        if name not in self._value:
            self.fail(name, "缺失")
        return self._value[name]

    def _is_null(self, name: str) -> bool:
        return self._take(name) is None

    def _name(self, name: str) -> str:
        return ".".join(part for part in (self._path, name) if part) or "应答正文"


def read_json(partner: Partner, body: bytes, correlation_id: str | None = None) -> Fields:
    """Read a body as one JSON object in UTF-8, without repeated names and without NaN."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_no_repeats, parse_constant=_no_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise PartnerAnswerInvalid(partner, "应答正文", "不是合格的 JSON", correlation_id) from error
    return Fields(partner, value, "", correlation_id)


def read_envelope(partner: Partner, answer: Answer) -> Fields:
    """Open the agreed envelope {code, message, data, errors} and return the fields of `data`.

    Raises PartnerRefused when the code is not the one of success, PartnerAnswerInvalid for any other form.
    """
    envelope = read_json(partner, answer.body, answer.correlation_id)
    code = envelope.text("code", r"[0-9A-Z_-]{1,20}")
    message = redact(envelope.text("message"))
    rejections = tuple(read_rejection(item) for item in envelope.objects("errors"))
    if code != SUCCESS_CODE:
        raise PartnerRefused(partner, code, message, rejections, answer.correlation_id)
    if answer.status != 200:
        envelope.fail("code", f"报成功，状态码却是 {answer.status}")
    data = envelope.object("data")
    envelope.done()
    return data


def read_rejection(fields: Fields) -> Rejection:
    """Read one entry of an error list."""
    rejection = Rejection(
        code=fields.text("code", r"[0-9A-Za-z_-]{1,30}"),
        text=redact(fields.text("text")),
        file=fields.text_or_none("file"),
        field=fields.text_or_none("field"),
    )
    fields.done()
    return rejection


def _no_repeats(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("repeated name")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _shown(name: str, value: Any) -> str:
    # Messages are logged: what a person is called or where he lives must not get into them.
    if name in PERSONAL_FIELDS or name in SECRET_FIELDS:
        return "（略）"
    return f" {redact(str(value)[:60])!r} "


def _kind(value: Any) -> str:
    names = {dict: "对象", list: "列表", str: "文字", bool: "真假值", int: "整数", float: "小数"}
    return "空值" if value is None else names[type(value)]
