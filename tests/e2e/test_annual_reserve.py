"""A district's plan for the year: the sheet of plots, a plot that another case has, four reviews, the books and the map."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfWriter

from tests.e2e.land_steps import CASE, act, begin, cell, filled_in, free_plots, save

LINGANG, NAME = "310100LG", "临港新片区"
REVIEWS = (("district_leader", "同意，报市局"), ("city_handler", "审核通过"), ("city_leader", "审核通过"), ("bureau_leader", "同意入库"))


@pytest.fixture
def declaration(tmp_path: Path) -> Path:
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    path = tmp_path / "预存申报表（样例）.pdf"
    writer.write(path)
    return path


def fill(page: Page, kind: str, name: str) -> None:
    page.get_by_role("radio", name=kind).check()
    page.get_by_label("项目名称").fill(name)
    page.get_by_role("radio", name="区级指标").check()
    page.get_by_label("申请原因").fill("市级重大项目两项，计划占用耕地保护空间（样例）")
    save(page)


def attach(page: Page, address: str, file: Path) -> None:
    page.goto(f"{address}/tabs/materials")
    slot = page.get_by_role("region", name=re.compile("预存申报表"))
    slot.get_by_label("上传预存申报表").set_input_files(file)
    slot.get_by_role("button", name="上传", exact=True).click()
    expect(page.get_by_text(file.name).first).to_be_visible()


def template(page: Page, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("link", name="下载模板（xlsx）").click()
    path = folder / "模板.xlsx"
    download.value.save_as(path)
    return path


def send(page: Page, address: str, file: Path) -> None:
    page.goto(address)
    page.get_by_label("地块上传表").set_input_files(file)
    page.get_by_role("button", name="上传地块").click()
    page.wait_for_load_state()


@pytest.mark.function("LAND-057", "two_kinds_started")
@pytest.mark.function("LAND-058", "basics_saved", "plots_checked", "materials_uploaded", "seen_in_review")
@pytest.mark.function("LAND-059", "upload_button", "template_downloaded", "filled_template_uploaded")
@pytest.mark.function("LAND-060", "plots_matched", "occupied_refused", "nothing_stored", "number_named")
@pytest.mark.function("LAND-062", "cleared", "marks_released", "detail_empty", "uploaded_again")
@pytest.mark.function("LAND-063", "review_order", "not_before_passed", "review_recorded")
@pytest.mark.function("LAND-064", "base_updated", "seen_on_map")
def test_a_plan_from_the_sheet_to_the_books(portal, enter, declaration, tmp_path):
    mine, taken = free_plots(portal, LINGANG, 3)[:2], free_plots(portal, LINGANG, 3)[2]
    handler = enter("district_handler", LINGANG)
    other = occupying(handler, taken, tmp_path)
    address = begin(handler, "年度预存计划")
    fill(handler, "年度预存", "临港新片区年度预存（样例）")
    attach(handler, address, declaration)
    refused(handler, address, filled_in(tmp_path / "模板.xlsx", tmp_path, NAME, [*mine, taken]), taken)
    cleared(handler, other)
    send(handler, address, filled_in(tmp_path / "模板.xlsx", tmp_path, NAME, [*mine, taken]))
    expect(handler.get_by_role("heading", level=1)).to_contain_text("3 块")
    act(handler, address, "提交区分管领导审核")
    reviewed(enter, address, mine[0])
    stored(enter("district_leader", LINGANG), address, mine[0])


def occupying(page: Page, number: str, folder: Path) -> str:
    """A supplement that reserves a plot first; its address."""
    address = begin(page, "年度预存计划")
    fill(page, "补充地块预存", "临港新片区补充地块预存（样例）")
    page.goto(address)
    send(page, address, filled_in(template(page, folder), folder, NAME, [number]))
    expect(page.get_by_role("heading", level=1)).to_contain_text("1 块")
    return address


def refused(page: Page, address: str, sheet: Path, number: str) -> None:
    """The row is named with its number and its holder; no plot of the sheet is kept."""
    send(page, address, sheet)
    row = page.get_by_role("region", name=re.compile("不能上传的行")).get_by_role("row").filter(has_text=number)
    expect(row.first).to_contain_text("4")
    expect(row.first).to_contain_text(re.compile(r"已被办件 YC-\d{4}-\w+ 预占（自 "))
    page.goto(address)
    expect(page.locator("#plots")).to_contain_text("还没有地块")


def cleared(page: Page, address: str) -> None:
    page.goto(f"{address}/plots")
    page.get_by_role("link", name="地块清空").click()
    page.get_by_role("button", name="地块清空").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("还没有地块")


def reviewed(enter, address: str, number: str) -> None:
    """Four reviews, each seen by the next reviewer alone when the one before has passed it."""
    pages = [enter(role, LINGANG if role == "district_leader" else None) for role, _action in REVIEWS]
    title, case = "临港新片区年度预存（样例）", CASE.match(address)[0]
    for place, (_role, action) in enumerate(REVIEWS):
        for later in pages[place + 1 :][:1]:
            later.goto("/desk?box=todo")
            expect(later.get_by_role("link", name=title)).to_have_count(0)
        page = pages[place]
        page.goto("/desk?box=todo")
        expect(page.get_by_role("link", name=title).first).to_be_visible()
        page.goto(case)
        expect(page.locator("#plots")).to_contain_text(number)
        act(page, case, action)


def stored(page: Page, address: str, number: str) -> None:
    """Books, details, opinions and map after the last review, as the district sees them."""
    page.goto("/ledgers")
    assert float(cell(page, NAME, "年度预存计划库 剩余耕地面积").split()[0]) > 0
    assert cell(page, NAME, "办理").strip() == "可办"
    expect(page.locator("figure.chart svg:visible")).to_have_count(1)
    page.goto("/ledgers/details/planned")
    page.get_by_role("link", name="临港新片区年度预存（样例）").click()
    expect(page.get_by_text("已结束").first).to_be_visible()
    page.goto(f"{address}/tabs/opinions")
    for name in ("朱晓岚", "陆松筠", "钱慕云", "黄致远"):
        expect(page.get_by_text(re.compile(name)).first).to_be_visible()
    page.goto(f"/map?plot={number}")
    expect(page.locator("#map-facts")).to_contain_text("已预存")
