"""Signing in and out: passwords, throttling, sessions, and the way over the identity service."""

from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from argon2 import extract_parameters
from bs4 import BeautifulSoup
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import select
from starlette.testclient import TestClient

from domain import portal_clock, sign_in
from domain.audit import AuditEntry
from domain.errors import NotAllowed
from domain.person import Organisation, Person
from domain.session import SignedInSession, SignInAttempt
from domain.sign_in import HASHER, TRIES
from portal.gate import COOKIE, VISITOR_COOKIE
from tests.views.pages import page, title
from views.page import NOBODY
from views.sign_in import local_path

PASSWORD = "five-words-in-a-row"
HASH = HASHER.hash(PASSWORD)


class Visitor(TestClient):
    """A browser of somebody who has not signed in: repeats the token of the last form."""

    def enter(self, login, password=PASSWORD, next_path=None, **fields):
        form = page(self.get("/sign-in", params={"next": next_path} if next_path else None))
        hidden = {each["name"]: each["value"] for each in form.select("form[action='/sign-in'] input[type=hidden]")}
        return self.post("/sign-in", data={**hidden, "login": login, "password": password, **fields}, follow_redirects=False)

    def sign_out(self):
        token = page(self.get("/account")).select_one("form[action='/sign-out'] input[name=csrf_token]")["value"]
        return self.post("/sign-out", data={"csrf_token": token}, follow_redirects=False)


@pytest.fixture
def visitor(app):
    return Visitor(app, base_url="http://testserver")


@pytest.fixture
def officer(person):
    return person("reviewer", district="310118", name="沈怀瑾（样例）", login="shen", password_hash=HASH)


def rows(database, model):
    with database.reading() as session:
        return session.exec(select(model)).all()


def test_an_officer_signs_in_and_comes_to_the_page_that_was_asked_for(visitor, officer):
    first = visitor.get("/account", follow_redirects=False)
    assert first.headers["location"] == "/sign-in?next=%2Faccount"
    answer = visitor.enter("shen", next_path="/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert "沈怀瑾" in title(visitor.get("/account"))


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor, officer):
    cookie = next(each for each in visitor.enter("shen").headers.get_list("set-cookie") if each.startswith(COOKIE))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie


def test_the_session_cookie_is_secure_where_the_portal_is_served_beyond_this_machine(settings, office, database, officer):
    from dataclasses import replace

    from portal.app import create_app

    beyond = create_app(replace(settings, public_url="https://portal.example"), office=office, database=database, run=False)
    answer = Visitor(beyond, base_url="https://testserver").enter("shen")
    assert all("Secure" in each for each in answer.headers.get_list("set-cookie"))
    assert "max-age" in answer.headers["strict-transport-security"]


def test_the_database_never_holds_the_token(visitor, officer, database):
    visitor.enter("shen")
    kept = rows(database, SignedInSession)
    assert visitor.cookies[COOKIE] not in str(kept)


@pytest.mark.parametrize("login, password", [("shen", "wrong-wrong-wrong"), ("nobody", PASSWORD), ("shen", "")])
def test_a_wrong_pair_is_refused_with_one_and_the_same_sentence(visitor, officer, login, password):
    answer = visitor.enter(login, password)
    assert "用户名或口令不对" in page(answer, 422).select_one(".summary").text
    assert COOKIE not in visitor.cookies


def test_after_five_failures_even_the_right_password_waits(visitor, officer, database):
    for _ in range(TRIES):
        visitor.enter("shen", "wrong-wrong-wrong")
    answer = visitor.enter("shen")
    assert "已暂停 10 分钟" in page(answer, 429).select_one(".summary").text
    assert len(rows(database, SignInAttempt)) == TRIES


def test_four_failures_are_forgotten_after_a_success(visitor, officer, database):
    for _ in range(TRIES - 1):
        visitor.enter("shen", "wrong-wrong-wrong")
    assert visitor.enter("shen").status_code == 303
    assert rows(database, SignInAttempt) == []


