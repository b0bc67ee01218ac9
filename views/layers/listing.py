"""The catalogue of layers 资源目录: groups, search, what is open, and what is locked with its reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.layer import catalogue
from domain.layer.catalogue import Entry
from views import page
from views.layers.words import CURRENT, scope_words, security_words
from views.map_found import url
from views.shell import Crumb

LONGEST = 60


@dataclass(frozen=True)
class ListPage:
    """The context of layers/index.html."""

    groups: Sequence[Mapping[str, Any]]
    words: str
    open_count: int
    locked_count: int


def index(request: Request) -> Response:
    """Every layer of the catalogue, by group; those that one may not open stand there with the reason."""
    wanted = request.query_params.get("q", "").strip()[:LONGEST]
    with page.reading(request) as session:
        found = catalogue.entries(session, page.actor(request))
    shown = [each for each in found if _fits(each, wanted)]
    groups = [
        {"key": group.key, "title": group.title, "rows": [_row(request, each) for each in entries]}
        for group, entries in _by_group(shown)
    ]
    context = ListPage(groups, wanted, sum(each.is_open for each in shown), sum(not each.is_open for each in shown))
    return page.render(request, "layers/index.html", context, title="图层", crumbs=(Crumb("图层"),), current=CURRENT, audience="bench")


def _fits(entry: Entry, wanted: str) -> bool:
    texts = (entry.title, entry.group.title, entry.summary, entry.source, entry.owner, entry.basis)
    return not wanted or any(wanted in each for each in texts)


def _by_group(entries: Sequence[Entry]) -> Iterable[tuple[catalogue.Group, list[Entry]]]:
    place = {group.key: number for number, group in enumerate(catalogue.groups())}
    ordered = sorted(entries, key=lambda each: place[each.group.key])
    return [(group, list(found)) for group, found in groupby(ordered, key=lambda each: each.group)]


def _row(request: Request, entry: Entry) -> Mapping[str, Any]:
    title: dict[str, Any] = {"text": entry.title, "sub": entry.summary, "tag": {"label": security_words(entry.security_level)}}
    if entry.is_open:
        title["href"] = url(request, "layer", key=entry.key)
    return {"id": f"layer-{entry.key}", "cells": {
        "title": title, "state": _state(entry), "edition": _edition(entry),
        "count": f"{entry.feature_count:,}" if entry.has_data else "—",
        "owner": {"text": entry.owner, "sub": entry.update_cycle},
    }}  # fmt: skip


def _state(entry: Entry) -> Mapping[str, Any]:
    if not entry.is_open:
        return {"tag": {"label": "锁定", "tone": "warn"}, "sub": entry.why_not}
    if not entry.has_data:
        return {"tag": {"label": "没有数据"}}
    return {"tag": {"label": "可打开", "tone": "good"}, "sub": scope_words(entry)}


def _edition(entry: Entry) -> Any:
    if not entry.has_data:
        return "—"
    return {"text": f"第 {entry.edition} 版", "sub": f"{entry.effective_on:%Y-%m-%d} 起{'　演示生成' if entry.is_generated else ''}"}
