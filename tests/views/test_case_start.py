"""A case that officials start: start gates, the gate of an action, rules shown beforehand, an action that asks once more."""

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from sqlmodel import select

from domain.case.tables import Case, Task
from domain.file_store import FileStore
from portal.office import open_office
from portal.settings import PROJECT_DIR, read_settings
from tests.case_types import tree_permit

CHANGES = {
    "case_type.yaml": [
        ("audience: enterprise", "audience: staff"), ("started_by: [applicant]", "started_by: [reviewer]"),
        ("asks_on_start: []", "asks_on_start: [tree_limit]"),
    ],
    "workflow.yaml": [
        ("    role: applicant\n    scope: applicant\n    operations: [withdraw]",
         "    role: reviewer\n    scope: district\n    operations: [transfer, withdraw]\n    asks: [tree_limit]"),
        ("{key: refuse, label: 不予受理,", "{key: refuse, label: 不予受理, confirm: 不予受理后办件结束，不能恢复。,"),
    ],
    "documents.yaml": [("label: 平面图, required: true", "label: 平面图")],
}


@pytest.fixture(scope="module")
def staff_office(tmp_path_factory):
    """The test's case type, started by a reviewer of a district."""
    folder = tmp_path_factory.mktemp("case_types")
    tree_permit.write(folder)
    for name, changes in CHANGES.items():
        path = folder / "tree_permit" / name
        text = path.read_text(encoding="utf-8")
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")
    settings = read_settings({"VAR_DIR": str(folder / "var"), "DEMO": "1", "PARTNERS_URL": "http://127.0.0.1:9"})
    return open_office(settings, case_types=folder, rule_folders=(PROJECT_DIR / "rules" / "sets", folder))


@pytest.fixture
def office(staff_office, settings):
    return replace(staff_office, files=FileStore(settings.var_dir / "files"), caches={})


def soup(response):
    return BeautifulSoup(response.text, "html.parser")


def cases_in(database):
    with database.reading() as session:
        return list(session.exec(select(Case)).all())


@pytest.fixture
def reviewer(person, sign_in):
    return sign_in(person("reviewer", district="310118", name="陆明远"))


@pytest.fixture
def started(reviewer, database):
    """A draft that the reviewer began; the id of its case and of its task."""
    reviewer.post("/cases/new/tree_permit", {"area": "120.50"})
    [case] = cases_in(database)
    with database.reading() as session:
        return case.id, session.exec(select(Task.id)).one()


def filled(**changed):
    return {"project_name": "泵站工程", "district": "310118", "area": "120.50", "cuts_trees": "false", **changed}


def test_the_start_page_asks_what_the_gate_reads_and_names_the_gate(reviewer):
    assert [a.text for a in soup(reviewer.get("/cases/new")).select(".tasks a")] == ["占用绿地许可"]
    page = soup(reviewer.get("/cases/new/tree_permit"))
    assert "发起时判断：占用面积上限" in page.text
    assert page.select_one("input[name=area]") is not None and page.select_one("[name=project_name]") is None


def test_a_start_gate_refuses_with_both_sides_and_leaves_nothing_behind(reviewer, database):
    refused = reviewer.post("/cases/new/tree_permit", {"area": "1200"})
    assert refused.status_code == 422
    shown = soup(refused).select_one(".why.bad").text
    assert "1,200.00" in shown and "1,000.00" in shown and "测试依据" in shown
    assert soup(refused).select_one("input[name=area]")["value"] == "1200.00"
    assert cases_in(database) == []


def test_a_fact_that_is_not_given_refuses_too(reviewer, database):
    refused = reviewer.post("/cases/new/tree_permit", {"area": ""})
    assert refused.status_code == 422
    assert "判不出" in soup(refused).select_one(".why").text
    assert cases_in(database) == []


def test_a_value_that_cannot_be_read_stands_at_its_field(reviewer, database):
    refused = reviewer.post("/cases/new/tree_permit", {"area": "很大"})
    assert refused.status_code == 422
    assert soup(refused).select_one(".summary a")["href"] == "#area"
    assert cases_in(database) == []


def test_a_start_within_the_limit_opens_a_draft_with_what_was_given(reviewer, started, database):
    [case] = cases_in(database)
    assert (case.status, case.district_code, case.values["area"]) == ("draft", "310118", "120.50")
    assert soup(reviewer.get(f"/cases/{case.id}")).select_one("input[name=area]")["value"] == "120.50"
    assert [a.text for a in soup(reviewer.get("/cases/new")).select("[aria-label=草稿] .hint")] == [case.draft_number]


def test_the_rules_of_the_step_are_shown_before_anybody_acts(reviewer, started):
    page = soup(reviewer.get(f"/cases/{started[0]}"))
    assert "120.50" in page.select_one("[aria-labelledby=asks-title] .why").text


def test_the_gate_of_an_action_refuses_with_its_reasons_and_changes_nothing(reviewer, started, database):
    case_id, task_id = started
    refused = reviewer.post(f"/cases/{case_id}/tasks/{task_id}/act", filled(area="1000.01", _action="submit"))
    assert refused.status_code == 422
    page = soup(refused)
    assert page.select_one(".summary h2").text.startswith("没有办成")
    assert "1,000.01" in page.select_one(".why.bad").text and "1,000.00" in page.select_one(".why.bad").text
    assert page.select_one(".why.bad a")["href"] == "/rules/tree_limit"
    assert cases_in(database)[0].status == "draft"


def test_an_action_with_consequences_asks_once_more(reviewer, started, person, sign_in, database):
    case_id, task_id = started
    assert reviewer.post(f"/cases/{case_id}/tasks/{task_id}/act", filled(_action="submit")).status_code == 303
    window = sign_in(person("window", district="310118"))
    with database.reading() as session:
        task_id = session.exec(select(Task.id).where(Task.step == "window")).one()
    asked = window.post(f"/cases/{case_id}/tasks/{task_id}/act", {"_action": "refuse", "_opinion": "资料不齐"})
    assert asked.status_code == 303 and asked.headers["location"].endswith("/act/refuse")
    assert cases_in(database)[0].status == "open"
    page = soup(window.get(asked.headers["location"]))
    assert "不能恢复" in page.text and page.select_one("textarea[name=_opinion]").text.strip() == "资料不齐"
    version = page.select_one("input[name=_task_version]")["value"]
    done = window.post(asked.headers["location"], {"_opinion": "资料不齐", "_task_version": version})
    assert done.status_code == 303
    assert (cases_in(database)[0].status, cases_in(database)[0].outcome) == ("closed", "refused")


def test_only_the_writer_sees_a_draft_and_deletes_it(reviewer, started, person, sign_in, database):
    case_id, _task = started
    assert sign_in(person("reviewer", district="310118")).get(f"/cases/{case_id}").status_code == 404
    assert reviewer.post(f"/cases/{case_id}/do/discard").status_code == 303
    assert cases_in(database)[0].outcome == "discarded"


def test_an_officer_of_several_districts_chooses_one_and_not_another(person, sign_in, database, reviewer):
    city = sign_in(person("reviewer"))
    offered = [each["value"] for each in soup(city.get("/cases/new/tree_permit")).select("select[name=_district] option")]
    assert "310118" in offered and "310115" in offered
    assert city.post("/cases/new/tree_permit", {"area": "10", "_district": "310115"}).status_code == 303
    assert cases_in(database)[0].district_code == "310115"
    assert reviewer.post("/cases/new/tree_permit", {"area": "10", "_district": "310115"}).status_code == 403
