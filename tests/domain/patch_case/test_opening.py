"""立案: a patch that was admitted becomes a case, once, whatever happens in between."""

from datetime import date
from decimal import Decimal

import pytest
import shapely
from sqlmodel import select

from domain import failpoint, hold
from domain.actor import SYSTEM
from domain.case import actions, scope
from domain.case.tables import CaseEvent, Task
from domain.case_range import ranges_of, understand
from domain.demo import sample_package
from domain.errors import Conflict, NotAllowed, NotFound, Refused
from domain.geometry import InvalidGeometry
from domain.inspection.task import access, admission
from domain.job import Job, cancel, recover
from domain.layer import FeatureData, load_layer
from domain.overlay import overlapping_area_m2
from domain.patch_case import opening, overlaying
from domain.patch_case.listing import DONE, FAILED, NONE, WORKING
from domain.portal_clock import local_date
from tests.domain.patch_case.conftest import QINGPU, Clues


@pytest.fixture
def cut_off():
    """Let the opening of the n-th case fail."""
    counted = {"left": 0}

    def fail_at(number):
        counted["left"] = number

        def handler(name):
            if name == "patch_case:opened":
                counted["left"] -= 1
                if counted["left"] == 0:
                    raise RuntimeError("cut off")

        failpoint.install(handler)

    yield fail_at
    failpoint.install(None)


@pytest.mark.function("PROJ-044", "c4")
def test_every_patch_that_passed_becomes_a_numbered_case_in_the_hands_of_its_district(clues):
    run = clues.admitted()
    cases = clues.cases()
    assert [each.number for each in cases] == [f"沪规资执〔{local_date(each.created_at).year}〕310118-{n:05d}号" for n, each in enumerate(cases, 1)]
    assert len(cases) == 12 and {(each.status, each.steps, each.district_code) for each in cases} == {("open", "check", QINGPU)}
    rows = clues.rows(run)
    assert [row.case.id for row in rows] == [each.id for each in cases]
    first = cases[0]
    assert first.values["patch_number"] == rows[0].patch.feature_key and first.values["clue_number"] == rows[0].patch.number
    assert first.values["source_task"] == clues.task(run.task_id).number and first.values["source_file"] == "线索.gpkg"
    assert Decimal(first.values["patch_area_m2"]) == rows[0].patch.area_m2 > 0
    assert first.created_by == clues.handler.person_id and first.title == f"线索图斑 {rows[0].patch.feature_key}（{first.values['clue_source']}）"
    with clues.database.reading() as session:
        [event] = session.exec(select(CaseEvent).where(CaseEvent.case_id == first.id, CaseEvent.operation == "received")).all()
        [placed] = ranges_of(session, first.id)
        found = understand(session, first, placed)
        assert set(hold.held_by(session, first.id, hold.PATCH)) == {opening.patch_key(rows[0].patch)}
    assert "周经办导入" in event.label and event.person_name == "系统"
    assert placed.area_m2 == rows[0].patch.area_m2 == found.range.area_m2 and placed.geometry.equals(found.range.geometry)


def test_a_patch_is_laid_over_the_layers_that_have_data_and_the_case_says_so(clues):
    patch = sample_package.patch(0)
    west, south, east, north = patch.bounds
    half = shapely.MultiPolygon([shapely.box(west - 0.001, south - 0.001, (west + east) / 2, north + 0.001)])
    farmland = FeatureData("JN-1", QINGPU, "永久基本农田", Decimal("1.00"), half, {"protection_type": "永久基本农田"})
    land = FeatureData("DL-1", QINGPU, "0101", Decimal("1.00"), half.buffer(0.01), {"class_code": "0101", "class_name": "水田"})
    with clues.database.writing() as session:
        load_layer(session, SYSTEM, "permanent_farmland", [farmland], date(2026, 1, 1))
    with clues.database.writing() as session:
        load_layer(session, SYSTEM, "land_use", [FeatureData(land.key, QINGPU, "0101", land.area_m2, shapely.MultiPolygon([land.geometry]), land.attributes)], date(2026, 1, 1))
    run = clues.admitted(count=6)
    values, other = clues.cases()[0].values, clues.cases()[1].values
    expected = overlapping_area_m2(patch, half)
    assert values["permanent_m2"] == f"{expected:f}" and other["permanent_m2"] == "0.00"
    assert values["overlays"] == [
        {"layer": "永久基本农田", "class": "永久基本农田", "overlap_m2": f"{expected:f}"},
        {"layer": "土地利用现状", "class": "水田（0101）", "overlap_m2": values["patch_area_m2"]},
    ]
    assert "永久基本农田第 2 版" in values["overlay_note"] and "生态保护红线" in values["overlay_note"].split("；")[1]
    [row] = [each for each in clues.rows(run) if each.case.id == clues.cases()[0].id]
    assert f"{expected:,} 平方米" in row.stage("overlay").said


