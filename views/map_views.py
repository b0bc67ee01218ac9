"""Saved views of the map 我的视图: keep the map's address, open it, rename, share, delete and take back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sqlmodel import Session, col, select
from starlette.requests import Request
from starlette.responses import Response

from domain import map_view, role
from domain.district import load_account_areas
from domain.errors import InvalidData
from domain.map_view import KINDS, MapView
from domain.person import Organisation
from views import page, posted
from views.map_found import url
from views.posted import FieldFault
from views.shell import Crumb, Link


@dataclass(frozen=True)
class ViewsPage:
    """The context of map_views/index.html; `state` is the map's address that is about to be kept."""

    rows: tuple[Mapping[str, Any], ...]
    shared: tuple[Mapping[str, Any], ...]
    state: str
    state_words: str
    name: str
    faults: tuple[FieldFault, ...]
    undo: str
    undo_name: str


@dataclass(frozen=True)
class ViewPage:
    """The context of map_views/view.html."""

    view: MapView
    shares: tuple[Mapping[str, Any], ...]
    choices: tuple[Mapping[str, str], ...]
    faults: tuple[FieldFault, ...]
    typed: Mapping[str, str]
    map_href: str


def index(request: Request) -> Response:
    """One's own views and those shared with one; an address handed over in the query may be kept here."""
    return _index(request, request.url.query if request.query_params.get("deleted") is None else "")


def _index(request: Request, state: str, name: str = "", faults: tuple[FieldFault, ...] = ()) -> Response:
    with page.reading(request) as session:
        actor = page.actor(request)
        rows = tuple(_row(request, session, each) for each in map_view.views_of(session, actor))
        shared = tuple(
            {"cells": {"name": {"text": each.name, "href": url(request, "open_map_view", view_id=each.id)}, "owner": owner, "changed": f"{each.changed_at:%Y-%m-%d}"}}
            for each, owner in map_view.shared_with(session, actor)
        )
        undo, undo_name = _undone(request, session)
    context = ViewsPage(rows, shared, state, _words(state), name, faults, undo, undo_name)
    crumbs = (Crumb("一张图", Link("map", "一张图")), Crumb("我的视图"))
    return page.render(request, "map_views/index.html", context, title="我的视图", crumbs=crumbs, current="map", audience="bench", status=422 if faults else 200)


def _row(request: Request, session: Session, each: MapView) -> Mapping[str, Any]:
    shares = [map_view.share_words(session, share) for share in map_view.shares_of(session, each.id)]
    return {"cells": {
        "name": {"text": each.name, "href": url(request, "open_map_view", view_id=each.id)}, "what": _words(each.state),
        "shared": "，".join(shares) or "只有自己", "changed": f"{each.changed_at:%Y-%m-%d}",
        "act": {"text": "改名、共享、删除", "href": url(request, "map_view", view_id=each.id)},
    }}


LABELS = {"layers": "图层", "at": "位置", "on": "日期", "date": "日期", "q": "定位", "plot": "地块", "case": "办件", "days": "单层日期", "swipe": "卷帘", "windows": "多窗口"}


def _words(state: str) -> str:
    """What an address of the map shows, in a few words."""
    parts = []
    for key, value in parse_qsl(state, keep_blank_values=True):
        if key == "layers":
            parts.append(f"图层 {len(value.split(','))} 组" if value else "不显示图层")
        elif value and key == "at":
            parts.append("位置 " + "，".join(value.split(",")[:2]))
        elif value and key in LABELS:
            parts.append(f"{LABELS[key]} {value[:30]}")
    return "；".join(parts) or ("全图" if state else "")


def _undone(request: Request, session: Session) -> tuple[str, str]:
    number = posted.digits(request.query_params.get("deleted"))
    row = session.get(MapView, number) if number is not None else None
    if row is None or row.deleted_at is None or row.owner_id != page.actor(request).person_id:
        return "", ""
    return url(request, "restore_map_view", view_id=row.id), row.name


