"""The case page as an official sees it: tabs, step form, refusals with reasons, materials, repeated decisions, rules."""

import pytest
from bs4 import BeautifulSoup
from sqlmodel import select

from domain.case.tables import CaseLink, Material, StoredDecision
from domain.portal_clock import now
from tests.domain.case.conftest import (  # noqa: F401
    PNG,
    Filing,
    applicant,
    filing,
    office,
    officers,
    tree_office,
)
from tests.views.test_desk import counted
from views.case_head import TABS

# The gate asks a demo database for its date; the page itself may ask fifteen times.
MOST_STATEMENTS = 16


def soup(response):
    return BeautifulSoup(response.text, "html.parser")


def path_of(case_id, tab):
    return f"/cases/{case_id}" if tab == "work" else f"/cases/{case_id}/tabs/{tab}"


@pytest.fixture
def accepted(filing, officers):  # noqa: F811
    """A case in the hands of the reviewer."""
    filing.submitted()
    filing.act(officers["window"], "window", "accept")
    return filing


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_is_a_page_of_its_own_within_the_limit_of_statements(accepted, officers, sign_in, database, tab):  # noqa: F811
    browser = sign_in(officers["reviewer"])
    browser.get("/rules")
    with counted(database) as statements:
        response = browser.get(path_of(accepted.id, tab))
    assert response.status_code == 200
    page = soup(response)
    assert page.h1.text == "泵站工程"
    assert page.select_one(".tabs [aria-current=page]").text.startswith(TABS[tab])
    assert len(statements) <= MOST_STATEMENTS


def test_a_case_of_another_district_is_not_there(filing, person, sign_in):  # noqa: F811
    filing.submitted()
    stranger = sign_in(person("window", district="310115"))
    for tab in TABS:
        assert stranger.get(path_of(filing.id, tab)).status_code == 404
    task = filing.task("window")
    assert stranger.post(f"/cases/{filing.id}/tasks/{task}/claim").status_code == 404
    assert stranger.get(f"/cases/{filing.id}/tasks/{task}/do/transfer").status_code == 404
    assert stranger.get(f"/cases/{filing.id}/do/urge").status_code == 404
    assert filing.case.status == "open"


def test_an_unknown_tab_or_case_is_not_found(filing, officers, sign_in):  # noqa: F811
    filing.submitted()
    browser = sign_in(officers["window"])
    assert browser.get(f"/cases/{filing.id}/tabs/secrets").status_code == 404
    assert browser.get("/cases/999999").status_code == 404


def test_a_free_task_offers_to_be_claimed_and_then_the_form_of_the_step(accepted, officers, sign_in):  # noqa: F811
    browser = sign_in(officers["reviewer"])
    page = soup(browser.get(f"/cases/{accepted.id}"))
    assert page.select_one("main form .btn-main").text == "认领"
    browser.post(f"/cases/{accepted.id}/tasks/{accepted.task('review')}/claim")
    page = soup(browser.get(f"/cases/{accepted.id}"))
    assert [each.text for each in page.select("button[name=_action]")] == ["送会办", "按面积分流"]
    assert page.select_one("[name=visited]") is not None
    assert page.select_one("[name=project_name]") is None


def test_the_clock_and_its_story_are_on_the_page(accepted, officers, sign_in):  # noqa: F811
    page = soup(sign_in(officers["reviewer"]).get(f"/cases/{accepted.id}"))
    assert "承诺 10 个工作日" in page.select_one("svg.ruler-big")["aria-label"]
    assert page.select_one(".light").text == "剩 10 日"


def test_saving_keeps_what_was_typed_and_says_when(accepted, officers, sign_in):  # noqa: F811
    browser, task = sign_in(officers["reviewer"]), accepted.task("review")
    fields = {"visited": "true", "_opinion": "已踏勘", "_version": str(accepted.case.version)}
    saved = browser.post(f"/cases/{accepted.id}/tasks/{task}/save", fields, headers={"HX-Request": "true"})
    assert saved.status_code == 200
    assert soup(saved).select_one("[data-autosave=saved]") is not None
    assert accepted.case.values["visited"] is True
    assert soup(saved).select_one("#case-form-version")["value"] == str(accepted.case.version)
    page = soup(browser.get(f"/cases/{accepted.id}"))
    assert page.select_one("textarea[name=_opinion]").text.strip() == "已踏勘"


