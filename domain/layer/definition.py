"""What a layer is: its key, its standard table, and the one mapping of standard column codes to our field
names.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from shapely.geometry.base import BaseGeometry

from domain.errors import InvalidData, NotFound

FILE = Path(__file__).parent.parent / "reference" / "layer_columns.yaml"


TYPE_IDS = {"polygon": (3, 6), "line": (1, 5), "point": (0, 4)}


@dataclass(frozen=True, slots=True)
class LayerColumn:
    """A field of a layer: our name, the column code at the file boundary, Chinese label, type, length, where
    the code is from.
    """

    name: str
    column: str
    label: str
    type: str = "text"
    length: int = 0
    decimals: int = 0
    standard: str = "local"
    options: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the codes of the column mean, where they are few and the standard lists them."""
    named_by: str = ""
    """The field of the same record that holds the name of the code."""

    def words(self, values: Mapping[str, Any]) -> str:
        """The value of a record as a person reads it: a code with its meaning; empty text for none."""
        value = values.get(self.name)
        if value is None or value == "":
            return ""
        meaning = self.codes.get(str(value)) or values.get(self.named_by) or ""
        return f"{value} {meaning}".rstrip()


@dataclass(frozen=True, slots=True)
class LayerDefinition:
    """A layer: key, title, table name in the standard, the field that classes it, its columns in order."""

    key: str
    title: str
    table: str
    class_field: str
    columns: tuple[LayerColumn, ...]
    key_field: str = "feature_code"
    """The field that names a feature to those who send it."""
    geometry: str = "polygon"
    """polygon | line | point. Only polygons have an area; of others it is 0.00."""
    scheme: str = ""
    """The quality scheme that a file must have passed before the layer takes it; empty for none."""
    held_by: str = ""
    """The field whose value cases hold by their marks; the status of such a layer follows the marks alone."""
    ended_status: str = ""
    """The status that means history: a feature that is given it leaves the present layer."""
    survey: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The survey from which the layer is renewed by year: `table` and the `classes` of it that belong here."""

    @property
    def type_ids(self) -> tuple[int, ...]:
        """The shapely type numbers of its features."""
        return TYPE_IDS[self.geometry]

    @property
    def geometry_word(self) -> str:
        """What a person calls the type of its features."""
        return {"polygon": "面", "line": "线", "point": "点"}[self.geometry]

    @property
    def statuses(self) -> tuple[str, ...]:
        """What the status of a feature may be; empty for a layer without one."""
        return next((column.options for column in self.columns if column.name == "status"), ())

    def to_columns(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A record by our field names as a record by column codes; InvalidData for a field the layer has not."""
        unknown = set(values) - {column.name for column in self.columns}
        if unknown:
            raise InvalidData(
                f"图层“{self.title}”没有字段 {'、'.join(sorted(unknown))}。请核对图层字段对照表。"
            )
        return {column.column: values.get(column.name) for column in self.columns}

    def values(self, feature: "FeatureData") -> dict[str, Any]:
        """A feature by our field names, its typed fields included; decimal columns are Decimal again, as JSON
        keeps them as text.
        """
        measured = {"area_m2": feature.area_m2} if self.geometry == "polygon" else {}
        merged = dict(feature.attributes) | measured
        exact = {column.name for column in self.columns if column.type == "decimal"} & merged.keys()
        return merged | {name: Decimal(merged[name]) for name in exact if merged[name] is not None}

    def words_of(self, feature: "FeatureData") -> str:
        """The key and every text of a feature once, in lower case, a line each: what words are looked for in."""
        texts = (feature.attributes.get(column.name) for column in self.columns if column.type == "text")
        return "\n".join(dict.fromkeys([feature.key, *(str(each) for each in texts if each)])).lower()

    def from_columns(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A record by column codes as a record by our field names; columns that the layer does not know are
        left out.
        """
        return {column.name: values.get(column.column) for column in self.columns if column.column in values}


@dataclass(frozen=True, slots=True)
class FeatureData:
    """One feature to be stored: its key in the layer, account area, class, area and geometry (EPSG:4490).

    `attributes` are by our field names. `area_m2` is the value of `domain.area.area_m2` unless a survey
    stated it.
    """

    key: str
    district_code: str
    class_code: str
    area_m2: Decimal
    geometry: BaseGeometry
    attributes: Mapping[str, Any] = field(default_factory=dict)
    status: str = ""


@functools.cache
def layer_definitions() -> Mapping[str, LayerDefinition]:
    """Every layer definition by key."""
    entries = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return MappingProxyType({key: _definition(key, entry) for key, entry in entries.items()})


def layer_definition(key: str) -> LayerDefinition:
    """The definition of a layer; NotFound for an unknown key."""
    found = layer_definitions().get(key)
    if found is None:
        raise NotFound(f"没有图层“{key}”。请从图层目录中选择。")
    return found


def _definition(key: str, entry: Mapping[str, Any]) -> LayerDefinition:
    columns = tuple(
        LayerColumn(**{k: tuple(v) if k == "options" else v for k, v in column.items()})
        for column in entry["columns"]
    )
    more = {name: entry[name] for name in ("key_field", "geometry", "scheme", "held_by", "ended_status", "survey") if name in entry}
    return LayerDefinition(key, entry["title"], entry["table"], entry["class_field"], columns, **more)
