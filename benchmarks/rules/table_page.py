"""The pages of a draft with a table of ten thousand rows, asked over HTTP of a portal of its own."""

import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import uvicorn

from domain.actor import Actor
from domain.command import Work
from domain.person import Person, RoleGrant, actor_of
from domain.portal_clock import now
from domain.rule_edition import draft
from domain.sign_in import _open
from portal.app import create_app
from portal.database import Database
from portal.gate import COOKIE
from portal.migration import migrate
from portal.office import open_office
from portal.settings import Settings, read_settings

from .large_table import ROWS, text

PAGE_MS, VISITS = 200, 30


def rows(_scale: float) -> list[dict[str, Any]]:
    """The first visit, which reads the whole text, and the median of the next ones; each against its limit."""
    with tempfile.TemporaryDirectory(prefix="guitu-bench-") as folder:
        settings = read_settings({"VAR_DIR": folder, "LOG_LEVEL": "WARNING"})
        migrate(settings.database_url)
        database = Database(settings.database_url, office=open_office(settings))
        maintainer, token = _maintainer(database)
        with database.writing() as session:
            small = draft.open_new(session, maintainer, "validation", "few_rows", "样例", text=text(10)).id
            large = draft.open_new(session, maintainer, "validation", "benchmark", "样例", text=text()).id
        with _served(settings, database) as address, httpx.Client(base_url=address, cookies={COOKIE: token}, trust_env=False) as client:
            return _measured(client, *(f"/rule-drafts/{each}/rules?table=prices" for each in (small, large)))


def _maintainer(database: Database) -> tuple[Actor, str]:
    """A maintainer with a browser session."""
    with database.writing() as session:
        person = Person(name="样例", login="bench", created_at=now(), is_demo=True)
        session.add(person)
        session.flush()
        session.add(RoleGrant(person_id=person.id, role="rule_maintainer", from_at=now()))
        session.flush()
        actor = actor_of(session, person.id)
        work = Work(session, actor, now(), "session.open")
        token = _open(work, person, "127.0.0.1", "bench", timedelta(hours=1), None)
        session.commit()
        return actor, token


@contextmanager
def _served(settings: Settings, database: Database) -> Iterator[str]:
    """The portal on a free port of this machine, without its runner."""
    app = create_app(settings, office=database.office, database=database, run=False)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def _measured(client: httpx.Client, small: str, table: str) -> list[dict[str, Any]]:
    # The portal has answered before: its templates are compiled, its rule sets loaded.
    client.get(small).raise_for_status()
    first = _visit(client, f"{table}&page=100")
    turned = statistics.median(_visit(client, f"{table}&page={101 + number}") for number in range(VISITS))
    searched = statistics.median(_visit(client, f"{table}&q=C{700 + number}") for number in range(VISITS))
    return [_row("初次打开", first), _row("翻页", turned), _row("搜索", searched)]


def _visit(client: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    seconds = time.perf_counter() - began
    assert answer.status_code == 200 and answer.text.count("改第") > 0, f"{path}: {answer.status_code} {answer.text[:300]}"
    return seconds


def _row(case: str, seconds: float) -> dict[str, Any]:
    return {
        "case": f"{ROWS:,} 行的表，草稿页{case}（毫秒，含 HTTP）", "ours": round(seconds * 1000, 1), "peer": PAGE_MS, "peer_name": "限值",
        "ratio": round(PAGE_MS / (seconds * 1000), 1),
    }  # fmt: skip
