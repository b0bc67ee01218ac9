"""Operations on the case page: who may, what is asked for, what is refused, and what two people at once are told."""

import pytest
from bs4 import BeautifulSoup
from sqlmodel import col, select

from domain.case.tables import Case, CaseCorrection, Task
from domain.notice import Notice
from tests.domain.case.conftest import Filing, applicant, filing, office, officers, tree_office  # noqa: F401


def soup(response):
    return BeautifulSoup(response.text, "html.parser")


class Desk:
    """A case at a step, and short words for posting its operations."""

    def __init__(self, filing, browsers):  # noqa: F811
        self.filing, self.browsers = filing, browsers

    def do(self, who, operation, step="window", **fields):
        address = f"/cases/{self.filing.id}/tasks/{self.filing.task(step)}/do/{operation}"
        return self.browsers(who).post(address, fields)

    def page(self, who, operation, step="window", query=""):
        return self.browsers(who).get(f"/cases/{self.filing.id}/tasks/{self.filing.task(step)}/do/{operation}{query}")


@pytest.fixture
def desk(filing, officers, sign_in):  # noqa: F811
    """A filed case at the window, with one browser for each officer."""
    filing.submitted()
    opened = {}

    def browser(who):
        return opened.setdefault(who, sign_in(officers[who]))

    return Desk(filing, browser)


def test_of_two_officers_one_gets_the_task_and_the_other_is_told_who(filing, officers, person, sign_in):  # noqa: F811
    filing.submitted()
    other = sign_in(person("window", district="310118", name="方予安"))
    address = f"/cases/{filing.id}/tasks/{filing.task('window')}/claim"
    assert other.post(address).status_code == 303
    late = sign_in(officers["window"]).post(address)
    assert late.status_code == 409
    assert "方予安" in late.text


def test_every_operation_has_its_page(desk):
    for operation in ("return", "correct", "transfer", "assist", "countersign", "suspend", "terminate", "hand_back"):
        desk.browsers("window").post(f"/cases/{desk.filing.id}/tasks/{desk.filing.task('window')}/claim")
        response = desk.page("window", operation)
        assert response.status_code == 200, operation
        assert soup(response).select_one("form[method=post] input[name=csrf_token]") is not None
    assert desk.page("window", "bribe").status_code == 404


def test_returning_asks_for_a_reason_and_a_step_it_has_passed(desk):
    refused = desk.do("window", "return", to_step="apply", opinion=" ")
    assert refused.status_code == 422
    assert "退回理由" in soup(refused).select_one("#opinion-error").text
    wrong = desk.do("window", "return", to_step="sign", opinion="资料不符")
    assert "请从列出的环节中选择" in soup(wrong).select_one(".summary").text
    assert desk.do("window", "return", to_step="apply", opinion="资料不符").status_code == 303
    assert (desk.filing.case.status, desk.filing.case.steps) == ("correction", "apply")


def test_a_transfer_reaches_only_a_colleague_of_role_and_district(desk, person, officers):  # noqa: F811
    near = person("window", district="310118", name="方予安")
    far = person("window", district="310115", name="方远行")
    page = soup(desk.page("window", "transfer", query="?name=方"))
    assert [label.text.split("\u3000")[0] for label in page.select("#person .choice")] == ["方予安"]
    assert desk.do("window", "transfer").status_code == 422
    assert desk.do("window", "transfer", person=str(far.person_id)).status_code == 422
    assert desk.do("window", "transfer", person=str(near.person_id), opinion="请接手").status_code == 303
    held = desk.filing.tasks("held")[0]
    assert held.assignee_id == near.person_id
    gone = desk.do("window", "transfer", person=str(near.person_id))
    assert gone.status_code == 403


def test_assigning_is_for_free_tasks_of_the_own_pool(desk, person):
    near = person("window", district="310118", name="方予安")
    refused = desk.do("reviewer", "assign", person=str(near.person_id))
    assert refused.status_code == 403
    assert desk.do("window", "assign", person=str(near.person_id)).status_code == 303
    assert desk.filing.tasks("held")[0].assignee_id == near.person_id


def test_a_sequential_countersign_goes_from_one_to_the_next_in_the_written_order(desk, person, sign_in, database):
    first, second = person("reviewer", district="310118", name="甲"), person("reviewer", district="310118", name="乙")
    sent = desk.browsers("window").post(
        f"/cases/{desk.filing.id}/tasks/{desk.filing.task('window')}/do/countersign",
        {"person": [str(first.person_id), str(second.person_id)], f"place_{first.person_id}": "2",
         f"place_{second.person_id}": "1", "mode": "sequence", "opinion": "请审"},
    )
    assert sent.status_code == 303
    asked = [task for task in desk.filing.tasks("held", "waiting") if task.kind == "countersign"]
    by_person = {task.assignee_id: task for task in asked}
    assert by_person[second.person_id].status == "held" and by_person[first.person_id].status == "waiting"
    answer = f"/cases/{desk.filing.id}/tasks/{by_person[second.person_id].id}/do/answer"
    browser = sign_in(second)
    page = soup(browser.get(f"/cases/{desk.filing.id}"))
    assert page.select_one("main h2").text.startswith("会签")
    assert browser.post(answer, {"opinion": "同意"}).status_code == 422
    assert browser.post(answer, {"agrees": "yes", "opinion": " "}).status_code == 422
    assert browser.post(answer, {"agrees": "yes", "opinion": "同意"}).status_code == 303
    with database.reading() as session:
        assert session.get(Task, by_person[first.person_id].id).status == "held"
    assert sign_in(first).post(answer, {"agrees": "yes", "opinion": "同意"}).status_code == 409


