"""Tables of the ledgers: accounts with their balance, postings with their entries, frozen area, details, stops."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, decimal_column, id_column, json_column, moment_column

ZERO = Decimal("0.0000")
_IS_ACTIVE = text("state = 'active'")


class LedgerAccount(SQLModel, table=True):
    """One measure of one pool of one area in one year, with its balance in m².

    The balance is the sum of the entries; it is kept here so that one row lock guards it. `frozen` is part of the
    balance that a running case has set aside.
    """

    __tablename__ = "ledger_account"
    __table_args__ = (
        UniqueConstraint("pool", "area_code", "year", "measure", name="uq_ledger_account"),
        CheckConstraint("frozen >= 0", name="ck_ledger_account_frozen"),
        CheckConstraint("NOT is_floored OR balance >= frozen", name="ck_ledger_account_floor"),
        Index("ix_ledger_account_area", "year", "area_code"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    pool: str = Field(sa_column=code_column(length=16))
    area_code: str = Field(sa_column=code_column(length=12))
    year: int
    measure: str = Field(sa_column=code_column(length=16))
    is_floored: bool
    balance: Decimal = Field(default=ZERO, sa_column=decimal_column())
    frozen: Decimal = Field(default=ZERO, sa_column=decimal_column())


class LedgerPosting(SQLModel, table=True):
    """One act of booking: its kind, the case and task that caused it, when and by whom. Never changed or deleted."""

    __tablename__ = "ledger_posting"
    __table_args__ = (Index("ix_ledger_posting_case", "case_id"), Index("ix_ledger_posting_area", "area_code", "year"))

    id: int | None = Field(default=None, sa_column=id_column())
    kind: str = Field(sa_column=code_column(length=24))
    key: str = Field(sa_column=code_column(length=80, unique=True))
    """What makes the act one of a kind, so that it is booked once, such as store:case:12."""
    area_code: str = Field(sa_column=code_column(length=12))
    other_area_code: str | None = Field(default=None, sa_column=code_column(length=12, nullable=True))
    year: int
    amount: Decimal = Field(sa_column=decimal_column())
    case_id: int | None = Field(default=None, sa_type=BIG_ID, foreign_key="case_file.id")
    task_id: int | None = Field(default=None, sa_type=BIG_ID)
    at: datetime = Field(sa_column=moment_column())
    booked_on: date
    person_id: int | None = Field(default=None, sa_type=BIG_ID)
    memo: str = ""
    reversal_of: int | None = Field(default=None, sa_type=BIG_ID, unique=True)


class LedgerEntry(SQLModel, table=True):
    """One side of a posting: the amount with its sign, and the balance of the account after it."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("posting_id", "account_id", name="uq_ledger_entry"),
        Index("ix_ledger_entry_account", "account_id", "id"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    posting_id: int = Field(sa_type=BIG_ID, foreign_key="ledger_posting.id")
    account_id: int = Field(sa_type=BIG_ID, foreign_key="ledger_account.id")
    amount: Decimal = Field(sa_column=decimal_column())
    balance_after: Decimal = Field(sa_column=decimal_column())


class LedgerFreeze(SQLModel, table=True):
    """Area of an account that a case has set aside 冻结; one active freeze a case and account."""

    __tablename__ = "ledger_freeze"
    __table_args__ = (
        Index(
            "ux_ledger_freeze_active", "case_id", "account_id", unique=True,
            sqlite_where=_IS_ACTIVE, postgresql_where=_IS_ACTIVE,
        ),
        Index("ix_ledger_freeze_account", "account_id", "state"),
    )  # fmt: skip

    id: int | None = Field(default=None, sa_column=id_column())
    account_id: int = Field(sa_type=BIG_ID, foreign_key="ledger_account.id")
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    task_id: int | None = Field(default=None, sa_type=BIG_ID)
    step: str = Field(default="", sa_column=code_column())
    amount: Decimal = Field(sa_column=decimal_column())
    state: str = Field(default="active", sa_column=code_column(length=12))
    """active 冻结中 | settled 已转扣减 | released 已解冻"""
    at: datetime = Field(sa_column=moment_column())
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    posting_id: int | None = Field(default=None, sa_type=BIG_ID)


class ResourceDetail(SQLModel, table=True):
    """One row of a list of details 明细 (LAND-100, 101): what a posting meant, in the words of the case."""

    __tablename__ = "resource_detail"
    __table_args__ = (Index("ix_resource_detail_list", "list_key", "area_code", "id"),)

    id: int | None = Field(default=None, sa_column=id_column())
    list_key: str = Field(sa_column=code_column(length=24))
    posting_id: int = Field(sa_type=BIG_ID, foreign_key="ledger_posting.id", unique=True)
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id", index=True)
    area_code: str = Field(sa_column=code_column(length=12))
    year: int
    number: str = Field(default="", sa_column=code_column(length=80))
    title: str
    amount: Decimal = Field(sa_column=decimal_column())
    paddy: Decimal | None = Field(default=None, sa_column=decimal_column(nullable=True))
    resource_type: str = Field(default="", sa_column=code_column(length=40))
    scope: str = Field(default="", sa_column=code_column(length=40))
    approved_at: datetime = Field(sa_column=moment_column())


class LedgerYear(SQLModel, table=True):
    """That the accounts of a year were opened from the annual farmland layer, and whether they were counted again."""

    __tablename__ = "ledger_year"

    id: int | None = Field(default=None, sa_column=id_column())
    year: int = Field(unique=True)
    opened_at: datetime = Field(sa_column=moment_column())
    layer_edition: int
    recounted_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    recounted_by: int | None = Field(default=None, sa_type=BIG_ID)


class WarningState(SQLModel, table=True):
    """Whether an area is stopped in a year, since when, and by which change."""

    __tablename__ = "ledger_warning_state"
    __table_args__ = (UniqueConstraint("area_code", "year", name="uq_ledger_warning_state"),)

    id: int | None = Field(default=None, sa_column=id_column())
    area_code: str = Field(sa_column=code_column(length=12))
    year: int
    is_stopped: bool
    since: datetime = Field(sa_column=moment_column())
    change_id: int | None = Field(default=None, sa_type=BIG_ID)


class WarningChange(SQLModel, table=True):
    """One line of the log of stops and resumptions 停办/恢复: the figures, the line, and the decision."""

    __tablename__ = "ledger_warning_change"
    __table_args__ = (Index("ix_ledger_warning_change", "area_code", "id"),)

    id: int | None = Field(default=None, sa_column=id_column())
    area_code: str = Field(sa_column=code_column(length=12))
    year: int
    change: str = Field(sa_column=code_column(length=12))
    """stopped 停办 | resumed 恢复"""
    at: datetime = Field(sa_column=moment_column())
    remaining: Decimal = Field(sa_column=decimal_column())
    stored: Decimal = Field(sa_column=decimal_column())
    line: Decimal | None = Field(default=None, sa_column=decimal_column(nullable=True))
    posting_id: int | None = Field(default=None, sa_type=BIG_ID)
    case_id: int | None = Field(default=None, sa_type=BIG_ID)
    decision_id: int | None = Field(default=None, sa_type=BIG_ID)
    message: str = ""
    figures: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
