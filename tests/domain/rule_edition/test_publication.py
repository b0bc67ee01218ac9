"""From a draft to an edition in force: at once, at a date, overtaken, rolled back."""

from datetime import timedelta

import pytest
from sqlmodel import select

from domain import parameter, portal_clock
from domain.actor import SYSTEM
from domain.audit import AuditEntry
from domain.errors import Conflict, InvalidData, NotAllowed, Refused
from domain.notice import Notice
from domain.rule_edition import draft, publication, review, roll_back, shelf, store
from domain.rule_edition.tables import RuleDraft, RuleEdition
from rules.engine import RuleBook

from .conftest import HIGHER, HIGHEST, KEY, KIND, TEXT

FAILING = HIGHER.replace('{area_m2: "20"}, expect: {outcome: none}', '{area_m2: "20"}, expect: {outcome: stop}')


def states(bench):
    rows = bench.rows(select(RuleEdition).order_by(RuleEdition.effective_at, RuleEdition.id))
    return [row.state for row in rows]


def test_the_shipped_file_becomes_the_first_record(bench):
    [row] = bench.rows(select(RuleEdition))
    assert (row.state, row.source, row.text, row.start) == ("in_force", "file", TEXT, row.effective_at.astimezone(portal_clock.SHANGHAI).date())
    assert bench.outcome(15) == "none"


@pytest.mark.function("PROJ-062", "in_force_at_once", "history_kept", "history_traced")
def test_a_published_edition_is_in_force_at_once_and_keeps_the_comments(bench):
    edition = bench.published()
    assert bench.outcome(15) == "stop"
    assert states(bench) == ["superseded", "in_force"]
    assert "# 样例：本文件带注释" in edition.text and "# 版本" in edition.text
    assert edition.start == portal_clock.local_date(edition.effective_at)
    assert (edition.author_name, edition.reviewer_name, edition.why) == ("甲（样例）", "乙（样例）", "样例改动")
    first = bench.rows(select(RuleEdition))[0]
    assert (edition.replaces, first.ended_at, first.text) == (first.digest, edition.effective_at, TEXT)
    told = {row.title for row in bench.rows(select(Notice).where(Notice.person_id == bench.reviewer.person_id))}
    assert "「样例警戒线」的新版本现已生效" in told
    acts = [row.detail.get("act") for row in bench.rows(select(AuditEntry).where(AuditEntry.subject == f"rule_set:{KEY}"))]
    assert [act for act in acts if act in ("open", "save", "submit", "approve", "publish")] == [
        "open", "save", "submit", "approve", "publish"]  # fmt: skip


@pytest.mark.function("PROJ-062", "old_records_unchanged")
def test_two_publications_on_one_day_do_not_move_what_was_filed_between(bench):
    start = bench.now()
    first = bench.published(HIGHER)
    second = bench.published(HIGHEST)
    assert portal_clock.local_date(first.effective_at) == portal_clock.local_date(start)
    between = first.effective_at + (second.effective_at - first.effective_at) / 2
    assert [bench.outcome(15, at) for at in (start, between, second.effective_at)] == ["none", "stop", "stop"]
    assert [bench.outcome(25, at) for at in (start, between, second.effective_at)] == ["none", "none", "stop"]
    assert bench.outcome(15, start - timedelta(days=30)) == "none"


def test_an_edition_at_a_date_begins_by_itself(bench, clock):
    day = portal_clock.local_date(bench.now()) + timedelta(days=3)
    edition = bench.published(start_on=day)
    assert (edition.state, edition.start, bench.outcome(15)) == ("scheduled", day, "none")
    with bench.database.reading() as session:
        assert not publication.is_due(session)
    clock(days=4)
    assert bench.outcome(15) == "stop"
    with bench.database.reading() as session:
        assert publication.is_due(session)
    assert bench.write(publication.start_due, actor=SYSTEM) == 1
    assert bench.write(publication.start_due, actor=SYSTEM) == 0
    assert states(bench) == ["superseded", "in_force"]
    filed_before = edition.effective_at - timedelta(seconds=1)
    assert bench.outcome(15, filed_before) == "none"


