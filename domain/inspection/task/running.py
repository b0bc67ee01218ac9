"""The jobs of a task: reading a package for its confirmation, and inspecting it; each keeps its end in one transaction."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import shapely
from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from domain.actor import SYSTEM
from domain.command import Work, command, system_only
from domain.errors import NotFound, PortalError
from domain.file_store import ReceivedFile, register
from domain.inspection import Finding, InspectionResult
from domain.inspection.task import engine, exceptions, picture
from domain.inspection.task.course import READ_KIND, RUN_KIND, changed
from domain.inspection.task.tables import (
    BROKEN,
    CANCELLED,
    FAILED,
    OPEN,
    PASSED,
    QUEUED,
    READING,
    RUNNING,
    UNREADABLE,
    WAITING,
    InspectionFinding,
    InspectionRun,
    InspectionTask,
    InspectionVariant,
)
from domain.job import JobCancelled, JobInterrupted, JobResult, Progress, job_handler
from domain.notice import notify
from domain.portal_clock import now, today
from domain.spatial_file import SpatialFile

BATCH = 2_000
LONGEST_VALUE = 240


@job_handler(READ_KIND, resumable=True)
def run_reading(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Read a package and keep what was understood; a package that cannot be read says why and needs another upload."""
    run = _run(progress, arguments["run"])
    if run.state != READING:
        return JobResult({"skipped": run.state})
    progress.tell(0, 2, "读取数据包")
    try:
        file = _read(progress, run)
    except PortalError as fault:
        with progress.writing() as session:
            note_unreadable(session, SYSTEM, run.id, fault.message)
        return JobResult({"readable": False, "why": fault.message})
    with progress.writing() as session:
        note_understood(session, SYSTEM, run.id, engine.understood(file))
    return JobResult({"readable": True, "layers": len(file.layers)})


def _read(progress: Progress, run: InspectionRun) -> SpatialFile:
    office = progress.office
    path = office.files.path_of(run.digest)
    return engine.read(path, run.file_name, run.declared_crs, run.encoding, office.coordinates.systems)


def _run(progress: Progress, run_id: int) -> InspectionRun:
    with progress.reading() as session:
        return _found(session, run_id)


def _found(session: Session, run_id: int) -> InspectionRun:
    run = session.get(InspectionRun, run_id)
    if run is None:
        raise NotFound("这次质检已不存在，作业停止。")
    return run


def _locked(work: Work, run_id: int) -> tuple[InspectionTask, InspectionRun]:
    """The task, locked before its inspection, as every act locks them."""
    run = _found(work.session, run_id)
    task = work.session.exec(select(InspectionTask).where(InspectionTask.id == run.task_id).with_for_update()).one()
    work.session.refresh(run)
    return task, run


@command("inspection.note_read", allow=system_only)
def note_understood(work: Work, run_id: int, document: Mapping[str, Any]) -> None:
    """Keep what was understood of a package; it now waits for its confirmation."""
    task, run = _locked(work, run_id)
    if run.state == READING:
        run.state, run.understood, run.fault = WAITING, dict(document), ""
        work.session.add(run)
        changed(work, task, "read", package=run.package_no)
        if task.state == WAITING:
            _tell(work, task, f"「{task.title}」已上传并读完，请核对后开始质检")


@command("inspection.note_unreadable", allow=system_only)
def note_unreadable(work: Work, run_id: int, reason: str) -> None:
    """Keep why a package cannot be read."""
    task, run = _locked(work, run_id)
    if run.state == READING:
        run.state, run.fault = UNREADABLE, reason
        work.session.add(run)
        changed(work, task, "unreadable", package=run.package_no)


def _tell(work: Work, task: InspectionTask, title: str, body: str = "") -> None:
    if task.created_by:
        notify(work, task.created_by, "inspection", title, body, subject=f"inspection:{task.id}")


