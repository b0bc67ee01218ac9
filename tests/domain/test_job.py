"""Jobs: queued with the act that asks for them, run once, cancelled, cut off, tried again."""

import threading
import time

import pytest
from sqlmodel import select

from domain import job as jobs
from domain.actor import SYSTEM
from domain.command import Work
from domain.errors import Conflict, InvalidData, NotFound
from domain.job import JOB_HANDLERS, Job, JobResult, enqueue, job_handler
from domain.notice import Notice
from domain.portal_clock import now
from portal.runner import Runner
from tests.integrations.waiting import wait_until


@pytest.fixture
def handler():
    """Register handlers for the time of a test."""
    made = []

    def register(kind, **how):
        def take(run):
            made.append(kind)
            return job_handler(kind, **how)(run)

        return take

    yield register
    for kind in made:
        del JOB_HANDLERS[kind]


@pytest.fixture
def owner(person):
    return person("window", district="310118")


@pytest.fixture
def runner(database, office):
    made = Runner(database, office)
    yield made
    made.stop()


def put(database, actor, kind, **arguments):
    with database.writing() as session:
        work = Work(session, actor, now(session), "test")
        job = enqueue(work, kind, "样例作业", arguments)
        work.finish()
        return job.id


def row(database, job_id):
    with database.reading() as session:
        found = session.get_one(Job, job_id)
        session.expunge(found)
        return found


def test_a_job_runs_and_leaves_its_result_and_a_notice(database, runner, owner, handler):
    @handler("sample_sum")
    def add(progress, arguments):
        progress.tell(1, 2, "相加")
        return {"sum": sum(arguments["numbers"])}

    job_id = put(database, owner, "sample_sum", numbers=[1, 2, 3])
    assert runner._work_at_job() and not runner._work_at_job()
    done = row(database, job_id)
    assert (done.status, done.result, done.doing, done.done_units, done.total_units) == ("done", {"sum": 6}, "相加", 2, 2)
    with database.reading() as session:
        assert [notice.title for notice in session.exec(select(Notice))] == ["「样例作业」已完成"]


def test_a_result_file_is_kept_under_its_digest(database, runner, owner, handler, office):
    @handler("sample_file")
    def write(progress, arguments):
        kept = progress.office.files.put_bytes(b"a,b\n1,2\n", "sample.csv")
        return JobResult({}, kept, "样例.csv")

    job_id = put(database, owner, "sample_file")
    runner._work_at_job()
    done = row(database, job_id)
    assert office.files.read_bytes(done.result_file) == b"a,b\n1,2\n" and done.result_name == "样例.csv"


def test_a_job_of_a_rolled_back_act_never_runs(database, runner, owner):
    with database.writing() as session:
        enqueue(Work(session, owner, now(session), "test"), "sample_none", "样例作业", {})
    assert not runner._work_at_job()


@pytest.mark.parametrize(
    ("fault", "words"),
    [(InvalidData("第 3 行缺少面积。请补齐后重新上传。"), "第 3 行缺少面积"), (ZeroDivisionError(), "程序错误")],
)
def test_a_failed_job_says_why_and_the_next_one_runs(database, runner, owner, handler, fault, words):
    @handler("sample_fault")
    def fail(progress, arguments):
        raise fault

    @handler("sample_next")
    def succeed(progress, arguments):
        return None

    first, second = put(database, owner, "sample_fault"), put(database, owner, "sample_next")
    runner._work_at_job(), runner._work_at_job()
    assert row(database, first).status == "failed" and words in row(database, first).fault
    assert row(database, second).status == "done"


def test_a_kind_without_a_handler_fails_in_words(database, runner, owner):
    job_id = put(database, owner, "sample_unknown")
    runner._work_at_job()
    assert "sample_unknown" in row(database, job_id).fault


def test_a_queued_job_is_taken_back_and_a_running_one_ends_at_its_next_step(database, runner, owner, handler):
    begun, steps = threading.Event(), []

    @handler("sample_long")
    def work_long(progress, arguments):
        for step in range(10_000):
            progress._told_at = float("-inf")
            progress.tell(step, 10_000)
            steps.append(step)
            begun.set()
            time.sleep(0.02)

    queued = put(database, owner, "sample_long")
    with database.writing() as session:
        jobs.cancel(session, owner, queued)
    assert row(database, queued).status == "cancelled"
    running_job = put(database, owner, "sample_long")
    runner.start()
    begun.wait(10)
    with database.writing() as session:
        jobs.cancel(session, owner, running_job)
    wait_until(lambda: row(database, running_job).status == "cancelled")
    assert 0 < len(steps) < 10_000


