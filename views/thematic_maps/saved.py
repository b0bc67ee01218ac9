"""Saved thematic maps: list, open, save, rename, share, copy, delete and take back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select
from starlette.requests import Request
from starlette.responses import Response

from domain.district import district_name
from domain.errors import InvalidData
from domain.layer import layer_definition, layer_definitions
from domain.person import Person
from domain.thematic_map import read_spec, saved
from domain.thematic_map.saved import spec_of
from domain.thematic_map.tables import SavedThematicMap
from domain.thematic_map.words import words
from views import page, posted
from views.map_found import url
from views.shell import Crumb, Link
from views.thematic_maps import making


@dataclass(frozen=True)
class SavedPage:
    """The context of thematic_maps/index.html."""

    rows: tuple[Mapping[str, Any], ...]
    starts: tuple[Mapping[str, str], ...]
    undo: str
    undo_name: str


def index(request: Request) -> Response:
    """The maps one may see, and how to begin a new one."""
    with page.reading(request) as session:
        found = saved.list_maps(session, page.actor(request))
        owners = dict(session.exec(select(Person.id, Person.name).where(col(Person.id).in_({each.owner_id for each in found}))).all())
        rows = tuple(_row(request, each, owners) for each in found)
        undo, name = _undone(request, session)
    starts = tuple({"label": each["label"], "href": url(request, "thematic_map", each["query"])} for each in words()["starts"])
    crumbs = (Crumb("一张图", Link("map", "一张图")), Crumb("专题图"))
    return page.render(
        request, "thematic_maps/index.html", SavedPage(rows, starts, undo, name), title="专题图", crumbs=crumbs, current="map", audience="bench"
    )


def _row(request: Request, each: SavedThematicMap, owners: Mapping[int, str]) -> Mapping[str, Any]:
    is_own = each.owner_id == page.actor(request).person_id
    layer = layer_definition(each.spec["layer"]).title if each.spec.get("layer") in layer_definitions() else "—"
    return {"cells": {
        "name": {"text": each.name, "href": url(request, "saved_thematic_map", map_id=each.id)},
        "kind": words()["kinds"].get(each.spec.get("kind", "single"), {"label": "—"})["label"], "layer": layer,
        "owner": "我" if is_own else owners.get(each.owner_id, "—"), "shared": shared_words(each), "changed": f"{each.changed_at:%Y-%m-%d}",
    }}


def shared_words(each: SavedThematicMap) -> str:
    """With whom a map is shared, in words."""
    if each.shared_with == "district":
        return district_name(each.shared_code)
    return {"": "只有自己", "organisation": "本单位", "city": "全市"}[each.shared_with]


def _undone(request: Request, session: Session) -> tuple[str, str]:
    """The address that takes back what was just deleted, and its name."""
    number = posted.digits(request.query_params.get("deleted"))
    row = session.get(SavedThematicMap, number) if number is not None else None
    if row is None or row.deleted_at is None or row.owner_id != page.actor(request).person_id:
        return "", ""
    return url(request, "restore_thematic_map", map_id=row.id), row.name


def show(request: Request) -> Response:
    """A saved map, drawn from the latest data."""
    with page.reading(request) as session:
        found = saved.find(session, page.actor(request), request.path_params["map_id"])
    return making.render(request, {key: str(value) for key, value in found.spec.items()}, found)


def save(request: Request) -> Response:
    """Keep the map that the form carries: anew, or in place of one's own."""
    texts, map_id = making.texts_of(page.form(request)), posted.number(request, "map_id")
    try:
        spec = read_spec(texts)
        with page.writing(request) as session:
            version = posted.number(request, "version") if map_id is not None else None
            kept = saved.save(session, page.actor(request), posted.text(request, "name"), spec, map_id, version)
    except InvalidData as fault:
        return making.render(request, texts, making.changed(request, map_id), posted.faults_of(fault))
    return page.redirect(request, "saved_thematic_map", map_id=kept.id)


def rename(request: Request) -> Response:
    """Another name for one's own map."""
    map_id = request.path_params["map_id"]
    try:
        with page.writing(request) as session:
            saved.rename(session, page.actor(request), map_id, posted.text(request, "name"), posted.number(request, "version"))
    except InvalidData as fault:
        with page.reading(request) as session:
            found = saved.find(session, page.actor(request), map_id)
        return making.render(request, spec_of(found).to_texts(), found, posted.faults_of(fault))
    return page.redirect(request, "saved_thematic_map", map_id=map_id)


def share(request: Request) -> Response:
    """Whom one's own map is shared with."""
    kind, _, code = posted.text(request, "shared_with", 40).partition(":")
    with page.writing(request) as session:
        found = saved.share(session, page.actor(request), request.path_params["map_id"], kind, code)
    return page.redirect(request, "saved_thematic_map", map_id=found.id)


def copy(request: Request) -> Response:
    """A copy of one's own."""
    with page.writing(request) as session:
        made = saved.copy(session, page.actor(request), request.path_params["map_id"])
    return page.redirect(request, "saved_thematic_map", map_id=made.id)


def delete(request: Request) -> Response:
    """Put a map away; the list offers to take it back."""
    with page.writing(request) as session:
        found = saved.delete(session, page.actor(request), request.path_params["map_id"])
    return page.redirect(request, "thematic_maps", query={"deleted": found.id})


def restore(request: Request) -> Response:
    """Take a deleted map back."""
    with page.writing(request) as session:
        found = saved.restore(session, page.actor(request), request.path_params["map_id"])
    return page.redirect(request, "saved_thematic_map", map_id=found.id)
