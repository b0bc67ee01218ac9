"""A small office with the tables of papers alone: database on both engines, file store, one case."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session, SQLModel

from domain.audit import AuditEntry, AuditHead
from domain.case.tables import Case
from domain.document.tables import Document, DocumentVersion
from domain.file_store import FileStore, StoredFile
from domain.numbering import GivenNumber, NumberCounter
from domain.office import Office
from portal.database import Database

TABLES = (AuditEntry, AuditHead, Case, StoredFile, NumberCounter, GivenNumber, Document, DocumentVersion)
MORNING = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)


class Papers:
    """Sessions that carry an office, as the portal's do."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database = Database(url)
        self.files = FileStore(folder, reserve_bytes=0)
        self.office = Office(None, None, None, self.files, public_url="https://portal.example")
        SQLModel.metadata.create_all(self.database.engine, tables=[each.__table__ for each in TABLES])

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.database.writing() as session:
            session.info["office"] = self.office
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.database.reading() as session:
            session.info["office"] = self.office
            yield session

    def new_case(self, district_code: str = "310118") -> int:
        with self.writing() as session:
            case = Case(draft_number=f"DRAFT-{district_code}", case_type="land_grant", edition="2026-01-01",
                        district_code=district_code, created_at=MORNING, changed_at=MORNING)
            session.add(case)
            session.commit()
            return case.id


@pytest.fixture(name="database", params=["sqlite", "postgresql"])
def database_fixture(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(name="papers")
def papers_fixture(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Papers]:
    if database == "sqlite":
        url = f"sqlite:///{tmp_path / 'papers.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    office = Papers(url, tmp_path / "files")
    yield office
    office.database.dispose()
