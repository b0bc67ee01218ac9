"""What the portal does by itself once a day, and at its start if the night was missed.

The sweep is a job, so that it can be watched; every part is a transaction of its own and may run twice.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, func, or_, select

from domain import (
    audit,
    audit_witness,
    clock_sweep,
    deadline_digest,
    escalation,
    file_store,
    job,
    portal_clock,
    rule_trouble,
)
from domain.actor import SYSTEM, Actor
from domain.command import Work, command, system_only
from domain.decision import ENGINE_FAULTS
from domain.exchange import reply_light
from domain.file_store import StoredFile
from domain.job import Job, JobResult, Progress, job_handler
from domain.ledger import opening, warning
from domain.notice import notify
from domain.observation import judging
from domain.office import office_of
from domain.person import Absence, Person
from domain.rule_workbench import tally
from domain.session import SignedInSession, SignInAttempt
from rules.engine import RuleError

log = logging.getLogger(__name__)
KIND = "nightly_sweep"
SESSIONS_KEPT = timedelta(days=30)
JOBS_KEPT = timedelta(days=180)


@job_handler("sweep_clocks", resumable=True)
def sweep_clocks(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Compute every open clock anew after the calendar or the demo date was changed."""
    return JobResult(_swept_clocks(progress, arguments["reason"]))


def _swept_clocks(progress: Progress, reason: str) -> dict[str, Any]:
    swept = clock_sweep.sweep(
        progress.writing, reason=reason, on_page=lambda done: progress.tell(done, doing="重算时限")
    )
    faults = [{"clock": clock_id, "fault": words} for clock_id, words in swept.faults]
    if faults:
        with progress.writing() as session:
            rule_trouble.note_clocks(session, SYSTEM, len(faults), faults[0]["fault"])
    return {"clocks": swept.clocks, "moved": len(swept.moves), "faults": faults}


def is_due(session: Session) -> bool:
    """True if the sweep of the portal's present date was not begun yet."""
    begun = select(Job.id).where(Job.kind == KIND, Job.created_at >= _midnight(session)).limit(1)
    return session.exec(begun).first() is None


def _midnight(session: Session) -> datetime:
    return datetime.combine(portal_clock.today(session), time(0), portal_clock.SHANGHAI)


@command("sweep.begin", allow=system_only)
def begin(work: Work) -> None:
    """Queue the sweep of the day."""
    day = portal_clock.today(work.session).isoformat()
    job.enqueue(work, KIND, f"{day} 的每日自动处理", {"day": day})


@job_handler(KIND, resumable=True)
def nightly_sweep(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Clocks and their lights, reminders nobody answered, absences that ended, digests of deadlines, missing results, sessions, files."""
    parts = (
        ("代理到期", end_absences),
        ("报送结果未返回", reply_light.refresh),
        ("期限提醒", deadline_digest.send_digests),
        ("年初台账", opening.open_due_year),
        ("台账警戒线", warning.refresh_all),
        ("监测读数补判", judging.retry_faulty),
        ("规则故障", rule_trouble.end_quiet),
        ("登录记录", forget_sessions),
        ("旧作业", forget_jobs),
    )
    found: dict[str, Any] = {"clocks": _swept_clocks(progress, "每日重算")}
    found["escalations"] = escalation.sweep(progress.writing, lambda done: progress.tell(done, doing="催办上报"))
    for done, (label, act) in enumerate(parts, 1):
        progress.tell(done, len(parts) + 1, label)
        found[act.__name__] = _done(progress, label, act)
    found["rule_tally"] = _keep_rule_tally(progress)
    found["files"] = _sweep_files(progress)
    found["audit_head"] = _note_audit_head(progress)
    return JobResult(found)


def _done(progress: Progress, label: str, act: Callable[[Session, Actor], Any]) -> Any:
    """What a part of the night says; rules that cannot answer undo this part alone and are told of."""
    try:
        with progress.writing() as session:
            return act(session, SYSTEM)
    except (RuleError, *ENGINE_FAULTS) as fault:
        log.exception("part %s of the sweep failed", act.__name__)
        reason = rule_trouble.reason_of(fault)
    with progress.writing() as session:
        rule_trouble.note_failure(session, SYSTEM, label, reason)
    return {"fault": reason}


@command("absence.end_expired", allow=system_only)
def end_absences(work: Work) -> int:
    """Close the absences whose time is over and tell both people; how many. Their grants ended by themselves."""
    statement = select(Absence).where(col(Absence.ended_at).is_(None), Absence.until_at <= work.at)
    over = work.session.exec(statement.with_for_update()).all()
    names = dict(work.session.exec(select(Person.id, Person.name).where(col(Person.id).in_(_people(over)))).all())
    for absence in over:
        absence.ended_at = absence.until_at
        notify(work, absence.person_id, "absence", f"{names[absence.delegate_id]}代你办理的授权已到期")
        notify(work, absence.delegate_id, "absence", f"你代{names[absence.person_id]}办理的授权已到期")
        work.record(f"absence:{absence.id}")
    if over:
        work.after_commit(office_of(work.session).caches.setdefault("actors", {}).clear)
    return len(over)


def _people(absences: Any) -> set[int]:
    return {person for absence in absences for person in (absence.person_id, absence.delegate_id)}


@command("session.forget_old", allow=system_only)
def forget_sessions(work: Work) -> int:
    """Delete sessions that ended or expired a month ago, and yesterday's failed sign-ins; how many sessions.

    Sessions run by the real clock, whatever the demo date is.
    """
    at = portal_clock.now()
    is_old = or_(col(SignedInSession.ended_at) < at - SESSIONS_KEPT, SignedInSession.expires_at < at - SESSIONS_KEPT)
    count = work.session.exec(select(func.count()).select_from(SignedInSession).where(is_old)).one()
    work.session.exec(delete(SignedInSession).where(is_old))
    work.session.exec(delete(SignInAttempt).where(col(SignInAttempt.at) < at - timedelta(days=1)))
    work.record("sessions", deleted=count)
    return count


@command("job.forget_old", allow=system_only)
def forget_jobs(work: Work) -> int:
    """Delete the record of jobs that ended half a year ago; how many."""
    count = job.forget_old(work, JOBS_KEPT)
    work.record("jobs", deleted=count)
    return count


def _sweep_files(progress: Progress) -> int:
    """Delete what interrupted uploads left on disk; by the real clock, like the times of the files."""
    with progress.reading() as session:
        is_any_kept = session.exec(select(StoredFile.digest).limit(1)).first() is not None
        return file_store.sweep(session, progress.office.files, portal_clock.now()) if is_any_kept else 0


def _keep_rule_tally(progress: Progress) -> int:
    """Count the decisions that came since, batch by batch; how many batches."""
    batches, left = 0, 1
    while left:
        with progress.writing() as session:
            left = tally.keep(session, SYSTEM)
        batches += 1
        progress.tell(batches, batches + left // tally.BATCH_ROWS, "规则判断计数")
    return batches


def _note_audit_head(progress: Progress) -> bool:
    """Note where the audit trail ends, outside the database."""
    with progress.reading() as session:
        return audit_witness.note(progress.office.files, audit.head(session), portal_clock.now())
