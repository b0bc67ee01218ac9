"""Drafts: one at a time, versions, locks, findings, review by a second person."""

from datetime import timedelta

import pytest
from sqlmodel import select

from domain import parameter
from domain.case.tables import StoredDecision
from domain.command import Work
from domain.errors import Conflict, InvalidData, NotAllowed, Refused
from domain.rule_edition import draft, review
from domain.rule_edition.tables import RuleDraft

from .conftest import HIGHER, KEY, KIND, TEXT


def test_only_a_rule_maintainer_may_open_one(bench, person):
    with pytest.raises(NotAllowed):
        bench.write(draft.open_draft, KIND, KEY, actor=person("system_admin"))


def test_one_unfinished_draft_a_set(bench):
    row = bench.write(draft.open_draft, KIND, KEY)
    assert (row.text, row.base_digest) == (TEXT, bench.office.book.rule_set(KIND, KEY, bench.now()).digest)
    with pytest.raises(Conflict, match="已有一份未完成的草稿（甲（样例） 于"):
        bench.write(draft.open_draft, KIND, KEY, actor=bench.reviewer)
    with pytest.raises(InvalidData, match="作废的理由"):
        bench.write(draft.discard, row.id, "")
    bench.write(draft.discard, row.id, "不改了")
    assert bench.write(draft.open_draft, KIND, KEY, actor=bench.reviewer).id != row.id
    with bench.database.reading() as session:
        assert [each.state for each in draft.drafts(session, finished=True)] == ["discarded"]


def test_a_stale_version_is_told_who_was_faster(bench):
    row = bench.drafted()
    with pytest.raises(Conflict, match="由 甲（样例） 于 .* 改过，本次没有保存"):
        bench.write(draft.save, row.id, "x", row.version - 1)


def test_a_draft_is_locked_to_its_editor_until_the_lock_runs_out(bench, clock, person):
    row = bench.drafted()
    with pytest.raises(Conflict, match="甲（样例） 自 .* 起正在编辑这份草稿"):
        bench.write(draft.save, row.id, TEXT, row.version, actor=bench.reviewer)
    with pytest.raises(Conflict, match="起正在编辑"):
        bench.write(draft.take_over, row.id, row.version, actor=bench.reviewer)
    clock(minutes=20)
    row = bench.write(draft.save, row.id, HIGHER, row.version)
    clock(minutes=20)
    with pytest.raises(Conflict):
        bench.write(draft.take_over, row.id, row.version, actor=bench.reviewer)
    clock(minutes=11)
    taken = bench.write(draft.take_over, row.id, row.version, actor=bench.reviewer)
    assert taken.lock_name == "乙（样例）"
    with pytest.raises(Conflict, match="乙（样例） 自"):
        bench.write(draft.save, row.id, TEXT, row.version)
    bench.write(draft.release, row.id, actor=bench.reviewer)
    assert bench.write(draft.save, row.id, TEXT, row.version).lock_name == "甲（样例）"


def test_the_lock_follows_the_parameter(bench, clock, person):
    bench.write(parameter.change, "rule_draft_lock_minutes", "5", actor=person("system_admin"))
    row = bench.drafted()
    clock(minutes=6)
    assert bench.write(draft.take_over, row.id, row.version, actor=bench.reviewer).lock_id == bench.reviewer.person_id


def test_a_broken_text_is_kept_and_its_findings_name_the_line(bench):
    row = bench.drafted(HIGHER.replace("below: 20", "belwo: 20"))
    found = bench.examined(row)
    assert found.rules is None
    kept = bench.write(draft.keep_examination, row.id, found).findings
    assert any(finding["line"] == 9 and "是否 below" in finding["message"] for finding in kept)
    with pytest.raises(Refused, match="第 9 行"):
        bench.write(review.submit, row.id, row.version, found, why="改")


def test_an_examination_of_another_text_is_not_taken(bench):
    row = bench.drafted()
    found = bench.examined(row)
    row = bench.write(draft.save, row.id, TEXT, row.version)
    with pytest.raises(Conflict, match="检查的结果不算数"):
        bench.write(draft.keep_examination, row.id, found)


def test_saving_makes_the_last_examination_old(bench):
    row = bench.drafted()
    assert bench.write(draft.keep_examination, row.id, bench.examined(row)).is_examined
    assert not bench.write(draft.save, row.id, TEXT, row.version).is_examined


