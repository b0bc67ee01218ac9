"""Clocks in the database: the ledger only grows, the list columns follow it, the calendar moves it with history."""

from datetime import date

import pytest
from sqlalchemy import event
from sqlmodel import select

from domain import calendar_year, clock, clock_sweep, portal_clock
from domain.actor import SYSTEM
from domain.audit import AuditEntry
from domain.calendar_table import (
    CalendarRevision,
    calendar_fault,
    calendar_of,
    correct_day,
    drop_correction,
    load_year,
    set_year_official,
)
from domain.case.tables import Case, Task
from domain.clock import Clock, ClockEntry
from domain.demo_date import move_demo_date
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound, Refused
from domain.job import Job
from domain.portal_clock import DemoClock
from tests.domain.clock_office import ADMINISTRATOR, HANDLER, ClockOffice

pytest_plugins = ["tests.domain.clock_fixtures"]

NOTICE_2027 = {
    "year": 2027,
    "papers": ["国务院办公厅通知（样例）"],
    "days": [
        {"name": "元旦", "date": "2027-01-01", "isOffDay": True},
        {"name": "元旦", "date": "2027-01-04", "isOffDay": True},
    ],
}


def started(office: ClockOffice, on: date, days: int = 20, **more) -> int:
    """The id of a clock of a new case, started on a day."""
    office.on(on)
    with office.working() as work:
        case = office.new_case(work.session)
        values = {"key": "promise", "label": "承诺时限", "days": days, "legal_days": 30, "warning_days": 3, **more}
        return clock.start(work, case, **values).id


def read(office: ClockOffice, clock_id: int) -> tuple[Clock, Case, list[ClockEntry]]:
    with office.reading() as session:
        found = session.get(Clock, clock_id)
        case, ledger = session.get(Case, found.case_id), clock.ledger_of(session, found)
        session.expunge_all()
        return found, case, ledger


def test_a_case_stopped_and_resumed_over_the_national_day(time_office):
    clock_id = started(time_office, date(2026, 9, 17), days=5)
    time_office.on(date(2026, 9, 21))
    with time_office.working() as work:
        [stopped] = clock.stop_running(work, work.session.get(Clock, clock_id).case_id, "补正材料")
        assert stopped.light_words == "停表"
    found, case, _ = read(time_office, clock_id)
    assert (found.status, found.light, case.light, case.light_words) == ("stopped", "off", "off", "停表")
    time_office.on(date(2026, 10, 10))  # the make-up Saturday
    with time_office.working() as work:
        clock.resume_stopped(work, case.id, "材料补齐")
    found, case, ledger = read(time_office, clock_id)
    assert (found.status, found.due_on, found.used_days, found.left_days) == ("running", date(2026, 10, 13), 3, 2)
    assert (case.due_on, case.light, case.light_words) == (date(2026, 10, 13), "yellow", "剩 2 日")
    assert [(e.kind, e.effective_on, e.reason, e.person_name) for e in ledger] == [
        ("start", date(2026, 9, 17), "", HANDLER.name),
        ("stop", date(2026, 9, 21), "补正材料", HANDLER.name),
        ("resume", date(2026, 10, 10), "材料补齐", HANDLER.name),
    ]


def test_the_audit_trail_names_every_entry(time_office):
    clock_id = started(time_office, date(2026, 11, 9))
    with time_office.working() as work:
        clock.stop(work, work.session.get(Clock, clock_id), "停表")
    with time_office.reading() as session:
        details = [entry.detail for entry in session.exec(select(AuditEntry).order_by(AuditEntry.id))]
    assert [(d["clock"], d["entry"]) for d in details if "entry" in d] == [("promise", "start"), ("promise", "stop")]


