"""打包入库 and exports: what passed goes to its layer, whole or not at all; the zip holds what was chosen."""

import io
import json
import zipfile

import openpyxl
import pyogrio
import pytest

from domain.errors import Conflict, InvalidData, NotFound, Refused
from domain.inspection.task import admission, course, export, variant
from domain.inspection.task.tables import InspectionRun, InspectionTask
from domain.job import Job
from domain.layer import features_by_key, layer_of
from tests.domain.inspection.conftest import BAD, GOOD

LAYER = "permanent_farmland"


def layer_keys(tasks):
    with tasks.database.reading() as session:
        try:
            layer_of(session, LAYER)
        except NotFound:
            return None
        return sorted(features_by_key(session, LAYER, ["T1", "T2", "T3"]))


def job_of(tasks, job):
    with tasks.database.reading() as session:
        found = session.get(Job, job.id)
        session.expunge(found)
        return found


def test_a_passed_package_stands_in_its_layer_as_pre_ingested(tasks):
    task = tasks.inspected(GOOD)
    job = tasks.act(admission.request, task.id, task.version, 1)
    tasks.work()
    [run] = tasks.runs(task.id)
    assert job_of(tasks, job).status == "done"
    assert (tasks.task(task.id).state, run.state, run.admitted_by_name) == ("admitted", "admitted", "周经办")
    assert layer_keys(tasks) == ["T1", "T2"]
    assert run.admission["layers"][0]["added"] == 2
    with tasks.database.reading() as session:
        assert {each.status for each in features_by_key(session, LAYER, ["T1", "T2"]).values()} == {"预入库"}
    again = tasks.inspected((("T2", "310118", 400.0), ("T3", "310118", 300.0)))
    tasks.act(admission.request, again.id, again.version, 1)
    tasks.work()
    assert layer_keys(tasks) == ["T1", "T2", "T3"]
    assert tasks.runs(again.id)[0].admission["layers"][0]["ended"] == 1


def test_a_package_whose_admission_waits_is_not_queued_again(tasks):
    task = tasks.inspected(GOOD)
    tasks.act(admission.request, task.id, task.version, 1)
    with pytest.raises(Conflict, match="正在入库"):
        tasks.act(admission.request, task.id, tasks.task(task.id).version, 1)
    tasks.work()
    assert layer_keys(tasks) == ["T1", "T2"]


@pytest.mark.function("DELTA-011", "c4", "c5")
def test_a_package_with_errors_is_refused_with_the_reason_and_nothing_is_added(tasks):
    task = tasks.inspected(BAD)
    with pytest.raises(Refused, match="2 处错误"):
        tasks.act(admission.request, task.id, task.version, 1)
    with pytest.raises(Refused, match="2 处错误"):
        tasks.act(export.request_pack, tasks.runs(task.id)[0].id)
    assert layer_keys(tasks) is None


def test_a_score_below_the_line_is_refused_too(tasks):
    task = tasks.inspected(tuple((f"T{n}", "310118", 10.0) for n in range(11)))
    [run] = tasks.runs(task.id)
    assert run.error_count == 0 and not run.is_passed
    with pytest.raises(Refused, match="低于合格线"):
        tasks.act(admission.request, task.id, task.version, 1)


def test_what_lies_in_another_district_is_refused_when_it_comes_to_it(tasks):
    task = tasks.inspected((("T1", "310115", 500.0),))
    job = tasks.act(admission.request, task.id, task.version, 1)
    tasks.work()
    assert job_of(tasks, job).status == "failed" and "行政区" in job_of(tasks, job).fault
    assert layer_keys(tasks) is None and tasks.task(task.id).state == "passed"


def test_a_result_by_a_loosened_scheme_is_no_ground_for_admission(tasks, person):
    planner = person("section_chief", district="310118")
    row = tasks.act(variant.save, "supplement_package", "不查编号", ["SX-01", "SX-02"], {}, by=planner)
    task = tasks.inspected(BAD)
    tasks.act(course.rerun, task.id, task.version, None, row.id)
    tasks.work()
    task, [run] = tasks.task(task.id), tasks.runs(task.id)
    assert run.is_passed and run.variant["title"] == "不查编号"
    with pytest.raises(Refused, match="只供自查"):
        tasks.act(admission.request, task.id, task.version, 1)


def exported(tasks, run, chosen, act=export.request):
    job = tasks.act(act, run.id, chosen) if chosen else tasks.act(act, run.id)
    tasks.work()
    done = job_of(tasks, job)
    assert done.status == "done", done.fault
    return zipfile.ZipFile(io.BytesIO(tasks.office.files.read_bytes(done.result_file)))


@pytest.mark.function("DELTA-010", "c1", "c3", "c4")
def test_an_export_holds_what_was_chosen_and_agrees_with_the_result(tasks, tmp_path):
    task = tasks.inspected(BAD)
    [run] = tasks.runs(task.id)
    assert exported(tasks, run, ["report.pdf"]).namelist() == ["质检报告.pdf"]
    result = exported(tasks, run, ["result.xlsx", "result.gpkg"])
    assert sorted(result.namelist()) == ["错误图层.gpkg", "错误清单.xlsx"]
    sheet = openpyxl.load_workbook(io.BytesIO(result.read("错误清单.xlsx"))).active
    assert [row[1].value for row in sheet.iter_rows(min_row=2)] == ["SX-01", "SX-02", "MJ-01"]
    path = tmp_path / "errors.gpkg"
    path.write_bytes(result.read("错误图层.gpkg"))
    meta, _, blobs, _ = pyogrio.raw.read(path)
    assert len(blobs) == 3 and "message" in meta["fields"]
    everything = exported(tasks, run, list(export.CHOICES))
    assert sorted(everything.namelist()) == sorted(export.CHOICES.values())
    shapes = zipfile.ZipFile(io.BytesIO(everything.read("错误图层_shp.zip")))
    assert "错误图层_面.shp" in shapes.namelist()
    with pytest.raises(InvalidData):
        tasks.act(export.request, run.id, ["nothing"])


def test_a_packed_package_holds_its_very_bytes_and_the_certificate(tasks):
    task = tasks.inspected(GOOD)
    [run] = tasks.runs(task.id)
    made = exported(tasks, run, None, export.request_pack)
    assert sorted(made.namelist()) == ["patches1.gpkg", "质检报告.pdf", "质检规则.zip", "质检证书.json"]
    assert made.read("patches1.gpkg") == tasks.office.files.read_bytes(run.digest)
    assert json.loads(made.read("质检证书.json"))["package"] == run.digest


def test_layers_that_the_plan_does_not_name_are_listed_in_words():
    read = [{"name": name, "count": count, "geometry_type": kind} for name, count, kind in (
        ("STBHHX", 3, "MultiPolygon"), ("GHFQ", 1200, "MultiPolygon"), ("YDYHGHFQ", 7, "MultiPolygon"), ("ZB", 2, ""),
    )]  # fmt: skip
    run = InspectionRun(task_id=1, state="passed", digest="", size_bytes=0, understood={"layers": read})
    task = InspectionTask(scheme="delta_planning_result", district_code="310100")
    words = admission.left_out(task, run)
    assert [each.split("不入库")[0] for each in words] == ["图层 GHFQ（1,200 个要素）", "图层 YDYHGHFQ（7 个要素）", "图层 ZB（2 个要素）"]
    assert admission.left_out(InspectionTask(scheme="tenure_faces", district_code="310100"), run) == []
