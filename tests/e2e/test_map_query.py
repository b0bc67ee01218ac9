"""A query with statistics and export, and a sketch drawn with the keyboard alone that becomes the range of a query."""

import io
import re
import sqlite3
from contextlib import closing
from decimal import Decimal

import numpy
import openpyxl
import pytest
import shapely
from playwright.sync_api import Page, expect

from domain.area import area_m2
from domain.geometry import from_ewkb
from domain.sketch import read_drawing
from tests.e2e.test_accessibility import PHONE, Watched

OFFICIAL = "city_handler"
SQUARE = "121.095,31.115\n121.105,31.115\n121.105,31.125\n121.095,31.125"


def checked(page: Page) -> None:
    """Nothing for axe to say, and nothing to scroll sideways."""
    assert Watched(page.context, page, []).violations() == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def settled(page: Page) -> Page:
    page.wait_for_load_state("networkidle")
    page.wait_for_selector("#sketch-map canvas, #q-map svg")
    return page


@pytest.fixture
def ring(portal):
    """The boundary of the largest plot of 青浦, as it is stored."""
    with closing(sqlite3.connect(f"file:{portal.folder / 'portal.sqlite3'}?mode=ro", uri=True)) as connection:
        [blob] = connection.execute(
            "SELECT f.geometry FROM feature f JOIN layer l ON l.id = f.layer_id WHERE l.key = 'land_use' AND f.until_number IS NULL "
            "AND f.district_code = '310118' ORDER BY f.area_m2 DESC LIMIT 1"
        ).fetchone()
    return shapely.get_rings(from_ewkb(blob))[0]


def open_at(page: Page, longitude: float, latitude: float) -> tuple[float, float]:
    """The sketch page with this place in the middle, once it knows what to snap to; the middle in pixels."""
    with page.expect_response("**/map/sketch/near**"):
        page.goto(f"/map/sketch?at={longitude!r},{latitude!r},16")
    settled(page)
    width, height = page.evaluate("(() => { const b = document.getElementById('sketch-map'); return [b.clientWidth, b.clientHeight] })()")
    return width / 2, height / 2


@pytest.mark.function("ONEMAP-014", "c1", "c2", "c3")
def test_a_query_with_statistics_and_export(enter):
    page = enter(OFFICIAL)
    page.goto("/map/query")
    page.get_by_label("图层", exact=True).select_option("年度耕地资源层")
    expect(page.get_by_label("条件 1 的字段").locator("option", has_text="耕地等别")).to_have_count(1)
    page.get_by_label("条件 1 的字段").select_option("耕地等别")
    page.get_by_label("条件 1 的比较方式").select_option("不大于")
    page.get_by_label("条件 1 的值").fill("20")
    page.get_by_label("区或管理区").select_option("青浦区")
    page.get_by_text("空间范围").click()
    page.get_by_label("坐标", exact=False).locator("visible=true").first.fill(SQUARE)
    page.get_by_role("button", name="查询", exact=True).click()
    page.wait_for_url("**field1=quality_class**")
    settled(page)
    listing = page.get_by_role("region", name="清单")
    count, area, inside = (number(page.locator(f"#q-{each}").inner_text()) for each in ("count", "area", "inside"))
    assert 0 < count <= 50 and 0 < inside <= area_m2(read_drawing(SQUARE, "polygon"))
    rows = listing.locator("tbody tr")
    whole, cut = zip(*([number(text) for text in row.locator("td").all_inner_texts()[-2:]] for row in rows.all()), strict=True)
    assert (len(whole), sum(whole), sum(cut)) == (count, area, inside)
    checked(page)
    rows.last.locator("td").nth(2).click()
    expect(rows.last).to_have_class(re.compile("picked"))
    page.locator("#q-map path.leaflet-interactive").first.click(force=True)
    expect(listing.locator("tr.picked")).to_have_count(1)
    page.get_by_role("button", name="Excel").click()
    page.wait_for_url("**/jobs/**")
    page.get_by_text("导出查询结果：年度耕地资源层 完成").wait_for()
    with page.expect_download() as waiting:
        page.locator("article.job a").first.click()
    book = openpyxl.load_workbook(io.BytesIO(waiting.value.path().read_bytes()))
    totals = [[cell.value for cell in row] for row in book["按类别统计"].iter_rows(min_row=2)]
    assert book["清单"].max_row - 1 == count == sum(row[1] for row in totals)
    assert round(Decimal(sum(row[3] for row in totals)), 2) == inside


