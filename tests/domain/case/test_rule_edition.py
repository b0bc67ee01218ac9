"""Running cases and the life of rules: they keep their edition; a rule that cannot answer stops the case."""

import pytest
from sqlmodel import select

from domain import decision
from domain.actor import SYSTEM
from domain.case.tables import Case, StoredDecision
from domain.errors import Refused
from domain.rule_edition import draft, examination, files, history, publication, review
from domain.rule_edition.tables import RuleEdition
from rules.engine import RuleSetMissing
from rules.engine.program import Program

from .conftest import Filing

LIMIT = "tree_limit"


@pytest.fixture
def keepers(person, database, office):
    files.sync(database, office)
    return person("rule_maintainer", name="甲"), person("rule_maintainer", name="乙")


def changed(database, *pairs):
    """The text of the limit's edition in force, with replacements."""
    with database.reading() as session:
        text = session.exec(select(RuleEdition.text).where(RuleEdition.key == LIMIT)).first()
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    return text


def drafted(database, keepers, text):
    with database.writing() as session:
        row = draft.open_draft(session, keepers[0], "admission", LIMIT)
    with database.writing() as session:
        row = draft.save(session, keepers[0], row.id, text, row.version)
    with database.reading() as session:
        return row, examination.examine(session, row)


def published(database, keepers, text):
    row, found = drafted(database, keepers, text)
    with database.writing() as session:
        review.submit(session, keepers[0], row.id, row.version, found, why="样例")
    with database.writing() as session:
        review.approve(session, keepers[1], row.id, found)
    with database.writing() as session:
        return publication.publish(session, keepers[0], row.id, found)


def lower(database):
    return changed(database, ('value: "1000"', 'value: "100"'), ('area: "1000"}', 'area: "100"}'), ("999.99", "99.99"),
                   ("1000.01", "100.01"))  # fmt: skip


def asked(database, filing):
    with database.reading() as session:
        return decision.decide(session, filing.applicant, session.get(Case, filing.id), LIMIT)


@pytest.mark.function("PROJ-062", "edition_of_project_found", "old_records_unchanged")
def test_a_running_case_keeps_its_edition_and_a_new_one_goes_by_the_new(database, filing, applicant, keepers):
    filing.submitted()
    edition = published(database, keepers, lower(database))
    assert asked(database, filing).outcome == "none"
    late = Filing(database, applicant)
    with pytest.raises(Refused, match="超过上限 100"):
        late.submitted()
    with database.reading() as session:
        kept = session.exec(select(StoredDecision).where(StoredDecision.case_id == filing.id)).all()
        uses = {use.rule_set: use for use in history.editions_of_cases(session, [filing.id])[filing.id]}
        first = uses[LIMIT].edition
        assert (first.state, first.digest != edition.digest) == ("superseded", True)
        counts = history.counts_of(session, "admission", LIMIT)
        # The refusal of the late filing is an answer too, given by the new edition.
        assert counts == {first.digest: (sum(row.rule_set == LIMIT for row in kept), 1), edition.digest: (1, 1)}
        page = history.decided_by(session, SYSTEM, first.digest)
        assert (page.total, page.rows[0][1].id) == (counts[first.digest][0], filing.id)
        assert history.cases_by(session, keepers[0], first.digest).total == 0
        assert history.cases_by(session, SYSTEM, first.digest).total == 1


def test_a_draft_that_reads_what_nobody_gives_is_refused_in_the_words_of_the_loader(database, keepers):
    text = changed(database, ("  area: {type: decimal", "  tree_age: {type: integer, label: 树龄}\n  area: {type: decimal"))
    _row, found = drafted(database, keepers, text)
    messages = [finding.message for finding in found.findings]
    assert any("规则集 tree_limit 要读事实 tree_age，但表单、办件和事实提供者都不给" in each for each in messages)


def test_a_parameter_without_a_value_on_the_day_stops_the_case(database, filing, keepers):
    text = changed(database, ('value: "1000"', 'values: [{from: 2030-01-01, value: "1000"}]'), ("on: 2026-06-30", "on: 2030-06-30"))
    published(database, keepers, text)
    with pytest.raises(Refused, match="判不出，不能继续"):
        filing.submitted()
    assert filing.case.status == "draft"


def test_a_failing_engine_stops_the_case_with_a_reason(database, filing, monkeypatch):
    filing.fill()
    filing.attach()

    def broken(self, given, on):
        raise ZeroDivisionError

    monkeypatch.setattr(Program, "judge", broken)
    with pytest.raises(decision.DecisionFailed, match="引擎出错（ZeroDivisionError），没有结论，不放行"):
        filing.act(filing.applicant, "apply", "submit", "")
    monkeypatch.undo()
    assert filing.case.status == "draft"
    with database.reading() as session:
        assert session.exec(select(StoredDecision).where(StoredDecision.case_id == filing.id)).all() == []


def test_a_rule_set_that_is_not_there_stops_the_case(database, filing, office):
    filing.fill()
    filing.attach()
    office.book._shelf = type(office.book._shelf)()
    with pytest.raises(RuleSetMissing, match="没有键为 tree_limit 的规则集，不能判断"):
        filing.act(filing.applicant, "apply", "submit", "")
    assert filing.case.status == "draft"
