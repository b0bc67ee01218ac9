"""Signed-in sessions, kept on the server; the cookie holds only a random token whose digest is stored."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, id_column, moment_column


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
