"""The snapshot of a closed case: frozen whole, readable, told from its file, found by its papers, and never changed."""

import hashlib
import json

import pytest
from bs4 import BeautifulSoup
from sqlmodel import select

from domain.case import inbox
from domain.case.inbox import CaseQuery
from domain.case.tables import Case, CaseSnapshot
from domain.document.tables import Document
from tests.domain.case.conftest import applicant, filing, office, officers, tree_office  # noqa: F401


@pytest.fixture
def granted(filing, officers):  # noqa: F811
    """A case that ended with a permit."""
    filing.submitted()
    filing.act(officers["window"], "window", "accept")
    filing.fill(officers["reviewer"], "review", visited="true")
    filing.act(officers["reviewer"], "review", "quick")
    filing.act(officers["section_chief"], "garden", "agree")
    filing.act(officers["approver"], "sign", "grant", "准予占用至年底")
    return filing


def page(browser, case_id):
    return BeautifulSoup(browser.get(f"/cases/{case_id}/tabs/snapshot").text, "html.parser")


def test_the_snapshot_holds_form_flow_papers_decisions_and_clocks_in_words(granted, database):
    with database.reading() as session:
        row = session.exec(select(CaseSnapshot).where(CaseSnapshot.case_id == granted.id)).one()
        text = session.info["office"].files.read_bytes(row.digest)
    kept = json.loads(text)
    assert hashlib.new("sm3", text).hexdigest() == row.digest
    assert kept["form"][0]["label"] == "项目" and ["占用面积", "120.50 平方米"] in kept["form"][0]["rows"]
    assert [event["operation"] for event in kept["history"]][-1] == "grant"
    assert {paper["key"] for paper in kept["documents"]} == {"acceptance", "permit"}
    assert [each["rule_set"] for each in kept["decisions"]] == ["tree_limit", "tree_route"]
    assert [each["key"] for each in kept["clocks"] if each["entries"]].count("promise") == 1
    assert kept["materials"][0]["name"] == "plan.png"


def test_the_page_tells_what_was_frozen_whatever_is_changed_later(granted, database, officers, sign_in):  # noqa: F811
    with database.writing() as session:
        case = session.get(Case, granted.id)
        case.values = {**case.values, "project_name": "改过的名称"}
        session.commit()
    found = page(sign_in(officers["approver"]), granted.id)
    words = found.select_one("main").text
    assert "泵站工程" in words and "改过的名称" not in words
    assert "准予占用至年底" in words and "占用绿地许可证" in words and "120.50 平方米" in words
    assert "占用面积上限" in words and "通过" in words
    assert found.select_one(".tabs [aria-current=page]").text == "快照"


def test_the_file_is_handed_out_as_it_was_frozen(granted, officers, sign_in, person):  # noqa: F811
    response = sign_in(officers["approver"]).get(f"/cases/{granted.id}/snapshot")
    assert response.status_code == 200 and response.json()["format"] == "guitu-case-snapshot-2"
    assert response.headers["content-disposition"].startswith("attachment")
    assert sign_in(person("approver", district="310115")).get(f"/cases/{granted.id}/snapshot").status_code == 404


def test_a_damaged_snapshot_is_said_to_be_damaged_and_not_shown(granted, database, officers, sign_in, office):  # noqa: F811
    with database.reading() as session:
        digest = session.exec(select(CaseSnapshot.digest).where(CaseSnapshot.case_id == granted.id)).one()
    place = office.files.path_of(digest)
    place.chmod(0o600)
    place.write_bytes(place.read_bytes().replace("泵站".encode(), "泵房".encode()))
    response = sign_in(officers["approver"]).get(f"/cases/{granted.id}/tabs/snapshot")
    assert response.status_code == 500 and "不一致" in response.text and "泵房" not in response.text


def test_a_running_case_has_none_yet(filing, officers, sign_in):  # noqa: F811
    filing.submitted()
    browser = sign_in(officers["window"])
    assert "快照" not in BeautifulSoup(browser.get(f"/cases/{filing.id}").text, "html.parser").select_one(".tabs").text
    assert "还没有快照" in browser.get(f"/cases/{filing.id}/tabs/snapshot").text
    assert browser.get(f"/cases/{filing.id}/snapshot").status_code == 404


def test_a_closed_case_is_found_by_the_number_of_its_papers_and_by_its_files(granted, database, officers):  # noqa: F811
    with database.reading() as session:
        number = session.exec(select(Document.number).where(Document.case_id == granted.id, Document.key == "permit")).one()

        def found(words):
            return [row.case.id for row in inbox.page(session, officers["approver"], CaseQuery(words=words)).rows]

        assert found(number) == found("plan") == found("准予占用至年底") == [granted.id]
        assert found("测证〔2026〕9999号") == []
