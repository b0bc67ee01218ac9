"""Query and statistics of a layer on the screen, and what leaves as files."""

import json
from datetime import date
from decimal import Decimal
from io import BytesIO
from urllib.parse import parse_qs, quote, urlsplit

import numpy
import openpyxl
import pyogrio
import pytest
import shapely
from bs4 import BeautifulSoup

from domain.actor import SYSTEM
from domain.area import area_m2, sum_m2
from domain.job import Job
from domain.layer import FeatureData, load_layer
from domain.map_query.place import buffered
from portal.runner import Runner
from tests.domain.space_fixtures import (
    BUILT,
    DRY,
    PADDY,
    PERMANENT,
    PUDONG,
    QINGPU,
    SIDE,
    SOUTH,
    WEST,
    load_plots,
)

SHAPES = {"DL-1": PERMANENT, "DL-2": PADDY, "DL-3": DRY, "DL-4": BUILT}
HALF = shapely.box(WEST + SIDE / 2, SOUTH - SIDE, WEST + SIDE * 1.5, SOUTH + SIDE * 2)
"""Half of the first plot and half of the second, over their whole height."""


def points(shape):
    return quote("\n".join(f"{x!r},{y!r}" for x, y in shape.exterior.coords[:-1]))


@pytest.fixture
def handler(database, person):
    with database.writing() as session:
        load_plots(session)
    return person("district_handler", district=QINGPU)


@pytest.fixture
def browser(handler, sign_in):
    return sign_in(handler)


@pytest.fixture
def run_jobs(database, office):
    """Do what is queued, as the runner of the portal does."""

    def run():
        runner = Runner(database, office)
        while runner._work_at_job():
            pass

    return run


def found(browser, query):
    answer = browser.get(f"/map/query?{query}")
    assert answer.status_code == 200, answer.text[:500]
    shown = BeautifulSoup(answer.text, "html.parser")
    keys = [row.select_one("a").text for row in shown.select("section[aria-label=清单] tbody tr")]
    return keys, shown.select_one("#q-count").text, shown.select_one("#q-area").text, shown


@pytest.mark.function("ONEMAP-014", "c2", "c3")
def test_what_is_found_sums_to_the_list_by_class_and_by_district(browser):
    keys, count, area, shown = found(browser, "layer=land_use")
    assert (keys, count) == (list(SHAPES), "4") and area == f"{sum_m2(map(area_m2, SHAPES.values())):,}"
    listed = [Decimal(row.select("td")[-1].text.replace(",", "")) for row in shown.select("section[aria-label=清单] tbody tr")]
    tables = shown.select("section[aria-label=统计] table")
    for table in tables:
        counts, areas = zip(*([cell.text.replace(",", "") for cell in row.select("td")] for row in table.select("tbody tr")), strict=True)
        assert sum(map(int, counts)) == len(listed) and sum(map(Decimal, areas)) == sum(listed)
    assert [row.select_one("th").text for row in tables[0].select("tbody tr")] == ["水田（0101）", "旱地（0103）", "城镇住宅用地（0701）"]
    assert [row.select_one("th").text for row in tables[1].select("tbody tr")] == ["青浦区"]


