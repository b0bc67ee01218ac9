"""Looking into the audit trail: only for the audit administrator, who may read all of it and change nothing."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from domain import audit, audit_witness
from domain.actor import Actor
from domain.audit import AuditEntry
from domain.command import Work, command, holders_of
from domain.errors import NotFound
from domain.job import Job, JobResult, Progress, enqueue, job_handler
from domain.portal_clock import SHANGHAI, now
from domain.role_grant import end_of_day
from domain.workbook import Cell, Workbook

READERS = ("audit_admin",)
NAME = "留痕.xlsx"


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the trail is narrowed to; empty means all. `subject` and `command` match from their beginning."""

    person: str = ""
    command: str = ""
    subject: str = ""
    from_on: date | None = None
    until_on: date | None = None


def page_of(session: Session, actor: Actor, wanted: AuditFilter, before: int | None, size: int) -> list[AuditEntry]:
    """The entries that fit, the newest first, older than `before`; one query by the primary key."""
    actor.must_have(*READERS)
    statement = _narrowed(wanted).order_by(col(AuditEntry.id).desc()).limit(size)
    if before is not None:
        statement = statement.where(col(AuditEntry.id) < before)
    return list(session.exec(statement).all())


def entry_of(session: Session, actor: Actor, entry_id: int) -> AuditEntry:
    """One entry. Raises NotFound."""
    actor.must_have(*READERS)
    found = session.get(AuditEntry, entry_id)
    if found is None:
        raise NotFound("没有这条留痕。请从留痕列表进入。")
    return found


def _narrowed(wanted: AuditFilter) -> Any:
    statement = select(AuditEntry)
    if wanted.person:
        statement = statement.where(col(AuditEntry.person_name).contains(wanted.person, autoescape=True))
    if wanted.command:
        statement = statement.where(col(AuditEntry.command).startswith(wanted.command, autoescape=True))
    if wanted.subject:
        statement = statement.where(col(AuditEntry.subject).startswith(wanted.subject, autoescape=True))
    if wanted.from_on:
        statement = statement.where(AuditEntry.at >= datetime.combine(wanted.from_on, time(0), SHANGHAI))
    if wanted.until_on:
        statement = statement.where(AuditEntry.at < end_of_day(wanted.until_on))
    return statement


@command("audit.export", allow=holders_of(*READERS))
def ask_export(work: Work, wanted: AuditFilter) -> Job:
    """Queue the export of the entries that fit."""
    arguments = {
        "person": wanted.person, "command": wanted.command, "subject": wanted.subject,
        "from_on": wanted.from_on.isoformat() if wanted.from_on else None,
        "until_on": wanted.until_on.isoformat() if wanted.until_on else None,
    }
    return enqueue(work, "audit_export", "导出留痕", arguments)


@command("audit.ask_verification", allow=holders_of(*READERS))
def ask_verification(work: Work) -> Job:
    """Queue a walk over the whole chain."""
    return enqueue(work, "audit_verification", "核验留痕链", {})


@job_handler("audit_verification", resumable=True)
def verify_chain(progress: Progress, _arguments: Mapping[str, Any]) -> JobResult:
    """Walk the whole chain; the result says how far it holds. A whole chain's head is noted outside the database."""
    files = progress.office.files
    with progress.reading() as session:
        progress.owner(session).must_have(*READERS)
        kept, report = audit.head(session), audit.verify(session, witnessed=audit_witness.heads(files))
    if report.is_intact:
        audit_witness.note(files, kept, now())
    return JobResult({"ok": report.is_intact, "checked": report.checked, "first_fault": report.first_fault, "reason": report.reason})


@job_handler("audit_export", resumable=True)
def export_entries(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write the entries that fit to a workbook, row by row; memory does not grow with their number."""
    wanted = _read_filter(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        rows = _write_workbook(progress, wanted, path)
        received = progress.office.files.put_path(path, NAME, allowed=("xlsx",))
    return JobResult({"rows": rows}, received, NAME)


def _read_filter(arguments: Mapping[str, Any]) -> AuditFilter:
    days = {name: date.fromisoformat(arguments[name]) if arguments[name] else None for name in ("from_on", "until_on")}
    return AuditFilter(arguments["person"], arguments["command"], arguments["subject"], **days)


_HEADINGS = ("编号", "时间", "人员编号", "姓名", "代办编号", "操作", "对象", "内容", "前一条摘要", "本条摘要")


def _write_workbook(progress: Progress, wanted: AuditFilter, path: Path) -> int:
    before = None
    with Workbook(path) as book:
        sheet = book.sheet("留痕", _HEADINGS, has_seconds=True)
        while entries := _next_page(progress, wanted, before):
            sheet.add(map(_cells, entries))
            before = entries[-1].id
            progress.tell(sheet.row_count, doing="写入留痕")
    return sheet.row_count


def _next_page(progress: Progress, wanted: AuditFilter, before: int | None) -> list[AuditEntry]:
    with progress.reading() as session:
        return page_of(session, progress.owner(session), wanted, before, 1000)


def _cells(entry: AuditEntry) -> tuple[Cell, ...]:
    detail = audit.canonical_text(entry.detail)
    return (entry.id, entry.at, entry.person_id, entry.person_name, entry.on_behalf_of, entry.command, entry.subject, detail,
            entry.previous, entry.digest)  # fmt: skip
