"""Whole maps from layers in the database: what is selected, counted, drawn and written."""

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

import openpyxl
import pytest
import shapely
from pypdf import PdfReader

from domain.actor import SYSTEM
from domain.area import area_m2
from domain.errors import InvalidData, NotAllowed, NotFound
from domain.layer import load_layer, load_region
from domain.thematic_map import make, read_spec
from domain.thematic_map.export import run_export
from domain.thematic_map.sheet import scale_of
from domain.thematic_map.writing import written
from tests.domain.space_fixtures import (
    BUILT,
    DRY,
    PADDY,
    PERMANENT,
    PUDONG,
    QINGPU,
    _feature,
    load_plots,
    plot,
)

ARABLE = area_m2(PERMANENT) + area_m2(PADDY) + area_m2(DRY)
BOX = "box:{},{},{},{}".format(*plot(0.5, 0.25, 2, 0.5).bounds)
ACTOR = replace(SYSTEM, name="样例制图人")


@pytest.fixture(autouse=True)
def plots(database):
    with database.writing() as session:
        load_plots(session)


@pytest.fixture
def made(database):
    """Make a map of the sample plots."""

    def of(actor=ACTOR, **texts):
        with database.reading() as session:
            return make(session, actor, read_spec({"layer": "land_use", "area": f"district:{QINGPU}", **texts}))

    return of


def rows(found, table=0):
    return {row[0]: row[1:] for row in found.tables[table].rows}


