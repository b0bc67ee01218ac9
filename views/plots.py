"""Plots 地块 of a case: the panel, the list with search, sort and total, upload, delete, clear, template, export."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import dictionary, hold, plot, portal_clock, template_file
from domain.case import access, scope
from domain.case.tables import Case, Task
from domain.case.words import code_of
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.file_store import CHUNK_BYTES, StoredFile
from domain.hold import MARKS
from domain.ledger import area_label
from domain.ledger import export as ledger_export
from domain.plot.listing import PlotQuery, PlotSummary, uploads_of
from domain.plot.sheet import definition
from views import page
from views.files import disposition, file_response
from views.paging import PAGE_SIZE, Pager, pager, place
from views.panels import panel
from views.posted import FieldFault, faults_of, text, upload
from views.shell import Crumb, Link

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHORT = 10
"""Rows on the panel; the list page has all."""
SORTS = {"plot_number": "地块编号", "plot_name": "地块名称", "quota_scope": "指标范围", "area_m2": "耕地面积（平方米）"}


@dataclass(frozen=True)
class PlotsPage:
    """The context of plots/list.html."""

    case: Case
    code: str
    rows: Sequence[Mapping[str, Any]]
    columns: Sequence[Mapping[str, Any]]
    total: PlotSummary
    whole: PlotSummary
    pager: Pager
    query: PlotQuery
    can_change: bool
    hrefs: Mapping[str, str]
    uploads: Sequence[Any]
    errors: Sequence[FieldFault]
    row_faults: Sequence[Mapping[str, Any]]
    notice: str
    limits: str


@dataclass(frozen=True)
class ClearPage:
    """The context of plots/clear.html."""

    code: str
    total: PlotSummary
    action: str
    back: str


def _url(request: Request, name: str, query: Mapping[str, Any] | None = None, **params: Any) -> str:
    return request.app.state.templates.url(name, query, **params)


@panel("plots")
def plots_panel(request: Request, session: Session, case: Case, task: Task | None) -> Mapping[str, Any]:
    """The first plots of a case with the total, and the upload for whoever may change them."""
    rows = plot.plots_of(session, case.id, limit=SHORT)
    return {
        "rows": _rows(request, session, case, rows),
        "total": plot.summary(session, case.id),
        "can_change": _may_change(request, session, case, task),
        "hrefs": _hrefs(request, case),
        "short": SHORT,
        "limits": _limits(),
        "csrf_token": getattr(request.state, "csrf_token", None),
    }


def _may_change(request: Request, session: Session, case: Case, task: Task | None) -> bool:
    return plot.may_change(session, page.actor(request), case, task)


def _limits() -> str:
    return f"Excel 工作簿（.xlsx），不超过 {definition().largest_mb} MB、{definition().most_rows:,} 行；有一行不符合，整批不入库"


def _hrefs(request: Request, case: Case) -> dict[str, str]:
    names = {"list": "case_plots", "upload": "upload_plots", "clear": "clear_plots", "remove": "remove_plot", "export": "export_plots"}
    found = {key: _url(request, name, case_id=case.id) for key, name in names.items()}
    sees_map = "map" in request.app.state.route_names
    map_href = _url(request, "map", {"case": case.id}) if sees_map else ""
    return found | {"template": _url(request, "plot_template"), "case": _url(request, "case", case_id=case.id), "map": map_href}


def _rows(request: Request, session: Session, case: Case, rows: Sequence[plot.CasePlot]) -> list[dict[str, Any]]:
    """Rows as the table shows them, each with its mark and the link to its place on the map."""
    scopes = {each.value: each.label for each in dictionary.choices(session, portal_clock.today(session)).get("quota_scope", ())}
    marks = {key: held.mark for key, held in hold.held_by(session, case.id).items()}
    sees_map = "map" in request.app.state.route_names
    return [
        {
            "number": row.plot_number,
            "cells": {
                "area": area_label(row.area_code),
                "plot_number": {
                    "text": row.plot_number,
                    "href": _url(request, "map", {"case": case.id, "plot": row.plot_number}) if sees_map else "",
                },
                "plot_name": {"text": row.plot_name or "—", "sub": row.class_name},
                "quota_scope": scopes.get(row.quota_scope, row.quota_scope) or "—",
                "area_m2": f"{row.area_m2:,.2f}",
                "mark": MARKS.get(marks.get(row.plot_number, ""), "已解除"),
            },
        }
        for row in rows
    ]


def show(request: Request) -> Response:
    """The list of a case's plots."""
    return _list_page(request)


