"""What the map points out, as its side panel and its text page show it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import shapely
from sqlmodel import Session
from starlette.requests import Request

from domain import format, map_layer
from domain.case import scope
from domain.case.tables import Case
from domain.case.words import code_of, status_words
from domain.case_range import CaseRange, ranges_of
from domain.hold import MARKS, PLOT, holders
from domain.layer import FeatureData, layer_definition, layer_of
from domain.map_layer import Place
from domain.map_legend import MapLayer
from domain.map_time import Moment
from domain.plot_contents import PlotContents, contents_of
from views import page
from views.map_changes import change_links, history_href
from views.map_state import when

MOST_LISTED = 100


@dataclass(frozen=True)
class Found:
    """One thing at a place: what it is, its facts by name, where they are from, and where it is shown further."""

    key: str
    title: str
    kind: str
    facts: tuple[Mapping[str, Any], ...]
    source: str
    map_href: str
    href: str
    link_label: str
    contents: PlotContents | None = None
    links: tuple[Mapping[str, str], ...] = ()
    """Where the feature is changed, for who may change it, and its history."""


def url(request: Request, name: str, query: Mapping[str, Any] | None = None, **params: Any) -> str:
    """The address of a route by its name."""
    return request.app.state.templates.url(name, query, **params)


def at_point(
    request: Request, session: Session, longitude: float, latitude: float, shown: Mapping[str, Moment] | None = None
) -> list[Found]:
    """Everything at a point in degrees: ranges of cases in one's scope, then the layers, the finest first.

    `shown` says by layer which edition is meant; what lies on a plot is told of the latest ones alone.
    """
    point = shapely.Point(longitude, latitude)
    near = map_layer.ranges_in(session, page.actor(request), (longitude, latitude, longitude, latitude))
    ranges = [_range(request, row, case) for row, case in near if shapely.covers(row.geometry, point)]
    present = map_layer.editions(session, page.actor(request))
    numbers = present if shown is None else {key: moment.number for key, moment in shown.items()}
    features = map_layer.features_at(session, page.actor(request), longitude, latitude, numbers)
    first = next((each.key for layer, each in features if layer.is_dissolved and numbers[layer.key] == present[layer.key]), "")
    contents = next((_contents(request, session, each) for _layer, each in features if each.key == first), None)
    return ranges + [
        _feature(
            request, session, layer, each, contents if each.key == first else None, shown.get(layer.key) if shown else None,
            is_present=numbers[layer.key] == present[layer.key],
        ) for layer, each in features
    ]


def of_place(request: Request, session: Session, place: Place | None, shown: Mapping[str, Moment] | None = None) -> list[Found]:
    """The things that a search pointed out, at a point in the editions that are shown; a single plot with what lies on it."""
    if place is None:
        return []
    if place.point is not None:
        return at_point(request, session, *place.point, shown)
    if place.case_id is not None:
        case = scope.find(session, page.actor(request), place.case_id)
        return [_range(request, row, case) for row in ranges_of(session, case.id)]
    found = map_layer.plots(session, page.actor(request), place.keys[:MOST_LISTED])
    is_plot = len(found) == 1 and found[0][0].is_dissolved
    contents = _contents(request, session, found[0][1]) if is_plot else None
    return [_feature(request, session, layer, each, contents) for layer, each in found]


def _contents(request: Request, session: Session, feature: FeatureData) -> PlotContents:
    return contents_of(session, page.actor(request), feature.geometry)


def _feature(
    request: Request, session: Session, layer: MapLayer, feature: FeatureData, contents: PlotContents | None, moment: Moment | None = None,
    *, is_present: bool = True,
) -> Found:
    """Every attribute of a feature by its Chinese label, codes with their meaning, and its layer as the source."""
    stored = layer_of(session, layer.key)
    return Found(
        key=feature.key, title=feature.key, kind=layer.title, facts=tuple(_attributes(session, layer, feature)),
        source=f"{stored.title}{'（演示生成）' if stored.is_generated else ''}{'，' + when(moment) if moment else ''}", map_href=url(request, "map", {"plot": feature.key}),
        href=url(request, "map_text", {"plot": feature.key}), link_label="坐标表", contents=contents,
        links=({"label": "历史", "href": history_href(request, layer.key, feature.key)}, *(change_links(request, layer.key, [feature]) if is_present else ())),
    )


def _attributes(session: Session, layer: MapLayer, feature: FeatureData) -> Iterator[Mapping[str, Any]]:
    definition = layer_definition(layer.key)
    values = definition.values(feature)
    named = {column.named_by for column in definition.columns}
    for column in definition.columns:
        words = column.words(values)
        if words and column.name not in named:
            is_area = column.type == "decimal" and isinstance(values[column.name], Decimal)
            yield {"label": column.label, "value": _area(values[column.name]) if is_area else words}
    if held := holders(session, PLOT, [feature.key]).get(feature.key):
        yield {"label": "锁定", "value": f"{MARKS[held.mark]}，自 {format.moment(held.since)}"}


def _area(value_m2: Decimal) -> Mapping[str, str]:
    return {"text": format.area_m2(value_m2), "sub": f"{format.hectares(value_m2)}，{format.mu(value_m2)}"}


def _range(request: Request, row: CaseRange, case: Case) -> Found:
    facts = (
        {"label": "办件", "value": {"text": code_of(case), "href": url(request, "case", case_id=case.id), "sub": case.title}},
        {"label": "状态", "value": status_words(case)}, {"label": "范围面积", "value": _area(row.area_m2)},
        {"label": "坐标系", "value": row.detected.get("crs", "")},
    )
    return Found(
        key=row.label, title=row.label, kind="办件范围", facts=facts, source=row.file_name,
        map_href=url(request, "map", {"case": case.id}), href=url(request, "range", case_id=case.id, range_id=row.id), link_label="看范围",
    )
