"""The exchange monitor and the address that the ministry pushes to, through the whole app."""

import io
import socket
import threading
from datetime import timedelta

import pytest
import uvicorn
from bs4 import BeautifulSoup
from openpyxl import load_workbook
from sqlalchemy import event
from starlette.testclient import TestClient

from domain.exchange import InboxMessage, OutboxMessage
from domain.job import Job
from domain.ports.usage_control import CALLBACK_PATH
from portal.app import create_app
from tests.domain.exchange_office import Exchange, new_case
from tests.integrations.waiting import wait_until

LIBRARY, MINISTRY = "case_library", "usage_control"


@pytest.fixture
def exchange(database, running):
    return Exchange(database, running)


@pytest.fixture
def app(settings, exchange):
    return create_app(settings, office=exchange.office, database=exchange.database, run=False)


@pytest.fixture
def admin(person, sign_in):
    return sign_in(person("report_admin", name="报送（样例）"))


@pytest.fixture
def served_portal(app, exchange):
    """The portal on a real port, so that the simulator can push to it."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    wait_until(lambda: server.started)
    exchange.running.control("settings", callback_url=f"http://127.0.0.1:{listener.getsockname()[1]}{CALLBACK_PATH}")
    yield
    server.should_exit = True
    thread.join(10)
    listener.close()


def page(answer):
    return BeautifulSoup(answer.text, "html.parser")


def test_a_pushed_number_arrives(exchange, served_portal):
    sent = exchange.put_package()
    exchange.deliver(MINISTRY)
    wait_until(lambda: exchange.message(sent).result_status == "arrived")
    assert exchange.message(sent).result["number"].startswith("仿真-310000-")


def test_a_push_delivered_twice_has_one_effect(exchange, served_portal):
    exchange.running.fault(MINISTRY, "twice", calls=1)
    exchange.put_package()
    exchange.deliver(MINISTRY)
    wait_until(lambda: [each.received_count for each in exchange.all(InboxMessage)] == [2])


def test_two_different_pushed_numbers_are_a_conflict(exchange, served_portal, admin):
    exchange.running.fault(MINISTRY, "twice_different", calls=1)
    sent = exchange.put_package()
    exchange.deliver(MINISTRY)
    wait_until(lambda: len(exchange.all(InboxMessage)) == 2)
    first, second = exchange.all(InboxMessage)
    assert (first.status, second.status) == ("handled", "conflict")
    assert exchange.message(sent).result["number"] == first.payload["number"]
    shown = page(admin.get(f"/exchange/messages/{sent}"))
    assert "与先到的不同，未采用" in shown.text


def test_a_pushed_number_in_a_wrong_form_is_kept_but_not_taken(exchange, served_portal, admin):
    exchange.running.fault(MINISTRY, "wrong_number", calls=1)
    sent = exchange.put_package()
    exchange.deliver(MINISTRY)
    wait_until(lambda: exchange.all(InboxMessage))
    [kept] = exchange.all(InboxMessage)
    assert kept.status == "failed" and "number" in kept.fault and exchange.message(sent).result is None
    assert "错号-310000" in page(admin.get(f"/exchange/inbox/{kept.id}")).text


def test_an_unsigned_push_is_refused_and_leaves_nothing(exchange, app, sign_in, person):
    answer = TestClient(app).post(CALLBACK_PATH, json={"result": {"business_key": "BJ-1/permit/1"}})
    assert answer.status_code == 401 and "密钥" in answer.json()["error"]
    assert exchange.all(InboxMessage) == []


def test_the_list_is_filtered_and_paged(exchange, admin):
    for number in range(53):
        exchange.put_result(f"BJ-{number:02}")
    exchange.deliver(LIBRARY)
    first = page(admin.get("/exchange"))
    assert len(first.select("#messages tbody tr")) == 50 and "第 1—50 条，共 53 条" in first.text
    second = page(admin.get(first.select_one("a[rel=next]")["href"]))
    assert len(second.select("#messages tbody tr")) == 3 and "第 51—53 条" in second.text
    back = page(admin.get(second.select_one("a[rel=prev]")["href"]))
    assert back.select_one("#messages tbody").text == first.select_one("#messages tbody").text
    delivered = page(admin.get("/exchange", params={"status": "delivered"}))
    assert [row.a.text for row in delivered.select("#messages tbody tr")] == ["BJ-00/v1"]
    assert len(page(admin.get("/exchange", params={"key": "BJ-5"})).select("#messages tbody tr")) == 3
    assert "没有符合条件的报文" in page(admin.get("/exchange", params={"case": "没有这个号"})).text
    oldest = page(admin.get("/exchange", params={"sort": "oldest"}))
    assert oldest.select_one("#messages tbody tr a").text == "BJ-00/v1"


def test_the_number_of_queries_does_not_grow_with_the_rows(exchange, admin, database):
    counts = []
    for rows in (1, 40):
        for number in range(rows):
            exchange.put_result(f"BJ-{rows}-{number}")
        admin.get("/exchange")
        seen = []
        event.listen(database.engine, "before_cursor_execute", lambda *arguments, seen=seen: seen.append(arguments[2]))
        admin.get("/exchange")
        counts.append(len([sql for sql in seen if sql.startswith("SELECT")]))
    assert counts[0] == counts[1] <= 10


def test_a_message_shows_its_attempts_without_personal_data(exchange, admin):
    sent = exchange.put_result()
    exchange.deliver(LIBRARY)
    shown = page(admin.get(f"/exchange/messages/{sent}"))
    assert "已送达" in shown.text and "仿真-BJK-" in shown.text
    assert "样例管线建设有限公司" not in shown.text and "91310000SAMPLE001X" not in shown.text


def test_the_partners_reasons_are_listed(exchange, admin):
    sent = exchange.put_result(applicant_code="")
    exchange.deliver(LIBRARY)
    shown = page(admin.get(f"/exchange/messages/{sent}"))
    assert shown.h1.text == "被拒绝"
    assert [cell.text.strip() for cell in shown.select("#rejections-title")] == ["对方指出的问题"]
    assert [cell.text.strip() for cell in shown.select_one("table.data tbody tr").select("td")] == [
        "LIB-REQUIRED", "必填项为空", "—", "applicant_code"
    ]  # fmt: skip


def test_a_refused_message_is_sent_again_with_a_reason(exchange, admin):
    exchange.running.fault(LIBRARY, "refuse", calls=1)
    sent = exchange.put_result()
    exchange.deliver(LIBRARY)
    refused = admin.post(f"/exchange/messages/{sent}/replay", {"reason": " "})
    assert refused.status_code == 422 and page(refused).select_one(".summary a[href='#reason']")
    answer = admin.post(f"/exchange/messages/{sent}/replay", {"reason": "对方已解除锁定"})
    assert answer.status_code == 303 and exchange.message(sent).status == "waiting"
    again = admin.post(f"/exchange/messages/{sent}/replay", {"reason": "再来一次"})
    assert again.status_code == 409 and "不能重发" in again.text


def test_a_waiting_message_is_taken_back(exchange, admin):
    sent = exchange.put_result()
    assert admin.post(f"/exchange/messages/{sent}/cancel", {"reason": "办件撤回"}).status_code == 303
    assert exchange.message(sent).status == "cancelled"


def test_a_line_that_is_down_is_said_and_tried_by_hand(exchange, admin):
    exchange.running.fault(LIBRARY, "down", calls=1)
    exchange.put_result()
    exchange.deliver(LIBRARY)
    shown = page(admin.get("/exchange"))
    assert "市办件库没有正常应答，报文在等待" in shown.h1.text
    assert admin.post(f"/exchange/partners/{LIBRARY}/try").status_code == 303
    assert exchange.deliver(LIBRARY)


def test_readers_may_look_and_not_interfere(exchange, person, sign_in):
    sent = exchange.put_result()
    reader = sign_in(person("system_admin"))
    shown = page(reader.get(f"/exchange/messages/{sent}"))
    assert shown.select_one("textarea") is None
    assert reader.post(f"/exchange/messages/{sent}/cancel", {"reason": "想试试"}).status_code == 403
    assert sign_in(person("window", district="310118")).get("/exchange").status_code == 403


def test_a_dispatcher_sees_the_messages_of_the_own_district_alone(exchange, database, person, sign_in):
    with database.writing() as session:
        case_id = new_case(session)
    exchange.put_result("BJ-1")
    with_case = exchange.put_package(case_id=case_id)
    own, other = sign_in(person("dispatcher", district="310118")), sign_in(person("dispatcher", district="310115"))
    assert [row.a.text for row in page(own.get("/exchange")).select("#messages tbody tr")] == ["BJ-1/permit/1"]
    assert page(other.get("/exchange")).select("#messages tbody tr") == []
    assert own.get(f"/exchange/messages/{with_case}").status_code == 200
    assert other.get(f"/exchange/messages/{with_case}").status_code == 404


def test_a_wrong_date_is_said_and_left_out(admin):
    shown = page(admin.get("/exchange", params={"since": "2026-02-30"}))
    assert "不是日期" in shown.text


def test_reconciliation_compares_both_sides(exchange, admin, database):
    good, bad = exchange.put_result("BJ-1"), exchange.put_result("BJ-2")
    exchange.deliver(LIBRARY), exchange.deliver(LIBRARY)
    with database.writing() as session:
        message = session.get_one(OutboxMessage, bad)
        message.payload = {**message.payload, "business_key": "BJ-never"}
        session.add(message)
        session.commit()
    fields = {"partner": LIBRARY, "since": "2020-01-01", "until": "2020-12-31"}
    assert admin.post("/exchange/reconcile/new", {**fields, "until": ""}).status_code == 422
    assert admin.post("/exchange/reconcile/new", {**fields, "partner": "tax"}).status_code == 422
    day = exchange.message(good).sent_at.date()
    span = {"since": str(day - timedelta(days=1)), "until": str(day + timedelta(days=1))}
    begun = admin.post("/exchange/reconcile/new", {**fields, **span})
    assert begun.status_code == 303
    assert "排队中" in admin.get(begun.headers["location"]).text
    exchange.runner._work_at_job()
    shown = page(admin.get(begun.headers["location"]))
    assert "核对 2 条，1 条不一致" in shown.h1.text and "对方没有这个办件的结果" in shown.text
    assert "BJ-2/v1" in shown.text and "BJ-1/v1" not in shown.text


def test_the_export_holds_what_the_filters_show_and_no_formulas(exchange, admin):
    exchange.put_result("=HYPERLINK(1)")
    exchange.put_result("BJ-2")
    exchange.deliver(LIBRARY), exchange.deliver(LIBRARY)
    answer = admin.post("/exchange/export", {"key": "HYPERLINK"})
    assert answer.status_code == 303
    exchange.runner._work_at_job()
    [job] = exchange.all(Job, kind="exchange_export")
    assert job.status == "done", job.fault
    sheet = load_workbook(io.BytesIO(exchange.office.files.read_bytes(job.result_file))).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:4] == ("编号", "对接单位", "报文种类", "业务主键")
    assert [row[3] for row in rows[1:]] == ["=HYPERLINK(1)/v1"] and sheet["D2"].data_type == "s"