def test_a_countersign_without_people_or_of_oneself_is_refused(desk, officers):  # noqa: F811
    assert desk.do("window", "countersign", mode="parallel", opinion="请审").status_code == 422
    own = desk.do("window", "countersign", mode="parallel", opinion="请审", person=str(officers["window"].person_id))
    assert own.status_code == 422
    assert "不能选择自己" in own.text


def test_an_assistance_comes_back_to_the_holder(desk, officers, sign_in):  # noqa: F811
    assert desk.do("window", "assist", person=str(officers["reviewer"].person_id), opinion="请先核对").status_code == 303
    child = next(task for task in desk.filing.tasks("held") if task.kind == "assist")
    desk.browsers("reviewer").post(
        f"/cases/{desk.filing.id}/tasks/{child.id}/do/answer", {"agrees": "yes", "opinion": "已核对"}
    )
    assert [(task.kind, task.status) for task in desk.filing.tasks("held", "waiting")] == [("step", "held")]


def test_a_correction_names_fields_and_materials_and_words_for_each(desk, database):
    without_words = desk.do("window", "correct", item="field:project_name")
    assert without_words.status_code == 422
    assert soup(without_words).select_one("input[value='field:project_name'][checked]") is not None
    assert desk.do("window", "correct").status_code == 422
    assert desk.do("window", "correct", item="field:secret", **{"what_field:secret": "改"}).status_code == 422
    sent = desk.browsers("window").post(
        f"/cases/{desk.filing.id}/tasks/{desk.filing.task('window')}/do/correct",
        {"item": ["field:project_name", "material:plan"], "what_field:project_name": "写全称",
         "what_material:plan": "补盖章页", "reason": "", "opinion": "三日内补正"},
    )
    assert sent.status_code == 303
    assert desk.filing.case.status == "correction"
    with database.reading() as session:
        asked = session.exec(select(CaseCorrection)).one()
    assert asked.items == [{"field": "project_name", "what": "写全称"}, {"material": "plan", "what": "补盖章页"}]
    twice = desk.browsers("window").get(f"/cases/{desk.filing.id}")
    assert "不在你手上" in twice.text


def test_a_suspended_case_offers_only_to_go_on(desk):
    assert desk.do("window", "suspend", opinion="").status_code == 422
    assert desk.do("window", "suspend", opinion="等待上级批复").status_code == 303
    page = soup(desk.browsers("window").get(f"/cases/{desk.filing.id}"))
    assert page.select("button[name=_action]") == []
    act = f"/cases/{desk.filing.id}/tasks/{desk.filing.task('window')}/act"
    assert desk.browsers("window").post(act, {"_action": "accept"}).status_code == 409
    assert desk.do("window", "resume").status_code == 303
    assert desk.do("window", "resume").status_code == 409
    assert desk.filing.case.status == "open"


def test_ending_a_case_asks_for_the_reason_and_closes_it_for_good(desk):
    assert desk.do("window", "terminate", opinion="").status_code == 422
    assert desk.do("window", "terminate", opinion="项目取消").status_code == 303
    assert (desk.filing.case.status, desk.filing.case.outcome) == ("closed", "terminated")
    page = soup(desk.browsers("window").get(f"/cases/{desk.filing.id}"))
    ending = page.select_one("section.corners")
    assert ending.h2.get_text() == "办件已结束：已终止" and "项目取消" in ending.get_text()
    assert page.select_one("details.sheet dl.facts dt"), "who only reads sees what was filled in"


def test_a_claimed_task_goes_back_to_the_pool(desk):
    desk.browsers("window").post(f"/cases/{desk.filing.id}/tasks/{desk.filing.task('window')}/claim")
    assert desk.do("window", "hand_back").status_code == 303
    assert desk.filing.tasks()[0].status == "ready"


def test_urging_tells_those_in_charge_once_a_day(desk, officers, database):  # noqa: F811
    address = f"/cases/{desk.filing.id}/do/urge"
    assert desk.browsers("reviewer").post(address, {"opinion": "请抓紧"}).status_code == 303
    assert desk.browsers("reviewer").post(address, {}).status_code == 409
    with database.reading() as session:
        told = session.exec(select(Notice.person_id).where(Notice.kind == "urged")).all()
    assert told == [officers["window"].person_id]