def test_only_the_owner_may_cancel_and_only_an_open_job(database, runner, owner, person, handler):
    @handler("sample_quick")
    def quick(progress, arguments):
        return None

    job_id, stranger = put(database, owner, "sample_quick"), person("window", district="310115")
    with database.writing() as session, pytest.raises(NotFound):
        jobs.cancel(session, stranger, job_id)
    runner._work_at_job()
    with database.writing() as session, pytest.raises(Conflict):
        jobs.cancel(session, owner, job_id)


@pytest.mark.parametrize(("resumable", "status"), [(True, "queued"), (False, "failed")])
def test_a_job_cut_off_by_the_end_of_the_process(database, runner, owner, handler, resumable, status):
    handler("sample_cut", resumable=resumable)(lambda progress, arguments: None)
    job_id = put(database, owner, "sample_cut")
    with database.writing() as session:
        jobs.claim(session, SYSTEM)
    runner._recover()
    after = row(database, job_id)
    assert after.status == status
    assert (after.fault is None) == resumable


def test_a_resumable_job_that_is_cut_off_again_and_again_is_given_up(database, runner, owner, handler):
    handler("sample_deadly", resumable=True)(lambda progress, arguments: None)
    job_id = put(database, owner, "sample_deadly")
    for _ in range(3):
        with database.writing() as session:
            jobs.claim(session, SYSTEM)
        runner._recover()
    assert row(database, job_id).status == "failed"


def test_stopping_the_portal_puts_a_running_job_back(database, runner, owner, handler):
    begun = threading.Event()

    @handler("sample_long", resumable=True)
    def work_long(progress, arguments):
        for step in range(10_000):
            progress.tell(step)
            begun.set()
            time.sleep(0.02)

    job_id = put(database, owner, "sample_long")
    runner.start()
    assert begun.wait(10)
    runner.stop()
    assert (row(database, job_id).status, row(database, job_id).attempts) == ("queued", 0)


def test_a_failed_job_is_tried_again(database, runner, owner, handler):
    outcomes = [InvalidData("缺少坐标系。请补齐。"), None]

    @handler("sample_second")
    def second(progress, arguments):
        if (fault := outcomes.pop(0)) is not None:
            raise fault

    job_id = put(database, owner, "sample_second")
    runner._work_at_job()
    with database.writing() as session:
        jobs.retry(session, owner, job_id)
    runner._work_at_job()
    assert row(database, job_id).status == "done" and row(database, job_id).fault is None
    with database.writing() as session, pytest.raises(Conflict):
        jobs.retry(session, owner, job_id)


def test_telling_inside_a_transaction_is_a_mistake_that_is_said(database, runner, owner, handler):
    seen = []

    @handler("sample_mistake")
    def tell_inside(progress, arguments):
        with progress.writing():
            try:
                progress.tell(1)
            except RuntimeError as mistake:
                seen.append(str(mistake))

    put(database, owner, "sample_mistake")
    runner._work_at_job()
    assert seen and "not inside" in seen[0]


def test_progress_is_written_at_most_once_a_second(database, runner, owner, handler, monkeypatch):
    written = []
    monkeypatch.setattr(jobs, "_note_progress", lambda session, *told: written.append(told))

    @handler("sample_fast")
    def fast(progress, arguments):
        for step in range(2000):
            progress.tell(step, 2000)

    put(database, owner, "sample_fast")
    runner._work_at_job()
    assert 1 <= len(written) <= 3


def test_an_owner_whose_account_is_closed_gets_nothing(database, runner, owner, handler):
    from domain.person import Person

    @handler("sample_owner")
    def who(progress, arguments):
        with progress.reading() as session:
            return {"name": progress.owner(session).name}

    job_id = put(database, owner, "sample_owner")
    with database.writing() as session:
        session.get_one(Person, owner.person_id).is_active = False
        session.commit()
    runner._work_at_job()
    assert row(database, job_id).status == "failed" and "已停用" in row(database, job_id).fault
