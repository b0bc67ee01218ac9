"""A layer in time: its editions with the cases behind them, and one feature through all of them."""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, func, select

from domain.actor import Actor
from domain.case import scope
from domain.case.tables import Case
from domain.errors import NotFound
from domain.layer import catalogue
from domain.layer.definition import FeatureData, layer_definition
from domain.layer.feature_span import history_of
from domain.layer.reading import edition_on
from domain.layer.tables import Layer, LayerEdition

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
    found = [each for each in history_of(session, layer_key, key) if districts is None or each.feature.district_code in districts]
    if not found:
        raise NotFound(f"图层“{layer_definition(layer_key).title}”里没有要素“{key[:60]}”，或它不在你的辖区内。请从要素表进入。")
    editions = {each.number: each for span in found for each in (span.since, span.until) if each is not None}
    by_number = {each.edition.number: each for each in _with_cases(session, actor, list(editions.values()))}
    return [Span(each.feature, by_number[each.since.number], by_number[each.until.number] if each.until else None) for each in found]


def span_on(session: Session, layer_key: str, spans: list[Span], on: date | None) -> Span:
    """The span that a day falls in; without a day, or where the feature was not there on it, the latest one."""
    if on is None:
        return spans[0]
    number = edition_on(session, layer_key, on).number
    found = (each for each in spans if each.since.edition.number <= number and (each.until is None or each.until.edition.number > number))
    return next(found, spans[0])
