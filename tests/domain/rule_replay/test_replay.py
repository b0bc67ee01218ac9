"""Replay of a draft over past decisions: what changes, how it is counted, what cannot be replayed, cut off and resumed."""

import io
from datetime import date

import pytest
from openpyxl import load_workbook

from domain import job as jobs
from domain import parameter
from domain.actor import SYSTEM
from domain.errors import Conflict, NotAllowed, Refused
from domain.job import JobCancelled, JobInterrupted
from domain.rule_edition import draft, review
from domain.rule_replay import export, past, reading, request
from domain.rule_replay.reading import ChangeFilter
from tests.domain.rule_edition.conftest import HIGHER, TEXT

PUDONG, QINGPU = "310115", "310118"


def summary(replay):
    return replay.compared, replay.changed, replay.unable, replay.stricter, replay.looser


def test_every_answer_that_would_change_is_listed_from_what_to_what(replays, bench):
    replays.decided(["9", "10", "19.99", "20", "21"])
    replay = replays.replayed(bench.drafted(HIGHER))
    assert summary(replay) == (5, 2, 0, 2, 0)
    rows = replays.read(reading.changes, replay.id, ChangeFilter()).rows
    assert [(row.before_outcome, row.base_outcome, row.after_outcome, row.after_rule) for row in rows] == [
        ("none", "none", "stop", "below"), ("none", "none", "stop", "below"),
    ]  # fmt: skip
    assert [row.after_message for row in rows] == ["面积 10.00 平方米 过小", "面积 19.99 平方米 过小"]


def test_counts_by_district_officer_and_month(replays, bench, person):
    officer = person("district_handler", district=QINGPU, name="丁（样例）")
    replays.decided(["15", "25"], date(2026, 5, 31), district=PUDONG)
    replays.decided(["15", "16", "5"], date(2026, 6, 1), officer, QINGPU)
    replay = replays.replayed(bench.drafted(HIGHER))
    districts = replays.read(reading.groups, replay.id, "district")
    assert [(g.value, g.label, g.compared, g.changed, g.stricter) for g in districts] == [
        (PUDONG, "浦东新区", 2, 1, 1), (QINGPU, "青浦区", 3, 2, 2),
    ]  # fmt: skip
    assert districts[1].transitions == (("none", "stop", 2),)
    officers = replays.read(reading.groups, replay.id, "officer")
    assert [(g.label, g.changed) for g in officers] == [("丁（样例）", 2), ("", 1)]
    months = replays.read(reading.groups, replay.id, "month")
    assert [(g.value, g.compared, g.changed) for g in months] == [("2026-05", 2, 1), ("2026-06", 3, 2)]


def test_the_list_narrows_and_is_paged(replays, bench, person):
    officer = person("district_handler", name="丁（样例）")
    replays.decided(["11", "12", "13"], officer=officer, district=QINGPU)
    replays.decided(["14"], date(2026, 7, 1), district=PUDONG)
    replay = replays.replayed(bench.drafted(HIGHER))
    first = replays.read(reading.changes, replay.id, ChangeFilter(sort="outcome"), size=3)
    second = replays.read(reading.changes, replay.id, ChangeFilter(sort="outcome"), after=first.next, size=3)
    assert (len(first.rows), len(second.rows), second.next) == (3, 1, None)
    for wanted, count in (
        (ChangeFilter(district=QINGPU), 3), (ChangeFilter(officer_id=officer.person_id), 3), (ChangeFilter(month="2026-07"), 1),
        (ChangeFilter(before="none", after="stop"), 4), (ChangeFilter(after="none"), 0), (ChangeFilter(sort="unable"), 0),
    ):  # fmt: skip
        assert len(replays.read(reading.changes, replay.id, wanted).rows) == count, wanted


def test_an_answer_in_other_words_or_by_another_rule_is_no_other_outcome(replays, bench):
    replays.decided(["5", "15"])
    reworded = replays.replayed(bench.drafted(TEXT.replace("过小", "不足")))
    assert (reworded.changed, reworded.reworded, reworded.outcome_changed, reworded.stricter) == (1, 1, 0, 0)
    other = TEXT.replace("key: below,", "key: too_small,").replace("rule: below", "rule: too_small")
    row = bench.write(draft.save, reworded.draft_id, other, 2)
    renamed = replays.replayed(row)
    assert (renamed.changed, renamed.rule_changed) == (1, 1)


def test_what_an_edition_since_has_changed_is_told_from_what_the_draft_changes(replays, bench):
    replays.decided(["15"])
    bench.published(HIGHER)
    replay = replays.replayed(bench.drafted(HIGHER + "\n"))
    [row] = replays.read(reading.changes, replay.id, ChangeFilter()).rows
    assert (row.before_outcome, row.base_outcome, row.after_outcome) == ("none", "stop", "stop")


