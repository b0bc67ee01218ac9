"""Rule files and records in step: written after publication, taken in after a change, conflicts, faults."""

import os
from pathlib import Path

import pytest
from sqlmodel import select

from domain import portal_clock
from domain.audit import AuditEntry
from domain.errors import Conflict, InvalidData
from domain.rule_edition import conflict, file_writing, files, folder, shelf
from domain.rule_edition.tables import RuleConflict, RuleEdition, RuleFile
from rules.engine import RuleBook

from .conftest import HIGHER, HIGHEST, KEY, KIND, TEXT

FAILING = HIGHEST.replace('{area_m2: "30"}, expect: {outcome: none}', '{area_m2: "30"}, expect: {outcome: stop}')


def editions(bench):
    return bench.rows(select(RuleEdition).order_by(RuleEdition.id))


def faults(bench):
    with bench.database.reading() as session:
        return files.faults(session)


def open_conflicts(bench):
    with bench.database.reading() as session:
        return conflict.conflicts(session)


def restarted(bench):
    """The rule book of a process that starts now."""
    folders = bench.office.rule_folders
    with bench.database.reading() as session:
        found = shelf.recorded(session)
    return RuleBook(folders.shipped, over=folders.city, stored=found.editions, version=found.version)


def test_a_second_pass_finds_nothing(bench):
    assert bench.sync() == 0
    assert len(editions(bench)) == 1


def test_a_published_edition_is_written_whole_and_known(bench):
    edition = bench.published()
    with bench.database.reading() as session:
        assert [row.id for row in file_writing.pending(session)] == [edition.id]
    assert bench.sync() == 0
    assert bench.file().read_text("utf-8") == edition.text
    assert [path.name for path in bench.file().parent.iterdir()] == ["sample_line.yaml"]
    assert bench.sync() == 0
    kept = editions(bench)[-1]
    assert (kept.file, kept.write_fault, kept.written_at is not None) == ("city:sample_line.yaml", "", True)
    assert bench.office.rule_folders.shipped[0].joinpath("sample_line.yaml").read_text("utf-8") == TEXT


def test_a_file_that_a_person_changed_is_taken_in_from_now_on(bench):
    before = bench.now()
    bench.file(HIGHER)
    assert bench.sync() == 1
    taken = editions(bench)[-1]
    assert (taken.source, taken.state, taken.file) == ("file", "in_force", "city:sample_line.yaml")
    assert (bench.outcome(15, before), bench.outcome(15)) == ("none", "stop")
    assert taken.effective_at > before
    entry = bench.rows(select(AuditEntry).where(AuditEntry.command == "rule_file.take_in"))[-1]
    assert (entry.person_name, entry.detail["act"], entry.detail["replaces"]) == ("系统", "take_in", taken.replaces)


def test_a_published_file_may_be_edited_further_by_hand(bench):
    bench.published()
    bench.sync()
    bench.file(HIGHEST)
    assert bench.sync() == 1
    assert (bench.outcome(25), open_conflicts(bench)) == ("stop", [])
    assert [row.source for row in editions(bench)] == ["file", "portal", "file"]


def test_a_file_for_a_day_to_come_waits_for_it(bench, clock):
    year = portal_clock.local_date(bench.now()).year + 1
    bench.file(HIGHER.replace("from: 2026-01-01", f"from: {year}-01-01"))
    bench.sync()
    assert (editions(bench)[-1].state, bench.outcome(15)) == ("scheduled", "none")
    clock(days=370)
    assert bench.outcome(15) == "stop"


def test_comments_and_golden_cases_make_no_new_edition(bench):
    bench.file(TEXT.replace("# 样例：", "# 改过的注释："))
    bench.sync()
    [only] = editions(bench)
    assert "# 改过的注释：" in only.text


@pytest.mark.parametrize(("text", "words"), [
    (HIGHER.replace("below: 20", "belwo: 20"), "是否 below"),
    (FAILING, "用例「等于」没有通过"),
    (HIGHER.replace("rules:\n", "  moon: {type: integer, label: 月相}\nrules:\n"), "要读事实 moon"),
])  # fmt: skip
def test_a_broken_file_changes_nothing_and_is_shown_also_after_a_restart(bench, text, words):
    bench.published()
    bench.sync()
    bench.file(text)
    assert bench.sync() == 1
    assert bench.sync() == 0
    [fault] = faults(bench)
    assert fault.name == "city:sample_line.yaml"
    assert any(words in finding["message"] for finding in fault.findings)
    assert bench.outcome(15) == "stop"
    assert restarted(bench).decide(KIND, KEY, {"area_m2": 15}, portal_clock.local_date(bench.now())).outcome == "stop"
    bench.file(HIGHEST)
    bench.sync()
    assert (faults(bench), bench.outcome(25)) == ([], "stop")


def changed_on_both_sides(bench):
    """The portal published, and before it was written somebody changed the file."""
    bench.file(TEXT + "# 本市\n")
    bench.sync()
    bench.published(HIGHER)
    bench.file(HIGHEST)
    bench.sync()


def test_both_changed_is_a_conflict_and_what_was_published_stays(bench):
    changed_on_both_sides(bench)
    assert bench.sync() == 0
    [row] = open_conflicts(bench)
    assert (row.name, row.file_text) == ("city:sample_line.yaml", HIGHEST)
    assert (bench.outcome(15), bench.outcome(25)) == ("stop", "none")
    assert bench.file().read_text("utf-8") == HIGHEST


