"""A layer that one may not open stays shut everywhere it could be seen, and of others one sees one's own districts alone."""

import json
from datetime import date

import pytest
import shapely
from bs4 import BeautifulSoup

from domain import job, map_drawing, map_print
from domain.actor import SYSTEM
from domain.layer import FeatureData, load_layer
from domain.map_tile import tiles_over
from tests.domain.space_fixtures import PADDY, PUDONG, QINGPU, _feature, load_plots, plot

THERE = plot(40, 0)
"""A plot of 浦东新区 in the books, however it lies."""
CLUES = {"patch_number": "XS-1", "source": "巡查"}


@pytest.fixture(autouse=True)
def layers(database):
    with database.writing() as session:
        load_plots(session)
        other = _feature("GD-P", THERE, "0101", "可用", status="可用")
        theirs = FeatureData(other.key, PUDONG, other.class_code, other.area_m2, other.geometry, other.attributes, other.status)
        load_layer(session, SYSTEM, "annual_farmland", [_feature("GD-2", PADDY, "0101", "已预存", status="已预存"), theirs], date(2026, 1, 1))
        load_layer(session, SYSTEM, "clue_patch", [_feature("XS-1", PADDY, "巡查", **CLUES)], date(2026, 1, 1))


@pytest.fixture
def window(sign_in, person):
    return sign_in(person("window", district=QINGPU))


@pytest.fixture
def handler(sign_in, person):
    return sign_in(person("district_handler", district=QINGPU))


@pytest.fixture
def city(sign_in, person):
    return sign_in(person("city_handler"))


def at(shape):
    return f"{shape.centroid.x},{shape.centroid.y}"


def square(shape, zoom):
    return "{0.zoom}/{0.column}/{0.row}".format(next(tiles_over(shape.bounds, zoom)))


def on_map(browser):
    return set(json.loads(BeautifulSoup(browser.get("/map").text, "html5lib").select_one("#map")["data-map-page"])["tiles"])


CLUE_TILE = f"/map/tiles/clue_patch/1/{square(PADDY, 15)}"


@pytest.mark.function("ONEMAP-011", "c4")
@pytest.mark.parametrize("address", [CLUE_TILE, "/map/query?layer=clue_patch", "/thematic-maps/make?layer=clue_patch&kind=single&field=source"])
def test_a_layer_that_is_not_open_is_refused_in_words(window, city, address):
    refused = window.get(address)
    assert refused.status_code == 403 and "线索图斑" in refused.text and "没有开放给你的岗位" in refused.text
    assert city.get(address).status_code == 200


@pytest.mark.function("ONEMAP-011", "c4")
def test_it_is_on_no_map_of_those_who_may_not_open_it(window, handler):
    assert "clue_patch" in on_map(handler) and "clue_patch" not in on_map(window) and "land_use" in on_map(window)


def test_it_is_neither_told_at_a_point_nor_found_by_its_number(window, handler):
    address = f"/map/facts?at={at(PADDY)}"
    assert "XS-1" in handler.get(address).text and "XS-1" not in window.get(address).text
    assert "没有找到“XS-1”" in window.get("/map?plot=XS-1").text and "没有找到" not in handler.get("/map?plot=XS-1").text
    assert window.get("/map/selected?plot=XS-1").json()["features"] == [] and len(handler.get("/map/selected?plot=XS-1").json()["features"]) == 1


def test_it_is_not_printed_even_if_the_address_names_it(window, handler):
    address = f"/map/print?layers=clue_patch.clue&at={PADDY.centroid.x},{PADDY.centroid.y},15"
    assert "线索图斑" in handler.get(address).text and "线索图斑" not in window.get(address).text


@pytest.mark.parametrize(("role", "district", "is_said"), [("district_handler", QINGPU, True), ("city_handler", None, False)])
def test_a_print_says_of_which_districts_it_is(database, person, role, district, is_said):
    asked = {"layers": "annual_farmland.available", "at": f"{PADDY.centroid.x},{PADDY.centroid.y},15"}
    with database.reading() as session:
        content = map_print.content_of(session, person(role, district=district), map_print.read_print(asked), None)
    assert ("年度耕地资源层按岗位授权只含青浦区的要素" in content.notes) is is_said


