"""In-app notices 消息: who is told what, at which step."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Field, Session, SQLModel, col, func, select, update

from domain.columns import BIG_ID, code_column, id_column, moment_column
from domain.command import Work, anyone_signed_in, command
from domain.errors import NotFound
from domain.session import forget_actors


class Notice(SQLModel, table=True):
    """One message to one person; `path` leads to what it speaks of."""

    __tablename__ = "notice"

    id: int | None = Field(default=None, sa_column=id_column())
    person_id: int = Field(sa_type=BIG_ID, foreign_key="person.id", index=True)
    kind: str = Field(sa_column=code_column())
    title: str
    body: str = ""
    case_id: int | None = Field(default=None, sa_type=BIG_ID, index=True)
    created_at: datetime = Field(sa_column=moment_column(index=True))
    read_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    subject: str | None = Field(default=None, sa_column=code_column(length=80, nullable=True))
    """What it speaks of beside cases, as the audit trail names it: inspection:12."""


def notify(
    work: Work, person_id: int, kind: str, title: str, body: str = "", *, case_id: int | None = None, subject: str | None = None
) -> Notice:
    """Tell a person something, in the transaction of the act it speaks of."""
    notice = Notice(
        person_id=person_id, kind=kind, title=title, body=body, case_id=case_id, subject=subject, created_at=work.at
    )
    work.session.add(notice)
    return notice


@dataclass(frozen=True, slots=True)
class NoticePage:
    """One page of a person's notices: unread ones first, then the newest; `total` counts all of the choice."""

    rows: tuple[Notice, ...]
    total: int
    unread: int


def unread_count(session: Session, person_id: int) -> int:
    """How many notices a person has not read."""
    statement = select(func.count()).select_from(Notice).where(Notice.person_id == person_id, _is_unread())
    return session.exec(statement).one()


def page_of(session: Session, person_id: int, *, only_unread: bool, first: int, size: int) -> NoticePage:
    """The notices of a person from place `first` (0 is the top), with three queries."""
    own = Notice.person_id == person_id
    condition = (own, _is_unread()) if only_unread else (own,)
    statement = select(Notice).where(*condition).order_by(col(Notice.read_at).is_not(None), col(Notice.id).desc())
    rows = session.exec(statement.offset(first).limit(size)).all()
    total = session.exec(select(func.count()).select_from(Notice).where(*condition)).one()
    return NoticePage(tuple(rows), total, unread_count(session, person_id))


@command("notice.read", allow=anyone_signed_in)
def mark_read(work: Work, notice_id: int) -> Notice:
    """Mark one of one's own notices as read; nothing changes if it was."""
    row = work.session.get(Notice, notice_id)
    if row is None or row.person_id != work.actor.person_id:
        raise NotFound("没有这条消息，或它不是发给你的。请从消息列表进入。")
    row.read_at = row.read_at or work.at
    work.record(f"person:{row.person_id}", act="read_notice", notice=notice_id)
    forget_actors(work)
    return row


@command("notice.read_all", allow=anyone_signed_in)
def mark_all_read(work: Work, through_id: int) -> int:
    """Mark one's own notices as read up to the newest one that the page showed; how many there were."""
    mine = (col(Notice.person_id) == work.actor.person_id, _is_unread(), col(Notice.id) <= through_id)
    marked = work.session.exec(update(Notice).where(*mine).values(read_at=work.at)).rowcount
    work.record(f"person:{work.actor.person_id}", act="read_notices", count=marked)
    forget_actors(work)
    return marked


def _is_unread() -> Any:
    return col(Notice.read_at).is_(None)
