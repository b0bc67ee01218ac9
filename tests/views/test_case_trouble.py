"""The case page says in words that rules failed, that a case was escalated, and lets the holder answer a reminder."""

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from sqlmodel import select

from domain import escalation
from domain.case import operations
from domain.case.tables import CaseEvent
from domain.escalation import Escalation
from domain.portal_clock import now
from tests.domain.case.conftest import applicant, filing, office, officers, tree_office  # noqa: F401
from views.case_head import Opened


@pytest.fixture
def claimed(filing, officers):  # noqa: F811
    """A case in the window's hands."""
    filing.submitted()
    filing.do(operations.claim, officers["window"], filing.task("window"))
    return filing


def main_text(response):
    assert response.status_code == 200
    return BeautifulSoup(response.text, "html.parser").find("main").get_text(" ", strip=True)


def test_a_set_that_cannot_answer_is_a_card_on_the_page_and_the_page_stands(claimed, officers, sign_in, monkeypatch):  # noqa: F811
    plain = Opened.step
    monkeypatch.setattr(Opened, "step", lambda self, task: replace(plain(self, task), asks=("tree_limit", "gone")))
    text = main_text(sign_in(officers["window"]).get(f"/cases/{claimed.id}"))
    assert "没有结论，不放行" in text
    assert "没有键为 gone 的规则集，不能判断" in text
    assert "改好后即可继续，不必重填" in text


def test_an_escalated_case_says_so(claimed, officers, sign_in, database):  # noqa: F811
    browser = sign_in(officers["window"])
    assert "催办未获回应" not in main_text(browser.get(f"/cases/{claimed.id}"))
    with database.writing() as session:
        session.add(Escalation(case_id=claimed.id, since=now()))
        session.commit()
    assert "起，催办未获回应" in main_text(browser.get(f"/cases/{claimed.id}"))


def test_the_holder_answers_a_reminder_from_the_page(claimed, officers, sign_in, database):  # noqa: F811
    browser = sign_in(officers["window"])
    address = f"/cases/{claimed.id}/tasks/{claimed.task('window')}/do/answer_reminder"
    page = f"/cases/{claimed.id}"
    assert "回复催办" not in main_text(browser.get(page))
    claimed.do(operations.urge, claimed.applicant, claimed.id, "请加快")
    assert "回复催办" in main_text(browser.get(page))
    assert "办到哪一步" in main_text(browser.get(address))
    assert browser.post(address, {"opinion": ""}).status_code == 422
    assert browser.post(address, {"opinion": "明日受理"}).status_code == 303
    with database.reading() as session:
        said = session.exec(select(CaseEvent.opinion).where(CaseEvent.operation == "answer_reminder")).all()
        assert (list(said), escalation.history_of(session, claimed.id)) == (["明日受理"], [])
    assert "明日受理" in sign_in(claimed.applicant).get(f"/track/{claimed.case.draft_number}").text
