"""Jobs 作业: one's own long work, its progress, and its result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlmodel import Session, col, func, select
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from domain import job as jobs
from domain.actor import Actor
from domain.errors import NotFound
from domain.file_store import StoredFile
from domain.format import file_size
from domain.job import Job
from domain.office import office_of
from views import page
from views.posted import digits
from views.shell import Crumb, Link

PAGE_ROWS = 50


@dataclass(frozen=True)
class JobsContext:
    """What templates/desk/jobs.html reads."""

    rows: tuple[Mapping[str, Any], ...]
    next_before: int | None


@dataclass(frozen=True)
class JobContext:
    """What templates/desk/job.html reads: the parameters of the job card."""

    card: Mapping[str, Any]
    job: Job


def job_list(request: Request) -> Response:
    """One's own jobs, the newest first."""
    before = request.query_params.get("before", "")
    with page.reading(request) as session:
        found = _own(session, page.actor(request), digits(before))
        rows = tuple(_row(request, job) for job in found[:PAGE_ROWS])
    context = JobsContext(rows, found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None)
    return page.render(request, "desk/jobs.html", context, title="我的作业", current="desk", audience="bench")


def _own(session: Session, actor: Actor, before: int | None) -> list[Job]:
    statement = select(Job).where(Job.owner_id == actor.person_id).order_by(col(Job.id).desc()).limit(PAGE_ROWS + 1)
    return list(session.exec(statement if before is None else statement.where(col(Job.id) < before)).all())


def _row(request: Request, job: Job) -> Mapping[str, Any]:
    url = request.app.state.templates.url
    tones = {"done": "good", "failed": "bad", "running": "info"}
    return {
        "title": {"text": f"{job.title}（{job.id}）", "href": url("job", job_id=job.id)}, "created_at": job.created_at,
        "status": job.status, "tone": tones.get(job.status, ""), "finished_at": job.finished_at,
    }


def show(request: Request) -> Response:
    """One job: its card, which asks for itself again while the job waits or runs."""
    with page.reading(request) as session:
        job = jobs.job_of(session, page.actor(request), request.path_params["job_id"])
        context = JobContext(_card(request, session, job), job)
    block = "card" if page.is_htmx(request) else None
    crumbs = (Crumb("我的作业", Link("jobs", "我的作业")), Crumb(job.title))
    return page.render(
        request, "desk/job.html", context, title=job.title, crumbs=crumbs, current="desk", audience="bench", block=block
    )


def _card(request: Request, session: Session, job: Job) -> Mapping[str, Any]:
    url = request.app.state.templates.url
    is_open = job.is_unfinished
    return {
        "id": f"job-{job.id}", "title": job.title, "state": job.status, "url": url("job", job_id=job.id),
        "progress": job.percent,
        "doing": job.doing, "ahead": _ahead(session, job) if job.status == "queued" else None,
        "cancel_url": url("cancel_job", job_id=job.id) if is_open else None,
        "results": [{"label": _result_label(session, job), "href": url("job_result", job_id=job.id)}] if job.result_file else [],
        "took": _took(job), "why": job.fault,
        "retry_url": url("retry_job", job_id=job.id) if job.status in ("failed", "cancelled") else None,
    }


def _ahead(session: Session, job: Job) -> int:
    return session.exec(select(func.count()).select_from(Job).where(Job.status == "queued", col(Job.id) < job.id)).one()


def _result_label(session: Session, job: Job) -> str:


    stored = session.get(StoredFile, job.result_file)
    return f"下载 {job.result_name}（{file_size(stored.size_bytes)}）" if stored else f"下载 {job.result_name}"


def _took(job: Job) -> str | None:
    if not job.started_at or not job.finished_at:
        return None
    seconds = int((job.finished_at - job.started_at).total_seconds())
    return f"{seconds // 60} 分 {seconds % 60} 秒" if seconds >= 60 else f"{seconds} 秒"


def cancel(request: Request) -> Response:
    """Take a job back, or ask it to end."""
    return _changed(request, jobs.cancel)


def retry(request: Request) -> Response:
    """Queue a failed job again."""
    return _changed(request, jobs.retry)


def _changed(request: Request, act: Any) -> Response:
    with page.writing(request) as session:
        job = act(session, page.actor(request), request.path_params["job_id"])
    return page.redirect(request, "job", job_id=job.id)


def result(request: Request) -> Response:
    """The file a job left, for its owner alone."""
    with page.reading(request) as session:
        job = jobs.job_of(session, page.actor(request), request.path_params["job_id"])
        if job.result_file is None or job.owner_id != page.actor(request).person_id:
            raise NotFound("这项作业没有可下载的结果，或它不是你提交的。请从「我的作业」进入。")
        stored = session.get(StoredFile, job.result_file)
        chunks = office_of(session).files.read(job.result_file)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(job.result_name or 'result')}",
        "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
        "Content-Length": str(stored.size_bytes),
    }
    return StreamingResponse(chunks, media_type=stored.media_type, headers=headers)
