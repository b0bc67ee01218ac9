"""Administration: who may do what to whom, accounts, roles, organisations, calendar, jobs, the trail."""

import io
import json
from datetime import timedelta

import pytest
from sqlmodel import select

from domain import audit, portal_clock
from domain.audit import AuditEntry
from domain.calendar_table import CalendarRevision, calendar_of
from domain.job import Job
from domain.person import Organisation, Person, RoleGrant
from domain.person_administration import new_password
from domain.session import SignedInSession
from domain.sign_in import HASHER
from portal.areas.administration import PAGES
from tests.views.pages import cells, faults, page, title


@pytest.fixture
def keeper(person, sign_in):
    return sign_in(person("system_admin", name="系统管理员甲", login="keeper"))


@pytest.fixture
def security(person, sign_in):
    return sign_in(person("security_admin", name="安全管理员甲", login="security"))


@pytest.fixture
def auditor(person, sign_in):
    return sign_in(person("audit_admin", name="审计管理员甲", login="auditor"))


@pytest.fixture
def officer(person):
    return person("reviewer", district="310118", name="沈怀瑾", login="shen", password_hash=HASHER.hash(new_password()))


@pytest.fixture
def bureau(database):
    with database.writing() as session:
        row = Organisation(name="某规划资源局", kind="district", district_code="310118")
        session.add(row)
        session.commit()
        return row.id


def row(database, model, row_id):
    with database.reading() as session:
        return session.get(model, row_id)


def all_rows(database, model):
    with database.reading() as session:
        return session.exec(select(model).order_by(model.id)).all()


OPEN_PAGES = [each for each in PAGES if "GET" in each.methods and "{" not in each.path]


@pytest.mark.parametrize("each", OPEN_PAGES, ids=lambda each: each.name)
def test_every_page_opens_for_its_administrators_and_for_nobody_else(each, keeper, security, auditor, person, sign_in):
    browsers = {"system_admin": keeper, "security_admin": security, "audit_admin": auditor,
                "reviewer": sign_in(person("reviewer", district="310118")), "applicant": sign_in(person("applicant", enterprise="某公司"))}
    for role, browser in browsers.items():
        answer = browser.get(each.path)
        assert page(answer, 200 if role in each.access.roles else 403), role


def test_a_visitor_is_led_to_sign_in(app, sign_in):
    from starlette.testclient import TestClient

    answer = TestClient(app, base_url="http://testserver").get("/administration/people", follow_redirects=False)
    assert answer.headers["location"] == "/sign-in?next=%2Fadministration%2Fpeople"


@pytest.mark.parametrize("path", [
    "/administration/people/999", "/administration/organisations/999", "/administration/dictionaries/nothing",
    "/administration/dictionaries/return_reason/entries/nothing", "/administration/parameters/nothing",
    "/administration/template-files/nothing", "/administration/jobs/999", "/administration/calendar/revisions/999",
    "/administration/calendar?year=1999",
])
def test_what_is_not_there_is_not_found(keeper, path):
    assert keeper.get(path).status_code == 404


def test_a_change_without_the_token_is_refused(keeper, officer, database):
    answer = keeper.post(f"/administration/people/{officer.person_id}/disable", {"csrf_token": "", "disable_reason": "调离", "version": 1})
    assert answer.status_code == 403
    assert row(database, Person, officer.person_id).is_active


def test_an_account_is_made_with_a_password_shown_once_and_to_be_changed(keeper, bureau, database):
    answer = keeper.post("/administration/people/new", {"login": "lu.ming", "name": "陆明远", "organisation_id": bureau})
    password = page(answer).select_one("#password-once").text
    made = next(each for each in all_rows(database, Person) if each.login == "lu.ming")
    assert HASHER.verify(made.password_hash, password) and made.must_change_password
    assert answer.headers["cache-control"] == "no-store"
    assert password not in "".join(audit.canonical_text(each.detail) for each in all_rows(database, AuditEntry))