@pytest.mark.function("ONEMAP-014", "c1")
@pytest.mark.parametrize(("query", "keys"), [
    ("class=01", ["DL-1", "DL-2", "DL-3"]), ("class=0103", ["DL-3"]), (f"district={PUDONG}", []), (f"district={QINGPU}&class=07", ["DL-4"]),
    ("field1=location_unit_name&value1=样例镇", list(SHAPES)), ("field1=location_unit_name&value1=别处", []),
    ("field1=location_unit_name&op1=ne&value1=样例镇", []), ("field1=class_code&op1=starts&value1=01", ["DL-1", "DL-2", "DL-3"]),
    ("field1=location_unit_name&op1=has&value1=例", list(SHAPES)), ("field1=class_code&op1=in&value1=0103，0701", ["DL-3", "DL-4"]),
    ("field1=class_code&value1=0103&field2=class_code&value2=0701&join=any", ["DL-3", "DL-4"]),
    ("field1=class_code&value1=0103&field2=class_code&value2=0701", []), ("field1=owner_unit_name&op1=empty", list(SHAPES)),
    ("field1=owner_unit_name&op1=filled", []), ("field1=area_m2&op1=gt&value1=99999999", []), ("field1=data_year&op1=ge&value1=2000", []),
    ("field1=data_year&op1=empty", list(SHAPES)), ("least=1", list(SHAPES)), ("least=99999999", []), ("class=%25", []),
    ("bounds=121.06,31.06,121.063,31.063", ["DL-1"]), (f"points={points(HALF)}", ["DL-1", "DL-2"]), (f"points={points(PADDY)}", ["DL-2"]), ("sort=-class", ["DL-4", "DL-3", "DL-1", "DL-2"]),
    (f"points={quote('121.0630,31.0630')}&kind=point", ["DL-1"]), ("sort=-key&class=01", ["DL-3", "DL-2", "DL-1"]),
    (f"points={quote('121.0630,31.0630')}&kind=point&buffer=100", ["DL-1", "DL-2"]), ("on=2026-03-01&class=07", ["DL-4"]),
    (f"points={quote('121.0626,31.0630')}%0A{quote('121.0653,31.0630')}&kind=line", ["DL-1", "DL-2", "DL-3"]),
])  # fmt: skip
def test_every_condition_narrows(browser, query, keys):
    shown, count, _area, _page = found(browser, f"layer=land_use&{query}")
    assert shown == keys and count == str(len(keys))


def test_what_lies_inside_the_range_is_cut_out(browser):
    _keys, _count, area, shown = found(browser, f"layer=land_use&points={points(HALF)}")
    inside = [area_m2(shapely.intersection(HALF, each)) for each in (PERMANENT, PADDY)]
    assert area == f"{area_m2(PERMANENT) + area_m2(PADDY):,}" and shown.select_one("#q-inside").text == f"{sum(inside):,}"
    cells = [row.select("td")[-1].text for row in shown.select("section[aria-label=清单] tbody tr")]
    assert cells == [f"{each:,}" for each in inside] and "全部面积" in shown.text


def test_a_buffer_lies_at_its_distance_on_the_ground():
    place = buffered("点", shapely.Point(121.45, 31.2), Decimal(500))
    assert abs(float(area_m2(place.geometry)) / (numpy.pi * 500**2) - 1) < 0.003 and "第 40 带" in place.note


def test_an_earlier_day_is_asked_of_its_edition(browser, database):
    with database.writing() as session:
        load_layer(session, SYSTEM, "land_use", [FeatureData("NEW", QINGPU, "0101", area_m2(PADDY), PADDY, {}, "")], date(2026, 6, 1))
    assert found(browser, "layer=land_use&on=2026-05-31")[0] == list(SHAPES) and found(browser, "layer=land_use")[0] == ["NEW"]
    assert browser.get("/map/query?layer=land_use&on=2025-12-31").status_code == 404


def test_a_town_is_asked_of_layers_that_do_not_say_it(browser, database):
    land = [FeatureData("A", QINGPU, "0101", area_m2(PADDY), PADDY, {"location_unit_code": "310118102001"}, "")]
    with database.writing() as session:
        load_layer(session, SYSTEM, "land_use", land, date(2026, 6, 1))
    assert found(browser, "layer=land_use&town=310118102")[0] == ["A"]
    assert found(browser, "layer=annual_farmland&town=310118102")[0] == ["GD-2"]
    assert browser.get("/map/query?layer=land_use&town=999").status_code == 422


