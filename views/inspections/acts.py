"""What is done with a task: confirm, run again, correct, cancel, rename, delete, copy; exceptions, exports, admission."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import InvalidData, Refused
from domain.file_store import StoredFile
from domain.inspection.task import access, admission, course, exceptions, export, findings
from domain.inspection.task.access import INSPECT
from domain.inspection.task.exceptions import Wanted
from domain.inspection.task.tables import InspectionFinding
from views import page
from views.declared_system import ENCODINGS, SYSTEMS
from views.files import file_response
from views.inspections import task as task_view
from views.inspections.listing import received
from views.inspections.words import crumbs, severity_tag, url
from views.posted import digits, number, text, upload, version
from views.shell import Crumb, Link


@dataclass(frozen=True)
class ChangesPage:
    """The context of inspections/changes.html: what was mended, is new, or stayed since the version before."""

    title: str
    rows: Sequence[InspectionFinding]
    tags: Sequence[Mapping[str, str]]
    total: int
    back: str
    next_href: str | None


def _done(request: Request, act: Callable[..., Any], *args: Any, **query: Any) -> Response:
    """Do it and show the task; a refusal is said on the page of the task."""
    task_id = request.path_params["task_id"]
    try:
        with page.writing(request) as session:
            act(session, page.actor(request), task_id, *args)
    except (Refused, InvalidData) as refusal:
        return task_view.task_page(request, refusal.message, 422)
    return page.redirect(request, "inspection", query=query, task_id=task_id)


def confirm(request: Request) -> Response:
    """Start the inspection of what was read."""
    return _done(request, course.confirm, version(request))


def reread(request: Request) -> Response:
    """Read a package again with what was declared."""
    crs, encoding, package_no = text(request, "declared_crs", 32), text(request, "encoding", 16), number(request, "package") or 1
    if (crs and crs not in SYSTEMS) or (encoding and encoding not in ENCODINGS):
        raise InvalidData("所选的坐标系或编码不在列表中。请从列表选择。")
    return _done(request, course.reread, version(request), package_no, crs, encoding, package=package_no)


def rerun(request: Request) -> Response:
    """Inspect again, with the variant chosen."""
    return _done(request, course.rerun, version(request), number(request, "package"), number(request, "variant"))


def cancel(request: Request) -> Response:
    """End what waits or runs."""
    return _done(request, course.cancel, version(request))


def rename(request: Request) -> Response:
    """Another name."""
    return _done(request, course.rename, version(request), text(request, "title", 200))


def resubmit(request: Request) -> Response:
    """The corrected package as the next version."""
    package_no, given = request.path_params["package_no"], version(request)
    with page.reading(request) as session:
        task = access.task_of(session, page.actor(request), request.path_params["task_id"])
        access.require(page.actor(request), INSPECT, task.district_code)
    packages = received(request, upload(request, "files"))
    if len(packages) > 1:
        return task_view.task_page(request, f"上传的压缩包里有 {len(packages)} 个成果数据，这里只收改正后的 1 个。请单独压缩后再上传。", 422)
    return _done(request, course.resubmit, given, package_no, packages[0], package=package_no)


def delete(request: Request) -> Response:
    """Take the task from the list; the list offers to undo it."""
    with page.writing(request) as session:
        course.delete(session, page.actor(request), request.path_params["task_id"], version(request))
    return page.redirect(request, "inspections", query={"deleted": "1"}, anchor=f"task-{request.path_params['task_id']}")


def restore(request: Request) -> Response:
    """Bring a deleted task back."""
    return _done(request, course.restore)


def copy(request: Request) -> Response:
    """A new task over the same packages."""
    with page.writing(request) as session:
        made = course.copy(session, page.actor(request), request.path_params["task_id"])
    return page.redirect(request, "inspection", task_id=made.id)


def ask_exception(request: Request) -> Response:
    """Ask that the findings ticked, or a whole class, be excepted."""
    ticked = tuple(each for value in page.form(request).getlist("finding") if (each := digits(value)) is not None)
    wanted = Wanted(ticked, text(request, "code", 64) if text(request, "all", 4) else "")
    run_id = number(request, "run") or 0
    return _done(request, exceptions.ask, version(request), run_id, wanted, text(request, "reason", 2000), run=run_id)


def decide_exception(request: Request) -> Response:
    """Approve or refuse a request for an exception."""
    approved = text(request, "decision", 8) == "approve"
    return _excepted(request, exceptions.decide, approved, text(request, "opinion", 2000))


def withdraw_exception(request: Request) -> Response:
    """Take one's own request back."""
    return _excepted(request, exceptions.withdraw)


def _excepted(request: Request, act: Callable[..., Any], *args: Any) -> Response:
    with page.writing(request) as session:
        row = act(session, page.actor(request), request.path_params["exception_id"], *args)
        run_id = row.run_id
    with page.reading(request) as session:
        task, _ = access.run_of(session, page.actor(request), run_id)
    return page.redirect(request, "inspection", query={"run": run_id}, anchor="exceptions", task_id=task.id)


def export_result(request: Request) -> Response:
    """Queue the export of what was ticked."""
    chosen = [value for value in page.form(request).getlist("what") if isinstance(value, str)]
    return _job(request, lambda session, actor: export.request(session, actor, request.path_params["run_id"], chosen))


def pack(request: Request) -> Response:
    """Queue the packing of a passed package."""
    return _job(request, lambda session, actor: export.request_pack(session, actor, request.path_params["run_id"]))


def _job(request: Request, ask: Callable[..., Any]) -> Response:
    with page.writing(request) as session:
        job = ask(session, page.actor(request))
    return page.redirect(request, "job", job_id=job.id)


def admit(request: Request) -> Response:
    """Queue the admission of a package to its layer."""
    package_no = request.path_params["package_no"]
    return _done(request, admission.request, version(request), package_no, package=package_no)


def package_file(request: Request) -> Response:
    """The package as it was uploaded."""
    with page.reading(request) as session:
        _, run = access.run_of(session, page.actor(request), request.path_params["run_id"])
        return file_response(session, session.get(StoredFile, run.digest), run.file_name)


def changes(request: Request) -> Response:
    """What became of the findings of the version before."""
    kind = request.query_params.get("kind", "mended")
    words = {"mended": "已改正的问题", "new": "新出现的问题", "stayed": "仍在的问题"}
    if kind not in words:
        raise InvalidData("没有这一类变化。请从任务页面进入。")
    after, run_id = digits(request.query_params.get("after", "")) or 0, request.path_params["run_id"]
    with page.reading(request) as session:
        task, run = access.run_of(session, page.actor(request), run_id)
        before = findings.previous(session, run)
        found = findings.changed_rows(session, run, before, kind, after) if before else findings.FindingPage((), 0)
        back = url(request, "inspection", {"run": run.id}, task_id=task.id)
        context = ChangesPage(
            words[kind], found.rows, [severity_tag(row.severity) for row in found.rows], found.total, back,
            url(request, "inspection_changes", {"kind": kind, "after": found.next}, run_id=run_id) if found.next else None,
        )  # fmt: skip
        place = crumbs(Crumb(task.title, Link("inspection", task.title, {"task_id": task.id})), Crumb(words[kind]))
    return page.render(request, "inspections/changes.html", context, title=words[kind], crumbs=place, current="inspections", audience="bench")

