"""Tasks with the shipped schemes and the real engine: what a person does with packages from upload to verdict and certificate."""

import json

import pytest
from sqlmodel import select

from domain import map_layer
from domain.actor import SYSTEM
from domain.demo import sample_package
from domain.demo.inspections import spoilt
from domain.errors import InvalidData, Refused
from domain.inspection import schemes
from domain.inspection.task import admission, course, engine, exceptions, export, findings, package, variant
from domain.inspection.task.exceptions import Wanted
from domain.inspection.task.findings import FindingQuery
from domain.job import Job
from domain.layer import all_features
from domain.notice import page_of
from domain.patch_case.tables import AdmittedPatch
from tests.domain.inspection.conftest import Tasks
from tests.domain.shared_data import shared_file

QINGPU = "310118"
FAULTS = ({"row": 3, "how": "shape"}, {"row": 5, "how": "repeat"}, {"row": 8, "how": "district"})


@pytest.fixture
def real(database, office, tmp_path, person):
    """Tasks of an office with the shipped schemes."""
    return Tasks(database, office, tmp_path, person)


def received(tasks, scheme, *faults, name="包.gpkg", first=0):
    found = schemes()[scheme]
    data = sample_package.package(found, QINGPU, first=first, spoilt=dict(spoilt(found, faults, first)))
    return package.receive(tasks.office.files, name, [data])


def inspected(tasks, scheme, *faults, by=None, district=QINGPU):
    task = tasks.act(course.create, scheme, "包", district, received(tasks, scheme, *faults), by=by)
    tasks.work()
    tasks.act(course.confirm, task.id, tasks.task(task.id).version, by=by)
    tasks.work()
    return tasks.task(task.id), tasks.runs(task.id)[0]


@pytest.mark.parametrize("scheme", ["supplement_package", "clue_patches", "delta_planning_result", "geology_deposit", "applied_map"])
def test_a_package_that_fits_its_scheme_passes(real, scheme):
    _, run = inspected(real, scheme)
    assert (run.state, run.error_count, run.is_passed) == ("passed", 0, True), run.counts
    assert run.certificate["package"]["sm3"] == run.digest and run.edition


@pytest.mark.function("LAND-076", "c5")
def test_faults_of_a_supplement_package_are_listed_one_by_one_and_keep_it_out(real):
    task, run = inspected(real, "supplement_package", *FAULTS)
    with real.database.reading() as session:
        rows = findings.page_of(session, run.id, FindingQuery(severity="error")).rows
        found = {(row.check, row.feature) for row in rows}
        assert {("编号唯一性", 6), ("行政区代码", 9), ("图层内重叠", 5), ("面积与属性一致", 4)} <= found
        assert all(row.west is not None for row in rows)
    with pytest.raises(Refused, match="没有入库"):
        real.act(admission.request, task.id, task.version, 1)


@pytest.mark.function("PROJ-044", "c2", "c3")
def test_clue_patches_with_faults_are_listed_and_kept_out(real):
    task, run = inspected(real, "clue_patches", {"row": 3, "how": "shape"}, {"row": 5, "how": "repeat"})
    checks = {row["label"] for row in run.counts["classes"]}
    assert {"图层内重叠", "编号唯一性"} <= checks
    with pytest.raises(Refused):
        real.act(admission.request, task.id, task.version, 1)


@pytest.mark.function("PROJ-044", "c1")
def test_an_uploaded_mdb_is_noted_with_time_content_and_size_and_the_inspection_is_called_for(real):
    data = shared_file("vector-formats", "personal-gdb", "sample.mdb").read_bytes()
    task = real.act(course.create, "clue_patches", "线索", QINGPU, package.receive(real.office.files, "线索.mdb", [data]))
    real.work()
    [run] = real.runs(task.id)
    assert (run.state, run.size_bytes, run.uploaded_by_name) == ("waiting", len(data), "周经办") and run.uploaded_at
    assert run.understood["kind"] == "个人地理数据库" and run.understood["layers"]
    with real.database.reading() as session:
        told = page_of(session, real.handler.person_id, only_unread=False, first=0, size=9).rows
        assert any("请核对后开始质检" in each.title for each in told)


