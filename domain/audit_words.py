"""What the audit trail is called on screens: commands, the keys of their details and the values that are keys, read from audit_words.yaml."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rules.engine.document import read_document

FILE = Path(__file__).resolve().parent / "reference" / "audit_words.yaml"


@cache
def _words(group: str) -> Mapping[str, str]:
    return dict(read_document(FILE)[group])


def command_words(command: str) -> str:
    """A command in words; one without words is shown by its own name, so that nothing is hidden."""
    return _words("commands").get(command, command)


def detail_words(detail: Mapping[str, Any]) -> str:
    """What came with a command as one line, without what is empty."""
    given = {key: value for key, value in detail.items() if value not in (None, "", [])}
    return "；".join(f"{_words('keys').get(key, key)} {_value(key, value)}" for key, value in given.items())


def _value(key: str, value: Any) -> str:
    if isinstance(value, list):
        return "、".join(str(each) for each in value)
    if isinstance(value, bool):
        return "是" if value else "否"
    return _words("values").get(key, {}).get(str(value), str(value))
