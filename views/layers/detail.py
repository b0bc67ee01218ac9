"""One layer: what it is, its fields and its legend; and its versions in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.case.words import code_of
from domain.district import district_name
from domain.format import moment
from domain.layer import LayerDefinition, catalogue, layer_definition
from domain.layer.card import may_describe
from domain.layer.catalogue import Entry
from domain.layer.definition import LayerColumn
from domain.layer.history import Version, versions
from domain.map_legend import BY_KEY
from views import page
from views.layers.words import CURRENT, change_words, crumbs, scope_words, security_words, tabs, update_href
from views.map_found import url
from views.paging import Pager, pager, place
from views.shell import Crumb

TYPES = {"text": "文字", "integer": "整数", "decimal": "小数"}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class LayerPage:
    """The context of layers/layer.html."""

    entry: Entry
    title: str
    facts: Sequence[Row]
    fields: Sequence[Row]
    legend: Sequence[Row]
    tabs: Sequence[Row]
    scope: str
    edit_href: str
    update_href: str


@dataclass(frozen=True)
class VersionsPage:
    """The context of layers/versions.html."""

    entry: Entry
    title: str
    rows: Sequence[Row]
    pager: Pager
    tabs: Sequence[Row]


def show(request: Request) -> Response:
    """What a layer is. Refused for a layer that is not open to the actor."""
    key, actor = request.path_params["key"], page.actor(request)
    catalogue.require(actor, key)
    with page.reading(request) as session:
        entry, card = catalogue.entry(session, actor, key), catalogue.stored_card(session, key)
        changed = f"{card.changed_by_name} {moment(card.changed_at)}" if card else ""
    title = f"{entry.title}：第 {entry.edition} 版，{entry.feature_count:,} 个要素" if entry.has_data else f"{entry.title}：还没有数据"
    context = LayerPage(
        entry, title, _facts(entry, layer_definition(key), changed), [_field(each) for each in layer_definition(key).columns], _legend(key),
        tabs(request, entry, "layer"), scope_words(entry), url(request, "edit_layer", key=key) if may_describe(actor) else "",
        update_href(request, actor, key),
    )  # fmt: skip
    return page.render(request, "layers/layer.html", context, title=entry.title, crumbs=crumbs(entry), current=CURRENT, audience="bench")


def _facts(entry: Entry, definition: LayerDefinition, changed: str) -> list[Row]:
    found: list[Row] = [{"label": "说明", "value": entry.summary}]
    if entry.has_data:
        generated = {"tag": {"label": "演示生成", "tone": "info"}} if entry.is_generated else {}
        found.append({"label": "现行版本", "value": {"text": f"第 {entry.edition} 版，{entry.effective_on:%Y-%m-%d} 起施行", **generated}})
    found += [
        {"label": "来源", "value": entry.source}, {"label": "责任单位", "value": entry.owner}, {"label": "更新周期", "value": entry.update_cycle},
        {"label": "密级", "value": security_words(entry.security_level)}, {"label": "依据", "value": entry.basis},
        {"label": "坐标系", "value": catalogue.words()["system"]},
        {"label": "图形", "value": catalogue.words()["geometries"][entry.geometry]}, {"label": "标准表名", "value": definition.table},
    ]
    return found + ([{"label": "说明最近修改", "value": changed}] if changed else [])


def _field(column: LayerColumn) -> Row:
    length = f"{column.length}" + (f"，小数 {column.decimals} 位" if column.decimals else "") if column.length else "—"
    meanings = "；".join(f"{code} {meaning}" for code, meaning in column.codes.items()) or "、".join(column.options)
    return {"cells": {
        "label": column.label, "code": column.column, "type": {"text": TYPES[column.type], "sub": f"长度 {length}"},
        "codes": meanings or "—", "standard": "本系统自定" if column.standard == "local" else column.standard,
    }}  # fmt: skip


def _legend(key: str) -> list[Row]:
    return [{"mark": each.mark, "label": each.label, "look": each.look} for each in BY_KEY[key].groups] if key in BY_KEY else []


def show_versions(request: Request) -> Response:
    """The editions of a layer, the newest first: from when, how far, why, and how many features came and went."""
    key, actor = request.path_params["key"], page.actor(request)
    catalogue.require(actor, key)
    with page.reading(request) as session:
        entry = catalogue.entry(session, actor, key)
        found, total = versions(session, actor, key, place(request))
        rows = [_version(request, key, each) for each in found]
    title = f"{entry.title}：{total:,} 个版本"
    context = VersionsPage(entry, title, rows, pager(request, len(rows), total, "个", key=key), tabs(request, entry, "layer_versions"))
    return page.render(
        request, "layers/versions.html", context, title=title, crumbs=crumbs(entry, Crumb("版本")), current=CURRENT, audience="bench"
    )


def _version(request: Request, key: str, version: Version) -> Row:
    edition, case = version.edition, version.case
    told = edition.reason or edition.note
    why: Any = {"text": told or "—", "sub": edition.note if edition.note != told else ""}
    if case is not None:
        why = {"text": code_of(case), "href": url(request, "case", case_id=case.id), "sub": told or case.title}
    elif edition.case_id is not None:
        why = {"text": told or "办件", "sub": "办件不在你的查阅范围内"}
    region = district_name(edition.region_code) if edition.region_code else f"{edition.data_year} 年度" if edition.data_year else ""
    return {"cells": {
        "number": {"text": f"第 {edition.number} 版", "href": url(request, "layer_features", {"edition": edition.number}, key=key)},
        "since": {"text": f"{edition.effective_on:%Y-%m-%d}", "sub": f"{edition.person_name or '系统'} {moment(edition.recorded_at)}"},
        "extent": {"text": change_words(edition), "sub": region}, "why": why,
        "added": f"{edition.added_count:,}", "ended": f"{edition.ended_count:,}", "count": f"{edition.feature_count:,}",
    }}  # fmt: skip
