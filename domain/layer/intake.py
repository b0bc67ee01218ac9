"""Intake of a file's layer into a layer of ours: standard columns mapped once, districts told, areas computed."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from domain.area import areas_m2
from domain.district import account_of, load_account_areas, load_management_areas
from domain.errors import InvalidData
from domain.geometry import fault_of, multipolygon
from domain.layer.definition import FeatureData, LayerColumn, LayerDefinition
from domain.spatial_file import FileLayer

_CODE_LENGTH = 6


@dataclass(frozen=True, slots=True)
class _Codes:
    """The codes that a district may have, told once for a file."""

    management: frozenset[str]
    accounts: frozenset[str]


def left_out_words(layers: Iterable[tuple[str, int]], why: str) -> list[str]:
    """In words, the layers of a file (name and rows) that go nowhere, and why."""
    return [f"图层 {name}（{count:,} 个要素）不入库：{why}" for name, count in layers]


def features_of(layer: FileLayer, definition: LayerDefinition) -> list[FeatureData]:
    """The features of a file's layer, ready for a layer of ours (EPSG:4490, ellipsoidal areas in m²).

    Columns are found by their standard codes, whatever the case; what the layer of ours does not have is left out. The
    district is the management area in which a feature lies, else the one its attribute names, else the one in which it
    lies. Raises InvalidData that names the feature: no key, no valid geometry of the layer's type, a value of another type,
    outside the city; UnknownCrs for a layer without an accepted coordinate system.
    """
    found, faults = read_features(layer, definition)
    if faults:
        raise faults[0]
    return found


def read_features(layer: FileLayer, definition: LayerDefinition) -> tuple[list[FeatureData], list[InvalidData]]:
    """As `features_of`, but every feature that cannot be taken in is told, beside those that can. Raises UnknownCrs."""
    read, faults = _Rows(layer, definition), []
    for row, geometry in enumerate(layer.stored_geometries()):
        try:
            read.take(row, geometry)
        except InvalidData as fault:
            faults.append(fault)
    return read.features(), faults


class _Rows:
    """The rows of one layer of a file, taken in one by one; what is the same for all of them is asked once."""

    def __init__(self, layer: FileLayer, definition: LayerDefinition) -> None:
        names = {name.lower(): name for name in layer.columns}
        self._layer, self._definition = layer, definition
        self._present = [(column, names[column.column.lower()]) for column in definition.columns if column.column.lower() in names]
        self._codes = _Codes(frozenset(area.code for area in load_management_areas()), frozenset(area.code for area in load_account_areas()))
        self._taken: list[tuple[str, str, Mapping[str, Any], BaseGeometry]] = []

    def take(self, row: int, geometry: Any) -> None:
        """Take a row in. Raises InvalidData that names it."""
        record = _record(self._layer.values(row), self._present, row)
        key = _key(self._definition, record, row)
        shape = _shape(self._definition, geometry, key)
        self._taken.append((key, _district(record, shape, key, self._codes), record, shape))

    def features(self) -> list[FeatureData]:
        """What was taken in, in order, with areas."""
        areas = areas_m2([shape for _key, _district, _record, shape in self._taken]) if self._taken else []
        return [
            FeatureData(
                key=key, district_code=district, class_code=str(record.get(self._definition.class_field) or ""), area_m2=area,
                geometry=shape, attributes=_attributes(record), status=str(record.get("status") or ""),
            )
            for (key, district, record, shape), area in zip(self._taken, areas, strict=True)
        ]  # fmt: skip


def _record(values: Mapping[str, Any], present: Sequence[tuple[LayerColumn, str]], row: int) -> dict[str, Any]:
    return {column.name: _value(column, values[name], row) for column, name in present}


def _value(column: LayerColumn, value: Any, row: int) -> Any:
    """A value as JSON keeps it: decimals as text, dates in ISO form, None for nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    text = value.isoformat() if isinstance(value, date | datetime) else str(value).strip()
    if not text or column.type == "text":
        return text or None
    try:
        number = Decimal(text)
        exact = number.quantize(Decimal(1).scaleb(-column.decimals)) if column.type == "decimal" else number
        if column.type == "integer" and number != number.to_integral_value():
            raise InvalidOperation
    except InvalidOperation as error:
        raise InvalidData(f"第 {row + 1} 个要素的{column.label}（{column.column}）“{text[:30]}”不是数字，没有入库。请改正后重新上传。") from error
    return format(exact, "f") if column.type == "decimal" else int(number)


def _key(definition: LayerDefinition, record: Mapping[str, Any], row: int) -> str:
    key = str(record.get(definition.key_field) or "")
    if not key:
        label = next(column.label for column in definition.columns if column.name == definition.key_field)
        raise InvalidData(f"第 {row + 1} 个要素没有{label}，不能入库到“{definition.title}”。请补上编号后重新上传。")
    return key


def _shape(definition: LayerDefinition, geometry: Any, key: str) -> BaseGeometry:
    if geometry is None or geometry.is_empty:
        raise InvalidData(f"要素 {key} 没有图形，不能入库到“{definition.title}”。请补上图形后重新上传。")
    if shapely.get_type_id(geometry) not in definition.type_ids:
        word = definition.geometry_word
        raise InvalidData(f"要素 {key} 的图形不是{word}，“{definition.title}”只存{word}。请改正后重新上传。")
    if fault := fault_of(geometry):
        raise InvalidData(f"要素 {key} 的图形{fault.reason}，不能入库到“{definition.title}”。请修正后重新上传。")
    return multipolygon(geometry) if definition.geometry == "polygon" else geometry


def _district(record: Mapping[str, Any], shape: BaseGeometry, key: str, known: _Codes) -> str:
    found = account_of(shape)
    if found is not None and found.code in known.management:
        return found.code
    named = str(record.get("district_code") or "")[:_CODE_LENGTH]
    if named in known.accounts:
        return named
    if found is None:
        raise InvalidData(f"要素 {key} 不在本市任何区内，行政区代码“{named}”也不是本市的，没有入库。请核对坐标系和行政区代码。")
    return found.code


def _attributes(record: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept beside the typed fields; the area is computed, the stated one was compared by the inspection."""
    return {name: value for name, value in record.items() if name != "area_m2"}
