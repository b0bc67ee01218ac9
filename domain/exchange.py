"""Messages to and from outside systems: written with the step that causes them, effective exactly once."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column
from domain.command import Work


class OutboxMessage(SQLModel, table=True):
    """A message that must reach a partner; `business_key` makes its effect happen once."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        UniqueConstraint("partner", "kind", "business_key", name="uq_outbox_business_key"),
        Index("ix_outbox_due", "status", "due_at"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    partner: str = Field(sa_column=code_column())
    kind: str = Field(sa_column=code_column())
    business_key: str = Field(sa_column=code_column(length=120))
    case_id: int | None = Field(default=None, sa_type=BIG_ID, index=True)
    payload: dict[str, Any] = Field(sa_column=json_column())
    file_digest: str | None = Field(default=None, sa_column=code_column(nullable=True))
    status: str = Field(default="waiting", sa_column=code_column(length=16))
    """waiting | sending | delivered | refused | dead | cancelled"""
    attempts: int = 0
    created_at: datetime = Field(sa_column=moment_column())
    due_at: datetime = Field(sa_column=moment_column())
    sent_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    answer: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    fault: str | None = None


class OutboxAttempt(SQLModel, table=True):
    """One try to deliver a message: when, how long, what came back."""

    __tablename__ = "outbox_attempt"

    id: int | None = Field(default=None, sa_column=id_column())
    message_id: int = Field(sa_type=BIG_ID, foreign_key="outbox_message.id", index=True)
    at: datetime = Field(sa_column=moment_column())
    duration_ms: int = 0
    result: str = Field(sa_column=code_column(length=24))
    detail: str = ""


class InboxMessage(SQLModel, table=True):
    """A message a partner sent; a second one with the same key is kept but has no effect."""

    __tablename__ = "inbox_message"
    __table_args__ = (UniqueConstraint("partner", "business_key", "digest", name="uq_inbox_message"),)

    id: int | None = Field(default=None, sa_column=id_column())
    partner: str = Field(sa_column=code_column())
    kind: str = Field(sa_column=code_column())
    business_key: str = Field(sa_column=code_column(length=120, index=True))
    digest: str = Field(sa_column=code_column())
    case_id: int | None = Field(default=None, sa_type=BIG_ID, index=True)
    payload: dict[str, Any] = Field(sa_column=json_column())
    received_at: datetime = Field(sa_column=moment_column())
    status: str = Field(default="received", sa_column=code_column(length=16))
    """received | handled | ignored | failed"""
    fault: str | None = None


def send(
    work: Work,
    partner: str,
    kind: str,
    business_key: str,
    payload: dict[str, Any],
    *,
    case_id: int | None = None,
    file_digest: str | None = None,
) -> OutboxMessage:
    """Put a message into the outbox, in the transaction of the step that causes it."""
    message = OutboxMessage(
        partner=partner,
        kind=kind,
        business_key=business_key,
        payload=payload,
        case_id=case_id,
        file_digest=file_digest,
        created_at=work.at,
        due_at=work.at,
    )
    work.session.add(message)
    work.session.flush()
    work.record(f"outbox:{message.id}", partner=partner, kind=kind, business_key=business_key)
    return message
