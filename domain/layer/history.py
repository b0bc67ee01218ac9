"""A layer in time: its editions with the cases behind them, and one feature through all of them."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, func, select

from domain.actor import Actor
from domain.case import scope
from domain.case.tables import Case
from domain.errors import NotFound
from domain.layer import catalogue
from domain.layer.definition import FeatureData, layer_definition
from domain.layer.reading import edition_on
from domain.layer.tables import Feature, Layer, LayerEdition

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class Version:
    """An edition, and the case that caused it where the actor may see it."""

    edition: LayerEdition
    case: Case | None


@dataclass(frozen=True, slots=True)
class Span:
    """A feature as it stood over a span of editions: from which one, until which one (None: it still stands)."""

    feature: FeatureData
    since: Version
    until: Version | None


def versions(session: Session, actor: Actor, layer_key: str, first: int = 0, size: int = PAGE_ROWS) -> tuple[list[Version], int]:
    """The editions of a layer, the newest first, and how many there are; three statements. Raises NotAllowed, NotFound."""
    catalogue.require(actor, layer_key)
    of_layer = LayerEdition.layer_id == select(Layer.id).where(Layer.key == layer_key).scalar_subquery()
    total = session.exec(select(func.count()).select_from(LayerEdition).where(of_layer)).one()
    found = session.exec(select(LayerEdition).where(of_layer).order_by(LayerEdition.number.desc()).offset(first).limit(size)).all()
    return _with_cases(session, actor, list(found)), total


def _with_cases(session: Session, actor: Actor, editions: list[LayerEdition]) -> list[Version]:
    ids = sorted({each.case_id for each in editions if each.case_id is not None})
    cases = {each.id: each for each in session.exec(scope.visible_cases(actor).where(Case.id.in_(ids))).all()} if ids else {}
    return [Version(each, cases.get(each.case_id)) for each in editions]


def history(session: Session, actor: Actor, layer_key: str, key: str) -> list[Span]:
    """A feature over the editions of its layer, the latest span first; a fixed number of statements.

    Raises NotAllowed for a layer closed to the actor, NotFound for a feature that never was or lies in a district not open.
    """
    districts = catalogue.districts_of(actor, layer_key)
    rows = session.execute(_rows(layer_key, key)).all()
    rows = [row for row in rows if districts is None or row.district_code in districts]
    if not rows:
        raise NotFound(f"图层“{layer_definition(layer_key).title}”里没有要素“{key[:60]}”，或它不在你的辖区内。请从要素表进入。")
    numbers = sorted({number for row in rows for number in (row.from_number, row.until_number) if number is not None})
    statement = select(LayerEdition).where(LayerEdition.layer_id == rows[0].layer_id, LayerEdition.number.in_(numbers))
    by_number = {each.edition.number: each for each in _with_cases(session, actor, list(session.exec(statement).all()))}
    return [Span(_feature(row), by_number[row.from_number], by_number.get(row.until_number)) for row in rows]


def _rows(layer_key: str, key: str) -> Any:
    columns = (
        Feature.key, Feature.district_code, Feature.class_code, Feature.area_m2, Feature.geometry, Feature.attributes, Feature.status,
        Feature.layer_id, Feature.from_number, Feature.until_number,
    )  # fmt: skip
    return select(*columns).join(Layer, Layer.id == Feature.layer_id).where(Layer.key == layer_key, Feature.key == key).order_by(Feature.from_number.desc())


def _feature(row: Any) -> FeatureData:
    return FeatureData(row.key, row.district_code, row.class_code, row.area_m2, row.geometry, row.attributes, row.status)


def span_on(session: Session, layer_key: str, spans: list[Span], on: date | None) -> Span:
    """The span that a day falls in; without a day, or where the feature was not there on it, the latest one."""
    if on is None:
        return spans[0]
    number = edition_on(session, layer_key, on).number
    found = (each for each in spans if each.since.edition.number <= number and (each.until is None or each.until.edition.number > number))
    return next(found, spans[0])
