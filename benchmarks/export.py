"""Export of 100,000 cases to xlsx as a job: first progress, whole time and memory, against design section 8."""

import io
import resource
import tempfile
import time
from typing import Any

from openpyxl import load_workbook

from benchmarks import many_cases
from domain.actor import Actor
from domain.case.export import request_export
from domain.case.inbox import CaseQuery
from domain.job import Job
from domain.person import Person, RoleGrant, actor_of
from domain.portal_clock import now
from portal.database import Database
from portal.migration import migrate
from portal.office import open_office
from portal.runner import Runner
from portal.settings import read_settings

ROWS = 100_000
FIRST_S, WHOLE_S = 2, 30


def rows(scale: float) -> list[dict[str, Any]]:
    """Make the cases, queue the export, let the runner do it, and read the result back."""
    count = max(1_000, int(ROWS * scale))
    with tempfile.TemporaryDirectory(prefix="guitu-bench-") as folder:
        settings = read_settings({"VAR_DIR": folder})
        migrate(settings.database_url)
        database = Database(settings.database_url, office=open_office(settings))
        owner = _owner(database)
        kinds = [(t.key, t.edition.key) for t in database.office.catalogue.all(now().date())]
        many_cases.fill(database, count, [owner.person_id], kinds)
        return _measured(database, owner, count)


def _owner(database: Database) -> Actor:
    with database.writing() as session:
        person = Person(name="样例", login="bench", created_at=now(), is_demo=True)
        session.add(person)
        session.flush()
        session.add(RoleGrant(person_id=person.id, role="city_viewer", from_at=now()))
        session.commit()
        return actor_of(session, person.id)


def _measured(database: Database, owner: Actor, count: int) -> list[dict[str, Any]]:
    before_mb = _memory_mb()
    runner = Runner(database, database.office)
    started = time.perf_counter()
    with database.writing() as session:
        job_id = request_export(session, owner, CaseQuery(box="all"), ("number", "title", "status")).id
    runner.start()
    try:
        first_s = _until(database, job_id, lambda job: job.status != "queued") - started
        whole_s = _until(database, job_id, lambda job: job.status in ("done", "failed")) - started
    finally:
        runner.stop()
    _must_be_whole(database, job_id, count)
    return [
        _row(f"{count:,} 行，到开始有进度，秒", first_s, FIRST_S),
        _row(f"{count:,} 行，到可以下载，秒", whole_s, WHOLE_S),
        {"case": "内存峰值增加，MB", "ours": round(_memory_mb() - before_mb), "peer": None, "peer_name": None, "ratio": None,
         "per_second": None, "p95_ms": None},
    ]


def _until(database: Database, job_id: int, reached: Any) -> float:
    for _ in range(6000):
        with database.reading() as session:
            if reached(session.get(Job, job_id)):
                return time.perf_counter()
        time.sleep(0.02)
    raise RuntimeError("the export did not end")


def _must_be_whole(database: Database, job_id: int, count: int) -> None:
    with database.reading() as session:
        job = session.get(Job, job_id)
    if job.status != "done":
        raise RuntimeError(f"the export failed: {job.fault}")
    content = io.BytesIO(database.office.files.read_bytes(job.result_file))
    sheet = load_workbook(content, read_only=True).worksheets[0]
    found = sum(1 for _row_of in sheet.iter_rows()) - 1
    if found < count:
        raise RuntimeError(f"the sheet has {found} rows, not {count}")


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _row(case: str, seconds: float, budget_s: float) -> dict[str, Any]:
    return {"case": case, "ours": round(seconds, 2), "peer": budget_s, "peer_name": "上限，秒", "ratio": round(budget_s / seconds, 2),
            "per_second": None, "p95_ms": None}