def test_facts_that_no_longer_fit_are_counted_and_listed_with_the_reason(replays, bench):
    replays.decided(["5"], forget=["area_m2"])
    replays.decided(["5"], area_m2="很大")
    replays.decided(["15"])
    replay = replays.replayed(bench.drafted(HIGHER))
    assert summary(replay) == (3, 1, 2, 1, 0)
    rows = replays.read(reading.changes, replay.id, ChangeFilter(sort="unable")).rows
    assert rows[0].after_message == "当时没有取事实「面积」，不能回放"
    assert "面积" in rows[1].after_message and [row.after_outcome for row in rows] == [None, None]
    assert [g.unable for g in replays.read(reading.groups, replay.id, "month")] == [2]


def test_decisions_made_after_it_was_asked_for_are_left_out(replays, bench):
    replays.decided(["15"])
    replay = replays.asked(bench.drafted(HIGHER))
    replays.decided(["15"])
    replays.run(replay.job_id)
    assert replays.read(reading.replay, replay.id).compared == 1


def test_the_end_is_tied_to_the_draft_and_lets_it_be_approved(replays, bench, person):
    bench.write(parameter.change, "rule_replay_required", "true", actor=person("system_admin"))
    replays.decided(["15"])
    row = bench.submitted(HIGHER)
    with pytest.raises(Refused, match="还没有对历史办件回放"):
        bench.write(review.approve, row.id, bench.examined(row), actor=bench.reviewer)
    replay = replays.replayed(row)
    assert bench.write(review.approve, row.id, bench.examined(row), actor=bench.reviewer).replay_id == replay.id


def test_a_replay_that_was_cut_off_goes_on_where_it_stopped(replays, bench, monkeypatch):
    monkeypatch.setattr(past, "BATCH_ROWS", 2)
    replays.decided(["11", "12", "13", "25", "14"])
    replay = replays.asked(bench.drafted(HIGHER))
    looks = iter([False, True])
    with pytest.raises(JobInterrupted):
        replays.run(replay.job_id, lambda: next(looks))
    assert summary(replays.read(reading.replay, replay.id))[:2] == (2, 2)
    bench.write(jobs.interrupt, replay.job_id, actor=SYSTEM)
    replays.run(replay.job_id)
    assert summary(replays.read(reading.replay, replay.id)) == (5, 4, 0, 4, 0)
    assert len({row.decision_id for row in replays.read(reading.changes, replay.id, ChangeFilter()).rows}) == 4


def test_cancelled_by_any_maintainer_and_taken_up_again(replays, bench):
    replays.decided(["11"])
    replay = replays.asked(bench.drafted(HIGHER))
    bench.write(request.cancel, replay.id, actor=bench.reviewer)
    assert replays.read(lambda session, actor: reading.standing(session, replay)).state == "cancelled"
    with pytest.raises(Conflict, match="已经结束"):
        bench.write(request.cancel, replay.id)
    bench.write(request.resume, replay.id)
    replays.run(replay.job_id)
    found = replays.read(lambda session, actor: reading.standing(session, reading.replay(session, actor, replay.id)))
    assert (found.state, found.done, found.total) == ("done", 1, 1)


def test_a_running_one_ends_at_its_next_step(replays, bench):
    replays.decided(["11"])
    replay = replays.asked(bench.drafted(HIGHER))

    def cancelled():
        if replays.job(replay.job_id).is_cancel_asked is False:
            bench.write(request.cancel, replay.id)
        return False

    with pytest.raises(JobCancelled):
        replays.run(replay.job_id, cancelled)


def test_one_replay_of_a_text_at_a_time_and_none_of_a_broken_text(replays, bench):
    row = bench.drafted(HIGHER)
    replays.asked(row)
    with pytest.raises(Conflict, match="正在回放"):
        replays.asked(row)
    old = bench.examined(row)
    row = bench.write(draft.save, row.id, "key: [", row.version)
    with pytest.raises(Conflict, match="检查期间又改过"):
        bench.write(request.request, row.id, old)
    with pytest.raises(Refused, match="还不能回放"):
        replays.asked(row)


def test_only_for_rule_maintainers(replays, bench, person):
    other = person("city_viewer")
    row = bench.drafted(HIGHER)
    with pytest.raises(NotAllowed):
        bench.write(request.request, row.id, bench.examined(row), actor=other)
    replay = replays.asked(row)
    with replays.database.reading() as session:
        for look in (reading.replay, reading.of_draft, reading.change):
            with pytest.raises(NotAllowed):
                look(session, other, replay.id)
        with pytest.raises(NotAllowed):
            reading.changes(session, other, replay.id, ChangeFilter())
        with pytest.raises(NotAllowed):
            reading.groups(session, other, replay.id, "month")


def test_the_export_holds_what_the_list_holds(replays, bench):
    replays.decided(["11", "12"], district=QINGPU)
    replays.decided(["13"], district=PUDONG)
    replay = replays.replayed(bench.drafted(HIGHER))
    job = bench.write(export.request_export, replay.id, ChangeFilter(district=QINGPU))
    result = replays.run(job.id)
    content = bench.office.files.read_bytes(result.file.digest)
    rows = list(load_workbook(io.BytesIO(content), read_only=True).worksheets[0].iter_rows(values_only=True))
    assert rows[0][:3] == ("判断", "日期", "行政区") and len(rows) == 3
    assert [row[2] for row in rows[1:]] == ["青浦区", "青浦区"] and rows[1][6] == "无结论"