@pytest.mark.parametrize("change, words", [
    ({"login": "keeper"}, "这个登录名已有人使用"), ({"login": "Lu Ming"}, "登录名用 3 到 40 位"), ({"name": "陆"}, "姓名要写 2 到 40 字"),
    ({"organisation_id": ""}, "请选择在用的单位"),
])
def test_a_faulty_account_is_refused_at_its_field(keeper, bureau, change, words):
    answer = keeper.post("/administration/people/new", {"login": "lu.ming", "name": "陆明远", "organisation_id": bureau, **change})
    assert [each for each in faults(answer) if words in each]


def test_a_disabled_account_loses_access_at_once(keeper, officer, sign_in):
    browser = sign_in(officer)
    assert browser.get("/account").status_code == 200
    answer = keeper.post(f"/administration/people/{officer.person_id}/disable", {"disable_reason": "调离", "version": 1})
    assert answer.status_code == 303
    assert browser.get("/account", follow_redirects=False).status_code == 303


def test_disabling_needs_a_reason_and_the_version_that_was_seen(keeper, officer):
    path = f"/administration/people/{officer.person_id}/disable"
    assert faults(keeper.post(path, {"disable_reason": " ", "version": 1})) == ["请写明停用原因"]
    assert keeper.post(path, {"disable_reason": "调离", "version": 7}).status_code == 409


def test_nobody_disables_himself_or_the_last_of_the_administrators(keeper, auditor, database):
    people = {each.login: each for each in all_rows(database, Person)}
    own = keeper.post(f"/administration/people/{people['keeper'].id}/disable", {"disable_reason": "试", "version": 1})
    last = keeper.post(f"/administration/people/{people['auditor'].id}/disable", {"disable_reason": "试", "version": 1})
    assert (own.status_code, last.status_code) == (403, 409)


def test_a_role_is_given_with_scope_and_end_and_holds_at_once(security, officer, database, sign_in):
    until = portal_clock.today() + timedelta(days=10)
    answer = security.post(f"/administration/people/{officer.person_id}/roles",
                           {"role": "window", "district_code": "310118", "role_until_on": until.isoformat()})
    assert answer.status_code == 303
    assert "收件" in cells(sign_in(officer).get("/account"), "岗位")
    given = all_rows(database, RoleGrant)[-1]
    assert (given.role, given.district_code, portal_clock.local_date(given.until_at - timedelta(seconds=1))) == ("window", "310118", until)


@pytest.mark.parametrize("given, words", [
    ({"role": ""}, "请选择岗位"), ({"role": "applicant"}, "请选择岗位"), ({"role": "district_handler"}, "要写明所在区"),
    ({"role": "city_handler", "district_code": "310118"}, "面向全市"), ({"role": "window", "district_code": "999999"}, "没有这个区"),
    ({"role": "town_inspector", "district_code": "310118"}, "要写明街镇"),
    ({"role": "window", "district_code": "310118", "role_until_on": "2020-01-01"}, "不能早于今天"),
])
def test_a_role_with_a_wrong_scope_or_end_is_refused(security, officer, given, words):
    answer = security.post(f"/administration/people/{officer.person_id}/roles", given)
    assert [each for each in faults(answer) if words in each]


def test_the_security_administrator_gives_nothing_to_himself_and_takes_nothing_from_himself(security, database):
    own = next(each for each in all_rows(database, Person) if each.login == "security")
    grant = next(each for each in all_rows(database, RoleGrant) if each.person_id == own.id)
    assert security.post(f"/administration/people/{own.id}/roles", {"role": "city_handler"}).status_code == 403
    assert security.post(f"/administration/roles/{grant.id}/revoke", {"reason": "试"}).status_code == 403
    assert row(database, RoleGrant, grant.id).until_at is None


@pytest.mark.parametrize("wanted", ["system_admin", "audit_admin", "window"])
def test_the_three_administrators_are_three_people_without_cases(security, person, wanted):
    administrator = person("security_admin")
    answer = security.post(f"/administration/people/{administrator.person_id}/roles", {"role": wanted})
    assert answer.status_code == 403 and "三类管理员须由不同的人担任" in answer.text