@job_handler(RUN_KIND, resumable=True)
def run_inspection(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Inspect a package: read, check, keep findings and picture; cut off, it starts again and leaves nothing double."""
    with progress.writing() as session:
        run = note_started(session, SYSTEM, arguments["run"])
    if run is None:
        return JobResult({"skipped": True})
    try:
        return _inspected(progress, run)
    except JobInterrupted:
        raise
    except JobCancelled:
        _note_ended(progress, run.id, CANCELLED, "")
        raise
    except PortalError as fault:
        _note_ended(progress, run.id, BROKEN, fault.message)
        raise
    except Exception:
        _note_ended(progress, run.id, BROKEN, "质检程序遇到没有预料的错误，没有产生结果。请联系系统管理员查看作业记录后重新质检。")
        raise


def _note_ended(progress: Progress, run_id: int, state: str, fault: str) -> None:
    with progress.writing() as session:
        note_without_result(session, SYSTEM, run_id, state, fault)


@command("inspection.note_started", allow=system_only)
def note_started(work: Work, run_id: int) -> InspectionRun | None:
    """Note that the inspection runs, with the variant as it stands now; None if it was cancelled or deleted meanwhile."""
    task, run = _locked(work, run_id)
    if run.state not in (QUEUED, RUNNING) or task.deleted_at is not None:
        return None
    variant = work.session.get(InspectionVariant, task.variant_id) if task.variant_id else None
    run.state, run.started_at, run.inspected_on = RUNNING, work.at, today(work.session)
    run.variant = {"title": variant.title, "off": variant.off, "parameters": variant.parameters} if variant else {}
    work.session.add(run)
    changed(work, task, "start", package=run.package_no)
    return run


@command("inspection.note_ended", allow=system_only)
def note_without_result(work: Work, run_id: int, state: str, fault: str) -> None:
    """Note an inspection that came to no result: cancelled, or broken with the reason."""
    task, run = _locked(work, run_id)
    if run.state in (QUEUED, RUNNING, CANCELLED):
        run.state, run.fault, run.ended_at = state, fault, work.at
        work.session.add(run)
        changed(work, task, state, package=run.package_no)


def _inspected(progress: Progress, run: InspectionRun) -> JobResult:
    tell = _teller(progress)
    tell("读取数据包", 0.0)
    with progress.reading() as session:
        task = session.get_one(InspectionTask, run.task_id)
    file = _read(progress, run)
    result = engine.inspect(progress.office, file, task, run, run.inspected_on, tell)
    tell("准备地图", 0.93)
    drawn = picture.drawn(progress.office.files, file)
    _keep_findings(progress, run.id, result, tell)
    with progress.reading() as session:
        certificate = engine.certificate(progress.office, run, task, result, now(session))
    with progress.writing() as session:
        ended = note_result(session, SYSTEM, run.id, result, drawn, certificate)
        return JobResult({"passed": ended.is_passed, "findings": ended.finding_count, "score": str(ended.score)})


def _teller(progress: Progress) -> Callable[[str, float], None]:
    """What the engine calls with words and the share done, from 0 to 1; it raises when the owner or the portal ends the job."""

    def tell(words: str, share: float) -> None:
        progress.tell(round(1000 * share), 1000, words)

    return tell


def _keep_findings(progress: Progress, run_id: int, result: InspectionResult, tell: Callable[[str, float], None]) -> None:
    """Write the findings in batches; what an interrupted start left behind goes first."""
    with progress.batch() as session:
        session.execute(delete(InspectionFinding).where(col(InspectionFinding.run_id) == run_id))
    for rows in _batches(run_id, result.findings):
        with progress.batch() as session:
            session.execute(insert(InspectionFinding.__table__), rows)
        tell(f"已写入 {rows[-1]['number']:,} 条问题", 0.95)


def _batches(run_id: int, findings: Sequence[Finding]) -> Iterator[list[dict[str, Any]]]:
    for begin in range(0, len(findings), BATCH):
        yield [_row(run_id, number, each) for number, each in enumerate(findings[begin : begin + BATCH], start=begin + 1)]


def _row(run_id: int, number: int, finding: Finding) -> dict[str, Any]:
    place = finding.geometry
    if place is None and finding.x is not None and finding.y is not None and -180 <= finding.x <= 180:
        place = shapely.Point(finding.x, finding.y) if -90 <= finding.y <= 90 else None
    west, south, east, north = place.bounds if place is not None and not place.is_empty else (None, None, None, None)
    return {
        "run_id": run_id, "number": number, "code": finding.code, "check": finding.check, "layer": finding.layer,
        "feature": finding.feature, "key": finding.key[:LONGEST_VALUE], "field": finding.field, "value": finding.value[:LONGEST_VALUE],
        "message": finding.message, "severity": finding.severity, "fix": finding.fix, "rule": finding.rule, "x": finding.x, "y": finding.y,
        "geometry": place, "west": west, "south": south, "east": east, "north": north, "mark": mark_of(finding), "state": OPEN,
    }  # fmt: skip


def mark_of(finding: Finding) -> str:
    """Names the same fault of the same feature in the next version: by layer, key (else number), class and field."""
    who = finding.key or str(finding.feature)
    return hashlib.new("sm3", f"{finding.layer}\x1f{who}\x1f{finding.code}\x1f{finding.field}".encode()).hexdigest()[:32]


@command("inspection.note_result", allow=system_only)
def note_result(
    work: Work, run_id: int, result: InspectionResult, drawn: tuple[ReceivedFile, list[float]] | None, certificate: Mapping[str, Any]
) -> InspectionRun:
    """Keep the result of an inspection, carry approved exceptions of the same faults over, and tell who asked."""
    task, run = _locked(work, run_id)
    if run.state != RUNNING:
        return run
    run.edition, run.checked = result.edition, dict(result.checked)
    run.parameters, run.engines = dict(result.parameters), dict(result.engines)
    run.certificate, run.score, run.is_passed = dict(certificate), result.score, result.passed
    run.counts = {"result": {"score": str(result.score), "passed": result.passed}}
    run.ended_at, run.finding_count = work.at, len(result.findings)
    if drawn is not None:
        run.picture, run.bounds = register(work.session, drawn[0], work.at), drawn[1]
    exceptions.carry_over(work, task, run)
    exceptions.recount(work, task, run)
    run.state = PASSED if run.is_passed else FAILED
    work.session.add(run)
    changed(work, task, "result", package=run.package_no, passed=run.is_passed, findings=run.finding_count)
    words = "合格" if run.is_passed else f"不合格，{run.error_count} 处错误要改"
    _tell(work, task, f"「{task.title}」质检完成：{words}", run.file_name)
    return run