def test_entries_can_neither_be_changed_nor_deleted(time_office):
    clock_id = started(time_office, date(2026, 11, 9))
    with time_office.writing() as session:
        entry = session.exec(select(ClockEntry).where(ClockEntry.clock_id == clock_id)).one()
        entry.days = 99
        with pytest.raises(Refused, match="只能追加"):
            session.flush()
        session.rollback()
        session.delete(session.get(ClockEntry, entry.id))
        with pytest.raises(Refused, match="只能追加"):
            session.flush()
        session.rollback()
    assert read(time_office, clock_id)[2][0].days == 20


def test_the_same_clock_is_not_started_twice(time_office):
    clock_id = started(time_office, date(2026, 11, 9))
    with time_office.writing() as session:
        work = clock.Work(session, HANDLER, portal_clock.now(session), "test")
        case = session.get(Case, session.get(Clock, clock_id).case_id)
        with pytest.raises(Conflict, match="已经起算"):
            clock.start(work, case, key="promise", label="承诺时限", days=5)
        clock.finish_open(work, case.id, "办结")
        assert clock.start(work, case, key="promise", label="承诺时限", days=5).status == "running"


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"days": 0}, Refused, "天数是 0"),
        ({"days": 5, "on": date(2026, 11, 10)}, Refused, "还没有到"),
        ({"days": 5, "due_on": date(2026, 12, 1)}, ValueError, "either"),
        ({}, ValueError, "either"),
    ],
)
def test_starts_that_are_refused(time_office, values, error, words):
    time_office.on(date(2026, 11, 9))
    with time_office.writing() as session:
        work = clock.Work(session, HANDLER, portal_clock.now(session), "test")
        case = time_office.new_case(session)
        with pytest.raises(error, match=words):
            clock.start(work, case, key="promise", label="承诺时限", **values)
        assert clock.clocks_of(session, case.id) == []


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda work, c: clock.stop(work, c, "  "), "写明原因"),
        (lambda work, c: clock.resume(work, c, "续办"), "正在计时.*不能再续办"),
        (lambda work, c: clock.stop(work, c, "补正", on=date(2026, 11, 8)), "早于上一条流水"),
        (lambda work, c: clock.stop(work, c, "补正", on=date(2026, 11, 10)), "还没有到"),
        (lambda work, c: clock.extend(work, c, 0, "延期"), "延期的天数是 0"),
    ],
)
def test_acts_that_do_not_fit_are_refused_and_leave_nothing(time_office, act, words):
    clock_id = started(time_office, date(2026, 11, 9))
    with time_office.writing() as session:
        work = clock.Work(session, HANDLER, portal_clock.now(session), "test")
        with pytest.raises(Refused, match=words):
            act(work, session.get(Clock, clock_id))
        session.rollback()
    assert len(read(time_office, clock_id)[2]) == 1


def test_an_overdue_clock_is_not_extended_but_a_due_one_is(time_office):
    clock_id = started(time_office, date(2026, 11, 9), days=5)
    time_office.on(date(2026, 11, 16))
    with time_office.working() as work:
        clock.extend(work, work.session.get(Clock, clock_id), 2, "经负责人批准延长")
    assert read(time_office, clock_id)[0].due_on == date(2026, 11, 18)
    time_office.on(date(2026, 11, 19))
    with time_office.writing() as session:
        work = clock.Work(session, HANDLER, portal_clock.now(session), "test")
        with pytest.raises(Refused, match="已于 2026-11-18 到期，不能再延期"):
            clock.extend(work, session.get(Clock, clock_id), 2, "延长")


def test_an_open_clock_is_found_by_its_key(time_office):
    clock_id = started(time_office, date(2026, 11, 9))
    with time_office.reading() as session:
        case_id = session.get(Clock, clock_id).case_id
        assert clock.open_clock(session, case_id, "promise").id == clock_id
        with pytest.raises(NotFound, match="「payment」"):
            clock.open_clock(session, case_id, "payment")


