"""Dictionaries 字典: codes that administrators keep; the defaults, with source, are in reference/dictionaries.

A row of DictionaryEntry adds a code or overrides one. A code is never deleted: a retired one is not offered
any more, and stays valid and readable where it was chosen.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from domain import portal_clock
from domain.columns import code_column, id_column, moment_column
from domain.command import Work, command, holders_of
from domain.errors import Conflict, InvalidData, NotFound
from domain.form.view import Choice
from domain.town import towns
from rules.case_type.form import FormDefinition, dictionary_of
from rules.engine.document import read_document

FOLDER = Path(__file__).parent / "reference" / "dictionaries"
KEEPERS = ("system_admin",)
LONGEST_LABEL = 60
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,39}\Z")


class DictionaryEntry(SQLModel, table=True):
    """One code that was added or changed; `retired_on` is the first day on which it is not offered."""

    __tablename__ = "dictionary_entry"
    __table_args__ = (UniqueConstraint("dictionary", "value", name="uq_dictionary_entry"),)

    id: int | None = Field(default=None, sa_column=id_column())
    dictionary: str = Field(sa_column=code_column(index=True))
    value: str = Field(sa_column=code_column(length=40))
    label: str
    hint: str = ""
    order_no: int = 0
    retired_on: date | None = None
    changed_at: datetime = Field(sa_column=moment_column())
    version: int = 1


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A dictionary as shipped: its codes in order, and where they come from."""

    key: str
    label: str
    source: str
    choices: tuple[Choice, ...]


@functools.cache
def dictionaries() -> Mapping[str, Dictionary]:
    """Every dictionary as shipped, by key."""
    read = [_read(path) for path in sorted(FOLDER.glob("*.yaml"))]
    places = tuple(Choice(town.code, town.name, town.district_code) for town in towns())
    read.append(Dictionary("towns", "街道、镇、乡", "reference/administrative_codes/SOURCES.md", places))
    return MappingProxyType({each.key: each for each in read})


def _read(path: Path) -> Dictionary:
    block = read_document(path)
    choices = tuple(
        Choice(row["value"], row["label"], row.get("hint", ""), is_retired=not row.get("active", True))
        for row in block["entries"]
    )
    if block["key"] != path.stem or len({each.value for each in choices}) != len(choices):
        raise ValueError(f"字典文件 {path.name} 的 key 与文件名不同，或有重复的 value。请改正。")
    return Dictionary(block["key"], block["label"], block["source"], choices)


def defaults() -> dict[str, dict[str, str]]:
    """Codes and labels of every dictionary as shipped, for the check of definitions."""
    return {key: {each.value: each.label for each in one.choices} for key, one in dictionaries().items()}


def entries(session: Session, name: str, on: date) -> tuple[Choice, ...]:
    """The codes of one dictionary on a day, retired ones marked. Raises NotFound."""
    rows = session.exec(select(DictionaryEntry).where(DictionaryEntry.dictionary == _known(name).key)).all()
    return _merged(_known(name), rows, on)


def entry_of(session: Session, name: str, value: str, on: date) -> Choice:
    """One code on a day. Raises NotFound."""
    found = next((each for each in entries(session, name, on) if each.value == value), None)
    if found is None:
        raise NotFound(f"字典里没有代码「{value}」。请刷新页面后再选。")
    return found


def changed_row(session: Session, name: str, value: str) -> DictionaryEntry | None:
    """The row of a code that administrators added or changed; None while it is as shipped."""
    statement = select(DictionaryEntry).where(DictionaryEntry.dictionary == name, DictionaryEntry.value == value)
    return session.exec(statement).first()


def choices(session: Session, on: date) -> dict[str, tuple[Choice, ...]]:
    """The codes of every dictionary on a day, with one query; what forms need."""
    changed: dict[str, list[DictionaryEntry]] = {}
    for row in session.exec(select(DictionaryEntry)).all():
        changed.setdefault(row.dictionary, []).append(row)
    return {key: _merged(one, changed.get(key, ()), on) for key, one in dictionaries().items()}


def choices_of(session: Session, form: FormDefinition, on: date) -> dict[str, tuple[Choice, ...]]:
    """The codes of the dictionaries that a form uses, on a day; no query when it uses none."""
    used = {dictionary_of(field) for field in form.fields()} - {""}
    if not used:
        return {}
    rows = session.exec(select(DictionaryEntry).where(col(DictionaryEntry.dictionary).in_(used))).all()
    return {key: _merged(_known(key), [row for row in rows if row.dictionary == key], on) for key in used}


def _merged(shipped: Dictionary, rows: Sequence[DictionaryEntry], on: date) -> tuple[Choice, ...]:
    placed = {each.value: (place * 10, each) for place, each in enumerate(shipped.choices, start=1)}
    for row in rows:
        is_retired = row.retired_on is not None and row.retired_on <= on
        placed[row.value] = (row.order_no, Choice(row.value, row.label, row.hint, is_retired))
    return tuple(
        choice for _place, choice in sorted(placed.values(), key=lambda each: (each[0], each[1].value))
    )


def _known(name: str) -> Dictionary:
    found = dictionaries().get(name)
    if found is None:
        raise NotFound(f"没有字典「{name}」。请从字典列表中选择。")
    return found


