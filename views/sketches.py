"""Sketches 草图: the list of one's own, drawing and changing one, and handing it on as a file or as the range of a case."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote

import shapely
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain import case_range, format, map_layer, map_time, sketch
from domain.actor import Actor
from domain.case import scope
from domain.case.tables import Case
from domain.case_range import RangeUpload
from domain.errors import InvalidData
from domain.geometry import polygons_of
from domain.layer import catalogue, features_in
from domain.map_legend import LAYERS, palette
from domain.map_query.place import read_box
from domain.measuring import Point
from domain.sketch import SharedRange, Sketch, measures_of, parts_of, read_drawing, read_parts, text_of
from views import page, posted
from views.declared_system import SYSTEMS, system_choices
from views.map_found import url
from views.posted import FieldFault, by_field
from views.range_sketch import Drawn
from views.range_sketch import sketch as picture_of
from views.shell import Crumb, Link

LONGEST = 400_000
MOST_SENT = 20_000
"""Characters of a drawing that the map asks about at once; a longer one is measured when it is kept."""
MOST_NEAR = 600
MOST_IN_ADDRESS = 200
NOT_KEPT = {"Cache-Control": "no-store"}
HOME = Crumb("一张图", Link("map", "一张图"))


@dataclass(frozen=True)
class ListPage:
    """The context of sketches/index.html."""

    rows: tuple[Mapping[str, Any], ...]
    systems: tuple[Mapping[str, str], ...]
    faults: tuple[FieldFault, ...]
    errors: Mapping[str, str]
    undo: str
    undo_name: str


@dataclass(frozen=True)
class DrawPage:
    """The context of sketches/draw.html; `saved` is None while a new one is drawn."""

    saved: Sketch | None
    given: Mapping[str, str]
    kinds: tuple[Mapping[str, str], ...]
    layers: tuple[Mapping[str, Any], ...]
    words: str
    picture: Any
    faults: tuple[FieldFault, ...]
    errors: Mapping[str, str]
    hrefs: Mapping[str, str]
    is_large: bool
    """True for a saved sketch that no address holds, which others can only use once it is shared."""
    is_shared: bool
    data: str
    palette: str
    carried: str


def index(request: Request) -> Response:
    """One's own sketches, with the way to a new one."""
    return _index(request)


def _index(request: Request, faults: tuple[FieldFault, ...] = ()) -> Response:
    with page.reading(request) as session:
        rows = tuple(_row(request, each) for each in sketch.sketches_of(session, page.actor(request)))
        undo, undo_name = _undone(request, session)
    context = ListPage(rows, system_choices(), faults, by_field(faults), undo, undo_name)
    return page.render(request, "sketches/index.html", context, title="我的草图", crumbs=(HOME, Crumb("我的草图")), current="map",
                       audience="bench", status=422 if faults else 200)


def _row(request: Request, each: Sketch) -> Mapping[str, Any]:
    return {"cells": {
        "name": {"text": each.name, "href": url(request, "sketch", sketch_id=each.id), "sub": each.source}, "kind": sketch.KINDS[each.kind],
        "points": format.thousands(each.point_count), "area": "—" if each.area_m2 is None else format.thousands(each.area_m2, 2),
        "length": format.thousands(each.length_m, 3), "changed": f"{each.changed_at:%Y-%m-%d}",
        "query": {"text": "按它查询", "href": query_href(request, each)},
    }}


def query_href(request: Request, each: Sketch, shared: SharedRange | None = None) -> str:
    """The query page with a sketch as its range: written out in the address where it is small, so that others may open it too.

    A large one is named: as it was shared, or as one's own.
    """
    if each.point_count <= MOST_IN_ADDRESS:
        return url(request, "map_query", {**_asked(request), "points": text_of(each.geometry), "kind": each.kind})
    return url(request, "map_query", {**_asked(request), **({"range": shared.digest} if shared else {"sketch": each.id})})


