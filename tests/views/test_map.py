"""The one map and the ranges of a case on the screen."""

import json

import pytest
import shapely
from bs4 import BeautifulSoup

from tests.domain.case.filing_steps import Walk
from tests.domain.ledger_books import opened, stored, working
from tests.domain.space_fixtures import PADDY, PERMANENT, PUDONG, QINGPU, geojson, give_range, load_plots


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
    return BeautifulSoup(answer.text, "html5lib")


def at(shape):
    return f"{shape.centroid.x},{shape.centroid.y}"


@pytest.mark.function("LAND-061", "single_located", "overlaid_with_layers")
def test_a_plot_is_located_with_its_attributes(sign_in, handler):
    shown = page(sign_in(handler).get("/map?plot=GD-2"))
    data = json.loads(shown.select_one("#map")["data-map-page"])
    assert data["picked"] == ["GD-2"] and set(data["tiles"]) == {"land_use", "annual_farmland", "permanent_farmland"}
    assert "已预存" in shown.select_one("#map-facts").text


@pytest.mark.function("LAND-061", "all_located")
def test_several_plots_are_located_at_once(sign_in, handler):
    data = json.loads(page(sign_in(handler).get("/map?plot=GD-2,GD-3")).select_one("#map")["data-map-page"])
    (south, west), (north, east) = data["bounds"]
    assert data["picked"] == ["GD-2", "GD-3"] and west < PADDY.centroid.x < east and south < PADDY.centroid.y < north


def test_what_is_not_found_is_said(sign_in, handler):
    assert "没有找到“无此地块”" in page(sign_in(handler).get("/map?q=无此地块")).select_one("[role=alert]").text


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
    assert [each["properties"]["label"] for each in seen] == ["北段"]
    stranger = sign_in(person("district_handler", district=PUDONG))
    assert stranger.get(bounds).json()["features"] == []
    assert stranger.get(f"/cases/{walk.id}/map").status_code == 404


def test_the_map_has_a_page_of_words_and_coordinates(sign_in, handler):
    shown = page(sign_in(handler).get("/map/text?plot=JN-1"))
    assert len(shown.select("table tbody tr")) == 5 and "永久基本农田" in shown.text
    assert f"{PERMANENT.bounds[0]:.8f}" in shown.text


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