def test_the_pause_ends_by_itself(visitor, officer, monkeypatch):
    for _ in range(TRIES):
        visitor.enter("shen", "wrong-wrong-wrong")
    real = portal_clock.now
    monkeypatch.setattr(portal_clock, "now", lambda session=None: real(session) + timedelta(minutes=11))
    assert visitor.enter("shen").status_code == 303


def test_a_disabled_account_cannot_sign_in(visitor, officer, database):
    with database.writing() as session:
        session.get(Person, officer.person_id).is_active = False
        session.commit()
    assert "用户名或口令不对" in page(visitor.enter("shen"), 422).text


def test_a_form_without_the_token_is_refused(visitor, officer):
    visitor.get("/sign-in")
    answer = visitor.post("/sign-in", data={"login": "shen", "password": PASSWORD})
    assert answer.status_code == 403
    assert COOKIE not in visitor.cookies


def test_a_token_of_another_visitor_is_refused(visitor, app, officer):
    other = Visitor(app, base_url="http://testserver")
    foreign = page(other.get("/sign-in")).select_one("input[name=csrf_token]")["value"]
    visitor.get("/sign-in")
    assert visitor.post("/sign-in", data={"csrf_token": foreign, "login": "shen", "password": PASSWORD}).status_code == 403
    assert visitor.cookies[VISITOR_COOKIE] != other.cookies[VISITOR_COOKIE]


def test_a_session_planted_before_signing_in_is_worth_nothing(visitor, officer, database):
    visitor.cookies.set(COOKIE, "planted-by-somebody")
    visitor.enter("shen")
    tokens = [cookie.value for cookie in visitor.cookies.jar if cookie.name == COOKIE]
    planted = TestClient(visitor.app, base_url="http://testserver", cookies={COOKIE: "planted-by-somebody"})
    assert planted.get("/account", follow_redirects=False).status_code == 303
    assert set(tokens) - {"planted-by-somebody"}


def test_signing_in_again_ends_the_session_before(visitor, officer, person, database):
    visitor.enter("shen")
    before = visitor.cookies[COOKIE]
    csrf = page(visitor.get("/account")).select_one("input[name=csrf_token]")["value"]
    visitor.post("/sign-in", data={"csrf_token": csrf, "login": "shen", "password": PASSWORD})
    assert visitor.cookies[COOKIE] != before
    assert [row.ended_at is None for row in sorted(rows(database, SignedInSession), key=lambda row: row.id)] == [False, True]


@pytest.mark.parametrize("wanted", [
    "https://evil.example/", "//evil.example", "/\\evil.example", "http:evil.example", "javascript:alert(1)", "account",
    "/account\r\nX: 1", "/sign-out", "///evil.example",
])
def test_an_address_beyond_the_portal_is_never_followed(wanted):
    assert local_path(wanted) == ""


def test_a_local_address_keeps_its_query():
    assert local_path("/administration/people?q=沈&page=2") == "/administration/people?q=沈&page=2"


def test_a_posted_address_beyond_the_portal_leads_home_instead(visitor, officer):
    answer = visitor.enter("shen", next="https://evil.example/")
    assert urlsplit(answer.headers["location"]).netloc == ""


def test_a_session_ends_after_its_time_and_after_lying_idle(visitor, officer, settings, monkeypatch, office):
    visitor.enter("shen")
    real = portal_clock.now
    for later in (timedelta(minutes=settings.session_idle_minutes, seconds=1), timedelta(hours=settings.session_absolute_hours, seconds=1)):
        office.caches.clear()
        monkeypatch.setattr(portal_clock, "now", lambda session=None, later=later: real(session) + later)
        assert visitor.get("/account", follow_redirects=False).status_code == 303


def test_a_session_in_use_does_not_lie_idle(visitor, officer, settings, monkeypatch, office):
    visitor.enter("shen")
    real = portal_clock.now
    for step in range(1, 4):
        office.caches.clear()
        later = timedelta(minutes=step * (settings.session_idle_minutes - 1))
        monkeypatch.setattr(portal_clock, "now", lambda session=None, later=later: real(session) + later)
        assert visitor.get("/account", follow_redirects=False).status_code == 200