def test_a_form_that_is_older_than_the_case_does_not_overwrite_it(accepted, officers, sign_in):  # noqa: F811
    browser, task, stale = sign_in(officers["reviewer"]), accepted.task("review"), str(accepted.case.version)
    address = f"/cases/{accepted.id}/tasks/{task}/save"
    browser.post(address, {"visited": "true", "_version": stale})
    second = browser.post(address, {"visited": "false", "_version": stale})
    assert second.status_code == 409
    assert "没有覆盖" in second.text
    assert accepted.case.values["visited"] is True
    quiet = browser.post(address, {"visited": "false", "_version": stale}, headers={"HX-Request": "true"})
    assert "没有保存" in soup(quiet).select_one("[data-autosave=refused]").text


def test_an_incomplete_step_comes_back_with_its_faults_and_what_was_typed(accepted, officers, sign_in):  # noqa: F811
    browser, task = sign_in(officers["reviewer"]), accepted.task("review")
    refused = browser.post(f"/cases/{accepted.id}/tasks/{task}/act", {"_action": "pass", "_opinion": "拟同意"})
    assert refused.status_code == 422
    page = soup(refused)
    assert page.select_one(".summary a")["href"] == "#visited"
    assert page.select_one("textarea[name=_opinion]").text.strip() == "拟同意"
    assert accepted.case.steps == "review"


def test_a_missing_opinion_is_asked_for_at_its_field(accepted, officers, sign_in):  # noqa: F811
    browser, task = sign_in(officers["reviewer"]), accepted.task("review")
    refused = browser.post(f"/cases/{accepted.id}/tasks/{task}/act", {"_action": "pass", "visited": "true", "_opinion": " "})
    assert refused.status_code == 422
    assert "请填写意见" in soup(refused).select_one("#_opinion-error").text


def test_an_action_moves_the_case_and_a_second_click_does_no_harm(accepted, officers, sign_in):  # noqa: F811
    browser, task = sign_in(officers["reviewer"]), accepted.task("review")
    fields = {"_action": "pass", "visited": "true", "_opinion": "同意"}
    assert browser.post(f"/cases/{accepted.id}/tasks/{task}/act", fields).status_code == 303
    again = browser.post(f"/cases/{accepted.id}/tasks/{task}/act", fields)
    assert again.status_code == 409
    assert "已由reviewer办理完毕" in again.text
    assert accepted.case.steps == "garden,traffic"


def test_a_stale_task_is_refused_and_nothing_moves(accepted, officers, sign_in):  # noqa: F811
    browser, task = sign_in(officers["reviewer"]), accepted.task("review")
    browser.post(f"/cases/{accepted.id}/tasks/{task}/claim")
    fields = {"_action": "pass", "visited": "true", "_opinion": "同意", "_task_version": "1"}
    refused = browser.post(f"/cases/{accepted.id}/tasks/{task}/act", fields)
    assert refused.status_code == 409
    assert accepted.case.steps == "review"


def test_the_full_history_says_who_how_long_and_to_whom(accepted, officers, sign_in):  # noqa: F811
    page = soup(sign_in(officers["reviewer"]).get(f"/cases/{accepted.id}/tabs/opinions"))
    rows = [[cell.text for cell in row.select("td")] for row in page.select("tbody tr")]
    assert [row[2] for row in rows] == ["受理", "提交申请", "新建草稿"]
    accepted_row = rows[0]
    assert accepted_row[1] == "收件" and accepted_row[3] == "window" and accepted_row[6] == "审核"
    assert "分钟" in accepted_row[4]


def test_a_kept_decision_shows_both_sides_and_gives_the_same_answer_again(accepted, officers, sign_in, database):  # noqa: F811
    browser = sign_in(officers["reviewer"])
    page = soup(browser.get(f"/cases/{accepted.id}/tabs/decisions"))
    words = page.select_one(".why").text
    assert "120.50" in words and "1,000.00" in words and "通过" in words
    assert page.select_one(".why a")["href"] == "/rules/tree_limit"
    with database.reading() as session:
        kept = session.exec(select(StoredDecision)).one()
    again = soup(browser.get(f"/cases/{accepted.id}/decisions/{kept.id}"))
    assert again.h1.text.startswith("重算一致")
    assert len(again.select(".why")) == 2
    assert browser.get(f"/cases/{accepted.id}/decisions/{kept.id + 1}").status_code == 404