def test_it_cannot_be_asked_for_as_a_share(window):
    asked = {"layer": "clue_patch", "purpose": "planning", "format": "service", "file_kind": "gpkg", "until_on": "2026-12-31"}
    answer = window.post("/shares/apply", data=asked)
    assert answer.status_code == 403 and "没有开放给你的岗位" in answer.text


def test_it_is_no_input_of_an_overlay(window, handler):
    asked = {"title": "样例", "source": "layer", "layer": "land_use", "layers": "clue_patch", "by_clue_patch": "source"}
    assert handler.post("/overlays/new", data=asked).status_code == 303
    answer = window.post("/overlays/new", data=asked)
    assert answer.status_code in (403, 422) and "没有开放给你的岗位" in answer.text


def keys_of(browser, address):
    shown = BeautifulSoup(browser.get(address).text, "html5lib")
    return [row.select_one("a").text for row in shown.select("section[aria-label=清单] tbody tr")]


def test_rows_of_other_districts_are_not_in_a_query(handler, city):
    west, south, east, north = shapely.total_bounds([PADDY, THERE]).tolist()
    for address in ("/map/query?layer=annual_farmland", f"/map/query?layer=annual_farmland&box={west},{south},{east},{north}"):
        assert keys_of(handler, address) == ["GD-2"] and keys_of(city, address) == ["GD-2", "GD-P"]
    assert keys_of(handler, f"/map/query?layer=annual_farmland&district={PUDONG}") == []
    assert keys_of(handler, f"/map/query?layer=annual_farmland&district={PUDONG}&box={west},{south},{east},{north}") == []


def test_they_are_neither_told_at_a_point_nor_found_by_their_number(handler, city):
    address = f"/map/facts?at={at(THERE)}"
    assert "GD-P" in city.get(address).text and "GD-P" not in handler.get(address).text
    assert "没有找到“GD-P”" in handler.get("/map?plot=GD-P").text and "没有找到" not in city.get("/map?plot=GD-P").text


def test_a_tile_of_single_features_holds_those_of_ones_districts(handler, city):
    address = f"/map/tiles/annual_farmland/2/{square(THERE, 15)}"
    assert b"GD-P" in city.get(address).content and b"GD-P" not in handler.get(address).content
    assert b"GD-2" in handler.get(f"/map/tiles/annual_farmland/2/{square(PADDY, 15)}").content


def test_a_drawn_tile_is_narrowed_to_ones_districts_and_kept_for_the_session_alone(database, handler, city):
    draw_all(database)
    address = f"/map/tiles/annual_farmland/2/{square(PADDY, 12)}"
    whole, mine = city.get(address), handler.get(address)
    assert b"310115" in whole.content and b"available" in whole.content and b"stored" in mine.content
    assert 0 < len(mine.content) < len(whole.content)
    assert mine.headers["Vary"] == whole.headers["Vary"] == "Cookie" and "immutable" in mine.headers["Cache-Control"]
    land = f"/map/tiles/land_use/1/{square(PADDY, 12)}"
    assert handler.get(land).content == city.get(land).content != b"" and "Cookie" not in handler.get(land).headers.get("Vary", "")


def draw_all(database):
    with database.writing() as session:
        map_drawing.begin(session, SYSTEM)
    with database.writing() as session:
        claimed = job.claim(session, SYSTEM)
    job.run(claimed, database, database.office, lambda: False)


def test_a_thematic_map_is_of_ones_own_districts(handler):
    address = "/thematic-maps/make?layer=annual_farmland&kind=single&field=status"
    shown = handler.get(address)
    assert shown.status_code == 200 and "青浦区，1 个要素" in shown.text
    other = handler.get(f"{address}&area=district:{PUDONG}")
    assert other.status_code == 422 and "只能看本区的“年度耕地资源层”" in other.text
