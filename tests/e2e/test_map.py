"""The one map in a real browser: seen at every scale, asked by mouse and keyboard, measured, shared by its address."""

import json
import re
import sqlite3
from contextlib import closing

import pytest
import shapely
from playwright.sync_api import Page, expect

from domain.area import area_m2
from tests.e2e.test_accessibility import sign_in, watch

PAINTED = """() => {
  const dots = [...document.querySelectorAll("#map canvas")].filter((c) => c.features?.length).map((canvas) => {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let count = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) count += 1;
    return count;
  });
  return dots.reduce((sum, each) => sum + each, 0);
}"""


@pytest.fixture(scope="module")
def official(browser, browser_context_args, portal, accounts):
    """The page of an official of the city, signed in, with what goes wrong in it."""
    context = browser.new_context(**{**browser_context_args, "base_url": portal.url, "viewport": {"width": 1280, "height": 900}})
    sign_in(context.new_page(), next(each for each in accounts if each["login"] == "city_handler"))
    yield watch(context)
    context.close()


@pytest.fixture
def page(official):
    official.said.clear()
    yield official.page
    assert official.said == []


@pytest.fixture(scope="module")
def plots(portal):
    """Numbers of two plots of the annual farmland."""
    with closing(sqlite3.connect(f"file:{portal.folder / 'portal.sqlite3'}?mode=ro", uri=True)) as connection:
        found = connection.execute(
            "SELECT f.key FROM feature f JOIN layer l ON l.id = f.layer_id WHERE l.key = 'annual_farmland' "
            "AND f.until_number IS NULL AND f.district_code = '310118' ORDER BY f.key LIMIT 2"
        )
        return [key for (key,) in found]


STANDS_STILL = """() => {
    const box = JSON.stringify([...document.querySelectorAll("#map path.leaflet-interactive")].pop().getBoundingClientRect());
    const isStill = window.boxBefore === box && !document.querySelector("#map .leaflet-zoom-anim");
    window.boxBefore = box;
    return isStill;
}"""
"""True once the last shape has not moved between two looks: a slow machine moves the map to it for seconds."""


def settled(page: Page) -> Page:
    page.wait_for_load_state("networkidle")
    page.wait_for_selector("#map canvas")
    return page


def test_the_whole_city_shows_its_land_use(page):
    page.goto("/map")
    settled(page)
    page.wait_for_function(f"({PAINTED})() > 50000")
    ground = page.evaluate("getComputedStyle(document.getElementById('map')).backgroundColor")
    assert ground == "rgb(246, 246, 238)"
    before = page.evaluate(PAINTED)
    page.get_by_label("建设用地和其他").uncheck()
    assert page.evaluate(PAINTED) < before
    assert "land_use.built" not in page.url and "land_use.paddy" in page.url


@pytest.mark.function("ONEMAP-011", "c2")
def test_the_ground_has_the_colours_of_the_legend(page):
    """The dots of a tile of one group alone are of the colour of its swatch, at the small scale and at the large one."""
    for zoom in (11, 15):
        for group in ("paddy", "wood"):
            page.goto(f"/map?at=121.10,31.12,{zoom}&layers=land_use.{group}")
            settled(page)
            page.wait_for_function(f"({PAINTED})() > 1000")
            colour = page.locator(f'[data-layer="land_use"] .choice:has([data-group="{group}"]) svg rect').get_attribute("fill")
            most = page.evaluate("""() => {
              const counts = {};
              for (const canvas of document.querySelectorAll("#map canvas")) {
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) {
                  const dot = "#" + [...data.slice(i, i + 3)].map((part) => part.toString(16).padStart(2, "0")).join("");
                  counts[dot] = (counts[dot] ?? 0) + 1;
                }
              }
              return Object.entries(counts).sort((one, other) => other[1] - one[1])[0][0];
            }""")
            assert most == colour, (zoom, group)


def test_a_click_tells_what_is_there_and_the_address_brings_it_back(page):
    page.goto("/map?at=121.10,31.12,15")
    settled(page)
    page.locator("#map").click(position={"x": 300, "y": 200})
    expect(page.locator("#map-facts")).to_contain_text("土地利用现状")
    expect(page.locator("#map-facts")).to_contain_text("这块地上有什么")
    page.wait_for_url("**q=*")
    found = page.locator("#map-facts [data-found]").first.get_attribute("data-found")
    page.goto(page.url)
    settled(page)
    expect(page.locator(f'#map-facts [data-found="{found}"]')).to_be_visible()
    assert "at=121.1" in page.url


