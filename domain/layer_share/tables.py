"""Tables of shares 成果共享: what was asked for and decided, and every access."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column


class LayerShare(SQLModel, table=True):
    """One application for a layer, and the share that came of it."""

    __tablename__ = "layer_share"
    __table_args__ = (Index("ix_layer_share_status", "status", "id"),)

    id: int | None = Field(default=None, sa_column=id_column())
    applicant_id: int = Field(sa_type=BIG_ID, foreign_key="person.id", index=True)
    applicant_name: str
    organisation_id: int | None = Field(default=None, sa_type=BIG_ID, foreign_key="organisation.id")
    layer_key: str = Field(sa_column=code_column())
    districts: list[Any] = Field(sa_column=json_column())
    """District codes; empty for the whole city."""
    classes: list[Any] = Field(sa_column=json_column())
    """Beginnings of class codes; empty for all."""
    fields: list[Any] = Field(sa_column=json_column())
    """Our names of the fields that are given out, as the rules of visibility left them."""
    purpose: str = Field(sa_column=code_column(length=16))
    reason: str = ""
    format: str = Field(sa_column=code_column(length=16))
    """service | download"""
    file_kind: str = Field(default="gpkg", sa_column=code_column(length=8))
    until_on: date
    status: str = Field(default="asked", sa_column=code_column(length=16))
    """asked | approved | refused | withdrawn"""
    asked_at: datetime = Field(sa_column=moment_column())
    decided_by: int | None = Field(default=None, sa_type=BIG_ID)
    decided_by_name: str = ""
    decided_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    opinion: str = ""
    token_digest: str | None = Field(default=None, sa_column=code_column(nullable=True, unique=True))
    """SM3 of the token; the token itself is shown once and kept nowhere."""
    withdrawn_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    withdrawn_by_name: str = ""
    withdrawn_why: str = ""
    job_id: int | None = Field(default=None, sa_type=BIG_ID)
    file_digest: str | None = Field(default=None, sa_column=code_column(nullable=True))
    file_name: str = ""
    version: int = 1


class LayerShareAccess(SQLModel, table=True):
    """One use of a share, or one request that was refused."""

    __tablename__ = "layer_share_access"
    __table_args__ = (Index("ix_layer_share_access_share", "share_id", "id"),)

    id: int | None = Field(default=None, sa_column=id_column())
    share_id: int = Field(sa_type=BIG_ID, foreign_key="layer_share.id")
    at: datetime = Field(sa_column=moment_column())
    what: str = Field(sa_column=code_column(length=16))
    """description | features | tile | download | refused"""
    feature_count: int = 0
    person_id: int | None = Field(default=None, sa_type=BIG_ID)
    """Who downloaded; None for a program with the token."""