@pytest.mark.parametrize("query", [
    "layer=nothing", "layer=land_use&bounds=1,2", "layer=land_use&least=NaN", "layer=land_use&least=1.005", "layer=land_use&field1=none&value1=1",
    "layer=land_use&field1=data_year&op1=has&value1=2", "layer=land_use&field1=data_year&value1=x", "layer=land_use&field1=class_code&op1=eq",
    "layer=land_use&field1=class_code&op1=ge&value1=1", "layer=land_use&buffer=5", "layer=land_use&bounds=121,31,121.1,31.1&buffer=-1",
    "layer=land_use&bounds=121,31,121.1,31.1&points=121.1,31.1&kind=point", "layer=land_use&on=yesterday", "layer=land_use&district=1",
    "layer=land_use&sort=none", "layer=land_use&field1=area_m2&op1=ge&value1=1.005", "layer=land_use&points=121.1,31.1",
])  # fmt: skip
def test_what_cannot_be_read_is_refused_in_words(browser, query):
    answer = browser.get(f"/map/query?{query}")
    fault = BeautifulSoup(answer.text, "html.parser").select_one("[role=alert], .errors, .error")
    assert answer.status_code == 422 and fault is not None and "。" in fault.text


def test_coordinates_that_no_address_holds_are_refused_and_not_cut(browser):
    many = "\n".join(f"121.{100 + n:03d},31.1" for n in range(1500))
    answer = browser.get("/map/query", params={"layer": "land_use", "points": many, "kind": "line"})
    assert answer.status_code == 422 and "存为草图" in answer.text and BeautifulSoup(answer.text, "html.parser").select_one("#q-count") is None


def test_layers_and_rows_are_those_that_are_open(browser, sign_in, person):
    assert found(browser, "layer=annual_farmland")[0] == ["GD-2", "GD-3"]
    elsewhere = sign_in(person("district_handler", district=PUDONG))
    assert found(elsewhere, "layer=annual_farmland")[0] == []


@pytest.mark.function("ONEMAP-014", "c2")
def test_the_list_leads_to_the_map_and_its_shapes_are_those_of_the_page(browser):
    shown = found(browser, f"layer=land_use&class=01&points={points(HALF)}")[3]
    on_map = BeautifulSoup(browser.get(shown.find("a", string="在一张图上看这一页")["href"]).text, "html.parser")
    assert [each["data-found"] for each in on_map.select("#map-facts [data-found]")] == ["DL-1", "DL-2"]
    drawn = browser.get(json.loads(shown.select_one("[data-query-map]")["data-query-map"])["shapes"]).json()["features"]
    assert [(each["properties"]["what"], each["properties"]["key"]) for each in drawn] == [("range", "所写的面"), ("found", "DL-1"), ("found", "DL-2")]
    assert shapely.equals(shapely.geometry.shape(drawn[1]["geometry"]), PERMANENT)


def test_another_layer_brings_its_fields_without_asking(browser):
    shown = BeautifulSoup(browser.get("/map/query?layer=annual_farmland&only=form").text, "html.parser")
    assert shown.select_one("#field1 option[value=quality_class]") is not None and shown.select_one("#q-count") is None


def test_a_query_is_saved_under_a_name_and_opens_again(browser):
    asked = f"layer=land_use&field1=class_code&op1=starts&value1=01&field2=data_year&op2=empty&join=any&points={points(HALF)}"
    shown = found(browser, asked)[3]
    form = BeautifulSoup(browser.get(shown.find("a", string="保存这个查询")["href"]).text, "html.parser").select_one("main form")
    sent = {each["name"]: each["value"] for each in form.select("input[type=hidden]")}
    saved = browser.post("/desk/filters/new", {**sent, "name": "01 类"})
    assert saved.status_code == 303
    listed = BeautifulSoup(browser.get("/map/query").text, "html.parser").find("a", string="01 类")
    again = browser.get(listed["href"], follow_redirects=False)
    address = parse_qs(urlsplit(again.headers["location"]).query)
    assert address["op2"] == ["empty"] and address["join"] == ["any"]
    assert found(browser, urlsplit(again.headers["location"]).query)[0] == ["DL-1", "DL-2"]