@pytest.mark.function("ONEMAP-014", "c1")
def test_a_sketch_drawn_by_keyboard_alone_becomes_the_range_of_a_query(enter):
    page = enter(OFFICIAL)
    page.goto("/map/sketch?at=121.10,31.12,16&query=layer%3Dland_use")
    settled(page)
    page.get_by_label("捕捉", exact=False).first.fill("0")
    page.locator("#sketch-map").focus()
    told, keys = page.locator("#sketch-say"), page.keyboard

    def go(way: str, times: int) -> None:
        for _ in range(times):
            keys.press(f"Shift+Arrow{way}")

    for way in ("", "Right", "Down", "Left"):
        if way:
            go(way, 2)
        keys.press("Enter")
    expect(told).to_contain_text("4 点，面积")
    text = page.get_by_label("坐标", exact=True)
    before = text.input_value()
    keys.press("Space")
    expect(told).to_contain_text("拿起")
    go("Left", 1)
    keys.press("Space")
    expect(text).not_to_have_value(before)
    keys.press("Control+z")
    expect(text).to_have_value(before)
    go("Right", 1)
    go("Right", 4)  # across the square: the last edge would cross the second
    keys.press("Enter")
    keys.press("Backspace")
    expect(told).to_contain_text("4 点，面积")
    keys.press("Control+z")
    expect(told).to_contain_text("自相交")
    keys.press("Control+z")
    expect(told).to_contain_text("4 点，面积")
    keys.press("Escape")
    expect(told).to_contain_text("画完了")
    drawn = read_drawing(text.input_value(), "polygon")
    for _ in range(60):
        keys.press("Tab")
        if page.evaluate("document.activeElement.value") == "query":
            break
    keys.press("Enter")
    page.wait_for_url("**/map/query?**points=**")
    settled(page)
    inside, count = (number(page.locator(f"#q-{each}").inner_text()) for each in ("inside", "count"))
    assert count > 0 and abs(inside - area_m2(drawn)) <= count * Decimal("0.01")


def test_a_point_near_an_edge_snaps_onto_it(enter, ring):
    page = enter(OFFICIAL)
    ends = shapely.get_coordinates(ring)
    edges = shapely.linestrings(numpy.stack([ends[:-1], ends[1:]], axis=1))
    place = shapely.line_interpolate_point(max(edges, key=lambda edge: edge.length), 0.5, normalized=True)
    x, y = open_at(page, place.x, place.y)
    page.locator("#sketch-map").click(position={"x": x + 4, "y": y + 4})
    text = page.get_by_label("坐标", exact=True)
    expect(text).not_to_have_value("")
    found = shapely.Point(*map(float, text.input_value().split(",")))
    assert found.distance(ring) < 1e-12 and 0 < found.distance(place) < 0.0003


def test_a_sketch_snaps_is_changed_kept_and_refused_in_words(enter, ring):
    page = enter(OFFICIAL)
    longitude, latitude = map(float, shapely.get_coordinates(ring)[0])
    (x, y), box = open_at(page, longitude, latitude), page.locator("#sketch-map")
    box.click(position={"x": x + 5, "y": y + 4})
    text = page.get_by_label("坐标", exact=True)
    expect(text).to_have_value(f"{longitude!r},{latitude!r}")
    page.get_by_label("捕捉", exact=False).first.fill("0")
    for dx, dy in ((120, 120), (120, 0), (0, 120)):
        box.click(position={"x": x + dx, "y": y + dy})
    expect(page.locator("#sketch-say")).to_contain_text("自相交")
    page.get_by_role("button", name="撤销").click()
    expect(page.locator("#sketch-say")).to_contain_text("3 点，面积")
    page.get_by_role("button", name="重做").click()
    expect(page.locator("#sketch-say")).to_contain_text("自相交")
    page.get_by_label("名称").fill("样例草图")
    page.get_by_role("button", name="保存草图").click()
    expect(page.get_by_role("link", name=re.compile("自相交"))).to_be_visible()
    expect(page.locator("#sketch-map .leaflet-marker-icon")).to_have_count(8)
    text.fill(SQUARE + "\n\n121.098,31.118\n121.102,31.118\n121.102,31.122\n121.098,31.122")
    expect(page.locator("#sketch-say")).to_contain_text("8 点，面积")
    page.get_by_role("button", name="保存草图").click()
    page.wait_for_url(re.compile(r"/map/sketches/\d+$"))
    settled(page)
    checked(page)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="下载界址点 TXT").click()
    assert "[地块坐标]" in waiting.value.path().read_text(encoding="gb18030")
    handle = page.locator("#sketch-map .leaflet-marker-icon").nth(8)  # the first corner of the hole
    handle.dblclick()
    expect(page.locator("#sketch-say")).to_contain_text("7 点")
    page.get_by_role("button", name="删除草图").click()
    expect(page.get_by_text("已删除草图“样例草图”")).to_be_visible()
    checked(page)


def test_the_pages_fit_a_phone(enter):
    page = enter(OFFICIAL, viewport=PHONE)
    for path in ("/map/query", "/map/query?layer=land_use&class=01&bounds=121.09,31.11,121.11,31.13&buffer=20", "/map/sketches", "/map/sketch?at=121.1,31.12,16"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        checked(page)
