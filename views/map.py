"""The one map: its page, its tiles, the ranges in one's scope, what lies at a place, and the same in words and tables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain import map_drawing, map_layer
from domain.case import scope
from domain.case.words import code_of
from domain.district import load_account_areas
from domain.errors import InvalidData, NotFound
from domain.layer import catalogue, layer_of
from domain.map_layer import Place
from domain.map_legend import BY_KEY, LAYERS, MapLayer
from domain.map_tile import Tile
from views import page
from views.map_found import MOST_LISTED, Found, at_point, of_place, url
from views.posted import digits
from views.shell import Crumb

WHOLE_CITY = (120.85, 30.67, 122.0, 31.88)
TILE_TYPE = "application/vnd.mapbox-vector-tile"
FOREVER, NOT_KEPT = {"Cache-Control": "private, max-age=604800, immutable"}, {"Cache-Control": "no-store"}
SELECTION = ("q", "plot", "case")
"""The parts of an address that say what is pointed out."""


@dataclass(frozen=True)
class MapPage:
    """The context of map/index.html."""

    layers: tuple[Mapping[str, Any], ...]
    shows_ranges: bool
    data: str
    wanted: str
    missing: str
    found: tuple[Found, ...]
    place: Place | None
    text_href: str
    measure_href: str
    carried: str
    """The state of the address, for pages that go on with what is seen."""
    swipe: Mapping[str, str]
    districts: tuple[Mapping[str, str], ...]
    districts_href: str
    is_generated: bool
    is_drawing: bool


@dataclass(frozen=True)
class TextPage:
    """The context of map/text.html: the same facts without a picture."""

    wanted: str
    missing: str
    place: Place | None
    found: tuple[Found, ...]
    points: tuple[Mapping[str, str], ...]
    map_href: str
    measure_href: str


def _wanted(request: Request, session: Session) -> tuple[str, Place | None]:
    """What the address asks for: plots by number, a case, or words to be searched."""
    query, actor = request.query_params, page.actor(request)
    keys = [each.strip() for value in query.getlist("plot") for each in value.split(",") if each.strip()]
    if keys:
        return "，".join(keys[:3]) + (" 等" if len(keys) > 3 else ""), map_layer.plots_place(session, actor, keys)
    if (number := digits(query.get("case"))) is not None:
        case = scope.find(session, actor, number)
        return code_of(case), map_layer.case_place(session, actor, case)
    words = query.get("q", "").strip()[:100]
    return words, map_layer.locate(session, actor, words) if words else None


def show(request: Request) -> Response:
    """The map with its layer tree, at the place that was asked for."""
    with page.reading(request) as session:
        wanted, place = _wanted(request, session)
        editions, shown = map_layer.editions(session, page.actor(request)), _shown(request)
        context = MapPage(
            layers=tuple(_layer(layer, editions[layer.key], shown) for layer in LAYERS if layer.key in editions),
            shows_ranges=shown is None or "ranges.range" in shown,
            data=_data(request, session, editions, place), wanted=wanted, missing=_missing(wanted, place),
            found=tuple(of_place(request, session, place)), place=place,
            text_href=url(request, "map_text", _selection(request)), measure_href=url(request, "map_measure"),
            carried=f"?{request.url.query}" if request.url.query else "",
            swipe=_swipe(request),
            districts=tuple({"value": area.name, "label": area.name} for area in load_account_areas()),
            districts_href=url(request, "district_report"),
            is_generated=any(layer_of(session, key).is_generated for key in editions),
            is_drawing=bool(map_drawing.undrawn(session)),
        )
    return page.render(request, "map/index.html", context, title="一张图", crumbs=(Crumb("一张图"),), current="map", audience="bench")


def _selection(request: Request) -> dict[str, str]:
    return {key: value for key in SELECTION if (value := request.query_params.get(key))}


def _shown(request: Request) -> frozenset[str] | None:
    """The groups that the address shows, as layer.group; None if it leaves them as they are at first."""
    given = request.query_params.get("layers")
    return None if given is None else frozenset(given.split(","))


def _swipe(request: Request) -> Mapping[str, str]:
    """The layers left and right of the divider and where it stands, in percent; nothing of an address that is not understood."""
    left, right, share = (request.query_params.get("swipe", "").split(",") + ["", "", ""])[:3]
    is_known = left in BY_KEY and right in BY_KEY and share.isascii() and share.isdigit() and int(share) <= 100
    return {"left": left, "right": right, "share": share} if is_known else {"left": "", "right": "", "share": "50"}


def _missing(wanted: str, place: Place | None) -> str:
    if not wanted or place is not None:
        return ""
    return (
        f"没有找到“{wanted}”。可以查地块编号、办件编号、区或街镇名称、"
        "经纬度（如 121.10,31.10）或带带号的 X,Y（如 3442000,40605000）；办件要有确认过的范围或地块。"
    )


def _layer(layer: MapLayer, edition: int, shown: frozenset[str] | None) -> Mapping[str, Any]:
    groups = [
        {"key": group.key, "label": group.label, "mark": group.mark,
         "is_shown": layer.is_shown if shown is None else f"{layer.key}.{group.key}" in shown}
        for group in layer.groups
    ]
    return {"key": layer.key, "title": layer.title, "groups": groups, "edition": edition, "is_open": any(g["is_shown"] for g in groups)}


def _data(request: Request, session: Session, editions: Mapping[str, int], place: Place | None) -> str:
    """What the map script reads: addresses of tiles by layer, of ranges and facts, and the place to begin at."""
    tiles = {
        key: url(request, "map_tile", layer=key, edition=number, z=0, x=0, y=0).removesuffix("/0/0/0") for key, number in editions.items()
    }
    west, south, east, north = place.bounds if place else WHOLE_CITY
    selection = _selection(request)
    return json.dumps({
        "tiles": tiles, "detail": {key: map_layer.first_detail(session, BY_KEY[key]) for key in editions},
        "ranges": url(request, "map_ranges"), "facts": url(request, "map_facts"), "measure": url(request, "map_measure"),
        "isArea": bool(place and place.district_code),
        "selected": url(request, "map_selected", selection) if place and not place.point else "",
        "bounds": [[south, west], [north, east]], "whole": [[WHOLE_CITY[1], WHOLE_CITY[0]], [WHOLE_CITY[3], WHOLE_CITY[2]]],
        "view": _view(request), "point": list(place.point) if place and place.point else None,
    })


def _view(request: Request) -> list[float] | None:
    """Longitude, latitude and zoom that the address asks for."""
    given = request.query_params.get("at")
    return _numbers(given, 3) if given else None


def tile(request: Request) -> Response:
    """A vector tile of one edition of a layer; an edition never changes, so browsers may keep it.

    Where people see different parts of a layer, a browser keeps it for the session alone.
    """
    params = request.path_params
    wanted, layer = Tile(params["z"], params["x"], params["y"]), BY_KEY.get(params["layer"])
    if layer is None or not wanted.exists():
        raise NotFound("没有这一块地图。请刷新地图页面。")
    with page.reading(request) as session:
        actor = page.actor(request)
        catalogue.require(actor, layer.key)
        if map_layer.editions(session, actor).get(layer.key) != params["edition"]:
            raise NotFound("图层已更新。请刷新地图页面。")
        content, is_present = map_layer.tile_bytes(session, actor, layer, wanted)
    kept = FOREVER if is_present else NOT_KEPT
    return Response(content, media_type=TILE_TYPE, headers={**kept, "Vary": "Cookie"} if catalogue.is_restricted(layer.key) else kept)


def ranges(request: Request) -> Response:
    """The ranges of cases in one's scope within the bounds, as GeoJSON."""
    west, south, east, north = _numbers(request.query_params.get("bounds", ""), 4)
    with page.reading(request) as session:
        found = map_layer.ranges_in(session, page.actor(request), (west, south, east, north))
        features = [_outline(row.label, row.geometry, case=code_of(case), title=case.title) for row, case in found]
    return _collection(features)


