"""A partner that does not answer: the form stays usable, the gate stays shut, and the page says that nothing changed."""

import pytest
from bs4 import BeautifulSoup
from sqlmodel import select

from domain.case.tables import Case, Task

# The settings of these tests name a partner address at which nobody listens.


def soup(response):
    return BeautifulSoup(response.text, "html.parser")


@pytest.fixture
def started(person, sign_in, database):
    """A house closing that waits for its counts: the officer's browser, the case and the task."""
    handler = sign_in(person("district_handler", district="310118"))
    assert handler.post("/cases/new/house_closing", {}).status_code == 303
    with database.reading() as session:
        case_id, task_id = session.exec(select(Task.case_id, Task.id)).one()
    return handler, case_id, task_id


def filled(**changed):
    return {"project_number": "ZS-2026-001", "district": "310118", **changed}


def test_a_form_is_saved_while_its_source_is_down(started, database):
    handler, case_id, task_id = started
    assert handler.post(f"/cases/{case_id}/tasks/{task_id}/save", filled()).status_code == 303
    with database.reading() as session:
        assert session.get(Case, case_id).values["project_number"] == "ZS-2026-001"


def test_reading_again_says_that_the_source_is_down(started):
    handler, case_id, task_id = started
    assert soup(handler.get(f"/cases/{case_id}")).select_one("button[name=_refresh]") is not None
    refused = handler.post(f"/cases/{case_id}/tasks/{task_id}/save", filled(_refresh="yes"))
    assert refused.status_code == 503
    assert "没有答复" in refused.text


def test_rules_that_need_a_partner_are_undetermined_until_it_is_asked(started):
    handler, case_id, task_id = started
    handler.post(f"/cases/{case_id}/tasks/{task_id}/save", filled())
    page = soup(handler.get(f"/cases/{case_id}"))
    assert "判不出" in page.select_one("[aria-labelledby=asks-title] .why").text
    link = page.select_one("[aria-labelledby=asks-title] .rubric a")
    assert handler.get(link["href"]).status_code == 503


def test_an_action_whose_gate_cannot_be_asked_changes_nothing(started, database):
    handler, case_id, task_id = started
    handler.post(f"/cases/{case_id}/tasks/{task_id}/save", filled())
    refused = handler.post(f"/cases/{case_id}/tasks/{task_id}/act/begin", {"_opinion": ""})
    assert refused.status_code == 503
    with database.reading() as session:
        case = session.get(Case, case_id)
        assert (case.status, case.steps, case.number) == ("draft", "start", None)
