"""The demo stories: read, put in order of their days, and played through the real commands on both databases."""

from datetime import date, timedelta

import pytest
from sqlmodel import select

from domain import portal_clock
from domain.actor import SYSTEM
from domain.audit import verify
from domain.case.tables import Case
from domain.clock import ClockEntry
from domain.demo import bureau, contracts, people
from domain.demo.acts import VERBS
from domain.demo.stories import Act, first_moment, parse, scenes, stories
from domain.usage_control import ReportRound
from portal.demo import load_part
from portal.demo_stage import DemoStage

TODAY = date(2026, 11, 28)


def test_an_act_is_read_with_its_day_verb_detail_and_person():
    assert parse("12 return apply") == Act(12, "return", "apply")
    assert parse("3 agree @reviewer2.310118") == Act(3, "agree", "", "reviewer2.310118")


@pytest.mark.parametrize("text", ["accept", "0 accept", "three accept", "1", "1 a b c"])
def test_an_act_that_cannot_be_is_refused(text):
    with pytest.raises(ValueError, match="演示故事的一步"):
        parse(text)


def test_acts_are_in_the_order_of_their_working_days_all_before_the_day_of_loading():
    ordered = scenes(TODAY, stories())
    moments = [scene.at for scene in ordered]
    assert moments == sorted(moments) and len(set(moments)) == len(moments)
    days = {portal_clock.local_date(moment) for moment in moments}
    assert max(days) == date(2026, 11, 27) and all(day.weekday() < 5 or day in {date(2026, 10, 10)} for day in days)
    assert first_moment(TODAY) < moments[0]


def test_the_acts_of_a_story_keep_their_order_and_there_is_a_bureau_full_of_them():
    told = stories()
    assert 50 <= len(told) <= 70
    assert {story.district for story, _ in told} == {"310118", "310115", "310151", "310100LG"}
    for _story, acts in told:
        days = [act.days_back for act in acts]
        assert days == sorted(days, reverse=True), acts


def test_every_verb_is_an_act_or_an_action_of_its_case_type(database):
    for story, acts in stories():
        workflow = database.office.catalogue.current(story.kind, TODAY).workflow
        known = {action.key for step in workflow.steps for action in step.actions} | VERBS.keys()
        assert {act.verb for act in acts} <= known


class Control:
    """The control of simulators that run elsewhere."""

    def __init__(self, running):
        self.running = running

    def set_fault(self, fields):
        self.running.control("faults", **fields)


def chosen():
    """A few of the stories: a draft, a correction, a report that was rejected, a closed house case, a contract."""
    wanted = (["1 open"], ["4 file", "3 correct"], "4 erratum", ["16 file", "14 agree"], "4 issue overdue_notice", ["6 file", "5 withdraw"])
    told = stories()
    return [pair for pair in told if any(
        pair[0].given["acts"] == one or (isinstance(one, str) and one in pair[0].given["acts"]) for one in wanted)]


def test_stories_are_played_on_their_days(database, linked, running, monkeypatch):
    told = chosen()
    assert len(told) == 6
    monkeypatch.setattr(bureau, "stories", lambda: told)
    database.clock_shift = first_moment(portal_clock.today()) - portal_clock.now()
    with database.writing() as session:
        load_part(session, SYSTEM, "people", people.load)
    bureau.play(DemoStage(database, Control(running), "http://127.0.0.1/identity"))
    with database.reading() as session:
        found = {(case.case_type, case.steps, case.status, case.outcome or "") for case in session.exec(select(Case)).all()}
        started = session.exec(select(ClockEntry.effective_on).order_by(ClockEntry.effective_on)).first()
        rounds = [row.state for row in session.exec(select(ReportRound)).all()]
        assert all(case.is_demo for case in session.exec(select(Case)).all())
        assert verify(session).is_intact
    assert found == {
        ("pipeline_permit", "apply", "draft", ""), ("pipeline_permit", "window", "correction", ""),
        ("pipeline_permit", "print", "open", ""), ("permit_erratum", "erratum_review", "open", ""),
        ("house_closing", "", "closed", "done"), ("payment_supervision", "supervise", "open", ""),
        ("pipeline_permit", "", "closed", "withdrawn"),
    }  # fmt: skip
    assert rounds == ["rejected"]
    assert started < portal_clock.today() - timedelta(days=10)


def test_demo_contracts_show_every_light(database):
    with database.writing() as session:
        load_part(session, SYSTEM, "people", people.load)
    with database.writing() as session:
        load_part(session, SYSTEM, "contracts", contracts.load)
    with database.reading() as session:
        cases = session.exec(select(Case).order_by(Case.id)).all()
    assert [each.light for each in cases] == ["yellow", "yellow", "yellow", "black", "black"]
    assert all(each.is_demo and "样例" in each.title for each in cases)
