"""The case engine over a case type that is written into a folder at run time."""

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

import pytest

from domain.actor import Actor
from domain.case import draft
from domain.case.tables import Case, Material, Task
from domain.file_store import register
from domain.office import Office
from domain.portal_clock import now
from portal.database import Database
from portal.office import open_office
from portal.settings import PROJECT_DIR, Settings, read_settings
from tests.case_types import tree_permit

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082")
FILLED = {
    "project_name": ["泵站工程"], "district": ["310118"], "area": ["120.50"], "cuts_trees": ["false"],
}


@pytest.fixture(scope="session")
def tree_office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The portal with one case type more, written a moment ago."""
    folder = tmp_path_factory.mktemp("case_types")
    tree_permit.write(folder)
    settings = read_settings({"VAR_DIR": str(folder / "var"), "DEMO": "1", "PARTNERS_URL": "http://127.0.0.1:9"})
    return open_office(settings, case_types=folder, rule_folders=(PROJECT_DIR / "rules" / "sets", folder))


@pytest.fixture
def office(tree_office: Office, settings: Settings) -> Office:
    from domain.file_store import FileStore

    folders = replace(tree_office.rule_folders, city=settings.rules_dir)
    files, book = FileStore(settings.var_dir / "files"), copy(tree_office.book)
    book.over = folders.city
    return replace(tree_office, files=files, book=book, rule_folders=folders, caches={})


class Filing:
    """One case on its way, with short words for what people do to it."""

    def __init__(self, database: Database, applicant: Actor) -> None:
        self.database, self.applicant = database, applicant
        with database.writing() as session:
            self.id = draft.open_draft(session, applicant, "tree_permit").id

    def do(self, command: Callable[..., Any], actor: Actor, *args: Any, **kwargs: Any) -> Any:
        with self.database.writing() as session:
            return command(session, actor, *args, **kwargs)

    @property
    def case(self) -> Case:
        with self.database.reading() as session:
            return session.get(Case, self.id)

    def tasks(self, *statuses: str) -> list[Task]:
        from sqlmodel import col, select

        with self.database.reading() as session:
            found = select(Task).where(Task.case_id == self.id, col(Task.status).in_(statuses or ("ready", "held")))
            return list(session.exec(found.order_by(col(Task.id))).all())

    def task(self, step: str) -> int:
        return next(task.id for task in self.tasks() if task.step == step)

    def fill(self, actor: Actor | None = None, step: str = "apply", **changed: Any) -> dict[str, str]:
        posted = {**FILLED, **{key: [value] for key, value in changed.items()}} if step == "apply" else {
            key: [value] for key, value in changed.items()
        }
        return self.do(draft.save, actor or self.applicant, self.task(step), posted)[1]

    def attach(self, slot: str = "plan") -> None:
        with self.database.writing() as session:
            office = self.database.office
            digest = register(session, office.files.put_bytes(PNG, "plan.png"), now())
            session.add(Material(case_id=self.id, slot=slot, name="plan.png", digest=digest, size=len(PNG),
                                 media_type="image/png", uploaded_at=now()))
            session.commit()

    def act(self, actor: Actor, step: str, action: str, opinion: str = "同意", **kwargs: Any) -> Case:
        from domain.case.actions import take_action

        return self.do(take_action, actor, self.task(step), action, opinion=opinion, **kwargs)

    def submitted(self) -> "Filing":
        assert self.fill() == {}
        self.attach()
        self.act(self.applicant, "apply", "submit", "")
        return self


@pytest.fixture
def applicant(person: Callable[..., Actor]) -> Actor:
    return person("applicant", enterprise="青浦水务（样例）", name="申请人甲")


@pytest.fixture
def filing(database: Database, applicant: Actor) -> Filing:
    return Filing(database, applicant)


@pytest.fixture
def officers(person: Callable[..., Actor]) -> dict[str, Actor]:
    """One officer for each step, in the district of the filing."""
    roles = ("window", "reviewer", "section_chief", "pre_reviewer", "approver")
    return {role: person(role, district="310118") for role in roles}


