"""Reading a layer as it stood on a day: by place, by key, by district, and as an index in memory."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Select, column, func, or_, table
from sqlmodel import Session, select

from domain.errors import NotFound
from domain.geometry import STORAGE_SRID
from domain.layer.definition import FeatureData
from domain.layer.tables import Feature, Layer, LayerEdition

_BBOX = table("feature_bbox", *(column(name) for name in ("id", "west", "east", "south", "north")))
FEATURE_COLUMNS = (
    Feature.key, Feature.district_code, Feature.class_code, Feature.area_m2,
    Feature.geometry, Feature.attributes, Feature.status,
)  # fmt: skip
"""What a FeatureData is made of, in its order."""
_MOST_KEYS = 500


def layer_of(session: Session, key: str) -> Layer:
    """The stored layer of a key; NotFound if it was never loaded."""
    found = session.exec(select(Layer).where(Layer.key == key)).first()
    if found is None:
        raise NotFound(f"图层“{key}”还没有数据。请先导入该图层。")
    return found


def edition_on(session: Session, layer_key: str, on: date | None = None) -> LayerEdition:
    """The edition of a layer in force on a day (the latest without a day); NotFound before its first day."""
    found = find_edition_on(session, layer_key, on)
    if found is None:
        when = f"在 {on:%Y-%m-%d} " if on else ""
        raise NotFound(f"图层“{layer_key}”{when}还没有数据。请先导入该图层，或改查较晚的日期。")
    return found


def find_edition_on(session: Session, layer_key: str, on: date | None = None) -> LayerEdition | None:
    """The edition of a layer in force on a day (the latest without a day); None before its first day."""
    statement = (
        select(LayerEdition)
        .join(Layer, Layer.id == LayerEdition.layer_id)
        .where(Layer.key == layer_key)
        .order_by(LayerEdition.number.desc())
        .limit(1)
    )
    if on is not None:
        statement = statement.where(LayerEdition.effective_on <= on)
    return session.exec(statement).first()


def edition_of(session: Session, layer_key: str, number: int) -> LayerEdition:
    """The edition of a number; NotFound for a number that the layer has not had."""
    found = find_edition(session, layer_key, number)
    if found is None:
        raise NotFound(f"图层“{layer_key}”没有第 {number} 版。请从版本列表中选择。")
    return found


def find_edition(session: Session, layer_key: str, number: int) -> LayerEdition | None:
    """The edition of a number; None for a number that the layer has not had."""
    statement = select(LayerEdition).join(Layer, Layer.id == LayerEdition.layer_id)
    return session.exec(statement.where(Layer.key == layer_key, LayerEdition.number == number)).first()


@dataclass(frozen=True, slots=True)
class LatestEdition:
    """The latest edition of a layer that has data, in the words of its layer."""

    layer_id: int
    number: int
    token: str
    effective_on: date
    feature_count: int
    is_generated: bool


def latest_editions(session: Session) -> dict[str, LatestEdition]:
    """The latest edition of every layer that has data, by layer key, in one statement."""
    newest = (
        select(LayerEdition.layer_id, func.max(LayerEdition.number).label("number"))
        .group_by(LayerEdition.layer_id)
        .subquery()
    )
    statement = (
        select(
            Layer.key, Layer.id, LayerEdition.number, LayerEdition.token, LayerEdition.effective_on,
            LayerEdition.feature_count, Layer.is_generated,
        )
        .join(newest, newest.c.layer_id == Layer.id)
        .join(LayerEdition, (LayerEdition.layer_id == Layer.id) & (LayerEdition.number == newest.c.number))
        .order_by(Layer.key)
    )  # fmt: skip
    return {row[0]: LatestEdition(*row[1:]) for row in session.execute(statement)}


def features_in(
    session: Session,
    layer_key: str,
    area: BaseGeometry,
    on: date | None = None,
    districts: Collection[str] | None = None,
) -> list[FeatureData]:
    """Features that have at least a point in common with an area (EPSG:4490), by key, as they stood on a day.

    `districts` narrows to district codes (None: all). The bounding boxes are searched in the database, the
    exact test is shapely's.
    """
    return edition_features(session, edition_on(session, layer_key, on), area, districts)


def edition_features(
    session: Session, edition: LayerEdition, area: BaseGeometry, districts: Collection[str] | None = None
) -> list[FeatureData]:
    """The features of one edition as `features_in` finds them."""
    statement = _within(features_statement(edition).where(near(session, area.bounds)), districts)
    found = read_features(session, statement.order_by(Feature.key))
    shapely.prepare(area)
    return [feature for feature in found if shapely.intersects(area, feature.geometry)]


def features_by_key(
    session: Session, layer_key: str, keys: Sequence[str], on: date | None = None
) -> dict[str, FeatureData]:
    """The features of the given keys as they stood on a day; a key that the layer has not is not in the
    answer.
    """
    edition, found = edition_on(session, layer_key, on), {}
    for start in range(0, len(keys), _MOST_KEYS):
        wanted = list(keys[start : start + _MOST_KEYS])
        statement = features_statement(edition).where(Feature.key.in_(wanted))
        found |= {feature.key: feature for feature in read_features(session, statement)}
    return found


def all_features(
    session: Session, layer_key: str, on: date | None = None, districts: Collection[str] | None = None
) -> list[FeatureData]:
    """Every feature of a layer by key as it stood on a day; `districts` narrows to district codes (None: all)."""
    return features_of(session, edition_on(session, layer_key, on), districts)


def features_of(
    session: Session, edition: LayerEdition, districts: Collection[str] | None = None
) -> list[FeatureData]:
    """Every feature of an edition by key, of all districts or of these."""
    statement = _within(features_statement(edition), districts)
    return read_features(session, statement.order_by(Feature.key))


def area_by_district(session: Session, layer_key: str, on: date | None = None) -> dict[str, Decimal]:
    """The sum of the feature areas per district code in m², exact, as they stood on a day."""
    statement = (
        select(Feature.district_code, func.sum(Feature.area_m2))
        .where(*in_edition(edition_on(session, layer_key, on)))
        .group_by(Feature.district_code)
        .order_by(Feature.district_code)
    )
    return dict(session.execute(statement).all())


def features_statement(edition: LayerEdition) -> Select:
    """The columns of every feature of an edition, without order."""
    return select(*FEATURE_COLUMNS).where(*in_edition(edition))


def _within(statement: Select, districts: Collection[str] | None) -> Select:
    return statement if districts is None else statement.where(Feature.district_code.in_(sorted(districts)))


def in_edition(edition: LayerEdition) -> tuple[Any, ...]:
    """The conditions under which a row of `feature` belongs to an edition."""
    return (
        Feature.layer_id == edition.layer_id,
        Feature.from_number <= edition.number,
        or_(Feature.until_number.is_(None), Feature.until_number > edition.number),
    )


def near(session: Session, bounds: tuple[float, float, float, float]) -> Any:
    """The condition that the bounding box of a row of `feature` meets the bounds, through the R*Tree or the GiST index."""
    west, south, east, north = bounds
    if session.get_bind().dialect.name != "sqlite":
        return Feature.geometry.op("&&")(func.ST_MakeEnvelope(west, south, east, north, STORAGE_SRID))
    box = _BBOX.c
    met = select(box.id).where(box.west <= east, box.east >= west, box.south <= north, box.north >= south)
    return Feature.id.in_(met)


def read_features(session: Session, statement: Select) -> list[FeatureData]:
    """The features that a statement over FEATURE_COLUMNS finds, in its order."""
    return as_features(session.execute(statement))


def as_features(rows: Iterable[Any]) -> list[FeatureData]:
    """Rows of FEATURE_COLUMNS as features."""
    return [FeatureData(*row) for row in rows]
