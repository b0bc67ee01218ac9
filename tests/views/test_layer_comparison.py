"""The page of comparisons: what is chosen, the tables that close, the patches, what is refused, exports, the swipe."""

from datetime import date
from decimal import Decimal

import openpyxl
import pyogrio
import pytest
import shapely
from bs4 import BeautifulSoup

from domain import layer_comparison
from domain.actor import SYSTEM
from domain.area import area_m2
from domain.job import Job
from domain.layer import FeatureData, load_layer
from portal.runner import Runner
from tests.domain.space_fixtures import BUILT, PADDY, PERMANENT, PUDONG, QINGPU, _feature, load_plots, plot

HALF = plot(2, 0, 0.5)
ADDRESS = "/layers/compare?before=land_use@1&after=land_use@2"


@pytest.fixture(autouse=True)
def layers(database):
    """Land use of two years: half of the dry land was built on, and a plot in 浦东新区 was added."""
    with database.writing() as session:
        load_plots(session)
        there = plot(40)
        load_layer(session, SYSTEM, "land_use", [
            _feature("DL-1", PERMANENT, "0101", class_code="0101"), _feature("DL-2", PADDY, "0101", class_code="0101"),
            _feature("DL-3", plot(2.5, 0, 0.5), "0103", class_code="0103"), _feature("DL-5", HALF, "0701", class_code="0701"),
            _feature("DL-4", BUILT, "0701", class_code="0701"), FeatureData("DL-6", PUDONG, "0307", area_m2(there), there, {"class_code": "0307"}),
        ], date(2026, 6, 1), is_generated=True)  # fmt: skip


@pytest.fixture
def city(sign_in, person):
    return sign_in(person("city_handler"))


@pytest.fixture
def run_jobs(database, office):
    """Do what is queued, as the runner of the portal does."""

    def run():
        runner = Runner(database, office)
        while runner._work_at_job():
            pass

    return run


def page(answer, status=200):
    assert answer.status_code == status, answer.text[:500]
    return BeautifulSoup(answer.text, "html.parser")


def rows(shown, label):
    box = shown.select_one(f"[aria-label={label}] table.data")
    return [[cell.get_text(" ", strip=True) for cell in row.select("td")] for row in box.select("tbody tr")] if box else []


def number(text):
    return Decimal(text.replace(",", "").replace("−", "-"))


@pytest.mark.function("ONEMAP-013", "c1", "c2")
def test_two_years_are_chosen_and_compared(city):
    form = page(city.get("/layers/compare"))
    offered = {each["value"] for each in form.select("select[name=before] option")}
    assert {"land_use@1", "land_use@2", "permanent_farmland@1"} <= offered
    shown = page(city.get(ADDRESS + "&district=" + QINGPU))
    assert "差异 1 处" in shown.select_one("h1").get_text()
    classes = {row[0]: [number(each) for each in row[1:]] for row in rows(shown, "差异面积表")}
    built = next(each for label, each in classes.items() if label == "城镇住宅用地（0701）")
    assert built[0] == area_m2(BUILT) and built[3] == area_m2(HALF) and built[5] == built[3]
    for before, kept, lost, gained, after, change in classes.values():
        assert kept + lost == before and kept + gained == after and after - before == change
    [patch] = rows(shown, "差异图斑")
    assert patch[1] == "青浦区" and patch[2:4] == ["旱地（0103）", "城镇住宅用地（0701）"] and number(patch[4]) == area_m2(HALF)
    swipe = next(each["href"] for each in shown.select("a") if "卷帘" in each.get_text())
    assert "swipe=land_use%401%2Cland_use%402" in swipe
    assert shown.select_one("figure svg path.m-used")


@pytest.mark.function("ONEMAP-013", "c3")
def test_what_does_not_meet_is_nothing_comparable(city):
    shown = page(city.get(f"/layers/compare?before=land_use@2&after=permanent_farmland@1&district={PUDONG}"))
    assert "无可比范围" in shown.select_one(".notice").get_text()
    assert not shown.select("table")


@pytest.mark.parametrize(("query", "said"), [
    ("before=land_use@1&after=land_use@1", "两期是同一个版本"), ("before=land_use@9&after=land_use@1", "没有第 9 版"),
    ("before=land_use@1", "请选要对比的两期或两类数据"), ("before=land_use@1&after=land_use@2&ring=1,2", "边界"),
    ("before=geology_borehole@1&after=land_use@1", "不是面"), ("before=land_use@1&after=land_use@2&district=999999", "行政区"),
])  # fmt: skip
def test_what_cannot_be_compared_is_said(city, query, said):
    assert said in page(city.get("/layers/compare?" + query), 422).select_one(".summary").get_text()


def test_a_layer_that_is_closed_is_neither_offered_nor_compared(sign_in, person, database):
    with database.writing() as session:
        for day in (1, 2):
            load_layer(session, SYSTEM, "clue_patch", [_feature("XS-1", PADDY, str(day))], date(2026, 6, day))
    window = sign_in(person("window", district=QINGPU))
    assert "clue_patch@1" not in {each["value"] for each in page(window.get("/layers/compare")).select("option")}
    assert window.get("/layers/compare?before=clue_patch@1&after=clue_patch@2").status_code == 403


def test_many_features_are_left_to_a_job(city, monkeypatch):
    monkeypatch.setattr("views.layer_comparison.MOST_AT_ONCE", 2)
    shown = page(city.get(ADDRESS))
    assert "请作为作业计算" in shown.get_text() and not shown.select("table")
    assert [each["value"] for each in shown.select("input[name=format]")] == ["xlsx", "gpkg"]


@pytest.mark.function("ONEMAP-013", "c3")
def test_tables_and_patches_are_exported_by_a_job(city, database, run_jobs, tmp_path):
    found = {}
    for kind in ("xlsx", "gpkg"):
        answer = city.post("/layers/compare/export", {"before": "land_use@1", "after": "land_use@2", "format": kind})
        assert answer.status_code == 303
        run_jobs()
        with database.reading() as session:
            made = session.get_one(Job, int(answer.headers["location"].rpartition("/")[2]))
            assert made.status == "done", made.fault
            found[kind] = tmp_path / f"made.{kind}"
            found[kind].write_bytes(database.office.files.read_bytes(made.result_file))
    book = openpyxl.load_workbook(found["xlsx"])
    assert book.sheetnames == ["地类面积", "地类变化", "差异图斑", "说明"]
    listed = [row for row in book["差异图斑"].iter_rows(min_row=2, values_only=True)]
    pairs = [row for row in book["地类变化"].iter_rows(min_row=2, values_only=True) if row[5] == "是"]
    assert round(sum(row[6] for row in listed), 2) == round(sum(row[4] for row in pairs), 2)
    assert float(area_m2(HALF)) in {row[6] for row in listed}
    meta, _, shapes, columns = pyogrio.raw.read(found["gpkg"], layer="CYTB")
    values = dict(zip(meta["fields"], columns, strict=True))
    assert sorted(values["MJ"]) == sorted(row[6] for row in listed) and meta["crs"] == "EPSG:4490"
    assert any(shapely.equals(each, HALF) for each in shapely.from_wkb(shapes))


def test_turning_a_page_does_not_compute_again(city, monkeypatch):
    page(city.get(ADDRESS))
    monkeypatch.setattr(layer_comparison, "compare", lambda *given: pytest.fail("computed again"))
    page(city.get(ADDRESS + "&page=2"))
