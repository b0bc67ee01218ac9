"""入共享库, 转天地图: each patch arrives once, and the list says how far it is from what really went out."""

import io

import openpyxl
import pytest
from sqlmodel import select

from domain.exchange import outbox
from domain.exchange.tables import PartnerLine
from domain.job import Job
from domain.patch_case import export, listing
from domain.patch_case.handing_over import LIBRARY, MAP
from domain.patch_case.listing import DONE, FAILED, WORKING, PatchQuery


def kept(running):
    return [(row["partner"], row["business_key"]) for row in running.state()["kept"]]


@pytest.mark.function("PROJ-044", "c5")
def test_every_stage_is_seen_from_waiting_to_done(clues, linked, running):
    run = clues.admitted(count=3)
    assert clues.states(run) == {(DONE, DONE, WORKING, DONE, WORKING)}
    with clues.database.reading() as session:
        told = listing.summary_of(session, run.id)
        assert (told.total, told.opened, told.shared, told.placed, told.under_way, told.left) == (3, 3, 0, 0, 3, 0) and told.is_working
    clues.deliver()
    assert clues.states(run) == {(DONE,) * 5}
    with clues.database.reading() as session:
        told = listing.summary_of(session, run.id)
        assert (told.shared, told.placed, told.lost) == (3, 3, 0) and not told.is_working
    assert sorted(kept(running)) == sorted((partner, each.number) for partner in (LIBRARY, MAP) for each in clues.cases())
    row = clues.rows(run)[0]
    assert row.stage("library").said.startswith("仿真-GXK") and row.stage("map").said.startswith("仿真-TDT") and row.stage("flow").said == "核查"


@pytest.mark.function("PROJ-044", "c5")
def test_a_partner_that_is_down_is_told_as_such_and_holds_up_nothing_else(clues, linked, running):
    run = clues.admitted(count=2)
    running.fault(LIBRARY, "down")
    clues.deliver()
    assert clues.states(run) == {(DONE, DONE, WORKING, DONE, DONE)}
    waiting = [row for row in clues.rows(run) if row.stage("library").said]
    assert waiting and "自动重发" in waiting[0].stage("library").advice
    assert len(clues.rows(run, state="working")) == 2
    running.fault(LIBRARY, "ok")
    with clues.database.writing() as session:
        session.get(PartnerLine, LIBRARY).paused_until = None
        for message in session.exec(select(outbox.OutboxMessage)).all():
            message.due_at = message.created_at
        session.commit()
    clues.deliver()
    assert clues.states(run) == {(DONE,) * 5} and len(kept(running)) == 4


def test_an_answer_that_was_lost_and_one_that_came_twice_leave_one_effect(clues, linked, running, person):
    run = clues.admitted(count=1)
    running.fault(LIBRARY, "lost_answer", calls=1)
    running.fault(MAP, "twice", calls=1)
    clues.deliver()
    assert clues.states(run) == {(DONE, DONE, WORKING, DONE, WORKING)} and len(kept(running)) == 2
    with clues.database.writing() as session:
        for line in session.exec(select(PartnerLine)).all():
            line.paused_until = None
        for message in session.exec(select(outbox.OutboxMessage)).all():
            message.due_at = message.created_at
        session.commit()
    clues.deliver()
    assert clues.states(run) == {(DONE,) * 5} and len(kept(running)) == 2
    assert clues.messages(LIBRARY)[0].answer["is_duplicate"] is True


def test_a_refused_patch_says_why_and_what_to_do_and_is_sent_again_by_hand(clues, linked, running, person):
    run = clues.admitted(count=1)
    running.fault(MAP, "refuse")
    clues.deliver()
    [row] = clues.rows(run, state="failed")
    assert row.stage("map").state == FAILED and "TDT-409" in row.stage("map").said and "报送管理员" in row.stage("map").advice
    running.fault(MAP, "ok")
    [message] = clues.messages(MAP)
    clues.act(outbox.replay, message.id, "对方已修复", by=person("report_admin"))
    assert clues.states(run) == {(DONE, DONE, DONE, DONE, WORKING)}
    clues.deliver()
    assert clues.states(run) == {(DONE,) * 5} and clues.rows(run, state="failed") == []


def test_what_is_sent_is_the_patch_as_it_stands_in_the_case(clues, linked, running):
    clues.admitted(count=1)
    [case], [shared], [placed] = clues.cases(), clues.messages(LIBRARY), clues.messages(MAP)
    assert shared.business_key == placed.business_key == case.number and shared.case_id == placed.case_id == case.id
    assert shared.payload["area_m2"] == case.values["patch_area_m2"] and shared.payload["clue_number"] == case.values["clue_number"]
    assert placed.payload["title"] == case.title and placed.payload["geometry"] == shared.payload["geometry"]
    assert placed.payload["geometry"]["type"] == "MultiPolygon"


def test_rows_are_sorted_searched_and_paged_in_the_database(clues, person):
    run = clues.admitted()
    assert [row.patch.id for row in clues.rows(run, sort="-id")] == sorted((row.patch.id for row in clues.rows(run)), reverse=True)
    areas = [row.patch.area_m2 for row in clues.rows(run, sort="area_m2")]
    assert areas == sorted(areas)
    wanted = clues.rows(run)[4]
    for words in (wanted.patch.feature_key, wanted.patch.number, wanted.case.number):
        assert [row.patch.id for row in clues.rows(run, words=words)] == [wanted.patch.id]
    with clues.database.reading() as session:
        rows, total = listing.page_of(session, clues.handler, PatchQuery(run.id), 10, 5)
        assert (len(rows), total) == (2, 12) and all(row.may_open for row in rows)
        stranger = person("graphic_manager", district="310118")
        assert not any(row.may_open for row in listing.page_of(session, stranger, PatchQuery(run.id))[0])
        assert listing.of_case(session, clues.handler, wanted.case.id).patch.id == wanted.patch.id


def test_the_list_is_exported_with_every_stage(clues, linked):
    run = clues.admitted(count=2)
    clues.deliver(MAP)
    job = clues.act(export.request, PatchQuery(run.id))
    clues.work()
    with clues.database.reading() as session:
        done = session.get(Job, job.id)
        assert done.status == "done" and done.result == {"rows": 2}
        sheet = openpyxl.load_workbook(io.BytesIO(clues.office.files.read_bytes(done.result_file))).active
    rows = list(sheet.iter_rows(values_only=True))
    heads = dict(zip(rows[0], rows[1], strict=True))
    assert heads["案件编号说明"] == clues.cases()[0].number and (heads["转天地图"], heads["入共享库"], heads["案件状态"]) == ("完成", "进行中", "在办")
