"""A planner's day with maps: makes two thematic maps, saves, prints; a colleague gets a layer by a share, and loses it again."""

import io
import re

import httpx
import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.e2e.test_accessibility import PHONE, Watched

PLANNER, MANAGER = "district_handler", "city_handler"


def drawn(page: Page) -> None:
    """The picture has arrived and is no broken image."""
    page.wait_for_function("() => { const found = document.querySelector('picture img'); return found && found.complete && found.naturalWidth > 0 }")


def checked(page: Page) -> None:
    """Nothing for axe to say, and nothing to scroll sideways."""
    watched = Watched(page.context, page, [])
    assert watched.violations() == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def fill_in(page: Page, **texts: str) -> None:
    page.get_by_text("图名、日期和纸张").click()
    for label, text in texts.items():
        page.get_by_label(label).first.fill(text)


@pytest.mark.function("ONEMAP-012", "c1", "c2")
def test_a_planner_makes_saves_and_prints_thematic_maps(enter):
    page = enter(PLANNER, "310118")
    page.goto("/thematic-maps")
    page.get_by_role("link", name="新建专题图").click()
    page.get_by_role("link", name="分级", exact=True).click()
    page.get_by_label("只看这些类别").fill("01")
    page.get_by_label("分级办法").select_option("自然断点（Jenks）")
    fill_in(page, 图名="样例各区耕地分级图")
    page.get_by_role("button", name="更新预览").click()
    drawn(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("样例各区耕地分级图")
    expect(page.get_by_role("row").filter(has_text="崇明区")).to_contain_text("第 5 级")
    checked(page)
    page.get_by_label("模板名称").fill("样例耕地分级")
    page.get_by_role("button", name="保存为模板").click()
    page.wait_for_url(re.compile(r"/thematic-maps/\d+$"))
    drawn(page)
    checked(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="导出 PDF").click()
    pdf = PdfReader(waiting.value.path())
    first = pdf.pages[0].extract_text()
    scale = page.locator("dl.facts").first.inner_text()
    assert "样例各区耕地分级图" in first and "图例" in first and "北" in first
    assert re.search(r"1:[\d,]+", scale).group().replace(",", " ") in first
    assert "崇明区" in pdf.pages[1].extract_text()


@pytest.mark.function("ONEMAP-012", "c1")
def test_a_flow_map_is_made_of_the_fields_of_a_layer(enter):
    page = enter(MANAGER)
    page.goto("/thematic-maps")
    page.get_by_role("link", name="新建专题图").click()
    page.get_by_role("link", name="流向", exact=True).click()
    page.get_by_label("图层", exact=True).select_option("新增耕地资源层")
    page.get_by_role("button", name="更新预览").click()
    page.get_by_label("起点", exact=True).select_option("要素所在的区、管理区")
    page.get_by_label("终点", exact=True).select_option("指标使用区代码")
    page.get_by_label("流量").select_option("个数（个）")
    page.get_by_role("button", name="更新预览").click()
    drawn(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("上海市新增耕地资源层流向图")
    expect(page.get_by_role("row").filter(has_text="浦东新区").filter(has_text="奉贤区")).to_contain_text("4")
    checked(page)
    page.get_by_label("终点", exact=True).select_option("项目编号")
    page.get_by_role("button", name="更新预览").click()
    expect(page.get_by_role("alert")).to_contain_text("“项目编号”的 样例项目-310116-01")
    checked(page)


def test_land_use_of_one_town_is_shown_class_by_class(enter):
    page = enter(PLANNER, "310118")
    page.goto("/thematic-maps/make?layer=land_use&kind=single")
    page.get_by_label("范围", exact=True).select_option("青浦区 › 赵巷镇")
    page.get_by_role("button", name="更新预览").click()
    drawn(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("青浦区赵巷镇土地利用现状图")
    expect(page.locator("table").first).to_contain_text("0101 水田")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="导出 PNG").click()
    assert waiting.value.suggested_filename.endswith(".png")


def test_the_pages_fit_a_phone(enter):
    page = enter(PLANNER, "310118", viewport=PHONE)
    for path in ("/thematic-maps", "/thematic-maps/make?layer=land_use&kind=ranges&unit=town&area=district:310118&classes=01", "/map/print?at=121.1,31.1,14",
                 "/map/views?at=121.1,31.1,13", "/shares", "/shares/apply"):
        page.goto(path)
        checked(page)


def test_a_view_of_the_map_is_saved_shared_and_opened_by_another(enter):
    page = enter(PLANNER, "310118")
    page.goto("/map/views?at=121.1,31.12,14&layers=land_use.paddy")
    page.get_by_label("给当前地图起个名称").fill("样例水田")
    page.get_by_role("button", name="保存视图").click()
    page.get_by_role("link", name="改名、共享、删除").first.click()
    checked(page)
    page.get_by_label("或者区、单位、岗位").select_option("岗位：市经办人")
    page.get_by_role("button", name="加上共享").click()
    expect(page.get_by_role("listitem").filter(has_text="岗位：市经办人")).to_be_visible()
    other = enter(MANAGER)
    other.goto("/map/views")
    other.get_by_role("link", name="样例水田").click()
    other.wait_for_url(re.compile(r"/map\?.*land_use\.paddy"))


@pytest.mark.function("ONEMAP-015", "c1", "c2", "c3", "c4", "c5")
def test_a_layer_is_shared_read_and_withdrawn(enter, portal):
    page, manager = enter(PLANNER, "310118"), enter(MANAGER)
    page.goto("/shares/apply?layer=land_use")
    checked(page)
    page.get_by_label("用途").select_option("规划编制")
    page.get_by_role("button", name="提交申请").click()
    page.wait_for_url(re.compile(r"/shares/\d+$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("待审批")
    expect(page.get_by_role("button", name="领取服务地址")).to_have_count(0)
    checked(page)
    assert httpx.get(f"{portal.url}/share-service/none/features").status_code == 404
    manager.goto(page.url)
    manager.get_by_role("button", name="批准共享").click()
    manager.wait_for_load_state()
    expect(manager.get_by_role("heading", level=1)).to_contain_text("已批准")
    checked(manager)
    page.reload()
    page.get_by_role("button", name="领取服务地址").click()
    path = re.search(r"/share-service/[\w-]+", page.locator("code").inner_text()).group()
    features = httpx.get(f"{portal.url}{path}/features?size=3").json()
    assert len(features["features"]) == 3 and features["isGenerated"]
    manager.reload()
    manager.get_by_label("撤回的理由").fill("数据更正（样例）")
    manager.get_by_role("button", name="撤回共享").click()
    manager.wait_for_load_state()
    refused = httpx.get(f"{portal.url}{path}/features")
    assert refused.status_code == 410 and "已经撤回" in refused.json()["error"]
    manager.reload()
    expect(manager.locator("table")).to_contain_text("被拒绝的请求")


def test_the_map_in_view_is_printed(enter):
    page = enter(PLANNER, "310118")
    page.goto("/map/print?at=121.10,31.12,15&layers=land_use.paddy,land_use.built,annual_farmland.available")
    drawn(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="导出 PDF").click()
    text = PdfReader(io.BytesIO(waiting.value.path().read_bytes())).pages[0].extract_text()
    assert "图例" in text and "水田" in text and "1:" in text
