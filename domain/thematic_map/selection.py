"""What a thematic map is of: the features of a layer on a day within the area that was chosen, with the area of each there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy
import shapely
from shapely.geometry.base import BaseGeometry
from sqlmodel import Session

from domain.actor import Actor
from domain.area import areas_m2
from domain.case import scope
from domain.case.words import code_of
from domain.case_range import ranges_of
from domain.district import AccountArea, city_territory, district_name, load_account_areas
from domain.errors import InvalidData, NotAllowed, NotFound
from domain.geometry import multipolygon
from domain.layer import (
    Feature,
    FeatureData,
    LayerDefinition,
    catalogue,
    edition_on,
    features_in,
    layer_definition,
    layer_of,
)
from domain.layer.reading import features_statement, read_features
from domain.thematic_map.spec import MapSpec
from domain.town import Town, towns

LAND_LAYER = "land_use"
"""The layer whose patches say in which town they lie."""
TOWN_FIELD = "location_unit_code"
MOST_POINTS = 500
MARKS_ACROSS = 260
"""How many marks of points would stand side by side across a sheet, twice over."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A feature, what of it lies in the area (EPSG:4490), and the area of that in m²."""

    feature: FeatureData
    geometry: BaseGeometry
    area_m2: Decimal


@dataclass(frozen=True)
class Selection:
    """The features of the map; `extent` is what the page has to hold, `is_clipped` says that features were cut at its edge."""

    definition: LayerDefinition
    edition: int
    effective_on: date
    is_generated: bool
    label: str
    extent: BaseGeometry
    outline: BaseGeometry | None
    everything: tuple[Placed, ...]
    """All features in the area, of every class."""
    placed: tuple[Placed, ...]
    """Those of the classes that were chosen."""
    on: date | None = None
    is_clipped: bool = False
    district_codes: tuple[str, ...] = ()
    case_code: str = ""
    actor: Actor | None = None
    """Whose rights the map has, for what a kind reads beside these features."""

    @property
    def area_m2(self) -> Decimal:
        """The sum of what lies in the area."""
        return sum((each.area_m2 for each in self.placed), Decimal("0.00"))


def select_features(session: Session, actor: Actor, spec: MapSpec) -> Selection:
    """The features that the spec asks for, as far as the actor may see the layer.

    Raises NotAllowed for a layer closed to the actor, NotFound for a layer without data on the day or a case out of
    scope, InvalidData for an area that cannot be read.
    """
    catalogue.require(actor, spec.layer)
    kind, _, value = spec.area.partition(":")
    if kind not in _READERS:
        raise InvalidData("没有这种范围。请从列表里选范围，或按“经度,纬度”写边界。", {"area": "请重新选择范围"})
    edition, layer = edition_on(session, spec.layer, spec.on), layer_of(session, spec.layer)
    found = _READERS[kind](session, actor, spec, value)
    placed = found.placed if layer_definition(spec.layer).geometry == "polygon" else _visible(found)
    everything = tuple(sorted(placed, key=lambda each: each.feature.key))
    kept = tuple(each for each in everything if _starts(each.feature.class_code, spec.classes))
    return Selection(
        layer_definition(spec.layer), edition.number, edition.effective_on, layer.is_generated, found.label, found.extent, found.outline,
        everything, kept, spec.on, found.is_clipped, found.district_codes, found.case_code, actor,
    )


def _starts(code: str, prefixes: Sequence[str]) -> bool:
    return not prefixes or any(code.startswith(each) for each in prefixes)


@dataclass(frozen=True)
class _Found:
    """What one way of choosing an area gives."""

    label: str
    extent: BaseGeometry
    outline: BaseGeometry | None
    placed: Sequence[Placed]
    is_clipped: bool = False
    district_codes: tuple[str, ...] = ()
    case_code: str = ""


def _visible(found: _Found) -> list[Placed]:
    """Points and lines as small rounds and bands that can be seen on a sheet of the extent; they have no area."""
    west, south, east, north = found.extent.bounds
    reach = max(east - west, north - south) / MARKS_ACROSS
    return [Placed(each.feature, each.geometry.buffer(reach, quad_segs=3), each.area_m2) for each in found.placed]


