"""Query and statistics of one layer: a form whose address says what was asked, the list, the sums, and the map of both."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import shapely
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain import format, map_layer, map_query, sketch
from domain.case import saved_filter
from domain.district import district_name, load_account_areas
from domain.errors import InvalidData
from domain.layer import layer_definition
from domain.map_legend import BY_KEY
from domain.map_query import MOST_CONDITIONS, ORDERS, LayerQuery, QueryAnswer
from domain.overlay_run.words import class_words
from domain.town import towns
from views import page, paging, posted
from views.map_changes import change_links, history_href
from views.map_found import url
from views.posted import FieldFault, by_field
from views.shell import Crumb, Link

LONGEST = 12_000
"""Characters of one text of the address; percent signs make it up to three times as long."""
PLAIN = ("layer", "on", "district", "town", "class", "join", "least", "bounds", "points", "kind", "sketch", "range", "buffer", "sort")
NAMES = (*PLAIN, *(f"{part}{n}" for n in range(1, MOST_CONDITIONS + 1) for part in ("field", "op", "value")))
NOT_KEPT = {"Cache-Control": "no-store"}
HEADS = {"key": "编号", "class": "类别", "district": "区", "status": "状态", "area": "面积（平方米）"}


@dataclass(frozen=True)
class QueryPage:
    """The context of map_query/index.html; `answer` is None before anything was asked, or where `faults` say why not."""

    choices: Mapping[str, tuple[Mapping[str, str], ...]]
    given: Mapping[str, str]
    conditions: tuple[int, ...]
    errors: Mapping[str, str]
    faults: tuple[FieldFault, ...]
    hrefs: Mapping[str, str]
    saved: tuple[Mapping[str, str], ...]
    answer: QueryAnswer | None = None
    query: LayerQuery | None = None
    columns: tuple[Mapping[str, Any], ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    by_class: tuple[Mapping[str, Any], ...] = ()
    by_district: tuple[Mapping[str, Any], ...] = ()
    pager: paging.Pager | None = None
    changes: tuple[Mapping[str, str], ...] = ()
    """Where the features of this page of the list are changed, for who may change them."""
    state: str = ""
    data: str = ""
    words: str = ""


@dataclass
class _Asked:
    """What the address asks for, and what came of it."""

    given: dict[str, str]
    query: LayerQuery | None = None
    answer: QueryAnswer | None = None
    faults: tuple[FieldFault, ...] = field(default=())


def show(request: Request) -> Response:
    """The form and, once a layer was asked, what was found."""
    with page.reading(request) as session:
        asked = _ask(request, session)
        context = _context(request, session, asked)
    crumbs = (Crumb("一张图", Link("map", "一张图")), Crumb("查询与统计"))
    return page.render(request, "map_query/index.html", context, title="一张图：查询与统计", crumbs=crumbs, current="map",
                       audience="bench", status=422 if asked.faults else 200)


def _ask(request: Request, session: Session) -> _Asked:
    """Asks what the address says; with `only=form` only the form is wanted, for the fields of another layer."""
    asked = _Asked({name: request.query_params.get(name, "").strip() for name in NAMES})
    if too_long := next((name for name in NAMES if len(asked.given[name]) > LONGEST), ""):
        asked.given[too_long] = ""
        asked.faults = (FieldFault(too_long, "写的内容太长，放不进地址，没有查询。坐标多的请在“在图上画或上传范围”里存为草图，再选草图查询。"),)
        return asked
    if not asked.given["layer"] or request.query_params.get("only") == "form":
        return asked
    try:
        asked.query = map_query.read_query(session, page.actor(request), asked.given)
        if asked.query.layer not in map_layer.editions(session, page.actor(request)):
            raise InvalidData("没有这个图层，或图层还没有数据。请从列表里选。", {"layer": "请从列表里选"})
        asked.answer = map_query.ask(session, page.actor(request), asked.query, paging.place(request), paging.PAGE_SIZE)
    except InvalidData as refusal:
        asked.faults = tuple(FieldFault(each.field, refusal.message) for each in posted.faults_of(refusal)[:1])
    return asked


def _context(request: Request, session: Session, asked: _Asked) -> QueryPage:
    actor = page.actor(request)
    layers = list(map_layer.editions(session, actor))
    layer = asked.given["layer"] if asked.given["layer"] in layers else (layers[0] if layers else "")
    form = {
        "choices": _choices(session, request, layers, layer), "given": asked.given, "conditions": _shown_conditions(asked.given),
        "errors": by_field(asked.faults), "faults": asked.faults, "saved": _saved(request, session),
    }
    state = urlencode(kept(asked.given))
    if asked.answer is None or asked.query is None:
        return QueryPage(**form, hrefs={"map": url(request, "map"), "sketch": _sketch_href(request, asked.given)}, state=state)
    return QueryPage(**form, **_found(request, asked, asked.query, asked.answer), state=state)


def _sketch_href(request: Request, given: Mapping[str, str]) -> str:
    """The page to draw a range on, which brings what is asked here back with it."""
    asked = urlencode({name: value for name, value in kept(given).items() if name not in ("points", "kind", "sketch", "bounds", "range")})
    drawn = {name: given[name] for name in ("points", "kind") if given["points"] and given[name]}
    return url(request, "new_sketch", {**drawn, **({"query": asked[:2000]} if asked else {})})


def _asked_words(query: LayerQuery) -> str:
    """What was asked, in one line."""
    fields, ways = map_query.fields_of(query.layer), map_query.operators()
    told = [fields[each.field].label + ways[each.operator].label.partition("（")[0] + each.value for each in query.conditions]
    parts = [
        layer_definition(query.layer).title, f"{query.on} 的数据" if query.on else "", district_name(query.district) if query.district else "",
        next((each.name for each in towns() if each.code == query.town), ""), f"类别 {query.class_code} 开头" if query.class_code else "",
        (" 或 " if query.joins_any else "，").join(told), f"不小于 {format.area_m2(query.least_m2)}" if query.least_m2 is not None else "",
        query.place.label if query.place else "",
    ]
    return "；".join(part for part in parts if part)


def kept(given: Mapping[str, str]) -> dict[str, str]:
    """What is worth saying in an address: no empty texts, no condition without its field."""
    said = {name: value for name, value in given.items() if value}
    loose = {f"{part}{n}" for n in range(1, MOST_CONDITIONS + 1) for part in ("op", "value") if f"field{n}" not in said}
    return {name: value for name, value in said.items() if name not in loose and not (name == "kind" and "points" not in said)}


def _shown_conditions(given: Mapping[str, str]) -> tuple[int, ...]:
    """The numbers of the conditions that the form shows: those given, and one more."""
    last = max((n for n in range(1, MOST_CONDITIONS + 1) if given[f"field{n}"]), default=0)
    return tuple(range(1, min(max(last + 1, 2), MOST_CONDITIONS) + 1))


def _choices(session: Session, request: Request, layers: list[str], layer: str) -> Mapping[str, tuple[Mapping[str, str], ...]]:
    fields = map_query.fields_of(layer).values() if layer else ()
    return {
        "layers": tuple({"value": key, "label": BY_KEY[key].title} for key in layers),
        "fields": tuple({"value": each.name, "label": each.label} for each in fields),
        "operators": tuple({"value": each.key, "label": each.label} for each in map_query.operators().values()),
        "districts": tuple({"value": each.code, "label": each.name} for each in load_account_areas()),
        "towns": tuple({"value": each.code, "label": f"{district_name(each.district_code)} {each.name}"} for each in towns()),
        "kinds": tuple({"value": key, "label": label} for key, label in sketch.KINDS.items()),
        "sketches": tuple({"value": str(each.id), "label": each.name} for each in sketch.sketches_of(session, page.actor(request))),
    }


def _saved(request: Request, session: Session) -> tuple[Mapping[str, str], ...]:
    found = saved_filter.filters_of(session, page.actor(request), "map_query")
    return tuple(
        {"label": each.name, "href": url(request, "open_filter", filter_id=each.id), "edit_href": url(request, "edit_filter", filter_id=each.id)}
        for each in found
    )


def _found(request: Request, asked: _Asked, query: LayerQuery, answer: QueryAnswer) -> Mapping[str, Any]:
    definition, keys = layer_definition(query.layer), [each.feature.key for each in answer.rows]
    said, place = kept(asked.given), {"page": request.query_params.get("page")}
    return {
        "answer": answer, "query": query, "columns": tuple(_columns(request, asked.given, query)),
        "rows": tuple(_row(request, each, query) for each in answer.rows),
        "by_class": tuple(_sum(class_words(query.layer, definition.class_field, each.code), each) for each in answer.by_class),
        "by_district": tuple(_sum(district_name(each.code), each) for each in answer.by_district),
        "words": _asked_words(query), "changes": () if query.on else change_links(request, query.layer, [each.feature for each in answer.rows]),
        "pager": paging.pager(request, len(answer.rows), answer.total.count, "个"),
        "data": json.dumps({"shapes": url(request, "map_query_shapes", {**said, **place})}),
        "hrefs": {
            "map": url(request, "map", {"plot": ",".join(keys)} if keys else None), "sketch": _sketch_href(request, asked.given),
            "save": url(request, "new_filter", {"list": "map_query", **said}), "export": url(request, "export_map_query"),
        },
    }


def _own_columns(query: LayerQuery) -> list[str]:
    """The fields that were asked for, as columns beside the usual ones."""
    definition = layer_definition(query.layer)
    usual = {definition.key_field, definition.class_field, "area_m2", "status"}
    return [name for name in dict.fromkeys(each.field for each in query.conditions) if name not in usual]


def _columns(request: Request, given: Mapping[str, str], query: LayerQuery) -> list[Mapping[str, Any]]:
    """The heads of the list; each sorts by its column, and the other way round when it does so already."""
    fields = map_query.fields_of(query.layer)
    heads = {key: HEADS[key] for key in ORDERS[:-1] if key != "status" or key in fields} | {name: fields[name].label for name in _own_columns(query)} | {"area": HEADS["area"]}
    found = []
    for key, label in heads.items():
        is_by = key == query.order
        sort = f"-{key}" if is_by and not query.is_descending else key
        order = {"order": "descending" if query.is_descending else "ascending"} if is_by else {}
        href = url(request, "map_query", {**kept(given), "sort": sort})
        found.append({"key": key, "label": label, "is_number": key == "area", "sort": {"href": href, **order}})
    inside = [{"key": "inside", "label": "范围内（平方米）", "is_number": True}] if query.place is not None and query.place.is_area else []
    return [*found[:-1], {"key": "history", "label": "历史"}, found[-1], *inside]


def _row(request: Request, row: map_query.QueryRow, query: LayerQuery) -> Mapping[str, Any]:
    one, definition = row.feature, layer_definition(query.layer)
    values = definition.values(one)
    cells = {
        "key": {"text": one.key, "href": url(request, "map", {"plot": one.key})}, "history": {"text": "历史", "href": history_href(request, query.layer, one.key)},
        "class": class_words(query.layer, definition.class_field, one.class_code), "district": district_name(one.district_code),
        "status": one.status or "—", "area": format.thousands(one.area_m2, 2),
        "inside": "—" if row.inside_m2 is None else format.thousands(row.inside_m2, 2),
    }
    fields = map_query.fields_of(query.layer)
    return {"id": f"found-{one.key}", "cells": cells | {name: fields[name].words(values) or "—" for name in _own_columns(query)}}


def _sum(words: str, each: map_query.Sum) -> Mapping[str, Any]:
    inside = "" if each.inside_m2 is None else format.thousands(each.inside_m2, 2)
    return {"label": words, "count": format.thousands(each.count), "area": format.thousands(each.area_m2, 2), "inside": inside}


def shapes(request: Request) -> Response:
    """The features of this page of the list and the range of the query, as GeoJSON."""
    with page.reading(request) as session:
        asked = _ask(request, session)
        if asked.answer is None or asked.query is None:
            return JSONResponse({"detail": asked.faults[0].text if asked.faults else "没有查询条件。"}, 422, headers=NOT_KEPT)
        drawn = [_shape(each.feature.geometry, "found", each.feature.key) for each in asked.answer.rows]
        if asked.query.place is not None:
            drawn.insert(0, _shape(asked.query.place.geometry, "range", asked.query.place.label))
    return JSONResponse({"type": "FeatureCollection", "features": drawn}, headers=NOT_KEPT)


def _shape(geometry: Any, what: str, key: str) -> Mapping[str, Any]:
    return {"type": "Feature", "geometry": shapely.geometry.mapping(geometry), "properties": {"what": what, "key": key}}


def export(request: Request) -> Response:
    """Queue what was found as a file."""
    given = {name: value for name, value in parse_qsl(posted.text(request, "state", 3 * LONGEST)) if name in NAMES}
    with page.writing(request) as session:
        job_id = map_query.request_export(session, page.actor(request), given, posted.text(request, "format", 20)).id
    return page.redirect(request, "job", job_id=job_id)
