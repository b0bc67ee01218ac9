"""Which cases an edition decided, what decided a project, and a case asked once more with altered facts."""

import pytest
from sqlmodel import select

from domain.case.tables import StoredDecision
from domain.errors import NotFound, Refused
from domain.rule_edition import files
from domain.rule_workbench import usage, what_if

from .conftest import Filing

LIMIT = "tree_limit"


@pytest.fixture
def keeper(person, database, office):
    files.sync(database, office)
    return person("rule_maintainer", name="甲（样例）")


def filed(database, applicant, area="100"):
    filing = Filing(database, applicant)
    filing.fill(area=area)
    filing.attach()
    filing.act(applicant, "apply", "submit", "")
    return filing


def read(database, look, *args, **more):
    with database.reading() as session:
        return look(session, *args, **more)


def test_cases_of_an_edition_are_paged_and_scoped(database, keeper, filing, person):
    cases = [filed(database, filing.applicant, area).case.id for area in ("100", "200", "300")]
    with database.reading() as session:
        digest = session.exec(select(StoredDecision.digest).where(StoredDecision.rule_set == LIMIT)).first()
    first = read(database, usage.cases_of_edition, keeper, digest, size=2)
    assert [case.id for case, _decision in first.rows] == [cases[2], cases[1]] and first.rows[0][1].rule_set == LIMIT
    last = read(database, usage.cases_of_edition, keeper, digest, before=first.next, size=2)
    assert ([case.id for case, _decision in last.rows], last.next) == ([cases[0]], None)
    assert read(database, usage.cases_of_edition, person("window", district="310115"), digest).rows == ()


@pytest.mark.function("PROJ-062", "edition_of_project_found")
def test_what_decided_a_project_found_by_its_number_and_its_name(database, keeper, filing, person):
    case = filed(database, filing.applicant).case
    for words in (case.draft_number, "泵站"):
        page = read(database, usage.of_project, keeper, words)
        [(found, uses)] = page.rows
        assert (found.id, page.total) == (case.id, 1)
        assert (uses[0].rule_set, uses[0].edition.key) == (LIMIT, LIMIT)
    assert read(database, usage.of_project, person("window", district="310115"), case.draft_number).total == 0
    assert read(database, usage.of_project, keeper, " ").total == 0


def test_a_refused_filing_is_counted_and_can_be_tried_with_another_area(database, keeper, filing):
    filing.fill(area="1000.01")
    filing.attach()
    with pytest.raises(Refused):
        filing.act(filing.applicant, "apply", "submit", "")
    use = read(database, usage.of_month, LIMIT)
    assert (use.asked, use.refused, use.reasons[0].count) == (1, 1, 1) and use.districts[0].code == "310118"
    with database.reading() as session:
        stored = session.exec(select(StoredDecision)).one()
    found = read(database, what_if.of_decision, keeper, stored.id, {"area": "1000"})
    assert (found.before.outcome, found.after.outcome) == ("deny", "none")


def test_a_case_with_altered_facts_but_no_draft_of_somebody_else(database, keeper, filing):
    case = filed(database, filing.applicant).case
    found = read(database, what_if.of_case, keeper, case.id, LIMIT, {"area": "1000.01"})
    assert (found.before.outcome, found.after.outcome) == ("none", "deny")
    with pytest.raises(NotFound):
        read(database, what_if.of_case, keeper, filing.case.id, LIMIT, {})
