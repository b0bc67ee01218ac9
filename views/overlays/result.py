"""One saved overlay: what it was made from, its sums, its rows, a small picture, and what may be done with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import shapely
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import overlay_run
from domain.area import sum_m2
from domain.district import district_name
from domain.errors import NotFound
from domain.file_store import StoredFile
from domain.format import area_m2 as area_words
from domain.format import moment, thousands
from domain.geometry import multipolygon
from domain.job import Job
from domain.layer import layer_definition, layer_definitions
from domain.map_legend import BY_KEY
from domain.overlay.slivers import DROP, GIVE, KEEP
from domain.overlay_run import OverlayRun
from domain.overlay_run.package import read_outlines
from domain.overlay_run.reading import lineage_words
from domain.overlay_run.sources import districts_of
from domain.overlay_run.words import UNCOVERED, class_words, field_label
from views import page
from views.files import file_response
from views.ledger_chart import hectares
from views.overlays.form import CURRENT, HOME, choice_label
from views.paging import Pager, pager, place
from views.range_sketch import Drawn, sketch
from views.shell import Crumb

Row = Mapping[str, Any]
MOST_DRAWN = 2_000
MARKS = ("m-paddy", "m-built", "m-wood", "m-water", "m-dry", "m-garden")
"""Marks in turn for classes that the legend of the map does not know."""
TREATED = {GIVE: "并入相邻", DROP: "舍去，计入未覆盖", KEEP: "保留"}


@dataclass(frozen=True)
class ResultPage:
    """The context of overlays/result.html."""

    run: OverlayRun
    is_done: bool
    card: Row | None
    facts: Sequence[Row]
    notes: Sequence[Row]
    layers: Sequence[Row]
    groups: Row | None
    districts: Row | None
    columns: Sequence[Row]
    rows: Sequence[Row]
    pager: Pager
    picture: Any
    legend: Sequence[Row]
    slivers: Sequence[Row]
    repairs: Sequence[Row]
    has_file: bool
    may_delete: bool
    others: Sequence[Row]


def show(request: Request) -> Response:
    """The result; while it is computed, the card of the job, which asks for itself again."""
    with page.reading(request) as session:
        run = overlay_run.find(session, page.actor(request), request.path_params["run_id"])
        job = session.get(Job, run.job_id) if run.job_id else None
        if page.is_htmx(request) and (job is None or not job.is_unfinished):
            # The whole page says what came out, not the card alone.
            return Response(status_code=200, headers={"HX-Refresh": "true"})
        context = _context(request, session, run, job)
        session.expunge_all()
    block = "card" if page.is_htmx(request) else None
    crumbs = (HOME, Crumb(run.title))
    return page.render(
        request, "overlays/result.html", context, title=run.title, current=CURRENT, crumbs=crumbs, audience="bench", block=block
    )


def _context(request: Request, session: Session, run: OverlayRun, job: Job | None) -> ResultPage:
    actor, is_done = page.actor(request), run.ended_at is not None
    asked, summary = run.asked, run.summary
    rows = overlay_run.rows_of(session, run.id, place(request)) if is_done else []
    drawn, legend = _picture(request, run) if is_done else (None, [])
    return ResultPage(
        run=run, is_done=is_done, card=None if is_done else _card(request, run, job), facts=_facts(run), notes=_notes(run),
        layers=[_layer(run, place) for place in range(len(asked["layers"]))] if is_done else [],
        groups=_groups(run) if is_done and summary["groups"] and asked["groups"] else None,
        districts=_districts(summary["by_district"]) if is_done else None,
        columns=_columns(asked), rows=[_row(each, asked) for each in rows],
        pager=pager(request, len(rows), run.row_count, "行", run_id=run.id), picture=drawn, legend=legend,
        slivers=[_sliver(each) for found in summary.get("slivers", {}).values() for each in found["listed"]],
        repairs=[_repair(each) for each in summary.get("repairs", ())], has_file=run.result_file is not None,
        may_delete=run.asked_by == actor.person_id or districts_of(actor) is None, others=_others(session, actor, run) if is_done else [],
    )  # fmt: skip


def _url(request: Request, name: str, query: Mapping[str, Any] | None = None, **params: Any) -> str:
    return request.app.state.templates.url(name, query, **params)


def _card(request: Request, run: OverlayRun, job: Job | None) -> Row:
    state = job.status if job else "failed"
    return {
        "id": f"overlay-{run.id}", "title": run.title, "state": state, "url": _url(request, "overlay", run_id=run.id), "progress": job.percent if job else None,
        "doing": job.doing if job else "", "why": job.fault if job else "作业记录已清理，没有结果。请重新提交。",
        "cancel_url": _url(request, "cancel_job", job_id=job.id) if job and job.is_unfinished else None,
        "retry_url": _url(request, "retry_job", job_id=job.id) if job and state in ("failed", "cancelled") else None,
    }  # fmt: skip


def _facts(run: OverlayRun) -> list[Row]:
    """What it was computed from."""
    facts: list[Row] = [{"label": "提交", "value": f"{run.asked_by_name} {moment(run.asked_at)}"}]
    if run.note:
        facts.append({"label": "说明", "value": run.note})
    if not run.lineage:
        return facts
    ranges, layers = run.lineage["ranges"], run.lineage["layers"]
    facts.append({"label": "范围", "value": lineage_words(ranges) + _limits(ranges)})
    facts += [{"label": "叠加", "value": f"{lineage_words(each)}{_limits(each)}，按{field_label(each['layer'], each['by'])}"} for each in layers]
    engines = "，".join(f"{name} {version}" for name, version in sorted(run.lineage["engines"].items()))
    return [*facts, {"label": "参数", "value": _parameters(run.asked)}, {"label": "计算", "value": f"{moment(run.ended_at)}，{engines}"}]


def _limits(lineage: Mapping[str, Any]) -> str:
    """The districts to which a source was limited by right or by request."""
    limited = "、".join(district_name(code) for code in lineage.get("districts") or ())
    return f"，限{limited}" if limited else ""


def _parameters(asked: Mapping[str, Any]) -> str:
    said = ["按登记面积平差" if asked["adjusts"] else "椭球面积，取到 0.01 平方米"]
    if asked["repairs"]:
        said.append("先修复无效图形")
    if asked["sliver_treatment"]:
        limits = [f"面积小于 {asked['sliver_area_m2']} 平方米"] if asked["sliver_area_m2"] else []
        limits += [f"平均宽度小于 {asked['sliver_width_m']} 米"] if asked["sliver_width_m"] else []
        said.append(f"{'且'.join(limits)}的碎面{TREATED[asked['sliver_treatment']]}")
    return "；".join(said)


def _notes(run: OverlayRun) -> list[Row]:
    """What a reader has to know before using the numbers."""
    summary, found = run.summary, []
    for key, area in sorted(summary.get("repeated_m2", {}).items()):
        where = f"图层“{_title(key)}”自身有重叠" if key else "范围之间有重叠"
        found.append({"tone": "warn", "lead": f"{where}，{area_words(Decimal(area))}只计了一次。", "text": "重叠处归编号在前的图形。"})
    for key, each in sorted(summary.get("slivers", {}).items()):
        if each["count"]:
            sums = "，".join(f"{TREATED[how]} {thousands(Decimal(area), 2)} 平方米" for how, area in sorted(each["area_m2"].items()))
            found.append({"tone": "info", "lead": f"与“{_title(key)}”叠加产生碎面 {each['count']:,} 个。", "text": f"{sums}，逐个列在下方。"})
    if summary.get("set_apart"):
        found.append({"tone": "bad", "lead": f"{summary['set_apart']} 个图形无法修复，没有参加叠加。", "text": "列在下方的修复日志里。"})
    return found


def _title(key: str) -> str:
    definition = layer_definitions().get(key)
    return definition.title if definition else key


def _layer(run: OverlayRun, number: int) -> Row:
    """The area of all ranges by the classes of one layer."""
    choice, sums = run.asked["layers"][number], run.summary["by_class"][number]
    areas = {value: Decimal(area) for value, area in sums.items()}
    rows = [
        {"cells": {"class": class_words(choice["layer"], choice["by"], value), "area": thousands(areas[value], 2),
                   "hectares": hectares(areas[value]), "share": _share(areas[value], run.total_m2)}}
        for value in sorted(areas, key=lambda each: (not each, each))
    ]  # fmt: skip
    total = {"area": thousands(sum_m2(areas.values()), 2), "hectares": hectares(sum_m2(areas.values())), "share": "100%"}
    return {"title": f"{_title(choice['layer'])}，按{field_label(choice['layer'], choice['by'])}", "rows": rows, "total": total,
            "residual": thousands(areas.get("", Decimal(0)), 2), "is_covered": not areas.get("")}  # fmt: skip


def _share(area: Decimal, whole: Decimal) -> str:
    return f"{100 * area / whole:.2f}%" if whole else "—"


def _districts(sums: Mapping[str, str]) -> Row | None:
    if not any(sums):
        return None
    rows = [
        {"cells": {"district": district_name(code) if code else "（没有注明）", "area": thousands(Decimal(sums[code]), 2), "hectares": hectares(Decimal(sums[code]))}}
        for code in sorted(sums, key=lambda each: (not each, each))
    ]
    total = sum_m2(map(Decimal, sums.values()))
    return {"rows": rows, "total": {"area": thousands(total, 2), "hectares": hectares(total)}}


def _groups(run: OverlayRun) -> Row:
    """The table of a preset analysis: by the grouping values of the ranges, with its measures."""
    asked, found = run.asked, run.summary["groups"]
    measures = overlay_run.scheme(run.scheme).measures if run.scheme else ()
    heads = [{"key": f"group_{place}", "label": field_label(asked["layer"], name)} for place, name in enumerate(asked["groups"])]
    columns = [*heads, {"key": "ranges", "label": "图斑数", "is_number": True}, {"key": "area", "label": "图斑面积", "is_number": True}]
    columns += [{"key": each.key, "label": each.label, "is_number": True} for each in measures]
    graded = [each for each in measures if each.mean_of]
    columns += [{"key": f"grades_{each.key}", "label": "各等别的面积"} for each in graded]
    rows = [{"cells": _group_cells(each, measures)} for each in found]
    total: dict[str, str] = {"ranges": f"{sum(each['ranges'] for each in found):,}", "area": thousands(sum_m2(Decimal(each["area_m2"]) for each in found), 2)}
    total |= {m.key: thousands(sum_m2(Decimal(each["measures"][m.key]) for each in found), 2) for m in measures if not m.mean_of}
    return {"columns": columns, "rows": rows, "total": total}


def _group_cells(found: Mapping[str, Any], measures: Sequence[Any]) -> dict[str, Any]:
    cells: dict[str, Any] = {f"group_{place}": value or "（没有注明）" for place, value in enumerate(found["values"])}
    cells |= {"ranges": f"{found['ranges']:,}", "area": thousands(Decimal(found["area_m2"]), 2)}
    for each in measures:
        value = found["measures"][each.key]
        cells[each.key] = (value or "—") if each.mean_of else thousands(Decimal(value), 2)
        if each.mean_of:
            grades = found["grades"][each.key]
            ordered = sorted(grades, key=lambda grade: (not grade, len(grade), grade))
            cells[f"grades_{each.key}"] = "；".join(
                f"{grade + ' 等' if grade else '没有等别'} {thousands(Decimal(grades[grade]), 2)}" for grade in ordered
            ) or "—"
    return cells


def _columns(asked: Mapping[str, Any]) -> list[Row]:
    columns: list[Row] = [{"key": "range", "label": "范围"}, {"key": "district", "label": "行政区"}]
    columns += [{"key": f"group_{place}", "label": field_label(asked["layer"], name)} for place, name in enumerate(asked["groups"])]
    columns += [{"key": f"class_{place}", "label": _title(each["layer"])} for place, each in enumerate(asked["layers"])]
    return [*columns, {"key": "area", "label": "面积（平方米）", "is_number": True}]


def _row(row: Any, asked: Mapping[str, Any]) -> Row:
    cells: dict[str, Any] = {"range": row.range_key, "district": district_name(row.district_code) if row.district_code else "—", "area": thousands(row.area_m2, 2)}
    cells |= {f"group_{place}": value or "—" for place, value in enumerate(row.group_values)}
    cells |= {f"class_{place}": class_words(each["layer"], each["by"], row.classes[place]) for place, each in enumerate(asked["layers"])}
    return {"cells": cells}


def _sliver(found: Mapping[str, Any]) -> Row:
    given = f"，给 {found['given_to'] or '未覆盖部分'}" if found["treatment"] == GIVE else ""
    return {"cells": {"range": found["range"], "feature": found["feature"] or UNCOVERED, "area": thousands(Decimal(found["area_m2"]), 2),
                      "width": found["width_m"], "how": TREATED[found["treatment"]] + given}}  # fmt: skip


def _repair(found: Mapping[str, Any]) -> Row:
    where = f"{found['x']:.6f}，{found['y']:.6f}" if found["x"] is not None else "—"
    before = thousands(Decimal(found["before_m2"]), 2) if found["before_m2"] is not None else "无效，没有面积"
    after = thousands(Decimal(found["after_m2"]), 2) if found["after_m2"] is not None else "没有参加叠加"
    return {"cells": {"key": found["key"], "fault": found["fault"], "where": where, "points": f"{found['points_before']} → {found['points_after']}",
                      "before": before, "after": after}}  # fmt: skip


def _picture(request: Request, run: OverlayRun) -> tuple[Any, list[Row]]:
    """The pieces by the classes of the first layer; none where there are too many to tell apart."""
    if run.result_file is None or run.row_count > MOST_DRAWN:
        return None, []
    choice, by_class = run.asked["layers"][0], {}
    for value, outline in read_outlines(page.office(request).files, run.result_file, MOST_DRAWN):
        by_class.setdefault(value, []).append(outline)
    marks = {value: _mark(choice, value, number) for number, value in enumerate(sorted(by_class))}
    around = multipolygon(shapely.box(*shapely.total_bounds([each for found in by_class.values() for each in found])))
    drawn = [Drawn(marks[value], by_class[value]) for value in sorted(by_class)]
    legend = [{"mark": marks[value], "label": class_words(choice["layer"], choice["by"], value)} for value in sorted(by_class, key=lambda each: (not each, each))]
    return sketch(f"{run.title}：各部分按{_title(choice['layer'])}着色", drawn, around, True), legend


def _mark(choice: Mapping[str, str], value: str, number: int) -> str:
    """The mark that the map gives to the class, else one in turn."""
    if not value:
        return "m-line"
    shown = BY_KEY.get(choice["layer"])
    is_legend = shown is not None and shown.by == "class_code" and layer_definition(choice["layer"]).class_field == choice["by"]
    fitting = [(len(each), group.mark) for group in shown.groups for each in group.values if value.startswith(each)] if is_legend else []
    return max(fitting)[1] if fitting else f"m-parcel {MARKS[number % len(MARKS)]}"


def _others(session: Session, actor: Any, run: OverlayRun) -> list[Row]:
    """Finished results that this one may be compared with, those of the same analysis first."""
    found, _total = overlay_run.list_runs(session, actor, run.scheme, size=40)
    return [{"value": str(each.id), "label": choice_label(each)} for each in found if each.id != run.id and each.ended_at]


def file(request: Request) -> Response:
    """The GeoPackage of the pieces."""
    with page.reading(request) as session:
        run = overlay_run.find(session, page.actor(request), request.path_params["run_id"])
        if run.result_file is None:
            raise NotFound("这项叠加分析没有图形可下载：还没有算完，或没有重叠的部分。")
        return file_response(session, session.get(StoredFile, run.result_file), f"{run.title}.gpkg")
