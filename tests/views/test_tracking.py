"""Progress, my cases and files: what the applicant sees, and what nobody else does."""

import pytest
from sqlalchemy import event

from domain.case import correction, draft, operations
from domain.document.register import documents_of_case
from tests.domain.case.conftest import PNG, applicant, filing, office, officers, tree_office  # noqa: F401
from tests.views.reading import fields_of, heading, read, words


@pytest.fixture
def client(sign_in, applicant):  # noqa: F811
    return sign_in(applicant)


@pytest.fixture
def accepted(filing, officers):  # noqa: F811
    """A filing that the window has accepted."""
    filing.submitted().act(officers["window"], "window", "accept", "内部意见：材料尚可")
    return filing


def track(filing, *rest):  # noqa: F811
    return "/".join(("/track", filing.case.draft_number, *rest))


def test_the_progress_shows_steps_ruler_public_history_and_papers(client, accepted):
    page = read(client.get(track(accepted)))
    assert heading(page) == "泵站工程"
    assert [words(each) for each in page.select(".steps li")][:3] == ["申报 （已完成）", "收件 （已完成）", "第 3 步 审核"]
    assert page.select_one("svg.ruler-big")["aria-label"].startswith("时限尺：")
    assert [words(each) for each in page.select(".timeline b")] == ["受理", "提交申请"]
    assert "受理通知书" in words(page.select_one("aside[aria-label=办件信息]"))
    text = words(page.main)
    assert "内部意见" not in text and "测绿〔" in text
    assert "window" not in text  # no official by name
    assert page.select_one("a[href$='/withdraw']") is None  # the step in hand does not let it be withdrawn


def test_the_ruler_tells_why_it_stands_still(client, accepted, officers):  # noqa: F811
    accepted.fill(officers["reviewer"], "review", visited="true")
    accepted.do(operations.suspend, officers["reviewer"], accepted.task("review"), "等待专家评审")
    page = read(client.get(track(accepted)))
    assert "办理暂停" in words(page.select_one(".corners"))
    assert "等待专家评审" in words(page.select_one(".timeline li.stop"))


def test_a_refusal_tells_its_reason(client, filing, officers):  # noqa: F811
    filing.submitted().act(officers["window"], "window", "refuse", "不属于本机关职权")
    page = read(client.get(track(filing)))
    assert "不属于本机关职权" in words(page.select_one(".timeline")) and "不予" in words(page.select_one(".corners"))


def test_a_correction_is_the_first_thing_on_the_page(client, accepted, officers, filing):  # noqa: F811
    filing.do(operations.send_back, officers["reviewer"], filing.task("review"), "window", "请收件补正")
    filing.do(correction.ask_correction, officers["window"], filing.task("window"), [{"field": "area", "what": "与图不符"}])
    page = read(client.get(track(filing)))
    assert "补齐 1 项后提交" in words(page.select_one(".corners"))
    assert page.select_one("a[href$='/form/project#area']") is not None
    assert page.find("a", string="去补正")["href"] == f"/filing/{filing.case.draft_number}"


def test_progress_is_found_by_the_number_too(client, accepted):
    assert heading(read(client.get(f"/track/{accepted.case.number}"))) == "泵站工程"


def test_other_people_find_no_progress(accepted, sign_in, person, filing):  # noqa: F811
    other = sign_in(person("applicant", enterprise="别的公司（样例）"))
    assert read(other.get(track(filing)), 404)
    assert read(other.get(f"/track/{filing.case.number}"), 404)
    assert read(other.post(track(filing, "urge")), 404)
    assert read(other.get(track(filing, "withdraw")), 404)
    assert read(other.post(track(filing, "withdraw"), {"opinion": "不办了"}), 404)
    assert filing.case.status == "open"


