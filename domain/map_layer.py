"""What the one map shows of a layer: groups of features with one mark each, from which zoom, and where things are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import shapely
from shapely.geometry.base import BaseGeometry
from sqlmodel import Session, col, select

from domain import outflow
from domain.actor import Actor
from domain.case import scope
from domain.case.tables import Case
from domain.case_range import CaseRange, ranges_of
from domain.district import load_account_areas
from domain.layer import FeatureData, edition_on, features_by_key, features_in, layer_index
from domain.map_tile import Tile, TileFeature, encode
from domain.plot.listing import numbers_of

MOST_RANGES = 500
MOST_PLOTS = 500


@dataclass(frozen=True, slots=True)
class MapGroup:
    """Features of a layer that look alike: key, label, mark (a class of the map styles), the values they have."""

    key: str
    label: str
    mark: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MapLayer:
    """A layer of the map: its groups, by the class or by the status of a feature, and the zoom it starts at."""

    key: str
    title: str
    by: str
    from_zoom: int
    groups: tuple[MapGroup, ...]
    is_shown: bool = True

    def group_of(self, feature: FeatureData) -> str:
        """The group of a feature: the longest value that its class or status begins with; the last group for others."""
        value = getattr(feature, self.by)
        fitting = [(len(each), group.key) for group in self.groups for each in group.values if value.startswith(each)]
        return max(fitting)[1] if fitting else self.groups[-1].key


LAYERS = (
    MapLayer("administrative_area", "行政区和管理区", "class_code", 0, (MapGroup("district", "区界（示意）", "m-district", ("",)),)),
    MapLayer("land_use", "土地利用现状", "class_code", 13, (
        MapGroup("paddy", "水田", "m-parcel m-paddy", ("0101",)), MapGroup("dry", "旱地、水浇地", "m-parcel m-dry", ("01",)),
        MapGroup("garden", "园地", "m-parcel m-garden", ("02",)), MapGroup("wood", "林地、草地", "m-parcel m-wood", ("03", "04")),
        MapGroup("water", "水域", "m-parcel m-water", ("11",)), MapGroup("built", "建设用地和其他", "m-parcel m-built", ("",)),
    )),
    MapLayer("annual_farmland", "年度耕地资源层", "status", 13, (
        MapGroup("available", "可用", "m-available", ("可用",)), MapGroup("reserved", "预占", "m-reserved", ("预占",)),
        MapGroup("stored", "已预存", "m-stored", ("已预存",)), MapGroup("used", "已流出", "m-used", ("已流出",)),
        MapGroup("locked", "锁定（周转、QYZZ、租赁）", "m-locked", ("",)),
    ), is_shown=False),
    MapLayer("permanent_farmland", "永久基本农田", "class_code", 12, (
        MapGroup("permanent", "永久基本农田", "m-line", (outflow.PERMANENT,)),
        MapGroup("protected", "耕地保护空间", "m-protected", ("",)),
    )),
)
BY_KEY = {layer.key: layer for layer in LAYERS}


def tile_bytes(session: Session, layer: MapLayer, tile: Tile) -> bytes:
    """A tile of the present edition of a layer; empty below the zoom that the layer starts at."""
    if tile.zoom < layer.from_zoom:
        return b""
    found = layer_index(session, layer.key).meeting(shapely.box(*tile.bounds))
    return encode(tile, layer.key, [TileFeature(each.geometry, {"key": each.key, "group": layer.group_of(each)}) for each in found])


def editions(session: Session) -> dict[str, int]:
    """The present edition number of every layer of the map that has data."""
    return {layer.key: edition_on(session, layer.key).number for layer in LAYERS if outflow.is_loaded(session, layer.key)}


def features_at(session: Session, longitude: float, latitude: float) -> list[tuple[MapLayer, FeatureData]]:
    """The features of all layers at a point in degrees, the finest first."""
    point = shapely.Point(longitude, latitude)
    shown = [layer for layer in reversed(LAYERS) if outflow.is_loaded(session, layer.key)]
    return [(layer, each) for layer in shown for each in features_in(session, layer.key, point)]


def plots(session: Session, keys: Sequence[str]) -> list[tuple[MapLayer, FeatureData]]:
    """The features of these numbers in any layer, in the order of the numbers; unknown numbers are not in the answer."""
    found = {}
    for layer in LAYERS:
        if outflow.is_loaded(session, layer.key):
            found |= {key: (layer, each) for key, each in features_by_key(session, layer.key, list(keys)[:MOST_PLOTS]).items()}
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


def locate(session: Session, actor: Actor, wanted: str) -> Place | None:
    """The place of a plot number, a case number, coordinates (lon, lat), a district or a town; None if there is none."""
    text = wanted.strip()
    return _coordinates(text) or _plots(session, (text,)) or _district(text) or _town(session, text) or _case(session, actor, text)


def _coordinates(text: str) -> Place | None:
    parts = text.replace("，", ",").split(",")
    try:
        x, y = (float(part) for part in parts)
    except ValueError:
        return None
    if not (119 < x < 124 and 30 < y < 33):
        return None
    return Place(f"{x:.6f}，{y:.6f}", (x - 0.003, y - 0.003, x + 0.003, y + 0.003))


def _plots(session: Session, keys: Sequence[str]) -> Place | None:
    found = plots(session, keys)
    if not found:
        return None
    label = found[0][1].key if len(found) == 1 else f"{len(found)} 个地块"
    return Place(label, _bounds([each.geometry for _layer, each in found]), tuple(each.key for _layer, each in found))


def plots_place(session: Session, keys: Sequence[str]) -> Place | None:
    """The place of several plots at once; None if none of them is known."""
    return _plots(session, keys)


def _district(text: str) -> Place | None:
    for area in load_account_areas():
        if text and text in (area.code, area.name, area.name.removesuffix("区")):
            return Place(area.name, area.geometry.bounds)
    return None


def _town(session: Session, text: str) -> Place | None:
    """A town by the patches that lie in it; towns have no boundaries of their own here."""
    if len(text) < 2 or not outflow.is_loaded(session, "land_use"):
        return None
    found = [each for each in layer_index(session, "land_use").features if each.attributes.get("location_unit_name") == text]
    return Place(text, _bounds([each.geometry for each in found])) if found else None


def _case(session: Session, actor: Actor, text: str) -> Place | None:
    case = session.exec(scope.visible_cases(actor).where((Case.number == text) | (Case.draft_number == text))).first()
    return case_place(session, case) if case else None


def case_place(session: Session, case: Case) -> Place | None:
    """The place of the ranges of a case, else of all its plots; None with neither."""
    label, ranges = case.title or case.draft_number, ranges_of(session, case.id)
    if ranges:
        return Place(label, _bounds([each.geometry for each in ranges]), case_id=case.id)
    found = _plots(session, list(numbers_of(session, case.id)))
    return replace(found, label=label) if found else None


def _bounds(geometries: Sequence[BaseGeometry]) -> tuple[float, float, float, float]:
    return tuple(shapely.total_bounds(list(geometries)).tolist())
