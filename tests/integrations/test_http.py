"""The one HTTP client, and every fault of every partner through its own client."""

import dataclasses
import io
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from domain import errors
from domain.errors import PortalError
from domain.ports import OutsideSystemDown, OutsideSystemError, PartnerAnswerInvalid, PartnerRefused, partner
from domain.ports.usage_control import PackageKind
from integrations.connection import connect_partners
from integrations.http import Connection, Limits
from tests.integrations.packages import make_package, permit_files
from tests.integrations.running import KEY, LIMITS
from tests.integrations.test_case_library import RESULT
from tests.integrations.test_patches import FEATURE, PATCH

CALLS = {
    "identity": lambda partners: partners.identity.begin_login("http://127.0.0.1:8000/login/return"),
    "usage_control": lambda partners: partners.usage_control.submit(
        make_package("CASE-1/permit/1", PackageKind.PERMIT_INITIAL, permit_files())
    ),
    "usage_control_city": lambda partners: partners.usage_control_city.submit(
        make_package("CASE-1/permit/1", PackageKind.PERMIT_INITIAL, permit_files())
    ),
    "case_library": lambda partners: partners.case_library.push(RESULT),
    "tax": lambda partners: partners.tax.payments(contract_number="样例-转让-2026-001"),
    "house_registration": lambda partners: partners.house_registration.counts("样例-ZD-2026-01"),
    "survey_planning": lambda partners: partners.survey_planning.pipeline_project("GX-2026-0001"),
    "sharing_library": lambda partners: partners.sharing_library.store(PATCH),
    "map_service": lambda partners: partners.map_service.place(FEATURE),
}
EVERY_FAULT = {
    "error_500": OutsideSystemDown,
    "error_503": OutsideSystemDown,
    "down": OutsideSystemDown,
    "truncated": OutsideSystemDown,
    "lost_answer": OutsideSystemDown,
    "refuse": PartnerRefused,
    "malformed": PartnerAnswerInvalid,
    "wrong_schema": PartnerAnswerInvalid,
    "wrong_value": PartnerAnswerInvalid,
}


@pytest.mark.parametrize("name", CALLS)
def test_every_partner_works(running, name):
    assert CALLS[name](running.partners) is not None
    assert running.records[-1].status == 200 and running.records[-1].fault is None


@pytest.mark.parametrize("kind", EVERY_FAULT)
@pytest.mark.parametrize("name", CALLS)
def test_every_fault_of_every_partner_is_told_apart(running, name, kind):
    # A field that all answers of this partner have, whichever is its principal one.
    field = {"identity": "token_endpoint", "case_library": "version", "usage_control": "received_at"}
    fields = {"field": field[name]} if kind == "wrong_value" and name in field else {}
    fields = {"field": "received_at"} if kind == "wrong_value" and name == "usage_control_city" else fields
    running.fault(name, kind, **fields)
    with pytest.raises(EVERY_FAULT[kind]) as failed:
        CALLS[name](running.partners)
    assert type(failed.value) is EVERY_FAULT[kind]
    assert failed.value.partner.key == name
    assert partner(name).label in failed.value.message


@pytest.mark.parametrize("kind", ["slow", "never"])
def test_a_partner_that_does_not_answer_in_time_is_down(running, kind):
    running.fault("tax", kind, seconds=600 if kind == "slow" else 0)
    started = time.monotonic()
    with pytest.raises(OutsideSystemDown, match="等待应答超时") as down:
        CALLS["tax"](running.partners)
    assert time.monotonic() - started < LIMITS.total_s + 1
    assert down.value.effect_unknown


def test_a_partner_that_is_slow_but_in_time_works(running):
    running.fault("tax", "slow", seconds=0.3)
    assert CALLS["tax"](running.partners).payments
    assert running.records[-1].duration_ms >= 300


def test_an_answer_given_twice_in_one_is_refused(running):
    running.fault("tax", "twice")
    with pytest.raises(PartnerAnswerInvalid, match="不是合格的 JSON"):
        CALLS["tax"](running.partners)


def test_a_fault_for_some_calls_ends_by_itself(running):
    running.fault("tax", "error_503", calls=2)
    for _ in range(2):
        with pytest.raises(OutsideSystemDown):
            CALLS["tax"](running.partners)
    assert CALLS["tax"](running.partners)
    assert [record.status for record in running.records] == [503, 503, 200]


def test_nothing_is_sent_a_second_time(running):
    running.fault("tax", "down")
    with pytest.raises(OutsideSystemDown):
        CALLS["tax"](running.partners)
    assert len([entry for entry in running.state()["received"] if entry["partner"] == "tax"]) == 1


def test_a_port_where_nobody_listens_had_no_effect():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        partners = connect_partners(f"http://127.0.0.1:{reserved.getsockname()[1]}", KEY, simulated=True)
        with pytest.raises(OutsideSystemDown, match="无法建立连接") as down:
            CALLS["tax"](partners)
    assert not down.value.effect_unknown


@pytest.mark.parametrize("name", CALLS)
def test_without_an_address_nothing_is_sent(name):
    records = []
    partners = connect_partners("", KEY, simulated=True, observer=records.append)
    with pytest.raises(OutsideSystemDown, match="尚未配置对接地址") as down:
        CALLS[name](partners)
    assert not down.value.effect_unknown
    assert [(record.status, record.fault) for record in records] == [(None, "尚未配置对接地址")]


