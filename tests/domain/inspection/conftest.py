"""Fixtures of the inspection tasks: an office that works by the scheme on paper."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from domain.inspection.task import course
from domain.inspection.task import package as packages
from domain.inspection.task.tables import InspectionRun, InspectionTask
from portal.runner import Runner
from tests.domain.inspection import paper_engine

GOOD = (("T1", "310118", 500.0), ("T2", "310118", 400.0))
BAD = (("T1", "310118", 500.0), ("", "310118", 400.0), ("T1", "310118", 50.0))


class Tasks:
    """Makes tasks and runs their jobs, as the portal would."""

    def __init__(self, database: Any, office: Any, folder: Path, person: Callable[..., Any]) -> None:
        self.database, self.office, self.folder = database, office, folder
        self.runner, self.contents = Runner(database, office), {}
        self.handler = person("district_handler", district="310118", name="周经办")
        self.chief = person("district_chief", district="310118", name="杨科长")

    def received(self, rows: Sequence[tuple[str, str, float]], name: str = "patches.gpkg") -> packages.ReceivedPackage:
        """A package in the file store."""
        if rows not in self.contents:  # a GeoPackage holds the moment it was written
            self.contents[rows] = paper_engine.package(self.folder, rows, "made.gpkg")
        data = self.contents[rows]
        return packages.receive(self.office.files, name, [data])[0]

    def made(self, *contents: Sequence[tuple[str, str, float]], by: Any = None, district: str = "310118", title: str = "青浦补划") -> InspectionTask:
        """A task over packages, read but not confirmed."""
        files = [self.received(rows, f"patches{number}.gpkg") for number, rows in enumerate(contents, start=1)]
        task = self.act(course.create, paper_engine.SCHEME, title, district, files, by=by)
        self.work()
        return self.task(task.id)

    def inspected(self, *contents: Sequence[tuple[str, str, float]], **how: Any) -> InspectionTask:
        """A task whose packages have been inspected."""
        task = self.made(*contents, **how)
        self.act(course.confirm, task.id, task.version)
        self.work()
        return self.task(task.id)

    def act(self, command: Callable[..., Any], *args: Any, by: Any = None, **kwargs: Any) -> Any:
        """A command by the handler, or another person."""
        with self.database.writing() as session:
            made = command(session, by or self.handler, *args, **kwargs)
            if hasattr(made, "id"):
                session.refresh(made)
                session.expunge(made)
            return made

    def work(self) -> None:
        """Everything that is queued, as the runner would."""
        while self.runner._work_at_job():
            pass

    def task(self, task_id: int) -> InspectionTask:
        """The task as it stands."""
        with self.database.reading() as session:
            found = session.get(InspectionTask, task_id)
            session.expunge(found)
            return found

    def runs(self, task_id: int, *, latest: bool = True) -> list[InspectionRun]:
        """The inspections of a task as they stand."""
        with self.database.reading() as session:
            found = course.runs_of(session, task_id, latest=latest)
            session.expunge_all()
            return found


@pytest.fixture
def tasks(database: Any, office: Any, tmp_path: Path, person: Any, monkeypatch: pytest.MonkeyPatch) -> Tasks:
    """Tasks of an office that works by the scheme on paper."""
    paper_engine.put_in(monkeypatch)
    return Tasks(database, office, tmp_path, person)