@pytest.mark.parametrize(("before", "after", "key"), [
    ("key: sample_line", "key: other_line", "key"),
    ("until: null}", "until: null, demo: true}", "edition"),
])  # fmt: skip
def test_key_and_track_of_a_draft_stay(bench, before, after, key):
    row = bench.drafted(HIGHER.replace(before, after))
    assert key in [finding.key for finding in bench.examined(row).findings]


def test_a_draft_may_neither_add_nor_drop_a_fact_that_the_portal_gives(bench):
    added = HIGHER.replace("rules:\n", "  moon_phase: {type: integer, label: 月相}\nrules:\n")
    row = bench.drafted(added)
    messages = [finding.message for finding in bench.examined(row).findings]
    assert any("要读事实 moon_phase，但表单、办件和事实提供者都不给" in message for message in messages)
    row = bench.write(draft.save, row.id, HIGHER.replace("area_m2", "size_m2"), row.version)
    messages = [finding.message for finding in bench.examined(row).findings]
    assert any("给出事实 area_m2，这一版却不声明它" in message for message in messages)


def test_the_author_and_every_editor_are_kept_from_reviewing(bench, person, clock):
    third = person("rule_maintainer", name="丙（样例）")
    row = bench.drafted()
    clock(minutes=31)
    row = bench.write(draft.save, row.id, HIGHER + "\n", row.version, actor=third)
    row = bench.write(review.submit, row.id, row.version, bench.examined(row), why="改", actor=third)
    for hand in (bench.author, third):
        with pytest.raises(NotAllowed, match="起草或改过这份草稿的人不能复核"):
            bench.write(review.approve, row.id, bench.examined(row), actor=hand)
        with pytest.raises(NotAllowed):
            bench.write(review.give_back, row.id, "不行", actor=hand)
    with pytest.raises(NotAllowed):
        bench.write(review.approve, row.id, bench.examined(row), actor=person("bureau_leader"))
    assert bench.write(review.approve, row.id, bench.examined(row), actor=bench.reviewer).state == "approved"


def test_a_draft_under_review_cannot_be_changed_until_it_is_returned(bench):
    row = bench.submitted()
    with pytest.raises(Conflict, match="已送复核"):
        bench.write(draft.save, row.id, TEXT, row.version)
    with pytest.raises(InvalidData, match="退回的意见"):
        bench.write(review.give_back, row.id, " ", actor=bench.reviewer)
    row = bench.write(review.give_back, row.id, "依据不足", actor=bench.reviewer)
    assert (row.state, row.opinion) == ("returned", "依据不足")
    assert bench.write(draft.save, row.id, TEXT, row.version).state == "returned"


def test_a_reason_and_a_day_to_come_are_asked(bench):
    row = bench.drafted()
    with pytest.raises(InvalidData, match="改了什么"):
        bench.write(review.submit, row.id, row.version, bench.examined(row), why="")
    with pytest.raises(InvalidData, match="生效日期已经过去"):
        bench.write(review.submit, row.id, row.version, bench.examined(row), why="改",
                    start_on=bench.now().date() - timedelta(days=2))  # fmt: skip


def test_where_a_replay_is_required_it_must_be_of_this_text(bench, person):
    bench.write(parameter.change, "rule_replay_required", "true", actor=person("system_admin"))
    row = bench.submitted()
    with bench.database.writing() as session:
        session.add(StoredDecision(kind=KIND, rule_set=KEY, edition="", digest="", outcome="none", decided_on=bench.now().date(),
                                   at=bench.now(), document={}))  # fmt: skip
        session.commit()
    with pytest.raises(Refused, match="还没有对历史办件回放"):
        bench.write(review.approve, row.id, bench.examined(row), actor=bench.reviewer)
    for digest, is_enough in (("0" * 64, False), (row.digest, True)):
        with bench.database.writing() as session:
            work = Work(session, bench.author, bench.now(), "test.replay")
            review.attach_replay(work, row.id, 7, digest)
            work.finish()
        with bench.database.reading() as session:
            assert review.needs_replay(session, session.exec(select(RuleDraft)).one()) is not is_enough
    assert bench.write(review.approve, row.id, bench.examined(row), actor=bench.reviewer).replay_id == 7
