"""The way of a case as told to its applicant: expected from the definition, walked and ahead from its tasks."""

from domain.case.course import course, expected, whole
from domain.portal_clock import today


def keys(steps):
    return [each.key for each in steps]


def workflow_of(database):
    return database.office.catalogue.current("tree_permit", today()).workflow


def test_parallel_branches_come_before_the_step_that_joins_them(database):
    assert keys(whole(workflow_of(database))) == ["apply", "window", "review", "garden", "traffic", "sign"]
    assert keys(expected(workflow_of(database), "garden")) == ["sign"]
    assert keys(expected(workflow_of(database), "sign")) == []


def test_a_running_case_shows_what_is_behind_it_and_what_is_ahead(filing, officers):
    filing.submitted().act(officers["window"], "window", "accept")
    with filing.database.reading() as session:
        states = {each.label: each.state for each in course(session, filing.case)}
    assert states == {"申报": "done", "收件": "done", "审核": "now", "绿化会办": "next", "交通会办": "next", "签发": "next"}


def test_an_ended_case_shows_only_the_steps_it_went_through(filing, officers):
    filing.submitted().act(officers["window"], "window", "refuse", "不属于本机关职权")
    with filing.database.reading() as session:
        assert [(each.key, each.state) for each in course(session, filing.case)] == [("apply", "done"), ("window", "done")]
