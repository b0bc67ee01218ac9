"""The layer tree of the map, its days and what is compared: what the page of an address shows, and to whom."""

import json
from datetime import date

import pytest
from bs4 import BeautifulSoup

from domain import job, map_drawing, map_favourite
from domain.actor import SYSTEM
from domain.errors import NotAllowed, NotFound
from domain.layer import load_layer
from domain.map_tile import tiles_over
from tests.domain.space_fixtures import DRY, PADDY, QINGPU, _feature, load_plots


@pytest.fixture(autouse=True)
def layers(database):
    """Land use in two years, beside what the books have since the first day of 2026; the second plot was dry land before."""
    with database.writing() as session:
        load_layer(session, SYSTEM, "land_use", [_feature(key, shape, "0103", class_code="0103") for key, shape in (("DL-2", PADDY), ("DL-3", DRY))], date(2025, 1, 1))
        load_plots(session)
        load_layer(session, SYSTEM, "clue_patch", [_feature("XS-1", PADDY, "巡查")], date(2026, 1, 1))


@pytest.fixture
def handler(person):
    return person("district_handler", district=QINGPU)


@pytest.fixture
def desk(sign_in, handler):
    return sign_in(handler)


def shown(desk, address="/map"):
    answer = desk.get(address)
    assert answer.status_code == 200, answer.text[:500]
    return BeautifulSoup(answer.text, "html.parser")


def data_of(page):
    return json.loads(page.select_one("#map")["data-map-page"])


def branches(page):
    return {each.summary.text.strip(): each for each in page.select("#map-layers [data-branch]")}


def square(shape, zoom):
    return "{0.zoom}/{0.column}/{0.row}".format(next(tiles_over(shape.bounds, zoom)))


@pytest.mark.function("ONEMAP-011", "c1")
@pytest.mark.function("LAND-054", "c1")
def test_the_tree_has_every_layer_of_the_catalogue_in_its_group(desk):
    found = branches(shown(desk))
    assert list(found) == ["行政区划", "现状调查", "耕地和永久基本农田", "规划管控线", "监管与成果图件"]
    assert "2026-01-01 起，第 2 版" in found["现状调查"].text and "还没有数据" in found["规划管控线"].text
    assert [each["data-layer"] for each in found["耕地和永久基本农田"].select("[data-layer]")] == ["annual_farmland", "permanent_farmland"]


@pytest.mark.function("ONEMAP-011", "c2")
def test_the_legend_is_drawn_with_what_the_map_is_painted_with(desk):
    page = shown(desk)
    painted = json.loads(page.select_one("#map-layers")["data-palette"])
    for layer in page.select("#map-layers [data-layer]:not([data-layer=ranges])"):
        for choice in layer.select(".choice"):
            look, swatch = painted[layer["data-layer"]][choice.input["data-group"]], choice.select_one("svg rect")
            assert (swatch["fill"], swatch["stroke"]) == (look["fill"] or "none", look["stroke"] or "none")
            assert bool(choice.select_one("svg path")) == bool(look["pattern"])
    assert len(painted) > 2 and not page.select("#map-layers [style]")


@pytest.mark.function("ONEMAP-011", "c4")
def test_a_closed_layer_is_in_the_tree_with_the_reason_and_without_a_switch(sign_in, person):
    closed = shown(sign_in(person("window", district=QINGPU))).select_one("#layer-clue_patch")
    assert "不能打开" in closed.text and "没有开放给你的岗位" in closed.text and not closed.select("input, button")


def test_layers_are_found_by_name_or_legend(desk):
    page = shown(desk, "/map?find=已预存")
    seen = [each["id"] for each in page.select("#map-layers [data-words]") if not each.has_attr("hidden")]
    assert seen == ["layer-annual_farmland"] and page.select_one("[data-none]").has_attr("hidden")
    assert not shown(desk, "/map?find=无此图层").select_one("[data-none]").has_attr("hidden")


@pytest.mark.function("ONEMAP-011", "c2")
def test_order_and_opacity_are_in_the_address(desk):
    page = shown(desk, "/map?order=annual_farmland,land_use,nothing&opacity=land_use:40,annual_farmland:x")
    assert page.select_one("#opacity-land_use")["value"] == "40" and page.select_one("#opacity-annual_farmland")["value"] == "90"
    assert data_of(page)["order"] == ["annual_farmland", "land_use", "clue_patch", "permanent_farmland"]
    assert [each["data-stacked"] for each in page.select("[data-stacked]")] == data_of(page)["order"]


def test_a_favourite_comes_first_and_is_ones_own(desk, sign_in, person):
    state = "?at=121.1%2C31.1%2C13&layers=land_use.paddy"
    answer = desk.post("/map/favourites", data={"keep": "annual_farmland", "state": state})
    assert answer.status_code == 303 and answer.headers["location"] == "/map?at=121.1%2C31.1%2C13&layers=land_use.paddy#layer-annual_farmland"
    first = next(iter(branches(shown(desk)).items()))
    assert first[0] == "收藏" and [each["data-layer"] for each in first[1].select("[data-layer]")] == ["annual_farmland"]
    assert len(shown(desk).select("#layer-annual_farmland")) == 1
    other = sign_in(person("district_handler", district=QINGPU, login="other"))
    assert "收藏" not in branches(shown(other))
    desk.post("/map/favourites", data={"drop": "annual_farmland", "state": ""})
    assert "收藏" not in branches(shown(desk))


