"""One feature of a layer: its attributes, a small map with its neighbours, and its history over the editions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain.actor import Actor
from domain.case.words import code_of
from domain.errors import NotFound
from domain.format import thousands
from domain.layer import FeatureData, LayerDefinition, catalogue, features_in, layer_definition
from domain.layer.catalogue import Entry
from domain.layer.history import Span, history, span_on
from domain.map_legend import BY_KEY
from views import page
from views.layers.words import (
    CURRENT,
    attributes,
    change_words,
    class_label,
    crumbs,
    edition_words,
    tabs,
    value_words,
)
from views.map_found import url
from views.posted import digits, whole_day
from views.range_sketch import Drawn, sketch
from views.shell import Crumb, Link

Row = Mapping[str, Any]
AROUND = 0.6
"""How much of its neighbourhood the picture shows, as a share of the feature's own extent on each side."""
MOST_NEIGHBOURS = 400
DOT_DEGREES = 0.00005
"""How wide a point is drawn, about 5 m on each side."""


@dataclass(frozen=True)
class FeaturePage:
    """The context of layers/feature.html."""

    entry: Entry
    title: str
    state: Row
    facts: Sequence[Row]
    picture: Any
    legend: Sequence[Row]
    rows: Sequence[Row]
    tabs: Sequence[Row]
    map_href: str


def show(request: Request) -> Response:
    """A feature as it stood on a day or in an edition, else as it stands or last stood. NotFound for one out of scope."""
    key, actor = request.path_params["key"], page.actor(request)
    catalogue.require(actor, key)
    with page.reading(request) as session:
        entry, spans = catalogue.entry(session, actor, key), history(session, actor, key, request.query_params.get("id", ""))
        span = _chosen(request, session, key, spans)
        picture, legend = _picture(session, actor, key, span)
        context = _context(request, entry, spans, span, picture, legend)
    way = crumbs(entry, Crumb("要素", Link("layer_features", "要素", {"key": key})), Crumb(span.feature.key))
    return page.render(request, "layers/feature.html", context, title=context.title, crumbs=way, current=CURRENT, audience="bench")


def _chosen(request: Request, session: Session, key: str, spans: list[Span]) -> Span:
    number = digits(request.query_params.get("edition"))
    if number is None:
        return span_on(session, key, spans, whole_day(request.query_params.get("on", ""), "on"))
    found = next((each for each in spans if each.since.edition.number == number), None)
    if found is None:
        raise NotFound(f"这个要素没有从第 {number} 版开始的状态。请从历史里选择。")
    return found


def _context(request: Request, entry: Entry, spans: list[Span], span: Span, picture: Any, legend: Sequence[Row]) -> FeaturePage:
    definition, feature = layer_definition(entry.key), span.feature
    stands = spans[0].until is None
    return FeaturePage(
        entry, f"{feature.key}：{thousands(feature.area_m2, 2)} 平方米" if feature.area_m2 else feature.key, _state(span, is_latest=span is spans[0]), attributes(definition, feature),
        picture, legend, [_row(request, definition, entry.key, each, spans[place + 1] if place + 1 < len(spans) else None, each is span)
                          for place, each in enumerate(spans)],
        tabs(request, entry, "layer_features"), url(request, "map", {"plot": feature.key}) if stands and entry.key in BY_KEY else "",
    )  # fmt: skip


def _state(span: Span, is_latest: bool) -> Row:
    """Whether what is shown still stands, in words."""
    since = f"自{edition_words(span.since)}起"
    if span.until is None:
        return {"tone": "good", "lead": f"现势：{since}。", "text": ""}
    text = "下面是转入历史前的状态。" if is_latest else "下面是当时的状态，后来的变化见历史。"
    return {"tone": "warn", "lead": f"历史：{since}，{edition_words(span.until)}转入历史。", "text": text}


def _picture(session: Session, actor: Actor, key: str, span: Span) -> tuple[Any, Sequence[Row]]:
    """The feature among its neighbours of the same edition, as a picture without script."""
    geometry = _as_area(span.feature.geometry)
    west, south, east, north = geometry.bounds
    wide, high = (east - west) * AROUND, (north - south) * AROUND
    around = shapely.box(west - wide, south - high, east + wide, north + high)
    found = features_in(session, key, around, _day(span), catalogue.districts_of(actor, key))
    near = [_as_area(each.geometry) for each in found if each.key != span.feature.key][:MOST_NEIGHBOURS]
    drawn = sketch(f"{span.feature.key} 的位置", [Drawn("m-parcel m-built", near), Drawn("m-pick", [geometry])], geometry, is_geographic=True)
    return drawn, [{"mark": "m-pick", "label": "这个要素"}, {"mark": "m-parcel m-built", "label": "同一图层相邻的要素"}]


def _as_area(geometry: Any) -> Any:
    """What the picture fills: a polygon as it is, a point or a line as wide as it can be seen."""
    return geometry if geometry.geom_type.endswith("Polygon") else geometry.buffer(DOT_DEGREES)


def _day(span: Span) -> Any:
    """A day on which the span held; the neighbours of a past feature are those of its time."""
    return None if span.until is None else span.since.edition.effective_on


def _row(request: Request, definition: LayerDefinition, key: str, span: Span, before: Span | None, is_shown: bool) -> Row:
    edition, case = span.since.edition, span.since.case
    why: Any = edition.reason or edition.note or change_words(edition)
    if case is not None:
        why = {"text": code_of(case), "href": url(request, "case", case_id=case.id), "sub": edition.reason or edition.note or case.title}
    number = {"text": edition_words(span.since), "href": url(request, "layer_feature", {"id": span.feature.key, "edition": edition.number}, key=key)}
    return {"is_picked": is_shown, "cells": {
        "since": number, "until": edition_words(span.until) if span.until else "现势",
        "class": class_label(definition, span.feature.class_code), "status": span.feature.status or "—",
        "area": thousands(span.feature.area_m2, 2), "changes": "、".join(_changes(definition, span.feature, before)) if before else "入库", "why": why,
    }}  # fmt: skip


def _changes(definition: LayerDefinition, feature: FeatureData, before: Span) -> list[str]:
    """The fields whose values differ from those of the span before, and whether the shape does."""
    now, then = definition.values(feature), definition.values(before.feature)
    found = [
        f"{each.label}：{_plain(value_words(each, then.get(each.name)))} → {_plain(value_words(each, now.get(each.name)))}"
        for each in definition.columns if then.get(each.name) != now.get(each.name)
    ]
    if not shapely.equals_exact(feature.geometry, before.feature.geometry):
        found.append("图形")
    return found or ["没有不同"]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else value["text"]