def _undone(request: Request, session: Session) -> tuple[str, str]:
    number = posted.digits(request.query_params.get("deleted"))
    row = session.get(Sketch, number) if number is not None else None
    if row is None or row.deleted_at is None or row.owner_id != page.actor(request).person_id:
        return "", ""
    return url(request, "restore_sketch", sketch_id=row.id), row.name


def new(request: Request) -> Response:
    """An empty sketch, or one that the address writes out; posted, it is measured or kept."""
    if request.method == "GET":
        query = request.query_params
        return _draw(request, None, {"kind": query.get("kind") or "polygon", "points": query.get("points", "")[:LONGEST], "name": ""})
    return _posted(request, None)


def show(request: Request) -> Response:
    """One of one's own sketches; posted, it is measured or kept as it was changed."""
    with page.reading(request) as session:
        found = sketch.find(session, page.actor(request), request.path_params["sketch_id"])
    if request.method == "GET":
        return _draw(request, found, {"kind": found.kind, "points": text_of(found.geometry), "name": found.name})
    return _posted(request, found)


def _posted(request: Request, saved: Sketch | None) -> Response:
    given = {"kind": posted.text(request, "kind", 16), "points": posted.text(request, "points", LONGEST), "name": posted.text(request, "name", 200)}
    if (only := posted.text(request, "only", 20)) == "measure":
        return _draw(request, saved, given)
    try:
        if only == "query":
            return _to_query(request, given)
        with page.writing(request) as session:
            kept = _keep(session, page.actor(request), saved, given, request)
    except InvalidData as fault:
        return _draw(request, saved, given, tuple(FieldFault(each.field, fault.message) for each in posted.faults_of(fault)[:1]))
    return page.redirect(request, "sketch", query={"query": _carried(request)} if _carried(request) else None, sketch_id=kept)


def _to_query(request: Request, given: Mapping[str, str]) -> Response:
    """The query page with the drawing as its range, without keeping it; what was asked before stays. Raises InvalidData."""
    geometry = read_drawing(given["points"], given["kind"])
    if len(shapely.get_coordinates(geometry)) > MOST_IN_ADDRESS:
        raise InvalidData(f"超过 {MOST_IN_ADDRESS} 个点，写不进地址。请先保存草图，再按草图查询。", {"points": "请先保存草图"})
    return page.redirect(request, "map_query", query={**_asked(request), "points": text_of(geometry), "kind": given["kind"]})


def _carried(request: Request) -> str:
    """What was asked on the query page before it led here."""
    return posted.text(request, "query", 2000) if request.method == "POST" else request.query_params.get("query", "")[:2000]


def _asked(request: Request) -> dict[str, str]:
    return {name: value for name, value in parse_qsl(_carried(request)) if name not in ("points", "kind", "sketch", "bounds", "range", "page")}


def _keep(session: Session, actor: Actor, saved: Sketch | None, given: Mapping[str, str], request: Request) -> int:
    if saved is None:
        return sketch.draw(session, actor, given["name"], given["kind"], given["points"]).id
    return sketch.change(session, actor, saved.id, posted.version(request), given["name"], given["kind"], given["points"]).id


def _draw(request: Request, saved: Sketch | None, given: Mapping[str, str], faults: tuple[FieldFault, ...] = ()) -> Response:
    geometry, words = None, ""
    if given["points"]:
        try:
            geometry = read_drawing(given["points"], given["kind"])
            words = words_of(geometry)
        except InvalidData as fault:
            faults = faults or tuple(FieldFault(each.field, fault.message) for each in posted.faults_of(fault)[:1])
    with page.reading(request) as session:
        shared = sketch.shared_of(session, saved) if saved else None
        layers, data = _layers(request, session, parts_of(geometry) if geometry is not None else _loose(given["points"]))
    context = DrawPage(
        saved, given, tuple({"value": key, "label": label} for key, label in sketch.KINDS.items()), layers, words,
        _picture(geometry, words), faults, by_field(faults), _hrefs(request, saved, shared), saved is not None and saved.point_count > MOST_IN_ADDRESS, shared is not None, data, json.dumps(palette(each["key"] for each in layers)), _carried(request),
    )
    title = f"草图：{saved.name}" if saved else "画草图"
    crumbs = (HOME, Crumb("我的草图", Link("sketches", "我的草图")), Crumb(saved.name if saved else "画草图"))
    return page.render(request, "sketches/draw.html", context, title=title, crumbs=crumbs, current="map", audience="bench",
                       status=422 if faults else 200)


