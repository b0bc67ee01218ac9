"""Saved overlays: what is computed and kept, who may see it, what deleting, repeating and comparing do."""

import json
from dataclasses import replace
from decimal import Decimal

import openpyxl
import pyogrio
import pytest
import shapely
from sqlmodel import func, select

from domain import overlay_run
from domain.area import area_m2, sum_m2
from domain.audit import AuditEntry
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.job import Job
from domain.layer import layer_definition
from domain.layer.definition import LayerColumn
from domain.overlay import overlay_areas
from domain.overlay_run import FileRanges, LayerChoice, OverlayRunRow, RunRequest, scheme
from domain.overlay_run.definition import UPLOADED
from domain.overlay_run.sources import read_ranges
from domain.shapefile import write_zipped_shapefile
from tests.domain.overlay_run.samples import (
    ANALYSIS,
    GRADES,
    LAND,
    feature,
    load,
    load_all,
    patches,
    with_layers,
    work_off,
)
from tests.domain.space_fixtures import PUDONG, QINGPU, plot

__all__ = ["with_layers"]
BY_LAND = (LayerChoice("land_use", "class_code"),)
pytestmark = pytest.mark.usefixtures("with_layers")


def compute(database, office, actor, asked, file=None):
    """Ask, work it off, and give the ended run's number."""
    with database.writing() as session:
        number = overlay_run.request(session, actor, asked, file).id
    work_off(database, office)
    return number


def read(database, actor, number):
    with database.reading() as session:
        run = overlay_run.find(session, actor, number)
        assert run.ended_at is not None, session.get(Job, run.job_id).fault
        rows = overlay_run.rows_of(session, number, size=1000)
        session.expunge_all()
    return run, rows


def free(**changes) -> RunRequest:
    return replace(RunRequest("各区现状", BY_LAND, layer="protected_space_supplement"), **changes)


# -- LAND-077


@pytest.mark.function("LAND-077", "c1", "c2")
def test_supplement_patches_by_type_and_direction_with_arable_paddy_and_grades(database, office, person):
    load_all(database)
    handler = person("district_handler", district=QINGPU)
    run, rows = read(database, handler, compute(database, office, handler, scheme(ANALYSIS).request("第三季度")))
    assert {row.range_key for row in rows} == {"B1", "B2", "B3"}
    found = {tuple(each["values"]): each for each in run.summary["groups"]}
    assert set(found) == {("永久基本农田", "调入"), ("永久基本农田", "调出"), ("储备永久基本农田", "调出")}
    enters = found["永久基本农田", "调入"]
    square, half = area_m2(plot(0.5, 0, 1, 1)), area_m2(plot(0.5, 0, 0.5, 1))
    assert enters["area_m2"] == enters["measures"]["cultivated"] == enters["measures"]["paddy"] == str(square)
    assert enters["grades"]["quality"] == {"7": str(half), "8": str(square - half)} and enters["measures"]["quality"] == "7.50"
    leaves = found["储备永久基本农田", "调出"]
    assert Decimal(leaves["measures"]["cultivated"]) == area_m2(plot(3.5, 0, 0.5, 1)) and leaves["measures"]["paddy"] == "0.00"
    assert leaves["measures"]["quality"] == "" and list(leaves["grades"]["quality"]) == [""]
    assert sum_m2(Decimal(each["area_m2"]) for each in run.summary["groups"]) == run.total_m2 == sum_m2(row.area_m2 for row in rows)


@pytest.mark.function("LAND-077", "c3", "c4")
def test_each_of_many_analyses_is_kept_and_what_changed_between_two_is_told_by_row(database, office, person):
    load_all(database)
    handler = person("district_handler", district=QINGPU)
    first = compute(database, office, handler, scheme(ANALYSIS).request("第一次"))
    changed = [replace(each, class_code="0103") if each.key == "L1" else each for each in LAND]
    load(database, land_use=changed)
    with database.writing() as session:
        second = overlay_run.run_again(session, handler, first).id
    work_off(database, office)
    before, _rows = read(database, handler, first)
    after, _rows = read(database, handler, second)
    assert (before.lineage["layers"][0]["edition"], after.lineage["layers"][0]["edition"]) == (1, 2)
    assert before.summary["by_class"][0] != after.summary["by_class"][0] and before.total_m2 == after.total_m2
    with database.reading() as session:
        runs, total = overlay_run.list_runs(session, handler, ANALYSIS)
        assert total == 2 and [each.id for each in runs] == [second, first] and runs[0].note == f"按第 {first} 号重算"
        found = overlay_run.compare(session, handler, first, second)
    assert {each.range_key for each in found.differences} == {"B1", "B2"} and found.same > 0
    assert sum_m2(each.change_m2 for each in found.differences) == 0
    paddy = next(each for each in found.by_class if each[:2] == ("land_use", "0101"))
    assert paddy[2] > 0 and paddy[3] == 0


