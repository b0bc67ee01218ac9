"""The one map: its page, its tiles, the ranges in one's scope, what lies at a place, and the same in words and tables."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain import map_drawing, map_layer, map_time
from domain.actor import Actor
from domain.case.words import code_of
from domain.district import load_account_areas
from domain.errors import InvalidData, NotFound
from domain.layer import catalogue
from domain.layer.reading import latest_editions
from domain.map_layer import Place
from domain.map_legend import BY_KEY, palette
from domain.map_tile import Tile
from domain.map_time import Moment
from views import page
from views.map_found import MOST_LISTED, Found, at_point, of_place, url
from views.map_state import MapState, Seen, named, read_seen, read_state
from views.map_tree import TreeGroup, sources, tree
from views.shell import Crumb

TILE_TYPE = "application/vnd.mapbox-vector-tile"
FOREVER, NOT_KEPT = {"Cache-Control": "private, max-age=604800, immutable"}, {"Cache-Control": "no-store"}
SELECTION = ("q", "plot", "case")
"""The parts of an address that say what is pointed out."""
KEPT = ("layers", "order", "opacity", "on", "days", "swipe", "windows", "at")
"""The parts of an address that say how the map looks."""


@dataclass(frozen=True)
class MapPage:
    """The context of map/index.html."""

    tree: tuple[TreeGroup, ...]
    state: MapState
    stacked: tuple[Mapping[str, str], ...]
    """Layers with data from the top to the bottom."""
    sources: tuple[Mapping[str, Any], ...]
    days: tuple[str, ...]
    day_at: int
    """Where the slider stands: the place of the day among `days`, behind the last for the latest state."""
    shows_ranges: bool
    data: str
    palette: str
    wanted: str
    missing: str
    found: tuple[Found, ...]
    place: Place | None
    seen: Seen
    text_href: str
    measure_href: str
    compare_href: str
    carried: str
    """The state of the address, for pages that go on with what is seen."""
    kept: Mapping[str, str]
    """The state of the address without what it points out and without the day, as fields of a form."""
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
    seen: Seen
    found: tuple[Found, ...]
    points: tuple[Mapping[str, str], ...]
    map_href: str
    measure_href: str


def _given(request: Request) -> dict[str, str]:
    """The address by name; several plots as one list."""
    query = request.query_params
    return {**query, "plot": ",".join(query.getlist("plot"))} if "plot" in query else dict(query)


def show(request: Request) -> Response:
    """The map with its layer tree, at the place and on the day that were asked for."""
    with page.reading(request) as session:
        actor, given = page.actor(request), _given(request)
        wanted, place = map_layer.sought(session, actor, given)
        known = _known(session, actor, given)
        state, days = read_state(given, known), [str(day) for day in map_time.all_days(known)]
        chosen, latest, seen = map_time.chosen(known, state.on, state.days), latest_editions(session), read_seen(given, known)
        context = MapPage(
            tree=tree(request, session, state, known, chosen), state=state, sources=sources(known, named(given)), days=tuple(days),
            stacked=tuple({"key": key, "title": BY_KEY[key].title} for key in state.order if key in known),
            day_at=len(days) if state.on is None else max(0, sum(day <= str(state.on) for day in days) - 1),
            shows_ranges=state.shown is None or "ranges.range" in state.shown,
            data=_data(request, session, known, chosen, state, place), palette=json.dumps(palette(known)), wanted=wanted, missing=_missing(wanted, place),
            found=tuple(of_place(request, session, place, seen.editions)), place=place, seen=seen,
            text_href=url(request, "map_text", _selection(request)), measure_href=url(request, "map_measure"), compare_href=_compare_href(request),
            carried=f"?{request.url.query}" if request.url.query else "",
            kept={key: value for key, value in given.items() if key in KEPT and key != "on"},
            districts=tuple({"value": area.name, "label": area.name} for area in load_account_areas()),
            districts_href=url(request, "district_report"), is_generated=any(latest[key].is_generated for key in known),
            is_drawing=bool(map_drawing.undrawn(session)),
        )
    return page.render(request, "map/index.html", context, title="一张图", crumbs=(Crumb("一张图"),), current="map", audience="bench")


def _seen(request: Request, session: Session) -> Seen:
    given = _given(request)
    return read_seen(given, _known(session, page.actor(request), given))


def _known(session: Session, actor: Actor, given: Mapping[str, str]) -> dict[str, tuple[Moment, ...]]:
    return map_time.with_named(session, map_time.moments(session, actor), named(given))


def _compare_href(request: Request) -> str:
    """The page that computes what differs between two editions; empty where the portal has none."""
    names = {getattr(route, "name", "") for route in request.app.routes}
    return url(request, "compare_layers") if "compare_layers" in names else ""


def _selection(request: Request) -> dict[str, str]:
    return {key: value for key in (*SELECTION, "on", "days", "swipe", "side", "source") if (value := request.query_params.get(key))}


def _missing(wanted: str, place: Place | None) -> str:
    if not wanted or place is not None:
        return ""
    return (
        f"没有找到“{wanted}”。可以查地块编号、办件编号、区或街镇名称、"
        "经纬度（如 121.10,31.10）或带带号的 X,Y（如 3442000,40605000）；办件要有确认过的范围或地块。"
    )


def _data(
    request: Request, session: Session, known: Mapping[str, Sequence[Moment]], chosen: Mapping[str, Moment], state: MapState, place: Place | None
) -> str:
    """What the map script reads: addresses of tiles by layer, their editions, of ranges and facts, and the place to begin at."""
    west, south, east, north = place.bounds if place else map_layer.WHOLE_CITY
    (left, bottom, right, top), selection = map_layer.WHOLE_CITY, _selection(request)
    return json.dumps({
        "tiles": {key: url(request, "map_tile", layer=key, edition=0, z=0, x=0, y=0).removesuffix("/0/0/0/0") for key in known},
        "editions": {key: [_edition(each) for each in _offered(moments, chosen.get(key), state, key)] for key, moments in known.items()},
        "days": [str(day) for day in map_time.all_days(known)], "on": str(state.on or ""), "layerDays": {key: str(day) for key, day in state.days.items()},
        "order": [key for key in state.order if key in known], "windows": state.windows,
        "ranges": url(request, "map_ranges"), "facts": url(request, "map_facts"), "measure": url(request, "map_measure"),
        "isArea": bool(place and place.district_code),
        "selected": url(request, "map_selected", selection) if place and not place.point else "",
        "bounds": [[south, west], [north, east]], "whole": [[bottom, left], [top, right]],
        "view": _view(request), "point": list(place.point) if place and place.point else None,
    })


def _offered(moments: Sequence[Moment], wanted: Moment | None, state: MapState, key: str) -> list[Moment]:
    """The newest editions of a layer, and those that are asked for if they are older."""
    names = {*state.windows, state.swipe["left"], state.swipe["right"]}
    return [each for at, each in enumerate(moments) if at < map_time.MOST_DAYS or each is wanted or f"{key}@{each.number}" in names]


def _edition(moment: Moment) -> Mapping[str, Any]:
    return {"number": moment.number, "on": str(moment.on), "detail": moment.detail, "isDrawn": moment.is_drawn}


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
        content, is_final = map_layer.tile_bytes(session, actor, layer, wanted, params["edition"])
    kept = FOREVER if is_final else NOT_KEPT
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
        _words, place = map_layer.sought(session, page.actor(request), _given(request))
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
        seen = _seen(request, session)
        found = tuple(at_point(request, session, longitude, latitude, seen.editions))
        context = {"found": found, "at": f"{longitude:.6f}°E　{latitude:.6f}°N", "seen": seen}
    return page.render(request, "map/facts.html", context, title="此处", audience="bench")


def text(request: Request) -> Response:
    """The same facts in words, with the coordinates in a table."""
    with page.reading(request) as session:
        wanted, place = map_layer.sought(session, page.actor(request), _given(request))
        seen = _seen(request, session)
        context = TextPage(
            wanted, _missing(wanted, place), place, seen, tuple(of_place(request, session, place, seen.editions)),
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