def words_of(geometry: Any) -> str:
    """What is measured of a drawing, in words."""
    found = measures_of(geometry)
    if found.area_m2 is not None:
        return f"{found.points} 点，面积 {format.area_m2(found.area_m2)}（{format.mu(found.area_m2)}），周长 {format.thousands(found.length_m, 3)} 米"
    return f"{found.points} 点" + (f"，长 {format.thousands(found.length_m, 3)} 米" if found.length_m else "")


def _picture(geometry: Any, words: str) -> Any:
    """A small picture of polygons for those who have no script; lines and points have their table."""
    if geometry is None or not polygons_of(geometry):
        return None
    return picture_of(f"草图的形状：{words}", [Drawn("m-pick", [geometry])], geometry, is_geographic=True)


def _hrefs(request: Request, saved: Sketch | None, shared: SharedRange | None) -> Mapping[str, str]:
    if saved is None:
        return {"action": url(request, "new_sketch")}
    hrefs = {name: url(request, name, sketch_id=saved.id) for name in ("sketch", "sketch_file", "sketch_range", "share_sketch", "delete_sketch")}
    return hrefs | {"action": hrefs["sketch"], "query": query_href(request, saved, shared)}


def _loose(text: str) -> list[list[Point]]:
    """The points of a text that draws nothing sound, so that they can be mended on the map; none where a line is no point."""
    try:
        return read_parts(text)
    except InvalidData:
        return []


def _layers(request: Request, session: Session, parts: list[list[Point]]) -> tuple[tuple[Mapping[str, Any], ...], str]:
    """The layers under the drawing, and what the map script reads."""
    found = {key: known[0] for key, known in map_time.moments(session, page.actor(request)).items()}
    layers = tuple(
        {"key": layer.key, "title": layer.title, "is_shown": layer.is_shown, "groups": layer.groups} for layer in LAYERS if layer.key in found
    )
    # The latest edition is drawn at small scales, or the drawing before it stands in.
    editions = {
        key: {"address": url(request, "map_tile", layer=key, edition=each.number, z=0, x=0, y=0).removesuffix("/0/0/0"), "detail": each.detail, "isDrawn": True}
        for key, each in found.items()
    }
    data = {
        "editions": editions,
        "read": url(request, "read_sketch"), "near": url(request, "sketch_near"), "at": _at(request),
        "parts": parts,
    }
    return layers, json.dumps(data)


def _at(request: Request) -> list[float]:
    """Longitude, latitude and zoom at which the map begins while nothing is drawn."""
    try:
        longitude, latitude, zoom = (float(each) for each in request.query_params.get("at", "").split(","))
    except ValueError:
        return [121.45, 31.15, 10]
    return [longitude, latitude, zoom] if 119 < longitude < 124 and 30 < latitude < 33 and 8 <= zoom <= 19 else [121.45, 31.15, 10]


def read(request: Request) -> Response:
    """What a text draws: its parts in degrees and its measures in words, or what is wrong with it."""
    query = request.query_params
    text, kind = query.get("points", ""), query.get("kind", "")
    if len(text) > MOST_SENT:
        return JSONResponse({"fault": "点太多，图上不再随画随算；保存时计算面积和长度。"}, 422, headers=NOT_KEPT)
    try:
        geometry = read_drawing(text, kind)
    except InvalidData as fault:
        return JSONResponse({"fault": fault.message, "parts": _loose(text)}, 422, headers=NOT_KEPT)
    return JSONResponse({"words": words_of(geometry), "parts": parts_of(geometry)}, headers=NOT_KEPT)