def test_favourites_are_kept_once_and_only_of_layers_that_are_open(database, handler, person):
    window, applicant = person("window", district=QINGPU), person("applicant")
    with database.writing() as session:
        for _time in range(2):
            map_favourite.keep(session, handler, "land_use")
        assert map_favourite.favourites(session, handler) == ["land_use"]
        map_favourite.drop(session, handler, "annual_farmland")
    with database.writing() as session, pytest.raises(NotFound):
        map_favourite.keep(session, handler, "nothing")
    with database.writing() as session, pytest.raises(NotAllowed):
        map_favourite.keep(session, window, "clue_patch")
    with database.writing() as session, pytest.raises(NotAllowed):
        map_favourite.keep(session, applicant, "land_use")


def test_the_map_shows_every_layer_as_it_was_on_a_day(desk):
    page = shown(desk, "/map?on=2025-06-30")
    assert [each["number"] for each in data_of(page)["editions"]["land_use"]] == [2, 1] and data_of(page)["on"] == "2025-06-30"
    assert "2025-01-01 起，第 1 版" in branches(page)["现状调查"].text and "这一天还没有数据" in page.select_one("#layer-annual_farmland").text
    assert [each.text for each in page.select("#map-on option")] == ["最新", "2025-06-30", "2026-01-01", "2025-01-01"]
    assert page.select_one("#map-time")["value"] == "0" and page.select_one("#map-time")["max"] == "2"
    assert shown(desk).select_one("#map-time")["value"] == "2"


def test_one_layer_may_show_another_day(desk):
    page = shown(desk, "/map?days=land_use:2025-01-01")
    assert "第 1 版" in branches(page)["现状调查"].text and "第 1 版" in page.select_one("#layer-annual_farmland").text
    assert page.select_one("#day-land_use option[selected]")["value"] == "2025-01-01"
    assert data_of(page)["layerDays"] == {"land_use": "2025-01-01"}


def test_what_lies_at_a_point_is_of_the_day_that_is_shown(desk):
    at = f"{PADDY.centroid.x},{PADDY.centroid.y}"
    present, past = desk.get(f"/map/facts?at={at}").text, desk.get(f"/map/facts?at={at}&on=2025-06-30").text
    assert "0101" in present and "GD-2" in present
    assert "0103" in past and "GD-2" not in past and "第 1 版" in past and "这块地上有什么" not in past
    assert "0103" in desk.get(f"/map/facts?at={at}&source=land_use@1").text
    assert "第 1 版" in desk.get(f"/map/text?q={at}&on=2025-06-30").text


@pytest.mark.function("ONEMAP-013", "c1")
@pytest.mark.parametrize("side, code, other, words", [
    ("left", "0103", "0101", "读的是分界左边的土地利用现状，2025-01-01 起，第 1 版"),
    ("right", "0101", "0103", "读的是分界右边的土地利用现状，2026-01-01 起，第 2 版"),
])
def test_beside_the_swipe_the_edition_of_the_side_is_read(desk, side, code, other, words):
    at = f"{PADDY.centroid.x},{PADDY.centroid.y}"
    asked = f"swipe=land_use@1,land_use@2,50&side={side}"
    for address in (f"/map/facts?at={at}&{asked}", f"/map?q={at}&{asked}", f"/map/text?q={at}&{asked}"):
        page = shown(desk, address)
        [land] = page.select('[data-found][aria-label^="土地利用现状"]')
        assert code in land.text and other not in land.text and page.select_one('[data-found="GD-2"]'), address
        assert words in page.text


def test_beside_the_swipe_of_two_layers_the_one_that_is_not_seen_there_is_left_out(desk):
    at = f"{PADDY.centroid.x},{PADDY.centroid.y}"
    left, right = (desk.get(f"/map/facts?at={at}&swipe=land_use,annual_farmland,30&side={side}").text for side in ("left", "right"))
    assert "土地利用现状 " in left.replace("　", " ") and "GD-2" not in left and "土地利用现状　" not in right and "GD-2" in right


def test_a_window_reads_its_own_source_on_its_own_day(desk):
    at = f"{PADDY.centroid.x},{PADDY.centroid.y}"
    named, dated = (desk.get(f"/map/facts?at={at}&source={source}").text for source in ("land_use@1", "land_use&on=2025-06-30"))
    assert all("0103" in each and "GD-2" not in each and "第 1 版" in each for each in (named, dated))
    assert "这一天还没有数据" in desk.get(f"/map/facts?at={at}&source=annual_farmland&on=2025-06-30").text
    assert "读的是" not in desk.get(f"/map/facts?at={at}&source=nothing@1&side=left").text


