"""Messages out: delivered once, whatever happens on the way; never lost."""

from datetime import timedelta

import pytest

from domain import failpoint, portal_clock
from domain.actor import SYSTEM, Actor
from domain.audit import verify
from domain.command import Work
from domain.errors import Conflict, InvalidData, NotAllowed
from domain.exchange import OutboxAttempt, OutboxMessage, PartnerLine, delivery, on_outcome, outbox, results
from domain.exchange.delivery import _LISTENERS, DELIVERIES
from domain.notice import Notice
from tests.domain.exchange_office import REPORT_ADMIN, RESULT, Exchange, new_case

LIBRARY, MINISTRY = "case_library", "usage_control"


@pytest.fixture
def exchange(database, running):
    return Exchange(database, running)


@pytest.fixture
def told():
    """What the nouns behind two partners are told, in order."""
    heard = []
    for name in (LIBRARY, MINISTRY):
        on_outcome(name)(lambda work, message, outcome: heard.append((message.business_key, outcome)))
    yield heard
    for name in (LIBRARY, MINISTRY):
        _LISTENERS[name].pop()


@pytest.fixture
def clock(monkeypatch):
    """Moves the portal's clock: clock(hours=1)."""
    real, ahead = portal_clock.offset, [timedelta(0)]
    monkeypatch.setattr(portal_clock, "offset", lambda session: real(session) + ahead[0])

    def move(**how_far):
        ahead[0] += timedelta(**how_far)

    return move


def test_a_message_reaches_the_partner_and_its_receipt_is_kept(exchange, told):
    sent = exchange.put_result()
    assert exchange.deliver(LIBRARY)
    message = exchange.message(sent)
    assert (message.status, message.attempts, message.fault) == ("delivered", 1, None)
    assert message.answer["receipt_number"] == exchange.running.state()["results"][0]["receipt_number"]
    assert [(key, outcome.event) for key, outcome in told] == [("BJ-1/v1", "delivered")]
    assert not exchange.deliver(LIBRARY)


def test_an_attempt_keeps_what_went_over_the_wire_without_personal_data(exchange):
    sent = exchange.put_result()
    exchange.deliver(LIBRARY)
    [attempt] = exchange.all(OutboxAttempt, message_id=sent)
    assert attempt.result == "delivered" and attempt.wire["status"] == 200
    assert "样例路给水管道工程" in attempt.wire["request_text"]
    assert "样例管线建设有限公司" not in attempt.wire["request_text"]


def test_nothing_is_sent_when_the_step_is_rolled_back(exchange):
    with exchange.database.writing() as session:
        outbox.send(Work(session, SYSTEM, portal_clock.now(session), "test"), LIBRARY, "result", "BJ-9", {})
    assert exchange.all(OutboxMessage) == [] and not exchange.deliver(LIBRARY)


def test_a_lost_answer_is_sent_again_and_has_one_effect(exchange, clock):
    exchange.running.fault(LIBRARY, "lost_answer", calls=1)
    sent = exchange.put_result()
    exchange.deliver(LIBRARY)
    assert exchange.message(sent).status == "waiting" and "可能已经收到" in exchange.message(sent).fault
    assert not exchange.deliver(LIBRARY), "the line is paused after a failure"
    clock(seconds=6)
    assert exchange.deliver(LIBRARY)
    message = exchange.message(sent)
    assert (message.status, message.attempts, message.answer["is_duplicate"]) == ("delivered", 2, True)
    assert len(exchange.running.state()["results"]) == 1


@pytest.mark.parametrize("place", ["outbox:claimed", "outbox:answered"])
def test_a_crash_between_claim_and_note_sends_again_with_one_effect(exchange, place):
    class Killed(BaseException):
        pass

    def kill(name):
        if name == place:
            raise Killed

    sent = exchange.put_result()
    failpoint.install(kill)
    try:
        with pytest.raises(Killed):
            exchange.deliver(LIBRARY)
    finally:
        failpoint.install(None)
    assert exchange.message(sent).status == "sending"
    exchange.runner._recover()
    assert exchange.message(sent).status == "waiting" and "重发" in exchange.message(sent).fault
    exchange.deliver(LIBRARY)
    assert exchange.message(sent).status == "delivered"
    assert len(exchange.running.state()["results"]) == 1


def test_a_partner_down_for_a_day_loses_nothing(exchange, clock, told):
    exchange.running.fault(LIBRARY, "down", calls=0)
    first, second = exchange.put_result("BJ-1"), exchange.put_result("BJ-2")
    pauses = []
    for _ in range(30):
        assert exchange.deliver(LIBRARY)
        with exchange.database.reading() as session:
            line = session.get(PartnerLine, LIBRARY)
            pauses.append((line.paused_until - portal_clock.now(session)).total_seconds())
        assert not exchange.deliver(LIBRARY)
        clock(seconds=pauses[-1] + 1)
    assert [round(pause) for pause in pauses[:4]] == [5, 10, 20, 40] and round(max(pauses)) == 3600
    assert {exchange.message(each).status for each in (first, second)} == {"waiting"}
    exchange.running.control("faults", partner=LIBRARY, kind="ok")
    assert exchange.deliver(LIBRARY) and exchange.deliver(LIBRARY)
    assert {exchange.message(each).status for each in (first, second)} == {"delivered"}
    assert len(exchange.running.state()["results"]) == 2
    assert [outcome.event for _, outcome in told] == ["delivered", "delivered"]


