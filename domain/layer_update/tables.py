"""Table of the updates of layers: what was asked, what was understood and would change, what was decided, what came of it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Index
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column

READING, READY, REFUSED, APPLYING, APPLIED, DROPPED = ("reading", "ready", "refused", "applying", "applied", "dropped")
"""Being read; waits for confirmation; cannot be applied as it is; being applied; done; given up. What broke off is told by its job."""


class LayerUpdate(SQLModel, table=True):
    """One update of a layer from the asking to the edition that it became; nothing is in the layer before that."""

    __tablename__ = "layer_update"
    __table_args__ = (Index("ix_layer_update_list", "layer_key", "id"),)

    id: int | None = Field(default=None, sa_column=id_column())
    layer_key: str = Field(sa_column=code_column())
    way: str = Field(sa_column=code_column(length=16))
    """A key of CHANGES: whole, region, area, feature, delete, status, annual."""
    state: str = Field(default=READING, sa_column=code_column(length=12))
    district_code: str = Field(default="", sa_column=code_column(length=16))
    """The district of who asked; empty for the city's. Others of the same district may see it."""
    asked: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """UpdateRequest as a document."""
    reason: str = ""
    case_id: int | None = Field(default=None, sa_type=BIG_ID)
    effective_on: date = Field(sa_type=Date)
    data_year: int | None = None
    expected: int = 0
    """The number of the edition that it was prepared on; 0 for a layer without data."""
    understood: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    found: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Difference by district and by feature, refusals in words, conflicts with marks, the verdict of the inspection."""
    decisions: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """By key of a patch in conflict: choice, reason, who, when."""
    job_id: int | None = Field(default=None, sa_type=BIG_ID)
    asked_by: int | None = Field(default=None, sa_type=BIG_ID, index=True)
    asked_by_name: str
    asked_at: datetime = Field(sa_column=moment_column())
    applied_by_name: str = ""
    applied_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    edition_number: int | None = None
    version: int = 1