def test_a_page_is_shown_though_its_use_cannot_be_noted(visitor, officer, monkeypatch, office, caplog):
    visitor.enter("shen")
    office.caches.clear()
    real, noted = portal_clock.now, []

    def busy(*_arguments):
        noted.append(True)
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr(portal_clock, "now", lambda session=None: real(session) + timedelta(minutes=10))
    monkeypatch.setattr(sign_in, "touch", busy)
    assert visitor.get("/account", follow_redirects=False).status_code == 200
    assert noted and "was not noted" in caplog.text


def test_signing_out_ends_the_session_on_the_server(visitor, officer):
    visitor.enter("shen")
    token = visitor.cookies[COOKIE]
    answer = visitor.sign_out()
    assert answer.headers["location"] == "/sign-out/done"
    again = TestClient(visitor.app, base_url="http://testserver", cookies={COOKIE: token})
    assert again.get("/account", follow_redirects=False).status_code == 303
    assert title(visitor.get("/sign-out/done")) == "已退出门户"


def test_signing_out_needs_the_token(visitor, officer):
    visitor.enter("shen")
    assert visitor.post("/sign-out").status_code == 403
    assert visitor.get("/account").status_code == 200


def test_the_trail_names_who_signed_in(visitor, officer, database):
    visitor.enter("shen")
    entry = next(each for each in rows(database, AuditEntry) if each.command == "session.open")
    assert (entry.person_id, entry.person_name) == (officer.person_id, officer.name)


def test_a_password_that_must_be_changed_leads_there_from_every_page(visitor, person, database):
    person("reviewer", district="310118", login="fresh", password_hash=HASH, must_change_password=True)
    assert visitor.enter("fresh", next_path="/account").headers["location"] == "/account/password"
    assert visitor.get("/account", follow_redirects=False).headers["location"] == "/account/password"
    form = page(visitor.get("/account/password"))
    csrf = form.select_one("input[name=csrf_token]")["value"]
    posted = {"csrf_token": csrf, "old": PASSWORD, "new": "another-long-one-9", "again": "another-long-one-9"}
    assert visitor.post("/account/password", data=posted, follow_redirects=False).status_code == 303
    assert visitor.get("/account", follow_redirects=False).status_code == 200


# Over the identity service


@pytest.fixture
def connected(office, running):
    """An office that reaches the simulators."""
    office.partners = running.partners
    return running


def walk(visitor, account="pipeline", password="sample-2026", next_path=None, button="enter"):
    """Go to the identity service, sign in there as a person does, and give the address it leads back to."""
    away = visitor.get("/sign-in/enterprise", params={"next": next_path} if next_path else None, follow_redirects=False)
    assert away.status_code == 303, away.text
    with httpx.Client(trust_env=False) as browser:
        form = BeautifulSoup(browser.get(away.headers["location"]).text, "html.parser").form
        hidden = {each["name"]: each["value"] for each in form.select("input[type=hidden]")}
        back = browser.post(form["action"], data={**hidden, "account": account, "password": password, button: "1"})
    address = urlsplit(back.headers["location"])
    return address.path, dict(parse_qsl(address.query))


def test_an_enterprise_signs_in_and_its_account_is_made_once(visitor, connected, database):
    for _ in range(2):
        path, query = walk(visitor, next_path="/account")
        answer = visitor.get(path, params=query, follow_redirects=False)
        assert answer.headers["location"] == "/account"
        visitor.sign_out()
    people, organisations = rows(database, Person), rows(database, Organisation)
    assert [(each.name, each.is_applicant, each.subject) for each in people] == [("样例经办甲", True, "sample-enterprise-1")]
    assert [each.credit_code for each in organisations] == ["91310000MA0DEM001P"]


def test_an_answer_is_worth_nothing_in_another_browser(visitor, app, connected):
    path, query = walk(visitor)
    other = Visitor(app, base_url="http://testserver")
    answer = other.get(path, params=query)
    assert answer.status_code == 422 and "没有找到这次登录的凭据" in answer.text
    assert COOKIE not in other.cookies


