"""The days of an edition in its YAML text, changed without touching anything else of it."""

import hashlib
import json
from datetime import date

import yaml

from domain.errors import InvalidData
from rules.engine import RuleSet


def dated(text: str, start: date, until: date | None) -> str:
    """The text with the edition's first and last day set; comments, order and layout stay. Raises InvalidData."""
    edition = _value(yaml.compose(text, Loader=yaml.BaseLoader), "edition")
    if not isinstance(edition, yaml.MappingNode):
        raise InvalidData("规则文本里没有 edition（版本的起止日期），不能写入生效日期。请补上 edition: {from: 日期, until: null}。")
    days = {"until": "null" if until is None else until.isoformat(), "from": start.isoformat()}
    marks = {key.value: value for key, value in edition.value}
    for key in sorted(days, key=lambda each: -marks[each].start_mark.index if each in marks else 0):
        if key in marks:
            text = text[: marks[key].start_mark.index] + days[key] + text[marks[key].end_mark.index :]
        elif days[key] != "null":
            raise InvalidData(f"规则文本的 edition 里没有 {key}，不能写入生效日期。请写成 edition: {{from: 日期, until: null}}。")
    return text


def _value(document: yaml.Node, key: str) -> yaml.Node | None:
    return next((value for name, value in document.value if name.value == key), None)


def text_digest(text: str | bytes) -> str:
    """SM3 of a text as it lies in a file, as 64 hex digits."""
    return hashlib.new("sm3", text if isinstance(text, bytes) else text.encode()).hexdigest()


def substance(rules: RuleSet) -> str:
    """What an edition says apart from its days: equal for a draft and for the edition it becomes."""
    document = json.loads(rules.content)
    document["edition"] = {key: value for key, value in document["edition"].items() if key not in ("from", "until")}
    return json.dumps(document, ensure_ascii=False, sort_keys=True)
