"""Tables of observations: the series, its readings, and the alarms that were raised over it."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, decimal_column, id_column, moment_column


class ObservationSeries(SQLModel, table=True):
    """What is measured at one place in one unit, and which rule set judges it."""

    __tablename__ = "observation_series"

    id: int | None = Field(default=None, sa_column=id_column())
    key: str = Field(sa_column=code_column(length=80, unique=True))
    subject: str
    """The place or thing that is observed, in words."""
    title: str
    unit: str = Field(sa_column=code_column(length=24))
    rule_set: str = Field(sa_column=code_column())
    district_code: str | None = Field(default=None, sa_column=code_column(length=12, nullable=True, index=True))
    judge_from: datetime | None = Field(default=None, sa_column=moment_column(nullable=True, index=True))
    """The earliest reading whose window must be judged (again); None when all are."""
    judge_through: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    """The latest reading that is new; windows that reach back to it are judged too."""
    settle_from: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    """From where the alarms must be brought into line with what was judged; None when they are."""
    fault: str | None = None
    """Why the newest window could not be judged; None when it could."""
    created_at: datetime = Field(sa_column=moment_column())
    is_demo: bool = False


class Observation(SQLModel, table=True):
    """One reading; never changed but for what the rules said of the window that ends with it."""

    __tablename__ = "observation"
    __table_args__ = (
        UniqueConstraint("series_id", "business_key", name="uq_observation"),
        Index("ix_observation_at", "series_id", "at", "id"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    series_id: int = Field(sa_type=BIG_ID, foreign_key="observation_series.id")
    business_key: str = Field(sa_column=code_column(length=80))
    at: datetime = Field(sa_column=moment_column())
    value: Decimal = Field(sa_column=decimal_column(scale=6))
    received_at: datetime = Field(sa_column=moment_column())
    outcome: str | None = Field(default=None, sa_column=code_column(length=16, nullable=True))
    """The outcome for the window that ends with this reading; None until it is judged, undetermined if it could not be."""


class ObservationAlarm(SQLModel, table=True):
    """One crossing: from the reading whose window first held the condition until the first whose window did not."""

    __tablename__ = "observation_alarm"
    __table_args__ = (Index("ix_observation_alarm_series", "series_id", "from_at"),)

    id: int | None = Field(default=None, sa_column=id_column())
    series_id: int = Field(sa_type=BIG_ID, foreign_key="observation_series.id")
    from_at: datetime = Field(sa_column=moment_column())
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    raised_at: datetime = Field(sa_column=moment_column())
    withdrawn_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    """When a late reading showed that there was no crossing, or that it was one with another."""
    message: str = ""
    roles: str = Field(default="", sa_column=code_column(length=200))
    told: int = 0
    decision_id: int | None = Field(default=None, sa_type=BIG_ID)