def test_a_scheduled_edition_can_be_cancelled_until_it_begins(bench, clock):
    day = portal_clock.local_date(bench.now()) + timedelta(days=3)
    edition = bench.published(start_on=day)
    row = bench.approved(HIGHEST)
    with pytest.raises(Conflict, match=f"已有一版定于 {day} 生效"):
        bench.write(publication.publish, row.id, bench.examined(row))
    with pytest.raises(InvalidData, match="取消的理由"):
        bench.write(publication.cancel_schedule, edition.id, " ")
    bench.write(publication.cancel_schedule, edition.id, "不再需要")
    clock(days=4)
    assert bench.outcome(15) == "none"
    bench.write(publication.publish, row.id, bench.examined(row))
    assert states(bench) == ["superseded", "set_aside", "in_force"]
    assert bench.outcome(25) == "stop"


def test_a_failing_golden_case_refuses_at_every_step(bench):
    row = bench.drafted(FAILING)
    found = bench.examined(row)
    with pytest.raises(Refused, match="黄金用例「等于」没有通过：结论应是“停办”，实际是“无结论”"):
        bench.write(review.submit, row.id, row.version, found, why="改")
    assert bench.rows(select(RuleDraft))[0].state == "open"
    assert found.reasons == ["黄金用例「等于」没有通过：结论应是“停办”，实际是“无结论”"]
    kept = bench.write(draft.keep_examination, row.id, found)
    assert (kept.golden["cases"], kept.golden["passed"], kept.is_examined) == (3, 2, True)
    assert bench.outcome(15) == "none"


def test_what_was_sound_when_approved_is_examined_again_before_it_is_published(bench):
    row = bench.approved()
    bad = review_with_reasons(bench, row)
    with pytest.raises(Refused, match="没有改变任何规则"):
        bench.write(publication.publish, row.id, bad)
    with pytest.raises(Conflict, match="检查的结果不算数"):
        bench.write(publication.publish, row.id, bad.__class__("0" * 64, bad.rules, (), {}))
    assert states(bench) == ["in_force"]


def review_with_reasons(bench, row):
    """An examination of the same text in a portal where something outside of it has changed."""
    sound = bench.examined(row)
    failed = {"cases": 1, "passed": 0, "failed": [{"line": 1, "case": "等于", "differences": ["样例"]}]}
    return sound.__class__(sound.text_digest, sound.rules, (), failed)


def test_an_unreviewed_draft_cannot_be_published(bench):
    row = bench.submitted()
    with pytest.raises(Conflict, match="没有通过复核"):
        bench.write(publication.publish, row.id, bench.examined(row))


def test_a_draft_that_was_overtaken_is_not_published(bench):
    row = bench.approved()
    bench.file(HIGHEST)
    bench.sync()
    assert bench.outcome(25) == "stop"
    with pytest.raises(Conflict, match="起草之后「样例警戒线」已有新的版本施行"):
        bench.write(publication.publish, row.id, bench.examined(row))
    bench.write(review.give_back, row.id, "先对照现行版本", actor=bench.reviewer)
    row = bench.write(draft.rebase, row.id, row.version)
    row = bench.write(review.submit, row.id, row.version, bench.examined(row), why="已对照")
    bench.write(review.approve, row.id, bench.examined(row), actor=bench.reviewer)
    bench.write(publication.publish, row.id, bench.examined(row))
    assert bench.outcome(25) == "none"


