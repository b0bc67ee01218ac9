"""The one map and the ranges of a case on the screen."""

import json
from datetime import date

import pytest
import shapely
from bs4 import BeautifulSoup

from domain import job, map_drawing
from domain.actor import SYSTEM
from domain.area import area_m2
from domain.district import defect_report
from domain.layer import FeatureData, load_layer
from domain.map_tile import tiles_over
from domain.projection import from_storage, zone_system
from tests.domain.case.filing_steps import Walk
from tests.domain.ledger_books import opened, stored, working
from tests.domain.space_fixtures import (
    PADDY,
    PERMANENT,
    PUDONG,
    QINGPU,
    geojson,
    give_range,
    load_plots,
    plot,
)


@pytest.fixture(autouse=True)
def books(database):
    with database.writing() as session:
        load_plots(session)
    with working(database) as work:
        opened(work, QINGPU, "500000.00")
        stored(work, "100000.00")


@pytest.fixture
def handler(person):
    return person("district_handler", district=QINGPU)


@pytest.fixture
def walk(database, handler):
    made = Walk(database, handler, "nonbuild_usage")
    made.fill(handler, "apply", project_name="样例河道", district=QINGPU, project_type="small_rivers", project_owner="样例单位")
    return made


def page(answer, status=200):
    assert answer.status_code == status, answer.text[:500]
    return BeautifulSoup(answer.text, "html.parser")


def at(shape):
    return f"{shape.centroid.x},{shape.centroid.y}"


def outlined(browser, data):
    """What the map draws round, by name."""
    return [each["properties"]["key"] for each in browser.get(data["selected"]).json()["features"]]


@pytest.mark.function("LAND-061", "single_located", "overlaid_with_layers")
def test_a_plot_is_located_with_its_attributes(sign_in, handler):
    shown = page(sign_in(handler).get("/map?plot=GD-2"))
    data = json.loads(shown.select_one("#map")["data-map-page"])
    assert outlined(sign_in(handler), data) == ["GD-2"]
    assert set(data["tiles"]) == {"land_use", "annual_farmland", "permanent_farmland"}
    assert "已预存" in shown.select_one("#map-facts").text


@pytest.mark.function("LAND-061", "all_located")
def test_several_plots_are_located_at_once(sign_in, handler):
    data = json.loads(page(sign_in(handler).get("/map?plot=GD-2,GD-3")).select_one("#map")["data-map-page"])
    (south, west), (north, east) = data["bounds"]
    assert outlined(sign_in(handler), data) == ["GD-2", "GD-3"] and west < PADDY.centroid.x < east and south < PADDY.centroid.y < north


def test_what_is_not_found_is_said(sign_in, handler):
    assert "没有找到“无此地块”" in page(sign_in(handler).get("/map?q=无此地块")).select_one("[role=alert]").text


@pytest.mark.function("ONEMAP-011", "c3")
def test_a_point_tells_every_layer_there(sign_in, handler):
    words = page(sign_in(handler).get(f"/map/facts?at={at(PADDY)}")).text
    assert all(key in words for key in ("DL-2", "GD-2", "JN-2")) and "JN-1" not in words


def test_strange_coordinates_are_refused(sign_in, handler):
    assert sign_in(handler).get("/map/facts?at=here").status_code == 422


def test_a_tile_of_the_present_edition_is_kept_and_an_old_one_is_gone(sign_in, handler):
    browser = sign_in(handler)
    found = browser.get("/map/tiles/land_use/1/14/13705/6706")
    assert found.status_code == 200 and "immutable" in found.headers["Cache-Control"]
    assert browser.get("/map/tiles/land_use/2/14/13705/6706").status_code == 404
    assert browser.get("/map/tiles/nothing/1/14/0/0").status_code == 404
    assert browser.get("/map/tiles/land_use/1/3/99/0").status_code == 404


def test_ranges_are_shown_to_those_who_may_see_the_case(database, sign_in, handler, walk, person):
    give_range(database, handler, walk.id, PADDY, name="北段")
    bounds = "/map/ranges?bounds=121,31,122,32"
    seen = sign_in(handler).get(bounds).json()["features"]
    assert [each["properties"]["key"] for each in seen] == ["北段"]
    stranger = sign_in(person("district_handler", district=PUDONG))
    assert stranger.get(bounds).json()["features"] == []
    assert stranger.get(f"/cases/{walk.id}/map").status_code == 404