@pytest.mark.function("DELTA-008", "c1", "c2")
def test_one_planning_result_is_a_single_task_and_several_are_a_batch(real, person):
    planner = person("city_handler")
    single = real.act(course.create, "delta_planning_result", "单个", "310100", received(real, "delta_planning_result"), by=planner)
    both = (*received(real, "delta_planning_result"), *received(real, "delta_planning_result", first=50, name="另一个.gpkg"))
    batch = real.act(course.create, "delta_planning_result", "两个", "310100", both, by=planner)
    assert (single.is_batch, batch.is_batch, batch.package_count) == (False, True, 2)


@pytest.mark.function("LAND-076", "c6")
def test_patches_of_a_passed_package_stand_pre_ingested_on_the_supplement_layer_and_are_found_on_the_map(real):
    task, run = inspected(real, "supplement_package")
    real.act(admission.request, task.id, task.version, 1)
    real.work()
    [run] = real.runs(task.id)
    assert run.state == "admitted" and run.admission["layers"][0]["title"] == "永久基本农田补划退出图层"
    with real.database.reading() as session:
        patches = all_features(session, "protected_space_supplement")
        assert len(patches) == 12 and {(each.status, each.district_code) for each in patches} == {("预入库", QINGPU)}
        assert {(each.attributes["protection_type"], each.attributes["direction"]) for each in patches} == {("永久基本农田", "调入")}
        [(layer, found)] = map_layer.plots(session, SYSTEM, [patches[0].key])
        assert layer.key == "protected_space_supplement" and found.area_m2 == patches[0].area_m2 > 0


@pytest.mark.function("DELTA-011", "c1", "c2", "c3")
def test_a_planning_result_that_passed_is_packed_and_goes_to_its_layer_on_the_map(real, person):
    planner = person("city_handler")
    task, run = inspected(real, "delta_planning_result", by=planner, district="310100")
    real.act(export.request_pack, run.id, by=planner)
    real.act(admission.request, task.id, task.version, 1, by=planner)
    real.work()
    [run] = real.runs(task.id)
    [into] = run.admission["layers"]
    with real.database.reading() as session:
        assert map_layer.editions(session, SYSTEM)[into["key"]] == into["edition"]
        [job] = session.exec(select(Job).where(Job.kind == export.PACK_KIND)).all()
        assert job.status == "done" and job.result_file


@pytest.mark.function("GEO-029", "c1", "c4", "c5")
def test_an_mdb_that_is_no_geological_deposit_is_told_what_it_lacks_and_kept_out(real, person):
    planner = person("city_handler")
    data = shared_file("vector-formats", "personal-gdb", "sample.mdb").read_bytes()
    task = real.act(course.create, "geology_deposit", "汇交", "310100", package.receive(real.office.files, "汇交.mdb", [data]), by=planner)
    real.work()
    real.act(course.confirm, task.id, real.task(task.id).version, by=planner)
    real.work()
    [run] = real.runs(task.id)
    assert run.understood["kind"] == "个人地理数据库" and run.state == "failed"
    with real.database.reading() as session:
        rows = findings.page_of(session, run.id, FindingQuery(severity="error")).rows
    assert {"ZK", "DC"} <= {row.layer for row in rows if row.check == "图层名称"}
    with pytest.raises(Refused, match="没有入库"):
        real.act(admission.request, task.id, real.task(task.id).version, 1, by=planner)
    job = real.act(export.request, run.id, ["report.xlsx"], by=planner)
    real.work()
    with real.database.reading() as session:
        assert session.get(Job, job.id).status == "done" and session.get(Job, job.id).result_file


@pytest.mark.function("GEO-029", "c1", "c2", "c3")
def test_boreholes_of_a_passed_deposit_stand_on_their_layer_and_are_found_at_their_place(real, person):
    planner = person("city_handler")
    task, _ = inspected(real, "geology_deposit", by=planner, district="310100")
    real.act(admission.request, task.id, task.version, 1, by=planner)
    real.work()
    [run] = real.runs(task.id)
    assert run.state == "admitted" and run.admission["layers"][0]["title"] == "钻孔点位"
    with real.database.reading() as session:
        holes = all_features(session, "geology_borehole")
        assert len(holes) == 12 and {each.geometry.geom_type for each in holes} == {"Point"} and {each.area_m2 for each in holes} == {0}
        there = map_layer.features_at(session, SYSTEM, holes[0].geometry.x, holes[0].geometry.y)
    assert holes[0].key in {found.key for layer, found in there if layer.key == "geology_borehole"}