@command("dictionary.add_entry", allow=holders_of(*KEEPERS))
def add_entry(work: Work, name: str, value: str, label: str, hint: str = "") -> DictionaryEntry:
    """Add a code at the end of a dictionary."""
    codes = entries(work.session, name, _today(work))
    if not _VALUE.match(value):
        raise InvalidData(
            f"代码「{value}」只能用英文字母、数字和下划线，最长 40 个字符。请改正。",
            {"value": "只能用字母、数字和下划线"},
        )
    if any(each.value == value for each in codes):
        raise Conflict(f"字典里已有代码 {value}。要改名用「改名」，停用过的用「恢复」。")
    _check_label(codes, value, label)
    row = DictionaryEntry(
        dictionary=name,
        value=value,
        label=label.strip(),
        hint=hint.strip(),
        changed_at=work.at,
        order_no=_last_place(work.session, name) + 10,
    )
    return _kept(work, row, "add")


@command("dictionary.relabel_entry", allow=holders_of(*KEEPERS))
def relabel_entry(
    work: Work, name: str, value: str, label: str, hint: str = "", version: int | None = None
) -> DictionaryEntry:
    """Call a code by another name, everywhere and in old cases too."""
    _check_label(entries(work.session, name, _today(work)), value, label)
    row = _row(work, name, value, version)
    row.label, row.hint = label.strip(), hint.strip()
    return _kept(work, row, "relabel")


@command("dictionary.retire_entry", allow=holders_of(*KEEPERS))
def retire_entry(
    work: Work, name: str, value: str, on: date | None = None, version: int | None = None
) -> DictionaryEntry:
    """Stop offering a code from a day on (today, if none is named)."""
    remaining = [
        each
        for each in entries(work.session, name, _today(work))
        if not each.is_retired and each.value != value
    ]
    if not remaining:
        raise Conflict("这是最后一个可选的代码，停用后表单无法填写。请先增加别的代码。")
    row = _row(work, name, value, version)
    row.retired_on = on or _today(work)
    return _kept(work, row, "retire")


@command("dictionary.restore_entry", allow=holders_of(*KEEPERS))
def restore_entry(work: Work, name: str, value: str, version: int | None = None) -> DictionaryEntry:
    """Offer a retired code again."""
    row = _row(work, name, value, version)
    row.retired_on = None
    return _kept(work, row, "restore")


@command("dictionary.reorder_entries", allow=holders_of(*KEEPERS))
def reorder_entries(work: Work, name: str, values: Sequence[str]) -> None:
    """Put the codes of a dictionary into this order; every code must be named once."""
    known = [each.value for each in entries(work.session, name, _today(work))]
    if sorted(values) != sorted(known):
        raise Conflict("排序时字典又有了变化，顺序没有改。请刷新页面后重新排序。")
    for place, value in enumerate(values, start=1):
        row = _row(work, name, value, None)
        row.order_no = place * 10
        _kept(work, row, "reorder")


def _today(work: Work) -> date:
    return portal_clock.local_date(work.at)


def _check_label(codes: Sequence[Choice], value: str, label: str) -> None:
    if not label.strip() or len(label.strip()) > LONGEST_LABEL:
        raise InvalidData(
            f"名称要写 1 到 {LONGEST_LABEL} 字。请改正。", {"label": f"要写 1 到 {LONGEST_LABEL} 字"}
        )
    if any(each.label == label.strip() and each.value != value for each in codes):
        raise Conflict(f"字典里已有名称「{label.strip()}」。请换一个名称，免得选错。")


def _last_place(session: Session, name: str) -> int:
    rows = session.exec(select(DictionaryEntry.order_no).where(DictionaryEntry.dictionary == name)).all()
    return max([len(_known(name).choices) * 10, *rows])


def _row(work: Work, name: str, value: str, version: int | None) -> DictionaryEntry:
    """The row of a code, made from the shipped one when it is changed for the first time."""
    statement = select(DictionaryEntry).where(
        DictionaryEntry.dictionary == name, DictionaryEntry.value == value
    )
    row = work.session.exec(statement).first() or _first_row(work, name, value)
    if version is not None and version != row.version:
        raise Conflict(f"代码 {value} 在你打开页面之后被改过，本次没有保存。请刷新页面后再改。")
    return row


def _first_row(work: Work, name: str, value: str) -> DictionaryEntry:
    for place, each in enumerate(_known(name).choices, start=1):
        if each.value == value:
            retired_on = _today(work) if each.is_retired else None
            return DictionaryEntry(
                dictionary=name,
                value=value,
                label=each.label,
                hint=each.hint,
                order_no=place * 10,
                retired_on=retired_on,
                changed_at=work.at,
                version=0,
            )
    raise NotFound(f"字典里没有代码「{value}」。请刷新页面后再选。")


def _kept(work: Work, row: DictionaryEntry, act: str) -> DictionaryEntry:
    row.version, row.changed_at = row.version + (row.id is not None or row.version == 0), work.at
    work.session.add(row)
    work.session.flush()
    work.record(
        f"dictionary:{row.dictionary}",
        act=act,
        value=row.value,
        label=row.label,
        retired_on=str(row.retired_on or ""),
    )
    return row
