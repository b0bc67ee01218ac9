"""The history of a feature: what stood under its key, from which edition until which."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from domain.layer.definition import FeatureData
from domain.layer.reading import layer_of
from domain.layer.tables import Feature, LayerEdition


@dataclass(frozen=True, slots=True)
class FeatureSpan:
    """One state of a feature: its values, the edition that brought it, and the one that ended it (None: it stands)."""

    feature: FeatureData
    since: LayerEdition
    until: LayerEdition | None

    @property
    def is_current(self) -> bool:
        """True for the state of now."""
        return self.until is None


def history_of(session: Session, layer_key: str, feature_key: str) -> list[FeatureSpan]:
    """Every state that a feature had, the newest first; empty for a key that the layer never had. NotFound without data."""
    layer = layer_of(session, layer_key)
    rows = session.exec(
        select(Feature).where(Feature.layer_id == layer.id, Feature.key == feature_key).order_by(col(Feature.from_number).desc())
    ).all()
    numbers = {number for row in rows for number in (row.from_number, row.until_number) if number is not None}
    statement = select(LayerEdition).where(LayerEdition.layer_id == layer.id, col(LayerEdition.number).in_(sorted(numbers)))
    editions = {each.number: each for each in session.exec(statement).all()}
    return [FeatureSpan(_data(row), editions[row.from_number], editions.get(row.until_number)) for row in rows]


def _data(row: Feature) -> FeatureData:
    return FeatureData(row.key, row.district_code, row.class_code, row.area_m2, row.geometry, row.attributes, row.status)
