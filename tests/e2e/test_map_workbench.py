"""The map as a workbench: a reviewer compares editions with the swipe and in windows, moves through time, and keeps layers at hand."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.running import RunningPortal
from tests.e2e.test_accessibility import PHONE, Watched, sign_in, watch

REVIEWER = "reviewer.310118"
PLACE = "/map?at=121.10,31.12,15"
LAYER = "annual_farmland"
TITLE = "年度耕地资源层"


@pytest.fixture(scope="module", params=["desk", "phone"])
def reviewer(request, browser: Browser, browser_context_args, portal: RunningPortal, accounts) -> Iterator[Watched]:
    size = PHONE if request.param == "phone" else {"width": 1280, "height": 900}
    context = browser.new_context(**{**browser_context_args, "base_url": portal.url, "viewport": size})
    sign_in(context.new_page(), next(each for each in accounts if each["login"] == REVIEWER))
    yield watch(context)
    context.close()


@pytest.fixture
def page(reviewer) -> Iterator[Page]:
    reviewer.said.clear()
    yield reviewer.page
    assert reviewer.said == []


def opened(page: Page, address: str = PLACE) -> Page:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.wait_for_selector("#map canvas")
    return page


def is_fit(reviewer: Watched) -> None:
    assert reviewer.violations() == []
    assert reviewer.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def numbers(page: Page) -> list[str]:
    """The editions of the layer that can be compared, the newest first."""
    values = page.locator("#swipe-left option").evaluate_all("options => options.map((option) => option.value)")
    return [value.split("@")[1] for value in values if value.startswith(f"{LAYER}@")]


def clip(page: Page, number: str) -> str:
    return page.locator(f".leaflet-{LAYER}-{number}-pane").evaluate("pane => pane.style.clipPath")


@pytest.mark.function("ONEMAP-013", "c1")
def test_two_editions_are_swiped_by_keyboard_and_the_address_brings_it_back(page, reviewer):
    opened(page).get_by_text("卷帘和多窗口对比").press("Enter")
    newest, oldest = numbers(page)[0], numbers(page)[-1]
    page.get_by_label("左边图层").select_option(f"{LAYER}@{oldest}")
    with page.expect_request(re.compile(f"/map/tiles/{LAYER}/{newest}/15/")):
        page.get_by_label("右边图层").select_option(f"{LAYER}@{newest}")
    before = clip(page, oldest), clip(page, newest)
    page.get_by_label("分界").press("ArrowLeft")
    after = clip(page, oldest), clip(page, newest)
    assert all(before) and all(after) and before != after
    bar, ground = page.locator(".map-bar").bounding_box(), page.locator("#map").bounding_box()
    assert abs((bar["x"] - ground["x"]) / ground["width"] - 0.49) < 0.02, "the divider is seen on the map"
    expect(page.get_by_text(re.compile(f"左边 .* 起，第 {oldest} 版；右边 .* 起，第 {newest} 版。分界在图宽的 49%"))).to_be_visible()
    expect(page.locator(f".leaflet-{LAYER}-pane")).to_be_hidden()
    is_fit(reviewer)
    opened(page, page.url)
    expect(page.get_by_label("分界")).to_have_value("49")
    assert all((clip(page, oldest), clip(page, newest)))
    page.get_by_label("左边图层").select_option("")
    expect(page.locator(f".leaflet-{LAYER}-{oldest}-pane canvas")).to_have_count(0)
    assert "swipe" not in page.url and page.locator(".map-bar").is_hidden()


@pytest.mark.function("ONEMAP-013", "c1")
def test_a_place_beside_the_swipe_or_in_a_window_is_told_in_the_edition_that_lies_there(page, reviewer):
    opened(page, f"{PLACE}&swipe=land_use@1,land_use@2,60")
    newest, facts, size = numbers(page)[0], page.locator("#map-facts"), page.locator("#map").bounding_box()
    page.locator("#map").click(position={"x": size["width"] * 0.55, "y": 150})
    expect(facts).to_contain_text("读的是分界左边的土地利用现状")
    land = facts.locator('[data-found][aria-label^="土地利用现状"]')
    expect(land).to_contain_text("第 1 版")
    page.locator("#map").click(position={"x": size["width"] * 0.65, "y": 150})
    expect(facts).to_contain_text("读的是分界右边的土地利用现状")
    expect(land).to_contain_text("第 2 版")
    opened(page, page.url)
    expect(facts).to_contain_text("读的是分界右边的土地利用现状")
    page.locator("#map").press("Enter")
    expect(facts).to_contain_text("读的是分界左边的土地利用现状")
    opened(page, f"{PLACE}&windows={LAYER}@{newest}")
    page.get_by_role("region", name=re.compile("窗口 2")).press("Enter")
    expect(facts).to_contain_text(re.compile(f"读的是{TITLE}，.*第 {newest} 版"))
    is_fit(reviewer)


@pytest.mark.function("ONEMAP-011", "c2")
def test_what_is_compared_fades_with_its_layer_and_paper_and_saved_views_say_the_same(page):
    opened(page, f"{PLACE}&swipe=land_use@1,land_use@2,50&windows=land_use@1")
    faded = "layers => layers.map((layer) => layer.style.opacity)"
    page.locator("#opacity-land_use").evaluate("input => { input.value = 30; input.dispatchEvent(new Event('input', { bubbles: true })); }")
    shown = page.locator(".leaflet-land_use-1-pane .leaflet-layer, .leaflet-land_use-2-pane .leaflet-layer, .map:not(#map) .leaflet-land_use-pane .leaflet-layer")
    assert shown.evaluate_all(faded) == ["0.3"] * 3
    page.locator("#swipe-left").evaluate("list => { list.value = 'land_use'; list.dispatchEvent(new Event('input', { bubbles: true })); }")
    assert page.locator("#map .leaflet-land_use-pane .leaflet-layer").evaluate_all(faded) == ["0.3"], "a layer that comes to the map later too"
    hrefs = page.locator("a[data-carry]").evaluate_all("links => links.map((link) => { link.addEventListener('click', (event) => event.preventDefault()); link.click(); return link.href; })")
    assert len(hrefs) > 1 and all("opacity=land_use%3A30" in href for href in hrefs)


@pytest.mark.function("ONEMAP-013", "c1", "c2")
def test_two_years_of_land_use_are_compared_in_tables_and_then_with_the_swipe(page, reviewer):
    page.goto("/layers/compare")
    page.get_by_label("前一期（甲）").select_option("land_use@1")
    page.get_by_label("后一期（乙）").select_option("land_use@2")
    page.get_by_label("行政区").select_option("310118")
    page.get_by_role("button", name="对比", exact=True).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"差异 [\d,]+ 处"))
    assert page.get_by_role("table", name="差异图斑").locator("tbody tr").count() > 0
    is_fit(reviewer)
    page.get_by_role("link", name="在一张图上卷帘对比").press("Enter")
    page.wait_for_url(re.compile(r"/map\?"))
    page.wait_for_selector(".leaflet-land_use-1-pane canvas")
    for number in ("1", "2"):
        assert page.locator(f".leaflet-land_use-{number}-pane").evaluate("pane => pane.style.clipPath")


def test_the_slider_moves_the_whole_map_through_time(page):
    opened(page, f"{PLACE}&layers={LAYER}.available,{LAYER}.stored,{LAYER}.used,{LAYER}.reserved")
    slider, layer = page.get_by_label("时间轴"), page.locator(f"#layer-{LAYER} [data-edition]")
    present, first = layer.text_content(), page.locator(f"#day-{LAYER} option").last.get_attribute("value")
    days = page.locator("#map-on option").evaluate_all("options => options.map((option) => option.value).filter(Boolean).reverse()")
    with page.expect_request(re.compile(f"/map/tiles/{LAYER}/1/15/")):
        for key in ("Home", *["ArrowRight"] * days.index(first)):
            slider.press(key)
    page.wait_for_url(re.compile(f"on={first}"))
    expect(layer).to_have_text(re.compile("第 1 版"))
    assert slider.get_attribute("aria-valuetext") == page.get_by_label("看哪一天", exact=True).input_value() == first
    slider.press("End")
    expect(layer).to_have_text(present)
    page.wait_for_url(lambda url: "on=" not in url)
    page.get_by_role("button", name="播放").press("Enter")
    page.wait_for_url(re.compile(f"on={days[0]}"))
    page.wait_for_url(re.compile(f"on={days[1]}"))
    page.get_by_role("button", name="暂停").press("Enter")
    expect(page.get_by_role("button", name="播放")).to_have_attribute("aria-pressed", "false")


def test_one_layer_shows_another_day(page):
    opened(page)
    days = page.locator(f"#day-{LAYER}")
    page.locator(f"#layer-{LAYER} summary").evaluate("summary => { for (let at = summary; at; at = at.parentElement) if (at.localName === 'details') at.open = true; }")
    first = days.locator("option").last.get_attribute("value")
    days.select_option(first)
    expect(page.locator(f"#layer-{LAYER} [data-edition]")).to_have_text(re.compile("第 1 版"))
    assert f"days={LAYER}%3A{first}" in page.url


def test_a_favourite_is_kept_with_what_is_seen(page, reviewer):
    opened(page, f"{PLACE}&layers={LAYER}.available&opacity={LAYER}:40")
    page.get_by_role("button", name=f"收藏{TITLE}", exact=True).press("Enter")
    page.wait_for_load_state("networkidle")
    branch = page.locator("[data-branch]").first
    expect(branch.locator("summary").first).to_have_text("收藏")
    expect(branch.locator(f"#layer-{LAYER} [data-opacity]")).to_have_value("40")
    assert "layers=annual_farmland.available" in page.url
    is_fit(reviewer)
    page.get_by_role("button", name=f"取消收藏{TITLE}").press("Enter")
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-branch] summary").first).not_to_have_text("收藏")


def test_windows_move_together_and_tell_what_they_show(page, reviewer):
    opened(page).get_by_text("卷帘和多窗口对比").press("Enter")
    page.get_by_label("窗口", exact=True).select_option("2")
    second = page.get_by_role("region", name=re.compile("窗口 2"))
    expect(second.locator("canvas").first).to_be_attached()
    page.get_by_label("窗口 2", exact=True).select_option(f"{LAYER}@{numbers(page)[-1]}")
    expect(second).to_contain_text(re.compile(rf"窗口 2：{TITLE} .*第 {numbers(page)[-1]} 版"))
    before = page.url
    second.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: url != before)
    assert re.search(r"at=121\.1(?!0000)", page.url) and "windows=annual_farmland%40" in page.url
    is_fit(reviewer)
    opened(page, page.url)
    expect(page.get_by_role("region", name=re.compile("窗口 2"))).to_be_visible()
    page.get_by_label("窗口", exact=True).select_option("1")
    expect(page.get_by_role("region", name=re.compile("窗口 2"))).to_have_count(0)


def test_layers_are_found_stacked_and_faded(page):
    opened(page)
    page.get_by_label("找图层").fill("已预存")
    expect(page.locator("#layer-land_use")).to_be_hidden()
    expect(page.locator(f"#layer-{LAYER}")).to_be_visible()
    page.get_by_label("找图层").fill("")
    page.get_by_label("不透明度").and_(page.locator("#opacity-land_use")).press("Home")
    assert "opacity=land_use%3A10" in page.url
    page.get_by_text("叠放次序").press("Enter")
    depth = "() => Number(document.querySelector('.leaflet-land_use-pane').style.zIndex)"
    before = page.evaluate(depth)
    page.get_by_role("button", name="上移土地利用现状").press("Enter")
    assert page.evaluate(depth) == before + 1 and "order=" in page.url