def exported(database, browser, run_jobs, state, file_format):
    answer = browser.post("/map/query/export", {"state": state, "format": file_format})
    assert answer.status_code == 303, answer.text[:300]
    run_jobs()
    with database.reading() as session:
        job = session.get_one(Job, int(answer.headers["location"].rpartition("/")[2]))
        assert job.status == "done", job.fault
        return database.office.files.read_bytes(job.result_file), job.result


@pytest.mark.function("ONEMAP-014", "c3")
def test_the_workbook_holds_the_list_and_statistics_that_agree(database, browser, run_jobs):
    state = f"layer=land_use&class=01&points={points(HALF)}"
    content, result = exported(database, browser, run_jobs, state, "xlsx")
    book = openpyxl.load_workbook(BytesIO(content))
    rows = [[cell.value for cell in row] for row in book["清单"].iter_rows(min_row=2)]
    heads = [cell.value for cell in book["清单"][1]]
    inside, areas = ([row[heads.index(name)] for row in rows] for name in ("范围内面积（平方米）", "图斑面积"))
    assert result["rows"] == 2 and [row[0] for row in rows] == ["DL-1", "DL-2"]
    for name in ("按类别统计", "按区统计"):
        [[_words, count, whole, cut]] = [[cell.value for cell in row] for row in book[name].iter_rows(min_row=2)]
        assert (count, round(whole, 2), round(cut, 2)) == (2, round(sum(areas), 2), round(sum(inside), 2))


@pytest.mark.parametrize("file_format", ["GeoJSON", "GeoPackage"])
def test_shapes_leave_whole_with_their_fields(database, browser, run_jobs, tmp_path, file_format):
    content, _result = exported(database, browser, run_jobs, "layer=land_use&class=01", file_format)
    path = tmp_path / ("found.geojson" if file_format == "GeoJSON" else "found.gpkg")
    path.write_bytes(content)
    meta, _ids, blobs, columns = pyogrio.raw.read(path)
    values = dict(zip(meta["fields"], columns, strict=True))
    assert list(values["BSM"]) == ["DL-1", "DL-2", "DL-3"] and list(values["SZQ"]) == ["青浦区"] * 3
    assert shapely.hausdorff_distance(shapely.from_wkb(blobs[0]), PERMANENT) < 1e-9


def test_an_export_obeys_the_rights_of_its_owner_and_formats_are_known(database, run_jobs, browser, sign_in, person):
    elsewhere = sign_in(person("district_handler", district=PUDONG))
    assert exported(database, elsewhere, run_jobs, "layer=annual_farmland", "xlsx")[1]["rows"] == 0
    assert browser.post("/map/query/export", {"state": "layer=land_use", "format": "exe"}).status_code == 422


@pytest.mark.function("GEO-030", "c4")
def test_the_list_leads_to_the_history_of_each_feature_and_to_the_update_of_those_one_may_change(browser, sign_in, person):
    query = "layer=annual_farmland"
    keys, _count, _area, shown = found(browser, query)
    row = shown.select_one(f"#found-{keys[0]}")
    [history] = [each for each in row.select("a") if each.text.startswith("历史")]
    assert browser.get(history["href"]).status_code == 200 and "更新这一页的要素" not in shown.text
    keeper = sign_in(person("city_handler"))
    links = {each.text: each["href"] for each in found(keeper, query)[3].select("a[href*='/update?']")}
    assert "按图形更新" in links
    [delete] = [href for label, href in links.items() if label.startswith("删除图形（")]
    form = BeautifulSoup(keeper.get(delete).text, "html.parser")
    assert form.select_one("textarea[name=keys]").text.strip().split(",") == found(keeper, query)[0]
    assert not found(keeper, f"{query}&on=2026-06-30")[3].select("a[href*='/update?']"), "what an earlier day shows is not changed from there"