def test_clue_patches_that_passed_are_kept_and_each_becomes_a_numbered_clue(real):
    task, _ = inspected(real, "clue_patches")
    real.act(admission.request, task.id, task.version, 1)
    real.work()
    [run] = real.runs(task.id)
    with real.database.reading() as session:
        patches = all_features(session, "clue_patch")
        clues = session.exec(select(AdmittedPatch).where(AdmittedPatch.run_id == run.id)).all()
    assert {each.status for each in patches} == {"待核查"}
    assert sorted(each.feature_key for each in clues) == [each.key for each in patches]
    assert len({each.number for each in clues}) == run.admission["patches"] == len(patches)


def test_a_key_that_an_exception_left_twice_keeps_the_whole_package_out_of_the_layer(real):
    task, run = inspected(real, "supplement_package", {"row": 5, "how": "repeat"})
    row = real.act(exceptions.ask, task.id, task.version, run.id, Wanted(tuple(range(1, 9))), "编号沿用上年")
    real.act(exceptions.decide, row.id, True, by=real.chief)
    job = real.act(admission.request, task.id, real.task(task.id).version, 1)
    real.work()
    with real.database.reading() as session:
        assert "重复" in session.get(Job, job.id).fault
        assert "protected_space_supplement" not in map_layer.editions(session, SYSTEM)


def test_a_variant_is_checked_against_its_scheme_and_says_whether_it_certifies(real, person):
    planner = person("city_handler")
    for off, parameters in ((["nothing"], {}), ([], {"nothing": "1"}), ([], {"smallest_area_m2": "many"})):
        with pytest.raises(InvalidData):
            real.act(variant.save, "supplement_package", "错", off, parameters, by=planner)
    row = real.act(variant.save, "supplement_package", "不查重叠", ["overlap", "area_value"], {}, by=planner)
    task, run = inspected(real, "supplement_package", {"row": 3, "how": "shape"})
    assert not run.is_passed
    real.act(course.rerun, task.id, task.version, None, row.id)
    real.work()
    [run] = real.runs(task.id)
    assert run.is_passed and run.certificate["certifies"] is False
    with pytest.raises(Refused, match="只供自查"):
        real.act(admission.request, task.id, real.task(task.id).version, 1)


def test_a_certificate_is_verified_with_its_package_and_nothing_else(real):
    _, run = inspected(real, "supplement_package")
    with real.database.reading() as session:
        text = engine.certificate_text(session, run)
        checks, facts = engine.verified(session, text, run.digest)
        assert all(each["is_passed"] for each in checks) and facts
        assert [each["is_passed"] for each in engine.verified(session, text, "0" * 64)[0]] == [True, True, False, True]
        forged = json.dumps(json.loads(text) | {"score": "99"})
        with pytest.raises(InvalidData):
            engine.verified(session, forged, run.digest)


def test_the_certificate_of_a_package_that_passed_by_exceptions_says_so(real):
    task, run = inspected(real, "supplement_package", {"row": 5, "how": "repeat"})
    row = real.act(exceptions.ask, task.id, task.version, run.id, Wanted(tuple(range(1, 9))), "编号沿用上年")
    real.act(exceptions.decide, row.id, True, by=real.chief)
    [run] = real.runs(task.id)
    assert run.is_passed and run.error_count == 0
    with real.database.reading() as session:
        text = engine.certificate_text(session, run)
        document = json.loads(text)
        assert document["passed"] is False and document["passed_with_exceptions"] is True
        assert document["exceptions"] == [{"findings": row.finding_count, "reason": "编号沿用上年"}]
        assert all(each["is_passed"] for each in engine.verified(session, text, run.digest)[0])
    real.act(exceptions.withdraw, row.id)
    with real.database.reading() as session:
        assert not engine.verified(session, text, run.digest)[0][1]["is_passed"]
