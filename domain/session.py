"""Signed-in sessions, kept on the server; the cookie holds only a random token whose digest is stored."""

import hashlib
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Field, Session, SQLModel, col, select

from domain.columns import BIG_ID, code_column, id_column, moment_column
from domain.command import Work
from domain.office import office_of


class SignedInSession(SQLModel, table=True):
    """One browser of one person."""

    __tablename__ = "signed_in_session"

    id: int | None = Field(default=None, sa_column=id_column())
    token_digest: str = Field(sa_column=code_column(unique=True))
    person_id: int = Field(sa_type=BIG_ID, foreign_key="person.id", index=True)
    csrf_token: str = Field(sa_column=code_column())
    created_at: datetime = Field(sa_column=moment_column())
    seen_at: datetime = Field(sa_column=moment_column())
    expires_at: datetime = Field(sa_column=moment_column())
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    address: str = ""
    browser: str = ""
    id_token: str | None = None


class SignInAttempt(SQLModel, table=True):
    """A failed sign-in, counted for throttling by login and by address."""

    __tablename__ = "sign_in_attempt"

    id: int | None = Field(default=None, sa_column=id_column())
    login_digest: str = Field(sa_column=code_column(index=True))
    address_digest: str = Field(sa_column=code_column(index=True))
    at: datetime = Field(sa_column=moment_column(index=True))


def digest(secret: str) -> str:
    """What is stored of a token, a login or an address: never the thing itself."""
    return hashlib.new("sm3", secret.encode()).hexdigest()


def open_sessions(session: Session, person_id: int, at: datetime) -> list[SignedInSession]:
    """The open sessions of a person at a real moment, the latest first."""
    statement = select(SignedInSession).where(
        SignedInSession.person_id == person_id, col(SignedInSession.ended_at).is_(None), SignedInSession.expires_at > at
    )
    return list(session.exec(statement.order_by(col(SignedInSession.seen_at).desc())).all())


def end_sessions(work: Work, person_id: int, at: datetime, keep: int | None = None) -> int:
    """End the open sessions of a person, but for one; how many there were. `at` is a real moment."""
    rows = [row for row in open_sessions(work.session, person_id, at) if row.id != keep]
    for row in rows:
        row.ended_at = at
    forget_actors(work)
    return len(rows)


def forget_attempts(work: Work, login: str) -> None:
    """Forget the failed sign-ins of a login: it is no longer paused."""
    work.session.exec(delete(SignInAttempt).where(col(SignInAttempt.login_digest) == digest(login.strip())))


def forget_actors(work: Work) -> None:
    """Let the gate ask the database again who somebody is and may do, once this transaction stands."""
    work.after_commit(office_of(work.session).caches.setdefault("actors", {}).clear)
