"""How the portal is: numbers only, no names, so that anybody may read them."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session, col, func, select

from domain import portal_clock, rule_trouble
from domain.audit import AuditEntry
from domain.case.tables import Case
from domain.exchange.tables import OutboxMessage, PartnerLine
from domain.job import Job
from domain.office import Office
from domain.ports.partner import PARTNERS
from domain.session import SignedInSession
from domain.sweep import KIND as SWEEP

HEARTBEAT_LATEST = timedelta(minutes=2)
"""A running job beats every few seconds; one that was silent for so long is stuck."""


@dataclass(frozen=True, slots=True)
class PartnerState:
    """The line to a partner and what waits for it."""

    partner: str
    waiting: int
    dead: int
    is_down: bool
    last_success_at: datetime | None


@dataclass(frozen=True, slots=True)
class Health:
    """One look at the database; counts, moments, nothing of a person."""

    at: datetime
    cases: dict[str, int]
    jobs: dict[str, int]
    stuck_jobs: int
    oldest_queued_at: datetime | None
    partners: tuple[PartnerState, ...]
    sessions: int
    audit_entries: int
    rule_troubles: int
    last_sweep_at: datetime | None
    last_sweep_state: str


def look(session: Session) -> Health:
    """The state of everything that is counted, with nine queries whatever the number of rows."""
    at = portal_clock.now(session)
    sweep = session.exec(select(Job).where(Job.kind == SWEEP).order_by(col(Job.id).desc()).limit(1)).first()
    queued = select(func.min(Job.due_at)).where(Job.status == "queued")
    stuck = select(func.count()).select_from(Job).where(Job.status == "running", Job.heartbeat_at < at - HEARTBEAT_LATEST)
    return Health(
        at=at,
        cases=dict(session.exec(select(Case.status, func.count()).group_by(Case.status)).all()),
        jobs=dict(session.exec(select(Job.status, func.count()).group_by(Job.status)).all()),
        stuck_jobs=session.exec(stuck).one(),
        oldest_queued_at=session.exec(queued).one(),
        partners=_partners(session),
        sessions=_open_sessions(session),
        audit_entries=session.exec(select(func.max(AuditEntry.id))).one() or 0,
        rule_troubles=rule_trouble.open_count(session),
        last_sweep_at=(sweep.finished_at or sweep.started_at or sweep.created_at) if sweep else None,
        last_sweep_state=sweep.status if sweep else "",
    )


def _open_sessions(session: Session) -> int:
    is_open = (col(SignedInSession.ended_at).is_(None), SignedInSession.expires_at > portal_clock.now())
    return session.exec(select(func.count()).select_from(SignedInSession).where(*is_open)).one()


def _partners(session: Session) -> tuple[PartnerState, ...]:
    counted = select(OutboxMessage.partner, OutboxMessage.status, func.count()).where(
        col(OutboxMessage.status).in_(("waiting", "sending", "dead"))
    )
    counts: dict[str, dict[str, int]] = {}
    for partner, status, number in session.exec(counted.group_by(OutboxMessage.partner, OutboxMessage.status)).all():
        counts.setdefault(partner, {})[status] = number
    lines = {line.partner: line for line in session.exec(select(PartnerLine)).all()}
    return tuple(
        PartnerState(
            partner=key,
            waiting=sum(number for status, number in counts.get(key, {}).items() if status != "dead"),
            dead=counts.get(key, {}).get("dead", 0),
            is_down=key in lines and lines[key].down_since is not None,
            last_success_at=lines[key].last_success_at if key in lines else None,
        )
        for key in PARTNERS
    )


def free_bytes(folder: Path) -> int:
    """How much room is left on the disk that holds the files."""
    return shutil.disk_usage(folder).free


def rules_in_force(office: Office) -> int:
    """How many rule sets have an edition in force; one that is not yet, or no more, is not counted."""
    on = portal_clock.today()
    return sum(office.book.has_edition(kind, key, on) for kind, key in office.book.keys())  # noqa: SIM118
