"""Replay of a draft over 100,000 stored decisions as a job: seconds on one core and memory; and the monthly figures beside it."""

import resource
import tempfile
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from domain import job as jobs
from domain.actor import SYSTEM, Actor
from domain.case.tables import StoredDecision
from domain.person import Person, RoleGrant, actor_of
from domain.portal_clock import now
from domain.rule_edition import draft, examination, files
from domain.rule_replay import reading, request
from domain.rule_workbench import tally, usage
from portal.database import Database
from portal.migration import migrate
from portal.office import open_office
from portal.settings import read_settings

COUNT, BUDGET_S, PAGE_S = 100_000, 60, 0.2
KIND, KEY = "warning_line", "outflow_warning_line"
AREAS = ("310104", "310105", "310112", "310113", "310114", "310115", "310117", "310118", "310120", "310151")
KINDS_OF_ANSWER = 2_000


def rows(scale: float) -> list[dict[str, Any]]:
    """Store the decisions, replay a draft with another ratio, and read back what must have been found."""
    count = max(2_000, int(COUNT * scale))
    with tempfile.TemporaryDirectory(prefix="guitu-bench-") as folder:
        settings = read_settings({"VAR_DIR": folder})
        migrate(settings.database_url)
        database = Database(settings.database_url, office=open_office(settings))
        files.sync(database, database.office)
        owner = _owner(database)
        expected = _fill(database, owner, count)
        try:
            return [*_replayed(database, owner, count, expected), *_tallied(database, count)]
        finally:
            database.dispose()


def _owner(database: Database) -> Actor:
    with database.writing() as session:
        person = Person(name="样例", login="bench", created_at=now(), is_demo=True)
        session.add(person)
        session.flush()
        session.add(RoleGrant(person_id=person.id, role="rule_maintainer", from_at=now()))
        session.commit()
        return actor_of(session, person.id)


def _fill(database: Database, owner: Actor, count: int) -> int:
    """Decisions whose remaining area lies between 8 % and 20 % of what was stored; how many 12 % would newly stop."""
    made = [_decided(database, owner, number) for number in range(KINDS_OF_ANSWER)]
    with database.engine.execution_options(write=True).connect() as connection:
        for start in range(0, count, 10_000):
            found = [made[number % KINDS_OF_ANSWER] for number in range(start, min(start + 10_000, count))]
            connection.execute(insert(StoredDecision.__table__), [row for row, _is_new in found])
        connection.commit()
    return sum(made[number % KINDS_OF_ANSWER][1] for number in range(count))


def _decided(database: Database, owner: Actor, number: int) -> tuple[dict[str, Any], bool]:
    share = Decimal(800 + number * 1201 // KINDS_OF_ANSWER) / 10_000
    on = date(2026, 1, 1) + timedelta(days=number % 330)
    facts = {"remaining_m2": share * 100_000, "stored_m2": Decimal(100_000)}
    subject = f"ledger:{AREAS[number % len(AREAS)]}:2026"
    decision = database.office.book.decide(KIND, KEY, facts, on, subject)
    return {
        "kind": KIND, "rule_set": KEY, "subject": subject, "moment": "leave", "edition": decision.edition["from"],
        "digest": decision.digest, "outcome": decision.outcome, "message": decision.message, "decided_on": on,
        "at": now() - timedelta(hours=2), "person_id": owner.person_id, "document": decision.to_json(),
    }, Decimal("0.10") <= share < Decimal("0.12")  # fmt: skip


def _replayed(database: Database, owner: Actor, count: int, expected: int) -> list[dict[str, Any]]:
    replay_id = _asked(database, owner)
    with database.writing() as session:
        job = jobs.claim(session, SYSTEM)
    used_mb: list[float] = []

    def is_stopping() -> bool:
        """Asked between two batches: the moment to look at the memory in use."""
        used_mb.append(_memory_mb())
        return False

    started = time.perf_counter()
    jobs.run(job, database, database.office, is_stopping)
    seconds = time.perf_counter() - started
    grown_mb = max(used_mb) - used_mb[min(2, len(used_mb) - 1)]
    with database.reading() as session:
        replay = reading.replay(session, owner, replay_id)
        if (replay.compared, replay.stricter, replay.unable) != (count, expected, 0):
            raise AssertionError(f"{replay.compared} compared, {replay.stricter} stricter; {count} and {expected} expected")
        page_s = _timed(lambda: reading.changes(session, owner, replay_id, reading.ChangeFilter(sort="outcome", district=AREAS[0])))
    return [
        _row(f"草稿对 {count:,} 条判断重算，秒", seconds, BUDGET_S * count / COUNT, round(count / seconds)),
        _row("重算结果按区筛选的一页，秒", page_s, PAGE_S),
        {"case": "重算自第三批起内存增加，MB", "ours": round(grown_mb), "peer": None, "peer_name": None, "ratio": None,
         "per_second": None, "p95_ms": None},
    ]  # fmt: skip


def _asked(database: Database, owner: Actor) -> int:
    with database.writing() as session:
        row = draft.open_draft(session, owner, KIND, KEY)
    with database.writing() as session:
        row = draft.save(session, owner, row.id, row.text.replace('"0.10"', '"0.12"', 1), row.version)
    with database.reading() as session:
        found = examination.examine(session, draft.draft(session, row.id))
    with database.writing() as session:
        return request.request(session, owner, row.id, found).id


def _tallied(database: Database, count: int) -> list[dict[str, Any]]:
    started, left = time.perf_counter(), 1
    while left:
        with database.writing() as session:
            left = tally.keep(session, SYSTEM)
    kept_s = time.perf_counter() - started
    with database.reading() as session:
        found = usage.of_month(session, KEY, "2026-06")
        month_s = _timed(lambda: usage.of_month(session, KEY, "2026-06"))
    if not found.asked or not found.refused:
        raise AssertionError("the month has no decisions")
    per_second = round(count / kept_s)
    kept = {"case": f"{count:,} 条判断计入月度统计，秒", "ours": round(kept_s, 2), "peer": None, "peer_name": None, "ratio": None,
            "per_second": per_second, "p95_ms": None}  # fmt: skip
    return [kept, _row("一套规则一个月的统计，秒", month_s, PAGE_S)]


def _timed(act: Any) -> float:
    """The best of five."""
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return min(taken)


def _memory_mb() -> float:
    """Memory in use now; the highest mark of the process would hide behind what filling the database took."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1024**2


def _row(case: str, seconds: float, budget_s: float, per_second: int | None = None) -> dict[str, Any]:
    return {"case": case, "ours": round(seconds, 4), "peer": budget_s, "peer_name": "上限，秒", "ratio": round(budget_s / seconds, 2),
            "per_second": per_second, "p95_ms": None}  # fmt: skip