def test_a_layer_that_came_later_is_laid_over_on_the_page_of_the_case(database, office, tmp_path, person):
    clues = Clues(database, office, tmp_path, person)
    run = clues.admitted(count=1)
    [case], [row] = clues.cases(), clues.rows(run)
    assert "permanent_m2" not in case.values and row.stage("overlay").state == NONE
    assert row.stage("overlay").said.endswith("还没有数据，没有套合") and "重新套合" in row.stage("overlay").advice
    cover = FeatureData("JN-1", QINGPU, "永久基本农田", Decimal("1.00"), sample_package.patch(0), {"protection_type": "永久基本农田"})
    with database.writing() as session:
        load_layer(session, SYSTEM, "permanent_farmland", [cover], date(2026, 1, 1))
    checker = person("enforcer", district=QINGPU)
    with database.reading() as session:
        [task] = [each.id for each in session.exec(select(Task).where(Task.case_id == case.id, Task.status == "ready")).all()]
    clues.act(actions.take_action, task, "lay_over", by=checker)
    [case], [row] = clues.cases(), clues.rows(run)
    assert case.values["permanent_m2"] == case.values["patch_area_m2"] and row.stage("overlay").state == DONE and case.steps == "check"
    assert len(clues.messages("sharing_library")) == 1


def test_a_package_with_bad_patches_opens_nothing(clues):
    task = clues.passed({"row": 3, "how": "shape"}, {"row": 5, "how": "repeat"})
    with pytest.raises(Refused, match="质检没有通过"):
        clues.request(task)
    assert clues.cases() == []


def test_a_double_click_waits_and_a_finished_package_is_not_admitted_again(clues):
    task = clues.passed()
    clues.request(task)
    with pytest.raises(Conflict, match="正在入库"):
        clues.request(task)
    clues.work()
    with pytest.raises(Refused, match="不能重复入库"):
        clues.request(task)
    assert len(clues.cases()) == 12


def test_a_job_that_is_run_twice_opens_no_second_case(clues):
    run = clues.admitted()
    with clues.database.writing() as session:
        opening._queue(_work(session, clues.handler), run)
        session.commit()
    clues.work()
    assert len(clues.cases()) == len(clues.rows(run)) == 12 and clues.job(run).result == {"patches": 0, "left": 0}


def _work(session, actor):
    from domain.command import Work
    from domain.portal_clock import now

    return Work(session, actor, now(session), "test")


@pytest.mark.function("PROJ-044", "c4")
def test_a_patch_of_a_later_package_leads_to_the_case_that_there_is(clues):
    first = clues.admitted(count=8)
    later = clues.admitted(first=4, count=8)
    rows = clues.rows(later)
    assert len(clues.cases()) == 12 and [row.patch.is_repeated for row in rows] == [True] * 4 + [False] * 4
    known = {row.patch.feature_key: row for row in clues.rows(first)}
    for row in rows[:4]:
        before = known[row.patch.feature_key]
        assert (row.case.id, row.patch.number) == (before.case.id, before.patch.number)
    assert [row.patch.feature_key for row in clues.rows(later, state="repeated")] == [row.patch.feature_key for row in rows[:4]]
    with clues.database.reading() as session:
        told = session.exec(select(CaseEvent).where(CaseEvent.case_id == rows[0].case.id, CaseEvent.operation == "patch_again")).all()
    assert len(told) == 1 and clues.task(later.task_id).number in told[0].label


def test_an_opening_that_was_cut_off_goes_on_where_it_stopped(clues, cut_off, monkeypatch):
    monkeypatch.setattr(opening, "BATCH", 5)
    cut_off(8)
    run = clues.admitted()
    assert clues.job(run).status == "failed" and len(clues.cases()) == 5
    assert [row.stage("number").state for row in clues.rows(run)] == [DONE] * 5 + [NONE] * 7
    assert len(clues.rows(run, state="waiting")) == 7
    failpoint.install(None)
    job = clues.act(opening.resume, run.id)
    with pytest.raises(Conflict, match="正在立案"):
        clues.act(opening.resume, run.id)
    clues.work()
    assert len(clues.cases()) == 12 and len({each.number for each in clues.cases()}) == 12
    assert {row.patch.case_id for row in clues.rows(run)} == {each.id for each in clues.cases()}
    with pytest.raises(Conflict, match="都已立案"):
        clues.act(opening.resume, run.id)
    assert job.id == clues.job(run).id and {len(clues.messages(each)) for each in ("sharing_library", "map_service")} == {12}


