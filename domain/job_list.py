"""All jobs of the portal for the system administrator, whoever asked for them."""

from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from domain.job import Job
from domain.person import Person

STATES = {"queued": "排队", "running": "执行中", "done": "完成", "failed": "没有完成", "cancelled": "已取消"}


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job with the name of who asked for it; empty for the portal itself."""

    job: Job
    owner: str


def list_jobs(session: Session, *, status: str, kind: str, first: int, size: int) -> tuple[list[JobRow], int]:
    """The jobs that fit, the newest first, and how many there are; two queries."""
    conditions = []
    if status in STATES:
        conditions.append(Job.status == status)
    if kind:
        conditions.append(Job.kind == kind)
    statement = select(Job, Person.name).join(Person, Person.id == Job.owner_id, isouter=True).where(*conditions)
    rows = session.execute(statement.order_by(col(Job.id).desc()).offset(first).limit(size)).all()
    total = session.exec(select(func.count()).select_from(Job).where(*conditions)).one()
    return [JobRow(job, name or "") for job, name in rows], total


def kinds(session: Session) -> list[str]:
    """The kinds of jobs there have been."""
    return list(session.exec(select(Job.kind).distinct().order_by(Job.kind)).all())
