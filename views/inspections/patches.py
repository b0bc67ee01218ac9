"""Patches of an admitted package with their cases: the part of the task's page, the whole list, and the panel of a case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain.case.tables import Case, Task
from domain.district import district_name
from domain.inspection.task import access, admission
from domain.inspection.task.tables import ADMITTED, InspectionRun, InspectionTask
from domain.job import Job
from domain.patch_case import export, listing, opening
from domain.patch_case.listing import SORTS, PatchQuery, PatchRow, Stage, Summary, words
from domain.patch_case.overlaying import SECTION
from domain.ports.partner import partner
from views import page
from views.inspections.words import crumbs, may, url
from views.paging import PAGE_SIZE, Pager, pager, place
from views.panels import panel
from views.posted import text
from views.shell import Crumb, Link

FIRST_ROWS = 10


@dataclass(frozen=True)
class Standing:
    """How the patches of a package stand: counts, whether work goes on, and what the viewer may do."""

    summary: Summary
    job: Job | None
    is_working: bool
    down: Sequence[str]
    """The partners that do not answer now."""
    may_resume: bool
    href: str
    watch_href: str
    resume_href: str


@dataclass(frozen=True)
class Section:
    """The part of the task's page: the standing and the first rows."""

    standing: Standing
    columns: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class PatchesPage:
    """The context of inspections/patches.html."""

    task: InspectionTask
    run: InspectionRun
    standing: Standing
    columns: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]
    fields: Sequence[Mapping[str, Any]]
    query: Mapping[str, str]
    pager: Pager
    back: str


def section_of(request: Request, session: Session, task: InspectionTask, run: InspectionRun) -> Section | None:
    """What the page of a task shows of the patches of a package; None for a package that has none."""
    if run.state != ADMITTED or not run.admission.get("patches"):
        return None
    standing = _standing(request, session, task, run, {"first": 1})
    rows, _total = listing.page_of(session, page.actor(request), PatchQuery(run.id), size=FIRST_ROWS)
    return Section(standing, columns(), [_row(request, each) for each in rows])


def _standing(request: Request, session: Session, task: InspectionTask, run: InspectionRun, kept: Mapping[str, Any]) -> Standing:
    found = listing.summary_of(session, run.id)
    job = session.get(Job, run.admission_job_id) if run.admission_job_id else None
    is_opening = job is not None and job.is_unfinished
    down = [partner(each.partner).label for each in listing.partners_down(session)] if found.is_working else []
    return Standing(
        found, job, is_opening or found.is_working, down, bool(found.left) and not is_opening and admission.may_admit(page.actor(request), task),
        url(request, "inspection_patches", run_id=run.id), url(request, "inspection_patches", {**kept, "watch": 1}, run_id=run.id),
        url(request, "resume_patches", run_id=run.id),
    )  # fmt: skip


def show(request: Request) -> Response:
    """The patches of a package: searched, filtered, sorted, paged; while work goes on the counts renew themselves."""
    with page.reading(request) as session:
        task, run = access.run_of(session, page.actor(request), request.path_params["run_id"])
        context = _context(request, session, task, run)
    back = Crumb(task.title, Link("inspection", task.title, params={"task_id": task.id}, query={"package": run.package_no}))
    is_part = page.is_htmx(request) and "watch" in request.query_params
    return page.render(
        request, "inspections/patches.html", context, title=f"{task.title}的图斑案件", crumbs=crumbs(back, Crumb("图斑案件")), current="inspections",
        audience="bench", block="patches" if is_part else None,
    )  # fmt: skip


def _context(request: Request, session: Session, task: InspectionTask, run: InspectionRun) -> PatchesPage:
    kept = _kept(request)
    query = PatchQuery(run.id, kept.get("state", ""), kept.get("words", ""), kept.get("sort", SORTS[0]))
    first = {"first": 1} if "first" in request.query_params else {}
    rows, total = listing.page_of(session, page.actor(request), query, place(request), FIRST_ROWS if first else PAGE_SIZE)
    return PatchesPage(
        task, run, _standing(request, session, task, run, {**kept, **first}), columns(), [_row(request, each) for each in rows], _fields(query), kept,
        pager(request, len(rows), total, "个图斑", run_id=run.id), url(request, "inspection", {"package": run.package_no}, task_id=task.id),
    )  # fmt: skip


