"""One task on screen: what was read before anything runs, its progress, and its findings linked with map and attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import NotFound
from domain.format import moment
from domain.inspection.task import (
    access,
    admission,
    course,
    engine,
    exceptions,
    export,
    findings,
    plan,
    report,
    variant,
)
from domain.inspection.task.access import EXCEPT, INSPECT
from domain.inspection.task.findings import FindingQuery
from domain.inspection.task.tables import BUSY, INSPECTED, InspectionFinding, InspectionRun, InspectionTask
from domain.job import Job
from views import page
from views.declared_system import encoding_choices, system_choices
from views.inspections import panel, words
from views.inspections.panel import AttributePanel
from views.inspections.patches import Section, section_of
from views.inspections.words import crumbs, may, url
from views.posted import digits
from views.shell import Crumb

PANES = {"errors": "错误信息", "layers": "图层", "table": "表格", "map": "地图"}


@dataclass(frozen=True)
class Package:
    """One package of the task as lists and the head show it."""

    run: InspectionRun
    tag: Mapping[str, str]
    href: str
    verdict: str
    facts: Sequence[Mapping[str, Any]]
    job: Mapping[str, Any] | None
    is_picked: bool


@dataclass(frozen=True)
class Pane:
    """What stands in the chosen pane of an inspected package."""

    key: str
    tabs: Sequence[Mapping[str, Any]]
    classes: Sequence[Mapping[str, Any]]
    filters: Sequence[Mapping[str, Any]]
    query: Mapping[str, str]
    rows: Sequence[InspectionFinding]
    total: int
    next_href: str | None
    first_href: str | None
    map: Mapping[str, Any] | None
    layers: Sequence[Mapping[str, Any]]
    table: Mapping[str, Any] | None
    panel: AttributePanel | None
    tags: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class TaskPage:
    """The context of inspections/show.html."""

    task: InspectionTask
    head: str
    scheme_title: str
    packages: Sequence[Package]
    chosen: Package
    history: Sequence[Mapping[str, Any]]
    change: Mapping[str, Any] | None
    pane: Pane | None
    exceptions: Sequence[Mapping[str, Any]]
    deciders: str
    systems: Sequence[Mapping[str, str]]
    encodings: Sequence[Mapping[str, str]]
    variants: Sequence[Mapping[str, str]]
    choices: Mapping[str, str]
    may_inspect: bool
    may_ask: bool
    is_inspecting: bool
    is_admitting: bool
    admission: Mapping[str, Any]
    patches: Section | None
    refused: str


def show(request: Request) -> Response:
    """The task, or the block that a script asked for."""
    return task_page(request)


def task_page(request: Request, refused: str = "", status: int = 200) -> Response:
    """The page of a task; `refused` says why an act was not done."""
    with page.reading(request) as session:
        task = access.task_of(session, page.actor(request), request.path_params["task_id"])
        context = _context(request, session, task, refused)
    is_watching = "watch" in request.query_params
    if is_watching and not (context.is_inspecting or context.is_admitting):
        return page.redirect(request, "inspection", query={"package": context.chosen.run.package_no}, task_id=task.id)
    return page.render(
        request, "inspections/show.html", context, title=task.title, crumbs=crumbs(Crumb(task.title)), current="inspections",
        audience="bench", block=_block(request) if page.is_htmx(request) else None, status=status,
    )  # fmt: skip


def _block(request: Request) -> str | None:
    """The part that a script asks for: the progress that renews itself, or the finding that was picked."""
    return "progress" if "watch" in request.query_params else "panel" if request.headers.get("X-Block") == "finding" else None


def _context(request: Request, session: Session, task: InspectionTask, refused: str) -> TaskPage:
    runs = course.runs_of(session, task.id, latest=False)
    latest = [run for run in runs if run.is_latest]
    run = _chosen(request, runs, latest)
    jobs = _jobs(session, latest)
    packages = [_package(request, each, jobs, run) for each in latest]
    chosen = next((each for each in packages if each.run.id == run.id), None) or _package(request, run, jobs, run)
    before = findings.previous(session, run) if run.state in INSPECTED else None
    is_mine = may(request, INSPECT, task.district_code)
    return TaskPage(
        task=task, head=_head(task, run), scheme_title=engine.title_of(task.scheme), packages=packages, chosen=chosen,
        history=[_past(request, each, run) for each in runs if each.package_no == run.package_no],
        change=_change(request, session, run, before), pane=_pane(request, session, task, run) if run.state in INSPECTED else None,
        exceptions=[_exception(request, task, each) for each in exceptions.exceptions_of(session, run.id)],
        deciders=exceptions.decider_words(task.district_code), systems=system_choices(),
        encodings=encoding_choices(),
        variants=[{"value": str(each.id), "label": each.title} for each in variant.variants(session, task.scheme)], choices=export.CHOICES,
        may_inspect=is_mine, may_ask=is_mine and run.is_latest and run.state in ("passed", "failed"), is_inspecting=any(each.state in BUSY for each in latest),
        is_admitting=any(_is_admitting(each, jobs) for each in latest), admission=_admission(request, session, task, run, jobs),
        patches=section_of(request, session, task, run), refused=refused,
    )  # fmt: skip


def _chosen(request: Request, runs: Sequence[InspectionRun], latest: Sequence[InspectionRun]) -> InspectionRun:
    """The inspection asked for by id or by package, else the first package that is not in order."""
    wanted, number = digits(request.query_params.get("run", "")), digits(request.query_params.get("package", ""))
    if wanted is not None:
        found = next((run for run in runs if run.id == wanted), None)
        if found is None:
            raise NotFound("没有这次质检。请从任务页面进入。")
        return found
    if number is not None:
        return next((run for run in latest if run.package_no == number), latest[0])
    return next((run for run in latest if run.state in ("failed", "unreadable", "broken")), latest[0])


def _jobs(session: Session, runs: Sequence[InspectionRun]) -> dict[int, Job]:
    ids = [each for run in runs for each in (run.job_id, run.admission_job_id) if each]
    found = session.exec(select(Job).where(col(Job.id).in_(ids))).all() if ids else []
    return {job.id or 0: job for job in found}


def _is_admitting(run: InspectionRun, jobs: Mapping[int, Job]) -> bool:
    job = jobs.get(run.admission_job_id or 0)
    return job is not None and job.is_unfinished


def _package(request: Request, run: InspectionRun, jobs: Mapping[int, Job], chosen: InspectionRun) -> Package:
    job = jobs.get(run.job_id or 0) if run.state in BUSY else jobs.get(run.admission_job_id or 0)
    return Package(
        run, words.state_tag(run.state), url(request, "inspection", {"package": run.package_no}, task_id=run.task_id), report.verdict(run) if run.state in INSPECTED else "",
        _facts(run), _card(request, run, job), run.id == chosen.id,
    )  # fmt: skip


def _facts(run: InspectionRun) -> list[Mapping[str, Any]]:
    said = run.understood or {}
    layers = said.get("layers", [])
    systems = list(dict.fromkeys(each["system"] for each in layers if each["geometry_type"])) or ["没有图形"]
    count = sum(each["count"] for each in layers)
    return [
        {"label": "识别到", "value": f"{said.get('kind', '—')}，{len(layers)} 个图层"}, {"label": "坐标系", "value": "、".join(systems)},
        {"label": "编码", "value": said.get("encoding") or "—"}, {"label": "要素", "value": f"{count:,} 个"},
        {"label": "成绩", "value": f"{run.score} 分" if run.score is not None else "—"},
        {"label": "方案配置", "value": report.variant_words(run) if run.inspected_on else "—"},
    ]  # fmt: skip


def _card(request: Request, run: InspectionRun, job: Job | None) -> Mapping[str, Any] | None:
    """The job card of what runs; of an admission that was refused, why."""
    if job is None or (run.state not in BUSY and job.status in ("done", "cancelled")):
        return None
    card = {
        "id": f"job-{job.id}", "title": job.title, "state": job.status, "doing": job.doing, "why": job.fault,
        "url": url(request, "inspection", {"package": run.package_no}, task_id=run.task_id),
        "progress": job.percent,
    }
    return card


def _head(task: InspectionTask, run: InspectionRun) -> str:
    if run.state not in INSPECTED:
        return f"{task.title}：{words.STATE_WORDS[run.state]}"
    rest = sum(row["total"] - row["excepted"] for row in run.counts.get("classes", []) if row["severity"] != "error")
    said = f"合格，成绩 {run.score} 分" if run.is_passed else f"不合格：{run.error_count:,} 处错误要改" if run.error_count else f"不合格：成绩 {run.score} 分"
    return said + (f"，{rest:,} 处提示" if rest else "") + (f"，{run.excepted_count:,} 处例外" if run.excepted_count else "")


def _past(request: Request, run: InspectionRun, chosen: InspectionRun) -> Mapping[str, Any]:
    return {
        "href": url(request, "inspection", {"run": run.id}, task_id=run.task_id), "label": f"第 {run.package_version} 版，第 {run.run_no} 次",
        "at": moment(run.ended_at or run.uploaded_at), "tag": words.state_tag(run.state), "errors": run.error_count, "is_picked": run.id == chosen.id,
        "file_name": run.file_name,
    }  # fmt: skip


def _change(request: Request, session: Session, run: InspectionRun, before: InspectionRun | None) -> Mapping[str, Any] | None:
    if before is None:
        return None
    found = findings.change(session, run, before)
    kinds = (("mended", "已改正", found.mended), ("new", "新出现", found.new), ("stayed", "仍在", found.stayed))
    return {
        "before": f"第 {before.package_version} 版第 {before.run_no} 次",
        "rows": [{"label": label, "count": count, "href": url(request, "inspection_changes", {"kind": kind}, run_id=run.id)} for kind, label, count in kinds],
    }


def _exception(request: Request, task: InspectionTask, row: Any) -> Mapping[str, Any]:
    actor = page.actor(request)
    return {
        "row": row, "tag": words.exception_tag(row.state), "may_decide": exceptions.may_decide(actor, task, row),
        "may_withdraw": row.state in ("asked", "approved") and row.asked_by == actor.person_id,
        "sees_decision": may(request, EXCEPT, task.district_code), "asked_at": moment(row.asked_at),
        "decided_at": moment(row.decided_at) if row.decided_at else "",
    }


def _admission(
    request: Request, session: Session, task: InspectionTask, run: InspectionRun, jobs: Mapping[int, Job]
) -> Mapping[str, Any]:  # fmt: skip
    """Whether the package may be packed and admitted, or why not; of an admitted one, where it lies on the map."""
    wanted = plan.plan_of(task.scheme)
    lowest = engine.lowest_score(task) if run.state in INSPECTED else None
    layers = [
        {**each, "href": url(request, "map", {"q": ",".join(f"{n:.6f}" for n in _middle(run))}) if run.bounds else url(request, "map")}
        for each in run.admission.get("layers", [])
    ]
    return {
        "has_plan": wanted.is_admitted, "has_layer": bool(admission.layers_of(wanted)), "may": admission.may_admit(page.actor(request), task), "why_not": admission.refusal(task, run, lowest),
        "status": wanted.status, "layers": layers, "is_city": wanted.level == "city", "lowest": lowest,
        "is_running": _is_admitting(run, jobs),
        "titles": "、".join(each.title for each in admission.layers_of(wanted)),
        "left_out": run.admission.get("left_out") or admission.left_out(task, run),
    }  # fmt: skip


def _middle(run: InspectionRun) -> tuple[float, float]:
    west, south, east, north = run.bounds
    return (west + east) / 2, (south + north) / 2


def _pane(request: Request, session: Session, task: InspectionTask, run: InspectionRun) -> Pane:
    given = request.query_params
    key = given.get("pane", "") if given.get("pane", "") in PANES else "errors"
    query = FindingQuery(given.get("code", ""), given.get("layer", "") if key != "table" else "", given.get("severity", ""), given.get("state", ""))
    kept = {name: value for name, value in vars_of(query).items() if value}
    place = {"package": run.package_no} if run.is_latest else {"run": run.id}
    number = digits(given.get("finding", ""))
    after = digits(given.get("after", "")) or 0
    if number is not None and "after" not in given:
        after = findings.place_of(session, run.id, query, number)
    found = findings.page_of(session, run.id, query, after)
    picked = panel.of_finding(request, session, task, run, query, number, {**place, **kept, "pane": key}) if number is not None else None

    def here(**more: Any) -> str:
        return url(request, "inspection", {**place, **kept, "pane": key, **more}, task_id=task.id)

    return Pane(
        key=key,
        tabs=[{"label": label, "href": here(pane=each), "is_current": each == key, "count": found.total if each == "errors" else None} for each, label in PANES.items()],
        classes=[_class(row, here, query) for row in run.counts.get("classes", [])],
        filters=_filters(run, query), query={**{k: str(v) for k, v in place.items()}, **kept, "pane": key},
        rows=found.rows, total=found.total, next_href=here(after=found.next) if found.next else None, first_href=here() if after else None,
        map=panel.map_of(request, run, kept, picked), layers=panel.layers_of(request, run, here) if key == "layers" else (),
        table=panel.table_of(request, run, here) if key == "table" else None, panel=picked,
        tags={each: words.severity_tag(each) for each in report.SEVERITIES},
    )  # fmt: skip


def vars_of(query: FindingQuery) -> dict[str, str]:
    """The filter as it stands in addresses."""
    return {"code": query.code, "layer": query.layer, "severity": query.severity, "state": query.state}


def _class(row: Mapping[str, Any], here: Any, query: FindingQuery) -> Mapping[str, Any]:
    return {
        **row, "tag": words.severity_tag(row["severity"]), "href": here(code=row["code"], pane="errors"), "is_picked": query.code == row["code"],
        "left": row["total"] - row["excepted"],
    }  # fmt: skip


def _filters(run: InspectionRun, query: FindingQuery) -> list[Mapping[str, Any]]:
    classes = [{"value": row["code"], "label": f"{row['code']} {row['label']}"} for row in run.counts.get("classes", [])]
    layers = [{"value": each["name"], "label": each["name"]} for each in run.understood.get("layers", [])]
    return [
        {"name": "code", "label": "类别", "kind": "select", "value": query.code, "choices": classes},
        {"name": "layer", "label": "图层", "kind": "select", "value": query.layer, "choices": layers},
        {"name": "severity", "label": "级别", "kind": "select", "value": query.severity, "choices": _words(report.SEVERITIES)},
        {"name": "state", "label": "状态", "kind": "select", "value": query.state, "choices": _words(report.FINDING_STATES)},
    ]


def _words(found: Mapping[str, str]) -> list[Mapping[str, str]]:
    return [{"value": key, "label": label} for key, label in found.items()]

