"""Results that come back: one effect per business key, whatever arrives how often."""

import threading
from dataclasses import replace

import pytest

from domain import failpoint
from domain.errors import InvalidData
from domain.exchange import InboxMessage, on_outcome
from domain.exchange.delivery import _LISTENERS
from domain.exchange.inbox import Received, accept
from domain.notice import Notice
from tests.domain.exchange_office import Exchange

KEY, MINISTRY = "BJ-1/permit/1", "usage_control"
NUMBERED = Received(
    MINISTRY, KEY, {"state": "numbered", "number": "仿真-310000-2026-000001", "receipt_number": "仿真-HZ-000001", "rejections": []}
)
OTHER = replace(NUMBERED, payload={**NUMBERED.payload, "number": "仿真-310000-2026-900001"})


@pytest.fixture
def exchange(database, running):
    return Exchange(database, running)


@pytest.fixture
def effects():
    """The results that had their effect."""
    had = []
    on_outcome(MINISTRY)(lambda work, message, outcome: had.append((outcome.event, outcome.answer.get("number"))))
    yield had
    _LISTENERS[MINISTRY].pop()


@pytest.fixture
def reported(exchange):
    """A package that the ministry has received."""
    sent = exchange.put_package(KEY)
    exchange.deliver(MINISTRY)
    return sent


def test_a_result_has_its_effect_and_is_kept(exchange, reported, effects):
    accept(exchange.database.writing, NUMBERED)
    assert effects == [("result", "仿真-310000-2026-000001")]
    message = exchange.message(reported)
    assert (message.result_status, message.result["number"]) == ("arrived", "仿真-310000-2026-000001")
    [kept] = exchange.all(InboxMessage)
    assert (kept.status, kept.outbox_id) == ("handled", reported)


def test_the_same_result_again_changes_nothing(exchange, reported, effects):
    for source in ("push", "ask", "push"):
        accept(exchange.database.writing, replace(NUMBERED, source=source))
    assert len(effects) == 1
    [kept] = exchange.all(InboxMessage)
    assert kept.received_count == 3


def test_a_second_different_number_is_a_conflict_and_the_first_stays(exchange, reported, effects, person):
    admin = person("report_admin")
    accept(exchange.database.writing, NUMBERED)
    accept(exchange.database.writing, OTHER)
    assert [event for event, _ in effects] == ["result", "conflict"]
    assert exchange.message(reported).result["number"] == "仿真-310000-2026-000001"
    assert [each.status for each in exchange.all(InboxMessage)] == ["handled", "conflict"]
    [notice] = exchange.all(Notice, person_id=admin.person_id)
    assert "两个不同的结果" in notice.title


def test_a_result_for_a_key_that_was_never_reported_has_no_effect(exchange, effects):
    accept(exchange.database.writing, replace(NUMBERED, business_key="BJ-404"))
    [kept] = exchange.all(InboxMessage)
    assert kept.status == "failed" and "没有报送过" in kept.fault and effects == []


def test_a_refused_effect_keeps_the_message_and_is_tried_again(exchange, reported):
    refuses = [True]

    @on_outcome(MINISTRY)
    def note(work, message, outcome):
        if refuses[0]:
            raise InvalidData("办件正在勘误，暂不写入。")

    try:
        with pytest.raises(InvalidData):
            accept(exchange.database.writing, NUMBERED)
        assert exchange.all(InboxMessage)[0].status == "failed" and exchange.message(reported).result is None
        refuses[0] = False
        accept(exchange.database.writing, NUMBERED)
    finally:
        _LISTENERS[MINISTRY].pop()
    [kept] = exchange.all(InboxMessage)
    assert kept.status == "handled" and exchange.message(reported).result["number"] == "仿真-310000-2026-000001"


def test_a_crash_while_a_result_is_taken_leaves_nothing_half_done(exchange, reported, effects):
    class Killed(BaseException):
        pass

    def kill(place):
        if place == "inbox:handled":
            raise Killed

    failpoint.install(kill)
    try:
        with pytest.raises(Killed):
            accept(exchange.database.writing, NUMBERED)
    finally:
        failpoint.install(None)
    assert exchange.all(InboxMessage) == [] and exchange.message(reported).result is None
    accept(exchange.database.writing, NUMBERED)
    assert exchange.message(reported).result_status == "arrived"


def test_two_different_results_at_the_same_time_have_one_effect(exchange, reported, effects):
    start, faults = threading.Barrier(4), []

    def push(received):
        start.wait()
        try:
            accept(exchange.database.writing, received)
        except Exception as fault:  # noqa: BLE001  shown by the assertion below
            faults.append(fault)

    threads = [threading.Thread(target=push, args=(each,)) for each in (NUMBERED, OTHER, NUMBERED, OTHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    kept = exchange.all(InboxMessage)
    assert sorted(each.status for each in kept) == ["conflict", "handled"] and [each.received_count for each in kept] == [2, 2]
    assert [event for event, _ in effects].count("result") == 1