def save(request: Request) -> Response:
    """Keep an address of the map under a name."""
    state, name = posted.text(request, "state", map_view.LONGEST_STATE), posted.text(request, "name", 200)
    try:
        with page.writing(request) as session:
            map_view.save(session, page.actor(request), name, dict(parse_qsl(state, keep_blank_values=True)))
    except InvalidData as fault:
        return _index(request, state, name, posted.faults_of(fault))
    return page.redirect(request, "map_views")


def open_view(request: Request) -> Response:
    """The map at the address of a view, with one's own rights."""
    with page.reading(request) as session:
        found = map_view.find(session, page.actor(request), request.path_params["view_id"])
        state, _is_less = map_view.opened(session, page.actor(request), found)
    return page.redirect(request, "map", query=state)


def show(request: Request) -> Response:
    """One of one's own views: its name, with whom it is shared."""
    return _view(request)


def _view(request: Request, faults: tuple[FieldFault, ...] = ()) -> Response:
    with page.reading(request) as session:
        found = map_view.own(session, page.actor(request), request.path_params["view_id"])
        shares = tuple({"id": each.id, "label": map_view.share_words(session, each)} for each in map_view.shares_of(session, found.id))
        context = ViewPage(found, shares, tuple(_choices(session)), faults, posted.given_texts(request), url(request, "open_map_view", view_id=found.id))
    crumbs = (Crumb("一张图", Link("map", "一张图")), Crumb("我的视图", Link("map_views", "我的视图")), Crumb(found.name))
    return page.render(request, "map_views/view.html", context, title=found.name, crumbs=crumbs, current="map", audience="bench", status=422 if faults else 200)


def _choices(session: Session) -> list[Mapping[str, str]]:
    """The roles, offices and districts a view may be shared with; a person is typed."""
    roles = [{"value": f"role:{each.key}", "label": f"岗位：{each.label}"} for each in role.roles().values() if each.level not in ("public", "system")]
    offices = session.exec(select(Organisation).where(col(Organisation.is_active), col(Organisation.kind) != "enterprise").order_by(col(Organisation.name)).limit(300)).all()
    areas = [{"value": f"district:{each.code}", "label": f"{KINDS['district']}：{each.name}"} for each in load_account_areas()]
    return [*areas, *({"value": f"organisation:{each.id}", "label": f"{KINDS['organisation']}：{each.name}"} for each in offices), *roles]


def rename(request: Request) -> Response:
    """Another name."""
    try:
        with page.writing(request) as session:
            map_view.rename(session, page.actor(request), request.path_params["view_id"], posted.text(request, "name", 200))
    except InvalidData as fault:
        return _view(request, posted.faults_of(fault))
    return page.redirect(request, "map_view", view_id=request.path_params["view_id"])


def share(request: Request) -> Response:
    """Share with a person by login, or with what was chosen."""
    person, chosen = posted.text(request, "person", 80), posted.text(request, "chosen", 80)
    kind, _, value = chosen.partition(":") if chosen and not person else ("person", "", person)
    try:
        with page.writing(request) as session:
            map_view.share(session, page.actor(request), request.path_params["view_id"], kind, value)
    except InvalidData as fault:
        field = "person" if kind == "person" else "chosen"
        return _view(request, tuple(FieldFault(field, each.text) for each in posted.faults_of(fault)))
    return page.redirect(request, "map_view", view_id=request.path_params["view_id"])


def unshare(request: Request) -> Response:
    """End one share."""
    with page.writing(request) as session:
        map_view.unshare(session, page.actor(request), request.path_params["view_id"], request.path_params["share_id"])
    return page.redirect(request, "map_view", view_id=request.path_params["view_id"])


def delete(request: Request) -> Response:
    """Put a view away; the list offers to take it back."""
    with page.writing(request) as session:
        found = map_view.delete_view(session, page.actor(request), request.path_params["view_id"])
    return page.redirect(request, "map_views", query={"deleted": found.id})


def restore(request: Request) -> Response:
    """Take a deleted view back."""
    with page.writing(request) as session:
        map_view.restore(session, page.actor(request), request.path_params["view_id"])
    return page.redirect(request, "map_views")
