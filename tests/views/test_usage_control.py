"""Screens of 报部 (PROJ-083, 104, 106): the panel of the case, the queries, the erratum from a closed case."""

import pytest
from bs4 import BeautifulSoup

from tests.case_types.permit_walk import Permit


@pytest.fixture
def permit(database, linked, person):
    return Permit(database, person)


def page_of(answer, status=200):
    assert answer.status_code == status, answer.text[:2000]
    return BeautifulSoup(answer.text, "html.parser")


def said(answer, status=200):
    return page_of(answer, status).find("main").get_text(" ", strip=True)


@pytest.mark.function("PROJ-104", "number_and_state_shown", "missing_with_reason")
def test_the_panel_says_the_number_or_why_there_is_none(permit, sign_in, running):
    running.fault("usage_control", "reject")
    permit.granted()
    browser = sign_in(permit.officers["printer"])
    case = f"/cases/{permit.id}"
    assert "组卷中" in said(browser.get(case))
    permit.answered()
    shown = said(browser.get(case))
    assert "还没有" in shown and permit.rounds()[0].faults[0]["text"] in shown
    running.fault("usage_control", "ok")
    permit.step("printer", "print", "retry_report")
    permit.answered()
    assert permit.rounds()[0].number in said(browser.get(case))
    matter = said(browser.get("/usage-control/matters/pipeline_permit"))
    assert permit.rounds()[0].number in matter and permit.case.number in matter
    assert "建设工程规划许可证（管线工程）新办" in said(browser.get("/usage-control/matters"))


def test_rounds_are_found_by_matter_district_time_and_state(permit, sign_in, person):
    permit.granted()
    permit.answered()
    browser = sign_in(permit.officers["dispatcher"])
    number = permit.case.number
    for query in ("", "state=numbered", "case_type=pipeline_permit&district=310118", "since=2026-01-01", f"words={number}", "kind=permit_initial"):
        assert number in said(browser.get(f"/usage-control?{query}")), query
    for query in ("state=rejected", "district=310115", "until=2026-01-01", "words=没有", "kind=permit_cancellation"):
        assert "没有符合条件的报送" in said(browser.get(f"/usage-control?{query}")), query
    assert "没有采用" in said(browser.get("/usage-control?since=昨天"))
    elsewhere = sign_in(person("dispatcher", district="310115"))
    assert number not in elsewhere.get("/usage-control").text
    assert elsewhere.get(f"/usage-control/rounds/{permit.rounds()[0].id}").status_code == 404


@pytest.mark.function("PROJ-106", "progress_by_case")
def test_the_progress_of_one_round_is_shown_step_by_step(permit, sign_in):
    permit.granted()
    permit.run_jobs()
    browser = sign_in(permit.officers["approver"])
    steps = page_of(browser.get(f"/usage-control/rounds/{permit.rounds()[0].id}")).select("ol.steps li")
    assert [("done" in (step.get("class") or []), "now" in (step.get("class") or [])) for step in steps] == [
        (True, False), (True, False), (True, False), (False, True), (False, False)]
    assert "控制点最大残差" in browser.get(f"/usage-control/rounds/{permit.rounds()[0].id}").text


def test_the_list_can_be_exported(permit, sign_in):
    permit.granted()
    browser = sign_in(permit.officers["approver"])
    answer = browser.post("/usage-control/export?state=building")
    assert answer.status_code == 303 and "/jobs/" in answer.headers["location"]


@pytest.mark.function("PROJ-083", "push_result_shown", "erratum_started")
def test_the_push_is_shown_and_an_erratum_starts_from_a_closed_case(permit, sign_in):
    permit.granted()
    permit.answered()
    permit.deliver("case_library")
    printer = sign_in(permit.officers["printer"])
    assert permit.messages("case_library")[0].answer["receipt_number"] in said(printer.get(f"/cases/{permit.id}"))
    permit.step("printer", "print", "printed")
    permit.step("dispatcher", "dispatch", "dispatch")
    reviewer = sign_in(permit.officers["reviewer"])
    links = [a["href"] for a in page_of(reviewer.get(f"/cases/{permit.id}")).find_all("a") if a.get_text(strip=True) == "发起勘误"]
    assert links == [f"/cases/{permit.id}/linked/erratum"]
    assert page_of(reviewer.get(links[0]))
    refused = reviewer.post(links[0], {"reason": " "})
    assert refused.status_code == 422 and "请写明理由" in refused.text
    opened = reviewer.post(links[0], {"reason": "路名有误"})
    assert opened.status_code == 303
    shown = said(reviewer.get(opened.headers["location"]))
    assert "更正前后" in shown and permit.case.number in shown


def test_pages_are_closed_to_others(permit, sign_in, person):
    permit.granted()
    transferor = sign_in(person("district_transferor", district="310118"))
    assert transferor.get("/usage-control").status_code == 403
    assert sign_in(permit.applicant).get("/usage-control").status_code == 403