def test_roles_are_given_to_active_officials_only_and_once(security, person, officer):
    applicant = person("applicant", enterprise="某公司")
    path = "/administration/people/{}/roles"
    assert security.post(path.format(applicant.person_id), {"role": "city_handler"}).status_code == 403
    again = {"role": "reviewer", "district_code": "310118"}
    assert security.post(path.format(officer.person_id), again).status_code == 409


def test_the_system_administrator_gives_no_roles(keeper, officer):
    assert keeper.post(f"/administration/people/{officer.person_id}/roles", {"role": "city_handler"}).status_code == 403


def test_a_role_that_is_taken_is_gone_at_once_and_stays_in_the_history(security, officer, database, sign_in):
    grant, browser = all_rows(database, RoleGrant)[-1], sign_in(officer)
    assert "审理" in cells(browser.get("/account"), "岗位")
    path = f"/administration/roles/{grant.id}/revoke"
    assert title(security.get(path)).startswith("收回沈怀瑾")
    assert faults(security.post(path, {"reason": ""})) == ["请写明收回原因"]
    assert security.post(path, {"reason": "轮岗"}).status_code == 303
    assert cells(browser.get("/account"), "岗位") == []
    assert "已结束" in cells(security.get(f"/administration/people/{officer.person_id}"), "状态")
    assert security.post(path, {"reason": "轮岗"}).status_code == 409


def test_a_new_password_ends_the_sessions_and_must_be_changed(keeper, officer, database, sign_in):
    browser = sign_in(officer)
    answer = keeper.post(f"/administration/people/{officer.person_id}/password")
    password = page(answer).select_one("#password-once").text
    kept = row(database, Person, officer.person_id)
    assert HASHER.verify(kept.password_hash, password) and kept.must_change_password
    assert browser.get("/account", follow_redirects=False).headers["location"].startswith("/sign-in")


def test_no_administrator_can_become_another_by_a_new_password(keeper, security, officer, database):
    people = {each.login: each.id for each in all_rows(database, Person)}
    path = "/administration/people/{}/password"
    assert keeper.post(path.format(people["security"])).status_code == 403
    assert keeper.post(path.format(people["keeper"])).status_code == 403
    assert security.post(path.format(officer.person_id)).status_code == 403
    assert security.post(path.format(people["keeper"])).status_code == 200


def test_the_security_administrator_ends_sessions_and_lifts_a_pause(security, officer, sign_in, database):
    browser = sign_in(officer)
    assert security.post(f"/administration/people/{officer.person_id}/sessions").status_code == 303
    assert browser.get("/account", follow_redirects=False).status_code == 303
    assert security.post(f"/administration/people/{officer.person_id}/unlock").status_code == 303
    ended = [each for each in all_rows(database, SignedInSession) if each.person_id == officer.person_id]
    assert all(each.ended_at for each in ended)


def test_one_ends_only_sessions_of_ones_own(officer, person, sign_in, database):
    other = sign_in(person("window", district="310118"))
    sign_in(officer)
    foreign = next(each for each in all_rows(database, SignedInSession) if each.person_id == officer.person_id)
    assert other.post(f"/account/sessions/{foreign.id}/end").status_code == 404


@pytest.mark.parametrize("query, names", [
    ("q=沈", ["沈怀瑾"]), ("q=SHEN", ["沈怀瑾"]), ("role=reviewer", ["沈怀瑾"]), ("role=window", []), ("state=disabled", []), ("q=%25", []),
])
def test_accounts_are_found_by_name_login_role_and_state(keeper, officer, query, names):
    assert cells(keeper.get(f"/administration/people?{query}"), "姓名") == names


