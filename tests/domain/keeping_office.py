"""An office with the sample case type and a database on either engine, for materials, dictionaries and parameters."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session, SQLModel, select

from domain.actor import Actor, Grant
from domain.audit import AuditEntry, AuditHead
from domain.case.tables import Case, CaseCorrection, Material, Task
from domain.dictionary import DictionaryEntry
from domain.file_store import FileStore, StoredFile
from domain.office import Office
from domain.parameter import Parameter
from domain.person import Organisation, Person
from domain.portal_clock import DemoClock
from portal.database import Database
from rules.case_type import load_catalogue
from tests.rules.case_type_sample import BASE, KNOWN

TABLES = (
    AuditEntry,
    AuditHead,
    Organisation,
    Person,
    Case,
    CaseCorrection,
    Task,
    Material,
    StoredFile,
    DictionaryEntry,
    Parameter,
    DemoClock,
)
ADMINISTRATOR = Actor(7, "顾思齐（样例）", (Grant("system_admin"),))
APPLICANT = Actor(5, "沈青禾（样例）", is_applicant=True)
STRANGER = Actor(6, "陆明远（样例）", is_applicant=True)
PDF = b"%PDF-1.7\n% sample\n"
BEGUN = datetime(2026, 11, 20, 2, tzinfo=UTC)


class KeepingOffice:
    """Sessions of an office, and one draft of the sample case type in the applicant's hands."""

    def __init__(self, url: str, folder: Path) -> None:
        self.files = FileStore(folder, reserve_bytes=0)
        office = Office(load_catalogue([BASE], KNOWN), None, None, self.files)
        self.database = Database(url, pooled=False, office=office)
        SQLModel.metadata.create_all(self.database.engine, tables=[each.__table__ for each in TABLES])
        with self.writing() as session:
            case = Case(
                draft_number="YL-2026-1",
                case_type="sample_permit",
                edition="2026-01-01",
                created_by=5,
                applicant_id=5,
                created_at=BEGUN,
                changed_at=BEGUN,
            )
            session.add(case)
            session.flush()
            session.add(
                Task(
                    case_id=case.id,
                    step="apply",
                    role="applicant",
                    status="held",
                    assignee_id=5,
                    created_at=BEGUN,
                )
            )
            self.case_id = case.id
            session.commit()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.database.writing() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.database.reading() as session:
            yield session

    def audited(self) -> list[str]:
        """The commands of the audit trail, in order."""
        with self.reading() as session:
            return list(session.exec(select(AuditEntry.command).order_by(AuditEntry.id)).all())
