"""In-app notices 消息: who is told what, at which step."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, id_column, moment_column
from domain.command import Work


class Notice(SQLModel, table=True):
    """One message to one person; `path` leads to what it speaks of."""

    __tablename__ = "notice"

    id: int | None = Field(default=None, sa_column=id_column())
    person_id: int = Field(sa_type=BIG_ID, foreign_key="person.id", index=True)
    kind: str = Field(sa_column=code_column())
    title: str
    body: str = ""
    case_id: int | None = Field(default=None, sa_type=BIG_ID, index=True)
    created_at: datetime = Field(sa_column=moment_column(index=True))
    read_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))


def notify(
    work: Work, person_id: int, kind: str, title: str, body: str = "", *, case_id: int | None = None
) -> Notice:
    """Tell a person something, in the transaction of the act it speaks of."""
    notice = Notice(
        person_id=person_id, kind=kind, title=title, body=body, case_id=case_id, created_at=work.at
    )
    work.session.add(notice)
    return notice