def test_an_organisation_is_made_changed_and_retired(keeper, database):
    given = {"name": "青浦区局", "kind": "district", "district_code": "310118"}
    assert keeper.post("/administration/organisations/new", given).status_code == 303
    made = all_rows(database, Organisation)[-1]
    path = f"/administration/organisations/{made.id}"
    assert keeper.post(path, {**given, "name": "青浦区规划资源局", "version": 1}).status_code == 303
    assert keeper.post(path, {**given, "name": "又改", "version": 1}).status_code == 409
    assert faults(keeper.post(path, {**given, "parent_id": made.id, "version": 2})) == ["上级单位不能是自己或自己的下级"]
    assert keeper.post(f"{path}/active", {"is_active": "0", "version": 2}).status_code == 303
    assert (row(database, Organisation, made.id).name, row(database, Organisation, made.id).is_active) == ("青浦区规划资源局", False)


def test_an_organisation_with_people_stays(keeper, bureau):
    given = {"login": "lu.ming", "name": "陆明远", "organisation_id": bureau}
    keeper.post("/administration/people/new", given)
    answer = keeper.post(f"/administration/organisations/{bureau}/active", {"is_active": "0", "version": 1})
    assert answer.status_code == 409 and "还有 1 个在用账号" in answer.text


def test_a_corrected_day_is_in_force_and_queues_the_recomputation(keeper, database):
    given = {"day": "2026-11-25", "is_working": "0", "name": "台风停工", "reason": "市政府通告"}
    assert keeper.post("/administration/calendar/day", given).status_code == 303
    with database.reading() as session:
        assert calendar_of(session).special_day(portal_clock.date(2026, 11, 25)).name == "台风停工"
        assert session.exec(select(Job).where(Job.kind == "sweep_clocks")).one().status == "queued"
        revision = session.exec(select(CalendarRevision)).one()
    assert "台风停工" in title(keeper.get(f"/administration/calendar/revisions/{revision.id}"))
    assert faults(keeper.post("/administration/calendar/day", {**given, "day": "2026-11-26", "reason": ""})) == ["请写明依据或原因"]


@pytest.mark.parametrize("content, words", [
    (b"not json", "文件不是 JSON"), (b"[]", "内容不是一年的表"), (b'{"year": 2027, "papers": []}', "缺少 days"),
])
def test_a_faulty_table_of_a_year_is_refused(keeper, content, words):
    answer = keeper.post("/administration/calendar/table", {"year": 2027, "load_reason": "国务院通知"}, files={"table": ("2027.json", io.BytesIO(content))})
    assert [each for each in faults(answer) if words in each]


def test_the_table_of_a_new_year_makes_it_official(keeper, database):
    table = {"year": 2027, "papers": ["国办发明电（样例）"], "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": True}]}
    answer = keeper.post("/administration/calendar/table", {"year": 2027, "load_reason": "国务院通知"},
                         files={"table": ("2027.json", io.BytesIO(json.dumps(table).encode()))})
    assert answer.status_code == 303
    assert title(keeper.get("/administration/calendar?year=2027")) == "2027 年的工作日历是正式的"


def test_a_parameter_is_changed_within_its_limits(keeper):
    path = "/administration/parameters/rule_draft_lock_minutes"
    assert keeper.post(path, {"value": "20", "version": 0}).status_code == 303
    assert "20 分钟" in cells(keeper.get("/administration/parameters"), "现值")
    assert keeper.post(path, {"value": "0", "version": 1}).status_code == 422
    assert keeper.post(path, {"value": "30", "version": 0}).status_code == 409
    assert faults(keeper.post(path, {"value": "两周", "version": 1})) == ["应是整数，不小于 1 分钟，不大于 480 分钟"]


def test_every_job_and_every_duty_has_a_name_for_people(database, office):
    import domain.job_handlers  # noqa: F401  (registers the handlers)
    from domain.job import JOB_HANDLERS
    from domain.ports.partner import PARTNERS
    from portal.runner import Runner
    from views.administration.jobs import KINDS
    from views.administration.overview import DUTIES

    shipped = {kind for kind, handler in JOB_HANDLERS.items() if handler.run.__module__.startswith("domain.")}
    assert shipped and shipped <= KINDS.keys()
    duties = {duty.name for duty in Runner(database, office)._duties()}
    assert "rules" in duties and {name for name in duties if name.removeprefix("outbox-") not in PARTNERS} <= DUTIES.keys()


