"""The exchange as tests drive it: real simulators over HTTP, one message at a time, no threads."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlmodel import Session, select

from domain.actor import SYSTEM, Actor, Grant
from domain.case.tables import Case
from domain.command import Work
from domain.exchange import OutboxMessage, send, wire
from domain.file_store import register
from domain.portal_clock import now
from domain.ports.usage_control import PackageKind
from integrations.connection import connect_partners
from portal.database import Database
from portal.runner import Runner
from tests.integrations.packages import make_package, permit_files
from tests.integrations.running import KEY, LIMITS, Running

REPORT_ADMIN = Actor(None, "报送管理员（样例）", (Grant("report_admin"),))
RESULT = {
    "version": 1, "case_number": "沪样例〔2026〕1号", "case_type": "管线工程规划许可证", "project_name": "样例路给水管道工程",
    "applicant_name": "样例管线建设有限公司", "applicant_code": "91310000SAMPLE001X", "outcome": "granted",
    "document_number": None, "decided_on": "2026-06-30", "correction_reason": None,
}  # fmt: skip


class Exchange:
    """A database, the simulators, and a runner whose steps a test takes by hand."""

    def __init__(self, database: Database, running: Running) -> None:
        partners = connect_partners(running.url, KEY, simulated=True, limits=LIMITS, observer=wire.note)
        self.database, self.running = database, running
        self.office = database.office = replace(database.office, partners=partners)
        self.runner = Runner(database, self.office)

    def put(self, partner: str, kind: str, key: str, payload: Mapping[str, Any], **more: Any) -> int:
        """Write a message into the outbox as a command would; its id."""
        with self.database.writing() as session:
            work = Work(session, SYSTEM, now(session), "test")
            message = send(work, partner, kind, key, dict(payload), **more)
            work.finish()
            return message.id

    def put_result(self, key: str = "BJ-1", **changes: Any) -> int:
        """A case result for the case library."""
        payload = {**RESULT, "business_key": key, **changes}
        return self.put("case_library", "result", f"{key}/v{payload['version']}", payload)

    def put_package(self, key: str = "BJ-1/permit/1", case_id: int | None = None, partner: str = "usage_control") -> int:
        """A report package, kept in the file store as a job would leave it."""
        package = make_package(key, PackageKind.PERMIT_INITIAL, permit_files())
        kept = self.office.files.put_bytes(package.content.read(), "package.zip")
        with self.database.writing() as session:
            register(session, kept, now(session))
            session.commit()
        payload = {"file_name": "package.zip"}
        return self.put(partner, str(PackageKind.PERMIT_INITIAL), key, payload, file_digest=kept.digest, case_id=case_id)

    def deliver(self, partner: str) -> bool:
        """Deliver the next message of a partner, as its thread would; False if none is due."""
        return self.runner._deliver_next(partner)

    def message(self, message_id: int) -> OutboxMessage:
        with self.database.reading() as session:
            found = session.get_one(OutboxMessage, message_id)
            session.expunge(found)
            return found

    def all(self, table: type, **where: Any) -> list[Any]:
        """Every row of a table that fits."""
        with self.database.reading() as session:
            rows = session.exec(select(table).filter_by(**where).order_by(table.id)).all()
            session.expunge_all()
            return list(rows)


def new_case(session: Session, number: int = 1) -> int:
    """A case that messages speak of."""
    at = now(session)
    case = Case(draft_number=f"YL-{number}", case_type="sample", edition="2026-01-01", title="样例", created_at=at,
                changed_at=at, status="open", district_code="310118")
    session.add(case)
    session.commit()
    return case.id