def test_an_answer_with_a_foreign_state_is_refused(visitor, app, connected):
    walk(visitor)
    other = Visitor(app, base_url="http://testserver")
    path, foreign = walk(other)
    assert visitor.get(path, params=foreign).status_code == 422
    assert COOKIE not in visitor.cookies


def test_an_answer_is_taken_once(visitor, connected):
    path, query = walk(visitor)
    visitor.get(path, params=query, follow_redirects=False)
    visitor.cookies.delete(COOKIE)
    assert visitor.get(path, params=query).status_code == 422


def test_a_kept_attempt_that_was_changed_is_refused(visitor, connected):
    path, query = walk(visitor)
    kept = visitor.cookies["guitu_attempt"]
    visitor.cookies.delete("guitu_attempt")
    visitor.cookies.set("guitu_attempt", ("A" if kept[0] != "A" else "B") + kept[1:])
    answer = visitor.get(path, params=query)
    assert answer.status_code == 422 and "不是本门户签发" in answer.text


def test_a_refused_enterprise_is_told_so_and_gets_no_session(visitor, connected):
    path, query = walk(visitor, button="cancel")
    answer = visitor.get(path, params=query)
    assert "一网通办没有让这次登录通过" in page(answer, 403).text
    assert COOKIE not in visitor.cookies


def test_an_unreachable_identity_service_is_said_plainly(visitor):
    answer = visitor.get("/sign-in/enterprise")
    assert "一网通办现在不能登录" in page(answer, 503).text


def test_signing_out_leads_on_to_the_identity_service(visitor, connected):
    path, query = walk(visitor)
    visitor.get(path, params=query, follow_redirects=False)
    visitor.sign_out()
    left = visitor.get("/sign-out/done")
    assert left.headers["refresh"] == "0; url=/sign-out/enterprise"
    onward = visitor.get("/sign-out/enterprise", follow_redirects=False)
    assert onward.headers["location"].startswith(f"{connected.url}/identity/end-session?id_token_hint=")


def test_a_disabled_applicant_is_told_so_and_gets_no_session(visitor, connected, database):
    path, query = walk(visitor)
    visitor.get(path, params=query, follow_redirects=False)
    visitor.sign_out()
    with database.writing() as session:
        session.exec(select(Person)).one().is_active = False
        session.commit()
    path, query = walk(visitor)
    answer = visitor.get(path, params=query)
    assert answer.status_code == 403 and "已停用" in answer.text


def test_no_transaction_waits_while_a_password_is_checked(visitor, officer, database, monkeypatch):
    """The hash takes a tenth of a second; inside a transaction every other writer on SQLite would wait for it."""
    waiting = []
    verify = HASHER.verify

    def watched(stored, password):
        waiting.append(open_transactions(database))
        return verify(stored, password)

    monkeypatch.setattr(sign_in, "HASHER", SimpleNamespace(verify=watched, check_needs_rehash=HASHER.check_needs_rehash))
    assert visitor.enter("nobody").status_code == 422
    assert visitor.enter("shen").status_code == 303
    assert waiting == [0, 0]


def open_transactions(database):
    """How many transactions of the portal are open at this moment; on SQLite those that write."""
    if database.is_sqlite:
        return int(database._write_lock.locked())
    with database.reading() as session:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in tr%'"
        return session.execute(text(others)).scalar_one()


def test_an_unknown_login_costs_a_hash_of_the_same_parameters():
    """Else the time of the answer would tell which logins there are."""
    ours, nobody = (extract_parameters(each) for each in (HASH, sign_in._NOBODY))
    assert ours == nobody
    check = sign_in.checked("nobody", None, PASSWORD)
    assert not check.matches and check.renewed is None


def test_a_password_changed_between_check_and_session_opens_nothing(officer, database):
    check = sign_in.checked("shen", HASH, PASSWORD)
    with database.writing() as session:
        session.get(Person, officer.person_id).password_hash = HASHER.hash("another-five-words")
        session.commit()
    with database.writing() as session, pytest.raises(NotAllowed):
        sign_in.open_with_password(session, NOBODY, check, address="here", browser="", lasts=timedelta(hours=1))
    assert rows(database, SignedInSession) == []


