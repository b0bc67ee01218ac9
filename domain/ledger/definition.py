"""What the ledgers are: pools with their measures, kinds of postings with their lines, lists of details.

Everything is read from reference/ledgers.yaml and checked once: the lines of every kind add up to zero, so no
posting can lose or invent area.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from domain.district import district_name, load_account_areas
from domain.errors import NotFound

FILE = Path(__file__).parent.parent / "reference" / "ledgers.yaml"
PLACES = ("own", "other", "city")
YEARS = ("this", "last")
STOCK, PLAN, OUTSIDE = "stock", "plan", "outside"


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of a pool; `is_floored` if it can never be below zero."""

    key: str
    label: str
    is_floored: bool


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool of area; a counter pool only takes the other side of postings and is on no screen as a ledger."""

    key: str
    label: str
    note: str
    is_counter: bool
    measures: Mapping[str, Measure]


@dataclass(frozen=True, slots=True)
class Line:
    """One side of a kind of posting: where it is booked, and with which sign."""

    pool: str
    measure: str
    sign: int
    at: str = "own"
    year: str = "this"


@dataclass(frozen=True, slots=True)
class PostingKind:
    """A kind of posting; `details` names the lists one of which must get a row with every posting."""

    key: str
    label: str
    basis: str
    lines: tuple[Line, ...]
    details: tuple[str, ...]
    needs_other: bool
    is_signed: bool
    """True if the amount may be negative: a correction in either direction."""


@dataclass(frozen=True, slots=True)
class DetailList:
    """A list of details 明细: its columns in order, what they are called, the dictionaries of its codes."""

    key: str
    label: str
    function: str
    columns: tuple[str, ...]
    words: Mapping[str, str]
    dictionaries: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LedgerDefinition:
    """All pools, kinds of postings and lists of details by key; `city` is the code of the city's own row."""

    city: str
    pools: Mapping[str, Pool]
    kinds: Mapping[str, PostingKind]
    details: Mapping[str, DetailList]


@functools.cache
def ledgers() -> LedgerDefinition:
    """The definition of the ledgers. Raises ValueError for a kind whose lines do not balance."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return read(document)


def read(document: Mapping[str, Any]) -> LedgerDefinition:
    """A definition from its document. Raises ValueError naming the kind and what is wrong with it."""
    pools = {row["key"]: _pool(row) for row in document["pools"]}
    details = {row["key"]: _detail(row) for row in document["details"]}
    kinds = {row["key"]: _kind(row, pools, details) for row in document["kinds"]}
    return LedgerDefinition(document["city"], *(MappingProxyType(each) for each in (pools, kinds, details)))


def _pool(row: Mapping[str, Any]) -> Pool:
    measures = {each["key"]: Measure(each["key"], each["label"], each["floor"]) for each in row["measures"]}
    return Pool(row["key"], row["label"], row["note"], row.get("is_counter", False), MappingProxyType(measures))


def _detail(row: Mapping[str, Any]) -> DetailList:
    return DetailList(
        row["key"], row["label"], row["function"], tuple(row["columns"]), row["words"], row["dictionaries"]
    )


def _kind(row: Mapping[str, Any], pools: Mapping[str, Pool], details: Mapping[str, DetailList]) -> PostingKind:
    kind = PostingKind(
        row["key"], row["label"], row["basis"], tuple(Line(**line) for line in row["lines"]),
        tuple(row.get("detail", ())), row.get("needs_other", False), row.get("is_signed", False),
    )  # fmt: skip
    if faults := list(_faults(kind, pools, details)):
        raise ValueError(f"记账种类 {kind.key}：{'；'.join(faults)}。请改正 ledgers.yaml。")
    return kind


def _faults(kind: PostingKind, pools: Mapping[str, Pool], details: Mapping[str, DetailList]) -> Any:
    if sum(line.sign for line in kind.lines) != 0:
        yield "各行正负合计不为零"
    for line in kind.lines:
        if line.pool not in pools or line.measure not in pools[line.pool].measures:
            yield f"没有账户 {line.pool}.{line.measure}"
        if line.sign not in (1, -1) or line.at not in PLACES or line.year not in YEARS:
            yield f"{line.pool}.{line.measure} 的 sign、at 或 year 不在约定的取值内"
    if any(line.at == "other" for line in kind.lines) != kind.needs_other:
        yield "有对方区的行与 needs_other 不一致"
    for detail in kind.details:
        if detail not in details:
            yield f"没有明细 {detail}"


def pool(key: str) -> Pool:
    """The pool of this key; NotFound for any other."""
    found = ledgers().pools.get(key)
    if found is None:
        raise NotFound("没有这个台账。请从台账总览进入。")
    return found


def pool_in_year(key: str, year: int) -> str:
    """A pool of a year in words: 2026 年现状资源库, 2026 年度预存计划库."""
    label = pool(key).label
    return f"{year} {label}" if label.startswith("年") else f"{year} 年{label}"


def posting_kind(key: str) -> PostingKind:
    """The kind of posting of this key; NotFound for any other."""
    found = ledgers().kinds.get(key)
    if found is None:
        raise NotFound(f"没有记账种类「{key}」。请从流水的筛选项中选择。")
    return found


def detail_list(key: str) -> DetailList:
    """The list of details of this key; NotFound for any other."""
    found = ledgers().details.get(key)
    if found is None:
        raise NotFound("没有这张明细表。请从台账总览进入。")
    return found


@functools.cache
def areas() -> tuple[str, ...]:
    """The codes of every area that has accounts: districts, management areas, and the city's own row first."""
    return (ledgers().city, *(area.code for area in load_account_areas()))


def area_label(code: str) -> str:
    """What an area is called in the ledgers; the city's own row is 市级."""
    return "市级" if code == ledgers().city else district_name(code)