def test_a_result_says_what_it_was_made_from(database, office, person):
    load_all(database)
    handler = person("city_handler", name="市经办")
    run, _rows = read(database, handler, compute(database, office, handler, scheme(ANALYSIS).request("全市", note="年底")))
    ranges, layers = run.lineage["ranges"], run.lineage["layers"]
    assert (ranges["layer"], ranges["edition"], ranges["count"]) == ("protected_space_supplement", 1, 4)
    assert [(each["layer"], each["by"]) for each in layers] == [("land_use", "class_code"), ("farmland_quality", "quality_class")]
    assert len({each["token"] for each in (ranges, *layers)}) == 3 and run.lineage["engines"]["GEOS"] == shapely.geos_version_string
    assert (run.asked_by_name, run.note, run.district_code) == ("市经办", "年底", "")
    assert set(run.summary["by_district"]) == {QINGPU, PUDONG}


# -- right and scope


def test_a_district_sees_its_own_results_and_takes_its_own_patches_alone(database, office, person):
    load_all(database)
    ours, theirs, city = person("district_handler", district=QINGPU), person("district_chief", district=PUDONG), person("city_viewer")
    applicant = person("applicant")
    number = compute(database, office, ours, free())
    assert {row.range_key for row in read(database, ours, number)[1]} == {"B1", "B2", "B3"}
    read(database, city, number)
    with database.reading() as session, pytest.raises(NotFound):
        overlay_run.find(session, theirs, number)
    with database.writing() as session, pytest.raises(NotAllowed, match="辖区"):
        overlay_run.request(session, ours, free(district=PUDONG))
    with database.writing() as session, pytest.raises(NotAllowed, match="工作人员"):
        overlay_run.request(session, applicant, free())
    with database.writing() as session, pytest.raises(NotFound):
        overlay_run.compare(session, theirs, number, number)


def test_deleting_is_for_who_asked_or_the_city_and_leaves_its_trace(database, office, person):
    load_all(database)
    owner, colleague, city = person("district_handler", district=QINGPU), person("district_chief", district=QINGPU), person("city_handler")
    with database.writing() as session:
        waiting = overlay_run.request(session, owner, free()).id
    with database.writing() as session, pytest.raises(Conflict, match="还在计算"):
        overlay_run.delete(session, owner, waiting)
    work_off(database, office)
    with database.writing() as session, pytest.raises(NotAllowed, match="本人或市级"):
        overlay_run.delete(session, colleague, waiting)
    with database.writing() as session:
        overlay_run.delete(session, city, waiting)
    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(OverlayRunRow)).one() == 0
        assert session.exec(select(AuditEntry).where(AuditEntry.command == "overlay_run.delete")).one().subject == f"overlay_run:{waiting}"


# -- ranges and parameters


def test_ranges_of_an_uploaded_file_are_read_repaired_on_request_and_refused_otherwise(database, office, person):
    load_all(database)
    whole = shapely.geometry.mapping(plot(0, 0, 1, 1))
    (w, s), (e, n) = plot(2, 0, 1, 1).bounds[:2], plot(2, 0, 1, 1).bounds[2:]
    tie = {"type": "Polygon", "coordinates": [[[w, s], [e, n], [e, s], [w, n], [w, s]]]}
    document = {
        "type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "EPSG:4490"}},
        "features": [{"type": "Feature", "properties": {"name": name}, "geometry": each} for name, each in (("甲地", whole), ("乙地", tie))],
    }  # fmt: skip
    received = office.files.put_bytes(json.dumps(document).encode(), "范围.geojson")
    asked = free(source=UPLOADED, layer="", file=FileRanges(received.digest, "范围.geojson"))
    handler = person("district_handler", district=QINGPU)
    with database.writing() as session:
        refused = overlay_run.request(session, handler, asked, received)
        job_id = refused.job_id
    work_off(database, office)
    with database.reading() as session:
        job = session.get(Job, job_id)
        assert job.status == "failed" and "2 乙地" in job.fault and "自相交" in job.fault
    run, rows = read(database, handler, compute(database, office, handler, replace(asked, repairs=True), received))
    assert {row.range_key for row in rows} == {"1 甲地", "2 乙地"} and run.lineage["ranges"]["digest"] == received.digest
    assert [each["key"] for each in run.summary["repairs"]] == ["2 乙地"] and run.summary["repairs"][0]["before_m2"] is None
    assert {row.district_code for row in rows} == {QINGPU}


