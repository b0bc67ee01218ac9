"""The answer to a query: a page of the list, sums by class and by district, and what lies inside the range.

Lists are sorted, paged and summed in the database. What lies inside the range of a query is the whole of features that
it covers, and is cut out of those that its edge crosses, as an overlay does it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Boolean, ColumnElement, and_, bindparam, not_, or_
from sqlmodel import Session, func, select

from domain.actor import Actor
from domain.area import rounded_m2, sum_m2, unrounded_areas_m2
from domain.errors import InvalidData
from domain.geometry_column import StoredGeometry
from domain.layer import (
    Feature,
    FeatureData,
    LayerEdition,
    catalogue,
    edition_on,
    features_in,
    layer_definition,
)
from domain.layer.reading import FEATURE_COLUMNS, as_features, in_edition, near, read_features
from domain.map_query.definition import LayerQuery
from domain.map_query.fields import column_of, condition_sql, expression
from domain.overlay.features import FeatureSet
from domain.overlay.operations import clip
from domain.spatial_file.columns import as_column
from domain.thematic_map.selection import LAND_LAYER, in_town, lying_in, town_of, town_shape

MOST_CUT = 20_000
"""How many features the edge of a range may cross, because each of them is cut."""
MOST_IN_TOWN = 5_000
_ORDERS = {
    "key": Feature.key, "class": Feature.class_code, "district": Feature.district_code, "status": Feature.status, "area": Feature.area_m2,
}


@dataclass(frozen=True, slots=True)
class Sum:
    """Of one class or district: how many features, their whole area in m², and what of it lies in the range (None: no range)."""

    code: str
    count: int
    area_m2: Decimal
    inside_m2: Decimal | None = None


@dataclass(frozen=True, slots=True)
class QueryRow:
    """One feature of the list, and its area inside the range in m² (None: no range)."""

    feature: FeatureData
    inside_m2: Decimal | None = None


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """One page of the list and the sums of all that was found, of one edition of the layer."""

    edition: LayerEdition
    rows: tuple[QueryRow, ...]
    by_class: tuple[Sum, ...]
    by_district: tuple[Sum, ...]

    @property
    def total(self) -> Sum:
        """The sum of everything."""
        return _together("", self.by_class) if self.by_class else Sum("", 0, Decimal("0.00"), Decimal("0.00"))


def ask(session: Session, actor: Actor, query: LayerQuery, first: int = 0, size: int = 50) -> QueryAnswer:
    """The features that meet every condition, in the districts that are open to the actor.

    Raises NotAllowed for a layer closed to the actor, NotFound for one without data on the day, InvalidData by field for
    a condition that does not fit, and for a range whose edge crosses more than MOST_CUT features.
    """
    edition = edition_on(session, query.layer, query.on)
    found = conditions(session, actor, query, edition)
    statement = select(*FEATURE_COLUMNS).where(*found).order_by(*_order(query)).offset(first).limit(size)
    rows = tuple(with_inside(read_features(session, statement), query))
    sums = list(_sums(session, found, query))
    return QueryAnswer(edition, rows, _grouped(sums, 0), _grouped(sums, 1))


def every_feature(session: Session, actor: Actor, query: LayerQuery, batch: int = 2000) -> Iterator[list[QueryRow]]:
    """All that was found, in the order of the list, by batches as they are read; rights and errors as in `ask`."""
    found = conditions(session, actor, query, edition_on(session, query.layer, query.on))
    statement = select(*FEATURE_COLUMNS).where(*found).order_by(*_order(query))
    for rows in session.execute(statement.execution_options(yield_per=batch)).partitions(batch):
        yield with_inside(as_features(rows), query)


def conditions(session: Session, actor: Actor, query: LayerQuery, edition: LayerEdition) -> list[ColumnElement[bool]]:
    """What a row of `feature` must meet."""
    districts = catalogue.districts_of(actor, query.layer)
    found = list(in_edition(edition))
    if districts is not None:
        found.append(Feature.district_code.in_(sorted(districts)))
    if query.class_code:
        found.append(Feature.class_code.startswith(query.class_code, autoescape=True))
    if query.district:
        found.append(Feature.district_code == query.district)
    if query.least_m2 is not None:
        found.append(Feature.area_m2 >= query.least_m2)
    if asked := [condition_sql(query.layer, each, number) for number, each in enumerate(query.conditions, start=1)]:
        found.append((or_ if query.joins_any else and_)(*asked))
    if query.town:
        found.append(_in_town(session, query, districts))
    if query.place is not None:
        shape = query.place.geometry
        found += [near(session, shape.bounds), _spatial("ST_Intersects", shape)]
        if query.place.is_area:
            found.append(not_(_spatial("ST_Touches", shape)))
    return found


def _spatial(function: str, shape: BaseGeometry) -> ColumnElement[bool]:
    """A predicate of the range and the feature, in this order: the range is parsed and prepared once."""
    return getattr(func, function)(bindparam(None, shape, type_=StoredGeometry(), unique=True), Feature.geometry, type_=Boolean())


def _in_town(session: Session, query: LayerQuery, districts: frozenset[str] | None) -> ColumnElement[bool]:
    """Land use says its town itself; of other layers, whatever has a point of it among the patches of the town."""
    town = town_of(query.town)
    if query.layer == LAND_LAYER:
        return in_town(town)
    shape = town_shape(session, town, query.on)
    if shape is None:
        raise InvalidData(f"{town.name}没有土地利用现状图斑，不能按街镇查。请改按区查，或写方框、坐标。", {"town": "没有图斑，不能按街镇查"})
    keys = [each.key for each in lying_in(shape, features_in(session, query.layer, shape, query.on, districts))]
    if len(keys) > MOST_IN_TOWN:
        raise InvalidData(f"{town.name}里有 {len(keys)} 个要素，超过 {MOST_IN_TOWN} 个。请改按区查，或写方框、坐标。", {"town": "要素太多"})
    return Feature.key.in_(keys)


def _order(query: LayerQuery) -> list[Any]:
    by = _ORDERS.get(query.order)
    if by is None:
        by = expression(layer_definition(query.layer), column_of(query.layer, query.order, "sort"))
    return [by.desc() if query.is_descending else by.asc(), Feature.key.asc()]


def with_inside(features: Sequence[FeatureData], query: LayerQuery) -> list[QueryRow]:
    """The features with what of each lies in the range of the query."""
    if query.place is None or not query.place.is_area:
        return [QueryRow(each) for each in features]
    shape = query.place.geometry
    shapely.prepare(shape)
    is_covered = shapely.covers(shape, as_column(each.geometry for each in features))
    crossing = [each for each, covered in zip(features, is_covered, strict=True) if not covered]
    inside = dict(zip((each.key for each in crossing), _inside(crossing, shape), strict=True))
    return [QueryRow(each, inside.get(each.key, each.area_m2)) for each in features]


def _inside(features: Sequence[Any], shape: BaseGeometry) -> list[Decimal]:
    """The area of each feature inside a range (m²); what is no polygon has none."""
    owned = as_column(each.geometry for each in features)
    rows = numpy.flatnonzero(numpy.isin(shapely.get_type_id(owned), (3, 6)))
    found = numpy.zeros(len(owned))
    if len(rows):
        pieces = clip(FeatureSet.without_attributes(owned[rows]), FeatureSet.without_attributes([shape]))
        numpy.add.at(found, rows[pieces.left_rows], unrounded_areas_m2(pieces.geometries))
    return [rounded_m2(value) for value in found]


def _sums(session: Session, found: Sequence[Any], query: LayerQuery) -> Iterator[tuple[tuple[str, str], Sum]]:
    """The sum of every class in every district."""
    counted = select(Feature.class_code, Feature.district_code, func.count(), func.sum(Feature.area_m2)).where(*found)
    cut = _cut(session, found, query.place.geometry) if query.place is not None and query.place.is_area else None
    for class_code, district, count, area in session.execute(counted.group_by(Feature.class_code, Feature.district_code)):
        outside = cut.get((class_code, district), Decimal("0.00")) if cut is not None else None
        yield (class_code, district), Sum("", count, area, None if outside is None else area - outside)


def _cut(session: Session, found: Sequence[Any], shape: BaseGeometry) -> Mapping[tuple[str, str], Decimal]:
    """What of the crossed features lies outside of the range, in m², by class and district."""
    columns = (Feature.class_code, Feature.district_code, Feature.area_m2, Feature.geometry)
    rows = session.execute(select(*columns).where(*found, not_(_spatial("ST_Covers", shape))).limit(MOST_CUT + 1)).all()
    if len(rows) > MOST_CUT:
        raise InvalidData(f"范围的边界穿过的要素超过 {MOST_CUT} 个，不能逐个求范围内面积。请缩小范围，或改按区查。", {"points": "范围太大"})
    outside: dict[tuple[str, str], Decimal] = defaultdict(lambda: Decimal("0.00"))
    for row, inside in zip(rows, _inside(rows, shape), strict=True):
        outside[row.class_code, row.district_code] += row.area_m2 - inside
    return outside


def _grouped(sums: Sequence[tuple[tuple[str, str], Sum]], place: int) -> tuple[Sum, ...]:
    groups: dict[str, list[Sum]] = defaultdict(list)
    for codes, each in sums:
        groups[codes[place]].append(each)
    return tuple(_together(code, groups[code]) for code in sorted(groups))


def _together(code: str, sums: Sequence[Sum]) -> Sum:
    has_range = sums[0].inside_m2 is not None
    inside = sum_m2(each.inside_m2 for each in sums) if has_range else None
    return Sum(code, sum(each.count for each in sums), sum_m2(each.area_m2 for each in sums), inside)
