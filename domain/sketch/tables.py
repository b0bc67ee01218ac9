"""The tables of sketches: shapes that a person drew, typed or read from a file, seen by nobody else until they are shared."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, decimal_column, id_column, moment_column
from domain.geometry_column import geometry_column


class Sketch(SQLModel, table=True):
    """One sketch: a multipolygon, multiline or multipoint in EPSG:4490, with what was measured when it was kept."""

    __tablename__ = "sketch"
    __table_args__ = (Index("ix_sketch_owner", "owner_id", "deleted_at"),)

    id: int | None = Field(default=None, sa_column=id_column())
    owner_id: int = Field(sa_type=BIG_ID, foreign_key="person.id")
    name: str
    kind: str = Field(sa_column=code_column(length=16))
    """polygon | line | point"""
    geometry: Any = Field(sa_column=geometry_column())
    point_count: int
    length_m: Decimal = Field(sa_column=decimal_column(scale=3))
    area_m2: Decimal | None = Field(default=None, sa_column=decimal_column(scale=2, nullable=True))
    source: str = ""
    """The name of the file it was read from; empty for one that was drawn or typed."""
    created_at: datetime = Field(sa_column=moment_column())
    changed_at: datetime = Field(sa_column=moment_column())
    deleted_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    version: int = 1


class SharedRange(SQLModel, table=True):
    """The shape of a sketch as its owner shared it, found by a digest that only the shared address says; ended, not deleted."""

    __tablename__ = "shared_range"

    id: int | None = Field(default=None, sa_column=id_column())
    digest: str = Field(sa_column=code_column(unique=True))
    owner_id: int = Field(sa_type=BIG_ID, foreign_key="person.id")
    sketch_id: int = Field(sa_type=BIG_ID, foreign_key="sketch.id")
    name: str
    geometry: Any = Field(sa_column=geometry_column())
    at: datetime = Field(sa_column=moment_column())
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