def test_the_map_has_a_page_of_words_and_coordinates(sign_in, handler):
    shown = page(sign_in(handler).get("/map/text?plot=JN-1"))
    points = next(each for each in shown.select("table") if "顶点坐标" in each.text)
    assert len(points.select("tbody tr")) == 5 and "永久基本农田" in shown.text
    assert f"{PERMANENT.bounds[0]:.8f}" in shown.text


def table(shown, caption):
    """A table's rows by the text of their cells."""
    found = next(each for each in shown.select("table") if caption in each.caption.text)
    return [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in found.select("tbody tr, tfoot tr")]


def test_a_plot_says_what_lies_on_it(database, sign_in, handler, walk):
    give_range(database, handler, walk.id, plot(1.5, width=1), name="北段")
    shown = page(sign_in(handler).get("/map?plot=GD-2"))
    half = f"{area_m2(plot(1.5, width=0.5)):,}"
    on_it = table(shown, "这块地上有什么")
    assert [row[0] for row in on_it] == ["无", "有", "有"] and on_it[0][1:] == ["永久基本农田", "0.00"]
    assert on_it[1][1:] == ["耕地保护空间", f"{area_m2(PADDY):,}"] and on_it[2][2] == half and "北段" in on_it[2][1]
    assert table(shown, "地类面积") == [["0101 水田", f"{area_m2(PADDY):,}", "100.0%"], ["合计", f"{area_m2(PADDY):,}", "100.0%"]]


def test_what_lies_on_a_plot_keeps_to_ones_scope(database, sign_in, handler, walk, person):
    give_range(database, handler, walk.id, plot(1.5, width=1), name="北段")
    shown = page(sign_in(person("district_handler", district=PUDONG)).get("/map?plot=DL-2"))
    assert "北段" not in shown.text and table(shown, "这块地上有什么")[2][0] == "无"


def test_an_address_brings_back_position_layers_and_point(sign_in, handler):
    point = at(PADDY)
    shown = page(sign_in(handler).get(f"/map?at=121.07,31.06,15.5&layers=land_use.paddy,annual_farmland.stored&q={point}"))
    checked = {f"{each.find_parent('details')['data-layer']}.{each['data-group']}" for each in shown.select("#map-layers [data-group][checked]")}
    assert checked == {"land_use.paddy", "annual_farmland.stored"}
    assert json.loads(shown.select_one("#map")["data-map-page"])["view"] == [121.07, 31.06, 15.5]
    assert {"DL-2", "GD-2", "JN-2"} <= {each["data-found"] for each in shown.select("#map-facts [data-found]")}


def test_surveyed_coordinates_are_located_too(sign_in, handler):
    placed = from_storage(PADDY.centroid, zone_system(40))
    shown = page(sign_in(handler).get(f"/map/text?q={placed.y:.3f},{placed.x:.3f}"))
    assert "GD-2" in shown.text and "0101" in shown.text


def test_a_district_is_outlined(sign_in, handler):
    data = json.loads(page(sign_in(handler).get("/map?q=青浦区")).select_one("#map")["data-map-page"])
    assert outlined(sign_in(handler), data) == ["青浦区"]


def test_a_town_is_where_its_plots_are(sign_in, handler):
    data = json.loads(page(sign_in(handler).get("/map?q=样例镇")).select_one("#map")["data-map-page"])
    assert data["bounds"][0] == [PERMANENT.bounds[1], PERMANENT.bounds[0]]


def test_small_scales_are_drawn_by_a_job_and_follow_the_next_edition(database, sign_in, handler, run_jobs):
    browser, small = sign_in(handler), "{0.zoom}/{0.column}/{0.row}".format(next(tiles_over(PADDY.bounds, 12)))
    before = browser.get(f"/map/tiles/land_use/1/{small}")
    assert before.content == b"" and before.headers["Cache-Control"] == "no-store"
    assert "刚更新" in page(browser.get("/map")).select_one("#map-layers").text
    run_jobs()
    drawn = browser.get(f"/map/tiles/land_use/1/{small}")
    assert b"paddy" in drawn.content and "immutable" in drawn.headers["Cache-Control"]
    with database.writing() as session:
        load_layer(session, SYSTEM, "land_use", [FeatureData("DL-9", QINGPU, "1101", area_m2(PADDY), PADDY, {})], date(2026, 2, 1))
    meanwhile = browser.get(f"/map/tiles/land_use/2/{small}")
    assert meanwhile.content == drawn.content and meanwhile.headers["Cache-Control"] == "no-store"
    run_jobs()
    assert b"water" in browser.get(f"/map/tiles/land_use/2/{small}").content


