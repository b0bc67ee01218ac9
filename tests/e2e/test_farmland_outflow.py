"""Farmland that flows out: denied on permanent farmland, frozen and deducted, a district stopped and let go on again."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from domain.area import area_m2
from tests.e2e.land_steps import act, begin, cell, patches, range_file, save, start, take, upload_range

PUDONG, NAME = "310115", "浦东新区"
CONVERSION, USAGE = "农用地转用", "非建设项目国土空间用途管制"
REMAINING, STORED = "年度预存计划库 剩余耕地面积", "年度预存计划库 现状耕地总面积"


def fill_project(page: Page, name: str, **more: str) -> None:
    page.get_by_label("项目名称").fill(name)
    page.get_by_label("行政区").select_option(PUDONG)
    for label, value in more.items():
        page.get_by_label(label).fill(value)
    save(page)


def declare(page: Page, address: str, use: str) -> None:
    """The declaration: where the area comes from, and that it flows out."""
    take(page, address)
    for label, value in (("耕地来源库", "年度预存计划库"), ("使用类型", use), ("资源类型", "水田"), ("资源使用范围", "本区范围")):
        page.get_by_role("group", name=label).get_by_role("radio", name=value, exact=True).check()
    page.get_by_role("group", name="确认本项目流出耕地").get_by_role("radio", name="是", exact=True).check()
    save(page)
    act(page, address, "确认流出，报区审核")


def books(page: Page) -> dict[str, Decimal]:
    """Remaining, stored and frozen hectares of the district."""
    page.goto("/ledgers")
    remaining = cell(page, NAME, REMAINING)
    frozen = re.search(r"其中冻结 ([\d.,]+)", remaining)
    return {
        "remaining": Decimal(remaining.split()[0].replace(",", "")), "stored": Decimal(cell(page, NAME, STORED).replace(",", "")),
        "frozen": Decimal(frozen[1].replace(",", "")) if frozen else Decimal(0),
    }  # fmt: skip


@pytest.mark.function("LAND-065", "usage_control_by_uploaded_range", "overlap_shown", "any_overlap_denied", "zero_admitted")
@pytest.mark.function("LAND-066", "usage_control_by_layers", "plot_land_use_listed", "detail_opened")
@pytest.mark.function("LAND-067", "confirmed_by_user", "confirmed_deducts")
@pytest.mark.function("LAND-068", "usage_control_two_levels", "not_to_city")
def test_a_river_project_is_denied_on_permanent_farmland_and_deducted_beside_it(portal, enter, tmp_path):
    handler = enter("district_handler", PUDONG)
    address = begin(handler, USAGE)
    handler.get_by_role("radio", name="中小河道项目").check()
    fill_project(handler, "样例河道整治（样例）", 实施单位="样例单位")
    upload_range(handler, "上传范围", range_file(tmp_path, patches(portal, PUDONG, "永久基本农田")[0]))
    act(handler, address, "提交，进入流出申报")
    expect(handler.get_by_text(re.compile(r"占用永久基本农田 [\d,.]+ 平方米，不准入")).first).to_be_visible()
    replace_range(handler, address, range_file(tmp_path, protected := patches(portal, PUDONG, "耕地保护空间")[0]))
    act(handler, address, "提交，进入流出申报")
    before, area = books(handler), (area_m2(protected) / 10_000).quantize(Decimal("0.0001"))
    declare(handler, address, "非建设占用")
    frozen = books(handler)
    assert frozen["remaining"] == before["remaining"] and frozen["frozen"] == before["frozen"] + area
    act(enter("district_chief", PUDONG), address, "同意，报区分管领导")
    leader = enter("district_leader", PUDONG)
    act(leader, address, "审核通过，办结")
    after = books(leader)
    assert (after["remaining"], after["frozen"]) == (before["remaining"] - area, before["frozen"])
    leader.goto("/ledgers/details/nonbuild_outflow")
    expect(leader.get_by_role("row").filter(has_text="样例河道整治（样例）")).to_contain_text(str(area))


def replace_range(page: Page, address: str, file) -> None:
    page.goto(address)
    page.get_by_role("link", name="替换").first.click()
    page.get_by_label("范围文件").set_input_files(file)
    page.get_by_role("button", name="读取并核对").click()
    page.get_by_role("button", name="确认，存入办件").click()
    page.wait_for_load_state()


@pytest.mark.function("LAND-066", "survey_report_first")
@pytest.mark.function("LAND-068", "conversion_to_city")
@pytest.mark.function("LAND-069", "stop", "new_cases_refused", "reason_said", "others_untouched", "resume")
@pytest.mark.function("LAND-096", "row_red", "cases_suspended", "acts_refused", "not_below_normal")
def test_a_conversion_stops_the_district_and_a_supplement_lets_it_go_on(portal, enter, tmp_path):
    handler = enter("district_handler", PUDONG)
    now = books(handler)
    use_m2 = (now["remaining"] - now["stored"] / 10 + Decimal("0.5")) * 10_000
    address = begin(handler, CONVERSION)
    handler.get_by_role("radio", name="单独选址").check()
    fill_project(handler, "样例道路（样例）", 用地单位="样例单位")
    shape = patches(portal, PUDONG, "耕地保护空间")[1]
    upload_range(handler, "上传测绘报告范围", range_file(tmp_path, shape), 报告所列耕地保护空间面积=f"{use_m2:.2f}")
    act(handler, address, "提交，进入流出申报")
    declare(handler, address, "建设占用")
    act(enter("district_chief", PUDONG), address, "同意，报区分管领导")
    act(enter("district_leader", PUDONG), address, "同意，报市规划资源局")
    act(city := enter("city_handler"), address, "审核通过，办结")
    is_stopped(handler, city)
    start(enter("district_handler", "310118"), USAGE)
    supplement(enter("bureau_leader"))
    goes_on(handler)


def is_stopped(handler: Page, city: Page) -> None:
    """The row is red, and neither case type can be begun."""
    city.goto("/ledgers")
    expect(city.locator("tr.stopped").filter(has_text=NAME)).to_contain_text("停办")
    for title in (CONVERSION, USAGE):
        start(handler, title)
        expect(handler.get_by_role("heading", level=1)).to_contain_text("没有发起")
        expect(handler.get_by_text(re.compile(r"剩余 [\d,.]+ 平方米 低于警戒线 [\d,.]+ 平方米，本区停止办理")).first).to_be_visible()


def supplement(bureau: Page) -> None:
    """The bureau's leader stores the supplement that waits on the desk."""
    bureau.goto("/desk?box=todo")
    bureau.get_by_role("link", name=re.compile("浦东新区补充地块预存第三批")).first.click()
    bureau.wait_for_load_state()
    act(bureau, bureau.url, "同意入库")


def goes_on(handler: Page) -> None:
    handler.goto("/ledgers")
    assert cell(handler, NAME, "办理").strip() == "可办"
    begin(handler, USAGE)
    handler.goto("/ledgers/changes")
    rows = handler.get_by_role("row").filter(has_text=NAME)
    expect(rows.nth(0)).to_contain_text("恢复")
    expect(rows.nth(1)).to_contain_text("停办")