def test_an_earlier_edition_has_tiles_of_its_own_at_every_scale(desk, database):
    large = square(PADDY, 15)
    assert b"dry" in desk.get(f"/map/tiles/land_use/1/{large}").content and b"paddy" in desk.get(f"/map/tiles/land_use/2/{large}").content
    small = f"/map/tiles/land_use/1/{square(PADDY, 12)}"
    assert desk.get(small).content == b"" and desk.get(small).headers["Cache-Control"] == "no-store"
    draw_all(database)
    drawn = desk.get(small)
    assert b"dry" in drawn.content and b"paddy" not in drawn.content and "immutable" in drawn.headers["Cache-Control"]
    assert all(each["isDrawn"] for each in data_of(shown(desk))["editions"]["land_use"])


def draw_all(database):
    with database.writing() as session:
        map_drawing.begin(session, SYSTEM)
    with database.writing() as session:
        claimed = job.claim(session, SYSTEM)
    job.run(claimed, database, database.office, lambda: False)
    with database.reading() as session:
        assert not map_drawing.undrawn_years(session)


@pytest.mark.function("ONEMAP-013", "c1")
@pytest.mark.parametrize(("given", "kept"), [
    ("land_use@1,land_use@2,30", {"left": "land_use@1", "right": "land_use@2", "share": "30"}),
    ("land_use,annual_farmland", {"left": "land_use", "right": "annual_farmland", "share": "50"}),
    ("land_use@1,land_use@9,30", {"left": "", "right": "", "share": "50"}),
    ("land_use@1,nothing", {"left": "", "right": "", "share": "50"}),
])
def test_two_editions_or_two_layers_are_swiped(desk, given, kept):
    page = shown(desk, f"/map?swipe={given}")
    chosen = {name: page.select_one(f"#swipe-{name} option[selected]") for name in ("left", "right")}
    assert {name: each["value"] if each else "" for name, each in chosen.items()} == {name: kept[name] for name in chosen}
    assert page.select_one("#swipe-divider")["value"] == kept["share"]


@pytest.mark.function("ONEMAP-013", "c1")
@pytest.mark.parametrize(("given", "kept"), [
    ("land_use@1", ["land_use@1"]), ("land_use@1,land_use@2,annual_farmland", ["land_use@1", "land_use@2", "annual_farmland"]),
    ("land_use@1,land_use@2", ["land_use@1"]), ("land_use@7,nothing", []),
])
def test_two_or_four_windows_are_opened(desk, given, kept):
    assert data_of(shown(desk, f"/map?windows={given}"))["windows"] == kept


def test_an_edition_that_another_followed_on_the_same_day_can_still_be_named(desk, database):
    with database.writing() as session:
        load_layer(session, SYSTEM, "land_use", [_feature("DL-2", PADDY, "1101")], date(2026, 1, 1))
    found = data_of(shown(desk, "/map?swipe=land_use@2,land_use@3"))["editions"]["land_use"]
    assert [each["number"] for each in found] == [3, 2, 1] and [each["number"] for each in data_of(shown(desk))["editions"]["land_use"]] == [3, 1]


def test_the_print_follows_the_day_of_the_layer(desk):
    address = f"/map/print?at={PADDY.centroid.x},{PADDY.centroid.y},18&layers=land_use.paddy,land_use.dry&order=land_use"
    rows = [
        [row.select("td, th")[1].text for row in shown(desk, address + days).select("table")[0].select("tbody tr")]
        for days in ("", "&days=land_use:2025-06-30", "&on=2025-06-30")
    ]
    assert "水田" in rows[0] and "水田" not in rows[1] and rows[1] == rows[2] == ["旱地、水浇地"]
    assert desk.get(address + "&days=land_use:soon").text.count("应写成 2026-01-01 的样子") > 0


@pytest.mark.function("GEO-030", "c4")
def test_what_lies_at_a_point_leads_to_its_history_and_for_who_may_to_its_update(desk, sign_in, person):
    at = f"{PADDY.centroid.x},{PADDY.centroid.y}"
    plain, keeper = shown(desk, f"/map/facts?at={at}"), sign_in(person("city_handler"))
    history = plain.select_one('[data-found="DL-2"] a[href*="/layers/land_use/feature?"]')
    assert history.text == "历史：DL-2" and desk.get(history["href"]).status_code == 200
    assert not plain.select('a[href*="/update?"]')
    links = [each["href"] for each in shown(keeper, f"/map/facts?at={at}").select('[data-found="DL-2"] a[href*="/update?"]')]
    assert links == ["/layers/land_use/update?way=feature", "/layers/land_use/update?way=delete&keys=DL-2"]
    assert shown(keeper, links[1]).select_one("textarea[name=keys]").text.strip() == "DL-2"
    assert not shown(keeper, f"/map/facts?at={at}&on=2025-06-30").select('[data-found="DL-2"] a[href*="/update?"]')