def texts_of(svg):
    return [each.text for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.function("ONEMAP-012", "c1")
def test_a_sheet_has_title_legend_scale_and_north(made):
    sheet = made(kind="single", title="样例土地利用图").sheet()
    said = texts_of(sheet.svg)
    assert sheet.denominator == scale_of(made(kind="single").content, "a4", "landscape")
    assert {"样例土地利用图", "图例", "北", "0101 水田", "0103 旱地", "0701 城镇住宅用地", "演示数据"} <= set(said)
    assert f"1:{sheet.denominator:,}".replace(",", " ") in said
    assert any("第 1 版" in each for each in said) and any(each.endswith("′E") for each in said) and any(each.endswith("′N") for each in said)


def test_classes_are_counted_and_summed_exactly(made):
    found = made(kind="single")
    assert rows(found)["0101 水田"][:2] == (2, area_m2(PERMANENT) + area_m2(PADDY))
    assert found.tables[0].total[:3] == ("合计", 4, ARABLE + area_m2(BUILT))


def test_classes_by_district_add_up_to_the_map(database, made):
    with database.writing() as session:
        load_region(session, SYSTEM, "land_use", PUDONG, [replace(_feature("P", plot(9), "0101", class_code="0101"), district_code=PUDONG)], date(2026, 2, 1))
    found = made(kind="single", area="city")
    by_district = found.tables[1]
    assert ("浦东新区", "0101 水田", 1, area_m2(plot(9))) in [row[:4] for row in by_district.rows]
    assert sum(row[2] for row in by_district.rows) == by_district.total[2] == 5
    assert sum(row[3] for row in by_district.rows) == by_district.total[3] == found.selection.area_m2
    assert made(kind="single", unit="district", area="city").tables[1] == by_district


def test_a_class_narrows_the_map_and_its_share_is_of_the_whole_layer(made):
    found = made(kind="ranges", classes="01", field="share", area="city")
    district = rows(found)["青浦区"]
    assert district[:2] == (3, ARABLE) and district[3] == ARABLE * 100 / (ARABLE + area_m2(BUILT))
    assert rows(found)["浦东新区"][:2] == (0, Decimal("0.00"))


def test_features_across_the_edge_of_a_box_are_cut_and_measured(made):
    found = made(kind="single", area=BOX)
    halves = {each.feature.key: each.area_m2 for each in found.selection.placed}
    assert halves["DL-2"] == area_m2(plot(1, 0.25, 1, 0.5)) and halves["DL-1"] == area_m2(plot(0.5, 0.25, 0.5, 0.5))
    assert "DL-4" not in halves and any("裁切" in each for each in texts_of(found.sheet().svg))


def test_a_town_is_where_its_patches_are(database, made):
    with database.writing() as session:
        load_layer(session, SYSTEM, "land_use", [
            _feature("A", PADDY, "0101", class_code="0101", location_unit_code="3101181020000000000"),
            _feature("B", DRY, "0103", class_code="0103", location_unit_code="3101181030000000000"),
        ], date(2026, 2, 1))
    found = made(kind="single", area="town:310118102")
    assert [each.feature.key for each in found.selection.placed] == ["A"]
    by_town = made(kind="ranges", unit="town")
    assert {name: row[1] for name, row in rows(by_town).items()} == {"朱家角镇": area_m2(PADDY), "练塘镇": area_m2(DRY)}
    of_another_layer = made(kind="single", layer="annual_farmland", area="town:310118102")
    assert [each.feature.key for each in of_another_layer.selection.placed] == ["GD-2"]


def test_a_day_in_the_past_shows_the_edition_of_that_day(database, made):
    with database.writing() as session:
        load_layer(session, SYSTEM, "land_use", [_feature("NEW", PADDY, "0701", class_code="0701")], date(2026, 3, 1))
    assert made(kind="single").selection.edition == 2
    before = made(kind="single", on="2026-02-28")
    assert before.selection.edition == 1 and len(before.selection.placed) == 4
    with pytest.raises(NotFound):
        made(kind="single", on="2025-12-31")


def test_every_kind_is_drawn(made):
    for texts in ({"kind": "ranges", "unit": "feature"}, {"kind": "dots"}, {"kind": "dots", "weight": "count", "dot": "1"}, {"kind": "heat", "bandwidth": "500"},
                  {"kind": "flow", "area": "city", "flows": "青浦区,浦东新区,12\n浦东新区,青浦区,3", "flow_unit": "公顷"}, {"kind": "single", "unit": "district"}):
        for paper in ("a4", "a3", "phone"):
            for orientation in ("landscape", "portrait"):
                ElementTree.fromstring(made(**texts).sheet(paper, orientation).svg)


def test_dots_stand_for_the_whole(made):
    found = made(kind="dots", dot="0.5")
    count = int((ARABLE + area_m2(BUILT)) / 10_000 / Decimal("0.5"))
    assert f"共 {count:,} 点" in found.content.drawn.legend.total


def test_flows_of_one_pair_are_added_and_unknown_names_are_refused(made):
    found = made(kind="flow", area="city", flows="青浦区,浦东新区,12\n青浦区,浦东新区,3.5")
    assert found.tables[0].rows == (("青浦区", "浦东新区", Decimal("15.5")),)
    with pytest.raises(InvalidData, match="天津"):
        made(kind="flow", area="city", flows="青浦区,天津,12")


@pytest.mark.parametrize(("texts", "says"), [
    ({"area": "district:999999"}, "没有这个区"), ({"area": "shape:121,31;121.1,31"}, "3 至 500 个点"), ({"area": "shape:31,121;31.1,121;31.1,121.1"}, "颠倒"),
    ({"area": "shape:121,31;121.1,31.1;121.1,31;121,31.1"}, "自己相交"), ({"area": "box:1,2,3"}, "四个经纬度"), ({"area": "moon"}, "没有这种范围"),
    ({"kind": "dots", "dot": "0.00001"}, "超过 20,000"), ({"kind": "heat", "classes": "99"}, "没有要素"), ({"kind": "ranges", "field": "colour"}, "面积、个数或占比"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_said(made, texts, says):
    with pytest.raises(InvalidData, match=says):
        made(**{"kind": "single", **texts})


def test_a_case_out_of_scope_gives_no_area(database, made, person):
    with pytest.raises(NotFound):
        made(actor=person("district_handler", district=PUDONG), kind="single", area="case:1")
    with pytest.raises(NotAllowed):
        made(actor=person("applicant", enterprise="样例"), kind="single")


@pytest.mark.function("ONEMAP-012", "c2")
def test_the_files_say_what_the_sheet_says(made):
    found = made(kind="ranges", classes="01", area="city", title="样例耕地分级图")
    pdf = PdfReader(io.BytesIO(written(found, "pdf")))
    first, second = (page.extract_text() for page in pdf.pages[:2])
    assert "样例耕地分级图" in first and "图例" in first and f"1:{found.sheet().denominator:,}".replace(",", " ") in first
    assert f"{ARABLE:,}" in second.replace(" ", "") and [round(float(each) / 72 * 25.4) for each in pdf.pages[0].mediabox[2:]] == [297, 210]
    assert written(found, "png").startswith(b"\x89PNG") and written(found, "svg").startswith(b"<svg")
    book = openpyxl.load_workbook(io.BytesIO(written(found, "xlsx")))
    values = {row[0]: row[2] for row in book.worksheets[0].iter_rows(values_only=True)}
    assert Decimal(str(values["青浦区"])) == ARABLE and book["说明"]["A1"].value == "样例耕地分级图"


def test_a_job_writes_the_same_file(database, person):
    """With the rights of its owner at that moment."""
    from domain import job
    from domain.thematic_map.export import request_export

    actor = person("city_handler")
    spec = read_spec({"layer": "land_use", "kind": "single", "title": "样例图"})
    with database.writing() as session:
        request_export(session, actor, spec, "pdf")
    with database.writing() as session:
        claimed = job.claim(session, SYSTEM)
    assert job.JOB_HANDLERS["thematic_map"].run is run_export
    result = job.run(claimed, database, database.office, lambda: False)
    content = database.office.files.read_bytes(result.file.digest)
    assert result.name == "样例图.pdf" and "样例图" in PdfReader(io.BytesIO(content)).pages[0].extract_text()


def test_shapes_never_hold_each_other_as_holes():
    """Overlapping polygons of one ink are filled once, an even-odd rule would leave holes."""
    from domain.thematic_map.svg import ring_paths

    way = ring_paths([shapely.box(0, 0, 10, 10), shapely.box(2, 2, 8, 8)])
    assert way.count("M") == 2
    turns = [shapely.is_ccw(shapely.LinearRing(_points(each))) for each in way.split("z") if each]
    assert len(set(turns)) == 1


def _points(way):
    start, steps = way[1:].split("l")
    numbers = [int(each) for each in steps.split()]
    points = [tuple(int(each) for each in start.split())]
    for x, y in zip(numbers[::2], numbers[1::2], strict=True):
        points.append((points[-1][0] + x, points[-1][1] + y))
    return points
