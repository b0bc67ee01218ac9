"""Fixtures that many tests share: a migrated database (on both kinds), the office, the app, signed-in clients."""

import logging
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from domain.actor import Actor
from domain.office import Office
from domain.person import Organisation, Person, RoleGrant, actor_of
from domain.portal_clock import now
from domain.ports import declared
from portal.database import Database
from portal.migration import migrate
from portal.office import open_office
from portal.settings import Settings, current_settings, read_settings
from tests import compiled_statements

pytest_plugins = ["tests.partners"]

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(autouse=True)
def settings_read_anew() -> Iterator[None]:
    """A command run by a test reads the environment of that test, not what an earlier one left in the cache."""
    current_settings.cache_clear()
    yield
    current_settings.cache_clear()


class _Raised(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage())


@pytest.fixture(autouse=True)
def partners_asked_from_declared_pages_only() -> Iterator[None]:
    """What is logged in service is a fault here: a page that asks a partner says so in the route table."""
    handler = _Raised()
    declared.log.addHandler(handler)
    yield
    declared.log.removeHandler(handler)


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Any) -> str:
    """A migrated database that every PostgreSQL test gets a copy of."""
    return postgres_cluster.prepare_template("migrated", migrate)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that every SQLite test gets a copy of."""
    path = tmp_path_factory.mktemp("template") / "portal.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a demo portal with its data in a folder of the test."""
    return read_settings({
        "VAR_DIR": str(tmp_path), "DEMO": "1", "PARTNERS_URL": "http://127.0.0.1:9", "ALLOWED_HOSTS": "testserver,127.0.0.1",
    })


@pytest.fixture(scope="session")
def shared_office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The shipped rules and case types, loaded once."""
    folder = tmp_path_factory.mktemp("office")
    return open_office(read_settings({"VAR_DIR": str(folder), "DEMO": "1", "PARTNERS_URL": "http://127.0.0.1:9"}))


@pytest.fixture
def office(shared_office: Office, settings: Settings) -> Office:
    """The office of one test: shared definitions, files and caches of its own."""
    from domain.file_store import FileStore

    folders = replace(shared_office.rule_folders, city=settings.rules_dir)
    files, book = FileStore(settings.var_dir / "files"), copy(shared_office.book)
    book.over = folders.city
    return replace(shared_office, files=files, book=book, rule_folders=folders, caches={})


def _write_without_waiting(connection: Any, _record: Any) -> None:
    """What a test writes need not outlive a power cut; a process that is killed loses nothing by this."""
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, office: Office, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database; every test that takes it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        path = tmp_path / "portal.sqlite3"
        path.write_bytes(template.read_bytes())
        url = f"sqlite:///{path}"
    else:
        url = request.getfixturevalue("postgres_url")
    opened = Database(url, office=office)
    compiled_statements.share(opened.engine)
    if opened.is_sqlite:
        event.listen(opened.engine, "connect", _write_without_waiting)
    yield opened
    opened.dispose()


@pytest.fixture
def linked(office: Office, running: Any) -> Office:
    """The office of the test, with partners that answer (the simulators, as shipped)."""
    office.partners = running.partners
    return office


MakePerson = Callable[..., Actor]


@pytest.fixture
def person(database: Database) -> MakePerson:
    """Make a person with roles: person("window", "310118") or person("applicant", enterprise="某公司")."""

    def make(*roles: str, district: str | None = None, enterprise: str | None = None, name: str = "", **extra: Any) -> Actor:
        with database.writing() as session:
            made = _person(session, roles, district, enterprise, name, extra)
            session.commit()
            return actor_of(session, made)

    return make


def _person(session: Any, roles: tuple[str, ...], district: str | None, enterprise: str | None, name: str, extra: Any) -> int:
    organisation = None
    if enterprise:
        organisation = Organisation(name=enterprise, kind="enterprise", credit_code=extra.pop("credit_code", None))
        session.add(organisation)
        session.flush()
    is_applicant = "applicant" in roles
    made = Person(
        name=name or "、".join(roles) or "无岗位", is_applicant=is_applicant, created_at=now(),
        organisation_id=organisation.id if organisation else None, login=extra.pop("login", None), **extra,
    )
    session.add(made)
    session.flush()
    for role in roles:
        if role != "applicant":
            session.add(RoleGrant(person_id=made.id, role=role, district_code=district, from_at=now()))
    session.flush()
    return made.id


@pytest.fixture
def app(settings: Settings, office: Office, database: Database) -> Any:
    """The whole app over the test's database, without runners."""
    from portal.app import create_app

    return create_app(settings, office=office, database=database, run=False)


class Browser(TestClient):
    """A test client that is signed in as a person and sends the CSRF token by itself."""

    csrf: str = ""

    def post(self, url: Any, data: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        fields = dict(data or {})
        fields.setdefault("csrf_token", self.csrf)
        return super().post(url, data=fields, follow_redirects=kwargs.pop("follow_redirects", False), **kwargs)


@pytest.fixture
def sign_in(app: Any, database: Database) -> Callable[[Actor], Browser]:
    """Open a browser session for a person without going through the sign-in page."""
    from datetime import timedelta

    from domain.command import Work
    from domain.sign_in import _open
    from portal.gate import COOKIE

    def enter(actor: Actor) -> Browser:
        with database.writing() as session:
            work = Work(session, actor, now(), "session.open")
            token = _open(work, session.get(Person, actor.person_id), "testclient", "pytest", timedelta(hours=8), None)
            work.finish()
            csrf = _csrf_of(session, token)
        browser = Browser(app, base_url="http://testserver", raise_server_exceptions=True)
        browser.cookies.set(COOKIE, token)
        browser.csrf = csrf
        return browser

    return enter


def _csrf_of(session: Any, token: str) -> str:
    from sqlmodel import select

    from domain.session import SignedInSession
    from domain.sign_in import digest

    return session.exec(select(SignedInSession.csrf_token).where(SignedInSession.token_digest == digest(token))).one()


