"""Pages at 1,000,000 cases: 150 people signed in, 20 requests at once, against the budget of 300 ms (p95), no error."""

import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlmodel import Session, col, select

from benchmarks import many_cases
from domain.case.tables import Case, Task
from domain.command import Work
from domain.person import Person, RoleGrant, actor_of
from domain.portal_clock import now
from domain.sign_in import _open
from portal.database import Database
from portal.migration import migrate
from portal.office import open_office
from portal.settings import read_settings

CASES, PEOPLE, ONLINE, AT_ONCE, REQUESTS = 1_000_000, 2_000, 150, 20, 1_500
BUDGET_MS = 300
ROLES = ("window", "pre_reviewer", "reviewer", "section_chief", "approver")
COOKIE = "guitu_session"


def rows(scale: float) -> list[dict[str, Any]]:
    """Make the database, serve it, and time each kind of page; `scale` is the share of a million cases."""
    with tempfile.TemporaryDirectory(prefix="guitu-bench-") as folder:
        environment = _environment(Path(folder))
        settings = read_settings(environment)
        migrate(settings.database_url)
        database = Database(settings.database_url, office=open_office(settings))
        people = _people(database)
        kinds = _kinds(database)
        many_cases.fill(database, max(2_000, int(CASES * scale)), people, kinds)
        tokens, case_ids = _sessions(database, people[:ONLINE]), _some_cases(database, people[:ONLINE])
        database.dispose()
        return _served(environment, settings.port, tokens, case_ids)


def _environment(folder: Path) -> dict[str, str]:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {"VAR_DIR": str(folder), "PORT": str(port), "LOG_LEVEL": "WARNING", "SESSION_IDLE_MINUTES": "600"}


def _kinds(database: Database) -> list[tuple[str, str]]:
    """The case types whose steps the generated tasks name."""
    known = database.office.catalogue.all(now().date())
    steps = ("window", "pre_review", "review")
    return [(t.key, t.edition.key) for t in known if all(t.workflow.has(step) for step in steps)]


def _people(database: Database) -> list[int]:
    chance = random.Random(many_cases.SEED)
    with database.writing() as session:
        people = [Person(name=f"样例{n}", login=f"bench{n}", created_at=now(), is_demo=True) for n in range(PEOPLE)]
        session.add_all(people)
        session.flush()
        for place, person in enumerate(people):
            district = None if place % 10 == 0 else many_cases._pick(chance, many_cases.DISTRICTS)
            session.add(RoleGrant(person_id=person.id, role=ROLES[place % len(ROLES)], district_code=district, from_at=now()))
        session.commit()
        return [person.id for person in people]


def _sessions(database: Database, people: list[int]) -> dict[int, str]:
    found = {}
    with database.writing() as session:
        for person_id in people:
            work = Work(session, actor_of(session, person_id), now(), "session.open")
            found[person_id] = _open(work, session.get(Person, person_id), "127.0.0.1", "bench", timedelta(hours=12), None)
        session.commit()
    return found


def _some_cases(database: Database, people: list[int]) -> dict[int, list[int]]:
    """For each person, cases he or she has had in hand, to open."""
    with database.reading() as session:
        return {person: _cases_of(session, person) for person in people}


def _cases_of(session: Session, person: int) -> list[int]:
    statement = select(Task.case_id).join(Case, col(Case.id) == Task.case_id).where(Task.done_by == person).limit(20)
    return list(session.exec(statement).all())


def _served(environment: dict[str, str], port: int, tokens: dict[int, str], cases: dict[int, list[int]]) -> list[dict[str, Any]]:
    process = subprocess.Popen([sys.executable, "-m", "portal", "serve"], env={**os.environ, **environment})
    try:
        base = f"http://127.0.0.1:{port}"
        _wait(base, process)
        pages = {
            "待办列表": lambda p, c: "/desk?box=todo",
            "办件列表，最新在前": lambda p, c: "/cases",
            "列表，按到期排序": lambda p, c: "/cases?sort=due_on",
            "全文检索两个词": lambda p, c: f"/cases?q={c.choice(many_cases.PLACES)}+{c.choice(many_cases.WORDS)}",
            "办件页": lambda p, c: f"/cases/{c.choice(cases[p] or [1])}",
        }
        return [_timed(name, base, path, tokens) for name, path in pages.items()]
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(base: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the portal did not start")
        try:
            if httpx.get(f"{base}/healthz", timeout=5).status_code < 600:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError("the portal did not answer")


def _timed(name: str, base: str, path: Any, tokens: dict[int, str]) -> dict[str, Any]:
    """Twenty clients at once, each request as another of the people who are online."""
    chance = random.Random(many_cases.SEED)
    plan = [(person := chance.choice(list(tokens)), path(person, chance)) for _ in range(REQUESTS)]
    with httpx.Client(base_url=base, timeout=30, limits=httpx.Limits(max_connections=AT_ONCE)) as client:
        def get(row: tuple[int, str]) -> tuple[float, int]:
            started = time.perf_counter()
            answer = client.get(row[1], headers={"Cookie": f"{COOKIE}={tokens[row[0]]}"})
            return (time.perf_counter() - started) * 1000, answer.status_code

        list(map(get, plan[:20]))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            started = time.perf_counter()
            answers = list(pool.map(get, plan))
            seconds = time.perf_counter() - started
    failed = [status for _, status in answers if status != 200]
    if failed:
        raise RuntimeError(f"{name}: {len(failed)} requests were not answered with 200 (first: {failed[0]})")
    p95 = sorted(ms for ms, _ in answers)[int(len(answers) * 0.95)]
    return {"case": name, "ours": round(p95), "peer": BUDGET_MS, "peer_name": "上限，毫秒", "ratio": round(BUDGET_MS / p95, 2),
            "per_second": round(len(answers) / seconds), "p95_ms": round(p95, 1)}
