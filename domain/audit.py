"""The audit trail 留痕: one row per act, chained by SM3, written by the command layer alone.

The head of the chain (how many entries, which is the last, its digest) stands in a row of its own and every new
entry is chained to it, so that entries cut off the end are missed: at once, and for ever after by the link that the
next entry does not find. Who can write both tables can still cut both; against that domain/audit_witness.py keeps
heads in a file outside the database. Who can write database and files alike is not noticed by either.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, func, insert, text, update
from sqlmodel import Field, Session, SQLModel, col, select

from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column

FIRST_LINK = "0" * 64
CHAIN_LOCK = 0x61756469
"""Advisory lock of PostgreSQL for making the row of the head where it is missing."""


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


class AuditHead(SQLModel, table=True):
    """Where the chain ends: one row, written with every act, in its transaction."""

    __tablename__ = "audit_head"

    id: int = Field(default=1, sa_column=Column(BIG_ID, primary_key=True, autoincrement=False))
    entry_count: int = Field(default=0, sa_type=BIG_ID)
    entry_id: int = Field(default=0, sa_type=BIG_ID)
    digest: str = Field(default=FIRST_LINK, sa_column=code_column())


@dataclass(frozen=True, slots=True)
class Head:
    """An end of the chain as it was noted: number of entries, id and digest of the last one."""

    entry_count: int = 0
    entry_id: int = 0
    digest: str = FIRST_LINK


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a walk over the chain found; `first_fault` is the id of the first broken link, or of the first that is missing."""

    checked: int
    first_fault: int | None = None
    reason: str = ""
    """Empty; "changed": an entry does not agree with its digest, its predecessor's or a head that was noted; "missing":
    entries that were noted are no longer there; "headless": there are entries, but the row of the head is gone."""

    @property
    def is_intact(self) -> bool:
        return self.first_fault is None


def append(session: Session, entries: Iterable[AuditEntry]) -> None:
    """Chain the entries to the head of the trail and move the head on; the last statements before a commit."""
    kept = head(session, is_moving=True)
    before = kept or Head(_count(session))  # a head that was taken away leaves a break: the next link is a first one
    count, previous, last_id = before.entry_count, before.digest, before.entry_id
    for entry in entries:
        entry.previous = previous
        entry.digest = previous = digest_of(entry)
        session.add(entry)
        session.flush()
        count, last_id = count + 1, entry.id
    _move_head(session, Head(count, last_id, previous), is_new=kept is None)


def head(session: Session, *, is_moving: bool = False) -> Head | None:
    """The head as it stands; None before the first act, or if somebody took it away.

    `is_moving` locks it until the transaction ends: the chain grows under this lock on PostgreSQL; SQLite has one writer
    anyway.
    """
    asked = select(AuditHead.entry_count, AuditHead.entry_id, AuditHead.digest)
    found = session.execute(asked.with_for_update() if is_moving else asked).first()
    if found is None and is_moving and session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
        found = session.execute(asked.with_for_update()).first()
    return Head(*found) if found else None


def _count(session: Session) -> int:
    return session.execute(select(func.count()).select_from(AuditEntry)).scalar_one()


def _move_head(session: Session, to: Head, *, is_new: bool) -> None:
    values = {"entry_count": to.entry_count, "entry_id": to.entry_id, "digest": to.digest}
    session.execute(insert(AuditHead).values(id=1, **values) if is_new else update(AuditHead).values(values))


def digest_of(entry: AuditEntry) -> str:
    """SM3 over the canonical text of an entry and the digest before it, as 64 hex digits.

    The moment is taken in UTC, as the database gives it back, in whatever zone the act was dated.
    """
    content = {
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
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


def verify(session: Session, page: int = 2000, witnessed: Iterable[Head] = ()) -> ChainReport:
    """Walk the whole chain in order and name the first link that does not hold, or that is missing.

    `witnessed` are heads that were noted elsewhere (domain/audit_witness.py): each must still be a place of the chain.
    Entries that are appended during the walk are walked too.
    """
    kept = head(session)
    first = session.exec(select(func.min(AuditEntry.id))).one()
    if kept is None and first is not None:
        return ChainReport(0, first, "headless")
    expected = _by_count([*witnessed, *([kept] if kept else ())])
    checked, previous, last_id = 0, FIRST_LINK, 0
    while rows := session.exec(
        select(AuditEntry).where(col(AuditEntry.id) > last_id).order_by(col(AuditEntry.id)).limit(page)
    ).all():
        for entry in rows:
            if entry.previous != previous or entry.digest != digest_of(entry):
                return ChainReport(checked, entry.id, "changed")
            checked, previous, last_id = checked + 1, entry.digest, entry.id
            if expected.pop(checked, {previous}) != {previous}:
                return ChainReport(checked - 1, entry.id, "changed")
        session.expunge_all()
    return ChainReport(checked, last_id + 1, "missing") if expected else ChainReport(checked)


def _by_count(heads: Iterable[Head]) -> dict[int, set[str]]:
    """The digests that the chain must have after so many entries."""
    found: dict[int, set[str]] = {}
    for each in heads:
        if each.entry_count:
            found.setdefault(each.entry_count, set()).add(each.digest)
    return found
