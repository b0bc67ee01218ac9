"""The list of saved overlays, the preset analyses, comparing two, and the acts on one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import overlay_run
from domain.area import sum_m2
from domain.district import district_name
from domain.errors import InvalidData, NotAllowed, NotFound
from domain.format import moment, signed, thousands
from domain.job import Job
from domain.layer import layer_definitions
from domain.layer.reading import latest_editions
from domain.overlay_run import OverlayRun, Scheme
from domain.overlay_run.reading import Comparison
from domain.overlay_run.words import class_words
from domain.portal_clock import now
from views import page
from views.ledger_chart import hectares
from views.overlays.form import CURRENT, HOME, district_choices
from views.paging import Pager, pager, place
from views.posted import digits, text
from views.shell import Crumb, Link

MOST_DIFFERENCES = 500
STATES = {"queued": ("排队中", ""), "running": ("计算中", "info"), "failed": ("没有完成", "bad"), "cancelled": ("已取消", "warn")}


@dataclass(frozen=True)
class ListPage:
    """The context of overlays/index.html."""

    rows: Sequence[Mapping[str, Any]]
    pager: Pager
    schemes: Sequence[Mapping[str, str]]
    choices: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class SchemePage:
    """The context of overlays/scheme.html."""

    scheme: Scheme
    missing: Sequence[str]
    districts: Sequence[Mapping[str, str]]
    rows: Sequence[Mapping[str, Any]]
    pager: Pager
    fault: str
    choices: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class ComparePage:
    """The context of overlays/compare.html."""

    first: OverlayRun
    second: OverlayRun
    same: int
    count: int
    rows: Sequence[Mapping[str, Any]]
    most: int
    sums: Sequence[Mapping[str, Any]]
    columns: Sequence[Mapping[str, Any]]
    change: str


@dataclass(frozen=True)
class DeletePage:
    """The context of overlays/delete.html."""

    run: OverlayRun


def _url(request: Request, name: str, query: Mapping[str, Any] | None = None, **params: Any) -> str:
    return request.app.state.templates.url(name, query, **params)


def index(request: Request) -> Response:
    """Every saved overlay that one may see."""
    with page.reading(request) as session:
        found, total = overlay_run.list_runs(session, page.actor(request), first=place(request))
        context = ListPage(
            _rows(request, session, found), pager(request, len(found), total, "项"),
            [{"href": _url(request, "overlay_scheme", key=each.key), "title": each.title, "intro": each.intro} for each in overlay_run.schemes().values()],
            _choices(found),
        )  # fmt: skip
    return page.render(request, "overlays/index.html", context, title="叠加分析", current=CURRENT, crumbs=(Crumb("叠加分析"),), audience="bench")


def _rows(request: Request, session: Session, runs: Sequence[OverlayRun]) -> list[dict[str, Any]]:
    return [{"cells": _run_cells(request, session, run)} for run in runs]


def _run_cells(request: Request, session: Session, run: OverlayRun) -> dict[str, Any]:
    layers = "、".join(_title(each["layer"]) for each in run.asked["layers"])
    done = run.ended_at is not None
    return {
        "number": str(run.id), "title": {"text": run.title, "href": _url(request, "overlay", run_id=run.id), "sub": run.note},
        "layers": layers, "district": district_name(run.district_code) if run.district_code else "全市",
        "asked": {"text": moment(run.asked_at), "sub": run.asked_by_name},
        "ranges": f"{run.range_count:,}" if done else "—", "total": hectares(run.total_m2) if done else "—",
        "state": {"text": "已保存"} if done else {"text": "", "tag": _state(session, run)},
    }  # fmt: skip


def _state(session: Session, run: OverlayRun) -> dict[str, str]:
    job = session.get(Job, run.job_id)
    label, tone = STATES.get(job.status if job else "failed", STATES["failed"])
    return {"label": label, "tone": tone}


def _title(key: str) -> str:
    definition = layer_definitions().get(key)
    return definition.title if definition else key


def _choices(runs: Sequence[OverlayRun]) -> list[dict[str, str]]:
    return [{"value": str(run.id), "label": f"{run.id} 号　{run.title}　{moment(run.asked_at)}"} for run in runs if run.ended_at]


def show_scheme(request: Request) -> Response:
    """A preset analysis: what it does, its form, and every result of it."""
    found = overlay_run.scheme(request.path_params["key"])
    if request.method == "GET":
        return _scheme_page(request, found, "", 200)
    actor = page.actor(request)
    try:
        with page.writing(request) as session:
            title = f"{found.title} {moment(now(session))}"
            asked = found.request(title, text(request, "district", 12), text(request, "note", 500))
            run_id = overlay_run.request(session, actor, asked).id
    except (NotFound, NotAllowed, InvalidData) as fault:
        return _scheme_page(request, found, fault.message, 422)
    return page.redirect(request, "overlay", run_id=run_id)


def _scheme_page(request: Request, found: Scheme, fault: str, status: int) -> Response:
    with page.reading(request) as session:
        runs, total = overlay_run.list_runs(session, page.actor(request), found.key, place(request))
        loaded = latest_editions(session)
        keys = [found.layer, *(each.layer for each in found.layers)]
        missing = [_title(key) for key in keys if key not in loaded]
        context = SchemePage(
            found, missing, district_choices(page.actor(request)), _rows(request, session, runs),
            pager(request, len(runs), total, "次", key=found.key), fault, _choices(runs),
        )  # fmt: skip
    return page.render(
        request, "overlays/scheme.html", context, title=found.title, current=CURRENT, crumbs=(HOME, Crumb(found.title)), audience="bench", status=status
    )


def compare(request: Request) -> Response:
    """Two results beside each other: the rows that differ, and the sums by class."""
    numbers = [digits(request.query_params.get(name)) for name in ("first", "second")]
    if None in numbers or numbers[0] == numbers[1]:
        raise InvalidData("比较要选两项不同的叠加分析。请从叠加分析列表选择。")
    with page.reading(request) as session:
        actor = page.actor(request)
        first, second = (overlay_run.find(session, actor, each or 0) for each in numbers)
        found = overlay_run.compare(session, actor, first.id, second.id)
        first, second = (overlay_run.find(session, actor, each or 0) for each in numbers)
        context = _compare_page(first, second, found)
        session.expunge_all()
    crumbs = (HOME, Crumb("比较"))
    return page.render(request, "overlays/compare.html", context, title="比较两次叠加", current=CURRENT, crumbs=crumbs, audience="bench")


def _compare_page(first: OverlayRun, second: OverlayRun, found: Comparison) -> ComparePage:
    by = {each["layer"]: each["by"] for each in first.asked["layers"]}
    columns = [{"key": "range", "label": "范围"}, {"key": "district", "label": "行政区"}]
    columns += [{"key": f"class_{number}", "label": _title(layer)} for number, layer in enumerate(found.layers)]
    columns += [{"key": key, "label": label, "is_number": True} for key, label in (("first", f"{first.id} 号"), ("second", f"{second.id} 号"), ("change", "增减"))]
    rows = [
        {"cells": {
            "range": each.range_key, "district": district_name(each.district_code) if each.district_code else "—",
            **{f"class_{number}": class_words(layer, by[layer], each.classes[number]) for number, layer in enumerate(found.layers)},
            "first": thousands(each.first_m2, 2), "second": thousands(each.second_m2, 2), "change": signed(each.change_m2, 2),
        }}
        for each in found.differences[:MOST_DIFFERENCES]
    ]  # fmt: skip
    sums = [
        {"cells": {"layer": _title(layer), "class": class_words(layer, by[layer], value), "first": thousands(ours, 2), "second": thousands(theirs, 2),
                   "change": signed(theirs - ours, 2) if theirs != ours else "一致"}}
        for layer, value, ours, theirs in found.by_class
    ]  # fmt: skip
    change = signed(sum_m2(each.change_m2 for each in found.differences), 2)
    return ComparePage(first, second, found.same, len(found.differences), rows, MOST_DIFFERENCES, sums, columns, change)


def again(request: Request) -> Response:
    """Ask for the same once more, on the editions of now."""
    with page.writing(request) as session:
        run_id = overlay_run.run_again(session, page.actor(request), request.path_params["run_id"]).id
    return page.redirect(request, "overlay", run_id=run_id)


def delete(request: Request) -> Response:
    """Say what deleting does; do it when that is posted."""
    run_id, actor = request.path_params["run_id"], page.actor(request)
    if request.method == "POST":
        with page.writing(request) as session:
            overlay_run.delete(session, actor, run_id)
        return page.redirect(request, "overlays")
    with page.reading(request) as session:
        run = overlay_run.in_sight(session, actor, run_id)
        session.expunge_all()
    crumbs = (HOME, Crumb(run.title, Link("overlay", run.title, {"run_id": run_id})), Crumb("删除"))
    return page.render(request, "overlays/delete.html", DeletePage(run), title="删除叠加分析", current=CURRENT, crumbs=crumbs, audience="bench")


def export(request: Request) -> Response:
    """Queue the rows as a workbook."""
    with page.writing(request) as session:
        job_id = overlay_run.request_export(session, page.actor(request), request.path_params["run_id"]).id
    return page.redirect(request, "job", job_id=job_id)

