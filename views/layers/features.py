"""The features of a layer as a table: as of a day or those that are past, searched, filtered, sorted, paged, exported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain import format
from domain.district import district_name
from domain.errors import InvalidData, NotFound
from domain.layer import LayerDefinition, catalogue, layer_definition
from domain.layer.catalogue import Entry
from domain.layer.definition import LayerColumn
from domain.layer.export import request_export
from domain.layer.listing import PAST, SORTS, FeaturePage, FeatureQuery, FeatureRow, page_of, search_fields
from views import page, posted
from views.layers.words import CURRENT, class_label, crumbs, districts_of, scope_words, tabs, value_words
from views.map_found import url
from views.paging import Pager, pager, place
from views.posted import whole_day, whole_number
from views.shell import Crumb

Row = Mapping[str, Any]
NAMES = ("on", "edition", "state", "words", "field", "class", "district", "status", "sort")
LONGEST = 100
MOST_COLUMNS = 4
"""How many fields a row shows beside key, class, district, status and area; the page of a feature shows all."""
_SHOWN_ANYWAY = frozenset({"feature_code", "element_code", "district_code", "district_name", "area_m2", "status", "description"})


@dataclass(frozen=True)
class FeaturesPage:
    """The context of layers/features.html; `pager` is None where `fault` says why nothing was asked."""

    entry: Entry
    title: str
    fields: Sequence[Row]
    given: Mapping[str, str]
    kept: Mapping[str, str]
    """The order and the edition, which the filters keep."""
    is_narrowed: bool
    columns: Sequence[Row]
    rows: Sequence[Row]
    pager: Pager | None
    sums: str
    as_of: str
    scope: str
    tabs: Sequence[Row]
    fault: str


def show(request: Request) -> Response:
    """The table, and why it cannot be shown where a condition cannot be read or the layer had no data on the day."""
    key, actor = request.path_params["key"], page.actor(request)
    catalogue.require(actor, key)
    given = {name: request.query_params.get(name, "").strip()[:LONGEST] for name in NAMES}
    found, fault, query = None, "", FeatureQuery(key)
    with page.reading(request) as session:
        entry = catalogue.entry(session, actor, key)
        try:
            query = query_of(key, given)
            found = page_of(session, actor, query, place(request))
        except (InvalidData, NotFound) as refusal:
            fault = refusal.message
        context = _context(request, entry, query, given, found, fault)
    return page.render(
        request, "layers/features.html", context, title=context.title, crumbs=crumbs(entry, Crumb("要素")), current=CURRENT, audience="bench",
        status=422 if fault else 200,
    )  # fmt: skip


def query_of(key: str, given: Mapping[str, str]) -> FeatureQuery:
    """What an address or a form asks for. Raises InvalidData for a day that is none."""
    return FeatureQuery(
        key, whole_day(given.get("on", ""), "on"), given.get("state", ""), given.get("words", ""), given.get("field", ""),
        given.get("class", ""), given.get("district", ""), given.get("status", ""), given.get("sort", "") or SORTS[0],
        whole_number(given.get("edition", ""), "edition"),
    )  # fmt: skip


def _context(
    request: Request, entry: Entry, query: FeatureQuery, given: Mapping[str, str], found: FeaturePage | None, fault: str
) -> FeaturesPage:
    definition = layer_definition(entry.key)
    shown, state = _shown_columns(definition, found.rows if found else ()), "历史要素" if query.state == PAST else "要素"
    title = f"{entry.title}：{found.count:,} 个{state}" if found else f"{entry.title}：没有列出要素"
    as_of = f"第 {found.edition.number} 版，{found.edition.effective_on:%Y-%m-%d} 起施行" if found else ""
    return FeaturesPage(
        entry, title, _fields(definition, entry, given, found), given, {name: given[name] for name in ("edition", "sort") if given[name]}, any(value for name, value in given.items() if name != "sort"),
        _columns(request, definition, query, given, shown), [_row(request, definition, query, each, shown) for each in found.rows] if found else [],
        pager(request, len(found.rows), found.count, "个", key=entry.key) if found else None,
        f"{format.area_m2(found.area_m2)}，{format.hectares(found.area_m2)}" if found else "", as_of, scope_words(entry),
        tabs(request, entry, "layer_features"), fault,
    )  # fmt: skip


def _fields(definition: LayerDefinition, entry: Entry, given: Mapping[str, str], found: FeaturePage | None) -> list[Row]:
    codes = found.classes if found else {}
    classes = [{"value": code, "label": f"{class_label(definition, code)}　{count:,}"} for code, count in codes.items() if code]
    if given["class"] and given["class"] not in codes:
        classes.insert(0, {"value": given["class"], "label": f"{given['class']} 开头"})
    found_fields: list[Row] = [
        {"name": "on", "label": "截至日期", "kind": "date", "value": given["on"]},
        {"name": "state", "label": "现势或历史", "kind": "select", "value": given["state"], "blank": "当日现势", "choices": [{"value": PAST, "label": "已转入历史"}]},
        {"name": "words", "label": "查找", "value": given["words"]},
        {"name": "field", "label": "在字段", "kind": "select", "value": given["field"], "blank": "任意文字字段",
         "choices": [{"value": name, "label": label} for name, label in search_fields(definition).items()]},
        {"name": "class", "label": "类别", "kind": "select", "value": given["class"], "choices": classes},
        {"name": "district", "label": "区或管理区", "kind": "select", "value": given["district"], "choices": districts_of(entry)},
    ]  # fmt: skip
    if definition.statuses:
        found_fields.append({"name": "status", "label": "状态", "kind": "select", "value": given["status"],
                             "choices": [{"value": each, "label": each} for each in definition.statuses]})  # fmt: skip
    return found_fields


def _shown_columns(definition: LayerDefinition, rows: Sequence[FeatureRow]) -> list[LayerColumn]:
    """The first fields that say more than the columns that are always there; the name of a code in place of the code."""
    by_name = {each.name: each for each in definition.columns}
    left_out = _SHOWN_ANYWAY | {definition.class_field, definition.key_field, by_name[definition.class_field].named_by}
    found = [by_name.get(each.named_by, each) for each in definition.columns if each.name not in left_out]
    told = [each for each in dict.fromkeys(found) if any(row.attributes.get(each.name) not in (None, "", row.key) for row in rows)]
    return told[:MOST_COLUMNS]


def _columns(
    request: Request, definition: LayerDefinition, query: FeatureQuery, given: Mapping[str, str], shown: Sequence[LayerColumn]
) -> list[Row]:
    label = next(each.label for each in definition.columns if each.name == definition.class_field)
    sorted_by = [("key", "编号"), ("class_code", label), ("district_code", "区")]
    if any(each.name == "status" for each in definition.columns):
        sorted_by.append(("status", "状态"))
    found = [_sorted(request, query, given, name, text) for name, text in sorted_by]
    found += [{"key": each.name, "label": each.label, "is_number": each.type != "text"} for each in shown]
    found.append({**_sorted(request, query, given, "area_m2", "面积（平方米）"), "is_number": True})
    return [*found, {"key": "span", "label": "版本"}] if query.state == PAST else found


def _sorted(request: Request, query: FeatureQuery, given: Mapping[str, str], name: str, label: str) -> Row:
    """A column head that sorts by its column, and the other way when it already does."""
    is_sorted, is_down = query.sort.removeprefix("-") == name, query.sort == f"-{name}"
    wanted = f"-{name}" if is_sorted and not is_down else name
    href = url(request, "layer_features", {key: value for key, value in {**given, "sort": wanted}.items() if value}, key=query.layer)
    order = {"order": "descending" if is_down else "ascending"} if is_sorted else {}
    return {"key": name, "label": label, "sort": {"href": href, **order}}


def _row(request: Request, definition: LayerDefinition, query: FeatureQuery, row: FeatureRow, shown: Sequence[LayerColumn]) -> Row:
    seen = {"id": row.key} | ({"on": query.on.isoformat()} if query.on and query.state != PAST else {})
    if query.state == PAST or (query.edition is not None and query.on is None):
        seen["edition"] = str(row.from_number)
    until = f"至第 {row.until_number - 1} 版" if row.until_number and row.until_number - 1 > row.from_number else ""
    return {"cells": {
        "key": {"text": row.key, "href": url(request, "layer_feature", seen, key=query.layer)}, "class_code": class_label(definition, row.class_code),
        "district_code": district_name(row.district_code), "status": row.status or "—", "area_m2": format.thousands(row.area_m2, 2),
        "span": {"text": f"第 {row.from_number} 版{until}", "sub": f"第 {row.until_number} 版转入历史"},
        **{each.name: value_words(each, row.attributes.get(each.name)) for each in shown},
    }}  # fmt: skip


def export(request: Request) -> Response:
    """Queue what the table shows as a workbook or a GeoPackage."""
    key = request.path_params["key"]
    query = query_of(key, {name: posted.text(request, name, LONGEST) for name in NAMES})
    with page.writing(request) as session:
        job_id = request_export(session, page.actor(request), query, posted.text(request, "format", 8)).id
    return page.redirect(request, "job", job_id=job_id)
