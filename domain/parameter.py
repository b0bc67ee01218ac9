"""Parameters 参数 of the whole portal: declared in reference/parameters.yaml, changed with a trail."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column
from sqlmodel import Field, Session, SQLModel, select

from domain.columns import BIG_ID, code_column, moment_column
from domain.command import Work, command, holders_of
from domain.errors import Conflict, InvalidData, NotFound
from rules.engine.document import Block, read_document
from rules.engine.fault import InvalidFact
from rules.engine.unit import unit_named
from rules.engine.value import Declaration, plain, present, take

FILE = Path(__file__).parent / "reference" / "parameters.yaml"
KEEPERS = ("system_admin",)


class Parameter(SQLModel, table=True):
    """A parameter that was changed; the value is kept as text and read by its declared type."""

    __tablename__ = "parameter"

    key: str = Field(sa_column=Column(code_column().type, primary_key=True))
    value: str
    changed_at: datetime = Field(sa_column=moment_column())
    changed_by: int | None = Field(default=None, sa_type=BIG_ID)
    version: int = 1


@dataclass(frozen=True, slots=True)
class ParameterDefinition:
    """What is declared of a parameter; `default` is the value until somebody changes it."""

    declaration: Declaration
    default: Any
    basis: str

    @property
    def key(self) -> str:
        return self.declaration.name

    @property
    def label(self) -> str:
        return self.declaration.label


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter as it stands: its definition, its value, the value in words, and since when it differs."""

    definition: ParameterDefinition
    value: Any
    words: str
    version: int = 0
    changed_at: datetime | None = None


@functools.cache
def definitions() -> Mapping[str, ParameterDefinition]:
    """Every declared parameter by key."""
    return MappingProxyType({row["key"]: _definition(row) for row in read_document(FILE)["parameters"]})


def _definition(row: Block) -> ParameterDefinition:
    unit = unit_named(row["unit"]) if "unit" in row else None
    declaration = Declaration(
        row["key"], row["type"], row["label"], unit, minimum=row.get("min"), maximum=row.get("max")
    )
    return ParameterDefinition(declaration, take(declaration, row["default"]), row["basis"])


def value(session: Session, key: str) -> Any:
    """The value in force: Decimal, int, bool, text or date, as declared. Raises NotFound."""
    row = session.get(Parameter, _definition_of(key).key)
    return _typed(_definition_of(key), row.value) if row is not None else _definition_of(key).default


def settings(session: Session) -> tuple[Setting, ...]:
    """Every parameter as it stands, with one query."""
    rows = {row.key: row for row in session.exec(select(Parameter)).all()}
    return tuple(_setting(definition, rows.get(key)) for key, definition in definitions().items())


def _setting(definition: ParameterDefinition, row: Parameter | None) -> Setting:
    if row is None:
        return Setting(definition, definition.default, present(definition.default, definition.declaration))
    found = _typed(definition, row.value)
    return Setting(definition, found, present(found, definition.declaration), row.version, row.changed_at)


def in_words(definition: ParameterDefinition, found: Any) -> str:
    """A value of a parameter as people read it, with its unit."""
    return present(found, definition.declaration)


@command("parameter.change", allow=holders_of(*KEEPERS))
def change(work: Work, key: str, text: str, version: int = 0) -> Parameter:
    """Set a parameter; `text` is read by its declared type. Raises InvalidData outside its limits."""
    definition = _definition_of(key)
    found = _typed(definition, text.strip())
    row = work.session.get(Parameter, key)
    before = row.value if row is not None else _text(definition.default)
    _check_version(definition, row, version)
    row = row or Parameter(key=key, value="", changed_at=work.at, version=0)
    row.value, row.changed_at, row.changed_by = _text(found), work.at, work.actor.person_id
    row.version += 1
    work.session.add(row)
    work.record(f"parameter:{key}", before=before, after=row.value)
    return row


@command("parameter.reset", allow=holders_of(*KEEPERS))
def reset(work: Work, key: str, version: int) -> None:
    """Go back to the declared default."""
    definition, row = _definition_of(key), work.session.get(Parameter, key)
    if row is None:
        raise Conflict(f"「{definition.label}」本来就是缺省值，没有改动。")
    _check_version(definition, row, version)
    work.session.delete(row)
    work.record(f"parameter:{key}", before=row.value, after=_text(definition.default))


def _check_version(definition: ParameterDefinition, row: Parameter | None, version: int) -> None:
    if version != (row.version if row is not None else 0):
        raise Conflict(f"「{definition.label}」在你打开页面之后被改过，本次没有保存。请刷新页面后再改。")


def _definition_of(key: str) -> ParameterDefinition:
    found = definitions().get(key)
    if found is None:
        raise NotFound(f"没有参数「{key}」。请从参数列表中选择。")
    return found


def _typed(definition: ParameterDefinition, text: str) -> Any:
    raw: Any = (
        {"true": True, "false": False}.get(text, text) if definition.declaration.type == "boolean" else text
    )
    try:
        return take(definition.declaration, raw)
    except InvalidFact as error:
        words = _wanted(definition.declaration)
        raise InvalidData(f"「{definition.label}」{words}。没有保存，请改正后再保存。", {definition.key: words}) from error


_TYPE_WORDS = {"integer": "整数", "decimal": "数字", "boolean": "“是”或“否”", "date": "日期（例如 2026-01-31）"}


def _wanted(declaration: Declaration) -> str:
    """What may be typed, for whoever typed something else."""
    bounds = (("不小于", declaration.minimum), ("不大于", declaration.maximum))
    limits = [f"{word} {present(limit, declaration)}" for word, limit in bounds if limit is not None]
    return "，".join([f"应是{_TYPE_WORDS.get(declaration.type, '列出的值')}", *limits])


def _text(found: Any) -> str:
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(plain(found)) if isinstance(found, Decimal) else str(found)
