"""A partner that does not answer holds up only those who ask it."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from domain.ports import declared
from domain.ports.errors import OutsideSystemDown
from domain.ports.partner import partner
from integrations.http import Connection
from portal.app import create_app
from portal.routes import PAGES
from portal.threads import READS

PATIENCE = 60
"""Seconds after which the silent partner gives up, so that a wrong portal fails this test instead of hanging it."""


class SilentIdentity:
    """An identity service that says nothing until it is told to."""

    def __init__(self) -> None:
        self.asked, self.answers = threading.Semaphore(0), threading.Event()
        self.gave_up = False

    def begin_login(self, address: str) -> None:
        self.asked.release()
        self.gave_up |= not self.answers.wait(PATIENCE)
        raise OutsideSystemDown(partner("identity"), "等待应答超时", effect_unknown=True, correlation_id="样例")


@pytest.fixture
def identity() -> SilentIdentity:
    return SilentIdentity()


@pytest.fixture
def visitor(settings: Any, office: Any, database: Any, identity: SilentIdentity) -> Iterator[TestClient]:
    """A portal with one thread of each kind, whose identity service is silent."""
    few = replace(settings, page_threads=1, request_threads=1, partner_threads=1)
    office.partners = replace(office.partners, identity=identity)
    with TestClient(create_app(few, office=office, database=database, run=False), base_url="http://testserver") as client:
        yield client


def asked(pool: ThreadPoolExecutor, visitor: TestClient, identity: SilentIdentity) -> Future[Any]:
    waiting = pool.submit(visitor.get, "/sign-in/enterprise")
    assert identity.asked.acquire(timeout=PATIENCE)
    return waiting


def test_pages_forms_and_files_are_served_while_a_partner_is_silent(visitor: TestClient, identity: SilentIdentity) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = asked(pool, visitor, identity)
        behind = pool.submit(visitor.get, "/sign-in/enterprise")
        try:
            shown = [visitor.get(path).status_code for path in ("/", "/hall", "/sign-in", "/healthz")]
            taken = visitor.post("/sign-in", data={"login": "nobody", "password": "x"}).status_code
            assert not waiting.done() and not behind.done() and not identity.gave_up
            assert not identity.asked.acquire(blocking=False), "the second one waits for its turn at the partner"
        finally:
            identity.answers.set()
        assert [waiting.result().status_code, behind.result().status_code] == [503, 503]
    assert shown[0] == shown[2] == 200 and taken == 403


def test_a_page_that_asks_without_saying_so_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(declared.log, "error", lambda words, *names: told.append(words % names))
    line = Connection(partner("tax"), "")
    with pytest.raises(OutsideSystemDown):
        line.get("/")
    assert told == []
    with declared.undeclared("desk"), pytest.raises(OutsideSystemDown):
        line.get("/")
    assert told == ["page desk asks the partner tax without saying so in the route table"]


def test_lists_and_the_case_page_wait_for_no_partner() -> None:
    """A page that everybody opens is no page that waits: the case page asks partners only when a person wants it."""

    plain = Request({"type": "http", "query_string": b"", "headers": []})
    waiting = {page.name for page in PAGES if set(page.methods) & set(READS) and page.asks_partner(plain)}
    assert waiting == {"start_case", "confirm_action", "leave_for_provider", "return_from_provider", "leave_provider"}