def test_rolling_back_brings_the_earlier_rules_as_the_newest_edition(bench):
    bench.published()
    [first, second] = bench.rows(select(RuleEdition).order_by(RuleEdition.id))
    with pytest.raises(InvalidData, match="回退的理由"):
        bench.write(roll_back.roll_back, first.id, "")
    with pytest.raises(Conflict, match="不是以前施行过的版本"):
        bench.write(roll_back.roll_back, second.id, "样例")
    between = bench.now()
    third = bench.write(roll_back.roll_back, first.id, "新线错了")
    assert states(bench) == ["superseded", "rolled_back", "in_force"]
    assert (bench.outcome(15), bench.outcome(15, between)) == ("none", "stop")
    assert (third.rolls_back_to, third.why) == (first.id, "新线错了")
    titles = [row.title for row in bench.rows(select(Notice).where(Notice.person_id == bench.reviewer.person_id))]
    assert "「样例警戒线」已紧急回退" in titles


def test_where_two_people_are_required_a_roll_back_is_a_draft(bench, person):
    bench.published()
    keeper = person("system_admin")
    bench.write(parameter.change, "rule_roll_back_alone", "false", actor=keeper)
    first = bench.rows(select(RuleEdition).order_by(RuleEdition.id))[0]
    with pytest.raises(NotAllowed, match="另一位规则维护人员复核"):
        bench.write(roll_back.roll_back, first.id, "新线错了")
    row = bench.write(roll_back.draft_roll_back, first.id, "新线错了")
    row = bench.write(review.submit, row.id, row.version, bench.examined(row), why="新线错了")
    bench.write(review.approve, row.id, bench.examined(row), actor=bench.reviewer)
    edition = bench.write(publication.publish, row.id, bench.examined(row))
    assert (edition.rolls_back_to, bench.outcome(15)) == (first.id, "none")


def test_a_new_rule_set_from_nothing(bench):
    with pytest.raises(Conflict, match="已有键为 sample_line 的规则集"):
        bench.write(draft.open_new, KIND, KEY, "样例")
    with pytest.raises(InvalidData) as refused:
        bench.write(draft.open_new, "nothing", "Bad Key", "")
    assert set(refused.value.fields) == {"kind", "key", "title"}
    row = bench.write(draft.open_new, KIND, "second_line", "另一条线")
    text = TEXT.replace("sample_line", "second_line")
    row = bench.write(draft.save, row.id, text, row.version)
    row = bench.write(review.submit, row.id, row.version, bench.examined(row), why="新线")
    bench.write(review.approve, row.id, bench.examined(row), actor=bench.reviewer)
    bench.write(publication.publish, row.id, bench.examined(row))
    loaded = bench.office.book.keys()
    assert (KIND, "second_line") in loaded
    bench.sync()
    assert bench.file(name="second_line.yaml").read_text("utf-8").startswith("# 样例")


def test_another_process_notices_by_the_counter(bench):
    other = RuleBook(bench.office.rule_folders.shipped)
    bench.published()
    with bench.database.reading() as session:
        mine = session.info["office"]
        session.info["office"] = type("Other", (), {"book": other})()
        assert shelf.refresh(session) is True
        assert shelf.refresh(session) is False
        session.info["office"] = mine
        assert store.in_force(session, (KIND, KEY, False), bench.now()).digest == other.rule_set(KIND, KEY, bench.now()).digest


def test_an_older_state_of_the_records_never_replaces_a_newer_one(bench):
    with bench.database.reading() as session:
        old, version = shelf.stored_editions(session), shelf.version(session)
    bench.published()
    bench.office.book.shelve(old, version)
    assert bench.outcome(15) == "stop"


def test_a_restart_has_the_published_edition_and_the_old_digest_decides_again(bench):
    old = bench.office.book.rule_set(KIND, KEY, bench.now()).digest
    bench.published()
    with bench.database.reading() as session:
        found = shelf.recorded(session)
    book = RuleBook(bench.office.rule_folders.shipped, stored=found.editions, version=found.version)
    assert book.decide(KIND, KEY, {"area_m2": 15}, portal_clock.local_date(bench.now())).outcome == "stop"
    assert book.decide_edition(old, {"area_m2": 15}, portal_clock.local_date(bench.now())).outcome == "none"
    assert book.faults == ()
