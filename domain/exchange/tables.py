"""Tables of the exchange: messages out with their attempts, messages in, and the line to each partner."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column


class OutboxMessage(SQLModel, table=True):
    """A message that must reach a partner; `business_key` makes its effect happen once."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        UniqueConstraint("partner", "kind", "business_key", name="uq_outbox_business_key"),
        Index("ix_outbox_due", "partner", "status", "due_at"),
        Index("ix_outbox_result", "result_status", "result_due_at"),
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
    first_failed_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    sent_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    answer: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    """The partner's receipt."""
    fault: str | None = None
    result_status: str = Field(default="", sa_column=code_column(length=16))
    """"" no result is expected | awaited | arrived"""
    result: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    result_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    result_due_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    """When the partner is asked next what became of the message."""
    asked_count: int = 0
    reply_light: str = Field(default="", sa_column=code_column(length=8))
    """How long the result has been missing, by the rule set usage_control_reply_light."""


class OutboxAttempt(SQLModel, table=True):
    """One try to deliver a message: when, how long, what came back; texts are redacted before they are kept."""

    __tablename__ = "outbox_attempt"

    id: int | None = Field(default=None, sa_column=id_column())
    message_id: int = Field(sa_type=BIG_ID, foreign_key="outbox_message.id", index=True)
    at: datetime = Field(sa_column=moment_column())
    duration_ms: int = 0
    result: str = Field(sa_column=code_column(length=24))
    """delivered | refused | down | invalid | broken"""
    detail: str = ""
    wire: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))


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
    outbox_id: int | None = Field(default=None, sa_type=BIG_ID, index=True)
    payload: dict[str, Any] = Field(sa_column=json_column())
    source: str = Field(default="push", sa_column=code_column(length=8))
    """push | ask: whether the partner sent it by itself or was asked"""
    received_at: datetime = Field(sa_column=moment_column())
    last_received_at: datetime = Field(sa_column=moment_column())
    received_count: int = 1
    status: str = Field(default="received", sa_column=code_column(length=16))
    """received | handled | conflict | failed"""
    fault: str | None = None


class PartnerLine(SQLModel, table=True):
    """Whether a partner can be reached: after failures its messages wait, longer each time."""

    __tablename__ = "partner_line"

    partner: str = Field(sa_column=Column(code_column().type, primary_key=True))
    failures: int = 0
    down_since: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    paused_until: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    fault: str | None = None
    last_success_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
