"""The one map: its page, its tiles, the ranges in one's scope, what lies at a place, and the same in words and tables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import shapely
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain import map_layer
from domain.case import scope
from domain.case.tables import Case
from domain.case.words import code_of, status_words
from domain.case_range import CaseRange, ranges_of
from domain.errors import InvalidData, NotFound
from domain.layer import FeatureData, layer_definition, layer_of
from domain.map_layer import BY_KEY, LAYERS, MapLayer, Place
from domain.map_tile import Tile
from views import page
from views.shell import Crumb

WHOLE_CITY = (120.85, 30.67, 122.0, 31.88)
TILE_TYPE = "application/vnd.mapbox-vector-tile"
FOREVER = {"Cache-Control": "private, max-age=604800, immutable"}
MOST_LISTED = 100


@dataclass(frozen=True)
class Found:
    """One thing at a place: what it is, its facts by name, where they are from, and where it is shown further."""

    title: str
    kind: str
    facts: tuple[Mapping[str, Any], ...]
    source: str
    href: str = ""
    link_label: str = ""


@dataclass(frozen=True)
class MapPage:
    """The context of map/index.html."""

    layers: tuple[Mapping[str, Any], ...]
    data: str
    wanted: str
    missing: str
    found: tuple[Found, ...]
    place: Place | None
    text_href: str
    is_generated: bool


@dataclass(frozen=True)
class TextPage:
    """The context of map/text.html: the same facts without a picture."""

    wanted: str
    missing: str
    place: Place | None
    found: tuple[Found, ...]
    points: tuple[Mapping[str, str], ...]
    map_href: str


def _url(request: Request, name: str, query: Mapping[str, Any] | None = None, **params: Any) -> str:
    return request.app.state.templates.url(name, query, **params)


def _wanted(request: Request, session: Session) -> tuple[str, Place | None]:
    """What the address asks for: plots by number, a case, or words to be searched."""
    query, actor = request.query_params, page.actor(request)
    keys = [each.strip() for value in query.getlist("plot") for each in value.split(",") if each.strip()]
    if keys:
        return "，".join(keys[:3]) + (" 等" if len(keys) > 3 else ""), map_layer.plots_place(session, keys)
    if (number := query.get("case", "")).isdecimal():
        case = scope.find(session, actor, int(number))
        return code_of(case), map_layer.case_place(session, case)
    words = query.get("q", "").strip()[:100]
    return words, map_layer.locate(session, actor, words) if words else None


def show(request: Request) -> Response:
    """The map with its layer tree, at the place that was asked for."""
    with page.reading(request) as session:
        wanted, place = _wanted(request, session)
        editions = map_layer.editions(session)
        context = MapPage(
            layers=tuple(_layer(session, layer, editions[layer.key]) for layer in LAYERS if layer.key in editions),
            data=_data(request, editions, place), wanted=wanted, missing=_missing(wanted, place),
            found=tuple(_of_place(request, session, place)), place=place,
            text_href=_url(request, "map_text", dict(request.query_params)),
            is_generated=any(layer_of(session, key).is_generated for key in editions),
        )
    return page.render(request, "map/index.html", context, title="一张图", crumbs=(Crumb("一张图"),), current="map", audience="bench")


def _missing(wanted: str, place: Place | None) -> str:
    if not wanted or place is not None:
        return ""
    return f"没有找到“{wanted}”。可以查地块编号、办件编号、区或街镇名称、经纬度（如 121.10,31.10）；办件要有确认过的范围或地块。"


def _layer(session: Session, layer: MapLayer, edition: int) -> Mapping[str, Any]:
    return {
        "key": layer.key, "title": layer.title, "groups": layer.groups, "is_shown": layer.is_shown, "edition": edition,
        "from_zoom": layer.from_zoom,
    }


def _data(request: Request, editions: Mapping[str, int], place: Place | None) -> str:
    """What the map script reads: addresses of tiles by layer, of ranges and facts, and the place to begin at."""
    tiles = {
        key: _url(request, "map_tile", layer=key, edition=number, z=0, x=0, y=0).removesuffix("/0/0/0") for key, number in editions.items()
    }
    west, south, east, north = place.bounds if place else WHOLE_CITY
    return json.dumps({
        "tiles": tiles, "fromZoom": {layer.key: layer.from_zoom for layer in LAYERS}, "ranges": _url(request, "map_ranges"),
        "facts": _url(request, "map_facts"), "bounds": [[south, west], [north, east]], "picked": list(place.keys) if place else [],
    })


def tile(request: Request) -> Response:
    """A vector tile of one edition of a layer; an edition never changes, so browsers may keep it."""
    params = request.path_params
    wanted, layer = Tile(params["z"], params["x"], params["y"]), BY_KEY.get(params["layer"])
    if layer is None or not wanted.exists():
        raise NotFound("没有这一块地图。请刷新地图页面。")
    with page.reading(request) as session:
        if map_layer.editions(session).get(layer.key) != params["edition"]:
            raise NotFound("图层已更新。请刷新地图页面。")
        content = map_layer.tile_bytes(session, layer, wanted)
    return Response(content, media_type=TILE_TYPE, headers=FOREVER)


def ranges(request: Request) -> Response:
    """The ranges of cases in one's scope within the bounds, as GeoJSON."""
    bounds = _bounds(request)
    with page.reading(request) as session:
        found = map_layer.ranges_in(session, page.actor(request), bounds)
        features = [
            {"type": "Feature", "id": row.id, "geometry": shapely.geometry.mapping(row.geometry),
             "properties": {"label": row.label, "case": code_of(case), "title": case.title}}
            for row, case in found
        ]
    return JSONResponse({"type": "FeatureCollection", "features": features}, headers={"Cache-Control": "no-store"})


