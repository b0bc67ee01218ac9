"""What is wrong with rules is told once to those in charge, stands in /healthz, and is over when it is put right."""

from datetime import timedelta

import pytest
from sqlmodel import col, select
from starlette.routing import Route
from starlette.testclient import TestClient

from domain import rule_trouble
from domain.actor import SYSTEM
from domain.notice import Notice
from domain.rule_trouble import RuleTrouble
from portal.app import create_app
from portal.runner import Runner
from rules.engine import RuleSetMissing
from tests.domain.rule_edition.conftest import TEXT

NO_VALUE = (
    TEXT.replace("rules:\n", "parameters:\n  most: {values: [{from: 2090-01-01, value: 10}], unit: m2, label: 上限, basis: 样例}\nrules:\n")
    .replace("below: 10}", "below: {param: most}}")
    .replace("2026-06-30", "2090-06-30")
)
BROKEN = TEXT.replace("below: 10", "belwo: 10")


@pytest.fixture
def told(database, person):
    """Who was told of rules, as (person, beginning of the title); the people are made first."""
    person("reviewer", district="310118")
    in_charge = [person("rule_maintainer").person_id, person("system_admin").person_id]

    def look():
        with database.reading() as session:
            rows = session.exec(select(Notice).where(Notice.kind == "rules").order_by(col(Notice.id))).all()
        return [(row.person_id, row.title.split("：")[0], row.body) for row in rows]

    look.in_charge = in_charge
    return look


@pytest.fixture
def city(office):
    """The folder of the city's own rule files."""
    office.rule_folders.city.mkdir(parents=True, exist_ok=True)
    return office.rule_folders.city / "sample_line.yaml"


@pytest.fixture
def runner(database, office, city):
    city.write_text(TEXT, encoding="utf-8")
    made = Runner(database, office)
    made._keep_rules()
    return made


def troubles(database):
    with database.reading() as session:
        return [(each.kind, each.name, each.times) for each in rule_trouble.open_troubles(session)]


def healthz(settings, office, database):
    app = create_app(settings, office=office, database=database, run=False)
    return TestClient(app, base_url="http://testserver").get("/healthz").json()["rules"]


def test_nothing_is_wrong_with_what_is_shipped(runner, database, told, settings, office):
    assert (troubles(database), told()) == ([], [])
    assert healthz(settings, office, database)["troubles"] == 0


def test_a_broken_file_is_told_once_and_is_over_when_it_is_put_right(runner, database, told, city, settings, office):
    city.write_text(BROKEN, encoding="utf-8")
    for _pass in range(5):
        runner._keep_rules()
    assert troubles(database) == [("file", "sample_line.yaml", 1)]
    assert [row[:2] for row in told()] == [(each, "规则文件有错，没有启用") for each in told.in_charge]
    assert "上一个好的版本继续有效" in told()[0][2]
    found = healthz(settings, office, database)
    assert (found["ok"], found["troubles"]) == (False, 1)
    Runner(database, office)._keep_rules()  # a restart tells nothing again
    assert len(told()) == 2
    city.write_text(TEXT, encoding="utf-8")
    runner._keep_rules()
    assert troubles(database) == []
    city.write_text(BROKEN, encoding="utf-8")
    runner._keep_rules()
    assert len(told()) == 4


def test_a_parameter_without_a_value_today_is_told_before_a_case_meets_it(runner, database, told, city, settings, office):
    city.write_text(NO_VALUE, encoding="utf-8")
    for _pass in range(3):
        runner._keep_rules()
    assert troubles(database) == [("parameter", "sample_line.most", 1)]
    assert len(told()) == 2
    assert "参数「上限」在" in told()[0][2]
    found = healthz(settings, office, database)
    assert (found["ok"], found["troubles"]) == (True, 1)


def test_a_set_that_cannot_answer_is_told_once_however_many_cases_it_stops(database, office, settings, told):
    def fails(_request):
        error = RuleSetMissing("没有这套规则")
        error.rule_set = "tree_limit"
        raise error

    app = create_app(settings, office=office, database=database, run=False)
    app.router.routes.insert(0, Route("/fails", fails))
    client = TestClient(app, base_url="http://testserver")
    for _case in range(20):
        assert client.get("/fails").status_code == 422
    assert troubles(database) == [("decision", "tree_limit", 20)]
    assert [row[:2] for row in told()] == [(each, "规则没有给出结论") for each in told.in_charge]
    assert client.get("/healthz").json()["rules"]["troubles"] == 1


def test_a_failure_that_does_not_recur_for_a_day_is_over(database, told):
    with database.writing() as session:
        rule_trouble.note_failure(session, SYSTEM, "tree_limit", "没有这套规则")
    with database.writing() as session:
        assert rule_trouble.end_quiet(session, SYSTEM) == 0
    with database.writing() as session:
        row = session.exec(select(RuleTrouble)).one()
        row.last_at -= timedelta(days=1)
        session.add(row)
        session.commit()
    with database.writing() as session:
        assert rule_trouble.end_quiet(session, SYSTEM) == 1
    assert troubles(database) == []
    with database.writing() as session:
        rule_trouble.note_failure(session, SYSTEM, "tree_limit", "没有这套规则")
    assert len(told()) == 4