@pytest.fixture
def run_jobs(database):
    """Begins what the runner would begin, and does it."""

    def run_all():
        with database.reading() as session:
            assert map_drawing.is_due(session)
        with database.writing() as session:
            map_drawing.begin(session, SYSTEM)
        with database.reading() as session:
            assert not map_drawing.is_due(session)
        with database.writing() as session:
            claimed = job.claim(session, SYSTEM)
        result = job.run(claimed, database, database.office, lambda: False)
        with database.writing() as session:
            job.finish(session, SYSTEM, claimed.id, result)

    return run_all


def test_typed_coordinates_are_measured(sign_in, handler):
    browser = sign_in(handler)
    corners = "\n".join(f"{x},{y}" for x, y in shapely.get_coordinates(PADDY)[:-1])
    shown = page(browser.get("/map/measure", params={"points": corners, "kind": "area"}))
    assert f"面积 {area_m2(PADDY):,} 平方米" in shown.text and len(table(shown, "各点与各边")) == 4
    clicked = browser.get("/map/measure", params={"points": corners}, headers={"HX-Request": "true"})
    assert clicked.text.strip().startswith("长 ") and "<html" not in clicked.text
    wrong = page(browser.get("/map/measure", params={"points": "121.1,31.1\n甲,乙"}), 422)
    assert "第 2 行" in wrong.select_one(".error").text


def test_the_defects_of_the_districts_are_reported_with_their_repair(sign_in, handler):
    shown = page(sign_in(handler).get("/map/districts"))
    rows = table(shown, "区界缺陷")
    assert len(rows) == len(defect_report()) > 0 and all(row[4] for row in rows)
    assert len(table(shown, "账户区")) == 17 and "只计入管理区" in shown.text


def test_a_file_is_read_shown_and_confirmed(database, sign_in, handler, walk):
    browser = sign_in(handler)
    base = f"/cases/{walk.id}/ranges"
    answer = browser.post(f"{base}/new", files={"file": ("范围.geojson", geojson(PADDY), "application/geo+json")})
    assert answer.status_code == 303
    place = answer.headers["location"]
    shown = page(browser.get(place))
    assert "EPSG:4490" in shown.text and len(shown.select("table tbody tr")) == 4 and "project_range" not in walk.case.values
    assert browser.post(f"{place}/confirm").status_code == 303
    assert "范围.geojson" in page(browser.get(f"/cases/{walk.id}")).select_one("#ranges").text


def test_a_file_that_cannot_be_read_comes_back_with_its_fault(sign_in, handler, walk):
    answer = sign_in(handler).post(f"/cases/{walk.id}/ranges/new", data={"name": "北段"}, files={"file": ("a.txt", b"nothing", "text/plain")})
    shown = page(answer, 422)
    assert "不能读取" in shown.select_one(".summary").text and shown.select_one("#name")["value"] == "北段"


def test_a_bad_range_says_why_and_offers_nothing(sign_in, handler, walk):
    browser = sign_in(handler)
    outside = geojson(shapely.box(120.0, 30.0, 120.01, 30.01))
    place = browser.post(f"/cases/{walk.id}/ranges/new", files={"file": ("a.geojson", outside, "application/geo+json")}).headers["location"]
    assert "RANGE-05" in page(browser.get(place)).text
    shown = page(browser.post(f"{place}/confirm"), 422)
    assert "没有通过质检" in shown.select_one("[role=alert]").text


def test_the_frame_of_a_case_draws_with_a_nonce_and_nothing_from_outside(database, sign_in, handler, walk):
    give_range(database, handler, walk.id, PADDY, name="<b>北段")
    answer = sign_in(handler).get(f"/cases/{walk.id}/map")
    nonce = answer.headers["Content-Security-Policy"].partition("'nonce-")[2].partition("'")[0]
    shown = page(answer)
    assert nonce and all(each.get("nonce") == nonce for each in shown.select("script, style"))
    assert "https://" not in answer.text and "<b>北段" not in answer.text