def test_a_code_is_added_and_retired(keeper):
    path = "/administration/dictionaries/return_reason"
    assert keeper.post(f"{path}/entries", {"value": "unclear", "label": "表述不清"}).status_code == 303
    assert faults(keeper.post(f"{path}/entries", {"value": "不行", "label": "另一个"})) == ["只能用字母、数字和下划线"]
    assert keeper.post(f"{path}/entries/unclear/retire", {"version": 1, "on": portal_clock.today().isoformat()}).status_code == 303
    assert "停用" in " ".join(cells(keeper.get(path), "状态"))


def test_the_demo_date_moves_forward_only_and_stands_on_every_page(keeper):
    ahead = portal_clock.today() + timedelta(days=30)
    assert keeper.post("/administration/demo-date", {"to": ahead.isoformat()}).status_code == 303
    assert f"{ahead.year} 年 {ahead.month} 月 {ahead.day} 日" in page(keeper.get("/account")).select_one(".banner").text
    assert faults(keeper.post("/administration/demo-date", {"to": portal_clock.today().isoformat()})) == ["须晚于门户日期"]


def test_a_database_that_is_no_demo_has_no_demo_date(keeper, office):
    office.is_demo = False
    assert keeper.get("/administration/demo-date").status_code == 404


def test_the_trail_is_searched_shown_and_paged(auditor, keeper, officer):
    keeper.post(f"/administration/people/{officer.person_id}/disable", {"disable_reason": "调离", "version": 1})
    answer = auditor.get("/audit?command=person.disable")
    assert cells(answer, "人员") == ["系统管理员甲"]
    link = page(answer).select_one('td[data-label="编号"] a')["href"]
    assert "内容与摘要一致" in title(auditor.get(link))
    assert cells(auditor.get("/audit?subject=person:99999"), "编号") == []
    assert auditor.get("/audit?from_on=morgen").status_code == 422
    assert auditor.get("/audit/999999").status_code == 404


def test_the_trail_is_verified_and_exported_by_jobs(auditor, database, office):
    from openpyxl import load_workbook

    from portal.runner import Runner

    assert auditor.post("/audit/verify").status_code == 303
    assert auditor.post("/audit/export", {"command": "session."}).status_code == 303
    runner = Runner(database, office)
    while runner._work_at_job():
        pass
    verification, export = all_rows(database, Job)
    assert (verification.status, verification.result["ok"], export.status) == ("done", True, "done"), export.fault
    sheet = load_workbook(io.BytesIO(office.files.read_bytes(export.result_file))).active
    commands = [line[5] for line in sheet.iter_rows(min_row=2, values_only=True)]
    assert commands and all(each.startswith("session.") for each in commands)
    assert "留痕链完整" in auditor.get("/audit").text


def test_the_command_line_names_the_first_broken_link(keeper, database, settings, capsys, monkeypatch):
    from sqlalchemy import text

    from portal import audit as command_line

    keeper.post("/administration/parameters/rule_draft_lock_minutes", {"value": "20", "version": 0})
    files = settings.var_dir / "files"
    assert command_line.verified(database.url, files).is_intact
    with database.writing() as session:
        session.execute(text("UPDATE audit_entry SET person_name = 'x' WHERE id = 2"))
        session.commit()
    assert (command_line.verified(database.url, files).checked, command_line.verified(database.url, files).first_fault) == (1, 2)


def test_health_and_metrics_are_open_and_name_nobody(app, officer, keeper):
    from starlette.testclient import TestClient

    visitor = TestClient(app, base_url="http://testserver")
    health = visitor.get("/healthz").json()
    assert health["status"] == "pass" and {"database", "jobs", "rules", "partners"} <= health.keys()
    lines = visitor.get("/metrics").text.splitlines()
    assert "guitu_sessions 1" in lines
    assert not any(name in visitor.get("/metrics").text for name in ("shen", "沈怀瑾", "keeper"))