def _kept(request: Request) -> dict[str, str]:
    """The query as it stands in addresses."""
    given = request.query_params
    found = {
        "words": given.get("words", "").strip()[:80], "state": given.get("state", "") if given.get("state", "") in words("filters") else "",
        "sort": given.get("sort", "") if given.get("sort", "") in SORTS[1:] else "", "page": given.get("page", "")[:6],
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


def _fields(query: PatchQuery) -> list[Mapping[str, Any]]:
    return [
        {"name": "words", "label": "图斑、线索或案件编号", "value": query.words},
        {"name": "state", "label": "状态", "kind": "select", "value": query.state, "choices": _choices("filters")},
        {"name": "sort", "label": "次序", "kind": "select", "value": query.sort, "choices": _choices("sorts"), "blank": None},
    ]


def _choices(group: str) -> list[Mapping[str, str]]:
    return [{"value": key, "label": label} for key, label in words(group).items()]


def columns() -> list[Mapping[str, Any]]:
    """The columns of the list: the patch, then a stage each."""
    return [{"key": "patch", "label": "图斑"}, {"key": "area", "label": "面积（平方米）", "is_number": True}, *({"key": key, "label": label} for key, label in words("stages").items())]


def _row(request: Request, row: PatchRow) -> Mapping[str, Any]:
    patch = row.patch
    named = {"text": patch.feature_key, "sub": f"{patch.number}　{district_name(patch.district_code)}" + ("，此前已立案" if patch.is_repeated else "")}
    if row.may_open and row.case is not None:
        named["href"] = url(request, "map", {"case": row.case.id})
    cells = {each.key: _cell(each) for each in row.stages}
    if row.case is not None and row.case.number:
        opened = {"text": row.case.number, "href": url(request, "case", case_id=row.case.id) if row.may_open else None}
        cells["number"] = {**opened, "tag": state_tag(row.stage("number"))}
    return {"cells": {"patch": named, "area": f"{patch.area_m2:,}", **cells}}


def _cell(stage: Stage) -> Mapping[str, Any]:
    return {"tag": state_tag(stage), "sub": stage.words}


def state_tag(stage: Stage) -> Mapping[str, str]:
    """The tag of a stage."""
    return words("states")[stage.state]


def resume(request: Request) -> Response:
    """Go on with an opening that stopped."""
    run_id = request.path_params["run_id"]
    with page.writing(request) as session:
        opening.resume(session, page.actor(request), run_id)
    return page.redirect(request, "inspection_patches", run_id=run_id)


def export_list(request: Request) -> Response:
    """Queue the export of the rows that fit."""
    sort = text(request, "sort", 12)
    query = PatchQuery(request.path_params["run_id"], text(request, "state", 12), text(request, "words", 80), sort if sort in SORTS else SORTS[0])
    with page.writing(request) as session:
        job = export.request(session, page.actor(request), query)
    return page.redirect(request, "job", job_id=job.id)


@panel("patch")
def patch_panel(request: Request, session: Session, case: Case, task: Task | None) -> Mapping[str, Any]:
    """The stages of the patch that a case was opened for, and the task it came with if the viewer may see inspections."""
    found = listing.of_case(session, page.actor(request), case.id)
    if found is None:
        return {"stages": (), "href": "", "overlays": ()}
    rows = [{"label": words("stages")[each.key], "tag": state_tag(each), "stage": each} for each in found.stages]
    is_open = may(request, access.SEE, case.district_code)
    href = url(request, "inspection_patches", {"words": found.patch.number}, run_id=found.patch.run_id) if is_open else ""
    return {"stages": rows, "href": href, "overlays": [_overlay(each) for each in case.values.get(SECTION) or ()]}


def _overlay(row: Mapping[str, str]) -> Mapping[str, Any]:
    return {"cells": {"layer": row["layer"], "class": row["class"], "area": f"{Decimal(row['overlap_m2']):,}"}}
