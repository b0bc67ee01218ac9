"""The course of a task: made, confirmed, run again, corrected, cancelled, renamed, copied, deleted and restored.

Every act carries the version of the page it was done on; whoever was slower is told who was faster.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from domain import job as jobs
from domain.command import Work, command
from domain.district import district_name
from domain.errors import Conflict, InvalidData, NotFound, Refused
from domain.file_store import register
from domain.inspection.task import access, engine
from domain.inspection.task.access import ADMIT, INSPECT
from domain.inspection.task.package import ReceivedPackage
from domain.inspection.task.tables import (
    ADMITTED,
    BROKEN,
    BUSY,
    CANCELLED,
    FAILED,
    INSPECTED,
    PASSED,
    QUEUED,
    READING,
    RUNNING,
    UNREADABLE,
    WAITING,
    InspectionRun,
    InspectionTask,
    InspectionVariant,
)
from domain.job import Job
from domain.numbering import NumberPattern, take_number
from domain.portal_clock import local_date

READ_KIND, RUN_KIND = "inspection_read", "inspection_run"
LONGEST_TITLE = 100
_NUMBER = NumberPattern.parse("ZJ{year}{seq:5}")
_SERIES = "inspection_task"
_AGGREGATE = (READING, RUNNING, QUEUED, WAITING, BROKEN, UNREADABLE, FAILED, CANCELLED, PASSED, ADMITTED)
"""The state of a task is the first of these that one of its packages is in."""


@command("inspection.create", allow=access.holders(INSPECT))
def create(
    work: Work,
    scheme: str,
    title: str,
    district_code: str,
    packages: Sequence[ReceivedPackage],
    variant_id: int | None = None,
    *,
    is_generated: bool = False,
) -> InspectionTask:
    """A new task over packages in the file store; each is read by a job before anybody confirms it.

    Raises InvalidData for what is missing, NotAllowed for a district that is not one's own.
    """
    engine.require_scheme(scheme)
    access.require(work.actor, INSPECT, _known_district(district_code))
    _require_variant(work.session, scheme, variant_id)
    if not packages:
        raise InvalidData("没有选择数据包。请选择一个或几个数据包后再提交。", {"files": "请选择数据包"})
    named = _title(title, packages[0].name)
    task = InspectionTask(
        number=take_number(work.session, _SERIES, _NUMBER, on=local_date(work.at), values={}, subject="inspection", at=work.at),
        title=named, scheme=scheme, variant_id=variant_id, district_code=district_code,
        is_batch=len(packages) > 1, state=READING, package_count=len(packages),
        created_by=work.actor.person_id or 0, created_by_name=work.actor.name, created_at=work.at,
        changed_at=work.at, changed_by_name=work.actor.name, is_generated=is_generated,
    )  # fmt: skip
    work.session.add(task)
    work.session.flush()
    for number, package in enumerate(packages, start=1):
        read(work, task, new_run(work, task, number, package))
    work.record(f"inspection:{task.id}", scheme=scheme, packages=len(packages), district=district_code)
    return task


def _title(title: str, file_name: str) -> str:
    named = title.strip() or file_name
    if len(named) > LONGEST_TITLE:
        raise InvalidData(f"任务名称超过 {LONGEST_TITLE} 字。请改短。", {"title": f"不能超过 {LONGEST_TITLE} 字"})
    return named


def _known_district(code: str) -> str:
    try:
        district_name(code)
    except NotFound as error:
        raise InvalidData("请选择数据包所属的行政区。", {"district": "请选择行政区"}) from error
    return code


def _require_variant(session: Session, scheme: str, variant_id: int | None) -> None:
    if variant_id is None:
        return
    found = session.get(InspectionVariant, variant_id)
    if found is None or found.deleted_at is not None or found.scheme != scheme:
        raise InvalidData("所选的配置不属于这个质检方案，或已删除。请重新选择。", {"variant": "请重新选择"})


def new_run(work: Work, task: InspectionTask, package_no: int, package: ReceivedPackage, before: InspectionRun | None = None) -> InspectionRun:
    """The next inspection of a package with this content; the one before no longer counts."""
    if before is not None:
        before.is_latest = False
    run = InspectionRun(
        task_id=task.id, package_no=package_no, run_no=before.run_no + 1 if before else 1, state=READING,
        package_version=before.package_version + 1 if before else 1,
        file_name=package.name, digest=register(work.session, package.file, work.at), size_bytes=package.file.size_bytes,
        uploaded_by_name=work.actor.name, uploaded_at=work.at,
    )  # fmt: skip
    work.session.add(run)
    work.session.flush()
    return run


def read(work: Work, task: InspectionTask, run: InspectionRun) -> None:
    """Queue the reading of a package, after which it waits for confirmation."""
    run.state, run.fault, run.understood = READING, "", {}
    run.job_id = jobs.enqueue(work, READ_KIND, f"读取「{run.file_name}」", {"run": run.id}).id


def start(work: Work, task: InspectionTask, run: InspectionRun) -> None:
    """Queue the inspection of a package that was read."""
    run.state, run.fault, run.confirmed_by_name = QUEUED, "", work.actor.name
    run.job_id = jobs.enqueue(work, RUN_KIND, f"质检「{run.file_name}」", {"run": run.id}).id


def runs_of(session: Session, task_id: int, *, latest: bool = True) -> list[InspectionRun]:
    """The inspections of a task by package: the latest of each, or all, the newest first."""
    statement = select(InspectionRun).where(InspectionRun.task_id == task_id)
    if latest:
        return list(session.exec(statement.where(InspectionRun.is_latest).order_by(InspectionRun.package_no)).all())
    return list(session.exec(statement.order_by(InspectionRun.package_no, col(InspectionRun.run_no).desc())).all())


def lock(work: Work, task_id: int, version: int | None, right: str = INSPECT, *, deleted: bool = False) -> InspectionTask:
    """The task, locked until the end of the act, for somebody who may; Conflict if it changed since the page was made."""
    task = access.task_of(work.session, work.actor, task_id, with_deleted=deleted)
    statement = select(InspectionTask).where(InspectionTask.id == task_id).with_for_update()
    task = work.session.exec(statement.execution_options(populate_existing=True)).one()
    access.require(work.actor, right, task.district_code)
    if version is not None and task.version != version:
        raise Conflict(f"这项任务刚由{task.changed_by_name}改动过，本次没有执行。请刷新页面，看清现在的状态再办。")
    return task


def changed(work: Work, task: InspectionTask, act: str, **detail: Any) -> InspectionTask:
    """Note a change of the task: who and when, its next version, its state and counts, and the audit entry."""
    task.version += 1
    task.changed_at = work.at
    if not work.actor.is_system:
        task.changed_by_name = work.actor.name
    settle(work.session, task)
    work.record(f"inspection:{task.id}", act=act, **detail)
    return task


def settle(session: Session, task: InspectionTask) -> None:
    """Work out state and counts of a task from its packages."""
    session.flush()
    runs = runs_of(session, task.id)
    states = {run.state for run in runs}
    task.state = next(state for state in _AGGREGATE if state in states)
    task.package_count = len(runs)
    task.passed_count = sum(run.state in (PASSED, ADMITTED) for run in runs)
    task.error_count = sum(run.error_count for run in runs if run.state in INSPECTED)
    session.add(task)


@command("inspection.reread", allow=access.holders(INSPECT))
def reread(work: Work, task_id: int, version: int, package_no: int, declared_crs: str, encoding: str) -> InspectionTask:
    """Read a package once more with another coordinate system or encoding; only before it was inspected."""
    task = lock(work, task_id, version)
    run = package_of(work.session, task, package_no)
    if run.state not in (WAITING, UNREADABLE):
        raise Conflict("这个数据包已经在质检，不能再改坐标系和编码。要改的，请重新上传一版。")
    run.declared_crs, run.encoding = declared_crs, encoding
    read(work, task, run)
    return changed(work, task, "reread", package=package_no, crs=declared_crs, encoding=encoding)


@command("inspection.confirm", allow=access.holders(INSPECT))
def confirm(work: Work, task_id: int, version: int) -> InspectionTask:
    """Start the inspection of every package that was read; what cannot be read stays as it is."""
    task = lock(work, task_id, version)
    waiting = [run for run in runs_of(work.session, task.id) if run.state == WAITING]
    if not waiting:
        raise Conflict("没有等待确认的数据包。请刷新页面查看现在的状态。")
    for run in waiting:
        start(work, task, run)
    return changed(work, task, "confirm", packages=len(waiting))


@command("inspection.rerun", allow=access.holders(INSPECT))
def rerun(work: Work, task_id: int, version: int, package_no: int | None = None, variant_id: int | None = None) -> InspectionTask:
    """Inspect the same packages again by the present edition of the scheme and the variant chosen now.

    Raises Conflict while one is running, Refused for a package that was admitted.
    """
    task = lock(work, task_id, version)
    _require_variant(work.session, task.scheme, variant_id)
    chosen = [run for run in runs_of(work.session, task.id) if package_no in (None, run.package_no)]
    _require_idle(chosen)
    ready = [run for run in chosen if run.state not in (UNREADABLE, ADMITTED)]
    if not ready:
        raise Refused("没有可以重新质检的数据包：已入库的不再质检，不能读取的请先更正后重新上传。")
    task.variant_id = variant_id
    for run in ready:
        start(work, task, _again(work, run))
    return changed(work, task, "rerun", packages=len(ready), variant=variant_id)


def _again(work: Work, before: InspectionRun) -> InspectionRun:
    """The same content once more, as it was confirmed; a run that never came to a result is used again."""
    if before.state not in INSPECTED:
        return before
    before.is_latest = False
    same = ("task_id", "package_no", "package_version", "file_name", "digest", "size_bytes", "declared_crs", "encoding", "understood", "uploaded_by_name", "uploaded_at")
    run = InspectionRun(run_no=before.run_no + 1, state=QUEUED, **{name: getattr(before, name) for name in same})
    work.session.add(before)
    work.session.add(run)
    work.session.flush()
    return run


def _require_idle(runs: Sequence[InspectionRun]) -> None:
    if any(run.state in BUSY for run in runs):
        raise Conflict("数据包正在读取或质检，不能再开始一次。请等它结束，或先取消。")


@command("inspection.resubmit", allow=access.holders(INSPECT))
def resubmit(work: Work, task_id: int, version: int, package_no: int, package: ReceivedPackage) -> InspectionTask:
    """Take in the corrected package as the next version of one of the task; it is read and confirmed like the first."""
    task = lock(work, task_id, version)
    before = package_of(work.session, task, package_no)
    _require_idle([before])
    if before.state == ADMITTED:
        raise Refused("这个数据包已经入库，不能再换。要更新图层的，请新建任务。")
    if before.digest == package.file.digest:
        raise InvalidData("上传的文件与上一版完全相同，没有改动。请上传改正后的数据包；只想再检一次的，点「重新质检」。", {"file": "与上一版相同"})
    read(work, task, new_run(work, task, package_no, package, before))
    return changed(work, task, "resubmit", package=package_no)


def package_of(session: Session, task: InspectionTask, package_no: int) -> InspectionRun:
    """The latest inspection of one package of a task; NotFound if it has no such package."""
    found = next((run for run in runs_of(session, task.id) if run.package_no == package_no), None)
    if found is None:
        raise NotFound("这项任务没有这个数据包。请从任务页面进入。")
    return found


@command("inspection.cancel", allow=access.holders(INSPECT))
def cancel(work: Work, task_id: int, version: int) -> InspectionTask:
    """End what waits or runs; results that stand already stay."""
    task = lock(work, task_id, version)
    busy = [run for run in runs_of(work.session, task.id) if run.state in BUSY]
    if not busy:
        raise Conflict("这项任务没有在进行，不需要取消。")
    _end(work, busy)
    return changed(work, task, "cancel", packages=len(busy))


def _end(work: Work, runs: Sequence[InspectionRun]) -> None:
    for run in runs:
        job = work.session.get(Job, run.job_id) if run.job_id else None
        if job is not None and job.is_unfinished:
            jobs.ask_end(work, job)
        run.state = CANCELLED
        work.session.add(run)


@command("inspection.rename", allow=access.holders(INSPECT))
def rename(work: Work, task_id: int, version: int, title: str) -> InspectionTask:
    """Give a task another name."""
    task = lock(work, task_id, version)
    if not title.strip():
        raise InvalidData("任务名称不能为空。请填写名称。", {"title": "请填写名称"})
    before, task.title = task.title, _title(title, "")
    return changed(work, task, "rename", before=before)


@command("inspection.delete", allow=access.holders(INSPECT))
def delete(work: Work, task_id: int, version: int | None = None) -> InspectionTask:
    """Take a task from the lists; what runs is ended, nothing is lost, and it can be restored."""
    task = lock(work, task_id, version)
    _end(work, [run for run in runs_of(work.session, task.id) if run.state in BUSY])
    task.deleted_at, task.deleted_by_name = work.at, work.actor.name
    return changed(work, task, "delete")


@command("inspection.restore", allow=access.holders(INSPECT))
def restore(work: Work, task_id: int) -> InspectionTask:
    """Bring a deleted task back."""
    task = lock(work, task_id, None, deleted=True)
    if task.deleted_at is None:
        raise Conflict("这项任务没有删除，不需要恢复。")
    task.deleted_at, task.deleted_by_name = None, ""
    return changed(work, task, "restore")


@command("inspection.copy", allow=access.holders(INSPECT))
def copy(work: Work, task_id: int) -> InspectionTask:
    """A new task over the same packages with the same scheme and variant, read anew."""
    source = access.task_of(work.session, work.actor, task_id)
    access.require(work.actor, INSPECT, source.district_code)
    values: Mapping[str, Any] = {name: getattr(source, name) for name in ("scheme", "variant_id", "district_code", "is_batch", "is_generated")}
    task = InspectionTask(
        number=take_number(work.session, _SERIES, _NUMBER, on=local_date(work.at), values={}, subject="inspection", at=work.at),
        title=f"{source.title[: LONGEST_TITLE - 3]} 副本", state=READING, created_by=work.actor.person_id or 0,
        created_by_name=work.actor.name, created_at=work.at, changed_at=work.at, changed_by_name=work.actor.name, **values,
    )  # fmt: skip
    work.session.add(task)
    work.session.flush()
    same = ("package_no", "file_name", "digest", "size_bytes", "declared_crs", "encoding", "uploaded_by_name", "uploaded_at")
    for run in runs_of(work.session, source.id):
        made = InspectionRun(task_id=task.id, run_no=1, state=READING, **{name: getattr(run, name) for name in same})
        work.session.add(made)
        work.session.flush()
        read(work, task, made)
    return changed(work, task, "copy", source=source.id)


def may_admit(work: Work, task: InspectionTask) -> None:
    """Raise NotAllowed unless the actor may admit packages of the task's district."""
    access.require(work.actor, ADMIT, task.district_code)