@pytest.mark.function("GEO-030", "c4")
def test_what_was_clicked_leads_to_its_history_and_its_update(page):
    page.goto("/map?at=121.10,31.12,15")
    settled(page)
    page.locator("#map").focus()
    page.keyboard.press("Enter")
    land = page.locator('#map-facts [data-found][aria-label^="土地利用现状"]')
    key = land.get_attribute("data-found")
    land.get_by_role("link", name="删除图形").press("Enter")
    expect(page.get_by_label("图形编号")).to_have_value(key)
    page.go_back()
    land.get_by_role("link", name="历史").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(key)


def test_the_keyboard_finds_and_measures(page):
    page.goto("/map?at=121.10,31.12,15")
    settled(page)
    page.locator("#map").focus()
    page.keyboard.press("Enter")
    # The centre lies within half a pixel of what the address says; a pixel is 0.00004° here.
    expect(page.locator("#map-facts")).to_contain_text(re.compile(r"121\.1000[0-4]"))
    page.get_by_role("button", name="量距").press("Enter")
    expect(page.locator("#map")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#map-measure")).to_have_text("已取 1 点")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(600)
    page.keyboard.press("Enter")
    expect(page.locator("#map-measure")).to_contain_text("长 ")
    page.keyboard.press("Backspace")
    expect(page.locator("#map-measure")).to_have_text("已取 1 点")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="量距")).to_have_attribute("aria-pressed", "false")


def test_a_measured_area_is_the_area_of_the_server(page):
    page.goto("/map?at=121.10,31.12,15")
    settled(page)
    page.get_by_role("button", name="量面").click()
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "/map/measure" in request.url else None)
    for x, y in ((200, 200), (400, 200), (400, 350)):
        page.locator("#map").click(position={"x": x, "y": y})
    expect(page.locator("#map-measure")).to_contain_text("面积")
    points = page.evaluate("address => new URL(address).searchParams.get('points')", sent[-1])
    corners = [tuple(map(float, line.split(","))) for line in points.splitlines()]
    assert f"面积 {area_m2(shapely.Polygon(corners)):,} 平方米" in page.locator("#map-measure").inner_text()


def test_an_entry_of_the_list_and_its_shape_lead_to_each_other(page, plots):
    page.goto(f"/map?plot={','.join(plots)}")
    settled(page)
    page.wait_for_selector("#map path.leaflet-interactive")
    whole = json.loads(page.locator("#map").get_attribute("data-map-page"))["bounds"]
    page.locator(f'[data-show="{plots[1]}"]').click()
    expect(page.locator(f'[data-found="{plots[1]}"]')).to_have_class("picked")
    page.wait_for_timeout(600)
    page.wait_for_function(STANDS_STILL, polling=300)
    expect(page.locator("#map-facts .picked")).to_be_focused()
    assert "at=" in page.url and whole
    page.locator("#map path.leaflet-interactive").last.click(force=True)
    expect(page.locator("#map-facts .picked")).to_have_count(1)


def test_the_map_is_printed_with_its_legend_and_scale(page):
    page.goto("/map?at=121.10,31.12,15")
    settled(page)
    page.emulate_media(media="print")
    expect(page.locator("#map")).to_be_visible()
    expect(page.locator("#map-scale")).to_be_visible()
    expect(page.locator(".leaflet-control-scale")).to_be_visible()
    expect(page.get_by_text("水田", exact=True).first).to_be_visible()
    expect(page.locator("#map-q")).to_be_hidden()
    expect(page.get_by_text("已预存", exact=True)).to_be_hidden()
    page.emulate_media(media="screen")


def test_two_layers_are_swiped_by_keyboard_and_the_address_brings_it_back(page):
    page.goto("/map?at=121.10,31.12,15")
    settled(page)
    page.get_by_text("卷帘和多窗口对比").click()
    page.get_by_label("左边图层").select_option("land_use")
    page.get_by_label("右边图层").select_option("annual_farmland")
    clips = "() => ['land_use', 'annual_farmland'].map((key) => document.querySelector(`.leaflet-${key}-pane`).style.clipPath)"
    before = page.evaluate(clips)
    page.get_by_label("分界").press("ArrowRight")
    assert all(before) and page.evaluate(clips) != before
    assert "swipe=land_use%2Cannual_farmland%2C51" in page.url and "annual_farmland.available" in page.url
    page.goto(page.url)
    settled(page)
    expect(page.get_by_label("分界")).to_have_value("51")
    assert all(page.evaluate(clips))
    page.get_by_label("右边图层").select_option("land_use")
    expect(page.get_by_text("左右请选不同的图层或不同的版。")).to_be_visible()
    assert page.evaluate(clips) == ["", ""]


def test_tiles_of_layers_that_are_not_shown_are_not_asked_for(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/map/tiles/" in request.url else None)
    page.goto("/map?at=121.10,31.12,15&layers=land_use.paddy")
    settled(page)
    assert asked and all("/map/tiles/land_use/" in each for each in asked)