def test_a_colleague_of_the_enterprise_sees_the_case_but_not_the_draft_in_hand(filing, database, sign_in, person, applicant):  # noqa: F811
    from domain.person import Person, actor_of

    colleague = person("applicant", name="同事")
    with database.writing() as session:
        session.get(Person, colleague.person_id).organisation_id = applicant.organisation_id
        session.commit()
        colleague = actor_of(session, colleague.person_id)
    their = sign_in(colleague)
    assert read(their.post(f"/filing/{filing.case.draft_number}/form/project", {"project_name": "改名"}), 409)
    filing.submitted()
    assert heading(read(their.get(track(filing)))) == "泵站工程"


def test_withdrawing_asks_first_needs_a_reason_and_ends_the_case(client, filing):  # noqa: F811
    filing.submitted()
    page = read(client.get(track(filing, "withdraw")))
    form = page.select_one("form[action$='/withdraw']")
    refused = read(client.post(form["action"], fields_of(form)), 422)
    assert refused.select_one("#error-summary a")["href"] == "#opinion"
    answer = client.post(form["action"], {"opinion": "项目取消"})
    page = read(client.get(answer.headers["location"]))
    assert "申请已撤回" in words(page.select_one("#page-messages")) and filing.case.outcome == "withdrawn"
    assert read(client.post(form["action"], {"opinion": "再来一次"}), 409)


def test_what_is_past_its_window_is_not_withdrawn(client, accepted):
    assert read(client.get(track(accepted, "withdraw")), 409)
    assert read(client.post(track(accepted, "withdraw"), {"opinion": "不办了"}), 409)
    assert accepted.case.status == "open"


def test_urging_is_possible_once_a_day(client, filing):  # noqa: F811
    filing.submitted()
    answer = client.post(track(filing, "urge"))
    assert "已催办" in words(read(client.get(answer.headers["location"])).select_one("#page-messages"))
    assert read(client.post(track(filing, "urge")), 409)


def test_my_cases_show_what_waits_first(client, filing, applicant, database):  # noqa: F811
    filing.submitted()
    with database.writing() as session:
        second = draft.open_draft(session, applicant, "tree_permit").draft_number
    page = read(client.get("/my/cases"))
    assert heading(page) == "有1件等你处理"
    assert page.select_one("section[aria-labelledby=todos] a")["href"] == f"/filing/{second}"
    rows = {words(each.a): words(each.select_one("td[data-label=状态]")) for each in page.select("tbody tr")}
    assert rows == {"泵站工程": "在办", "未命名的占绿许可": "草稿"}


@pytest.mark.parametrize(("query", "count"), [
    ({"q": "泵站"}, 1), ({"q": "没有这个"}, 0), ({"status": "open"}, 1), ({"status": "draft"}, 0), ({"sort": "title"}, 1),
])
def test_my_cases_are_searched_filtered_and_sorted(client, filing, query, count):  # noqa: F811
    filing.submitted()
    assert len(read(client.get("/my/cases", params=query)).select("tbody tr a")) == count


@pytest.mark.parametrize("query", [{"sort": "secret"}, {"status": "x"}, {"q": "，。"}, {"after": "9.nothing"}, {"after": "x."}])
def test_a_list_that_cannot_be_made_says_so(client, filing, query):  # noqa: F811
    page = read(client.get("/my/cases", params=query), 200 if "q" in query else 422)
    assert words(page.select_one(".notice.bad"))


def test_my_cases_are_paged(client, applicant, database, monkeypatch):  # noqa: F811
    from domain.case import inbox

    monkeypatch.setattr(inbox, "PAGE_ROWS", 2)
    with database.writing() as session:
        codes = [draft.open_draft(session, applicant, "tree_permit").draft_number for _each in range(5)]
    seen, address = [], "/my/cases"
    while address:
        page = read(client.get(address))
        seen += [each["href"].rpartition("/")[2] for each in page.select("tbody a")]
        following = page.select_one("a[rel=next]")
        address = following["href"] if following else None
    assert seen == list(reversed(codes))


