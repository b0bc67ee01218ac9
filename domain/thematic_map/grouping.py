"""Features grouped for a map: by the values of an attribute, or by district or town with the numbers of each."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy
import shapely
from shapely.geometry.base import BaseGeometry
from sqlmodel import Session

from domain.district import district_name
from domain.format import M2_PER_HECTARE
from domain.land_use_class import land_use_classes
from domain.layer import Feature, FeatureData, LayerDefinition
from domain.ledger import area_label
from domain.map_legend import BY_KEY
from domain.thematic_map.selection import (
    LAND_LAYER,
    TOWN_FIELD,
    Placed,
    Selection,
    account_area,
    features_where,
)
from domain.town import towns

CLASS, MAJOR, GROUP = "class", "major", "group"
NOT_GROUPED = frozenset({"feature_code", "element_code", "description", "patch_number"})
NO_VALUE = "（空）"


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that features can be grouped or measured by: key, label, and whether it is a number."""

    key: str
    label: str
    is_number: bool = False
    unit: str = ""


def category_attributes(definition: LayerDefinition) -> tuple[Attribute, ...]:
    """What features of a layer can be coloured by."""
    found = [Attribute(CLASS, "类别")]
    if any(column.name == "class_code" for column in definition.columns):
        found.append(Attribute(MAJOR, "一级地类"))
    if definition.key in BY_KEY:
        found.append(Attribute(GROUP, "一张图图例分组"))
    for column in definition.columns:
        if column.name not in NOT_GROUPED and column.name != "class_code" and (column.codes or column.options or column.type == "integer"):
            found.append(Attribute(column.name, column.label))
    return tuple(found)


def number_attributes(definition: LayerDefinition) -> tuple[Attribute, ...]:
    """The numbers of the features of a layer, beside those that every layer has."""
    return tuple(
        Attribute(column.name, column.label, True, "平方米" if column.name.endswith("_m2") else "")
        for column in definition.columns if column.type in ("decimal", "integer") and column.name != "area_m2"
    )


def legend_colours(definition: LayerDefinition) -> dict[str, str]:
    """The colours that the one map gives to its groups of a layer, by group."""
    return {group.key: group.look.fill for group in BY_KEY[definition.key].groups} if definition.key in BY_KEY else {}


def value_of(definition: LayerDefinition, key: str) -> Callable[[FeatureData], tuple[str, str]]:
    """A function that gives the value of a feature under an attribute, and how it is written."""
    if key == MAJOR:
        return lambda feature: _class_words(_land_use_code(feature)[:2])
    if key == GROUP and definition.key in BY_KEY:
        layer = BY_KEY[definition.key]
        labels = {group.key: group.label for group in layer.groups}
        return lambda feature: (layer.group_of(feature), labels[layer.group_of(feature)])
    column = next((each for each in definition.columns if each.name == key), None)
    if key == CLASS or column is None:
        return lambda feature: _class_words(feature.class_code)

    def read(feature: FeatureData) -> tuple[str, str]:
        value = definition.values(feature).get(key)
        return ("", NO_VALUE) if value in (None, "") else (str(value), column.words({**feature.attributes, key: value}))

    return read


def _land_use_code(feature: FeatureData) -> str:
    return str(feature.attributes.get("class_code") or feature.class_code)


def _class_words(code: str) -> tuple[str, str]:
    known = land_use_classes().get(code)
    return (code, f"{code} {known.name}") if known else (code, code or NO_VALUE)


@dataclass(frozen=True)
class Group:
    """Features of one value: the value, its label, the features."""

    value: str
    label: str
    placed: tuple[Placed, ...]

    @property
    def area_m2(self) -> Decimal:
        return sum((each.area_m2 for each in self.placed), Decimal("0.00"))


def groups_of(definition: LayerDefinition, key: str, placed: Sequence[Placed]) -> list[Group]:
    """The features by the values of an attribute, in the order of the values."""
    read, alike, labels = value_of(definition, key), defaultdict(list), {}
    for each in placed:
        value, label = read(each.feature)
        alike[value].append(each)
        labels[value] = label
    return [Group(value, labels[value], tuple(alike[value])) for value in _ordered(alike)]


