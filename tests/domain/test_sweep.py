"""What the portal does by itself every night."""

import os
import time
from datetime import timedelta

import pytest
from sqlmodel import select

from domain import portal_clock, sweep
from domain.actor import SYSTEM
from domain.case.tables import Case, Task
from domain.clock import Clock
from domain.exchange import OutboxMessage
from domain.file_store import StoredFile, register
from domain.job import Job
from domain.notice import Notice
from domain.person import Absence
from domain.session import SignedInSession
from portal.runner import Runner


@pytest.fixture
def runner(database, office):
    return Runner(database, office)


@pytest.fixture
def clock(monkeypatch):
    """Moves the portal's clock: clock(days=1)."""
    real, ahead = portal_clock.offset, [timedelta(0)]
    monkeypatch.setattr(portal_clock, "offset", lambda session: real(session) + ahead[0])

    def move(**how_far):
        ahead[0] += timedelta(**how_far)

    return move


def swept(runner):
    """Run the sweep of the day and give its result."""
    runner._sweep()
    while runner._work_at_job():
        pass
    with runner.database.reading() as session:
        job = session.exec(select(Job).where(Job.kind == sweep.KIND).order_by(Job.id.desc())).first()
        assert job.status == "done", job.fault
        return job.result


def keep(database, *rows):
    with database.writing() as session:
        session.add_all(rows)
        session.commit()


def test_the_sweep_runs_once_a_day_of_the_portal(database, runner, clock):
    for _ in range(3):
        swept(runner)
    with database.reading() as session:
        assert len(session.exec(select(Job)).all()) == 1
    clock(days=1)
    swept(runner)
    with database.reading() as session:
        assert len(session.exec(select(Job)).all()) == 2


def test_an_absence_that_is_over_is_closed_and_both_are_told(database, runner, person):
    away, delegate = person("window", name="周筱雨（样例）"), person("window", name="陆明远（样例）")
    at = portal_clock.now()
    over = Absence(person_id=away.person_id, delegate_id=delegate.person_id, from_at=at - timedelta(days=9),
                   until_at=at - timedelta(days=1), reason="休假")
    lasting = Absence(person_id=delegate.person_id, delegate_id=away.person_id, from_at=at, until_at=at + timedelta(days=1),
                      reason="出差")
    keep(database, over, lasting)
    assert swept(runner)["end_absences"] == 1
    with database.reading() as session:
        assert [absence.ended_at is not None for absence in session.exec(select(Absence).order_by(Absence.id))] == [True, False]
        told = {notice.person_id: notice.title for notice in session.exec(select(Notice).where(Notice.kind == "absence"))}
    assert told == {away.person_id: "陆明远（样例）代你办理的授权已到期", delegate.person_id: "你代周筱雨（样例）办理的授权已到期"}


def lit_case(database, number, light, assignee, *, provisional=False, status="held"):
    """A case in hand whose clock shows a light; the clock stands still, so that the sweep keeps the light."""
    at, today = portal_clock.now(), portal_clock.today()
    with database.writing() as session:
        case = Case(draft_number=f"YL-{number}", case_type="sample", edition="2026-01-01", title="样例", created_at=at,
                    changed_at=at, status="open", light=light)
        session.add(case)
        session.flush()
        session.add(Task(case_id=case.id, step="review", role="reviewer", status=status, assignee_id=assignee, created_at=at))
        session.add(Clock(case_id=case.id, key="promise", label="承诺时限", due_on=today, light=light, refreshed_on=today,
                          is_provisional=provisional, status="running"))
        session.commit()


def test_each_person_gets_one_digest_a_day(database, runner, person, clock, monkeypatch):
    monkeypatch.setattr("domain.clock_sweep.sweep", lambda *arguments, **named: type("S", (), {"clocks": 0, "moves": (), "faults": ()}))
    first, second = person("reviewer"), person("reviewer")
    for number, light in enumerate(("red", "red", "yellow", "green")):
        lit_case(database, number, light, first.person_id)
    lit_case(database, 10, "black", second.person_id, provisional=True)
    lit_case(database, 11, "red", second.person_id, status="done")
    swept(runner)
    with database.reading() as session:
        digests = session.exec(select(Notice).where(Notice.kind == "deadline_digest")).all()
    assert [(each.person_id, each.title) for each in digests] == [
        (first.person_id, "你手上有临期或超期的办件：红灯 2 件、黄灯 1 件")
    ]
    clock(days=1)
    swept(runner)
    with database.reading() as session:
        assert len(session.exec(select(Notice).where(Notice.kind == "deadline_digest")).all()) == 2