def _bounds(request: Request) -> tuple[float, float, float, float]:
    west, south, east, north = _numbers(request.query_params.get("bounds", ""), 4)
    return west, south, east, north


def _numbers(text: str, count: int) -> list[float]:
    try:
        found = [float(each) for each in text.split(",")]
    except ValueError as error:
        raise InvalidData("坐标不是数字。请从地图上操作。") from error
    if len(found) != count or not all(-180 <= each <= 180 for each in found):
        raise InvalidData("坐标的个数或范围不对。请从地图上操作。")
    return found


def facts(request: Request) -> Response:
    """What lies at a point of the map, as a fragment of its side panel."""
    longitude, latitude = _numbers(request.query_params.get("at", ""), 2)
    with page.reading(request) as session:
        found = [_feature(request, session, layer, each) for layer, each in map_layer.features_at(session, longitude, latitude)]
        around = (longitude, latitude, longitude, latitude)
        point = shapely.Point(longitude, latitude)
        rows = [pair for pair in map_layer.ranges_in(session, page.actor(request), around) if shapely.covers(pair[0].geometry, point)]
        context = {"found": (*(_range(request, row, case) for row, case in rows), *found), "at": f"{longitude:.6f}°E　{latitude:.6f}°N"}
    return page.render(request, "map/facts.html", context, title="此处", audience="bench")


def _of_place(request: Request, session: Session, place: Place | None) -> list[Found]:
    """The things that a search pointed out."""
    if place is None:
        return []
    if place.case_id is not None:
        case = scope.find(session, page.actor(request), place.case_id)
        return [_range(request, row, case) for row in ranges_of(session, case.id)]
    return [_feature(request, session, layer, each) for layer, each in map_layer.plots(session, place.keys[:MOST_LISTED])]


def _feature(request: Request, session: Session, layer: MapLayer, feature: FeatureData) -> Found:
    """Every attribute of a feature by its Chinese label, with its layer as the source."""
    definition = layer_definition(layer.key)
    values = definition.values(feature)
    facts = [
        {"label": column.label, "value": _said(values[column.name], column.type)}
        for column in definition.columns
        if values.get(column.name) not in (None, "")
    ]
    stored = layer_of(session, layer.key)
    source = f"{stored.title}{'（演示生成）' if stored.is_generated else ''}"
    return Found(feature.key, layer.title, tuple(facts), source, _url(request, "map_text", {"plot": feature.key}), "坐标表")


def _said(value: Any, kind: str) -> str:
    return f"{value:,} 平方米" if kind == "decimal" and isinstance(value, Decimal) else str(value)


def _range(request: Request, row: CaseRange, case: Case) -> Found:
    facts = (
        {"label": "办件", "value": {"text": code_of(case), "href": _url(request, "case", case_id=case.id), "sub": case.title}},
        {"label": "状态", "value": status_words(case)}, {"label": "范围面积", "value": f"{row.area_m2:,} 平方米"},
        {"label": "坐标系", "value": row.detected.get("crs", "")},
    )
    return Found(row.label, "办件范围", facts, row.file_name, _url(request, "range", case_id=case.id, range_id=row.id), "看范围")


def text(request: Request) -> Response:
    """The same facts in words, with the coordinates in a table."""
    with page.reading(request) as session:
        wanted, place = _wanted(request, session)
        context = TextPage(
            wanted, _missing(wanted, place), place, tuple(_of_place(request, session, place)),
            tuple(_points(session, place)), _url(request, "map", dict(request.query_params)),
        )
    crumbs = (Crumb("一张图"), Crumb("文字与坐标"))
    return page.render(request, "map/text.html", context, title="一张图：文字与坐标", crumbs=crumbs, current="map", audience="bench")


def _points(session: Session, place: Place | None) -> list[Mapping[str, str]]:
    """The vertices of what a search pointed out, feature by feature."""
    if place is None:
        return []
    named = [(each.key, each.geometry) for _layer, each in map_layer.plots(session, place.keys[:MOST_LISTED])]
    if place.case_id is not None:
        named = [(row.label, row.geometry) for row in ranges_of(session, place.case_id)]
    points = []
    for name, geometry in named:
        for number, (x, y) in enumerate(shapely.get_coordinates(geometry), start=1):
            points.append({"name": f"{name}-{number}", "x": f"{x:.8f}", "y": f"{y:.8f}"})
    return points[:2000]
