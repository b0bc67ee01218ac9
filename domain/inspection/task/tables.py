"""Tables of the inspection tasks: tasks, the inspections of their packages, what was found, exceptions, variants."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, decimal_column, id_column, json_column, moment_column
from domain.geometry_column import geometry_column

READING, UNREADABLE, WAITING, QUEUED, RUNNING = "reading", "unreadable", "waiting", "queued", "running"
PASSED, FAILED, BROKEN, CANCELLED, ADMITTED = "passed", "failed", "broken", "cancelled", "admitted"
BUSY = (READING, QUEUED, RUNNING)
INSPECTED = (PASSED, FAILED, ADMITTED)
STATES = (READING, UNREADABLE, WAITING, QUEUED, RUNNING, FAILED, PASSED, ADMITTED, BROKEN, CANCELLED)
OPEN, ASKED, EXCEPTED = "open", "asked", "excepted"
APPROVED, REFUSED, WITHDRAWN = "approved", "refused", "withdrawn"


class InspectionTask(SQLModel, table=True):
    """One task: a scheme, and one package or several; its state and counts are those of its packages together."""

    __tablename__ = "inspection_task"
    __table_args__ = (
        Index("ix_inspection_task_list", "deleted_at", "id"),
        Index("ix_inspection_task_district", "district_code", "id"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    number: str = Field(sa_column=code_column(unique=True))
    title: str
    scheme: str = Field(sa_column=code_column())
    variant_id: int | None = Field(default=None, sa_type=BIG_ID)
    district_code: str = Field(sa_column=code_column(length=16))
    """The district it is for; 310100 for what concerns the whole city."""
    is_batch: bool = False
    state: str = Field(sa_column=code_column(length=12))
    package_count: int = 0
    passed_count: int = 0
    error_count: int = 0
    """Errors that no approved exception covers."""
    created_by: int = Field(sa_type=BIG_ID)
    created_by_name: str
    created_at: datetime = Field(sa_column=moment_column())
    changed_at: datetime = Field(sa_column=moment_column())
    changed_by_name: str
    deleted_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    deleted_by_name: str = ""
    is_generated: bool = False
    """True for demo data, which every screen must say."""
    version: int = 1


class InspectionRun(SQLModel, table=True):
    """One inspection of one package: a package has a new one with each corrected upload and each rerun; the latest counts."""

    __tablename__ = "inspection_run"
    __table_args__ = (UniqueConstraint("task_id", "package_no", "run_no"),)

    id: int | None = Field(default=None, sa_column=id_column())
    task_id: int = Field(sa_type=BIG_ID, foreign_key="inspection_task.id", index=True)
    package_no: int
    run_no: int
    package_version: int = 1
    """Counts the uploads of the package; a rerun keeps it."""
    is_latest: bool = True
    state: str = Field(sa_column=code_column(length=12))
    job_id: int | None = Field(default=None, sa_type=BIG_ID)
    file_name: str
    digest: str = Field(sa_column=code_column(index=True))
    size_bytes: int = Field(sa_type=BIG_ID)
    declared_crs: str = Field(default="", sa_column=code_column(length=32))
    encoding: str = Field(default="", sa_column=code_column(length=16))
    understood: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    uploaded_by_name: str
    uploaded_at: datetime = Field(sa_column=moment_column())
    confirmed_by_name: str = ""
    started_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    inspected_on: date | None = None
    """The day whose edition of the rules judged."""
    fault: str = ""
    """Why the package cannot be read, or the inspection did not come to its end."""
    edition: str = ""
    variant: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """The variant as it was laid over the scheme: name, checks off, parameters."""
    score: Decimal | None = Field(default=None, sa_column=decimal_column(scale=2, nullable=True))
    is_passed: bool = False
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Findings by class (code, label, severity, total, excepted), and score and verdict as the engine gave them."""
    checked: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    finding_count: int = 0
    error_count: int = 0
    excepted_count: int = 0
    parameters: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    engines: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    certificate: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    picture: str | None = Field(default=None, sa_column=code_column(nullable=True))
    """Digest of the GeoPackage in EPSG:4490 that map and attribute panel read."""
    bounds: list[float] = Field(default_factory=list, sa_column=json_column())
    admitted_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    admitted_by_name: str = ""
    admission_job_id: int | None = Field(default=None, sa_type=BIG_ID)
    admission: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Layer, edition, counts and number given when the package was admitted."""


class InspectionFinding(SQLModel, table=True):
    """One thing wrong with a package, in the order of the result."""

    __tablename__ = "inspection_finding"
    __table_args__ = (
        Index("ix_inspection_finding_order", "run_id", "number", unique=True),
        Index("ix_inspection_finding_class", "run_id", "code", "number"),
        Index("ix_inspection_finding_place", "run_id", "west"),
        Index("ix_inspection_finding_mark", "run_id", "mark"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    run_id: int = Field(sa_type=BIG_ID, foreign_key="inspection_run.id")
    number: int
    code: str = Field(sa_column=code_column())
    check: str
    layer: str
    feature: int = 0
    key: str = ""
    field: str = ""
    value: str = ""
    message: str
    severity: str = Field(sa_column=code_column(length=12))
    fix: str = ""
    rule: str = ""
    x: float | None = None
    y: float | None = None
    geometry: Any = Field(default=None, sa_column=geometry_column(nullable=True))
    west: float | None = None
    south: float | None = None
    east: float | None = None
    north: float | None = None
    mark: str = Field(sa_column=code_column(length=32))
    """Names the same fault of the same feature in the next version of the package."""
    state: str = Field(default=OPEN, sa_column=code_column(length=12))
    exception_id: int | None = Field(default=None, sa_type=BIG_ID, index=True)


class InspectionException(SQLModel, table=True):
    """Findings that shall not count as errors: asked for with a reason by one person, decided by another."""

    __tablename__ = "inspection_exception"

    id: int | None = Field(default=None, sa_column=id_column())
    run_id: int = Field(sa_type=BIG_ID, foreign_key="inspection_run.id", index=True)
    finding_count: int
    reason: str
    state: str = Field(default=ASKED, sa_column=code_column(length=12))
    asked_by: int = Field(sa_type=BIG_ID)
    asked_by_name: str
    asked_at: datetime = Field(sa_column=moment_column())
    decided_by_name: str = ""
    decided_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    opinion: str = ""


class InspectionVariant(SQLModel, table=True):
    """A named variant that planners lay over a scheme: checks that are off, other tolerances."""

    __tablename__ = "inspection_variant"

    id: int | None = Field(default=None, sa_column=id_column())
    scheme: str = Field(sa_column=code_column(index=True))
    title: str
    off: list[str] = Field(default_factory=list, sa_column=json_column())
    parameters: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    note: str = ""
    created_by: int = Field(sa_type=BIG_ID)
    created_by_name: str
    changed_at: datetime = Field(sa_column=moment_column())
    deleted_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    version: int = 1