def test_guesses_sent_at_once_do_not_slip_past_the_pause(visitor, officer, database):
    """A right guess that was checked before the others failed is refused when its session would open."""
    check = sign_in.checked("shen", HASH, PASSWORD)
    for _ in range(TRIES):
        visitor.enter("shen", "wrong-wrong-wrong")
    with database.writing() as session, pytest.raises(sign_in.TooManyTries):
        sign_in.open_with_password(session, NOBODY, check, address="here", browser="", lasts=timedelta(hours=1))


@pytest.fixture
def typing(visitor, officer, database, office):
    """An officer whose session ended elsewhere while a page of the portal stood open."""
    visitor.enter("shen")
    with database.writing() as session:
        for each in session.exec(select(SignedInSession)).all():
            each.ended_at = portal_clock.now()
        session.commit()
    office.caches.clear()
    return visitor


ACT = "/cases/7/tasks/9/act"
FROM_HERE = {"Origin": "http://testserver", "Referer": "http://testserver/cases/7?task=9"}
TYPED = {"_opinion": "同意，<b>请</b>附图", "csrf_token": "x" * 20, "_version": "3", "area": "120.50", "visited": "true"}


def test_what_was_typed_when_the_session_ended_is_shown_to_be_copied(typing):
    answer = typing.post(ACT, data=TYPED, headers=FROM_HERE, follow_redirects=False)
    found = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 401 and "没有生效" in found.h1.text
    assert [each.text for each in found.select("textarea")] == ["同意，<b>请</b>附图", "120.50"]
    assert found.select_one("main a.btn")["href"] == "/sign-in?next=%2Fcases%2F7%3Ftask%3D9"


def test_an_autosave_after_the_session_ended_leaves_the_page_as_it_is_and_says_so(typing):
    headers = {**FROM_HERE, "HX-Request": "true", "HX-Current-URL": "http://testserver/cases/7"}
    answer = typing.post("/cases/7/tasks/9/save", data=TYPED, headers=headers)
    assert answer.status_code == 401 and "hx-redirect" not in answer.headers
    assert "登录已过期" in answer.text and "<html" not in answer.text
    assert 'href="/sign-in?next=%2Fcases%2F7"' in answer.text


def test_what_was_typed_is_kept_too_when_the_cookie_is_gone_after_signing_out_in_another_window(typing):
    typing.cookies.clear()
    answer = typing.post(ACT, data=TYPED, headers=FROM_HERE, follow_redirects=False)
    assert answer.status_code == 401 and "附图" in BeautifulSoup(answer.text, "html.parser").textarea.text
    autosave = {**FROM_HERE, "HX-Request": "true", "HX-Current-URL": "http://testserver/cases/7"}
    kept = typing.post("/cases/7/tasks/9/save", data=TYPED, headers=autosave)
    assert kept.status_code == 401 and "hx-redirect" not in kept.headers and "登录已过期" in kept.text
    strange = typing.post(ACT, data=TYPED, headers={"Origin": "http://evil.example"}, follow_redirects=False)
    assert strange.status_code == 303 and strange.headers["location"].startswith("/sign-in")


def test_a_fragment_asked_for_after_the_session_ended_leads_back_to_its_page(typing):
    answer = typing.get("/desk", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/desk?box=doing"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/sign-in?next=%2Fdesk%3Fbox%3Ddoing")


def test_words_of_another_site_and_passwords_are_not_shown(typing):
    foreign = typing.post(ACT, data=TYPED, headers={"Origin": "http://evil.example"}, follow_redirects=False)
    assert foreign.status_code == 401 and "附图" not in foreign.text and "textarea" not in foreign.text
    secret = {"old": "old-secret-2026", "new": "new-secret-2026", "again": "new-secret-2026"}
    answer = typing.post("/account/password", data=secret, headers=FROM_HERE, follow_redirects=False)
    assert answer.status_code == 401 and "secret" not in answer.text