def test_after_three_days_a_message_is_given_up_with_a_notice(exchange, clock, told, person):
    admin = person("report_admin")
    exchange.running.fault(LIBRARY, "error_503", calls=0)
    old = exchange.put_result("BJ-1")
    exchange.deliver(LIBRARY)
    clock(days=2, hours=23)
    exchange.deliver(LIBRARY)
    assert exchange.message(old).status == "waiting"
    young = exchange.put_result("BJ-2")
    clock(hours=2)
    exchange.deliver(LIBRARY)
    assert exchange.message(old).status == "dead"
    assert exchange.message(young).status == "waiting"
    assert [(key, outcome.event) for key, outcome in told] == [("BJ-1/v1", "dead")]
    [notice] = exchange.all(Notice, person_id=admin.person_id)
    assert "BJ-1/v1" in notice.title and "停止自动重发" in notice.title


def test_a_refusal_is_final_and_carries_the_partners_reasons(exchange, told, person):
    person("report_admin")
    sent = exchange.put_result(applicant_code="")
    exchange.deliver(LIBRARY)
    message = exchange.message(sent)
    assert message.status == "refused" and message.answer["code"] == "LIB-400"
    assert message.answer["rejections"][0]["field"] == "applicant_code"
    assert told[0][1].event == "refused" and "必填" in message.answer["rejections"][0]["text"]
    assert not exchange.deliver(LIBRARY)
    assert len(exchange.all(Notice)) == 1


@pytest.mark.parametrize("fault", ["malformed", "wrong_schema", "truncated", "twice"])
def test_an_unusable_answer_is_never_taken_for_a_delivery(exchange, clock, fault):
    exchange.running.fault(LIBRARY, fault, calls=1)
    sent = exchange.put_result()
    exchange.deliver(LIBRARY)
    assert exchange.message(sent).status == "waiting" and exchange.message(sent).answer is None
    clock(seconds=11)
    exchange.deliver(LIBRARY)
    assert exchange.message(sent).status == "delivered"
    assert len(exchange.running.state()["results"]) == 1


def test_an_unusable_answer_holds_up_one_message_and_not_the_line(exchange):
    exchange.running.fault(LIBRARY, "malformed", calls=1)
    first, second = exchange.put_result("BJ-1"), exchange.put_result("BJ-2")
    assert exchange.deliver(LIBRARY) and exchange.deliver(LIBRARY)
    assert (exchange.message(first).status, exchange.message(second).status) == ("waiting", "delivered")


def test_messages_of_one_case_go_in_order(exchange):
    with exchange.database.writing() as session:
        case_id = new_case(session)
    exchange.running.fault(LIBRARY, "malformed", calls=1)
    payloads = [{"version": 1}, {"version": 2, "correction_reason": "名称更正"}]
    ids = [
        exchange.put(LIBRARY, "result", f"BJ-1/v{each['version']}", {**RESULT, "business_key": "BJ-1", **each}, case_id=case_id)
        for each in payloads
    ]
    exchange.deliver(LIBRARY)
    assert not exchange.deliver(LIBRARY), "the correction waits for the result it corrects"
    assert [exchange.message(each).status for each in ids] == ["waiting", "waiting"]


def test_a_message_of_an_unknown_kind_is_given_up_at_once(exchange):
    sent = exchange.put(LIBRARY, "carrier_pigeon", "BJ-1", {})
    exchange.deliver(LIBRARY)
    assert exchange.message(sent).status == "dead" and "carrier_pigeon" in exchange.message(sent).fault


def test_a_damaged_package_never_leaves(exchange):
    sent = exchange.put_package()
    path = exchange.office.files.path_of(exchange.message(sent).file_digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"x")
    exchange.deliver(MINISTRY)
    assert exchange.message(sent).status == "dead" and "摘要" in exchange.message(sent).fault
    assert exchange.running.state()["packages"] == []


def test_a_fault_in_noting_the_outcome_loses_nothing(exchange, clock):
    @on_outcome(LIBRARY)
    def fail(work, message, outcome):
        raise InvalidData("办件已经注销。")

    sent = exchange.put_result()
    try:
        with pytest.raises(InvalidData):
            exchange.deliver(LIBRARY)
    finally:
        _LISTENERS[LIBRARY].pop()
    assert exchange.message(sent).status == "waiting" and exchange.message(sent).answer is None
    clock(minutes=10)
    exchange.deliver(LIBRARY)
    assert exchange.message(sent).status == "delivered" and len(exchange.running.state()["results"]) == 1


