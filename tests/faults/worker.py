"""A process that files, decides and closes cases without end, until it is killed: python -m tests.faults.worker URL FOLDER."""

import itertools
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from domain.actor import Actor
from domain.case import draft
from domain.case.actions import take_action
from domain.case.tables import Material, Task
from domain.file_store import FileStore, register
from domain.person import actor_of
from domain.portal_clock import now
from portal.database import Database
from portal.office import open_office
from portal.settings import PROJECT_DIR, read_settings
from tests.case_types import tree_permit
from tests.domain.case.conftest import FILLED, PNG


def office_in(folder: Path) -> Any:
    """An office over the test's case type, with its files in the folder."""
    kinds = folder / "case_types"
    if not kinds.exists():
        tree_permit.write(kinds)
    settings = read_settings({"VAR_DIR": str(folder), "DEMO": "1", "PARTNERS_URL": "http://127.0.0.1:9"})
    office = open_office(settings, case_types=kinds, rule_folders=(PROJECT_DIR / "rules" / "sets", kinds))
    return replace(office, files=FileStore(folder / "files"))


def open_task(database: Database, case_id: int, step: str) -> int:
    from sqlmodel import col, select

    with database.reading() as session:
        found = select(Task.id).where(Task.case_id == case_id, Task.step == step, col(Task.status).in_(("ready", "held")))
        return session.exec(found).one()


def process_one(database: Database, people: dict[str, Actor]) -> None:
    """One case from draft to permit."""
    with database.writing() as session:
        case_id = draft.open_draft(session, people["applicant"], "tree_permit").id
    with database.writing() as session:
        draft.save(session, people["applicant"], open_task(database, case_id, "apply"), {**FILLED, "area": ["50"]})
    with database.writing() as session:
        digest = register(session, database.office.files.put_bytes(PNG, "plan.png"), now())
        session.add(Material(case_id=case_id, slot="plan", name="plan.png", digest=digest, size=len(PNG),
                             media_type="image/png", uploaded_at=now()))
        session.commit()
    for step, action, role, values in (
        ("apply", "submit", "applicant", {}), ("window", "accept", "window", {}),
        ("review", "quick", "reviewer", {"visited": ["true"]}), ("sign", "grant", "approver", {}),
    ):
        task = open_task(database, case_id, step)
        if values:
            with database.writing() as session:
                draft.save(session, people[role], task, values)
        with database.writing() as session:
            take_action(session, people[role], task, action, opinion="同意")


def main(url: str, folder: str, *people_ids: str) -> None:
    database = Database(url, office=office_in(Path(folder)))
    with database.reading() as session:
        roles = ("applicant", "window", "reviewer", "approver")
        people = {role: actor_of(session, int(person)) for role, person in zip(roles, people_ids, strict=True)}
    print("ready", flush=True)
    for number in itertools.count(1):
        process_one(database, people)
        print(number, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