@pytest.mark.parametrize("path", ["/my/cases", "/track/{code}", "/filing/{code}", "/filing/{code}/materials"])
def test_a_page_costs_a_fixed_number_of_queries(client, filing, applicant, database, path):  # noqa: F811
    path = path.format(code=filing.case.draft_number)
    if "track" in path:
        filing.submitted()
    before = statements(database, lambda: read(client.get(path)))
    with database.writing() as session:
        for _each in range(6):
            draft.open_draft(session, applicant, "tree_permit")
    for _each in range(3):
        filing.attach("photo")
    after = statements(database, lambda: read(client.get(path)))
    assert after <= before <= (6 if path == "/my/cases" else 15)


def statements(database, act):
    seen = []

    def count(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    act()  # what is remembered between requests is remembered now
    event.listen(database.engine, "before_cursor_execute", count)
    try:
        act()
    finally:
        event.remove(database.engine, "before_cursor_execute", count)
    return len([each for each in seen if each.lstrip().upper().startswith(("SELECT", "WITH"))])


def paper_of(filing):  # noqa: F811
    with filing.database.reading() as session:
        return next(document for document, _version in documents_of_case(session, filing.id) if document.key == "acceptance")


def material_of(filing):  # noqa: F811
    from sqlmodel import select

    from domain.case.tables import Material

    with filing.database.reading() as session:
        return session.exec(select(Material).where(Material.case_id == filing.id)).first()


def test_files_are_handed_out_as_they_are_under_their_own_name(client, accepted):
    answer = client.get(f"/files/materials/{material_of(accepted).id}")
    assert answer.content == PNG and answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == "attachment; filename=\"plan.png\"; filename*=UTF-8''plan.png"
    assert answer.headers["x-content-type-options"] == "nosniff" and "sandbox" in answer.headers["content-security-policy"]
    paper = client.get(f"/files/documents/{paper_of(accepted).id}")
    assert paper.content.startswith(b"%PDF-")
    assert "filename*=UTF-8''%E5%8F%97%E7%90%86" in paper.headers["content-disposition"]
    assert client.get(f"/files/documents/{paper_of(accepted).id}?show").headers["content-disposition"].startswith("inline")


def test_guessing_the_address_of_a_file_finds_nothing(accepted, sign_in, person, app):
    files = (f"/files/materials/{material_of(accepted).id}", f"/files/documents/{paper_of(accepted).id}")
    strangers = (person("applicant", enterprise="别的公司（样例）"), person("window", district="310115"), person("system_admin"))
    for stranger in strangers:
        client = sign_in(stranger)
        assert [client.get(path).status_code for path in files] == [404, 404]
    own_office = sign_in(person("reviewer", district="310118"))
    assert [own_office.get(path).status_code for path in files] == [200, 200]
    assert read(own_office.get("/files/materials/999999"), 404)
    assert read(own_office.get(f"{files[1]}?version=9"), 404)


def test_a_paper_that_is_not_public_is_not_for_the_applicant(client, accepted, database):
    paper = paper_of(accepted)
    with database.writing() as session:
        session.get(type(paper), paper.id).is_public = False
        session.commit()
    assert read(client.get(f"/files/documents/{paper.id}"), 404)
    assert "受理通知书 测受" not in words(read(client.get(track(accepted))).main)


def test_a_signed_out_visitor_is_led_to_the_entrance(app, accepted):
    from starlette.testclient import TestClient

    visitor = TestClient(app, base_url="http://testserver", follow_redirects=False)
    for path in (track(accepted), "/my/cases", f"/files/materials/{material_of(accepted).id}"):
        assert visitor.get(path).headers["location"].startswith("/sign-in?next=")


def test_a_notice_leads_to_what_is_to_be_done(client, filing, officers, sign_in, person):  # noqa: F811
    filing.submitted()
    address, code = f"/my/cases/{filing.id}", filing.case.draft_number
    assert client.get(address, follow_redirects=False).headers["location"] == f"/track/{code}"
    filing.do(correction.ask_correction, officers["window"], filing.task("window"), [{"field": "area", "what": "与图不符"}])
    assert client.get(address, follow_redirects=False).headers["location"] == f"/filing/{code}"
    assert read(sign_in(person("applicant", enterprise="别的公司（样例）")).get(address), 404)
