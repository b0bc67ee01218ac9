"""The audit trail 留痕: one row per act, chained by SM3, written by the command layer alone."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Field, Session, SQLModel, select

from domain.columns import code_column, id_column, json_column, moment_column

FIRST_LINK = "0" * 64
CHAIN_LOCK = 0x61756469
"""Advisory lock of PostgreSQL under which the chain grows; SQLite has one writer anyway."""


class AuditEntry(SQLModel, table=True):
    """One act: who, when, which command, on what, with which values; `digest` covers all of it and `previous`."""

    __tablename__ = "audit_entry"

    id: int | None = Field(default=None, sa_column=id_column())
    at: datetime = Field(sa_column=moment_column(index=True))
    person_id: int | None = Field(default=None, index=True)
    person_name: str
    on_behalf_of: int | None = None
    command: str = Field(sa_column=code_column(index=True))
    subject: str = Field(sa_column=code_column(length=80, index=True))
    detail: dict[str, Any] = Field(sa_column=json_column())
    previous: str = Field(sa_column=code_column())
    digest: str = Field(sa_column=code_column())


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a walk over the chain found; `first_fault` is the id of the first broken link."""

    checked: int
    first_fault: int | None

    @property
    def is_intact(self) -> bool:
        return self.first_fault is None


def append(session: Session, entries: Iterable[AuditEntry]) -> None:
    """Chain the entries to the end of the trail; the last statements before a commit."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
    latest = session.exec(select(AuditEntry.digest).order_by(AuditEntry.id.desc()).limit(1)).first()
    previous = latest or FIRST_LINK
    for entry in entries:
        entry.previous = previous
        entry.digest = previous = digest_of(entry)
        session.add(entry)
        session.flush()


def digest_of(entry: AuditEntry) -> str:
    """SM3 over the canonical text of an entry and the digest before it, as 64 hex digits."""
    content = {
        "at": entry.at.isoformat(timespec="microseconds"),
        "person": [entry.person_id, entry.person_name, entry.on_behalf_of],
        "command": entry.command,
        "subject": entry.subject,
        "detail": entry.detail,
        "previous": entry.previous,
    }
    return hashlib.new("sm3", canonical_text(content).encode()).hexdigest()


def canonical_text(content: Any) -> str:
    """A document as the one text that a digest is taken of, and that people are shown."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def verify(session: Session, page: int = 2000) -> ChainReport:
    """Walk the whole chain in order and name the first link that does not hold."""
    checked, previous, last_id = 0, FIRST_LINK, 0
    while rows := session.exec(
        select(AuditEntry).where(AuditEntry.id > last_id).order_by(AuditEntry.id).limit(page)
    ).all():
        for entry in rows:
            if entry.previous != previous or entry.digest != digest_of(entry):
                return ChainReport(checked, entry.id)
            checked, previous, last_id = checked + 1, entry.digest, entry.id
        session.expunge_all()
    return ChainReport(checked, None)