def test_taking_back_ends_when_the_next_has_claimed(desk, officers):  # noqa: F811
    desk.filing.act(officers["window"], "window", "accept")
    refused = desk.browsers("window").post(f"/cases/{desk.filing.id}/do/take_back")
    assert refused.status_code == 409
    desk.filing.fill(officers["reviewer"], "review", visited="true")
    desk.filing.act(officers["reviewer"], "review", "quick")
    assert desk.filing.case.steps == "garden"
    page = soup(desk.browsers("reviewer").get(f"/cases/{desk.filing.id}"))
    assert any(link.text == "拿回" for link in page.select("main a"))
    assert desk.browsers("reviewer").post(f"/cases/{desk.filing.id}/do/take_back").status_code == 303
    assert desk.filing.case.steps == "review"


def test_only_the_applicant_withdraws(desk):
    assert desk.browsers("window").post(f"/cases/{desk.filing.id}/do/withdraw", {"opinion": "不办了"}).status_code == 403
    assert desk.browsers("window").post(f"/cases/{desk.filing.id}/do/discard").status_code == 409
    assert desk.filing.case.status == "open"


def test_a_task_of_another_case_is_not_found_under_this_one(desk, database, applicant):  # noqa: F811
    other = Filing(database, applicant).submitted()
    address = f"/cases/{desk.filing.id}/tasks/{other.task('window')}/do/transfer"
    assert desk.browsers("window").get(address).status_code == 404


def test_a_batch_tells_what_came_of_each_case(desk, database, applicant, person, sign_in):  # noqa: F811
    other = Filing(database, applicant).submitted()
    sign_in(person("window", district="310118", name="方予安")).post(f"/cases/{other.id}/tasks/{other.task('window')}/claim")
    ids = [str(desk.filing.id), str(other.id), "999999"]
    asked = soup(desk.browsers("window").get("/cases/batch", params={"act": "claim", "case": ids}))
    assert asked.h1.text == "批量认领 3 件"
    done = desk.browsers("window").post("/cases/batch", {"act": "claim", "case": ids, "confirmed": "yes"})
    page = soup(done)
    assert page.h1.text == "批量认领：1 件完成，2 件没有办成"
    rows = [row.select("td")[2].text for row in page.select("tbody tr")]
    assert "已认领" in rows[0] and "已被他人认领" in rows[1] and "没有这件办件" in rows[2]
    assert desk.filing.tasks()[0].status == "held"
    again = desk.browsers("window").post("/cases/batch", {"act": "claim", "case": ids, "confirmed": "yes"})
    assert "已在你手上，不用认领" in soup(again).main.text


def test_a_batch_transfer_needs_a_person_and_never_decides(desk, person):
    near = person("window", district="310118", name="方予安")
    desk.browsers("window").post(f"/cases/{desk.filing.id}/tasks/{desk.filing.task('window')}/claim")
    fields = {"act": "transfer", "case": str(desk.filing.id), "confirmed": "yes"}
    refused = desk.browsers("window").post("/cases/batch", fields)
    assert refused.status_code == 422
    assert desk.browsers("window").post("/cases/batch", {**fields, "person": str(near.person_id)}).status_code == 200
    assert desk.filing.tasks("held")[0].assignee_id == near.person_id
    for act in ("accept", "grant", ""):
        assert desk.browsers("window").post("/cases/batch", {**fields, "act": act}).status_code == 422
    assert desk.browsers("window").get("/cases/batch?act=claim").status_code == 422


def test_a_post_without_the_token_of_the_page_changes_nothing(desk):
    address = f"/cases/{desk.filing.id}/tasks/{desk.filing.task('window')}/claim"
    assert desk.browsers("window").post(address, {"csrf_token": "forged"}).status_code == 403
    assert desk.filing.tasks()[0].status == "ready"


def test_an_official_starts_only_what_the_post_allows(officers, sign_in):  # noqa: F811
    browser = sign_in(officers["window"])
    assert "没有可以由你发起的事项" in browser.get("/cases/new").text
    assert browser.get("/cases/new/tree_permit").status_code == 403
    assert browser.post("/cases/new/tree_permit").status_code == 403
    assert browser.get("/cases/new/nothing").status_code == 404


def test_no_case_was_changed_by_reading(desk, database):
    """GET never writes: every page of a case leaves its versions as they were."""
    def versions():
        with database.reading() as session:
            return session.exec(select(Case.version, Case.changed_at)).all(), session.exec(
                select(Task.id, Task.version, Task.status).order_by(col(Task.id))).all()

    before = versions()
    browser = desk.browsers("window")
    for path in ("", "/tabs/form", "/tabs/trail", "/do/urge"):
        browser.get(f"/cases/{desk.filing.id}{path}")
    for operation in ("return", "transfer", "terminate"):
        desk.page("window", operation)
    assert versions() == before
