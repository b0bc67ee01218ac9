"""What becomes of a package that passed, as data: reference/inspection_plans.yaml says the layers, the way and the numbers."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from domain.layer import layer_definition
from domain.numbering import NumberPattern
from rules.engine.document import Block, read_document

FILE = Path(__file__).parents[2] / "reference" / "inspection_plans.yaml"
WAYS, LEVELS = ("feature", "region"), ("district", "city")


@dataclass(frozen=True, slots=True)
class CaseNumbers:
    """How admitted patches become clues with a number."""

    series: str
    pattern: NumberPattern


@dataclass(frozen=True, slots=True)
class OverlayOf:
    """A layer that patches are laid over, and the field that classes it."""

    layer: str
    by: str


@dataclass(frozen=True, slots=True)
class Opening:
    """The case type that each admitted patch becomes a case of, and what its form takes from the patch.

    `fields` are form fields by layer field; `totals` are form fields by the layer and class whose area they take.
    """

    case_type: str
    fields: Mapping[str, str]
    overlays: tuple[OverlayOf, ...]
    totals: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of the packages of one scheme that passed."""

    layers: tuple[str, ...] = ()
    way: str = "feature"
    status: str = ""
    level: str = "district"
    basis: str = ""
    not_excepted: tuple[str, ...] = ()
    cases: CaseNumbers | None = None
    opens: Opening | None = None

    @property
    def is_admitted(self) -> bool:
        """True if packages of the scheme go into a layer; others end with their certificate."""
        return bool(self.layers)


@functools.cache
def plans() -> Mapping[str, Plan]:
    """Every plan by the key of its scheme. Raises ValueError, with the line, for a way or level that there is not."""
    rows = read_document(FILE)["schemes"]
    return MappingProxyType({key: _plan(key, row) for key, row in rows.items()})


def _plan(key: str, row: Block) -> Plan:
    if row["way"] not in WAYS or row["level"] not in LEVELS:
        raise ValueError(f"质检方案 {key} 的 way 或 level 不在约定的取值内。请改正 inspection_plans.yaml 第 {row.line} 行。")
    cases = row.get("cases")
    numbers = CaseNumbers(cases["series"], NumberPattern.parse(cases["pattern"])) if cases else None
    return Plan(
        tuple(row["layers"]), row["way"], row.get("status") or "", row["level"], row["basis"], tuple(row.get("not_excepted") or ()), numbers,
        _opening(row["opens"]) if row.get("opens") else None,
    )  # fmt: skip


def _opening(row: Block) -> Opening:
    overlays = tuple(OverlayOf(each["layer"], each.get("by") or layer_definition(each["layer"]).class_field) for each in row["overlays"])
    totals = {field: (each["layer"], each["class"]) for field, each in row["totals"].items()}
    return Opening(row["case_type"], MappingProxyType(dict(row["fields"])), overlays, MappingProxyType(totals))


def plan_of(scheme: str) -> Plan:
    """The plan of a scheme; one that goes into no layer if none is written."""
    return plans().get(scheme, Plan())


def may_except(scheme: str, code: str) -> bool:
    """True if findings of a class may be excepted under the scheme."""
    return not code.startswith(plan_of(scheme).not_excepted) if plan_of(scheme).not_excepted else True
