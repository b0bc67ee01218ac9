"""A case through its workflow: gates, routes, branches, papers, clocks, ends."""

import pytest
from sqlmodel import col, select

from domain import audit, clock
from domain.case import inbox, movement
from domain.case.actions import take_action
from domain.case.inbox import CaseQuery
from domain.case.tables import CaseEvent, CaseSnapshot, StoredDecision
from domain.document.tables import Document
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound, Refused


def test_a_case_runs_from_draft_to_permit(database, filing, officers):
    filing.submitted()
    assert (filing.case.status, filing.case.steps, filing.case.title) == ("open", "window", "泵站工程")
    filing.act(officers["window"], "window", "accept")
    assert filing.case.number == "测绿〔2026〕00001号"
    assert filing.fill(officers["reviewer"], "review", visited="true") == {}
    filing.act(officers["reviewer"], "review", "pass")
    assert filing.case.steps == "garden,traffic"
    filing.act(officers["section_chief"], "garden", "agree")
    assert filing.case.steps == "traffic"
    filing.act(officers["pre_reviewer"], "traffic", "agree")
    assert filing.case.steps == "sign"
    filing.act(officers["approver"], "sign", "grant", "准予")
    assert (filing.case.status, filing.case.outcome, filing.case.steps) == ("closed", "granted", "")
    with database.reading() as session:
        documents = session.exec(select(Document.key).where(Document.case_id == filing.id)).all()
        assert set(documents) == {"acceptance", "permit"}
        assert session.exec(select(CaseSnapshot).where(CaseSnapshot.case_id == filing.id)).one().digest
        assert audit.verify(session).is_intact
        assert {c.status for c in clock.clocks_of(session, filing.id)} == {"finished"}
        history = session.exec(select(CaseEvent.operation).where(CaseEvent.case_id == filing.id).order_by(col(CaseEvent.id))).all()
    assert list(history) == ["open_draft", "submit", "accept", "edit", "pass", "agree", "agree", "grant"]


def test_a_small_area_is_routed_straight_to_the_signature(filing, officers):
    filing.fill(area="99.99")
    filing.attach()
    filing.act(filing.applicant, "apply", "submit", "")
    filing.act(officers["window"], "window", "accept")
    filing.fill(officers["reviewer"], "review", visited="true")
    filing.act(officers["reviewer"], "review", "quick")
    assert filing.case.steps == "sign"


def test_the_route_is_kept_with_its_reason(database, filing, officers):
    filing.submitted()
    filing.act(officers["window"], "window", "accept")
    filing.fill(officers["reviewer"], "review", visited="true")
    filing.act(officers["reviewer"], "review", "quick")
    assert filing.case.steps == "garden"
    with database.reading() as session:
        kept = session.exec(select(StoredDecision).where(StoredDecision.rule_set == "tree_route")).one()
    assert (kept.outcome, kept.moment) == ("none", "route")


def test_a_gate_refuses_and_changes_nothing_but_its_answer_is_kept(database, filing):
    filing.fill(area="1000.01")
    filing.attach()
    with pytest.raises(Refused, match="1,000.01 平方米 超过上限 1,000.00 平方米"):
        filing.act(filing.applicant, "apply", "submit", "")
    assert (filing.case.status, filing.case.submitted_at) == ("draft", None)
    with database.reading() as session:
        [kept] = session.exec(select(StoredDecision)).all()
        told = session.exec(select(audit.AuditEntry.command).order_by(audit.AuditEntry.id.desc())).first()
    assert (kept.case_id, kept.moment, kept.subject) == (filing.case.id, "leave", f"case:{filing.case.id}")
    assert (kept.outcome, told) == ("deny", "case.act.refused")
    assert "超过上限" in kept.message and kept.document["fired"]


def test_an_incomplete_filing_names_every_fault(filing):
    filing.fill(area="", cuts_trees="true")
    with pytest.raises(InvalidData) as refused:
        filing.act(filing.applicant, "apply", "submit", "")
    assert set(refused.value.fields) == {"area", "tree_count", "material-plan"}


def test_a_required_opinion_is_required(filing, officers):
    filing.submitted()
    filing.act(officers["window"], "window", "accept")
    filing.fill(officers["reviewer"], "review", visited="true")
    with pytest.raises(InvalidData, match="没有填写意见"):
        filing.act(officers["reviewer"], "review", "pass", "  ")


def test_an_officer_of_another_district_does_not_know_of_the_case(filing, person):
    filing.submitted()
    with pytest.raises(NotFound):
        filing.act(person("window", district="310115"), "window", "accept")


def test_an_officer_of_another_role_may_not_act(filing, officers):
    filing.submitted()
    with pytest.raises(NotAllowed, match="不在你手上"):
        filing.act(officers["reviewer"], "window", "accept")


def test_a_stale_page_is_told_so(filing, officers):
    filing.submitted()
    task = filing.task("window")
    filing.do(take_action, officers["window"], task, "accept", task_version=1)
    with pytest.raises(Conflict, match="已由window办理完毕"):
        filing.do(take_action, officers["window"], task, "accept", task_version=1)


def test_the_list_finds_a_case_by_words_and_fields(database, filing, officers):
    filing.submitted()
    with database.reading() as session:
        def found(**query):
            return [row.case.id for row in inbox.page(session, officers["window"], CaseQuery(**query)).rows]

        assert found(box="todo") == [filing.id]
        assert found(words="泵站") == [filing.id]
        assert found(words="站工") == [filing.id]
        assert found(words="站泵") == []
        assert found(fields=(("area", "from", index_number("120.50")),)) == [filing.id]
        assert found(fields=(("area", "from", index_number("120.51")),)) == []
        assert found(fields=(("project_name", "starts", "泵站"),)) == [filing.id]
        assert found(box="done") == []


def index_number(text):
    from decimal import Decimal

    return Decimal(text)


def test_a_draft_is_its_writers_alone(database, filing, officers, person):
    filing.fill()
    with database.reading() as session:
        for stranger in (officers["window"], person("city_viewer"), person("applicant", enterprise="别家（样例）")):
            assert inbox.page(session, stranger, CaseQuery(box="all")).rows == []
        assert len(inbox.page(session, filing.applicant, CaseQuery(box="mine")).rows) == 1


def test_closing_leaves_no_open_task(database, filing, officers):
    filing.submitted()
    filing.act(officers["window"], "window", "refuse", "不属于受理范围")
    with database.reading() as session:
        assert movement.open_tasks(session, filing.id) == []
    assert filing.case.outcome == "refused"


