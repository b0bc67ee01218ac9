"""What is asked of a layer, as the address of the query page says it: attribute conditions, place, day, order."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import yaml
from shapely.geometry.base import BaseGeometry

FILE = Path(__file__).parent.parent / "reference" / "query_operators.yaml"
MOST_CONDITIONS = 6
"""Conditions are numbered from 1 in the address: field1, op1, value1."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A way to compare: its key in the address, its label, the kinds of fields it fits, and whether it takes a value."""

    key: str
    label: str
    kinds: tuple[str, ...]
    needs_value: bool = True


@functools.cache
def operators() -> Mapping[str, Operator]:
    """The operators by key, in the order in which they are offered."""
    entries = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {each["key"]: Operator(each["key"], each["label"], tuple(each["for"]), each.get("needs_value", True)) for each in entries}


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of the layer, an operator, and the value as it was typed."""

    field: str
    operator: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """The range of a query: what was given (box, points, a sketch), its words, and the geometry in EPSG:4490.

    `geometry` is the given one, or the buffer around it; `note` says in which plane a buffer was made.
    """

    label: str
    geometry: BaseGeometry
    note: str = ""

    @property
    def is_area(self) -> bool:
        """True if features can lie in it with an area."""
        return self.geometry.geom_type in ("Polygon", "MultiPolygon")


@dataclass(frozen=True, slots=True)
class LayerQuery:
    """A query as it is understood; empty conditions ask nothing.

    `class_code` is how the class begins, `joins_any` joins the conditions by "or"; everything else is joined by "and".
    `town` is a 9-digit code; `order` a key of ORDERS or a field of the layer.
    """

    layer: str
    on: date | None = None
    class_code: str = ""
    district: str = ""
    town: str = ""
    conditions: tuple[Condition, ...] = ()
    joins_any: bool = False
    least_m2: Decimal | None = None
    place: Place | None = None
    order: str = "key"
    is_descending: bool = False