def test_a_wrong_key_is_refused_by_the_partner(running):
    partners = connect_partners(running.url, b"f" * 32, simulated=True, limits=LIMITS)
    with pytest.raises(PartnerRefused) as refused:
        CALLS["tax"](partners)
    assert refused.value.code == "SIGN-BAD_SIGNATURE"


def test_an_exact_repetition_of_a_request_is_refused(running, monkeypatch):
    monkeypatch.setattr("integrations.signature.secrets.token_hex", lambda size: "ab" * size)
    CALLS["tax"](running.partners)
    with pytest.raises(PartnerRefused) as refused:
        CALLS["tax"](running.partners)
    assert refused.value.code == "SIGN-REPLAYED"


def test_the_correlation_id_reaches_the_other_side(running):
    running.partners.tax.payments(contract_number="样例-转让-2026-001", correlation_id="case-17-step-3")
    assert running.records[-1].correlation_id == "case-17-step-3"
    assert running.state()["received"][0]["correlation_id"] == "case-17-step-3"


def test_every_exchange_is_reported_once_with_its_fault(running):
    running.fault("tax", "truncated")
    with pytest.raises(OutsideSystemDown):
        CALLS["tax"](running.partners)
    (record,) = running.records
    assert (record.partner, record.method, record.status) == ("tax", "GET", 200)
    assert record.fault == "连接在应答完成前断开"


def test_a_large_file_is_streamed_and_signed(running):
    content = io.BytesIO(b"x" * 3_000_000)
    connection = Connection(partner("usage_control"), f"{running.url}/usage_control", KEY, limits=LIMITS)
    fields = {"business_key": "K", "kind": "XK01", "digest": "0" * 64}
    answer = connection.post_file("/packages", fields, "package.zip", content)
    assert answer.status == 422 and b"UC-PACKAGE" in answer.body


@contextmanager
def raw_server(*chunks, pause=0.0, received=None):
    """A partner that sends these bytes, with a pause between them, and closes; keeps what it got in `received`."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve():
        peer, _ = listener.accept()
        with peer:
            request = b""
            while b"\r\n\r\n" not in request:
                request += peer.recv(65536)
            if received is not None:
                received.append(request)
            for chunk in chunks:
                if stop.wait(pause):
                    return
                try:
                    peer.sendall(chunk)
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield Connection(partner("tax"), f"http://127.0.0.1:{listener.getsockname()[1]}", KEY, limits=LIMITS)
    finally:
        stop.set()
        thread.join()
        listener.close()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def test_a_question_has_no_body():
    received = []
    with raw_server(HEAD + b"content-length: 2\r\n\r\n", b"{}", received=received) as connection:
        connection.get("/payments")
    head, _, body = received[0].partition(b"\r\n\r\n")
    assert body == b""
    assert b"transfer-encoding" not in head.lower() and b"content-length" not in head.lower()


def test_an_endless_answer_is_cut_off():
    size = LIMITS.answer_bytes + 1
    head = HEAD + f"content-length: {size}\r\n\r\n".encode()
    with raw_server(head, b"x" * size) as connection, pytest.raises(PartnerAnswerInvalid, match="上限"):
        connection.get("/payments")


def test_an_answer_of_the_largest_size_is_read():
    size = LIMITS.answer_bytes
    with raw_server(HEAD + f"content-length: {size}\r\n\r\n".encode(), b"x" * size) as connection:
        assert len(connection.get("/payments").body) == size


@pytest.mark.parametrize("head", [HEAD + b"content-length: 900\r\n\r\n", b""])
def test_an_answer_that_drips_does_not_hold_us(head):
    # One byte at a time, each well within the read limit: only the deadline of the whole exchange ends it.
    drips = [bytes([byte]) for byte in HEAD * 20]
    started = time.monotonic()
    with raw_server(head, *drips, pause=0.2) as connection:
        with pytest.raises(OutsideSystemDown, match="超时"):
            connection.get("/payments")
        assert time.monotonic() - started < LIMITS.total_s + 1


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"no http at all\r\n\r\n", OutsideSystemDown),
        (b"HTTP/1.1 429 Too Many\r\ncontent-length: 0\r\n\r\n", OutsideSystemDown),
    ],
)
def test_what_is_no_answer_is_down(head, error):
    with raw_server(head) as connection, pytest.raises(error):
        connection.get("/payments")


def test_a_redirect_is_not_followed():
    head = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"
    with raw_server(head) as connection:
        assert connection.get("/payments").status == 302


def test_limits_are_safe_unless_told():
    limits = Limits()
    assert limits.total_s <= 60 and limits.answer_bytes <= 16 * 1024 * 1024
    assert dataclasses.is_dataclass(limits)


def test_all_errors_are_of_the_families_that_the_portal_answers():
    assert all(issubclass(error, OutsideSystemError) for error in EVERY_FAULT.values())
    assert issubclass(OutsideSystemError, PortalError)
    assert issubclass(OutsideSystemDown, errors.OutsideSystemDown) and OutsideSystemDown.status == 503
    assert PartnerRefused.status == 422
