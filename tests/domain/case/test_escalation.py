"""Reminders that nobody answers are escalated once, by the rules, and the mark goes when somebody answers."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select, update

from domain import escalation, portal_clock
from domain.actor import SYSTEM
from domain.case import operations
from domain.case.tables import CaseEvent, StoredDecision
from domain.errors import Conflict, InvalidData
from domain.escalation import Escalation
from domain.notice import Notice
from domain.person import Person, RoleGrant

MONDAY = datetime(2026, 3, 2, 10, tzinfo=portal_clock.SHANGHAI)


@pytest.fixture
def at(database):
    """Let it be so many days after Monday 2 March 2026, when everybody made so far already held his post."""

    def move(days: int) -> None:
        with database.writing() as session:
            session.exec(update(RoleGrant).values(from_at=MONDAY - timedelta(days=1)))
            session.commit()
        database.clock_shift = MONDAY + timedelta(days=days) - portal_clock.now()

    move(0)
    return move


@pytest.fixture
def chief(person):
    return person("section_chief", district="310118", name="科长")


@pytest.fixture
def waiting(filing, officers, at):
    """A case in the window's hands."""
    filing.submitted()
    filing.do(operations.claim, officers["window"], filing.task("window"))
    return filing


def urge(filing):
    filing.do(operations.urge, filing.applicant, filing.id, "请加快")


def sweep(filing):
    return escalation.sweep(filing.database.writing)


def rows(filing, table):
    with filing.database.reading() as session:
        return session.exec(select(table).order_by(col(table.id))).all()


def notices(filing, actor):
    return [each.title for each in rows(filing, Notice) if each.kind == "escalated" and each.person_id == actor.person_id]


def lines(filing):
    with filing.database.reading() as session:
        return [each.operation for each in escalation.history_of(session, filing.id)]


def ignored_twice(filing, at):
    urge(filing)
    at(1)
    urge(filing)
    at(8)  # Tuesday of the next week: five working days after the second


def test_two_reminders_ignored_for_five_working_days_escalate_once(waiting, officers, chief, person, at):
    elsewhere = person("section_chief", district="310101", name="外区科长")
    urge(waiting)
    at(1)
    urge(waiting)
    at(7)
    assert sweep(waiting) == {"changed": 0, "faults": []}  # four working days since the second
    at(8)
    assert sweep(waiting) == {"changed": 1, "faults": []}
    assert sweep(waiting) == {"changed": 0, "faults": []}
    assert lines(waiting) == ["escalate"]
    assert notices(waiting, chief) == ["催办未获回应，请督办：泵站工程"]
    assert notices(waiting, elsewhere) == notices(waiting, officers["window"]) == []
    decided = [each for each in rows(waiting, StoredDecision) if each.rule_set == "reminder_escalation"]
    assert [(each.outcome, each.moment, each.case_id) for each in decided] == [("red", "nightly", waiting.id)]
    assert len(decided[0].document["facts"]["reminders"]) == 2
    mark = rows(waiting, Escalation)[0]
    assert (mark.open_mark, mark.roles, mark.decision_id) == (1, "section_chief,district_chief", decided[0].id)


def test_one_reminder_is_not_enough_however_old(waiting, chief, at):
    urge(waiting)
    at(60)
    assert sweep(waiting)["changed"] == 0
    assert notices(waiting, chief) == []


def test_days_off_do_not_count(waiting, chief, at):
    at(28)  # Monday 30 March; 4 to 6 April are the Qingming holiday
    urge(waiting)
    at(29)
    urge(waiting)
    at(36)  # Tuesday 7 April: a week later, but four working days
    assert sweep(waiting)["changed"] == 0
    at(37)
    assert sweep(waiting)["changed"] == 1


