"""The layers in a real browser: from the catalogue to one plot, back in time, to the map, and out as a file; and what stays shut."""

import re

import pyogrio
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_accessibility import sign_in, watch

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def official(browser, browser_context_args, portal, accounts):
    """Opens the page of an official of a login, in a window of a size; what goes wrong in it fails the test."""
    opened = []

    def enter(login: str, size: dict[str, int]) -> Page:
        context = browser.new_context(**{**browser_context_args, "base_url": portal.url, "viewport": size})
        sign_in(context.new_page(), next(each for each in accounts if each["login"] == login))
        opened.append((context, watch(context)))
        return opened[-1][1].page

    yield enter
    said = [each for _context, watched in opened for each in watched.said]
    for context, _watched in opened:
        context.close()
    assert said == []


@pytest.mark.function("LAND-054", "c4")
@pytest.mark.function("GEO-030", "c4")
def test_a_district_officer_finds_a_plot_sees_it_as_it_was_and_takes_the_list_along(official, tmp_path):
    page = official("district_handler.310118", {"width": 1280, "height": 900})
    page.goto("/layers")
    page.get_by_role("link", name="年度耕地资源层").click()
    page.get_by_role("link", name="要素", exact=True).click()
    expect(page.get_by_text("按岗位授权，只列青浦区的要素。")).to_be_visible()
    page.get_by_label("现势或历史").select_option(label="已转入历史")
    page.get_by_role("button", name="筛选").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("个历史要素")
    page.get_by_role("region", name="要素", exact=True).locator("tbody").get_by_role("link").first.click()
    expect(page.get_by_text("转入历史前的状态").or_(page.get_by_text("下面是当时的状态"))).to_be_visible()
    history = page.get_by_role("region", name="历史")
    history.get_by_role("link").first.click()
    expect(page.get_by_text(re.compile("^现势：自第"))).to_be_visible()
    key = page.get_by_role("heading", level=1).inner_text().split("：")[0]
    page.get_by_role("link", name="在一张图上看").last.click()
    expect(page.locator("#map-facts")).to_contain_text(key)
    page.goto(f"/layers/annual_farmland/features?words={key}")
    page.get_by_role("button", name="导出 GeoPackage").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("下载")).click(timeout=30_000)
    file = tmp_path / "exported.gpkg"
    download.value.save_as(file)
    assert pyogrio.read_info(file, layer="NDGDZY")["features"] == 1


@pytest.mark.function("ONEMAP-011", "c1", "c4")
def test_on_a_phone_a_locked_layer_says_why_and_nothing_leads_into_it(official):
    page = official("window.310118", PHONE)
    page.goto("/layers")
    expect(page.get_by_text("图层“线索图斑”没有开放给你的岗位（收件），没有打开。")).to_be_visible()
    assert page.get_by_role("link", name="线索图斑").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
