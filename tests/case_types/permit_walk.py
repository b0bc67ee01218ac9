"""A pipeline permit on its way, with the jobs and messages that it causes taken by hand."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

from sqlmodel import select

from domain.actor import Actor
from domain.case import draft
from domain.exchange import OutboxMessage, results
from domain.linked_case import linked_cases
from domain.usage_control import ReportRound, rounds_of
from portal.database import Database
from portal.runner import Runner
from tests.domain.case.filing_steps import Walk

DISTRICT = "310118"
ROLES = ("window", "pre_reviewer", "reviewer", "section_chief", "approver", "printer", "dispatcher", "erratum_reviewer")
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

HEADER = "[属性描述]\n格式版本号=1.01版本\n坐标系={system}\n几度分带=3\n投影类型=高斯克吕格\n计量单位=米\n带号=40\n[地块坐标]\n"
LOCAL_TXT = (
    HEADER.format(system="上海城建坐标系").replace("带号=40\n", "")
    + "4,,GX-1,样例管线,面,,,,@\nJ1,1,3000.000,-35000.000\nJ2,1,3010.000,-35000.000\nJ3,1,3010.000,-34800.000\nJ4,1,3000.000,-34800.000\n"
).encode()
NATIONAL_TXT = (
    HEADER.format(system="2000国家大地坐标系")
    + "4,,GX-1,样例管线,面,,,,@\nJ1,1,3460000.000,40605000.000\nJ2,1,3460010.000,40605000.000\n"
    "J3,1,3460010.000,40605200.000\nJ4,1,3460000.000,40605200.000\n"
).encode()
"""Two ways to state a strip of 10 m by 200 m in the north of Qingpu; corners typed by hand."""


class Permit(Walk):
    """One filing with everybody who takes part in it."""

    def __init__(self, database: Database, person: Callable[..., Actor], *, credit_code: str = "91310000MA0DEM001P") -> None:
        self.applicant = person("applicant", enterprise="样例管线建设有限公司", name="样例经办甲", credit_code=credit_code,
                                phone="021-70000011")
        self.officers = {role: person(role, district=DISTRICT, name=role) for role in ROLES}
        self.runner = Runner(database, database.office)
        super().__init__(database, self.applicant, "pipeline_permit")

    def filled(self, **changed: Any) -> dict[str, str]:
        """Fill in the form; the project's data come from the partner."""
        self.fill(self.applicant, "apply", project_code=changed.pop("project_code", "GX-2026-0001"), district=DISTRICT)
        return self.fill(self.applicant, "apply", **{"legal_representative": "样例法人甲", "commitment_signed": "true", **changed})

    def with_files(self, content: bytes = LOCAL_TXT, name: str = "range.txt") -> "Permit":
        self.attach("application_drawing", PDF, "drawing.pdf", "application/pdf")
        self.attach("commitment_letter", PDF + b"%2", "letter.pdf", "application/pdf")
        self.attach("pipeline_range", content, name, "text/plain")
        return self

    def filed(self, **changed: Any) -> "Permit":
        assert self.filled(**changed) == {}
        self.with_files()
        self.act(self.applicant, "apply", "submit", "")
        return self

    def step(self, role: str, step: str, action: str, opinion: str = "同意", **values: Any) -> None:
        """An officer fills in what the step asks for and acts."""
        if values:
            assert self.fill(self.officers[role], step, **values) == {}
        self.act(self.officers[role], step, action, opinion)

    def reviewed(self, quick: str = "true", **changed: Any) -> "Permit":
        self.filed(**changed)
        self.step("window", "window", "accept", marked=quick)
        self.step("pre_reviewer", "pre_review", "pass")
        self.step("reviewer", "review", "pass", may_publish="true")
        return self

    def granted(self, **changed: Any) -> "Permit":
        self.reviewed(**changed)
        self.step("approver", "approve", "grant")
        return self

    def run_jobs(self) -> None:
        """Everything that is queued, as the runner would."""
        while self.runner._work_at_job():
            pass

    def deliver(self, *partners: str) -> None:
        for partner in partners or ("usage_control", "case_library"):
            while self.runner._deliver_next(partner):
                pass

    def answered(self) -> None:
        """Package built and delivered, and the platform asked for its answer."""
        self.run_jobs()
        self.deliver("usage_control")
        for message in self.messages("usage_control"):
            if message.status == "delivered" and message.result_status == "awaited":
                results.ask(self.database, self.database.office, message)
        self.run_jobs()

    def messages(self, partner: str) -> list[OutboxMessage]:
        with self.database.reading() as session:
            found = session.exec(select(OutboxMessage).where(OutboxMessage.partner == partner).order_by(OutboxMessage.id)).all()
            session.expunge_all()
            return list(found)

    def rounds(self) -> list[ReportRound]:
        with self.database.reading() as session:
            found = rounds_of(session, self.id)
            session.expunge_all()
            return found

    def package(self) -> dict[str, bytes]:
        """The files of the latest package."""
        content = self.database.office.files.read_bytes(self.rounds()[0].package_digest)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def linked(self, relation: str) -> Walk:
        """The latest linked case, with the same words."""
        with self.database.reading() as session:
            found = linked_cases(session, self.case, relation)[0].id
        walk = Walk.__new__(Walk)
        walk.database, walk.id = self.database, found
        return walk

    def save(self, walk: Walk, actor: Actor, step: str, **posted: Any) -> dict[str, str]:
        """Post raw names of repeated sections."""
        with self.database.writing() as session:
            return draft.save(session, actor, walk.task(step), {key: [value] for key, value in posted.items()})[1]
