"""The table of saved thematic maps 模板."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column


class SavedThematicMap(SQLModel, table=True):
    """A thematic map as it was asked for: drawn anew from the latest data each time it is opened."""

    __tablename__ = "thematic_map"
    __table_args__ = (Index("ix_thematic_map_owner", "owner_id", "deleted_at"), Index("ix_thematic_map_shared", "shared_with", "shared_code"))

    id: int | None = Field(default=None, sa_column=id_column())
    owner_id: int = Field(sa_type=BIG_ID, foreign_key="person.id")
    name: str
    spec: dict[str, Any] = Field(sa_column=json_column())
    """The texts of domain.thematic_map.spec."""
    edition_number: int
    """The edition of the layer when it was last saved."""
    shared_with: str = Field(default="", sa_column=code_column(length=16))
    """organisation | district | city; empty for nobody."""
    shared_code: str = Field(default="", sa_column=code_column(length=20))
    created_at: datetime = Field(sa_column=moment_column())
    changed_at: datetime = Field(sa_column=moment_column())
    deleted_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    version: int = 1
