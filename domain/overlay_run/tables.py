"""Tables of saved overlays: one row for each run with everything it was made from, and the rows of its result."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, decimal_column, id_column, json_column, moment_column


class OverlayRun(SQLModel, table=True):
    """One overlay: what was asked, what it was computed from, what came out. A run is never computed over again."""

    __tablename__ = "overlay_run"
    __table_args__ = (Index("ix_overlay_run_list", "district_code", "id"),)

    id: int | None = Field(default=None, sa_column=id_column())
    title: str
    note: str = ""
    scheme: str = Field(default="", sa_column=code_column())
    """A key of reference/overlay_schemes.yaml; empty for a free overlay."""
    asked: dict[str, Any] = Field(sa_column=json_column())
    """RunRequest as a document: the same can be asked again."""
    district_code: str = Field(default="", sa_column=code_column(length=12))
    """The district of who asked, in which it can be seen; empty for the city's own."""
    asked_by: int | None = Field(default=None, sa_type=BIG_ID, index=True)
    asked_by_name: str
    asked_at: datetime = Field(sa_column=moment_column())
    job_id: int | None = Field(default=None, sa_type=BIG_ID)
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    lineage: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """The editions or file digests of ranges and layers, how many features, versions of the engines."""
    summary: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Sums of the rows, residuals, what was counted once, slivers, repairs; areas are texts."""
    range_count: int = 0
    row_count: int = 0
    total_m2: Decimal = Field(default=Decimal("0.00"), sa_column=decimal_column(scale=2))
    result_file: str | None = Field(default=None, sa_column=code_column(nullable=True))
    """Digest of the GeoPackage with a piece for each row."""


class OverlayRunRow(SQLModel, table=True):
    """The area of a range in one combination of classes and one district."""

    __tablename__ = "overlay_run_row"
    __table_args__ = (Index("ix_overlay_run_row_list", "run_id", "place"),)

    id: int | None = Field(default=None, sa_column=id_column())
    run_id: int = Field(sa_type=BIG_ID)
    place: int
    range_key: str = Field(sa_column=code_column(length=120))
    district_code: str = Field(default="", sa_column=code_column(length=12))
    group_values: list[str] = Field(sa_column=json_column())
    """The values of the fields by which the ranges are grouped, in the order of the request."""
    classes: list[str] = Field(sa_column=json_column())
    """One class a layer, in the order of the request; empty where the layer has nothing."""
    area_m2: Decimal = Field(sa_column=decimal_column(scale=2))
