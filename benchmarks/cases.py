"""Pages at 1,000,000 cases: 150 people signed in, 20 requests at once, against the budgets of p95, no error.

Beside p95 stands the processor time the portal took for one request: it tells how far the answer times of another
machine, or of a busy one, will be from these. The load comes from a process of its own (benchmarks/load.py), and what
it costs is told too. Cases: benchmarks/many_cases.py; maps and ledgers: those of `portal demo`.
"""

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from sqlmodel import Session, col, select

from benchmarks import many_cases
from benchmarks.load import WARM_UP, Answers, Ask, run
from domain import sweep
from domain.actor import SYSTEM
from domain.case.tables import Case, Task
from domain.command import Work
from domain.job import Job
from domain.person import Person, RoleGrant, actor_of
from domain.portal_clock import now
from domain.sign_in import HASHER, _open
from portal.database import Database
from portal.gate import COOKIE
from portal.migration import migrate
from portal.office import open_office
from portal.settings import read_settings

CASES, PEOPLE, ONLINE, AT_ONCE, REQUESTS, LOGINS = 1_000_000, 2_000, 150, 20, 1_500, 60
FEW_REQUESTS, FEW_LOGINS = 100, 10
"""Of each page, and sign-ins, in a trial at a smaller scale."""
PAGE_MS, MAP_MS, LOGIN_MS = 300, 500, 1_000
ROLES = ("window", "pre_reviewer", "reviewer", "section_chief", "approver")
PASSWORD = "bench-five-words-in-a-row"
LEDGER_ROLES = ("city_viewer", "district_handler")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Online:
    """Who is signed in: the session of each person, the cases each may open, and who reads the ledgers."""

    tokens: dict[int, str]
    cases: dict[int, list[int]]
    ledger_readers: list[int]


Address = Callable[[int, random.Random], str]


def rows(scale: float) -> list[dict[str, Any]]:
    """Make the database, serve it, and time each kind of page; `scale` is the share of a million cases.

    `BENCH_FOLDER` keeps the database for the next run and takes it from there.
    """
    kept = os.environ.get("BENCH_FOLDER")
    if kept:
        return _in_folder(Path(kept), scale)
    with tempfile.TemporaryDirectory(prefix="guitu-bench-") as folder:
        return _in_folder(Path(folder), scale)


def _in_folder(folder: Path, scale: float) -> list[dict[str, Any]]:
    folder.mkdir(parents=True, exist_ok=True)
    environment = _environment(folder)
    settings, started = read_settings(environment), time.perf_counter()
    is_new = not (folder / "portal.sqlite3").exists()
    if is_new:
        _portal(environment, "migrate")
        _portal(environment, "demo")
    before, after = migrate(settings.database_url)
    database = Database(settings.database_url, office=open_office(settings))
    people = _people(database) if is_new else _known_people(database)
    if is_new:
        many_cases.fill(database, max(2_000, int(CASES * scale)), people, _kinds(database))
        _sweep_is_done(database)
    if is_new or before != after:
        many_cases.finish(database)
    if is_new:
        _say(f"数据库已生成，用时 {time.perf_counter() - started:.0f} 秒，{_size_gb(folder):.1f} GB")
    online = _online(database, people[:ONLINE])
    database.dispose()
    return _served(environment, settings.port, online, *((FEW_REQUESTS, FEW_LOGINS) if scale < 1 else (REQUESTS, LOGINS)))