def _list_page(request: Request, errors: Sequence[FieldFault] = (), rows: Sequence[Any] = (), status: int = 200) -> Response:
    params = request.query_params
    sort = params.get("sort", "plot_number")
    query = PlotQuery(params.get("q", "").strip()[:60], sort.removeprefix("-"), sort.startswith("-"))
    with page.reading(request) as session:
        case = scope.find(session, page.actor(request), request.path_params["case_id"])
        task = access.task_in_hand(session, page.actor(request), case)
        found = plot.plots_of(session, case.id, query, offset=place(request), limit=PAGE_SIZE)
        total = plot.summary(session, case.id, query)
        context = PlotsPage(
            case=case, code=code_of(case), rows=_rows(request, session, case, found), columns=_columns(request, case, query),
            total=total, whole=plot.summary(session, case.id) if query.text else total,
            pager=pager(request, len(found), total.count, "块", case_id=case.id), query=query,
            can_change=_may_change(request, session, case, task), hrefs=_hrefs(request, case), uploads=uploads_of(session, case.id),
            errors=errors, row_faults=[{"cells": {"row": str(r.row_no), "number": r.plot_number or "（空）", "reason": r.reason}} for r in rows],
            notice=_notice(params.get("ignored", "")), limits=_limits(),
        )  # fmt: skip
        session.expunge_all()
    crumbs = (Crumb("办件", Link("cases", "办件")), Crumb(context.code, Link("case", context.code, {"case_id": case.id})), Crumb("地块明细"))
    return page.render(
        request, "plots/list.html", context, title=f"地块明细 {context.code}", current="cases", crumbs=crumbs, audience="bench", status=status
    )


def _notice(ignored: str) -> str:
    return f"表中另有 {ignored[:120]} 等列，没有读取。" if ignored else ""


def _columns(request: Request, case: Case, query: PlotQuery) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = [{"key": "area", "label": "行政区"}]
    for key, label in SORTS.items():
        is_current = key == query.sort
        target = f"-{key}" if is_current and not query.is_descending else key
        sort: dict[str, Any] = {"href": _url(request, "case_plots", {"q": query.text or None, "sort": target}, case_id=case.id)}
        if is_current:
            sort["order"] = "descending" if query.is_descending else "ascending"
        columns.append({"key": key, "label": label, "is_number": key == "area_m2", "sort": sort})
    return [*columns, {"key": "mark", "label": "标记"}]


def send(request: Request) -> Response:
    """Take a workbook in; every row that does not fit is listed on the page, and nothing is kept."""
    try:
        file = upload(request, "file")
        chunks = iter(lambda: file.file.read(CHUNK_BYTES), b"")
        received, sheet = plot.receive(page.office(request).files, file.filename or "", chunks)
        with page.writing(request) as session:
            plot.upload(session, page.actor(request), _task_id(request, session), sheet, received, file.filename or "")
    except plot.PlotsRefused as refused:
        return _list_page(request, (FieldFault("plots-file", refused.message),), refused.rows, 422)
    except Conflict as taken:
        return _list_page(request, (FieldFault("plots-file", taken.message),), (), 409)
    except InvalidData as fault:
        return _list_page(request, tuple(FieldFault("plots-file", each.text) for each in faults_of(fault)), (), 422)
    query = {"ignored": "、".join(sheet.ignored)} if sheet.ignored else None
    return page.redirect(request, "case_plots", query=query, case_id=request.path_params["case_id"])


def _task_id(request: Request, session: Session) -> int:
    """The task by which the person may change the plots. Raises NotAllowed without one."""
    case = scope.find(session, page.actor(request), request.path_params["case_id"])
    task = access.task_in_hand(session, page.actor(request), case)
    if task is None:
        raise NotAllowed("办件不在你手上，不能改动地块。需要改动的，请把办件退回填报环节。")
    return task.id


def remove(request: Request) -> Response:
    """Take one plot out."""
    with page.writing(request) as session:
        plot.remove(session, page.actor(request), _task_id(request, session), text(request, "plot_number", 64))
    return page.redirect(request, "case_plots", case_id=request.path_params["case_id"])


def clear(request: Request) -> Response:
    """Say what 地块清空 does; do it when that is posted."""
    case_id = request.path_params["case_id"]
    if request.method == "POST":
        with page.writing(request) as session:
            plot.clear(session, page.actor(request), _task_id(request, session))
        return page.redirect(request, "case_plots", case_id=case_id)
    with page.reading(request) as session:
        case = scope.find(session, page.actor(request), case_id)
        hrefs = _hrefs(request, case)
        context = ClearPage(code_of(case), plot.summary(session, case.id), hrefs["clear"], hrefs["list"])
    crumbs = (Crumb("办件", Link("cases", "办件")), Crumb(context.code, Link("case", context.code, {"case_id": case_id})), Crumb("地块清空"))
    return page.render(request, "plots/clear.html", context, title="地块清空", current="cases", crumbs=crumbs, audience="bench")


def template(request: Request) -> Response:
    """The workbook to fill in: the one that administrators put in force, else the built-in one."""
    with page.reading(request) as session:
        try:
            row = template_file.current(session, template_file.PLOT_SHEET)
        except NotFound:
            return _built_in(session)
        return file_response(session, session.get(StoredFile, row.digest), row.name)


def _built_in(session: Session) -> Response:
    choices = dictionary.choices(session, portal_clock.today(session))
    content = plot.template_workbook(
        [each.label for each in choices.get("districts", ())], [each.label for each in choices.get("quota_scope", ())]
    )
    headers = {"Content-Disposition": disposition("attachment", "地块上传模板.xlsx"), "Cache-Control": "private, no-store"}
    return Response(content, media_type=XLSX, headers=headers)


def export(request: Request) -> Response:
    """Queue a workbook of the list."""
    case_id = request.path_params["case_id"]
    with page.writing(request) as session:
        job = ledger_export.request_export(session, page.actor(request), "plots", {"case_id": case_id})
    return page.redirect(request, "job", job_id=job.id)
