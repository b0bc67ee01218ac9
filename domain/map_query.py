"""Query of one layer: by class, district, a text field, area and box; the list is paged and summed in the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import shapely
from sqlmodel import Session, func, select

from domain.actor import Actor
from domain.errors import InvalidData
from domain.layer import Feature, catalogue, edition_on, features_in, layer_definition
from domain.layer.reading import in_edition

MOST_IN_BOX = 5000
"""How many features a box may meet, because their keys are handed to the database one by one."""


@dataclass(frozen=True, slots=True)
class LayerQuery:
    """What is asked of a layer; empty conditions ask nothing. `box` is west, south, east, north in degrees (EPSG:4490)."""

    layer: str
    class_code: str = ""
    """How the class begins: 01 is every farmland."""
    district: str = ""
    field: str = ""
    value: str = ""
    least_m2: Decimal | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class ClassSum:
    """How many features of a class were found, and the sum of their whole areas in m²."""

    class_code: str
    count: int
    area_m2: Decimal


@dataclass(frozen=True, slots=True)
class QueryRow:
    """One feature of the list."""

    key: str
    class_code: str
    district_code: str
    status: str
    area_m2: Decimal
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """One page of the list, and the sums of all that was found; features count whole, also where the box cuts them."""

    rows: tuple[QueryRow, ...]
    sums: tuple[ClassSum, ...]

    @property
    def count(self) -> int:
        """How many features were found."""
        return sum(each.count for each in self.sums)

    @property
    def area_m2(self) -> Decimal:
        """The sum of their areas."""
        return sum((each.area_m2 for each in self.sums), Decimal("0.00"))


def ask(session: Session, actor: Actor, query: LayerQuery, first: int = 0, size: int = 50) -> QueryAnswer:
    """The features that meet every condition, by key, in the districts that are open to the actor.

    Raises NotAllowed for a layer closed to the actor, NotFound for one without data, InvalidData for a box too full.
    """
    conditions = _conditions(session, actor, query)
    columns = (Feature.key, Feature.class_code, Feature.district_code, Feature.status, Feature.area_m2, Feature.attributes)
    rows = session.execute(select(*columns).where(*conditions).order_by(Feature.key).offset(first).limit(size))
    sums = session.execute(
        select(Feature.class_code, func.count(), func.sum(Feature.area_m2)).where(*conditions)
        .group_by(Feature.class_code).order_by(Feature.class_code)
    )
    return QueryAnswer(tuple(QueryRow(*row) for row in rows), tuple(ClassSum(*row) for row in sums))


def _conditions(session: Session, actor: Actor, query: LayerQuery) -> list[Any]:
    districts = catalogue.districts_of(actor, query.layer)
    found = list(in_edition(edition_on(session, query.layer)))
    if districts is not None:
        found.append(Feature.district_code.in_(sorted(districts)))
    if query.class_code:
        found.append(Feature.class_code.startswith(query.class_code, autoescape=True))
    if query.district:
        found.append(Feature.district_code == query.district)
    if query.field:
        found.append(_text_field(query) == query.value)
    if query.least_m2 is not None:
        found.append(Feature.area_m2 >= query.least_m2)
    if query.box is not None:
        found.append(Feature.key.in_(_keys_in(session, query, districts)))
    return found


def text_fields(layer: str) -> dict[str, str]:
    """The fields of a layer that can be asked for their text: Chinese label by name."""
    return {each.name: each.label for each in layer_definition(layer).columns if each.type == "text"}


def _text_field(query: LayerQuery) -> Any:
    if query.field not in text_fields(query.layer):
        raise InvalidData("这个图层没有所选的字段。请按图层重新选字段。", {"field": "请重新选字段"})
    return Feature.attributes[query.field].as_string()


def _keys_in(session: Session, query: LayerQuery, districts: frozenset[str] | None) -> list[str]:
    if query.district:
        districts = frozenset({query.district}) if districts is None else districts & {query.district}
    keys = [each.key for each in features_in(session, query.layer, shapely.box(*query.box), districts=districts)]
    if len(keys) > MOST_IN_BOX:
        raise InvalidData(f"方框里有 {len(keys)} 个要素，超过 {MOST_IN_BOX} 个。请缩小方框，或改按区查询。", {"box": "请缩小方框"})
    return keys
