"""Tables of the plots of a case: the plots, and the workbooks they came from."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, decimal_column, id_column, moment_column


class PlotUpload(SQLModel, table=True):
    """One workbook that was taken in whole: the file, how many plots it held, who sent it."""

    __tablename__ = "plot_upload"

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id", index=True)
    digest: str = Field(sa_column=code_column())
    name: str
    plot_count: int
    at: datetime = Field(sa_column=moment_column())
    person_id: int | None = Field(default=None, sa_type=BIG_ID)
    person_name: str = ""


class CasePlot(SQLModel, table=True):
    """One plot of a case as it stood in the layer when it was uploaded; the area is that of the layer, in m²."""

    __tablename__ = "case_plot"
    __table_args__ = (UniqueConstraint("case_id", "plot_number", name="uq_case_plot"),)

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    upload_id: int | None = Field(default=None, sa_type=BIG_ID)
    plot_number: str = Field(sa_column=code_column())
    plot_name: str = ""
    area_code: str = Field(sa_column=code_column(length=12))
    quota_scope: str = Field(default="", sa_column=code_column(length=40))
    class_code: str = Field(default="", sa_column=code_column(length=8))
    class_name: str = ""
    area_m2: Decimal = Field(sa_column=decimal_column(scale=2))
    added_at: datetime = Field(sa_column=moment_column())