def test_the_published_edition_is_kept_and_the_file_set_aside(bench):
    changed_on_both_sides(bench)
    [row] = open_conflicts(bench)
    with pytest.raises(InvalidData, match="这样选择的理由"):
        bench.write(conflict.keep_published, row.id, "")
    aside = bench.write(conflict.keep_published, row.id, "以在线发布的为准")
    assert (aside.state, aside.text) == ("set_aside", HIGHEST)
    with pytest.raises(Conflict, match="已由 甲（样例） 处理"):
        bench.write(conflict.keep_published, row.id, "再来一次")
    bench.sync()
    assert 'below: 20}' in bench.file().read_text("utf-8")
    assert (bench.outcome(15), bench.outcome(25), open_conflicts(bench)) == ("stop", "none", [])
    assert bench.sync() == 0


def test_the_file_is_taken_and_the_published_edition_stays_in_the_history(bench):
    changed_on_both_sides(bench)
    [row] = open_conflicts(bench)
    with bench.database.reading() as session:
        found = conflict.examine(session, row)
    bench.write(conflict.take_file, row.id, found, "以文件为准")
    assert bench.outcome(25) == "stop"
    assert [each.state for each in editions(bench)] == ["superseded", "superseded", "in_force"]
    assert bench.sync() == 0
    assert bench.file().read_text("utf-8") == HIGHEST


def test_a_conflict_goes_away_when_the_file_is_put_back(bench):
    changed_on_both_sides(bench)
    bench.file(TEXT + "# 本市\n")
    bench.sync()
    bench.sync()
    [row] = bench.rows(select(RuleConflict))
    assert row.state == "gone"
    assert 'below: 20}' in bench.file().read_text("utf-8")


def test_a_newer_shipped_file_does_not_undo_what_the_city_published(bench):
    bench.published()
    bench.sync()
    (bench.office.rule_folders.shipped[0] / "sample_line.yaml").write_text(HIGHEST, encoding="utf-8")
    bench.sync()
    [row] = open_conflicts(bench)
    assert (row.name, bench.outcome(25)) == ("shipped:sets/sample_line.yaml", "none")
    bench.write(conflict.keep_published, row.id, "本市另有规定")
    assert (bench.sync(), open_conflicts(bench)) == (0, [])


def test_a_file_that_was_removed_is_written_again(bench):
    bench.published()
    bench.sync()
    bench.file().unlink()
    bench.sync()
    assert bench.outcome(15) == "stop"
    [row] = open_conflicts(bench)
    assert row.file_digest == ""
    bench.write(conflict.keep_published, row.id, "误删")
    bench.sync()
    assert bench.file().exists()


def test_a_folder_that_is_not_mounted_removes_nothing(bench):
    bench.published()
    bench.sync()
    bench.file().parent.rename(bench.file().parent.with_name("elsewhere"))
    assert (bench.sync(), open_conflicts(bench), bench.outcome(15)) == (0, [], "stop")


def test_a_renamed_file_is_no_conflict(bench):
    bench.published()
    bench.sync()
    bench.file().rename(bench.file(name="renamed.yaml"))
    bench.sync()
    assert (open_conflicts(bench), len(editions(bench)), bench.outcome(15)) == ([], 2, "stop")


def test_a_full_disk_is_shown_and_tried_again(bench, monkeypatch):
    bench.published()

    def full(path: Path, text: str) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as broken:
        broken.setattr(file_writing, "write_whole", full)
        bench.sync()
        bench.sync()
    with bench.database.reading() as session:
        [row] = file_writing.pending(session)
    assert "系统会自动重试" in row.write_fault and bench.outcome(15) == "stop"
    bench.sync()
    assert bench.file().exists() and editions(bench)[-1].write_fault == ""


def test_a_half_written_file_is_never_seen(bench, monkeypatch):
    bench.published()
    bench.sync()
    before = bench.file().read_text("utf-8")
    monkeypatch.setattr(os, "fsync", lambda _descriptor: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        folder.write_whole(bench.file(), "half")
    assert bench.file().read_text("utf-8") == before
    assert [path.name for path in bench.file().parent.iterdir()] == ["sample_line.yaml"]


def test_a_crash_between_the_file_and_its_note_is_made_good(bench):
    edition = bench.published()
    bench.file(edition.text)
    bench.sync()
    assert (editions(bench)[-1].written_at is not None, open_conflicts(bench)) == (True, [])


def test_the_shipped_sets_become_records_of_a_fresh_database(database, shared_office, office):
    database.office = office
    office.rule_folders = shared_office.rule_folders
    office.book = RuleBook(shared_office.book.folders, demo=True)
    files.sync(database, office)
    with database.reading() as session:
        rows = session.exec(select(RuleEdition)).all()
        assert {(row.kind, row.key) for row in rows} == set(shared_office.book.keys())
        assert files.faults(session) == []
        assert len(session.exec(select(RuleFile)).all()) == len(shared_office.rule_folders.files())
    for kind, key in shared_office.book.keys():  # noqa: SIM118
        today = portal_clock.today()
        assert office.book.rule_set(kind, key, today).digest == shared_office.book.rule_set(kind, key, today).digest
