"""The audit trail: chained, and what is changed, cut off or written anew is noticed."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from domain import audit, audit_witness
from domain.actor import SYSTEM
from domain.audit import AuditEntry, Head
from domain.audit_words import detail_words
from domain.command import Work, anybody, command
from domain.errors import InvalidData
from domain.portal_clock import SHANGHAI

AT = datetime(2026, 11, 20, 2, tzinfo=UTC)


@command("sample.act", allow=anybody)
def act(work: Work, number: int, entries: int = 1) -> None:
    for _ in range(entries):
        work.record(f"sample:{number}", number=number)


@pytest.fixture
def trail(database):
    """A database with ten entries; the tests do to it what no command does."""
    for number in range(4):
        with database.writing() as session:
            act(session, SYSTEM, number)
    with database.writing() as session:
        act(session, SYSTEM, 9, entries=6)
    return database


def tamper(database, *statements):
    with database.writing() as session:
        for statement in statements:
            session.execute(text(statement))
        session.commit()


def verified(database, **options):
    with database.reading() as session:
        found = audit.verify(session, page=3, **options)
    return found.checked, found.first_fault, found.reason


def head(database):
    with database.reading() as session:
        return audit.head(session)


def test_a_whole_chain_is_told_so_and_its_head_is_kept(trail):
    assert verified(trail) == (10, None, "")
    assert (head(trail).entry_count, head(trail).entry_id) == (10, 10)


def test_a_changed_entry_is_named(trail):
    tamper(trail, "UPDATE audit_entry SET subject = 'sample:8' WHERE id = 4")
    assert verified(trail) == (3, 4, "changed")


def test_a_deleted_entry_is_noticed_at_the_next(trail):
    tamper(trail, "DELETE FROM audit_entry WHERE id = 5")
    assert verified(trail) == (4, 6, "changed")


def test_entries_cut_off_the_end_are_missed(trail):
    tamper(trail, "DELETE FROM audit_entry WHERE id > 8")
    assert verified(trail) == (8, 9, "missing")


def test_entries_cut_off_the_end_are_missed_for_ever_after(trail):
    tamper(trail, "DELETE FROM audit_entry WHERE id > 8")
    with trail.writing() as session:
        act(session, SYSTEM, 5, entries=4)
    checked, fault, reason = verified(trail)
    assert (checked, reason) == (8, "changed") and fault > 8


def test_the_whole_trail_deleted_is_missed(trail):
    tamper(trail, "DELETE FROM audit_entry")
    assert verified(trail) == (0, 1, "missing")


def test_a_head_taken_away_is_missed_and_the_next_act_does_not_hide_it(trail):
    tamper(trail, "DELETE FROM audit_entry WHERE id > 8", "DELETE FROM audit_head")
    assert verified(trail) == (0, 1, "headless")
    with trail.writing() as session:
        act(session, SYSTEM, 5)
    assert verified(trail)[::2] == (8, "changed")


def cut_with_its_head(database):
    tamper(
        database, "DELETE FROM audit_entry WHERE id > 8",
        "UPDATE audit_head SET entry_count = 8, entry_id = 8, digest = (SELECT digest FROM audit_entry WHERE id = 8)",
    )


def test_who_cuts_trail_and_head_alike_is_noticed_only_by_the_witness(trail, office):
    audit_witness.note(office.files, head(trail), AT)
    cut_with_its_head(trail)
    assert verified(trail) == (8, None, "")
    assert verified(trail, witnessed=audit_witness.heads(office.files)) == (8, 9, "missing")


def test_what_was_written_anew_does_not_fit_the_witness(trail, office):
    audit_witness.note(office.files, head(trail), AT)
    cut_with_its_head(trail)
    with trail.writing() as session:
        act(session, SYSTEM, 5, entries=4)
    assert verified(trail) == (12, None, "")
    assert verified(trail, witnessed=audit_witness.heads(office.files))[::2] == (9, "changed")


def test_a_head_is_noted_once_and_a_line_cut_short_is_passed_over(trail, office):
    assert audit_witness.note(office.files, head(trail), AT)
    assert not audit_witness.note(office.files, head(trail), AT)
    with audit_witness.path_of(office.files).open("a") as file:
        file.write('{"at": "2026-')
    assert audit_witness.heads(office.files) == [head(trail)]
    with trail.writing() as session:
        act(session, SYSTEM, 5)
    audit_witness.note(office.files, head(trail), AT)
    assert [each.entry_count for each in audit_witness.heads(office.files)] == [10, 11]


def test_a_witness_that_was_damaged_is_said_so(office):
    audit_witness.path_of(office.files).write_text("{}\n")
    with pytest.raises(InvalidData, match="第 1 行不能识别"):
        audit_witness.heads(office.files)


def test_nothing_is_noted_of_an_empty_trail(office):
    assert not audit_witness.note(office.files, Head(), AT)


def test_details_that_are_keys_are_told_in_words_and_others_as_they_are():
    detail = {"operation": "claim", "entry": "start", "step": None, "fields": ["a", "b"], "is_working": False, "number": "沪1号"}
    assert detail_words(detail) == "操作 认领；流水 起算；字段 a、b；is_working 否；编号 沪1号"
    assert detail_words({"operation": "something_new"}) == "操作 something_new"


def test_an_act_dated_in_the_zone_of_the_city_holds_when_it_is_read_back(database):
    at_midnight = datetime(2026, 1, 1, 0, 5, tzinfo=SHANGHAI)
    with database.writing() as session:
        entry = AuditEntry(at=at_midnight, person_name="系统", command="sample.act", subject="sample:1", detail={})
        audit.append(session, [entry])
        session.commit()
    with database.reading() as session:
        assert audit.verify(session).is_intact