def _sweep_is_done(database: Database) -> None:
    """The sweep of the night would compute all open clocks anew while pages are timed; it has its own hour."""
    with database.writing() as session:
        sweep.begin(session, SYSTEM)
        for each in session.exec(select(Job).where(Job.status == "queued")).all():
            each.status, each.finished_at = "done", now()
        session.commit()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _size_gb(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e9


def _portal(environment: dict[str, str], command: str) -> None:
    subprocess.run([sys.executable, "-m", "portal", command], env={**os.environ, **environment}, check=True, capture_output=True)


def _environment(folder: Path) -> dict[str, str]:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {"VAR_DIR": str(folder), "PORT": str(port), "LOG_LEVEL": "WARNING", "SESSION_IDLE_MINUTES": "600",
            "MINIMUM_FREE_MB": "1", "DEMO": "1"}


def _kinds(database: Database) -> list[tuple[str, str]]:
    """The case types whose steps the generated tasks name."""
    known = database.office.catalogue.all(now().date())
    steps = ("window", "pre_review", "review")
    return [(t.key, t.edition.key) for t in known if all(t.workflow.has(step) for step in steps)]


def _people(database: Database) -> list[int]:
    """Officials with tasks, a few of whom also read the ledgers; all with one password, hashed once."""
    chance, password_hash = random.Random(many_cases.SEED), HASHER.hash(PASSWORD)
    with database.writing() as session:
        people = [
            Person(name=f"样例{n}", login=f"bench{n}", password_hash=password_hash, created_at=now(), is_demo=True)
            for n in range(PEOPLE)
        ]
        session.add_all(people)
        session.flush()
        for place, person in enumerate(people):
            district = None if place % 10 == 0 else many_cases._pick(chance, many_cases.DISTRICTS)
            roles = [ROLES[place % len(ROLES)], *([LEDGER_ROLES[place % 2]] if place % 10 < 2 else [])]
            for role in roles:
                session.add(RoleGrant(person_id=person.id, role=role, district_code=district, from_at=now()))
        session.commit()
        return [person.id for person in people]


def _known_people(database: Database) -> list[int]:
    with database.reading() as session:
        return list(session.exec(select(Person.id).where(col(Person.login).startswith("bench")).order_by(col(Person.id))).all())


def _online(database: Database, people: list[int]) -> Online:
    with database.reading() as session:
        readers = select(RoleGrant.person_id).where(col(RoleGrant.role).in_(LEDGER_ROLES), col(RoleGrant.person_id).in_(people))
        ledger_readers = list(session.exec(readers).all())
    return Online(_sessions(database, people), _some_cases(database, people), ledger_readers)


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


PAGES: dict[str, tuple[int, Address]] = {
    "待办列表": (PAGE_MS, lambda person, chance: "/desk?box=todo"),
    "在办列表": (PAGE_MS, lambda person, chance: "/desk?box=doing"),
    "办件列表，最新在前": (PAGE_MS, lambda person, chance: "/cases"),
    "列表，按到期排序": (PAGE_MS, lambda person, chance: "/cases?sort=due_on"),
    "全文检索两个词": (PAGE_MS, lambda person, chance: "/cases?q=" + quote(
        f"{chance.choice(many_cases.PLACES)} {chance.choice(many_cases.WORDS)}")),
    "一张图": (MAP_MS, lambda person, chance: "/map"),
    "规则清单": (MAP_MS, lambda person, chance: "/rules"),
}


def _served(environment: dict[str, str], port: int, online: Online, requests: int, logins: int) -> list[dict[str, Any]]:
    process = subprocess.Popen([sys.executable, "-m", "portal", "serve"], env={**os.environ, **environment})
    try:
        _wait(f"http://127.0.0.1:{port}", process)
        people = list(online.tokens)
        able = [person for person in people if online.cases[person]]
        pages = [(name, people, path, limit) for name, (limit, path) in PAGES.items()]
        pages.append(("办件页", able, lambda person, chance: f"/cases/{chance.choice(online.cases[person])}", PAGE_MS))
        pages.append(("台账", online.ledger_readers, lambda person, chance: "/ledgers", MAP_MS))
        found = [
            _timed(name, process.pid, port, _plan(online, who, path, requests), limit) for name, who, path, limit in pages
        ]
        lists = _plan(online, people, PAGES["办件列表，最新在前"][1], requests)
        found.append(_logins(process.pid, port, lists, logins))
        return found
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


def _plan(online: Online, people: list[int], path: Address, requests: int) -> list[Ask]:
    """Each request as another of the people who are online."""
    chance = random.Random(many_cases.SEED)
    asked = [(person := chance.choice(people), path(person, chance)) for _ in range(requests)]
    return [Ask(address, f"{COOKIE}={online.tokens[person]}") for person, address in asked]


def _timed(name: str, pid: int, port: int, plan: list[Ask], limit_ms: int) -> dict[str, Any]:
    before = _cpu_ms(pid)
    answers, _ = run(port, plan, AT_ONCE)
    return _row(name, answers, limit_ms, (_cpu_ms(pid) - before) / (len(answers.ms) + WARM_UP), 200)


def _logins(pid: int, port: int, plan: list[Ask], count: int) -> dict[str, Any]:
    """Signing in with a password, one after the other, while the list is asked for by twenty at once."""
    form = httpx.get(f"http://127.0.0.1:{port}/sign-in", timeout=30)
    token = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
    if token is None:
        raise RuntimeError("the sign-in page has no token")
    cookie = "; ".join(f"{name}={value}" for name, value in form.cookies.items())
    posts = [
        Ask("/sign-in", cookie, urlencode({"csrf_token": token[1], "login": f"bench{n % PEOPLE}", "password": PASSWORD, "next": ""}))
        for n in range(count)
    ]
    before = _cpu_ms(pid)
    lists, logins = run(port, plan, AT_ONCE, posts)
    assert logins is not None
    _row("列表，有人登录时", lists, PAGE_MS, 0, 200)
    return _row("登录，同时有 20 人看列表", logins, LOGIN_MS, (_cpu_ms(pid) - before) / (len(lists.ms) + len(logins.ms) + WARM_UP), 303)


def _cpu_ms(pid: int) -> float:
    """Processor time of the portal so far, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def _row(name: str, answers: Answers, limit_ms: int, cpu_ms: float, wanted: int) -> dict[str, Any]:
    failed = [state for state in answers.states if state != wanted]
    if failed:
        raise RuntimeError(f"{name}: {len(failed)} requests were not answered with {wanted} (first: {failed[0]})")
    p95 = answers.p(0.95)
    return {
        "case": name, "ours": round(p95), "peer": limit_ms, "peer_name": "上限，毫秒", "ratio": round(limit_ms / p95, 2),
        "per_second": round(len(answers.ms) / answers.seconds), "p95_ms": round(p95, 1), "p50_ms": round(answers.p(0.5), 1),
        "cpu_ms": round(cpu_ms, 1), "client_cpu_ms": round(answers.client_cpu_ms / len(answers.ms), 2),
    }