def test_the_case_shows_its_most_serious_clock_and_steps_only_when_alone(time_office):
    clock_id = started(time_office, date(2026, 11, 9), days=5)
    with time_office.working() as work:
        case = work.session.get(Case, work.session.get(Clock, clock_id).case_id)
        clock.start(work, case, key="review", label="审理", days=20, warning_days=3)
        # A step's clock is shown with its task; the case keeps the promise to the applicant.
        work.session.add(task := Task(case_id=case.id, step="window", role="window", created_at=case.created_at))
        work.session.flush()
        clock.start(work, case, key="step", label="收件", days=1, warning_days=1, task_id=task.id)
    _, case, _ = read(time_office, clock_id)
    assert (case.due_on, case.light) == (date(2026, 11, 16), "green")
    with time_office.working() as work:
        clock.finish(work, clock.open_clock(work.session, case.id, "promise"))
        clock.finish(work, clock.open_clock(work.session, case.id, "review"))
    _, case, _ = read(time_office, clock_id)
    assert (case.due_on, case.light) == (date(2026, 11, 10), "yellow")
    with time_office.working() as work:
        clock.finish_open(work, case.id, "办结")
    _, case, _ = read(time_office, clock_id)
    assert (case.light, case.light_words) == ("off", "用 0 日")


def test_agreed_dates_run_on_while_the_case_is_suspended(time_office):
    time_office.on(date(2026, 6, 1))
    with time_office.working() as work:
        case = time_office.new_case(work.session)
        clock.start(work, case, key="payment", label="约定缴款日", due_on=date(2026, 6, 30), counting="calendar")
        assert clock.stop_running(work, case.id, "挂起") == []


def test_a_calendar_change_moves_open_clocks_with_history_and_leaves_ended_ones(time_office):
    certain = started(time_office, date(2026, 12, 1), days=10)
    open_date = started(time_office, date(2026, 12, 4), days=20)
    ended = started(time_office, date(2026, 12, 4), days=20)
    with time_office.working() as work:
        clock.finish(work, work.session.get(Clock, ended))
    assert read(time_office, open_date)[0].is_provisional
    frozen = read(time_office, ended)[0]
    with time_office.writing() as session:
        revision = load_year(session, ADMINISTRATOR, NOTICE_2027, reason="国务院通知已发布")
    result = clock_sweep.sweep(time_office.writing, reason=revision.reason)
    [move] = result.moves
    assert (move.clock_id, move.was_due_on, move.due_on) == (open_date, date(2027, 1, 4), date(2027, 1, 5))
    assert (move.was_provisional, move.is_provisional) == (True, False)
    found, case, ledger = read(time_office, open_date)
    assert (found.due_on, found.is_provisional, case.due_on) == (date(2027, 1, 5), False, date(2027, 1, 5))
    assert (ledger[-1].kind, ledger[-1].was_due_on, ledger[-1].due_on, ledger[-1].reason) == (
        "recompute", date(2027, 1, 4), date(2027, 1, 5), "国务院通知已发布")
    assert [e.kind for e in read(time_office, certain)[2]] == ["start"]
    after = read(time_office, ended)[0]
    assert (after.due_on, after.used_days, after.calendar_version) == (
        frozen.due_on, frozen.used_days, frozen.calendar_version)
    with time_office.reading() as session:
        assert [e.clock_id for e in clock_sweep.moved_entries(session, revision.version)] == [open_date]
        [moved] = calendar_year.moved_clocks(session, revision)
    assert (moved.case_number, moved.due_on) == (case.number or case.draft_number, date(2027, 1, 5))
    assert clock_sweep.sweep(time_office.writing).moves == ()


def test_a_provisional_date_that_turns_out_right_is_recorded_as_certain(time_office):
    clock_id = started(time_office, date(2026, 12, 4), days=20)
    notice = {**NOTICE_2027, "days": NOTICE_2027["days"][:1]}
    with time_office.writing() as session:
        load_year(session, ADMINISTRATOR, notice, reason="通知")
    [move] = clock_sweep.sweep(time_office.writing, reason="通知").moves
    assert (move.was_due_on, move.due_on, move.is_provisional) == (date(2027, 1, 4), date(2027, 1, 4), False)
    assert read(time_office, clock_id)[2][-1].kind == "recompute"


