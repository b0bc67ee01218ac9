"""Exceptions: asked with a reason, decided by another person, refused, withdrawn; the verdict follows the rule."""

import pytest

from domain.errors import Conflict, InvalidData, NotAllowed, NotFound, Refused
from domain.inspection.task import course, exceptions, findings
from domain.inspection.task.exceptions import Wanted
from domain.inspection.task.findings import FindingQuery
from domain.notice import page_of
from tests.domain.inspection.conftest import GOOD

ONE_ERROR = (("T1", "310118", 500.0), ("", "310118", 400.0))


@pytest.fixture
def failed(tasks):
    return tasks.inspected(ONE_ERROR)


def asked(tasks, task, wanted=None, reason="权属争议，按区里意见保留"):
    [run] = tasks.runs(task.id)
    return tasks.act(exceptions.ask, task.id, tasks.task(task.id).version, run.id, wanted or Wanted((1,)), reason)


def state_of(tasks, task):
    [run] = tasks.runs(task.id)
    with tasks.database.reading() as session:
        return findings.one(session, run.id, 1).state, run.is_passed, run.error_count, str(run.score)


@pytest.mark.function("DELTA-009", "c6", "c7")
def test_an_approved_exception_no_longer_counts_as_an_error(tasks, failed):
    assert state_of(tasks, failed) == ("open", False, 1, "95.00")
    row = asked(tasks, failed)
    assert state_of(tasks, failed) == ("asked", False, 1, "95.00")
    tasks.act(exceptions.decide, row.id, True, "同意", by=tasks.chief)
    assert state_of(tasks, failed) == ("excepted", True, 0, "100.00")
    assert tasks.task(failed.id).state == "passed"
    with tasks.database.reading() as session:
        assert page_of(session, tasks.chief.person_id, only_unread=False, first=0, size=9).rows[0].title == "「青浦补划」有例外待审批"
        told = page_of(session, tasks.handler.person_id, only_unread=False, first=0, size=9).rows
        assert told[0].title == "「青浦补划」的例外申请：同意" and told[0].subject == f"inspection:{failed.id}"


def test_nobody_approves_their_own(tasks, failed, person):
    both = person("district_handler", "district_chief", district="310118", name="一身二任")
    [run] = tasks.runs(failed.id)
    row = tasks.act(exceptions.ask, failed.id, failed.version, run.id, Wanted((1,)), "理由", by=both)
    with pytest.raises(NotAllowed, match="以外的人"):
        tasks.act(exceptions.decide, row.id, True, by=both)
    with pytest.raises(NotAllowed):
        tasks.act(exceptions.decide, row.id, True, by=tasks.handler)
    with pytest.raises(NotFound):
        tasks.act(exceptions.decide, row.id, True, by=person("district_chief", district="310115"))


def test_a_refusal_needs_its_reason_and_leaves_the_error(tasks, failed):
    row = asked(tasks, failed)
    with pytest.raises(InvalidData):
        tasks.act(exceptions.decide, row.id, False, "", by=tasks.chief)
    tasks.act(exceptions.decide, row.id, False, "应补编号", by=tasks.chief)
    assert state_of(tasks, failed) == ("open", False, 1, "95.00")
    with pytest.raises(Conflict):
        tasks.act(exceptions.decide, row.id, True, by=tasks.chief)


def test_a_withdrawn_exception_makes_the_error_count_again(tasks, failed):
    row = asked(tasks, failed)
    tasks.act(exceptions.decide, row.id, True, by=tasks.chief)
    tasks.act(exceptions.withdraw, row.id)
    assert state_of(tasks, failed) == ("open", False, 1, "95.00")
    assert tasks.task(failed.id).state == "failed"


def test_a_request_needs_a_reason_findings_and_a_class_that_may_be_excepted(tasks, failed):
    with pytest.raises(InvalidData):
        asked(tasks, failed, reason=" ")
    with pytest.raises(InvalidData):
        asked(tasks, failed, Wanted((99,)))
    doubled = tasks.inspected((("T1", "310118", 500.0), ("T1", "310118", 400.0)))
    with pytest.raises(Refused, match="必须改正"):
        asked(tasks, doubled)


def test_a_whole_class_is_asked_for_at_once(tasks):
    task = tasks.inspected(tuple((f"T{n}", "310118", 10.0) for n in range(5)))
    row = asked(tasks, task, Wanted(code="MJ-01"))
    assert row.finding_count == 5
    with tasks.database.reading() as session:
        assert findings.count(session, row.run_id, FindingQuery(state="asked")) == 5


def test_approved_exceptions_go_on_for_the_same_fault_only(tasks, failed):
    row = asked(tasks, failed)
    tasks.act(exceptions.decide, row.id, True, by=tasks.chief)
    tasks.act(course.rerun, failed.id, tasks.task(failed.id).version)
    tasks.work()
    assert state_of(tasks, failed) == ("excepted", True, 0, "100.00")
    moved = (("", "310118", 500.0), ("T2", "310118", 400.0))
    tasks.act(course.resubmit, failed.id, tasks.task(failed.id).version, 1, tasks.received(moved))
    tasks.work()
    tasks.act(course.confirm, failed.id, tasks.task(failed.id).version)
    tasks.work()
    assert state_of(tasks, failed) == ("open", False, 1, "95.00")


def test_an_older_result_takes_no_exceptions(tasks, failed):
    [old] = tasks.runs(failed.id)
    tasks.act(course.resubmit, failed.id, failed.version, 1, tasks.received(GOOD))
    tasks.work()
    with pytest.raises(Conflict):
        tasks.act(exceptions.ask, failed.id, tasks.task(failed.id).version, old.id, Wanted((1,)), "理由")
