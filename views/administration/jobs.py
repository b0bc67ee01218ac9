"""Jobs of the whole portal: state, progress, heartbeat; cancel one, run a failed one again."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain import job, job_list, portal_clock
from domain.job import Job
from domain.job_list import STATES, JobRow
from views.administration import frame
from views.page import actor, reading, redirect, writing
from views.paging import PAGE_SIZE, Pager, pager, place
from views.shell import Crumb

SECTION = "administered_jobs"
TONES = {"done": "good", "failed": "bad", "running": "info"}
KINDS = {
    "audit_export": "导出留痕", "audit_verification": "核验留痕链", "build_report_package": "组卷", "case_export": "导出办件",
    "exchange_export": "导出报文", "exchange_reconcile": "对账", "inspection_admit": "打包入库", "inspection_export": "导出质检结果", "inspection_pack": "成果打包", "inspection_read": "读取数据包", "inspection_run": "质检",
    "layer_comparison": "导出图层对比", "layer_export": "导出图层", "layer_share": "打包共享数据", "ledger_export": "导出台账", "map_drawing": "绘制地图", "map_print": "打印地图", "map_query_export": "导出查询结果",
    "layer_update_apply": "更新图层", "layer_update_read": "读取图层更新数据",
    "nightly_sweep": "每日自动处理", "observation_export": "导出监测序列", "overlay_run": "叠加分析", "overlay_run_export": "导出叠加分析", "patch_cases": "图斑立案", "patch_case_export": "导出图斑案件", "renew_papers": "重新生成文书", "report_export": "导出报送", "rule_replay": "规则回放", "rule_replay_export": "导出回放结果",
    "sweep_clocks": "重算时限", "thematic_map": "导出专题图",
}
DONE = {"cancel": "已要求取消。执行中的作业在下一步停下。", "retry": "作业已重新排队。"}


@dataclass(frozen=True)
class JobsPage:
    """The context of administration/jobs.html."""

    rows: list[dict[str, Any]]
    filters: list[dict[str, Any]]
    pager: Pager


@dataclass(frozen=True)
class JobPage:
    """The context of administration/job.html."""

    job: Job
    kind: str
    state: str
    tone: str
    silent_seconds: int | None
    percent: int | None


def list_jobs(request: Request) -> Response:
    """Every job by filter and page."""
    status, kind = request.query_params.get("status", ""), request.query_params.get("kind", "")
    with reading(request) as session:
        found, total = job_list.list_jobs(session, status=status, kind=kind, first=place(request), size=PAGE_SIZE)
        kinds = job_list.kinds(session)
    filters = [
        {"name": "status", "label": "状态", "kind": "select", "value": status, "choices": [{"value": key, "label": label} for key, label in STATES.items()]},
        {"name": "kind", "label": "类别", "kind": "select", "value": kind, "choices": [{"value": each, "label": KINDS.get(each, each)} for each in kinds]},
    ]
    page = JobsPage([_row(request, each) for each in found], filters, pager(request, len(found), total, "项作业"))
    return frame.render(request, "administration/jobs.html", page, section=SECTION, title="作业")


def _row(request: Request, each: JobRow) -> dict[str, Any]:
    row = each.job
    return {"cells": {
        "title": {"text": row.title, "href": request.app.state.templates.url("administered_job", job_id=row.id), "sub": KINDS.get(row.kind, row.kind)},
        "owner": each.owner or {"text": "系统", "is_soft": True},
        "created": portal_clock.local_date(row.created_at).isoformat(),
        "progress": f"{row.percent}%" if row.percent is not None else None,
        "state": {"tag": {"label": STATES[row.status], "tone": TONES.get(row.status, "")}},
    }}


def show(request: Request) -> Response:
    """One job."""
    with reading(request) as session:
        row = job.job_of(session, actor(request), request.path_params["job_id"])
        is_running = row.status == "running" and row.heartbeat_at is not None
        silent = int((portal_clock.now(session) - row.heartbeat_at).total_seconds()) if is_running else None
    page = JobPage(row, KINDS.get(row.kind, row.kind), STATES[row.status], TONES.get(row.status, ""), silent, row.percent)
    return frame.render(
        request, "administration/job.html", page, section=SECTION, title=row.title, trail=(Crumb(row.title),), notices=frame.done(request, DONE)
    )


def cancel(request: Request) -> Response:
    """Take a job back or ask it to end."""
    with writing(request) as session:
        job.cancel(session, actor(request), request.path_params["job_id"])
    return redirect(request, "administered_job", job_id=request.path_params["job_id"], query={"done": "cancel"})


def retry(request: Request) -> Response:
    """Queue a failed or cancelled job again."""
    with writing(request) as session:
        job.retry(session, actor(request), request.path_params["job_id"])
    return redirect(request, "administered_job", job_id=request.path_params["job_id"], query={"done": "retry"})
