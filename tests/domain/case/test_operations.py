"""Operations on a case: claim, transfer, return, take back, correct, countersign, suspend, withdraw, urge, stand in."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from domain import clock
from domain.case import correction, countersign, operations
from domain.case.tables import CaseEvent, CaseVersion
from domain.errors import Conflict, InvalidData, NotAllowed
from domain.notice import Notice
from domain.person import Absence, RoleGrant, actor_of
from domain.portal_clock import now


def history(filing):
    with filing.database.reading() as session:
        found = select(CaseEvent).where(CaseEvent.case_id == filing.id).order_by(col(CaseEvent.id))
        return list(session.exec(found).all())


def test_of_two_officers_one_claims_and_the_other_is_told_who(filing, person):
    filing.submitted()
    first, second = person("window", district="310118", name="甲"), person("window", district="310118", name="乙")
    filing.do(operations.claim, first, filing.task("window"))
    with pytest.raises(Conflict, match="已由甲认领"):
        filing.do(operations.claim, second, filing.task("window"))
    filing.do(operations.hand_back, first, filing.task("window"))
    filing.do(operations.claim, second, filing.task("window"))
    assert filing.tasks("held")[0].assignee_id == second.person_id


def test_a_draft_cannot_be_put_into_the_pool(filing):
    with pytest.raises(Conflict, match="草稿"):
        filing.do(operations.hand_back, filing.applicant, filing.task("apply"))


def test_a_transfer_goes_only_to_a_fitting_colleague(filing, officers, person):
    filing.submitted()
    colleague, stranger = person("window", district="310118"), person("window", district="310115")
    with pytest.raises(InvalidData, match="不能办理"):
        filing.do(operations.transfer, officers["window"], filing.task("window"), stranger.person_id)
    filing.do(operations.transfer, officers["window"], filing.task("window"), colleague.person_id, "我外出")
    assert filing.tasks("held")[0].assignee_id == colleague.person_id
    with pytest.raises(NotAllowed):
        filing.act(officers["window"], "window", "accept")


def test_a_return_to_the_applicant_stops_the_clock_and_comes_back_to_the_same_hands(filing, officers):
    filing.submitted()
    filing.act(officers["window"], "window", "accept")
    filing.fill(officers["reviewer"], "review", visited="true")
    filing.do(operations.send_back, officers["reviewer"], filing.task("review"), "apply", "面积与图不符")
    assert (filing.case.status, filing.case.steps) == ("correction", "apply")
    with filing.database.reading() as session:
        assert clock.open_clock(session, filing.id, "promise").status == "stopped"
    filing.fill(area="130")
    filing.act(filing.applicant, "apply", "submit", "")
    with filing.database.reading() as session:
        assert clock.open_clock(session, filing.id, "promise").status == "running"
        versions = session.exec(select(CaseVersion.values).where(CaseVersion.case_id == filing.id)).all()
    assert [v["area"] for v in versions] == ["120.50", "130.00"]
    assert filing.tasks("held")[0].assignee_id == officers["window"].person_id


def test_a_return_needs_a_reason_and_a_step_that_was_passed(filing, officers):
    filing.submitted()
    with pytest.raises(InvalidData, match="退回理由"):
        filing.do(operations.send_back, officers["window"], filing.task("window"), "apply", " ")
    with pytest.raises(InvalidData, match="不能退回到所选环节"):
        filing.do(operations.send_back, officers["window"], filing.task("window"), "sign", "看看")


def test_taking_back_works_until_somebody_takes_it_up(filing, officers, person):
    filing.submitted()
    filing.act(officers["window"], "window", "accept")
    filing.fill(officers["reviewer"], "review", visited="true")
    filing.act(officers["reviewer"], "review", "pass")
    filing.do(operations.take_back, officers["reviewer"], filing.id)
    assert filing.case.steps == "review"
    filing.act(officers["reviewer"], "review", "pass")
    filing.do(operations.claim, officers["section_chief"], filing.task("garden"))
    with pytest.raises(Conflict, match="不能拿回"):
        filing.do(operations.take_back, officers["reviewer"], filing.id)


def test_what_issued_a_paper_cannot_be_taken_back(filing, officers):
    filing.submitted()
    filing.act(officers["window"], "window", "accept")
    with pytest.raises(Conflict, match="已产生文书"):
        filing.do(operations.take_back, officers["window"], filing.id)


def test_a_correction_opens_only_what_it_names(filing, officers):
    filing.submitted()
    items = [{"field": "area", "what": "面积与图纸不一致"}]
    filing.do(correction.ask_correction, officers["window"], filing.task("window"), items, "请核对")
    assert filing.case.status == "correction"
    faults = filing.fill(area="110")
    assert faults == {}
    assert set(filing.fill(area="110", project_name="改名")) == {"project_name"}
    assert filing.case.values["project_name"] == "泵站工程"
    filing.do(correction.answer_correction, filing.applicant, filing.task("apply"))
    assert (filing.case.status, filing.case.values["area"]) == ("open", "110.00")
    filing.act(officers["window"], "window", "accept")


def test_a_correction_without_items_is_refused(filing, officers):
    filing.submitted()
    with pytest.raises(InvalidData, match="没有列出补正事项"):
        filing.do(correction.ask_correction, officers["window"], filing.task("window"), [])
    with pytest.raises(InvalidData, match="要选定字段或材料"):
        filing.do(correction.ask_correction, officers["window"], filing.task("window"), [{"field": "nope", "what": "x"}])


def test_a_sequential_countersign_asks_one_after_another(filing, officers, person):
    filing.submitted()
    one, two = person("reviewer", district="310118", name="一"), person("approver", district="310118", name="二")
    task = filing.task("window")
    filing.do(countersign.ask_countersign, officers["window"], task, [one.person_id, two.person_id], "请会签", in_sequence=True)
    mine = {t.assignee_id: t for t in filing.tasks("held", "waiting")}
    assert (mine[one.person_id].status, mine[two.person_id].status) == ("held", "waiting")
    with pytest.raises(NotAllowed):
        filing.do(countersign.answer, two, mine[two.person_id].id, True, "同意")
    filing.do(countersign.answer, one, mine[one.person_id].id, True, "同意")
    filing.do(countersign.answer, two, mine[two.person_id].id, False, "面积偏大")
    assert filing.tasks("held")[0].id == task
    filing.act(officers["window"], "window", "accept")


def test_a_parallel_countersign_waits_for_all(filing, officers, person):
    filing.submitted()
    people = [person("reviewer", district="310118", name=name) for name in "甲乙"]
    filing.do(countersign.ask_countersign, officers["window"], filing.task("window"), [p.person_id for p in people], "请会签")
    children = filing.tasks("held")
    assert len(children) == 2
    filing.do(countersign.answer, people[0], children[0].id, True, "同意")
    with pytest.raises(NotAllowed):
        filing.do(operations.suspend, officers["window"], filing.tasks("waiting")[0].id, "等")
    filing.do(countersign.answer, people[1], children[1].id, True, "同意")
    filing.act(officers["window"], "window", "accept")


def test_a_suspended_case_cannot_be_decided_until_it_is_resumed(filing, officers):
    filing.submitted()
    filing.do(operations.suspend, officers["window"], filing.task("window"), "等待专家意见")
    with pytest.raises(Conflict, match="已停表"):
        filing.act(officers["window"], "window", "accept")
    filing.do(operations.resume, officers["window"], filing.task("window"), "意见已到")
    filing.act(officers["window"], "window", "accept")


def test_the_applicant_withdraws_before_the_decision_and_not_after(filing, officers, person):
    filing.submitted()
    with pytest.raises(NotAllowed):
        filing.do(operations.withdraw, officers["window"], filing.id, "代撤")
    filing.act(officers["window"], "window", "accept")
    with pytest.raises(Conflict, match="不能撤回"):
        filing.do(operations.withdraw, filing.applicant, filing.id, "不办了")


def test_a_withdrawn_case_is_closed(filing):
    filing.submitted()
    filing.do(operations.withdraw, filing.applicant, filing.id, "不办了")
    assert (filing.case.status, filing.case.outcome) == ("closed", "withdrawn")


def test_urging_reaches_those_who_hold_the_step_once_a_day(filing, officers):
    filing.submitted()
    assert filing.do(operations.urge, filing.applicant, filing.id, "请加快") == 1
    with filing.database.reading() as session:
        told = session.exec(select(Notice.person_id).where(Notice.kind == "urged")).all()
    assert list(told) == [officers["window"].person_id]
    with pytest.raises(Conflict, match="一天只能催办一次"):
        filing.do(operations.urge, filing.applicant, filing.id)


def test_urging_leaves_out_those_whose_post_has_ended_or_whose_account_is_closed(filing, officers, person, database):
    gone, closed = person("window", district="310118"), person("window", district="310118", is_active=False)
    with database.writing() as session:
        session.exec(select(RoleGrant).where(RoleGrant.person_id == gone.person_id)).one().until_at = now() - timedelta(days=1)
        session.commit()
    filing.submitted()
    assert filing.do(operations.urge, filing.applicant, filing.id) == 1
    with database.reading() as session:
        told = session.exec(select(Notice.person_id).where(Notice.kind == "urged")).all()
    assert closed is None and list(told) == [officers["window"].person_id]


def test_a_delegate_acts_for_an_absent_colleague_and_the_history_says_so(filing, officers, person, database):
    filing.submitted()
    filing.do(operations.claim, officers["window"], filing.task("window"))
    delegate = person("reviewer", district="310118", name="代办人")
    with database.writing() as session:
        session.add(Absence(person_id=officers["window"].person_id, delegate_id=delegate.person_id, from_at=now(),
                            until_at=now() + timedelta(days=3), reason="病假"))
        session.commit()
        delegate = actor_of(session, delegate.person_id)
    filing.act(delegate, "window", "accept")
    assert [e.on_behalf_of for e in history(filing)][-1] == "window"


def test_a_delegation_ends_by_itself(filing, officers, person, database):
    filing.submitted()
    delegate = person("reviewer", district="310118")
    with database.writing() as session:
        session.add(Absence(person_id=officers["window"].person_id, delegate_id=delegate.person_id,
                            from_at=now() - timedelta(days=5), until_at=now() - timedelta(seconds=1), reason="病假"))
        session.commit()
        delegate = actor_of(session, delegate.person_id)
    assert delegate.stands_for == ()
    with pytest.raises(NotAllowed):
        filing.act(delegate, "window", "accept")
