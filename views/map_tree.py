"""The layer tree of the map 资源目录: every layer of the catalogue in its group, favourites first, closed ones with the reason."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session
from starlette.requests import Request

from domain import map_favourite
from domain.layer import catalogue
from domain.layer.catalogue import Entry
from domain.map_legend import BY_KEY, USUAL_OPACITY
from domain.map_time import MOST_DAYS, Moment
from views import page
from views.map_found import url
from views.map_state import MapState, when


@dataclass(frozen=True)
class TreeGroup:
    """A group of the tree with its layers; `title` of the favourites is empty."""

    title: str
    layers: tuple[Mapping[str, Any], ...]
    is_open: bool


def tree(
    request: Request, session: Session, state: MapState, known: Mapping[str, Sequence[Moment]], chosen: Mapping[str, Moment]
) -> tuple[TreeGroup, ...]:
    """The groups in the order of the catalogue, with what the actor keeps at hand before them; groups without layers are left out."""
    actor = page.actor(request)
    kept = map_favourite.favourites(session, actor)
    rows = [(each, _layer(request, each, state, known, chosen, each.key in kept)) for each in catalogue.entries(session, actor)]
    mine = sorted((row for row in rows if row[0].key in kept), key=lambda row: kept.index(row[0].key))
    return (*_group("", [row for _entry, row in mine]), *(
        found for group in catalogue.groups()
        for found in _group(group.title, [row for entry, row in rows if entry.group == group and entry.key not in kept])
    ))


def _group(title: str, layers: list[Mapping[str, Any]]) -> Iterator[TreeGroup]:
    if layers:
        is_wanted = any(not each["is_hidden"] for each in layers)
        yield TreeGroup(title, tuple(layers), is_open=not title or (is_wanted and any(each["is_open"] or each["is_found"] for each in layers)))


def _layer(
    request: Request, entry: Entry, state: MapState, known: Mapping[str, Sequence[Moment]], chosen: Mapping[str, Moment], is_kept: bool
) -> Mapping[str, Any]:
    groups, moments, moment = tuple(_groups(entry, state)), known.get(entry.key, ()), chosen.get(entry.key)
    is_found = bool(state.find) and _fits(entry, state.find)
    return {
        "key": entry.key, "title": entry.title, "summary": entry.summary, "is_favourite": is_kept, "why_not": entry.why_not,
        "is_on_map": bool(groups) and bool(moments), "has_data": entry.has_data, "groups": groups, "is_open": bool(moments) and any(each["is_shown"] for each in groups),
        "is_found": is_found, "is_hidden": bool(state.find) and not is_found, "opacity": state.opacity.get(entry.key, USUAL_OPACITY), "usual_opacity": USUAL_OPACITY,
        "when": when(moment), "day": state.days.get(entry.key), "days": tuple(_days(moments, state.days.get(entry.key))),
        "limits": catalogue.limits(page.actor(request), entry.key) if entry.is_open else "",
        "href": url(request, "layer", key=entry.key) if entry.is_open else "",
    }


def _groups(entry: Entry, state: MapState) -> Iterator[Mapping[str, Any]]:
    layer = BY_KEY.get(entry.key)
    for group in layer.groups if layer and entry.is_open else ():
        yield {"key": group.key, "label": group.label, "mark": group.mark, "look": group.look, "is_shown": state.is_shown(entry.key, group.key)}


def _fits(entry: Entry, words: str) -> bool:
    layer = BY_KEY.get(entry.key)
    return any(words in text for text in (entry.title, entry.group.title, entry.summary, *(each.label for each in (layer.groups if layer else ()))))


def _days(moments: Sequence[Moment], day: date | None) -> Iterator[Mapping[str, Any]]:
    """The days of a layer to choose from, and the chosen one where it is none of them."""
    last = {each.on: each for each in reversed(moments)}
    if day is not None and day not in last:
        yield {"value": f"{day}", "label": f"{day} 当日"}
    for each in list(reversed(last.values()))[:MOST_DAYS]:
        yield {"value": f"{each.on}", "label": when(each)}


def sources(known: Mapping[str, Sequence[Moment]], wanted: Collection[str]) -> tuple[Mapping[str, Any], ...]:
    """What can be compared: each layer as it is shown, its newest editions, and those that are `wanted`."""
    return tuple(
        {"label": BY_KEY[key].title, "choices": (
            {"value": key, "label": f"{BY_KEY[key].title}（按图上日期）"},
            *(
                {"value": f"{key}@{each.number}", "label": f"{BY_KEY[key].title} {when(each)}"}
                for at, each in enumerate(moments) if at < MOST_DAYS or f"{key}@{each.number}" in wanted
            ),
        )} for key, moments in reversed(known.items())
    )
