"""What the one map shows: tiles of its layers, what lies at a place, ranges within one's scope, and where things are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import shapely
from shapely.geometry.base import BaseGeometry
from sqlmodel import Session, col, func, select

from domain import map_drawing, outflow
from domain.actor import Actor
from domain.case import scope
from domain.case.tables import Case
from domain.case.words import code_of
from domain.case_range import CaseRange, ranges_of
from domain.district import load_account_areas
from domain.errors import InvalidData
from domain.layer import (
    Feature,
    FeatureData,
    LayerEdition,
    catalogue,
    edition_on,
    features_by_key,
    layer_definition,
)
from domain.layer.reading import edition_features, edition_of, in_edition, latest_editions
from domain.map_legend import LAYERS, MapLayer
from domain.map_tile import Tile, TileFeature, encode, narrowed
from domain.map_time import first_detail
from domain.measuring import read_point
from domain.plot.listing import numbers_of

DISTRICT_LAYER = "administrative_area"
MOST_RANGES = 500
MOST_PLOTS = 500
POINTED_DEGREES = 0.00015
"""How near a place is to a point or a line that it points at, about 15 m."""
WHOLE_CITY = (120.85, 30.67, 122.0, 31.88)
"""West, south, east and north of the city in degrees."""
LONGEST_WORDS = 100


def tile_bytes(session: Session, actor: Actor, layer: MapLayer, tile: Tile, number: int | None = None) -> tuple[bytes, bool]:
    """A tile of an edition (the latest without a number) of a layer, of the districts open to the actor, and whether it is that edition's.

    Where small scales are dissolved the tile is of the drawing of the edition. While the latest edition is being drawn it
    is of the drawing before; it is empty for an edition that has none. Raises NotAllowed for a layer closed to the actor,
    NotFound for an edition that there is not.
    """
    districts, latest = catalogue.districts_of(actor, layer.key), edition_on(session, layer.key)
    edition = latest if number in (None, latest.number) else edition_of(session, layer.key, number)
    if tile.zoom < first_detail(layer, edition.feature_count):
        return _drawn(session, layer, tile, districts, edition, is_latest=edition is latest)
    found = edition_features(session, edition, shapely.box(*tile.bounds), districts)
    shown = [TileFeature(each.geometry, {"key": each.key, "group": layer.group_of(each)}) for each in found]
    return encode(tile, layer.key, shown), True


def _drawn(
    session: Session, layer: MapLayer, tile: Tile, districts: frozenset[str] | None, edition: LayerEdition, *, is_latest: bool
) -> tuple[bytes, bool]:
    """The finished tile, drawn once for all; who may see some districts only is given the polygons of those."""
    drawing = map_drawing.drawing_of(session, layer.key, None if is_latest else edition.number)
    if drawing is None:
        return b"", False
    content = map_drawing.drawn_tile(session, drawing, tile)
    return content if districts is None else narrowed(content, map_drawing.DISTRICT, districts), drawing.edition_number == edition.number


def editions(session: Session, actor: Actor) -> dict[str, int]:
    """The present edition number of every layer of the map that has data and that the actor may open; one statement."""
    latest = latest_editions(session)
    return {layer.key: latest[layer.key].number for layer in LAYERS if layer.key in latest and catalogue.may_open(actor, layer.key)}


def features_at(
    session: Session, actor: Actor, longitude: float, latitude: float, shown: Mapping[str, int] | None = None
) -> list[tuple[MapLayer, FeatureData]]:
    """The features at a point in degrees of all layers open to the actor, in the districts open to him or her, the finest first.

    `shown` says which editions are asked, by layer; without it the latest ones.
    """
    point, present = shapely.Point(longitude, latitude), editions(session, actor)
    numbers = present if shown is None else {key: number for key, number in shown.items() if key in present}
    found = []
    for layer in reversed(LAYERS):
        if layer.key in numbers:
            edition = edition_of(session, layer.key, numbers[layer.key])
            place = point if layer_definition(layer.key).geometry == "polygon" else point.buffer(POINTED_DEGREES)
            found += [(layer, each) for each in edition_features(session, edition, place, catalogue.districts_of(actor, layer.key))]
    return found


def plots(session: Session, actor: Actor, keys: Sequence[str]) -> list[tuple[MapLayer, FeatureData]]:
    """The features of these numbers in any layer open to the actor, in the order of the numbers.

    Numbers that are unknown or lie in a district not open to the actor are not in the answer.
    """
    found, loaded = {}, editions(session, actor)
    for layer in LAYERS:
        if layer.key in loaded:
            districts = catalogue.districts_of(actor, layer.key)
            known = features_by_key(session, layer.key, list(keys)[:MOST_PLOTS])
            found |= {key: (layer, each) for key, each in known.items() if districts is None or each.district_code in districts}
    return [found[key] for key in dict.fromkeys(keys) if key in found]


def ranges_in(session: Session, actor: Actor, bounds: tuple[float, float, float, float]) -> list[tuple[CaseRange, Case]]:
    """Ranges that count, of cases that the actor may see, whose boxes meet the bounds in degrees; the latest first."""
    west, south, east, north = bounds
    statement = (
        select(CaseRange, Case).join(Case, Case.id == CaseRange.case_id)
        .where(scope.visible(actor), col(CaseRange.confirmed_at).is_not(None), col(CaseRange.removed_at).is_(None))
        .where(col(CaseRange.west) <= east, col(CaseRange.east) >= west, col(CaseRange.south) <= north, col(CaseRange.north) >= south)
        .order_by(col(CaseRange.id).desc()).limit(MOST_RANGES)
    )
    return list(session.exec(statement).all())


@dataclass(frozen=True, slots=True)
class Place:
    """What a search on the map found: a label, the bounds to show, and the features to point out."""

    label: str
    bounds: tuple[float, float, float, float]
    keys: tuple[str, ...] = ()
    case_id: int | None = None
    district_code: str = ""
    point: tuple[float, float] | None = None


def sought(session: Session, actor: Actor, given: Mapping[str, str]) -> tuple[str, Place | None]:
    """What an address asks for, in words, and where it is: `plot` (numbers with commas), `case` (an id), else `q` (words).

    Nowhere for what there is not; raises NotFound for a case that the actor may not see.
    """
    if keys := [each.strip() for each in given.get("plot", "").split(",") if each.strip()]:
        return "，".join(keys[:3]) + (" 等" if len(keys) > 3 else ""), plots_place(session, actor, keys)
    number = given.get("case", "")
    if number.isascii() and number.isdigit() and len(number) < 19:
        case = scope.find(session, actor, int(number))
        return code_of(case), case_place(session, actor, case)
    words = given.get("q", "").strip()[:LONGEST_WORDS]
    return words, locate(session, actor, words) if words else None


def locate(session: Session, actor: Actor, wanted: str) -> Place | None:
    """The place of a plot number, a case number, coordinates (lon, lat), a district or a town; None if there is none."""
    text = wanted.strip()
    return _coordinates(text) or _plots(session, actor, (text,)) or _district(session, text) or _town(session, text) or _case(session, actor, text)


def _coordinates(text: str) -> Place | None:
    """A place by typed coordinates; None for words that are no coordinates, or none near the city."""
    try:
        x, y = read_point(text)
    except InvalidData:
        return None
    if not (119 < x < 124 and 30 < y < 33):
        return None
    return Place(f"{x:.6f}°E　{y:.6f}°N", (x - 0.003, y - 0.003, x + 0.003, y + 0.003), point=(x, y))


def _plots(session: Session, actor: Actor, keys: Sequence[str]) -> Place | None:
    found = plots(session, actor, keys)
    if not found:
        return None
    label = found[0][1].key if len(found) == 1 else f"{len(found)} 个地块"
    return Place(label, _bounds([each.geometry for _layer, each in found]), tuple(each.key for _layer, each in found))


def plots_place(session: Session, actor: Actor, keys: Sequence[str]) -> Place | None:
    """The place of several plots at once; None if none of them is known."""
    return _plots(session, actor, keys)


def _district(session: Session, text: str) -> Place | None:
    for area in load_account_areas():
        if text and text in (area.code, area.name, area.name.removesuffix("区")):
            return Place(area.name, area.geometry.bounds, _keys_of_district(session, area.code), district_code=area.code)
    return None


def _keys_of_district(session: Session, code: str) -> tuple[str, ...]:
    """The features of a district in the layer of districts, where it has been loaded."""
    if not outflow.is_loaded(session, DISTRICT_LAYER):
        return ()
    edition = edition_on(session, DISTRICT_LAYER)
    statement = select(Feature.key).where(*in_edition(edition), Feature.district_code == code)
    return tuple(session.exec(statement.order_by(Feature.key)).all())


def _town(session: Session, text: str) -> Place | None:
    """A town by the patches that lie in it; towns have no boundaries of their own here."""
    if len(text) < 2 or not outflow.is_loaded(session, "land_use"):
        return None
    found = select(func.min(Feature.west), func.min(Feature.south), func.max(Feature.east), func.max(Feature.north)).where(
        *in_edition(edition_on(session, "land_use")), Feature.attributes["location_unit_name"].as_string() == text
    )
    bounds = tuple(session.execute(found).one())
    return Place(text, bounds) if bounds[0] is not None else None


def _case(session: Session, actor: Actor, text: str) -> Place | None:
    case = session.exec(scope.visible_cases(actor).where((Case.number == text) | (Case.draft_number == text))).first()
    return case_place(session, actor, case) if case else None


def case_place(session: Session, actor: Actor, case: Case) -> Place | None:
    """The place of the ranges of a case, else of all its plots; None with neither."""
    label, ranges = case.title or case.draft_number, ranges_of(session, case.id)
    if ranges:
        return Place(label, _bounds([each.geometry for each in ranges]), case_id=case.id)
    found = _plots(session, actor, list(numbers_of(session, case.id)))
    return replace(found, label=label) if found else None


def outlines(session: Session, actor: Actor, place: Place) -> list[tuple[str, BaseGeometry]]:
    """What a search pointed out, by the name it has in lists, in EPSG:4490; nothing for a point or a town."""
    if place.case_id is not None:
        return [(row.label, row.geometry) for row in ranges_of(session, place.case_id)]
    if place.district_code:
        return [(area.name, area.geometry) for area in load_account_areas() if area.code == place.district_code]
    return [(each.key, each.geometry) for _layer, each in plots(session, actor, place.keys)]


def _bounds(geometries: Sequence[BaseGeometry]) -> tuple[float, float, float, float]:
    return tuple(shapely.total_bounds(list(geometries)).tolist())
