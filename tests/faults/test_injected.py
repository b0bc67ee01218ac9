"""300 faults injected at random statements of real acts: each act happens whole or not at all."""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from domain import failpoint
from domain.case import correction, countersign, operations
from portal.database import Database
from tests.domain.case.conftest import Filing
from tests.faults.invariants import broken, picture

INJECTIONS = int(os.environ.get("FAULT_INJECTIONS", "150"))
"""On each database; the two together make 300."""


class Injected(RuntimeError):
    """The fault that the test made."""


@contextmanager
def failing_at(database: Database, statement_no: int) -> Iterator[list[int]]:
    """Let the n-th statement from now on fail; the list counts what was executed."""
    seen = [0]

    def before(*_arguments: Any) -> None:
        seen[0] += 1
        if seen[0] == statement_no:
            raise Injected(f"statement {statement_no}")

    event.listen(database.engine, "before_cursor_execute", before)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", before)


def acts(filing: Filing, officers: dict[str, Any]) -> list[Callable[[], Any]]:
    """A day of one case: filed, corrected, accepted, countersigned, returned, decided."""
    window, reviewer = officers["window"], officers["reviewer"]
    return [
        lambda: filing.fill(),
        lambda: filing.act(filing.applicant, "apply", "submit", ""),
        lambda: filing.do(correction.ask_correction, window, filing.task("window"), [{"field": "area", "what": "核对"}]),
        lambda: filing.fill(area="130"),
        lambda: filing.do(correction.answer_correction, filing.applicant, filing.task("apply")),
        lambda: filing.act(window, "window", "accept"),
        lambda: filing.do(operations.suspend, reviewer, filing.task("review"), "等资料"),
        lambda: filing.do(operations.resume, reviewer, filing.task("review"), "资料到"),
        lambda: filing.do(countersign.ask_countersign, reviewer, filing.task("review"), [window.person_id], "会签"),
        lambda: filing.do(countersign.answer, window, filing.task("review"), True, "同意"),
        lambda: filing.fill(reviewer, "review", visited="true"),
        lambda: filing.act(reviewer, "review", "pass"),
        lambda: filing.act(officers["section_chief"], "garden", "agree"),
        lambda: filing.act(officers["pre_reviewer"], "traffic", "agree"),
        lambda: filing.act(officers["approver"], "sign", "grant"),
    ]


def test_every_act_happens_whole_or_not_at_all(database, filing, officers):
    seed = int(os.environ.get("FAULT_SEED", "20261121"))
    print(f"fault seed {seed}")
    chance, injected = random.Random(seed), 0
    steps = acts(filing, officers)
    each = -(-INJECTIONS // len(steps))
    filing.attach()
    for act in steps:
        statements = _statements_of(database, act)
        for _ in range(each):
            injected += _inject(database, act, chance.randint(1, statements))
        act()
        with database.reading() as session:
            assert broken(session) == []
    assert injected >= INJECTIONS
    assert filing.case.outcome == "granted"


def _statements_of(database: Database, act: Callable[[], Any]) -> int:
    """How many statements an act executes, counted on a try that fails right before its commit."""

    def refuse_commit(place: str) -> None:
        if place.endswith(":before_commit"):
            raise Injected(place)

    failpoint.install(refuse_commit)
    try:
        with failing_at(database, -1) as seen, pytest.raises(Injected):
            act()
    finally:
        failpoint.install(None)
    return seen[0]


def _inject(database: Database, act: Callable[[], Any], statement_no: int) -> int:
    """Fail one try of an act at a statement and show that nothing at all has changed."""
    with database.reading() as session:
        before = picture(session)
    with failing_at(database, statement_no), pytest.raises(Injected):
        act()
    with database.reading() as session:
        assert picture(session) == before
    return 1