def near(request: Request) -> Response:
    """The shapes of the named layers that meet a box, for snapping; too many at once are not sent."""
    bounds = read_box(request.query_params.get("bounds", ""))
    with page.reading(request) as session:
        actor = page.actor(request)
        loaded = map_layer.editions(session, actor)
        wanted = [key for key in request.query_params.get("layers", "").split(",") if key in loaded]
        found = [each.geometry for key in wanted for each in features_in(session, key, bounds, districts=catalogue.districts_of(actor, key))]
    if len(found) > MOST_NEAR:
        return JSONResponse({"fault": "这里的要素太多，放大后才能捕捉。", "shapes": []}, headers=NOT_KEPT)
    return JSONResponse({"shapes": _rings(found)}, headers=NOT_KEPT)


def _rings(geometries: Sequence[Any]) -> list[list[list[float]]]:
    """Every ring with its closing point, every digit kept, so that a snapped point is the very same."""
    rings = shapely.get_rings([part for each in geometries for part in polygons_of(each)])
    return [shapely.get_coordinates(ring).tolist() for ring in rings]


def upload(request: Request) -> Response:
    """Keep the range of a file as a sketch."""
    declared = posted.text(request, "declared_crs", 32)
    try:
        if declared and declared not in SYSTEMS:
            raise InvalidData("所选坐标系不在列表中。请从列表选择。", {"declared_crs": "请从列表选择"})
        file = posted.upload(request, "file")
        with page.writing(request) as session:
            kept = sketch.read_file(session, page.actor(request), file.file.read(), file.filename or "", declared).id
    except InvalidData as fault:
        field = next(iter(fault.fields), "file")
        return _index(request, (FieldFault(field, fault.message),))
    return page.redirect(request, "sketch", sketch_id=kept)


def file(request: Request) -> Response:
    """A sketch as GeoJSON or as boundary points."""
    with page.reading(request) as session:
        found = sketch.find(session, page.actor(request), request.path_params["sketch_id"])
        content, name = sketch.file_of(found, request.query_params.get("format", "geojson"))
    media = "text/plain" if name.endswith(".txt") else "application/geo+json"
    return Response(content, media_type=media, headers={**NOT_KEPT, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"})


def to_case(request: Request) -> Response:
    """Hand a sketch to a case through the door by which range files come; it is confirmed there."""
    code = posted.text(request, "case", 60)
    with page.reading(request) as session:
        actor = page.actor(request)
        found = sketch.find(session, actor, request.path_params["sketch_id"])
        case = session.exec(scope.visible_cases(actor).where((Case.number == code) | (Case.draft_number == code))).first()
        content, name = sketch.file_of(found, "geojson")
    given = {"kind": found.kind, "points": text_of(found.geometry), "name": found.name}
    if case is None:
        return _draw(request, found, given, (FieldFault("case", f"没有编号为“{code}”的办件，或它不在你的查阅范围内。请核对编号。"),))
    if found.kind != "polygon":
        return _draw(request, found, given, (FieldFault("case", "办件的范围只能是面。请用面的草图。"),))
    received = case_range.receive(page.office(request).files, name, content)
    with page.writing(request) as session:
        row = case_range.read_upload(session, actor, case.id, RangeUpload(received, name, name=found.name))
    return page.redirect(request, "range", case_id=row.case_id, range_id=row.id)


def share(request: Request) -> Response:
    """Give a sketch an address for others, or (`end`) take it back."""
    sketch_id, act = request.path_params["sketch_id"], sketch.unshare if posted.text(request, "end", 4) else sketch.share
    with page.writing(request) as session:
        act(session, page.actor(request), sketch_id)
    return page.redirect(request, "sketch", sketch_id=sketch_id, anchor="use-title")


def delete(request: Request) -> Response:
    """Put a sketch away; the list offers to take it back."""
    with page.writing(request) as session:
        found = sketch.delete(session, page.actor(request), request.path_params["sketch_id"])
    return page.redirect(request, "sketches", query={"deleted": found.id})


def restore(request: Request) -> Response:
    """Take a deleted sketch back."""
    with page.writing(request) as session:
        sketch.restore(session, page.actor(request), request.path_params["sketch_id"])
    return page.redirect(request, "sketches")
