"""The patches that an inspection admitted, with the number each was given and the case it became."""

from decimal import Decimal

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, decimal_column, id_column


class AdmittedPatch(SQLModel, table=True):
    """One patch of one admitted package; how far its case and its messages are is read from those."""

    __tablename__ = "admitted_patch"
    __table_args__ = (
        UniqueConstraint("run_id", "layer_key", "feature_key", name="uq_admitted_patch"),
        Index("ix_admitted_patch_key", "layer_key", "feature_key"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    run_id: int = Field(sa_type=BIG_ID, foreign_key="inspection_run.id")
    layer_key: str = Field(sa_column=code_column())
    feature_key: str = Field(sa_column=code_column())
    district_code: str = Field(sa_column=code_column(length=16))
    area_m2: Decimal = Field(sa_column=decimal_column(scale=2))
    number: str = Field(sa_column=code_column())
    """The number of the clue; a patch that comes again keeps its first."""
    case_id: int | None = Field(default=None, sa_type=BIG_ID, foreign_key="case_file.id", index=True)
    is_repeated: bool = False
    """True if the case was opened for the same patch of an earlier package."""
    fault: str = ""
    """Why no case could be opened yet, and what to do."""