def test_a_decision_of_an_edition_that_is_gone_says_so(accepted, officers, sign_in, database):  # noqa: F811
    with database.writing() as session:
        kept = session.exec(select(StoredDecision)).one()
        kept.digest = "0" * 64
        session.commit()
    page = soup(sign_in(officers["reviewer"]).get(f"/cases/{accepted.id}/decisions/{kept.id}"))
    assert page.h1.text.startswith("不能重算")


def test_materials_are_added_at_their_step_and_wrong_ones_refused_by_name(accepted, officers, sign_in, database):  # noqa: F811
    browser = sign_in(officers["reviewer"])
    browser.post(f"/cases/{accepted.id}/tasks/{accepted.task('review')}/claim")
    address = f"/cases/{accepted.id}/materials/photo"
    sent = browser.post(address, files={"file": ("现场.png", PNG, "image/png")})
    assert sent.status_code == 303
    wrong = browser.post(address, files={"file": ("现场.png", b"MZ not a picture", "image/png")})
    assert wrong.status_code == 422
    assert soup(wrong).select_one(".summary a")["href"] == "#material-photo"
    empty = browser.post(address, files={"file": ("", b"", "application/octet-stream")})
    assert "没有选择文件" in empty.text
    locked = browser.post(f"/cases/{accepted.id}/materials/plan", files={"file": ("b.png", PNG + b"1", "image/png")})
    assert locked.status_code == 403
    with database.reading() as session:
        photo = session.exec(select(Material).where(Material.slot == "photo")).one()
    assert photo.name == "现场.png"
    page = soup(browser.get(f"/cases/{accepted.id}/tabs/materials"))
    assert page.select_one("#material-photo a").text == "现场.png"
    browser.post(f"/cases/{accepted.id}/materials/{photo.id}/remove")
    assert "没有文件" not in soup(browser.get(f"/cases/{accepted.id}/tabs/materials")).select_one("#material-photo").text


def test_a_linked_case_shows_only_to_those_who_may_see_it(accepted, officers, person, applicant, sign_in, database):  # noqa: F811
    other = Filing(database, applicant)
    other.fill(district="310115")
    with database.writing() as session:
        session.add(CaseLink(from_id=accepted.id, to_id=other.id, relation="erratum", created_at=now()))
        session.commit()
    hidden = soup(sign_in(officers["reviewer"]).get(f"/cases/{accepted.id}/tabs/links"))
    assert "没有关联的办件" in hidden.text
    other.submitted()
    shown = soup(sign_in(person("reviewer")).get(f"/cases/{accepted.id}/tabs/links"))
    assert "勘误" in shown.select_one(".tasks").text


def test_what_changed_since_the_last_round_is_shown(accepted, officers, sign_in):  # noqa: F811
    browser, task = sign_in(officers["reviewer"]), accepted.task("review")
    browser.post(f"/cases/{accepted.id}/tasks/{task}/save", {"visited": "true"})
    page = soup(browser.get(f"/cases/{accepted.id}/tabs/form"))
    assert [each.text for each in page.select(".diff ins")] == ["是"]


def test_the_trail_of_a_case_holds_its_commands_and_digests(accepted, officers, sign_in):  # noqa: F811
    page = soup(sign_in(officers["reviewer"]).get(f"/cases/{accepted.id}/tabs/trail"))
    rows = [row.select("td") for row in page.select("tbody tr")]
    commands = [row[2].select_one(".sub").text for row in rows]
    assert commands[0] == "case.act" and "case.open_draft" in commands
    assert rows[0][2].text.startswith("办理")
    said = " ".join(row[3].text for row in rows)
    assert "环节 " in said and "step " not in said and "operation " not in said


def test_a_rule_reads_in_words_with_parameters_and_golden_cases(officers, sign_in):  # noqa: F811
    browser = sign_in(officers["reviewer"])
    found = soup(browser.get("/rules?q=占用面积上限"))
    assert [link.text for link in found.select("td a")] == ["占用面积上限"]
    page = soup(browser.get("/rules/tree_limit"))
    assert "面积上限为 1,000.00 平方米（测试依据）。" in page.select_one(".prose-rule").text
    assert soup(browser.get("/rules/tree_limit/cases")).find("td", string="略高") is not None
    assert browser.get("/rules/nothing").status_code == 404
    assert browser.get("/rules/tree_limit?edition=none").status_code == 404


def test_an_applicant_reads_neither_rules_nor_the_officials_case_page(filing, applicant, sign_in):  # noqa: F811
    browser = sign_in(applicant)
    assert browser.get("/rules").status_code == 403
    assert browser.get(f"/cases/{filing.id}").status_code == 403