def _whole(features: Sequence[FeatureData]) -> list[Placed]:
    return [Placed(each, each.geometry, each.area_m2) for each in features]


def features_where(session: Session, layer_key: str, on: date | None, *conditions) -> list[FeatureData]:
    """The features of the edition of a day that meet conditions on the table of features."""
    statement = features_statement(edition_on(session, layer_key, on)).where(*conditions)
    return read_features(session, statement)


def _allowed(actor: Actor, spec: MapSpec) -> list:
    """The condition that narrows to the districts the actor may look at."""
    codes = catalogue.districts_of(actor, spec.layer)
    return [] if codes is None else [Feature.district_code.in_(sorted(codes))]


def _city(session: Session, actor: Actor, spec: MapSpec, _value: str) -> _Found:
    codes = catalogue.districts_of(actor, spec.layer)
    found = features_where(session, spec.layer, spec.on, *_allowed(actor, spec))
    areas = [area for area in load_account_areas() if codes is None or area.code in codes]
    label, extent = (district_name("310100"), city_territory()) if codes is None else _of_areas(areas)
    return _Found(label, extent, None, _whole(found), district_codes=tuple(each.code for each in areas))


def _of_areas(areas: Sequence[AccountArea]) -> tuple[str, BaseGeometry]:
    """The name and the land of the districts that an actor may look at, in place of the whole city."""
    if not areas:
        raise NotAllowed("这个图层按行政区开放，你的岗位授权没有写行政区，没有成图。请联系本单位的系统管理员。")
    return "、".join(each.name for each in areas), multipolygon(shapely.union_all([each.geometry for each in areas]))


def account_area(code: str) -> AccountArea:
    """The account area of a code; InvalidData for any other code."""
    found = next((each for each in load_account_areas() if each.code == code), None)
    if found is None:
        raise InvalidData("没有这个区或管理区。请从列表里重新选。", {"area": "请从列表里选"})
    return found


def _district(session: Session, actor: Actor, spec: MapSpec, value: str) -> _Found:
    area, codes = account_area(value), catalogue.districts_of(actor, spec.layer)
    if codes is not None and area.code not in codes:
        words = f"你的岗位只能看本区的“{layer_definition(spec.layer).title}”，{area.name}没有成图。请改选本区。"
        raise InvalidData(words, {"area": words})
    found = features_where(session, spec.layer, spec.on, Feature.district_code == area.code, *_allowed(actor, spec))
    return _Found(area.name, area.geometry, area.geometry, _whole(found), district_codes=(area.code,))


def town_of(code: str) -> Town:
    """The street or town of a 9-digit code; InvalidData for any other."""
    found = next((each for each in towns() if each.code == code), None)
    if found is None:
        raise InvalidData("没有这个街道或镇。请从列表里重新选。", {"area": "请从列表里选"})
    return found


def _town(session: Session, actor: Actor, spec: MapSpec, value: str) -> _Found:
    """A town by the patches that say they lie in it; towns have no boundaries of their own here."""
    town = town_of(value)
    shape = town_shape(session, town, spec.on)
    if shape is None:
        raise NotFound(f"{town.name}没有土地利用现状图斑，不能按街镇取范围。请改选区，或写边界坐标。")
    if spec.layer == LAND_LAYER:
        found = features_where(session, spec.layer, spec.on, in_town(town), *_allowed(actor, spec))
    else:
        near = features_in(session, spec.layer, shape, spec.on, catalogue.districts_of(actor, spec.layer))
        found = lying_in(shape, near)
    name = f"{district_name(town.district_code)}{town.name}"
    return _Found(name, shape, shape, _whole(found), district_codes=(town.district_code,))


def lying_in(shape: BaseGeometry, features: Sequence[FeatureData]) -> list[FeatureData]:
    """The features of which a point within lies in a shape: those that a town without a boundary of its own has."""
    shapely.prepare(shape)
    return [each for each in features if shapely.covers(shape, shapely.point_on_surface(each.geometry))]


def in_town(town: Town) -> Any:
    """The condition that a patch of land use says that it lies in a town."""
    return Feature.attributes[TOWN_FIELD].as_string().startswith(town.code)


