"""Tables of issued documents: the document with its number, and its versions with their bytes and codes."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, event
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column


class Document(SQLModel, table=True):
    """One issued document of a case; its number stays, whatever versions follow."""

    __tablename__ = "document"
    __table_args__ = (Index("ix_document_case", "case_id", "key", "id"),)

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int | None = Field(default=None, sa_type=BIG_ID, foreign_key="case_file.id")
    key: str = Field(sa_column=code_column())
    """Key of the definition in the case type's documents.yaml."""
    label: str
    number: str | None = Field(default=None, sa_column=code_column(length=200, nullable=True, unique=True))
    status: str = Field(default="issued", sa_column=code_column(length=8))
    """issued 有效 | void 已作废"""
    current_version: int = 1
    is_public: bool = False
    """True if the applicant may download it."""
    created_at: datetime = Field(sa_column=moment_column())
    void_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    void_by: int | None = Field(default=None, sa_type=BIG_ID)
    void_reason: str | None = None


class DocumentVersion(SQLModel, table=True):
    """One set of bytes that was issued, locked: this row never changes and is never deleted."""

    __tablename__ = "document_version"
    __table_args__ = (UniqueConstraint("document_id", "version_no", name="uq_document_version"),)

    id: int | None = Field(default=None, sa_column=id_column())
    document_id: int = Field(sa_type=BIG_ID, foreign_key="document.id")
    version_no: int
    code: str = Field(sa_column=code_column(length=12, unique=True))
    """What the public looks it up by; random, says nothing."""
    digest: str = Field(sa_column=code_column(index=True))
    """SM3 of the PDF, under which the file store keeps it."""
    size_bytes: int = Field(sa_type=BIG_ID)
    content_digest: str = Field(sa_column=code_column())
    content: dict[str, Any] = Field(sa_column=json_column())
    issued_on: date
    issued_at: datetime = Field(sa_column=moment_column())
    issued_by: int | None = Field(default=None, sa_type=BIG_ID)
    reason: str = ""
    """Why this version replaced the one before; empty on the first."""


@event.listens_for(DocumentVersion, "before_update")
@event.listens_for(DocumentVersion, "before_delete")
def _refuse_change(_mapper: object, _connection: object, version: DocumentVersion) -> None:
    raise ValueError(f"version {version.version_no} of document {version.document_id} is locked")