def test_stated_areas_are_met_exactly_when_the_parts_are_adjusted(database, office, person):
    stated = area_m2(plot(1.5, 0, 1, 1)) + Decimal("7.77")
    load(database, land_use=LAND, protected_space_supplement=[feature("B9", plot(1.5, 0, 1, 1), "永久基本农田", stated=stated)])
    city = person("city_handler")
    plain, _rows = read(database, city, compute(database, office, city, free()))
    run, rows = read(database, city, compute(database, office, city, free(adjusts=True)))
    assert run.total_m2 == stated and plain.total_m2 == stated - Decimal("7.77")
    assert {row.classes[0] for row in rows} == {"0101", "0103"} and sum_m2(row.area_m2 for row in rows) == stated


def test_ranges_of_one_class_against_the_one_range_overlay(database, office, person):
    """The table of one patch is that of `overlay_areas`, which decisions use, where no class is in many pieces."""
    load_all(database)
    city = person("city_handler")
    _run, rows = read(database, city, compute(database, office, city, free(value="储备永久基本农田")))
    expected = overlay_areas(next(each for each in patches() if each.key == "B3").geometry, LAND, "class_code").by_class()
    assert {row.classes[0]: row.area_m2 for row in rows} == expected


@pytest.mark.parametrize(
    ("change", "field"),
    [({"title": " "}, "title"), ({"layers": ()}, "layers"), ({"layer": ""}, "layer"), ({"layers": BY_LAND * 2}, "layers"),
     ({"layers": (LayerChoice("land_use", "area_m2"),)}, "by_land_use"), ({"source": "case", "layer": ""}, "case"),
     ({"source": "file", "layer": ""}, "file")],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_field(change, field):
    with pytest.raises(InvalidData) as refused:
        free(**change).checked()
    assert field in refused.value.fields


def test_a_layer_without_data_is_refused_at_once_and_an_empty_range_by_the_job(database, office, person):
    city = person("city_handler")
    with database.writing() as session, pytest.raises(NotFound, match="还没有数据"):
        overlay_run.request(session, city, free())
    load(database, land_use=LAND, protected_space_supplement=patches())
    with database.writing() as session:
        job_id = overlay_run.request(session, city, free(value="没有这一类")).job_id
    work_off(database, office)
    with database.reading() as session:
        assert "没有可叠加的" in session.get(Job, job_id).fault


# -- files


def test_geopackage_and_workbook_hold_the_rows_of_the_result(database, office, person, tmp_path):
    load_all(database)
    city = person("city_handler")
    number = compute(database, office, city, scheme(ANALYSIS).request("全市"))
    run, rows = read(database, city, number)
    meta, _fids, blobs, columns = pyogrio.raw.read(office.files.read_bytes(run.result_file))
    values = dict(zip(meta["fields"], columns, strict=True))
    expected = sorted((row.range_key, *row.classes, float(row.area_m2)) for row in rows)
    assert sorted(zip(values["range_key"], values["class_land_use"], values["class_farmland_quality"], values["area_m2"], strict=True)) == expected
    for blob, area in zip(blobs, values["area_m2"], strict=True):
        assert abs(float(area_m2(shapely.from_wkb(blob))) - area) <= 0.0101
    with database.writing() as session:
        job_id = overlay_run.request_export(session, city, number).id
    work_off(database, office)
    with database.reading() as session:
        content = office.files.read_bytes(session.get(Job, job_id).result_file)
    (tmp_path / "rows.xlsx").write_bytes(content)
    table = list(openpyxl.load_workbook(tmp_path / "rows.xlsx").active.iter_rows(values_only=True))
    assert len(table) == len(rows) + 1 and table[0][-1] == "面积（平方米）"
    assert sum(line[-1] for line in table[1:]) == pytest.approx(float(run.total_m2), abs=1e-6)
    assert {line[5] for line in table[1:]} >= {"水田（0101）", "旱地（0103）"}
    assert len(GRADES) == 3


def test_a_boundary_point_file_is_read_like_any_other_with_a_range_for_each_parcel():
    text = (
        "[属性描述]\n坐标系=2000国家大地坐标系\n几度分带=3\n计量单位=米\n带号=40\n[地块坐标]\n"
        "4,0.01,7,甲地块,面,,,,@\nJ1,1,3450000,40600000\nJ2,1,3450000,40600010\nJ3,1,3450010,40600010\nJ4,1,3450010,40600000\nJ1,1,3450000,40600000\n"
        "4,0.01,8,,面,,,,@\nJ1,1,3450100,40600000\nJ2,1,3450100,40600010\nJ3,1,3450110,40600010\nJ4,1,3450110,40600000\nJ1,1,3450100,40600000\n"
    )  # fmt: skip
    ranges, detected = read_ranges(text.encode("gb18030"), FileRanges("digest", "界址点.txt"))
    assert ranges.keys == ("1 甲地块", "2 8") and detected["kind"] == "界址点 TXT"
    assert [area_m2(each) for each in ranges.geometries] == pytest.approx([Decimal(100), Decimal(100)], abs=Decimal("0.3"))


def test_the_encoding_that_a_person_states_is_kept_and_used(database, office, person):
    load_all(database)
    archive = write_zipped_shapefile("范围", [LayerColumn("name", "DKMC", "名称")], [(plot(0, 0, 1, 1), {"DKMC": "重庆路"})])
    received = office.files.put_bytes(archive, "范围.zip")
    handler = person("district_handler", district=QINGPU)
    for encoding, name in (("GBK", "1 重庆路"), ("BIG5", f"1 {'重庆路'.encode('gbk').decode('big5')}")):
        asked = free(source=UPLOADED, layer="", file=FileRanges(received.digest, "范围.zip", encoding=encoding))
        assert RunRequest.from_document(json.loads(json.dumps(asked.as_document()))) == asked
        _run, rows = read(database, handler, compute(database, office, handler, asked, received))
        assert {row.range_key for row in rows} == {name}


# -- rights of the catalogue


def test_a_layer_that_is_not_open_is_neither_overlaid_nor_shown_in_a_result(database, office, person):
    load_all(database)
    load(database, clue_patch=[feature("C1", plot(0, 0, 1, 1), "疑似违法")])
    handler, window = person("district_handler", district=QINGPU), person("window", district=QINGPU)
    asked = free(layers=(LayerChoice("clue_patch", layer_definition("clue_patch").class_field),))
    number = compute(database, office, handler, asked)
    read(database, handler, number)
    with database.writing() as session, pytest.raises(NotAllowed, match="没有开放给你的岗位"):
        overlay_run.request(session, window, asked)
    with database.reading() as session, pytest.raises(NotAllowed, match="没有开放给你的岗位"):
        overlay_run.find(session, window, number)
    with database.reading() as session:
        assert [each.id for each in overlay_run.list_runs(session, window)[0]] == [number]


def test_of_a_layer_that_is_open_for_ones_own_district_no_other_district_is_overlaid(database, office, person):
    load_all(database)
    everything = [plot(0, 0, 8, 2)]
    document = {"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "EPSG:4490"}},
                "features": [{"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(each)} for each in everything]}  # fmt: skip
    received = office.files.put_bytes(json.dumps(document).encode(), "范围.geojson")
    asked = free(source=UPLOADED, layer="", layers=(LayerChoice("farmland_quality", "quality_class"),), file=FileRanges(received.digest, "范围.geojson"))
    for actor, grades, limited in (
        (person("district_handler", district=QINGPU), {"", "7", "8"}, [QINGPU]), (person("city_handler"), {"", "7", "8", "9"}, []),
    ):
        run, rows = read(database, actor, compute(database, office, actor, asked, received))
        assert {row.classes[0] for row in rows} == grades and run.lineage["layers"][0].get("districts", []) == limited
