"""The one map in time: the days on which layers changed, and which edition of each layer a day shows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, func, select

from domain.actor import Actor
from domain.layer import Layer, LayerDrawing, LayerEdition, catalogue
from domain.layer.reading import find_edition
from domain.map_legend import BY_KEY, LAYERS, MapLayer, detail_zoom

MOST_DAYS = 60
"""So many days of a layer are offered to choose from; earlier ones can be typed into the address."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The last edition of a layer that took effect on a day.

    From the zoom `detail` on it is drawn feature by feature; below it only if `is_drawn`, or if it is the latest.
    """

    number: int
    on: date
    detail: int
    is_drawn: bool


def moments(session: Session, actor: Actor) -> dict[str, tuple[Moment, ...]]:
    """Of every layer of the map that has data and that the actor may open, its days, the newest first; two statements."""
    drawn = {(layer_id, number) for layer_id, number in session.execute(select(LayerDrawing.layer_id, LayerDrawing.edition_number))}
    last = (
        select(LayerEdition.layer_id, func.max(LayerEdition.number).label("number"))
        .group_by(LayerEdition.layer_id, LayerEdition.effective_on).subquery()
    )
    statement = (
        select(Layer.key, LayerEdition.layer_id, LayerEdition.number, LayerEdition.effective_on, LayerEdition.feature_count)
        .join(last, (last.c.layer_id == LayerEdition.layer_id) & (last.c.number == LayerEdition.number))
        .join(Layer, Layer.id == LayerEdition.layer_id).order_by(LayerEdition.number.desc())
    )
    found: dict[str, list[Moment]] = {}
    for key, layer_id, number, on, count in session.execute(statement):
        if key in BY_KEY and catalogue.may_open(actor, key):
            found.setdefault(key, []).append(Moment(number, on, first_detail(BY_KEY[key], count), (layer_id, number) in drawn))
    return {layer.key: tuple(found[layer.key]) for layer in LAYERS if layer.key in found}


def with_named(session: Session, known: Mapping[str, tuple[Moment, ...]], names: Iterable[str]) -> dict[str, tuple[Moment, ...]]:
    """The days with the editions that are named layer@number, where others took effect on the same day after them."""
    found = dict(known)
    for name in dict.fromkeys(names):
        key, _, number = name.partition("@")
        if key not in known or not (number.isascii() and number.isdigit() and len(number) < 10) or int(number) in {each.number for each in found[key]}:
            continue
        edition = find_edition(session, key, int(number))
        if edition is not None:
            named = Moment(edition.number, edition.effective_on, first_detail(BY_KEY[key], edition.feature_count), is_drawn=False)
            found[key] = tuple(sorted((*found[key], named), key=lambda each: -each.number))
    return found


def first_detail(layer: MapLayer, feature_count: int) -> int:
    """The zoom from which an edition with so many features is drawn feature by feature."""
    return detail_zoom(feature_count) if layer.is_dissolved else 0


def on_day(known: Sequence[Moment], day: date | None) -> Moment | None:
    """What is in force on a day (the latest without a day); None before the first day of the layer."""
    return next((each for each in known if day is None or each.on <= day), None)


def chosen(known: Mapping[str, Sequence[Moment]], on: date | None, days: Mapping[str, date]) -> dict[str, Moment]:
    """By layer what is in force on the day of the layer, else on the day of the whole map; without layers that were not yet there."""
    found = {key: on_day(moments, days.get(key, on)) for key, moments in known.items()}
    return {key: moment for key, moment in found.items() if moment is not None}


def all_days(known: Mapping[str, Sequence[Moment]]) -> list[date]:
    """The days on which any layer changed, the earliest first; of each layer the newest ones."""
    return sorted({each.on for moments in known.values() for each in moments[:MOST_DAYS]})