def test_a_forecast_that_moves_with_the_days_is_not_taken_for_a_calendar_change(time_office):
    clock_id = started(time_office, date(2026, 12, 1), days=10)
    with time_office.working() as work:
        clock.stop(work, work.session.get(Clock, clock_id), "公示")
    time_office.on(date(2026, 12, 3))
    with time_office.writing() as session:
        correct_day(session, ADMINISTRATOR, date(2026, 6, 6), is_working=True, name="样例", reason="样例")
    assert clock_sweep.sweep(time_office.writing).moves == ()
    assert read(time_office, clock_id)[0].due_on == date(2026, 12, 17)


def test_a_change_not_yet_swept_is_settled_before_the_next_act(time_office):
    clock_id = started(time_office, date(2026, 11, 9), days=5)
    with time_office.writing() as session:
        correct_day(session, ADMINISTRATOR, date(2026, 11, 12), is_working=False, name="台风停工", reason="市政府通告")
    time_office.on(date(2026, 11, 11))
    with time_office.working() as work:
        clock.extend(work, work.session.get(Clock, clock_id), 1, "经批准")
    found, _, ledger = read(time_office, clock_id)
    assert [entry.kind for entry in ledger] == ["start", "recompute", "extend"]
    assert (ledger[1].was_due_on, ledger[1].due_on, found.due_on) == (
        date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18))


def test_corrections_are_made_and_taken_back_each_with_a_revision_and_a_job(time_office):
    time_office.on(date(2026, 11, 9))
    day = date(2026, 11, 12)
    with time_office.writing() as session:
        correct_day(session, ADMINISTRATOR, day, is_working=False, name="台风停工", reason="市政府通告")
        assert not calendar_of(session).is_working_day(day)
    with time_office.reading() as session:
        assert calendar_of(session).special_day(day).name == "台风停工"
    with time_office.writing() as session:
        drop_correction(session, ADMINISTRATOR, day, reason="通告撤销")
        assert calendar_of(session).is_working_day(day)
    with time_office.reading() as session:
        assert calendar_of(session).is_working_day(day)
        assert [r.reason for r in session.exec(select(CalendarRevision).order_by(CalendarRevision.id))] == ["市政府通告", "通告撤销"]
        assert [(job.kind, job.arguments["reason"]) for job in session.exec(select(Job).order_by(Job.id))] == [
            ("sweep_clocks", "市政府通告"), ("sweep_clocks", "通告撤销")]


def test_a_year_can_be_declared_not_official_and_official_again(time_office):
    time_office.on(date(2026, 11, 9))
    with time_office.writing() as session:
        set_year_official(session, ADMINISTRATOR, 2026, is_official=False, reason="通知有变，待核")
        assert calendar_of(session).is_provisional(date(2026, 11, 9))
    with time_office.writing() as session:
        set_year_official(session, ADMINISTRATOR, 2026, is_official=True, reason="核对无误")
        assert not calendar_of(session).is_provisional(date(2026, 11, 9))


def test_the_start_check_names_a_year_without_a_table(time_office):
    time_office.on(date(2026, 12, 31))
    with time_office.reading() as session:
        assert calendar_fault(session) is None
    time_office.on(date(2027, 1, 1))
    with time_office.reading() as session:
        assert calendar_fault(session).startswith("2027 年的工作日历没有载入")


