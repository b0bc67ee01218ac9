"""Data comparison 数据对比: two editions of a layer or two layers, in an area; tables, patches, a figure, exports, the swipe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import shapely
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain.district import district_name, load_account_areas
from domain.errors import InvalidData, NotFound
from domain.format import hectares, thousands
from domain.layer import catalogue
from domain.layer.comparison import Comparison, NothingComparable, Patch, Plan, editions
from domain.layer.definition import layer_definition
from domain.layer.tables import LayerEdition
from domain.layer_comparison import MOST_AT_ONCE, NOTHING, Asked, request_export, result, side_words
from views import page, posted
from views.layers.words import class_label, map_groups
from views.map_found import url
from views.paging import PAGE_SIZE, Pager, pager, place
from views.range_sketch import Drawn, sketch
from views.shell import Crumb, Link

CURRENT = "layers"
FIELDS = ("before", "after", "district", "ring", "level")
LONGEST = 20_000
MOST_EDITIONS = 12
MOST_DRAWN = 1_500
Row = Mapping[str, Any]


@dataclass
class ComparisonPage:
    """The context of layer_comparison/index.html; everything below `asked` is of a comparison that was made."""

    heading: str
    given: Mapping[str, str]
    sides: Sequence[Row]
    districts: Sequence[Row]
    faults: Sequence[Row] = ()
    errors: Mapping[str, str | None] = field(default_factory=dict)
    nothing: str = ""
    size: int = 0
    is_large: bool = False
    asked: Mapping[str, str] = field(default_factory=dict)
    swipe_href: str = ""
    is_alike: bool = True
    facts: Sequence[Row] = ()
    classes: Sequence[Row] = ()
    class_total: Row = field(default_factory=dict)
    changes: Sequence[Row] = ()
    change_total: Row = field(default_factory=dict)
    patches: Sequence[Row] = ()
    pager: Pager | None = None
    picture: Any = None


def index(request: Request) -> Response:
    """The form, and the comparison once two sides were chosen."""
    given = {name: request.query_params.get(name, "")[:LONGEST] for name in FIELDS}
    with page.reading(request) as session:
        context, status = _form(request, session, given), 200
        if given["before"] or given["after"]:
            try:
                _compare(request, session, Asked(**given), context)
            except NothingComparable as fault:
                context.nothing = fault.message.removeprefix("无可比范围：")
            except (InvalidData, NotFound) as fault:
                named = getattr(fault, "fields", {})
                at = next(({"area": "ring"}.get(name, name) for name in named), "before")
                context.errors = {**context.errors, at: next(iter(named.values()), fault.message)}
                context.faults, status = [{"field": at, "text": fault.message}], 422
        session.expunge_all()
    crumbs = (Crumb("图层", Link("layers", "图层")), Crumb("数据对比"))
    return page.render(
        request, "layer_comparison/index.html", context, title="数据对比", crumbs=crumbs, current=CURRENT, audience="bench", status=status
    )


def _form(request: Request, session: Session, given: Mapping[str, str]) -> ComparisonPage:
    keys = [key for key in catalogue.open_keys(session, page.actor(request)) if layer_definition(key).geometry == "polygon"]
    sides = [each for key, found in editions(session, keys).items() for each in _sides(key, found)]
    districts = [{"value": each.code, "label": each.name} for each in load_account_areas()]
    return ComparisonPage("两期或两类数据对比", given, sides, districts, errors=dict.fromkeys(FIELDS))


def _sides(key: str, found: Sequence[LayerEdition]) -> list[Row]:
    """The editions of a layer to choose from: the latest, and the first."""
    definition = layer_definition(key)
    chosen = found[:MOST_EDITIONS] + found[MOST_EDITIONS:][-1:]
    return [{"value": f"{key}@{each.number}", "label": f"{definition.title}　{each.effective_on:%Y-%m-%d} 起（第 {each.number} 版）"} for each in chosen]


def _compare(request: Request, session: Session, asked: Asked, context: ComparisonPage) -> None:
    planned = asked.planned(session, page.actor(request))
    context.asked, context.size, context.is_large = asked.as_texts(), planned.size, planned.size > MOST_AT_ONCE
    context.swipe_href = _swipe(request, planned)
    context.heading = f"{side_words(planned.before)} 与 {side_words(planned.after)}"
    if not context.is_large:
        _fill(request, result(session, planned), context)


def _fill(request: Request, made: Comparison, context: ComparisonPage) -> None:
    shown = made.patches[place(request) :][:PAGE_SIZE]
    context.heading = f"差异 {len(made.patches):,} 处，{hectares(made.changed_m2)}" if made.patches else "没有差异"
    context.is_alike, context.facts = made.is_classed_alike, _facts(made)
    context.classes, context.class_total = [_class_row(made, each) for each in made.classes], _class_total(made)
    context.changes = [{"cells": {**_pair(made, before, after), "count": f"{count:,}", "area": thousands(area, 2)}} for before, after, count, area in made.changes]
    context.change_total = {"count": f"{len(made.patches):,}", "area": thousands(made.changed_m2, 2)}
    context.patches = [_patch(request, made, each) for each in shown]
    context.pager = pager(request, len(shown), len(made.patches), "个图斑")
    context.picture = _picture(made)


def _facts(made: Comparison) -> list[Row]:
    rule = "“差异”指两期类别不同的地方" if made.is_classed_alike else "两个图层的分类不同，“差异”指只有其中一个图层的地方"
    slivers = f"{made.sliver_count:,} 处，共 {thousands(made.sliver_m2, 2)} 平方米，计入不变（面积小于 1 平方米且平均宽度小于 0.1 米）"
    return [
        {"label": "前一期", "value": side_words(made.before)}, {"label": "后一期", "value": side_words(made.after)},
        {"label": "对比面积", "value": {"text": f"{thousands(made.total_m2, 2)} 平方米", "sub": "任一期有数据的地方，每处只计一次"}},
        {"label": "差异面积", "value": {"text": f"{thousands(made.changed_m2, 2)} 平方米", "sub": rule}},
        {"label": "碎面", "value": slivers if made.sliver_count else "没有"},
    ]  # fmt: skip


def _class_row(made: Comparison, row: Any) -> Row:
    side = made.before if row.before_m2 else made.after
    return {"cells": {
        "class": _words(side.layer, row.class_code), "before": thousands(row.before_m2, 2), "kept": thousands(row.kept_m2, 2),
        "lost": thousands(row.lost_m2, 2), "gained": thousands(row.gained_m2, 2), "after": thousands(row.after_m2, 2),
        "change": thousands(row.change_m2, 2),
    }}  # fmt: skip


def _class_total(made: Comparison) -> Row:
    names = ("before_m2", "kept_m2", "lost_m2", "gained_m2", "after_m2", "change_m2")
    return {name.removesuffix("_m2"): thousands(sum(getattr(each, name) for each in made.classes), 2) for name in names}


def _words(layer: str, code: str) -> str:
    return class_label(layer_definition(layer), code) if code else NOTHING


def _pair(made: Comparison, before: str, after: str) -> Row:
    return {"before": _words(made.before.layer, before), "after": _words(made.after.layer, after)}


def _patch(request: Request, made: Comparison, patch: Patch) -> Row:
    spot = patch.geometry.representative_point()
    href = f"{url(request, 'map')}?at={spot.x:.6f},{spot.y:.6f},16"
    return {"cells": {
        "number": str(patch.number), "district": district_name(patch.district_code), **_pair(made, patch.before_class, patch.after_class),
        "area": thousands(patch.area_m2, 2), "map": {"text": f"{spot.x:.5f}，{spot.y:.5f}", "href": href},
    }}  # fmt: skip


def _picture(made: Comparison) -> Any:
    """The largest patches on the districts around them."""
    if not made.patches:
        return None
    drawn = sorted(made.patches, key=lambda each: -each.area_m2)[:MOST_DRAWN]
    codes = {each.district_code for each in drawn}
    around = shapely.box(*shapely.total_bounds([each.geometry for each in drawn]))
    borders = [shapely.intersection(each.geometry, around.buffer(0.2)) for each in load_account_areas() if each.code in codes]
    tolerance = max(around.bounds[2] - around.bounds[0], 0.001) / 1_000
    return sketch(
        f"差异图斑 {len(drawn):,} 个的位置", [Drawn("m-district", [shapely.simplify(each, tolerance) for each in borders]), Drawn("m-used", [each.geometry for each in drawn])],
        around, True,
    )  # fmt: skip


def _swipe(request: Request, planned: Plan) -> str:
    """The one map with both sides, each on its side of the swipe."""
    groups = map_groups([planned.before.layer, planned.after.layer])
    sides = ",".join(f"{each.layer}@{each.edition}" for each in (planned.before, planned.after))
    return f"{url(request, 'map')}?layers={quote(groups)}&swipe={quote(sides)}"


def export(request: Request) -> Response:
    """Queue the comparison as a workbook or a GeoPackage."""
    asked = Asked(**{name: posted.text(request, name, LONGEST) for name in FIELDS})
    with page.writing(request) as session:
        job_id = request_export(session, page.actor(request), asked, posted.text(request, "format", 8)).id
    return page.redirect(request, "job", job_id=job_id)
