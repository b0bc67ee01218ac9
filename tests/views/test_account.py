"""One's own account: looks, password, sessions, absence, notices."""

from datetime import timedelta

import pytest
from sqlmodel import select

from domain import portal_clock
from domain.actor import SYSTEM
from domain.command import command, system_only
from domain.demo.people import ACCOUNTS, are_loaded, load
from domain.errors import Refused
from domain.notice import Notice, notify
from domain.person import Person, actor_of
from domain.role import keys
from domain.sign_in import HASHER
from tests.views.pages import cells, faults, page, title

PASSWORD = "five-words-in-a-row"
HASH = HASHER.hash(PASSWORD)


@pytest.fixture
def officer(person):
    return person("reviewer", district="310118", name="沈怀瑾", login="shen", password_hash=HASH)


@pytest.fixture
def browser(officer, sign_in):
    return sign_in(officer)


@command("test.tell", allow=system_only)
def tell(work, person_id, words):
    return notify(work, person_id, "task", words)


def told(database, officer, *words):
    for each in words:
        with database.writing() as session:
            tell(session, SYSTEM, officer.person_id, each)


def test_colours_density_and_size_hold_from_the_next_page_on(browser):
    assert browser.post("/account/preferences", {"theme": "dark", "density": "comfortable", "text_size": "larger"}).status_code == 303
    html = page(browser.get("/account")).html
    assert (html["data-theme"], html["data-density"], html["data-text"]) == ("dark", "comfortable", "larger")


def test_a_colour_that_is_not_offered_is_refused(browser):
    answer = browser.post("/account/preferences", {"theme": "pink", "density": "", "text_size": "normal"})
    assert faults(answer) == ["请从列出的选项中选择"]


@pytest.mark.parametrize("change, words", [
    ({"old": "not-the-old-one"}, "原口令不对"), ({"new": "short", "again": "short"}, "至少 10 位"),
    ({"new": "shen-is-my-login", "again": "shen-is-my-login"}, "过于简单"), ({"again": "something-else-1"}, "与上面填写的不同"),
])
def test_a_new_password_is_checked(browser, change, words):
    given = {"old": PASSWORD, "new": "another-long-one-9", "again": "another-long-one-9", **change}
    assert words in faults(browser.post("/account/password", given))[0]


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(browser, officer, sign_in):
    other = sign_in(officer)
    given = {"old": PASSWORD, "new": "another-long-one-9", "again": "another-long-one-9"}
    assert browser.post("/account/password", given).status_code == 303
    assert browser.get("/account").status_code == 200
    assert other.get("/account", follow_redirects=False).status_code == 303


def test_all_other_sessions_are_ended_at_once(browser, officer, sign_in):
    other = sign_in(officer)
    assert len(cells(browser.get("/account"), "浏览器")) == 2
    assert browser.post("/account/sessions/end-others").status_code == 303
    assert other.get("/account", follow_redirects=False).status_code == 303
    assert len(cells(browser.get("/account"), "浏览器")) == 1


def test_an_absence_is_set_and_ended_on_the_page(browser, officer, person, sign_in):
    colleague = person("reviewer", district="310118", name="陆明远")
    today = portal_clock.today()
    given = {"delegate_id": colleague.person_id, "from_on": today.isoformat(), "until_on": (today + timedelta(days=3)).isoformat(), "reason": "出差"}
    assert faults(browser.post("/account/absences", {**given, "until_on": ""})) == ["结束日期要写明，代理到期自动结束"]
    assert browser.post("/account/absences", given).status_code == 303
    answer = browser.get("/account/absences")
    assert cells(answer, "状态") == ["代理中"]
    assert "代沈怀瑾" in cells(sign_in(colleague).get("/account"), "来源")
    path = page(answer).select_one('td[data-label="操作"] a')["href"]
    assert title(browser.get(path)) == "提前结束由陆明远代理？"
    assert browser.post(path).status_code == 303
    assert cells(browser.get("/account/absences"), "状态") == ["已提前结束"]


def test_unread_notices_come_first_and_are_counted_in_the_menu(browser, officer, database):
    told(database, officer, "第一条", "第二条")
    answer = browser.get("/notices")
    assert title(answer) == "有 2 条消息未读"
    with database.reading() as session:
        newest = session.exec(select(Notice).order_by(Notice.id.desc())).first()
    assert browser.post(f"/notices/{newest.id}").status_code == 303
    shown = [each.text for each in page(browser.get("/notices")).select(".links-ruled b")]
    assert shown == ["第一条", "第二条"]
    assert page(browser.get("/account")).select_one(".panel .count").text == "1"


def test_marking_all_read_leaves_what_came_later(browser, officer, database):
    told(database, officer, "先到")
    through = page(browser.get("/notices")).select_one("input[name=through]")["value"]
    told(database, officer, "后到")
    assert browser.post("/notices/read", {"through": through}).status_code == 303
    assert [each.text for each in page(browser.get("/notices?only=unread")).select(".links-ruled b")] == ["后到"]


def test_a_notice_of_somebody_else_is_not_found(browser, person, database):
    other = person("window", district="310118")
    told(database, other, "不是你的")
    with database.reading() as session:
        foreign = session.exec(select(Notice)).one()
    assert browser.post(f"/notices/{foreign.id}").status_code == 404


@command("test.demo", allow=system_only)
def load_demo(work):
    return load(work)


def test_there_is_a_demo_account_for_every_role_and_loading_twice_changes_nothing(database):
    assert keys() == {each.role for each in ACCOUNTS}
    for _ in range(2):
        with database.writing() as session:
            ids = load_demo(session, SYSTEM)
    with database.reading() as session:
        assert are_loaded(session)
        assert len(session.exec(select(Person)).all()) == len(ids)
        handler = actor_of(session, ids["district_handler.310118"])
        assert [(grant.role, grant.district_code) for grant in handler.grants] == [("district_handler", "310118")]


def test_demo_accounts_are_refused_where_it_is_no_demo(database, office):
    office.is_demo = False
    with database.writing() as session, pytest.raises(Refused):
        load_demo(session, SYSTEM)
