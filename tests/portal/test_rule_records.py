"""The start of the portal with recorded rule editions, and the page of a rule that cannot answer."""

import shutil

import pytest
from sqlmodel import select
from starlette.routing import Route
from starlette.testclient import TestClient

from domain.rule_edition import files, shelf
from domain.rule_edition.tables import RuleEdition
from portal.app import create_app
from portal.office import CASE_TYPES, RULE_FOLDERS, RulesBroken, open_office
from portal.runner import Runner
from rules.engine import RuleSetMissing

LINE = "outflow_warning_line.yaml"


@pytest.fixture
def sets(tmp_path):
    """A copy of the shipped sets, to be broken."""
    return shutil.copytree(RULE_FOLDERS[0], tmp_path / "shipped" / "sets")


@pytest.fixture
def recorded_once(database, settings, sets):
    """A portal ran once over the sets, so that the database knows them."""
    database.office = open_office(settings, rule_folders=(sets, CASE_TYPES))
    files.sync(database, database.office)
    with database.reading() as session:
        return shelf.recorded(session)


def test_a_file_broken_between_two_starts_leaves_the_last_good_edition_in_force(settings, sets, recorded_once):
    path = sets / LINE
    path.write_text(path.read_text("utf-8").replace("below: 0", "belwo: 0"), encoding="utf-8")
    office = open_office(settings, rule_folders=(sets, CASE_TYPES), recorded=recorded_once)
    assert next(fault.file for fault in office.book.faults).endswith(LINE)
    edition = office.book.rule_set("warning_line", "outflow_warning_line", recorded_once.editions[0].effective_at)
    assert edition.title == "年度耕地资源使用警戒线"


def test_a_broken_file_without_a_record_refuses_the_start(settings, sets):
    (sets / LINE).write_text("key: [", encoding="utf-8")
    with pytest.raises(RulesBroken, match=LINE):
        open_office(settings, rule_folders=(sets, CASE_TYPES))


def test_the_duty_keeps_the_files_in_step_and_the_watch_takes_over_what_others_published(database, office):
    runner = Runner(database, office)
    assert runner._keep_rules() is False
    with database.reading() as session:
        assert len(session.exec(select(RuleEdition)).all()) == len(office.rule_folders.files())
    office.book.shelve((), office.book.version)
    office.book._version = 0
    assert runner._watch_rules() is False
    with database.reading() as session:
        assert office.book.version == shelf.version(session)


def test_a_rule_that_cannot_answer_is_a_page_with_the_reason(settings, office, database):
    def fails(_request):
        raise RuleSetMissing("没有这套规则")

    app = create_app(settings, office=office, database=database, run=False)
    app.router.routes.insert(0, Route("/fails", fails))
    answer = TestClient(app, base_url="http://testserver").get("/fails")
    assert answer.status_code == 422
    assert "规则没有给出结论，这次操作没有生效：没有这套规则" in answer.text


def test_the_app_opens_its_office_with_the_records(settings, database, office):
    files.sync(database, office)
    app = create_app(settings, database=database, run=False)
    with database.reading() as session:
        assert app.state.office.book.version == shelf.version(session) > 0