def selected(request: Request) -> Response:
    """The outlines of what the address points out, as GeoJSON."""
    with page.reading(request) as session:
        _words, place = _wanted(request, session)
        features = [_outline(key, geometry) for key, geometry in map_layer.outlines(session, page.actor(request), place)] if place else []
    return _collection(features)


def _outline(key: str, geometry: Any, **facts: str) -> Mapping[str, Any]:
    return {"type": "Feature", "geometry": shapely.geometry.mapping(geometry), "properties": {"key": key, **facts}}


def _collection(features: list[Mapping[str, Any]]) -> Response:
    return JSONResponse({"type": "FeatureCollection", "features": features}, headers=NOT_KEPT)


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
        context = {"found": tuple(at_point(request, session, longitude, latitude)), "at": f"{longitude:.6f}°E　{latitude:.6f}°N"}
    return page.render(request, "map/facts.html", context, title="此处", audience="bench")


def text(request: Request) -> Response:
    """The same facts in words, with the coordinates in a table."""
    with page.reading(request) as session:
        wanted, place = _wanted(request, session)
        context = TextPage(
            wanted, _missing(wanted, place), place, tuple(of_place(request, session, place)),
            tuple(_points(request, session, place)), url(request, "map", _selection(request)), url(request, "map_measure"),
        )
    crumbs = (Crumb("一张图"), Crumb("文字与坐标"))
    return page.render(request, "map/text.html", context, title="一张图：文字与坐标", crumbs=crumbs, current="map", audience="bench")


def _points(request: Request, session: Session, place: Place | None) -> list[Mapping[str, str]]:
    """The vertices of what a search pointed out, feature by feature."""
    if place is None:
        return []
    points = []
    for name, geometry in map_layer.outlines(session, page.actor(request), place)[:MOST_LISTED]:
        for number, (x, y) in enumerate(shapely.get_coordinates(geometry), start=1):
            points.append({"name": f"{name}-{number}", "x": f"{x:.8f}", "y": f"{y:.8f}"})
    return points[:2000]