def test_a_portal_that_was_killed_while_it_opened_cases_goes_on_by_itself(clues, cut_off, monkeypatch):
    monkeypatch.setattr(opening, "BATCH", 5)
    cut_off(7)
    run = clues.admitted()
    failpoint.install(None)
    with clues.database.writing() as session:  # what a kill leaves: a job that is marked running, and the batches that stood
        session.get(Job, clues.job(run).id).status = "running"
        session.commit()
    assert len(clues.cases()) == 5
    with clues.database.writing() as session:
        assert recover(session, SYSTEM) == 1
    clues.work()
    assert clues.job(run).status == "done" and len(clues.cases()) == len({each.number for each in clues.cases()}) == 12


def test_two_packages_with_the_same_patches_at_once_open_each_case_once(clues, monkeypatch):
    first, second = clues.passed(count=3), clues.passed(count=3)
    for task in (first, second):
        clues.request(task)
    for _ in range(2):
        clues.runner._work_at_job()
    runs = [clues.runs(task.id)[0].id for task in (first, second)]
    with clues.database.reading() as session:
        both = [opening._prepared(session, run_id, 0) for run_id in runs]
    for run_id, prepared in zip(runs, both, strict=True):
        with clues.database.writing() as session:
            opening.open_batch(session, SYSTEM, run_id, clues.handler.person_id, prepared)
    clues.work()
    assert len(clues.cases()) == 3 and len(clues.messages("map_service")) == 3
    assert [row.patch.is_repeated for row in clues.rows(clues.runs(second.id)[0])] == [True] * 3


def test_an_admission_that_was_cancelled_leaves_the_layer_and_can_be_gone_on_with(clues):
    task = clues.passed()
    clues.request(task)
    clues.runner._work_at_job()
    run = clues.runs(task.id)[0]
    clues.act(cancel, run.admission_job_id)
    clues.work()
    assert clues.job(run).status == "cancelled" and clues.cases() == []
    assert clues.states(run) == {(NONE,) * 5}
    clues.act(opening.resume, run.id)
    clues.work()
    assert len(clues.cases()) == 12


def test_a_patch_that_cannot_be_laid_over_says_why_and_the_others_go_on(clues, monkeypatch):
    plain = overlaying.Overlaying.of

    def unable(self, geometry):
        if geometry.equals(sample_package.patch(2)):
            raise InvalidGeometry("要素 JN-7 的图形有自相交。")
        return plain(self, geometry)

    monkeypatch.setattr(overlaying.Overlaying, "of", unable)
    run = clues.admitted()
    [row] = clues.rows(run, state="failed")
    assert len(clues.cases()) == 11 and row.stage("overlay").state == FAILED and "JN-7" in row.stage("overlay").said
    assert "继续立案" in row.stage("overlay").advice and row.stage("library").state == NONE
    monkeypatch.undo()
    clues.act(opening.resume, run.id)
    clues.work()
    assert len(clues.cases()) == 12 and clues.states(run) == {(DONE, DONE, WORKING, DONE, WORKING)}


def test_a_case_lies_in_the_district_of_its_patch_even_when_the_city_imports(clues, person):
    planner = person("city_handler")
    run = clues.admitted(district="310100", by=planner)
    assert {each.district_code for each in clues.cases()} == {QINGPU}
    own, other = person("enforcer", district=QINGPU), person("enforcer", district="310115")
    with clues.database.reading() as session:
        first = clues.cases()[0].id
        assert scope.find(session, own, first).id == first
        with pytest.raises(NotFound):
            scope.find(session, other, first)
        with pytest.raises(NotFound):
            access.run_of(session, person("district_handler", district="310115"), run.id)


def test_only_those_who_admit_go_on_with_an_opening(clues, person, cut_off):
    cut_off(1)
    run = clues.admitted()
    failpoint.install(None)
    with pytest.raises(NotAllowed, match="打包入库"):
        clues.act(opening.resume, run.id, by=clues.chief)
    with pytest.raises(NotFound):
        clues.act(opening.resume, run.id, by=person("district_handler", district="310115"))
    assert clues.cases() == [] and admission.KIND != opening.KIND
