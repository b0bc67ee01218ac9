"""Long work 作业: queued in the transaction that asks for it, run by the one runner, watched on a screen.

A handler is a function of `(progress, arguments)` under `@job_handler(kind)`; the module that holds it is listed in
domain/job_handlers.py. It reads and writes through `progress`, tells how far it is, and answers a JobResult
(or a document, or None).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, select, update

from domain.actor import Actor
from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column
from domain.command import Work, anyone_signed_in, command, system_only
from domain.errors import Conflict, NotAllowed, NotFound, PortalError
from domain.file_store import ReceivedFile
from domain.file_store import register as register_file
from domain.notice import notify
from domain.office import Office
from domain.person import actor_of
from domain.portal_clock import now
from domain.waking import wake

QUEUE = "jobs"
TELL_SECONDS = 1.0
UNFINISHED = ("queued", "running")
MOST_STARTS = 3
"""A resumable job that was cut off this often is given up: it may be what stops the portal."""
INTERRUPTED = "门户在作业进行中停止，作业没有完成，没有产生结果。请重新提交这项作业。"


class Job(SQLModel, table=True):
    """One piece of long work with its progress and result."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_queue", "status", "due_at"),)

    id: int | None = Field(default=None, sa_column=id_column())
    kind: str = Field(sa_column=code_column(index=True))
    title: str
    arguments: dict[str, Any] = Field(sa_column=json_column())
    status: str = Field(default="queued", sa_column=code_column(length=16))
    """queued | running | done | failed | cancelled"""
    owner_id: int | None = Field(default=None, sa_type=BIG_ID, index=True)
    case_id: int | None = Field(default=None, sa_type=BIG_ID, index=True)
    done_units: int = 0
    total_units: int | None = None
    doing: str = ""
    created_at: datetime = Field(sa_column=moment_column())
    due_at: datetime = Field(sa_column=moment_column())
    started_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    heartbeat_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    finished_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    attempts: int = 0
    result: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    result_file: str | None = Field(default=None, sa_column=code_column(nullable=True))
    result_name: str | None = None
    fault: str | None = None
    is_cancel_asked: bool = False

    @property
    def is_unfinished(self) -> bool:
        """True while it waits or runs."""
        return self.status in UNFINISHED

    @property
    def percent(self) -> int | None:
        """How much is done, in whole percent; None as long as nobody knows how much there is."""
        return min(100, 100 * self.done_units // self.total_units) if self.total_units else None


class JobCancelled(Exception):
    """The owner does not want the job any more; raised inside the handler where it tells its progress."""


class JobInterrupted(Exception):
    """The portal is stopping; raised inside the handler where it tells its progress."""


@dataclass(frozen=True)
class JobResult:
    """What a job leaves: a document for the screen, and a file with the name under which it is downloaded."""

    document: Mapping[str, Any] = field(default_factory=dict)
    file: ReceivedFile | None = None
    name: str | None = None


class Storage(Protocol):
    """The portal's database, as far as a job needs it."""

    def reading(self) -> AbstractContextManager[Session]: ...

    def writing(self) -> AbstractContextManager[Session]: ...


class Progress:
    """How a handler reaches the database and tells how far it is.

    Tell between transactions, never inside `writing()`: on SQLite there is one writer, and telling writes too.
    """

    def __init__(self, storage: Storage, office: Office, job: Job, is_stopping: Callable[[], bool]) -> None:
        self.office = office
        self.job_id: int = job.id  # type: ignore[assignment]
        self.owner_id = job.owner_id
        self.case_id = job.case_id
        self.title = job.title
        self._storage = storage
        self._is_stopping = is_stopping
        self._told_at = float("-inf")
        self._is_writing = False

    def reading(self) -> AbstractContextManager[Session]:
        """A session that only reads."""
        return self._storage.reading()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session for one command."""
        with self._storage.writing() as session:
            self._is_writing = True
            try:
                yield session
            finally:
                self._is_writing = False

    @contextmanager
    def batch(self) -> Iterator[Session]:
        """A session for one batch of a job's own rows, kept when it ends well; the acts are its request and its end."""
        with self.writing() as session:
            yield session
            session.commit()

    def owner(self, session: Session) -> Actor:
        """Who asked for the job, with the grants of this moment; NotAllowed once the account is closed."""
        actor = actor_of(session, self.owner_id) if self.owner_id is not None else None
        if actor is None:
            raise NotAllowed("提交这项作业的账号已停用，作业没有执行。需要结果的，请由在岗人员重新提交。")
        return actor

    def tell(self, done_units: int, total_units: int | None = None, doing: str = "") -> None:
        """Say how far it is, at most once a second; raises JobCancelled or JobInterrupted when it is to end."""
        if self._is_writing:
            raise RuntimeError("tell the progress between two transactions, not inside one")
        if self._is_stopping():
            raise JobInterrupted
        if time.monotonic() - self._told_at < TELL_SECONDS:
            return
        with self._storage.writing() as session:
            is_cancel_asked = _note_progress(session, self.job_id, done_units, total_units, doing)
        self._told_at = time.monotonic()
        if is_cancel_asked:
            raise JobCancelled


def _note_progress(session: Session, job_id: int, done: int, total: int | None, doing: str) -> bool:
    """Write the progress; no audit entry, because nothing was done. True if the owner asked for the end."""
    job = session.get(Job, job_id)
    if job is None:
        raise NotFound(f"作业 {job_id} 已不存在，作业停止。")
    job.done_units, job.doing, job.heartbeat_at = done, doing, now(session)
    job.total_units = job.total_units if total is None else total
    session.commit()
    return job.is_cancel_asked


Handle = Callable[[Progress, Mapping[str, Any]], JobResult | Mapping[str, Any] | None]


@dataclass(frozen=True)
class JobHandler:
    """What runs the jobs of a kind; a resumable one may be started again after it was cut off."""

    kind: str
    run: Handle
    is_resumable: bool


JOB_HANDLERS: dict[str, JobHandler] = {}


def job_handler(kind: str, *, resumable: bool = False) -> Callable[[Handle], Handle]:
    """Register a function as the handler of a kind of job.

    `resumable`: running it from the beginning after it was cut off half-way does no harm.
    """

    def register(run: Handle) -> Handle:
        if kind in JOB_HANDLERS:
            raise ValueError(f"job handler {kind} is registered twice")
        JOB_HANDLERS[kind] = JobHandler(kind, run, resumable)
        return run

    return register


def enqueue(
    work: Work,
    kind: str,
    title: str,
    arguments: dict[str, Any],
    *,
    case_id: int | None = None,
    due_at: datetime | None = None,
) -> Job:
    """Queue a job; it starts only if this transaction commits, and not before `due_at`."""
    job = Job(
        kind=kind,
        title=title,
        arguments=arguments,
        owner_id=work.actor.person_id,
        case_id=case_id,
        created_at=work.at,
        due_at=due_at or work.at,
    )
    work.session.add(job)
    work.session.flush()
    work.record(f"job:{job.id}", kind=kind)
    work.after_commit(lambda: wake(QUEUE))
    return job


def job_of(session: Session, actor: Actor, job_id: int) -> Job:
    """One of one's own jobs (administrators of the system see all); NotFound for any other."""
    job = session.get(Job, job_id)
    if job is None or not _may_see(job, actor):
        raise NotFound("没有这项作业，或它不是你提交的。请从「作业」列表进入。")
    return job


def _may_see(job: Job, actor: Actor) -> bool:
    is_own = job.owner_id is not None and job.owner_id == actor.person_id
    return actor.is_system or is_own or actor.has_role("system_admin")


@command("job.cancel", allow=anyone_signed_in)
def cancel(work: Work, job_id: int) -> Job:
    """Take a queued job back, or ask a running one to end at its next step."""
    job = job_of(work.session, work.actor, job_id)
    if not job.is_unfinished:
        raise Conflict(f"作业「{job.title}」已经结束，不需要取消。")
    ask_end(work, job)
    return job


def ask_end(work: Work, job: Job) -> None:
    """End a job that waits, ask one that runs to end at its next step; the caller has shown who may."""
    job.is_cancel_asked = True
    if job.status == "queued":
        job.status, job.finished_at = "cancelled", work.at
    work.record(f"job:{job.id}", kind=job.kind, status=job.status)


@command("job.retry", allow=anyone_signed_in)
def retry(work: Work, job_id: int) -> Job:
    """Queue a failed or cancelled job once more, with the same arguments."""
    job = job_of(work.session, work.actor, job_id)
    if job.status not in ("failed", "cancelled"):
        raise Conflict(f"作业「{job.title}」没有失败，不需要重试。")
    start_again(work, job)
    return job


def start_again(work: Work, job: Job) -> None:
    """Queue a job that ended once more; the caller has shown who may, and that it ended."""
    _queue_again(job, work.at)
    job.attempts = 0
    work.record(f"job:{job.id}", kind=job.kind)
    work.after_commit(lambda: wake(QUEUE))


def _queue_again(job: Job, at: datetime) -> None:
    job.status, job.due_at, job.is_cancel_asked = "queued", at, False
    job.fault = job.started_at = job.finished_at = job.heartbeat_at = None
    job.done_units, job.doing = 0, ""


def has_due(session: Session) -> bool:
    """True if a job waits to be started; asked before `claim`, so that looking leaves no trace."""
    return session.exec(_due(session)).first() is not None


def _due(session: Session) -> Any:
    return select(Job).where(Job.status == "queued", Job.due_at <= now(session)).order_by(Job.due_at, Job.id).limit(1)


@command("job.start", allow=system_only)
def claim(work: Work) -> Job | None:
    """Start the job that waits longest; None if another runner was faster."""
    job = work.session.exec(_due(work.session).with_for_update(skip_locked=True)).first()
    if job is None:
        return None
    job.status, job.started_at, job.heartbeat_at = "running", work.at, work.at
    job.attempts += 1
    work.record(f"job:{job.id}", kind=job.kind, attempt=job.attempts)
    return job


@command("job.finish", allow=system_only)
def finish(work: Work, job_id: int, result: JobResult) -> None:
    """Keep the result of a job and tell its owner."""
    job = work.session.get_one(Job, job_id)
    if result.file is not None:
        job.result_file = register_file(work.session, result.file, work.at)
        job.result_name = result.name or f"作业{job.id}.{result.file.file_type.extensions[0]}"
    job.status, job.finished_at, job.result = "done", work.at, dict(result.document)
    job.done_units = job.total_units = job.total_units or job.done_units
    work.record(f"job:{job.id}", kind=job.kind, file=job.result_file)
    _tell_owner(work, job, f"「{job.title}」已完成")


@command("job.fail", allow=system_only)
def fail(work: Work, job_id: int, fault: str) -> None:
    """Note why a job did not come to its end, and tell its owner."""
    job = work.session.get_one(Job, job_id)
    job.status, job.finished_at, job.fault = "failed", work.at, fault
    work.record(f"job:{job.id}", kind=job.kind)
    _tell_owner(work, job, f"「{job.title}」没有完成")


@command("job.end_cancelled", allow=system_only)
def end_cancelled(work: Work, job_id: int) -> None:
    """Note that a running job ended because its owner asked for it."""
    job = work.session.get_one(Job, job_id)
    job.status, job.finished_at = "cancelled", work.at
    work.record(f"job:{job.id}", kind=job.kind)


def _tell_owner(work: Work, job: Job, title: str) -> None:
    if job.owner_id is not None:
        notify(work, job.owner_id, "job", title, job.fault or "", case_id=job.case_id)


def is_left_running(session: Session) -> bool:
    """True if a job is marked running; asked at the start, when nothing can be running yet."""
    return session.exec(select(Job.id).where(Job.status == "running").limit(1)).first() is not None


@command("job.recover", allow=system_only)
def recover(work: Work) -> int:
    """Queue again, or fail, the jobs that were cut off when the portal stopped; how many there were.

    Only for a runner that knows it is alone: it takes every running job for cut off.
    """
    cut_off = work.session.exec(select(Job).where(Job.status == "running").with_for_update()).all()
    for job in cut_off:
        put_back(work, job)
    return len(cut_off)


def put_back(work: Work, job: Job) -> None:
    """What becomes of a job that was cut off."""
    handler = JOB_HANDLERS.get(job.kind)
    if job.is_cancel_asked:
        job.status, job.finished_at = "cancelled", work.at
    elif handler is not None and handler.is_resumable and job.attempts < MOST_STARTS:
        _queue_again(job, work.at)
    else:
        job.status, job.finished_at, job.fault = "failed", work.at, INTERRUPTED
        _tell_owner(work, job, f"「{job.title}」没有完成")
    work.record(f"job:{job.id}", kind=job.kind, status=job.status)


@command("job.interrupt", allow=system_only)
def interrupt(work: Work, job_id: int) -> None:
    """Put one job back because the portal is stopping; such an end does not count as a failed start."""
    job = work.session.get_one(Job, job_id)
    job.attempts = max(0, job.attempts - 1)
    put_back(work, job)


def beat(session: Session, job_id: int) -> None:
    """Say that the runner still works at a job; no audit entry, because nothing was done."""
    session.exec(update(Job).where(col(Job.id) == job_id).values(heartbeat_at=now(session)))
    session.commit()


def forget_old(work: Work, older_than: timedelta) -> int:
    """Delete finished jobs past the time they are kept; their files are left to the sweep of files."""
    old = select(Job).where(col(Job.finished_at) < work.at - older_than)
    jobs = work.session.exec(old.limit(1000)).all()
    for job in jobs:
        work.session.delete(job)
    return len(jobs)


def run(job: Job, storage: Storage, office: Office, is_stopping: Callable[[], bool]) -> JobResult:
    """Run a claimed job to its end and give what it leaves; passes on whatever its handler raises."""
    handler = JOB_HANDLERS.get(job.kind)
    if handler is None:
        raise PortalError(f"没有能办理「{job.kind}」类作业的程序。可能是版本更新后改了名，请联系系统管理员。")
    made = handler.run(Progress(storage, office, job, is_stopping), job.arguments)
    return made if isinstance(made, JobResult) else JobResult(made or {})