def _ordered(values: Iterable[str]) -> list[str]:
    """Whole numbers by size; codes, which may begin with a zero, and words by their characters."""
    found = sorted(values)
    are_numbers = all(each.isdigit() and len(each) < 9 for each in found if each) and not any(each.startswith("0") for each in found)
    return sorted(found, key=lambda each: int(each or -1)) if are_numbers else found


@dataclass(frozen=True)
class Unit:
    """A district or a town with what lies in it: of the chosen classes, and of all."""

    key: str
    label: str
    geometry: BaseGeometry
    placed: tuple[Placed, ...]
    whole_m2: Decimal

    @property
    def area_m2(self) -> Decimal:
        return sum((each.area_m2 for each in self.placed), Decimal("0.00"))

    def number(self, measure: str) -> Decimal | None:
        """A measure of the unit: area in hectares, a count, or the share in percent; None for a share of nothing."""
        if measure == "count":
            return Decimal(len(self.placed))
        if measure == "share":
            return self.area_m2 * 100 / self.whole_m2 if self.whole_m2 else None
        return self.area_m2 / M2_PER_HECTARE


def units_of(session: Session, selection: Selection, kind: str) -> list[Unit]:
    """The districts or the towns of the area, each with its shape and its features, by code."""
    if kind == "district":
        shapes = {code: (area_label(code), account_area(code).geometry) for code in selection.district_codes}
        key_of = [each.feature.district_code for each in selection.everything]
    else:
        shapes = town_shapes(session, selection)
        key_of = _town_codes(session, selection)
    chosen = {id(each) for each in selection.placed}
    inside, whole = defaultdict(list), defaultdict(lambda: Decimal("0.00"))
    for each, key in zip(selection.everything, key_of, strict=True):
        whole[key] += each.area_m2
        if id(each) in chosen:
            inside[key].append(each)
    return [Unit(key, label, shape, tuple(inside[key]), whole[key]) for key, (label, shape) in sorted(shapes.items())]


def _land(session: Session, selection: Selection) -> list[FeatureData]:
    codes = sorted(selection.district_codes)
    return features_where(session, LAND_LAYER, selection.on, Feature.district_code.in_(codes))


def town_shapes(session: Session, selection: Selection) -> Mapping[str, tuple[str, BaseGeometry]]:
    """The towns of the districts of the area: name, and the union of their land-use patches."""
    alike: defaultdict[str, list[BaseGeometry]] = defaultdict(list)
    for feature in _land(session, selection):
        alike[str(feature.attributes.get(TOWN_FIELD, ""))[:9]].append(feature.geometry)
    names = {town.code: (town.name, town.district_code) for town in towns()}
    several = len({names[code][1] for code in alike if code in names}) > 1
    return {
        code: ((district_name(names[code][1]) if several else "") + names[code][0], shapely.union_all(shapes))
        for code, shapes in alike.items() if code in names
    }


def _town_codes(session: Session, selection: Selection) -> list[str]:
    """The town of every feature: as it says itself, else that of the land-use patch under a point of it."""
    stated = [str(each.feature.attributes.get(TOWN_FIELD, ""))[:9] for each in selection.everything]
    missing = [place for place, code in enumerate(stated) if not code]
    if not missing:
        return stated
    land = _land(session, selection)
    tree = shapely.STRtree([each.geometry for each in land])
    points = shapely.point_on_surface(numpy.array([selection.everything[place].geometry for place in missing], dtype=object))
    asked, found = tree.query(points, predicate="intersects")
    for place, patch in zip(asked.tolist(), found.tolist(), strict=True):
        stated[missing[place]] = str(land[patch].attributes.get(TOWN_FIELD, ""))[:9]
    return stated


def by_unit_and_class(session: Session, selection: Selection, kind: str, key: str) -> list[tuple[Unit, list[Group]]]:
    """Every unit with its features by the values of an attribute."""
    return [(unit, groups_of(selection.definition, key, unit.placed)) for unit in units_of(session, selection, kind)]
