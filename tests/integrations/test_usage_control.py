"""The land-use control platforms: packages, numbers, errors, pushes."""

import dataclasses
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from domain.ports import (
    CallbackRefused,
    OutsideSystemDown,
    PartnerAnswerInvalid,
    PartnerRefused,
    partner,
)
from domain.ports.usage_control import CALLBACK_PATH, PackageKind, ReportState
from integrations.http import Connection
from integrations.signature import body_digest, signature_headers
from integrations.usage_control.client import UsageControlClient
from tests.integrations.packages import (
    APPROVAL,
    as_package,
    make_package,
    permit_files,
    revocation_files,
)
from tests.integrations.running import KEY
from tests.integrations.waiting import wait_until

PERMIT = PackageKind.PERMIT_INITIAL


@pytest.fixture
def platform(running):
    return running.partners.usage_control


@pytest.fixture
def inbox(running):
    """A receiver of pushes, with what it got as (headers, body)."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever)
    thread.start()
    running.control("settings", callback_url=f"http://127.0.0.1:{server.server_port}{CALLBACK_PATH}")
    yield got
    server.shutdown()
    thread.join()
    server.server_close()


def permit(key="CASE-1/permit/1", **changes):
    return make_package(key, PERMIT, permit_files(**changes))


def test_the_number_comes_later_by_asking(running, platform):
    running.control("settings", answer_delay_seconds=600)
    receipt = platform.submit(permit())
    assert not receipt.is_duplicate
    waiting = platform.result("CASE-1/permit/1")
    assert (waiting.state, waiting.number, waiting.decided_at) == (ReportState.PROCESSING, None, None)
    running.control("release")
    result = platform.result("CASE-1/permit/1")
    assert result.state is ReportState.NUMBERED
    assert result.number.startswith("仿真-310000-") and result.is_simulated
    assert result.receipt_number == receipt.receipt_number


def test_the_number_comes_by_a_signed_push(platform, inbox):
    platform.submit(permit())
    wait_until(lambda: inbox)
    pushed = platform.parse_callback(*inbox[0])
    assert pushed.result == platform.result("CASE-1/permit/1")
    assert pushed.result.state is ReportState.NUMBERED
    assert pushed.message_id and pushed.nonce and pushed.sent_at.tzinfo is not None


def test_the_same_package_twice_has_one_effect(running, platform):
    first, second = platform.submit(permit()), platform.submit(permit())
    assert (first.receipt_number, second.is_duplicate) == (second.receipt_number, True)
    assert len(running.state()["packages"]) == len(running.state()["numbers"]) == 1


def test_the_same_key_with_other_content_is_refused(platform):
    platform.submit(permit())
    with pytest.raises(PartnerRefused) as refused:
        platform.submit(permit(**{"documents/more.txt": b"more"}))
    assert refused.value.code == "UC-CONFLICT"


def test_a_numbered_case_gets_no_second_number(running, platform):
    platform.submit(permit())
    with pytest.raises(PartnerRefused, match="已有监管号") as refused:
        platform.submit(permit("CASE-1/permit/2"))
    assert refused.value.code == "UC-NUMBERED"
    assert len(running.state()["numbers"]) == 1


def test_the_pre_review_number_of_a_project(platform):
    assert platform.pre_review_number("GX-2026-0001").number == "仿真-310118-2026-000017"
    assert platform.pre_review_number("GX-2026-0003").number is None
    with pytest.raises(PartnerRefused, match="没有这个项目的用地预审记录"):
        platform.pre_review_number("GX-none")


@pytest.mark.parametrize("kind", ["down", "malformed", "error_503"])
def test_a_failing_platform_gives_no_pre_review_number(running, platform, kind):
    running.fault("usage_control", kind)
    with pytest.raises((OutsideSystemDown, PartnerAnswerInvalid)):
        platform.pre_review_number("GX-2026-0001")


def test_an_unknown_key_is_refused(platform):
    with pytest.raises(PartnerRefused) as refused:
        platform.result("CASE-none")
    assert refused.value.code == "UC-404"


def test_errors_are_a_list_with_code_text_file_and_field(platform):
    bad = {**APPROVAL, "project_name": " ", "decided_on": None}
    platform.submit(permit(**{"approval.json": json.dumps(bad).encode()}))
    result = platform.result("CASE-1/permit/1")
    assert (result.state, result.number) == (ReportState.REJECTED, None)
    assert [(r.code, r.file, r.field) for r in result.rejections] == [
        ("UC-REQUIRED", "approval.json", "project_name"),
        ("UC-REQUIRED", "approval.json", "decided_on"),
    ]
    assert all(rejection.text for rejection in result.rejections)


def test_a_corrected_round_after_a_rejection_gets_its_number(running, platform):
    running.fault("usage_control", "reject", calls=1)
    platform.submit(permit())
    assert platform.result("CASE-1/permit/1").rejections[0].code == "UC-LAND"
    platform.submit(permit("CASE-1/permit/2"))
    assert platform.result("CASE-1/permit/2").state is ReportState.NUMBERED


@pytest.mark.parametrize(
    ("changes", "code", "file"),
    [
        ({"layer/extent.shp": None}, "UC-LAYER", None),
        ({"layer/extent.shx": None}, "UC-LAYER", "layer/extent.shx"),
        ({"layer/extent.dbf": None}, "UC-LAYER", "layer/extent.dbf"),
        ({"layer/extent.prj": None}, "UC-LAYER", "layer/extent.prj"),
        ({"layer/extent.shp": b"no shape"}, "UC-LAYER", "layer/extent.shp"),
        ({"layer/extent.prj": b'PROJCS["Shanghai_City"]'}, "UC-FRAME", "layer/extent.prj"),
        ({"coordinates.txt": None}, "UC-COORDINATES", "coordinates.txt"),
        ({"coordinates.txt": b"J1,1,121.4,31.2\n"}, "UC-COORDINATES", "coordinates.txt"),
        ({"coordinates.txt": b"J1,1,121.4,31.2\nJ2,1,east,31.2\n"}, "UC-COORDINATES", "coordinates.txt"),
        ({"coordinates.txt": b"\xff\xfe"}, "UC-COORDINATES", "coordinates.txt"),
        ({"approval.json": None}, "UC-REQUIRED", "approval.json"),
        (
            {"approval.json": json.dumps({**APPROVAL, "case_number": "other"}).encode()},
            "UC-CASE",
            "approval.json",
        ),
    ],
)
def test_what_the_content_lacks_is_rejected(platform, changes, code, file):
    platform.submit(permit(**changes))
    result = platform.result("CASE-1/permit/1")
    assert result.state is ReportState.REJECTED
    assert (result.rejections[0].code, result.rejections[0].file) == (code, file)


@pytest.mark.parametrize(
    ("package", "code"),
    [
        (as_package("K", PERMIT, b"no zip"), "UC-ZIP"),
        (make_package("K", PERMIT, permit_files(), version="2"), "UC-MANIFEST"),
        (make_package("K", PERMIT, permit_files(), case_number=""), "UC-MANIFEST"),
        (make_package("K", PERMIT, permit_files(), files=[]), "UC-FILE"),
        (make_package("K", PERMIT, permit_files(), files="all"), "UC-MANIFEST"),
        (make_package("K", PERMIT, permit_files(), kind="YS01"), "UC-MANIFEST"),
        (make_package("K", PERMIT, permit_files(), business_key="other"), "UC-MANIFEST"),
        (
            make_package(
                "K",
                PERMIT,
                {"approval.json": b"{}"},
                files=[{"name": "approval.json", "size": 2, "sm3": "0" * 64}],
            ),
            "UC-FILE",
        ),
    ],
)
def test_a_package_that_is_no_package_is_not_taken(running, platform, package, code):
    with pytest.raises(PartnerRefused) as refused:
        platform.submit(package)
    assert refused.value.code == "UC-PACKAGE"
    assert refused.value.rejections[0].code == code
    assert running.state()["packages"] == []


def test_content_that_is_not_what_its_digest_says_is_not_sent(running, platform):
    with pytest.raises(ValueError, match="摘要不符"):
        platform.submit(dataclasses.replace(permit(), digest="0" * 64))
    assert running.records == []


def test_the_pre_review_chain_gives_its_own_number(platform):
    for number, kind in enumerate(
        (PackageKind.PRE_REVIEW_PROJECT, PackageKind.PRE_REVIEW_DECLARATION, PackageKind.PRE_REVIEW_EXTENT)
    ):
        platform.submit(make_package(f"CASE-1/{number}", kind, permit_files()))
    assert platform.result("CASE-1/0").state is ReportState.RECORDED
    extent = platform.result("CASE-1/2")
    platform.submit(permit())
    assert extent.state is ReportState.NUMBERED
    assert platform.result("CASE-1/permit/1").number != extent.number


def test_the_extent_before_the_other_two_is_rejected(platform):
    platform.submit(make_package("CASE-1/2", PackageKind.PRE_REVIEW_EXTENT, permit_files()))
    assert [r.code for r in platform.result("CASE-1/2").rejections] == ["UC-ORDER", "UC-ORDER"]


def test_a_cancellation_frees_the_case_for_a_new_number(platform):
    platform.submit(permit())
    number = platform.result("CASE-1/permit/1").number
    platform.submit(
        make_package("CASE-1/cancel/1", PackageKind.PERMIT_CANCELLATION, revocation_files(number))
    )
    assert platform.result("CASE-1/cancel/1").state is ReportState.CANCELLED
    platform.submit(permit("CASE-1/permit/2"))
    assert platform.result("CASE-1/permit/2").number not in (None, number)


@pytest.mark.parametrize("missing", ["revocation.json", "documents/decision.pdf"])
def test_a_cancellation_without_record_or_documents_is_rejected(platform, missing):
    platform.submit(permit())
    files = revocation_files(platform.result("CASE-1/permit/1").number)
    del files[missing]
    platform.submit(make_package("CASE-1/cancel/1", PackageKind.PERMIT_CANCELLATION, files))
    result = platform.result("CASE-1/cancel/1")
    assert [r.code for r in result.rejections] == ["UC-REQUIRED"]


def test_a_number_that_is_not_held_cannot_be_cancelled(platform):
    files = revocation_files("仿真-310000-2026-999999")
    platform.submit(make_package("CASE-1/cancel/1", PackageKind.PERMIT_CANCELLATION, files))
    assert [r.code for r in platform.result("CASE-1/cancel/1").rejections] == ["UC-NUMBER"]


def test_the_city_keeps_its_copy_and_gives_no_number(running):
    city = running.partners.usage_control_city
    receipt = city.submit(permit())
    assert receipt.receipt_number == city.submit(permit()).receipt_number
    result = city.result("CASE-1/permit/1")
    assert (result.state, result.number) == (ReportState.RECORDED, None)
    assert running.state()["numbers"] == []


def test_never_waits_until_released(running, platform, inbox):
    running.fault("usage_control", "never", calls=1)
    platform.submit(permit())
    assert platform.result("CASE-1/permit/1").state is ReportState.PROCESSING
    assert running.state()["pushes"] == [] and inbox == []
    running.control("release")
    wait_until(lambda: inbox)
    assert platform.parse_callback(*inbox[0]).result.state is ReportState.NUMBERED


def test_late_comes_when_it_said(running, platform):
    running.fault("usage_control", "late", seconds=600)
    receipt = platform.submit(permit())
    running.fault("usage_control", "ok")
    assert platform.result("CASE-1/permit/1").state is ReportState.PROCESSING
    due = running.state()["packages"][0]["ready_at"]
    assert (receipt.received_at.fromisoformat(due) - receipt.received_at).total_seconds() == pytest.approx(
        600, abs=2
    )


def test_a_push_delivered_twice_has_one_message_id(running, platform, inbox):
    running.fault("usage_control", "twice", calls=1)
    platform.submit(permit())
    wait_until(lambda: len(inbox) == 2)
    first, second = (platform.parse_callback(*message) for message in inbox)
    assert first.message_id == second.message_id
    assert first.result == second.result


def test_a_second_different_push_can_be_told_apart(running, platform, inbox):
    running.fault("usage_control", "twice_different", calls=1)
    platform.submit(permit())
    wait_until(lambda: len(inbox) == 2)
    first, second = (platform.parse_callback(*message) for message in inbox)
    assert first.result.business_key == second.result.business_key
    assert first.result.number != second.result.number and first.message_id != second.message_id
    assert platform.result("CASE-1/permit/1").number == first.result.number


def test_a_wrong_number_is_refused_and_the_right_one_can_be_fetched(running, platform, inbox):
    running.fault("usage_control", "wrong_number")
    platform.submit(permit())
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        platform.result("CASE-1/permit/1")
    assert invalid.value.field == "data.number"
    wait_until(lambda: inbox)
    with pytest.raises(PartnerAnswerInvalid, match=r"result\.number"):
        platform.parse_callback(*inbox[0])
    running.fault("usage_control", "ok")
    assert platform.result("CASE-1/permit/1").state is ReportState.NUMBERED


def test_a_failed_push_is_kept_and_delivered_when_released(running, platform, inbox):
    address = running.state()["callback_url"]
    running.control("settings", callback_url="http://127.0.0.1:9/exchange")
    platform.submit(permit())
    wait_until(lambda: running.state()["pushes"][0]["attempts"] == 1)
    assert running.state()["pushes"][0]["delivered_at"] is None
    running.control("settings", callback_url=address)
    running.control("release")
    wait_until(lambda: inbox)
    wait_until(lambda: running.state()["pushes"][0]["delivered_at"])


def test_a_simulated_number_is_not_believed_by_a_real_portal(running, platform):
    platform.submit(permit())
    connection = Connection(partner("usage_control"), f"{running.url}/usage_control", KEY)
    real = UsageControlClient(connection, accept_simulated=False)
    with pytest.raises(PartnerAnswerInvalid, match="number"):
        real.result("CASE-1/permit/1")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("down", OutsideSystemDown),
        ("error_503", OutsideSystemDown),
        ("truncated", OutsideSystemDown),
        ("refuse", PartnerRefused),
        ("malformed", PartnerAnswerInvalid),
        ("wrong_schema", PartnerAnswerInvalid),
        ("wrong_value", PartnerAnswerInvalid),
    ],
)
@pytest.mark.parametrize("name", ["usage_control", "usage_control_city"])
def test_faults_on_submit(running, name, kind, error):
    field = {"field": "received_at"} if kind == "wrong_value" else {}
    running.fault(name, kind, **field)
    with pytest.raises(error):
        getattr(running.partners, name).submit(permit())


class TestCallback:
    BODY = json.dumps(
        {
            "message_id": "0123456789abcdef",
            "sent_at": "2026-07-01T00:00:00+00:00",
            "result": {
                "business_key": "CASE-1/permit/1",
                "receipt_number": "仿真-HZ-000001",
                "state": "40",
                "number": "仿真-310000-2026-000001",
                "errors": [],
                "decided_at": "2026-07-01T00:00:00+00:00",
            },
        }
    ).encode()

    def headers(self, running, body=BODY, key=KEY, path=CALLBACK_PATH, key_id="usage_control"):
        now = running.partners.usage_control._connection.now()
        return signature_headers(key_id, key, "POST", path, body_digest([body]), now)

    def changed(self, **result):
        value = json.loads(self.BODY)
        value["result"].update(result)
        return json.dumps(value).encode()

    def test_a_signed_message_is_read(self, running, platform):
        callback = platform.parse_callback(self.headers(running), self.BODY)
        assert callback.result.number == "仿真-310000-2026-000001"

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"key": b"f" * 32}, "bad_signature"),
            ({"path": "/elsewhere"}, "bad_signature"),
            ({"key_id": "guitu"}, "unknown_key"),
        ],
    )
    def test_a_wrongly_signed_message_is_refused(self, running, platform, changes, reason):
        with pytest.raises(CallbackRefused) as refused:
            platform.parse_callback(self.headers(running, **changes), self.BODY)
        assert refused.value.reason == reason

    def test_a_changed_body_is_refused(self, running, platform):
        with pytest.raises(CallbackRefused, match="签名与内容不符"):
            platform.parse_callback(self.headers(running), self.changed(number="仿真-310000-2026-000002"))

    def test_an_unsigned_message_is_refused(self, platform):
        with pytest.raises(CallbackRefused) as refused:
            platform.parse_callback({}, self.BODY)
        assert refused.value.reason == "missing_header"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"state": "99"}, "result.state"),
            ({"state": "20", "number": None, "decided_at": None}, "result.state"),
            ({"state": "50"}, "result.number"),
            ({"state": "50", "number": None}, "result.errors"),
            ({"number": None}, "result.number"),
            ({"number": "310000-2026-000001"}, "result.number"),
            ({"decided_at": None}, "result.decided_at"),
            ({"decided_at": "2026-07-01T00:00:00"}, "result.decided_at"),
            ({"errors": [{"code": "A", "text": "", "file": None, "field": None}]}, "result.errors[0].text"),
            ({"surprise": 1}, "result.surprise"),
        ],
    )
    def test_a_message_that_contradicts_itself_is_refused(self, running, platform, change, field):
        body = self.changed(**change)
        with pytest.raises(PartnerAnswerInvalid) as invalid:
            platform.parse_callback(self.headers(running, body), body)
        assert invalid.value.field == field


def test_case_numbers_are_kept_apart(platform):
    other = {**APPROVAL, "case_number": "样例办件-0002"}
    files = permit_files(**{"approval.json": json.dumps(other).encode()})
    platform.submit(permit())
    platform.submit(make_package("CASE-2/permit/1", PERMIT, files, case_number="样例办件-0002"))
    assert platform.result("CASE-2/permit/1").number != platform.result("CASE-1/permit/1").number
