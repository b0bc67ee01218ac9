"""Monitoring readings through the whole app: pushed, signed and once; shown with line and alarms; written down by hand."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from sqlmodel import select

from domain.actor import SYSTEM
from domain.exchange import InboxMessage
from domain.job import Job
from domain.observation import intake, judging
from domain.observation.intake import Reading
from domain.observation.tables import Observation, ObservationAlarm
from domain.portal_clock import now
from domain.ports.monitoring import READINGS_PATH
from domain.ports.usage_control import CALLBACK_PATH
from integrations.signature import body_digest, signature_headers
from tests.integrations.running import KEY
from tests.integrations.waiting import wait_until
from tests.views.reading import fields_of, heading, read, words
from tests.views.test_desk import counted
from tests.views.test_exchange import app, exchange, served_portal  # noqa: F401

SERIES = "SH-CJ-0001"
START = now().replace(minute=0, second=0, microsecond=0) - timedelta(days=3)


def opened(database, key=SERIES, district="310118"):
    with database.writing() as session:
        made = intake.open_series(session, SYSTEM, key=key, subject="样例观测墩", title="日沉降量", unit="mm",
                                  rule_set="observation_line", district_code=district)  # fmt: skip
        return made.id


def taken(database, *pairs, key=SERIES):
    with database.writing() as session:
        intake.take(session, SYSTEM, key, [Reading(f"r{hours}", START + timedelta(hours=hours), Decimal(value)) for hours, value in pairs])
    while judging.judge_next(database):
        pass


def rows(database, table):
    with database.reading() as session:
        return list(session.exec(select(table).order_by(table.id)))


class Platform:
    """The monitoring platform, signing what it sends."""

    def __init__(self, browser):
        self.browser = browser

    def send(self, readings, message="message-0001", series=SERIES, at=None, key=KEY, key_id="monitoring", **changed):
        body = json.dumps({
            "message_id": message, "sent_at": now().isoformat(), "series": series, "readings": readings, **changed,
        }).encode()  # fmt: skip
        headers = signature_headers(key_id, key, "POST", READINGS_PATH, body_digest([body]), at or datetime.now(UTC))
        return self.browser.request("POST", READINGS_PATH, content=body, headers=headers)


def reading(hours=0, value="3.5", key=None):
    return {"business_key": key or f"k{hours}", "at": (START + timedelta(hours=hours)).isoformat(), "value": value}


@pytest.fixture
def series(exchange):  # noqa: F811
    return opened(exchange.database)


@pytest.fixture
def platform(app, series):  # noqa: F811
    from starlette.testclient import TestClient

    return Platform(TestClient(app))


def test_a_signed_message_is_taken_once_however_often_it_comes(exchange, platform):  # noqa: F811
    sent = [reading(0), reading(1, "3.25")]
    assert platform.send(sent).json() == {"message_id": "message-0001", "status": "handled", "received": 1}
    assert platform.send(sent).json()["received"] == 2
    assert platform.send([reading(0), reading(2)], message="message-0002").status_code == 200  # one known, one new
    assert [str(each.value.normalize()) for each in rows(exchange.database, Observation)] == ["3.5", "3.25", "3.5"]
    assert [(each.kind, each.status, each.received_count) for each in exchange.all(InboxMessage)] == [
        ("readings", "handled", 2), ("readings", "handled", 1),
    ]  # fmt: skip


def test_late_readings_are_put_in_their_place_and_judged_again(exchange, platform):  # noqa: F811
    platform.send([reading(0), reading(8)])
    platform.send([reading(4)], message="message-0002")
    while judging.judge_next(exchange.database):
        pass
    [alarm] = rows(exchange.database, ObservationAlarm)
    assert alarm.from_at == START + timedelta(hours=8)


@pytest.mark.parametrize(("changed", "status", "said"), [
    ({"series": "nothing"}, 404, "没有编号为"),
    ({"readings": [{**reading(0), "at": (now() + timedelta(hours=1)).isoformat()}]}, 422, "还没有到"),
    ({"readings": [reading(0, "1e3")]}, 422, "十进制数"),
    ({"readings": [reading(0, "3", "same"), reading(1, "4", "same")]}, 409, "出现两次"),
    ({"readings": []}, 422, "读数"),
    ({"extra": 1}, 422, "约定之外"),
])  # fmt: skip
def test_what_cannot_be_taken_is_refused_whole_and_kept(exchange, platform, changed, status, said):  # noqa: F811
    answer = platform.send(**{"readings": [reading(0)], **changed})
    assert answer.status_code == status, answer.text
    assert rows(exchange.database, Observation) == []
    [kept] = exchange.all(InboxMessage)
    assert kept.status == "failed" and said in kept.fault


def test_a_different_value_or_message_under_a_known_key_changes_nothing(exchange, platform):  # noqa: F811
    platform.send([reading(0, "3.5")])
    assert platform.send([reading(0, "9")], message="message-0002").status_code == 409
    assert platform.send([reading(5, "9")]).status_code == 409
    assert [each.value for each in rows(exchange.database, Observation)] == [Decimal("3.5")]
    assert [each.status for each in exchange.all(InboxMessage)] == ["handled", "failed", "failed"]


@pytest.mark.parametrize("wrong", [
    {"key": b"f" * 32}, {"key_id": "usage_control"}, {"at": datetime.now(UTC) - timedelta(hours=1)},
])  # fmt: skip
def test_what_is_not_signed_by_the_platform_leaves_nothing(exchange, platform, wrong):  # noqa: F811
    assert platform.send([reading(0)], **wrong).status_code == 401
    assert exchange.all(InboxMessage) == [] and rows(exchange.database, Observation) == []


def test_the_simulator_pushes_readings(exchange, series, served_portal):  # noqa: F811
    assert urlsplit(exchange.running.state()["callback_url"]).path == CALLBACK_PATH
    exchange.running.fault("monitoring", "twice", calls=1)
    exchange.running.control("readings", series=SERIES, value="3.5")
    wait_until(lambda: [each.received_count for each in exchange.all(InboxMessage)] == [2])
    exchange.running.fault("monitoring", "twice_different", calls=1)
    exchange.running.control("readings", series=SERIES, value="3.6", business_key="same")
    wait_until(lambda: [each.status for each in exchange.all(InboxMessage)] == ["handled", "handled", "failed"])
    assert [each.value for each in rows(exchange.database, Observation)] == [Decimal("3.5"), Decimal("3.6")]
    assert "时区" in exchange.running.control("readings", expect=422, series=SERIES, value="3", at="2026-10-01T08:00")["error"]


def test_the_list_shows_state_and_newest_reading_in_a_fixed_number_of_questions(database, person, sign_in):
    opened(database)
    taken(database, (0, "3.5"), (1, "3.5"), (2, "3.75"))
    opened(database, "SH-CJ-0002", "310115")
    browser = sign_in(person("city_handler"))
    page = read(browser.get("/observations"))
    first, second = page.select("tbody tr")
    assert "报警" in words(first) and "3.75 毫米" in words(first) and "没有读数" in words(second)
    with counted(database) as two:
        browser.get("/observations")
    for number in range(3, 20):
        opened(database, f"SH-CJ-{number:04}")
    with counted(database) as many:
        browser.get("/observations")
    assert len(two) == len(many) <= 6
    assert "1个" in heading(read(browser.get("/observations?state=alarm"))).replace(" ", "")
    assert "0个" in heading(read(browser.get("/observations?state=fault"))).replace(" ", "")
    assert "1个" in heading(read(browser.get("/observations?district=310115"))).replace(" ", "")


def test_a_series_shows_its_course_line_edition_and_alarms(database, person, sign_in):
    series_id = opened(database)
    taken(database, (0, "3.5"), (1, "3.5"), (2, "3.75"), (40, "1"))
    keeper = sign_in(person("rule_maintainer"))
    page = read(keeper.get(f"/observations/{series_id}"))
    assert len(page.select("svg .warnline")) == 2 and len(page.select("svg.desk .f-bad")) == 3
    facts = words(page.select_one("dl.facts"))
    assert "3 毫米" in facts and "2026-01-01 起" in facts
    assert page.select_one("[data-label=报警内容] a")["href"].startswith("/rule-decisions/")
    assert keeper.get(page.select_one("[data-label=报警内容] a")["href"]).status_code == 200
    assert len(page.select("[data-label=判断]")) == 4
    assert not page.select("form[action$='/readings']")
    with counted(database) as statements:
        keeper.get(f"/observations/{series_id}")
    assert len(statements) <= 8


def test_another_district_does_not_see_it(database, person, sign_in):
    series_id = opened(database)
    other = sign_in(person("district_handler", district="310115"))
    assert "0个" in heading(read(other.get("/observations"))).replace(" ", "")
    assert other.get(f"/observations/{series_id}").status_code == 404
    assert other.post(f"/observations/{series_id}/readings", {"value": "1", "key": "k"}).status_code == 404
    assert other.post(f"/observations/{series_id}/export").status_code == 404
    reader = sign_in(person("reviewer", district="310118"))
    assert reader.get(f"/observations/{series_id}").status_code == 200
    assert reader.post(f"/observations/{series_id}/readings", {"value": "1", "key": "k"}).status_code == 403


def test_a_reading_is_written_down_once_by_whoever_may(database, person, sign_in):
    series_id = opened(database)
    path = f"/observations/{series_id}"
    handler = sign_in(person("district_handler", district="310118"))
    form = fields_of(read(handler.get(path)).select_one("form[action$='/readings']"))
    refused = read(handler.post(f"{path}/readings", {**form, "value": "viel"}), 422)
    assert "十进制数" in words(refused.select_one(".summary"))
    assert refused.select_one("input[name=key]")["value"] == form["key"]
    later = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d %H:%M}"
    assert handler.post(f"{path}/readings", {**form, "value": "2", "at": later}).status_code == 422
    at = f"{START:%Y-%m-%d} 08:00"
    for _ in range(2):
        assert handler.post(f"{path}/readings", {**form, "value": "2.5", "at": at}).status_code == 303
    [kept] = rows(database, Observation)
    assert kept.value == Decimal("2.5") and kept.at.hour == 0
    assert "人工录入" in words(read(handler.get(path)))
    assert handler.post(f"{path}/readings", {**form, "value": "2.6", "at": at}).status_code == 409


def test_a_series_is_opened_in_the_form(database, person, sign_in):
    keeper = sign_in(person("rule_maintainer"))
    form = fields_of(read(keeper.get("/observations/new")).select_one("form[action='/observations/new']"))
    given = {**form, "key": "SH-CJ-0009", "subject": "样例墩", "title": "日沉降量", "unit": "mm", "rule_set": "observation_line"}
    assert "请填写" in words(read(keeper.post("/observations/new", {**given, "title": ""}), 422).select_one(".summary"))
    assert keeper.post("/observations/new", given).status_code == 303
    assert "已经有了" in words(read(keeper.post("/observations/new", given), 409).select_one(".summary"))
    assert sign_in(person("reviewer", district="310118")).get("/observations/new").status_code == 403


def test_the_export_is_a_job_within_sight(database, person, sign_in):
    series_id = opened(database)
    taken(database, (0, "3.5"))
    browser = sign_in(person("reviewer", district="310118"))
    assert browser.post(f"/observations/{series_id}/export").status_code == 303
    [job] = rows(database, Job)
    assert (job.kind, job.arguments) == ("observation_export", {"series": series_id})