def test_a_report_administrator_sends_a_dead_message_again(exchange, told):
    exchange.running.fault(LIBRARY, "refuse", calls=1)
    sent = exchange.put_result()
    exchange.deliver(LIBRARY)
    with exchange.database.writing() as session:
        outbox.replay(session, REPORT_ADMIN, sent, "对方已解除锁定")
    exchange.deliver(LIBRARY)
    assert exchange.message(sent).status == "delivered"
    assert [outcome.event for _, outcome in told] == ["refused", "waiting", "delivered"]
    with exchange.database.writing() as session, pytest.raises(Conflict):
        outbox.replay(session, REPORT_ADMIN, sent, "再发一次")


@pytest.mark.parametrize("act", [outbox.replay, outbox.cancel])
def test_only_a_report_administrator_may_interfere_and_must_say_why(exchange, act):
    exchange.running.fault(LIBRARY, "refuse", calls=1)
    sent = exchange.put_result()
    exchange.deliver(LIBRARY)
    with exchange.database.writing() as session, pytest.raises(NotAllowed):
        act(session, Actor(1, "收件（样例）"), sent, "想试试")
    with exchange.database.writing() as session, pytest.raises(InvalidData):
        act(session, REPORT_ADMIN, sent, "  ")
    assert exchange.message(sent).status == "refused"


def test_a_cancelled_message_is_not_sent(exchange, told):
    sent = exchange.put_result()
    with exchange.database.writing() as session:
        outbox.cancel(session, REPORT_ADMIN, sent, "办件撤回")
    assert not exchange.deliver(LIBRARY)
    assert "办件撤回" in exchange.message(sent).fault and told[0][1].event == "cancelled"


def test_a_delivered_message_cannot_be_cancelled(exchange):
    sent = exchange.put_result()
    exchange.deliver(LIBRARY)
    with exchange.database.writing() as session, pytest.raises(Conflict):
        outbox.cancel(session, REPORT_ADMIN, sent, "办件撤回")


def test_the_pause_of_a_line_is_ended_by_hand(exchange):
    exchange.running.fault(LIBRARY, "error_500", calls=1)
    sent = exchange.put_result()
    exchange.deliver(LIBRARY)
    with exchange.database.writing() as session:
        outbox.try_now(session, REPORT_ADMIN, LIBRARY)
    assert exchange.deliver(LIBRARY) and exchange.message(sent).status == "delivered"
    with exchange.database.writing() as session, pytest.raises(Conflict):
        outbox.try_now(session, REPORT_ADMIN, LIBRARY)


def test_the_number_is_asked_for_until_it_is_there(exchange, clock, told):
    exchange.running.control("settings", answer_delay_seconds=3600)
    sent = exchange.put_package()
    exchange.deliver(MINISTRY)
    assert exchange.message(sent).result_status == "awaited"
    assert not results.ask_next(exchange.database, exchange.office), "not due yet"
    clock(seconds=21)
    assert results.ask_next(exchange.database, exchange.office)
    assert exchange.message(sent).result_status == "awaited" and exchange.message(sent).asked_count == 1
    exchange.running.control("release")
    clock(seconds=60)
    results.ask_next(exchange.database, exchange.office)
    message = exchange.message(sent)
    assert message.result_status == "arrived" and message.result["number"].startswith("仿真-310000-")
    assert [outcome.event for _, outcome in told] == ["delivered", "result"]
    clock(days=1)
    assert not results.ask_next(exchange.database, exchange.office)


def test_a_wrong_number_is_not_taken_and_asked_for_again(exchange, clock, told):
    sent = exchange.put_package()
    exchange.deliver(MINISTRY)
    exchange.running.fault(MINISTRY, "wrong_number", calls=1)
    clock(seconds=21)
    results.ask_next(exchange.database, exchange.office)
    message = exchange.message(sent)
    assert message.result is None and "number" in message.fault
    clock(minutes=2)
    results.ask_next(exchange.database, exchange.office)
    assert exchange.message(sent).result["state"] == "numbered"
    assert [outcome.event for _, outcome in told] == ["delivered", "result"]


def test_the_returned_errors_are_told_with_file_and_field(exchange, clock, told):
    exchange.running.fault(MINISTRY, "reject", calls=1)
    sent = exchange.put_package()
    exchange.deliver(MINISTRY)
    clock(seconds=21)
    results.ask_next(exchange.database, exchange.office)
    result = exchange.message(sent).result
    assert (result["state"], result["number"]) == ("rejected", None)
    assert result["rejections"][0]["code"] == "UC-LAND" and told[-1][1].answer == result


def test_the_trail_of_an_exchange_is_whole(exchange):
    exchange.put_result()
    exchange.deliver(LIBRARY)
    with exchange.database.reading() as session:
        assert verify(session).is_intact


def test_one_kind_is_registered_once():
    partner, kind = next(iter(DELIVERIES))
    with pytest.raises(ValueError, match="twice"):
        delivery(partner, kind)(lambda office, message: {})