def test_a_rolled_back_change_leaves_the_calendar_alone(time_office):
    time_office.on(date(2026, 11, 9))
    day = date(2026, 11, 12)
    with time_office.writing() as session, pytest.raises(InvalidData, match="写明依据或原因"):
        correct_day(session, ADMINISTRATOR, day, is_working=False, name="台风停工", reason=" ")
    with time_office.reading() as session:
        assert calendar_of(session).is_working_day(day)
        assert session.exec(select(CalendarRevision)).all() == []


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda s: correct_day(s, HANDLER, date(2026, 11, 12), is_working=False, name="停", reason="因"), NotAllowed, "岗位授权"),
        (lambda s: load_year(s, HANDLER, NOTICE_2027, reason="因"), NotAllowed, "岗位授权"),
        (lambda s: correct_day(s, ADMINISTRATOR, date(2026, 11, 12), is_working=False, name="", reason="因"), InvalidData, "名称"),
        (lambda s: correct_day(s, ADMINISTRATOR, date(1999, 1, 1), is_working=False, name="停", reason="因"), InvalidData, "超出"),
        (lambda s: drop_correction(s, ADMINISTRATOR, date(2026, 11, 12), reason="因"), NotFound, "没有更正过"),
        (lambda s: set_year_official(s, ADMINISTRATOR, 2027, is_official=True, reason="因"), NotFound, "没有 2027 年"),
        (lambda s: set_year_official(s, ADMINISTRATOR, 2026, is_official=True, reason="因"), Refused, "没有变化"),
        (lambda s: load_year(s, ADMINISTRATOR, {"year": 2027}, reason="因"), InvalidData, "缺少 papers"),
    ],
)
def test_calendar_changes_that_are_refused(time_office, act, error, words):
    time_office.on(date(2026, 11, 9))
    with time_office.writing() as session, pytest.raises(error, match=words):
        act(session)
    with time_office.reading() as session:
        assert session.exec(select(CalendarRevision)).all() == []


