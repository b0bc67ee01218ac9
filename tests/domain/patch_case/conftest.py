"""Fixtures of cases that patches become: packages of clues, inspected and admitted as people do it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import shapely
from sqlmodel import col, select

from domain.actor import SYSTEM, Actor
from domain.case.tables import Case
from domain.demo import sample_package
from domain.demo.inspections import spoilt
from domain.exchange import OutboxMessage
from domain.inspection import schemes
from domain.inspection.task import admission, course, package
from domain.inspection.task.tables import InspectionRun, InspectionTask
from domain.job import Job
from domain.layer import FeatureData, load_layer
from domain.patch_case import listing
from domain.patch_case.handing_over import LIBRARY, MAP
from domain.patch_case.listing import PatchQuery, PatchRow
from tests.domain.inspection.conftest import Tasks

SCHEME, QINGPU = "clue_patches", "310118"


class Clues(Tasks):
    """Makes packages of clues and lets them become cases."""

    def passed(self, *faults: dict[str, Any], first: int = 0, count: int = 12, district: str = QINGPU, by: Actor | None = None) -> InspectionTask:
        """A task whose package was inspected."""
        scheme = schemes()[SCHEME]
        data = sample_package.package(scheme, QINGPU, count=count, first=first, spoilt=dict(spoilt(scheme, faults, first)))
        task = self.act(course.create, SCHEME, "线索", district, package.receive(self.office.files, "线索.gpkg", [data]), by=by)
        self.work()
        self.act(course.confirm, task.id, self.task(task.id).version, by=by)
        self.work()
        return self.task(task.id)

    def request(self, task: InspectionTask, by: Actor | None = None) -> None:
        """Ask for the admission, which then waits."""
        self.act(admission.request, task.id, self.task(task.id).version, 1, by=by)

    def admitted(self, *faults: dict[str, Any], **how: Any) -> InspectionRun:
        """A package whose patches have become cases; messages wait."""
        task = self.passed(*faults, **how)
        self.request(task, how.get("by"))
        self.work()
        return self.runs(task.id)[0]

    def again(self, run: InspectionRun) -> InspectionRun:
        """The same package inspected and admitted once more."""
        self.act(course.rerun, run.task_id, self.task(run.task_id).version, None, None)
        self.work()
        self.request(self.task(run.task_id))
        self.work()
        return self.runs(run.task_id)[0]

    def rows(self, run: InspectionRun, by: Actor | None = None, **query: str) -> list[PatchRow]:
        """The patches of a package with their stages."""
        with self.database.reading() as session:
            found = listing.page_of(session, by or self.handler, PatchQuery(run.id, **query))[0]
            session.expunge_all()
            return found

    def states(self, run: InspectionRun) -> set[tuple[str, ...]]:
        """The states of the stages that occur."""
        return {tuple(stage.state for stage in row.stages) for row in self.rows(run)}

    def cases(self) -> list[Case]:
        """Every case there is."""
        with self.database.reading() as session:
            return list(session.exec(select(Case).order_by(col(Case.id))).all())

    def messages(self, partner: str) -> list[OutboxMessage]:
        """The messages to a partner."""
        with self.database.reading() as session:
            return list(session.exec(select(OutboxMessage).where(OutboxMessage.partner == partner).order_by(col(OutboxMessage.id))).all())

    def deliver(self, *partners: str) -> None:
        """Everything that is due to go out, as the runner would."""
        for partner in partners or (LIBRARY, MAP):
            while self.runner._deliver_next(partner):
                pass

    def job(self, run: InspectionRun) -> Job:
        """The last job of the admission or of the cases."""
        with self.database.reading() as session:
            found = session.get(Job, self.runs(run.task_id)[0].admission_job_id)
            session.expunge(found)
            return found


def ready(database: Any, office: Any, folder: Any, person: Callable[..., Actor]) -> Clues:
    """Packages of clues of an office with the shipped schemes and case types, and a layer of farmland elsewhere."""
    far = shapely.MultiPolygon([shapely.box(121.2, 31.2, 121.201, 31.201)])
    with database.writing() as session:
        farmland = FeatureData("JN-0", QINGPU, "永久基本农田", Decimal("1.00"), far, {"protection_type": "永久基本农田"})
        load_layer(session, SYSTEM, "permanent_farmland", [farmland], date(2026, 1, 1))
    return Clues(database, office, folder, person)


@pytest.fixture
def clues(database: Any, office: Any, tmp_path: Any, person: Callable[..., Actor]) -> Clues:
    """Packages of clues that become cases."""
    return ready(database, office, tmp_path, person)
