"""Query and statistics of one layer: a form whose address says what was asked, the list, and the sums by class."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain import format, map_layer, map_query
from domain.district import district_name, load_account_areas
from domain.errors import InvalidData
from domain.layer import catalogue
from domain.map_legend import BY_KEY
from domain.map_query import LayerQuery, QueryAnswer
from views import page, paging
from views.map_found import url
from views.shell import Crumb, Link


@dataclass(frozen=True)
class QueryPage:
    """The context of map/query.html; `answer` is None before anything was asked, or where `fault` says why not."""

    layers: tuple[Mapping[str, str], ...]
    fields: Mapping[str, str]
    districts: tuple[Mapping[str, str], ...]
    given: Mapping[str, str]
    answer: QueryAnswer | None
    rows: tuple[Mapping[str, Any], ...]
    pager: paging.Pager | None
    fault: str
    map_href: str
    """The map; where something was found, with this page of the list pointed out."""


NAMES = ("layer", "class", "district", "field", "value", "least", "box")


def show(request: Request) -> Response:
    """The form and, once a layer was asked, what was found."""
    given = {name: request.query_params.get(name, "").strip()[:100] for name in NAMES}
    answer, fault = None, ""
    with page.reading(request) as session:
        keys = map_layer.editions(session, page.actor(request))
        if given["layer"]:
            if given["layer"] in BY_KEY:
                catalogue.require(page.actor(request), given["layer"])
            try:
                answer = map_query.ask(session, page.actor(request), _query(given, keys), paging.place(request), paging.PAGE_SIZE)
            except InvalidData as refusal:
                fault = refusal.message
    context = QueryPage(
        tuple({"value": key, "label": BY_KEY[key].title} for key in keys),
        map_query.text_fields(given["layer"]) if given["layer"] in keys else {},
        tuple({"value": each.code, "label": each.name} for each in load_account_areas()),
        given, answer, tuple(_row(request, each) for each in answer.rows) if answer else (),
        paging.pager(request, len(answer.rows), answer.count, "个") if answer else None, fault, url(request, "map", {"plot": ",".join(each.key for each in answer.rows)} if answer and answer.rows else None),
    )
    crumbs = (Crumb("一张图", Link("map", "一张图")), Crumb("查询与统计"))
    return page.render(request, "map/query.html", context, title="一张图：查询与统计", crumbs=crumbs, current="map",
                       audience="bench", status=422 if fault else 200)


def _query(given: Mapping[str, str], keys: Mapping[str, int]) -> LayerQuery:
    if given["layer"] not in keys:
        raise InvalidData("没有这个图层，或图层还没有数据。请从列表里选。")
    return LayerQuery(
        given["layer"], given["class"], given["district"], given["field"], given["value"], _least(given["least"]), _box(given["box"]),
    )


def _least(text: str) -> Decimal | None:
    try:
        least = Decimal(text) if text else None
    except InvalidOperation:
        least = Decimal(-1)
    if least is not None and not (least.is_finite() and 0 <= least < 10**12):
        raise InvalidData("“面积不小于”应写平方米数，如 1000。请改正。")
    return least


def _box(text: str) -> tuple[float, float, float, float] | None:
    if not text:
        return None
    try:
        west, south, east, north = (float(each) for each in text.replace("，", ",").split(","))
    except ValueError:
        raise InvalidData("方框应写成“西,南,东,北”四个经纬度。请改正。") from None
    if not (119 < west < east < 124 and 30 < south < north < 33):
        raise InvalidData("方框不在上海附近，或西东、南北颠倒。请改正。")
    return west, south, east, north


def _row(request: Request, row: map_query.QueryRow) -> Mapping[str, Any]:
    return {"cells": {
        "key": {"text": row.key, "href": url(request, "map", {"plot": row.key})}, "class": row.class_code,
        "district": district_name(row.district_code), "status": row.status or "—", "area": format.thousands(row.area_m2, 2),
    }}