def queries_of(office: ClockOffice, act) -> int:
    statements = []

    def count(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    event.listen(office.database.engine, "before_cursor_execute", count)
    try:
        act()
    finally:
        event.remove(office.database.engine, "before_cursor_execute", count)
    return len(statements)


def sweep_one_page(office: ClockOffice) -> None:
    with office.writing() as session:
        clock_sweep.sweep_page(session, SYSTEM, 0, 100, "每日重算")


def test_a_page_of_the_sweep_asks_the_same_number_of_queries_for_two_cases_and_for_twelve(time_office):
    for _ in range(2):
        started(time_office, date(2026, 12, 4))
    with time_office.writing() as session:
        load_year(session, ADMINISTRATOR, NOTICE_2027, reason="通知")
    few = queries_of(time_office, lambda: sweep_one_page(time_office))
    for _ in range(10):
        started(time_office, date(2026, 12, 4))
    with time_office.writing() as session:
        correct_day(session, ADMINISTRATOR, date(2026, 12, 9), is_working=False, name="停", reason="样例")
    many = queries_of(time_office, lambda: sweep_one_page(time_office))
    assert few == many <= 14


def test_the_sweep_goes_on_after_a_clock_that_cannot_be_computed(time_office):
    first = started(time_office, date(2026, 11, 9), days=5)
    broken = started(time_office, date(2026, 11, 9), days=5, light_set="deadline_light")
    last = started(time_office, date(2026, 11, 9), days=5)
    with time_office.writing() as session:
        session.get(Clock, broken).light_set = "no_such_light"
        session.commit()
    time_office.on(date(2026, 11, 18))
    told = []
    result = clock_sweep.sweep(time_office.writing, page_cases=1, on_page=told.append)
    assert (result.clocks, told, [clock_id for clock_id, _ in result.faults]) == (3, [1, 2, 3], [broken])
    assert [read(time_office, i)[0].light_words for i in (first, last)] == ["超 2 日", "超 2 日"]
    found, _, _ = read(time_office, broken)
    assert "no_such_light" in found.fault and found.over_days == 2
    with time_office.reading() as session:
        assert [c.id for c in clock_sweep.faulty_clocks(session)] == [broken]
    with time_office.writing() as session:
        session.get(Clock, broken).light_set = "deadline_light"
        session.commit()
    assert clock_sweep.sweep(time_office.writing).faults == ()
    found, _, _ = read(time_office, broken)
    assert (found.fault, found.light) == (None, "red")


def test_a_ledger_that_contradicts_itself_is_a_fault_and_keeps_its_columns(time_office):
    broken = started(time_office, date(2026, 11, 9), days=5)
    with time_office.writing() as session:
        session.add(ClockEntry(clock_id=broken, kind="resume", effective_on=date(2026, 11, 9),
                               at=portal_clock.now(session), reason="样例"))
        session.commit()
    time_office.on(date(2026, 11, 18))
    [(clock_id, words)] = clock_sweep.sweep(time_office.writing).faults
    assert clock_id == broken and "不能再续办" in words
    assert read(time_office, broken)[0].due_on == date(2026, 11, 16)


def test_only_the_system_sweeps(time_office):
    with time_office.writing() as session, pytest.raises(NotAllowed, match="系统自动完成"):
        clock_sweep.sweep_page(session, ADMINISTRATOR, 0, 10, "重算")


def test_the_date_in_shanghai_is_ahead_of_utc(time_office):
    time_office.on(date(2026, 12, 5))
    with time_office.reading() as session:
        now = portal_clock.now(session)
        assert now.utcoffset().total_seconds() == 0 and now.date() == date(2026, 12, 5)
        assert portal_clock.today(session) == date(2026, 12, 5)
    assert portal_clock.local_date(now.replace(hour=16, minute=0)) == date(2026, 12, 6)
    assert portal_clock.local_date(now.replace(hour=15, minute=59)) == date(2026, 12, 5)
    with pytest.raises(ValueError, match="time zone"):
        portal_clock.local_date(now.replace(tzinfo=None))


def test_the_demo_date_moves_forward_with_audit_and_a_sweep(time_office):
    with time_office.writing() as session:
        to = portal_clock.today(session).replace(year=portal_clock.today(session).year + 1)
        assert portal_clock.demo_date(session) is None
        move_demo_date(session, ADMINISTRATOR, to)
        assert portal_clock.demo_date(session) == portal_clock.today(session) == to
    with time_office.reading() as session:
        assert portal_clock.demo_date(session) == to
        entry = session.exec(select(AuditEntry).where(AuditEntry.subject == "demo_clock")).one()
        assert entry.detail["moved_to"] == to.isoformat() and entry.person_name == ADMINISTRATOR.name
        assert [job.kind for job in session.exec(select(Job))] == ["sweep_clocks"]
    with time_office.writing() as session, pytest.raises(InvalidData, match="只能往后拨"):
        move_demo_date(session, ADMINISTRATOR, to)


@pytest.mark.parametrize(
    ("actor", "is_demo", "to", "error", "words"),
    [
        (HANDLER, True, date(2030, 1, 1), NotAllowed, "岗位授权"),
        (ADMINISTRATOR, False, date(2030, 1, 1), Refused, "不是演示库"),
        (ADMINISTRATOR, True, date(2024, 1, 1), InvalidData, "只能往后拨"),
        (ADMINISTRATOR, True, date(2090, 1, 1), InvalidData, "超过十年"),
    ],
)
def test_moves_of_the_date_that_are_refused(time_office, actor, is_demo, to, error, words):
    time_office.office.is_demo = is_demo
    with time_office.writing() as session, pytest.raises(error, match=words):
        move_demo_date(session, actor, to)
    with time_office.reading() as session:
        assert session.exec(select(DemoClock)).all() == []


def test_a_database_that_is_no_demo_keeps_real_time(time_office):
    time_office.on(date(2031, 1, 1))
    time_office.office.is_demo = False
    with time_office.reading() as session:
        assert portal_clock.today(session) == portal_clock.today()
        assert portal_clock.demo_date(session) is None