def town_shape(session: Session, town: Town, on: date | None = None) -> BaseGeometry | None:
    """The union of the land-use patches of a town on a day; None without any."""
    found = features_where(session, LAND_LAYER, on, in_town(town))
    return multipolygon(shapely.union_all([each.geometry for each in found])) if found else None


def _box(session: Session, actor: Actor, spec: MapSpec, value: str) -> _Found:
    try:
        west, south, east, north = (float(each) for each in value.split(","))
    except ValueError:
        raise InvalidData("方框应写成“西,南,东,北”四个经纬度。请改正。", {"area": "应为四个经纬度"}) from None
    if not (119 < west < east < 124 and 30 < south < north < 33):
        raise InvalidData("方框不在上海附近，或西东、南北颠倒。请改正。", {"area": "请核对西、南、东、北"})
    return _cut(session, actor, spec, shapely.box(west, south, east, north), "框选范围")


def _shape(session: Session, actor: Actor, spec: MapSpec, value: str) -> _Found:
    return _cut(session, actor, spec, read_ring(value), "绘制范围")


def read_ring(value: str) -> shapely.Polygon:
    """The polygon that “lon,lat;lon,lat;…” writes (EPSG:4490). Raises InvalidData."""
    try:
        points = [tuple(float(part) for part in each.split(",")) for each in value.replace("\n", ";").split(";") if each.strip()]
    except ValueError:
        raise InvalidData("边界坐标应写成“经度,纬度”，一点一行。请改正。", {"area": "应为“经度,纬度”"}) from None
    if not 3 <= len(points) <= MOST_POINTS or any(len(each) != 2 for each in points):
        raise InvalidData(f"边界要 3 至 {MOST_POINTS} 个点，一点两个数。请改正。", {"area": "点数不对"})
    ring = shapely.Polygon(points)
    west, south, east, north = ring.bounds
    if not (119 < west < east < 124 and 30 < south < north < 33):
        raise InvalidData("边界不在上海附近，可能经纬度颠倒。请改正。", {"area": "经纬度可能颠倒"})
    if not shapely.is_valid(ring):
        raise InvalidData("边界自己相交，不能取范围。请按顺序写各点。", {"area": "边界自己相交"})
    return ring


def _case(session: Session, actor: Actor, spec: MapSpec, value: str) -> _Found:
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise InvalidData("办件编号不对。请从办件页面进入。", {"area": "请从办件页面进入"})
    case = scope.find(session, actor, int(value))
    shapes = [each.geometry for each in ranges_of(session, case.id)]
    if not shapes:
        raise NotFound(f"办件 {code_of(case)} 还没有确认的范围，不能按办件取范围。请先上传并确认范围。")
    found = _cut(session, actor, spec, multipolygon(shapely.union_all(shapes)), f"办件 {code_of(case)} 范围")
    return _Found(found.label, found.extent, found.outline, found.placed, True, found.district_codes, code_of(case))


def _cut(session: Session, actor: Actor, spec: MapSpec, area: BaseGeometry, label: str) -> _Found:
    """The features that meet an area, cut at its edge; those wholly inside keep the area that is on record."""
    found = features_in(session, spec.layer, area, spec.on, catalogue.districts_of(actor, spec.layer))
    shapely.prepare(area)
    shapes = numpy.array([each.geometry for each in found], dtype=object)
    if not len(shapes):
        return _Found(label, area, area, (), True)
    if layer_definition(spec.layer).geometry != "polygon":
        return _Found(label, area, area, _whole(found), False, tuple(sorted({each.district_code for each in found})))
    is_inside = shapely.covers(area, shapes)
    cut = numpy.array([multipolygon(each) for each in shapely.intersection(shapes, area)], dtype=object)
    measured = areas_m2(cut)
    placed = [
        Placed(each, each.geometry, each.area_m2) if inside else Placed(each, part, area_m2)
        for each, inside, part, area_m2 in zip(found, is_inside, cut, measured, strict=True)
        if inside or area_m2 > 0
    ]
    return _Found(label, area, area, placed, True, tuple(sorted({each.district_code for each in found})))


_READERS = {"city": _city, "district": _district, "town": _town, "box": _box, "shape": _shape, "case": _case}
