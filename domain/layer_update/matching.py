"""Which new feature takes the place of which old one, and what is different between the two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy
import shapely

from domain.district import district_name
from domain.layer import FeatureData, LayerDefinition

SAME_SHAPE_DEGREES = 1e-9
"""A tenth of a millimetre: what writing and reading a file again may move a point; such a shape is kept as it was."""
MATCHING_SHARE = 0.5
"""Two patches that cover each other by more than this are the same patch; no patch can have two such partners."""
CLASS, SHAPE, AREA, DISTRICT, STATUS, VALUES = "class", "shape", "area", "district", "status", "values"
KINDS = {CLASS: "地类或类别", SHAPE: "图形", AREA: "面积", DISTRICT: "行政区", STATUS: "状态", VALUES: "属性"}
_TOLD_ELSEWHERE = frozenset({"data_year", "status", "area_m2", "district_code"})


@dataclass(frozen=True, slots=True)
class Pair:
    """A feature before and after: without `new` it ends, without `former` it is added. `is_cut`: `new` is what is left of it."""

    former: FeatureData | None
    new: FeatureData | None
    changes: tuple[str, ...] = ()
    is_cut: bool = False

    @property
    def key(self) -> str:
        """The key under which the layer has or had it."""
        return (self.former or self.new).key

    @property
    def kind(self) -> str:
        """added | ended | cut | changed | kept"""
        if self.former is None:
            return "added"
        if self.new is None:
            return "ended"
        return "cut" if self.is_cut else "changed" if self.changes else "kept"


def identity(definition: LayerDefinition, feature: FeatureData) -> str:
    """How those who send a feature name it; its key where it has no such field."""
    return str(feature.attributes.get(definition.key_field) or feature.key)


def matched(definition: LayerDefinition, formers: Sequence[FeatureData], news: Sequence[FeatureData], is_survey: bool = False) -> list[Pair]:
    """Old and new features as pairs: by how they are named; those of a survey by how they lie, for it does not name plots."""
    partners = _by_place(formers, news) if is_survey else _by_name(definition, formers, news)
    same = _same_shapes(formers, news, partners)
    pairs = [
        _pair(definition, former, news[partners[row]], same[row]) if row in partners else Pair(former, None)
        for row, former in enumerate(formers)
    ]
    taken = set(partners.values())
    added = [each for row, each in enumerate(news) if row not in taken]
    return pairs + [Pair(None, _first(definition, each, is_survey)) for each in added]


def _by_name(definition: LayerDefinition, formers: Sequence[FeatureData], news: Sequence[FeatureData]) -> dict[int, int]:
    rows = {each.key: row for row, each in enumerate(news)}
    found = {row: rows[name] for row, each in enumerate(formers) if (name := identity(definition, each)) in rows}
    return found


def _by_place(formers: Sequence[FeatureData], news: Sequence[FeatureData]) -> dict[int, int]:
    """Partners that cover each other by more than MATCHING_SHARE, by row."""
    if not formers or not news:
        return {}
    old, new = (numpy.array([each.geometry for each in side], dtype=object) for side in (formers, news))
    left, right = shapely.STRtree(new).query(old, predicate="intersects")
    common = shapely.area(shapely.intersection(old[left], new[right]))
    fits = (common > MATCHING_SHARE * shapely.area(old)[left]) & (common > MATCHING_SHARE * shapely.area(new)[right])
    return dict(zip(left[fits].tolist(), right[fits].tolist(), strict=True))


def _same_shapes(formers: Sequence[FeatureData], news: Sequence[FeatureData], partners: Mapping[int, int]) -> dict[int, bool]:
    if not partners:
        return {}
    old = numpy.array([formers[row].geometry for row in partners], dtype=object)
    new = numpy.array([news[row].geometry for row in partners.values()], dtype=object)
    found = shapely.equals_exact(*(_ordered(each) for each in (old, new)), SAME_SHAPE_DEGREES)
    return dict(zip(partners, found.tolist(), strict=True))


def _ordered(shapes: numpy.ndarray) -> numpy.ndarray:
    """Shapes with their rings and parts in one order, a multipolygon of one part as that part."""
    single = shapely.get_num_geometries(shapes) == 1
    return shapely.normalize(numpy.where(single, shapely.get_geometry(shapes, 0), shapes))


def _pair(definition: LayerDefinition, former: FeatureData, new: FeatureData, is_same_shape: bool) -> Pair:
    """The new state under the old key: fields that the file does not have stay, and so does a shape that is the same."""
    status = former.status if definition.held_by else new.status or former.status
    attributes = dict(former.attributes) | dict(new.attributes)
    if "status" in attributes or status:
        attributes["status"] = status
    shape = former if is_same_shape else new
    made = replace(new, key=former.key, geometry=shape.geometry, area_m2=shape.area_m2, attributes=attributes, status=status)
    changes = changes_of(definition, former, made, is_same_shape)
    is_same_year = former.attributes.get("data_year") == made.attributes.get("data_year")
    return Pair(former, made if changes or not is_same_year else former, changes)


def changes_of(definition: LayerDefinition, former: FeatureData, new: FeatureData, is_same_shape: bool) -> tuple[str, ...]:
    """What is different between two states, but for the year of the data."""
    told = {
        CLASS: former.class_code != new.class_code, SHAPE: not is_same_shape, AREA: former.area_m2 != new.area_m2,
        DISTRICT: former.district_code != new.district_code, STATUS: former.status != new.status,
        VALUES: _compared(definition, former) != _compared(definition, new),
    }  # fmt: skip
    return tuple(kind for kind, differs in told.items() if differs)


def _compared(definition: LayerDefinition, feature: FeatureData) -> dict[str, Any]:
    """The values that no other kind of change tells; nothing, an empty text and an absent field are the same."""
    told = _TOLD_ELSEWHERE | {definition.class_field}
    told |= {column.named_by for column in definition.columns if column.name in told}
    return {name: str(value) for name, value in feature.attributes.items() if name not in told and value not in (None, "")}


def _first(definition: LayerDefinition, new: FeatureData, is_survey: bool) -> FeatureData:
    """A feature that the layer has not yet: free where cases hold by marks; of a survey, named by the survey's own number."""
    attributes, status = dict(new.attributes), new.status
    if definition.held_by:
        status = definition.statuses[0]
        attributes["status"] = status
    if is_survey:
        names = {column.name for column in definition.columns}
        told = {definition.key_field: new.key, "district_code": new.district_code, "district_name": district_name(new.district_code)}
        attributes |= {name: value for name, value in told.items() if name in names}
    return replace(new, attributes=attributes, status=status)