def test_an_answer_takes_the_mark_away_at_once_and_tells_those_who_asked(waiting, officers, chief, at):
    ignored_twice(waiting, at)
    sweep(waiting)
    waiting.do(operations.answer_reminder, officers["window"], waiting.task("window"), "明日踏勘后受理")
    assert lines(waiting) == ["escalate", "escalation_end"]
    assert notices(waiting, chief)[-1] == "上报撤销：泵站工程"
    assert rows(waiting, Escalation)[0].open_mark is None
    answered = [each for each in rows(waiting, Notice) if each.kind == "answered"]
    assert [(each.person_id, each.body) for each in answered] == [(waiting.applicant.person_id, "明日踏勘后受理")]
    assert sweep(waiting)["changed"] == 0
    ends = [each for each in rows(waiting, CaseEvent) if each.operation == "escalation_end"]
    assert ends[0].person_name == SYSTEM.name


def test_doing_the_work_is_an_answer_too(waiting, officers, chief, at):
    ignored_twice(waiting, at)
    sweep(waiting)
    waiting.act(officers["window"], "window", "accept")
    assert lines(waiting) == ["escalate", "escalation_end"]


def test_handing_the_task_on_is_no_answer(waiting, officers, chief, person, at):
    other = person("window", district="310118", name="同事")
    ignored_twice(waiting, at)
    waiting.do(operations.transfer, officers["window"], waiting.task("window"), other.person_id)
    assert sweep(waiting)["changed"] == 1
    waiting.do(operations.transfer, other, waiting.task("window"), officers["window"].person_id)
    assert lines(waiting) == ["escalate"]


def test_a_second_neglect_escalates_again(waiting, officers, chief, at):
    ignored_twice(waiting, at)
    sweep(waiting)
    waiting.do(operations.answer_reminder, officers["window"], waiting.task("window"), "在办")
    for day in (9, 10):
        at(day)
        urge(waiting)
    at(17)
    sweep(waiting)
    assert lines(waiting) == ["escalate", "escalation_end", "escalate"]
    assert [each.open_mark for each in rows(waiting, Escalation)] == [None, 1]


def test_the_event_itself_is_judged_without_waiting_for_the_night(waiting, chief, at):
    ignored_twice(waiting, at)
    urge(waiting)  # a third reminder: the two before it are already ignored
    assert lines(waiting) == ["escalate"]
    assert len(notices(waiting, chief)) == 1


def test_a_case_that_ends_bears_no_mark(waiting, chief, at):
    ignored_twice(waiting, at)
    sweep(waiting)
    waiting.do(operations.withdraw, waiting.applicant, waiting.id, "不办了")
    assert rows(waiting, Escalation)[0].open_mark is None


def test_if_nobody_can_be_told_the_administrators_are(waiting, officers, person, at, database):
    administrator = person("system_admin", name="管理员")
    with database.writing() as session:
        session.get(Person, officers["section_chief"].person_id).is_active = False
        session.commit()
    ignored_twice(waiting, at)
    sweep(waiting)
    assert rows(waiting, Escalation)[0].told == 0
    assert notices(waiting, administrator) == ["催办应上报，但没有可督办的人员：泵站工程"]


def test_without_a_reminder_there_is_nothing_to_answer(waiting, officers, at):
    with pytest.raises(Conflict, match="没有等候回应的催办"):
        waiting.do(operations.answer_reminder, officers["window"], waiting.task("window"), "在办")
    urge(waiting)
    with pytest.raises(InvalidData, match="没有填写回复"):
        waiting.do(operations.answer_reminder, officers["window"], waiting.task("window"), " ")


def test_rules_that_cannot_answer_leave_the_mark_and_are_told_once(waiting, chief, person, at, office, monkeypatch):
    maintainer = person("rule_maintainer", name="维护")
    ignored_twice(waiting, at)
    sweep(waiting)
    monkeypatch.setattr(escalation, "RULE_SET", "gone")
    sweep(waiting)
    found = sweep(waiting)
    assert [each["case"] for each in found["faults"]] == [waiting.id]
    assert "gone" in found["faults"][0]["fault"]
    assert rows(waiting, Escalation)[0].open_mark == 1
    told = [each for each in rows(waiting, Notice) if each.kind == "rules"]
    assert [each.person_id for each in told] == [maintainer.person_id]
    urge(waiting)  # reminding goes on