@pytest.mark.parametrize(("days", "light"), [(0, "green"), (1, "yellow"), (2, "yellow"), (3, "red")])
def test_a_missing_result_lights_up_by_its_rule(database, runner, person, clock, days, light):
    admin = person("report_admin")
    at = portal_clock.now()
    keep(database, OutboxMessage(partner="usage_control", kind="permit_initial", business_key="BJ-1/permit/1", payload={},
                                 status="delivered", created_at=at, due_at=at, sent_at=at, result_status="awaited"))
    clock(days=days)
    assert swept(runner)["refresh"] == 1
    with database.reading() as session:
        assert session.exec(select(OutboxMessage)).one().reply_light == light
        told = session.exec(select(Notice).where(Notice.person_id == admin.person_id)).all()
    assert len(told) == (light == "red")


def test_a_red_light_is_told_once(database, runner, person, clock):
    person("report_admin")
    at = portal_clock.now()
    keep(database, OutboxMessage(partner="usage_control", kind="permit_initial", business_key="BJ-1/permit/1", payload={},
                                 status="delivered", created_at=at, due_at=at, sent_at=at, result_status="awaited"))
    for _ in range(2):
        clock(days=3)
        swept(runner)
    with database.reading() as session:
        assert len(session.exec(select(Notice).where(Notice.kind == "exchange")).all()) == 1


def test_old_sessions_are_forgotten_and_open_ones_stay(database, runner, person):
    who, at = person("window"), portal_clock.now()
    common = {"person_id": who.person_id, "csrf_token": "x", "created_at": at, "seen_at": at}
    keep(database,
         SignedInSession(token_digest="a", expires_at=at - timedelta(days=31), **common),
         SignedInSession(token_digest="b", expires_at=at + timedelta(hours=1), ended_at=at - timedelta(days=31), **common),
         SignedInSession(token_digest="c", expires_at=at + timedelta(hours=1), **common),
         SignedInSession(token_digest="d", expires_at=at - timedelta(days=1), **common))
    assert swept(runner)["forget_sessions"] == 2
    with database.reading() as session:
        assert sorted(session.exec(select(SignedInSession.token_digest))) == ["c", "d"]


def test_files_without_a_record_go_and_a_moved_date_takes_no_fresh_ones(database, runner, office, clock):
    kept, stray, fresh = (office.files.put_bytes(text, "样例.txt") for text in (b"kept", b"stray", b"fresh"))
    with database.writing() as session:
        register(session, kept, portal_clock.now())
        session.commit()
    week_ago = time.time() - 7 * 86400
    for each in (kept, stray):
        os.utime(office.files.path_of(each.digest), (week_ago, week_ago))
    clock(days=60)
    assert swept(runner)["files"] == 1
    assert [office.files.has(each.digest) for each in (kept, stray, fresh)] == [True, False, True]


def test_the_sweep_leaves_all_files_alone_when_the_database_knows_none(database, runner, office):
    stray = office.files.put_bytes(b"stray", "样例.txt")
    os.utime(office.files.path_of(stray.digest), (0, 0))
    with database.reading() as session:
        assert session.exec(select(StoredFile)).all() == []
    assert swept(runner)["files"] == 0 and office.files.has(stray.digest)


def test_sweeping_is_the_portals_own_work(database, person):
    from domain.errors import NotAllowed

    actor = person("system_admin")
    with database.writing() as session, pytest.raises(NotAllowed):
        sweep.begin(session, actor)
    with database.writing() as session:
        sweep.begin(session, SYSTEM)


def test_a_rule_set_that_fails_undoes_its_part_alone_and_is_told_once(database, runner, person, clock, monkeypatch):
    maintainer = person("rule_maintainer")
    message = OutboxMessage(partner="usage_control", kind="report", business_key="R-1", status="delivered", result_status="awaited",
                            created_at=portal_clock.now(), due_at=portal_clock.now(), payload={})
    keep(database, message)
    monkeypatch.setattr("domain.exchange.reply_light.RULE_SET", "gone")
    for _night in range(3):
        found = swept(runner)
        assert "gone" in found["refresh"]["fault"]
        assert found["forget_sessions"] == found["files"] == 0
        clock(hours=24)
    with database.reading() as session:
        told = session.exec(select(Notice).where(Notice.kind == "rules")).all()
        assert [(each.person_id, each.title) for each in told] == [(maintainer.person_id, "规则没有给出结论：报送结果未返回")]
