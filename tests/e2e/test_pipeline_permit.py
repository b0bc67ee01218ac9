"""The life of a pipeline permit: filed on a phone, corrected, decided quickly, reported to the ministry, verified by anyone.

The second journey is the one that goes wrong on the way: the ministry refuses the report, an erratum mends the data.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader, PdfWriter

from tests.e2e.running import ROOT

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
RANGES = ROOT / "tests" / "data" / "ranges"
RANGE, ELSEWHERE = RANGES / "shanghai_pipeline_utf8.txt", RANGES / "zone40_two_parcels_gbk.txt"
PROJECT, ROAD = "GX-2026-0001", "样例路"
DISTRICT = "310118"
NUMBER = re.compile("仿真-?[^\\s]*")
RELOADS = 40


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """A PDF file with one empty page."""
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    path = tmp_path / "样例图纸.pdf"
    writer.write(path)
    return path


@pytest.fixture
def ministry(portal):
    """The ministry's simulator, which answers as told; put back to normal afterwards."""
    yield portal.control
    portal.control("faults", partner="usage_control", kind="ok")
    portal.control("settings", answer_delay_seconds=2)


def next_part(page: Page) -> None:
    page.get_by_role("button", name="保存并继续").last.click()


def begin(page: Page) -> None:
    """Open a new draft from the guide, whether or not the enterprise has drafts already."""
    page.goto("/")
    page.get_by_role("link", name="建设工程规划许可证（管线工程）新办").first.click()
    page.get_by_role("heading", name="建设工程规划许可证（管线工程）新办").wait_for()
    if page.get_by_text("要为另一个项目申请").is_visible():
        page.get_by_text("要为另一个项目申请").click()
        page.get_by_role("button", name="另开一份草稿").click()
    else:
        page.get_by_role("button", name="开始申请").click()
    page.wait_for_url("**/filing/*")


def fill_project(page: Page) -> None:
    """The parts before the commitment: nothing is typed but the project's code and district."""
    page.get_by_role("link", name="申报主体").first.click()
    next_part(page)
    page.get_by_label("项目编号").fill(PROJECT)
    page.get_by_label("项目所在区").select_option(DISTRICT)
    next_part(page)


def fill_rest(page: Page, drawing: Path) -> None:
    """The prefilled parts, the commitment and the materials with the range."""
    page.get_by_role("link", name="规划信息").first.click()
    next_part(page)
    expect(page.get_by_label("跟测单位名称")).to_have_value("样例测绘有限公司")
    next_part(page)
    page.get_by_role("radio", name="是", exact=True).check()
    next_part(page)
    for label in ("管线工程图纸", "告知承诺书"):
        upload(page, label, drawing)
    page.get_by_role("link", name="回到填报目录").click()
    upload_range(page)


def upload_range(page: Page) -> None:
    """The hand-typed boundary points: first what the system understood, then confirmed."""
    read_range(page, RANGE)
    expect(page.get_by_text("青浦区").first).to_be_visible()
    page.get_by_role("button", name="确认，存入办件").click()


def read_range(page: Page, file: Path) -> None:
    page.get_by_role("link", name="上传范围").click()
    page.get_by_label("范围文件").set_input_files(file)
    page.get_by_role("button", name="读取并核对").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("核对系统读到的范围")


def upload(page: Page, label: str, file: Path) -> None:
    slot = page.get_by_role("region", name=label)
    slot.get_by_label(f"选择{label}").set_input_files(file)
    slot.get_by_role("button", name=re.compile("^上传")).click()
    expect(slot.get_by_text("已上传 1 个")).to_be_visible()


def submit(page: Page) -> str:
    """Check and submit; the code by which the case is found."""
    page.get_by_role("link", name="核对并提交").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("内容齐了")
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("申请已收到")
    return page.locator(".figure-n").inner_text().strip()


def file_permit(page: Page, drawing: Path) -> str:
    begin(page)
    fill_project(page)
    page.get_by_role("link", name="回到填报目录").click()
    fill_rest(page, drawing)
    return submit(page)


def find(page: Page, code: str) -> str:
    """Look a case up by its code; its address."""
    page.goto(f"/cases?q={code}")
    page.get_by_role("table").get_by_role("link", name=re.compile("样例路")).first.click()
    page.wait_for_url(re.compile(r"/cases/\d+"))
    return re.match(r".*/cases/\d+", page.url)[0]


def claim(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="认领").first.click()
    expect(page.get_by_role("button", name="保存", exact=True).last).to_be_visible()


def act(page: Page, action: str, opinion: str = "") -> None:
    """Take an action of the step in hand, through the question before it if there is one."""
    if opinion:
        page.get_by_label("意见").first.fill(opinion)
    page.get_by_role("button", name=action, exact=True).click()
    page.wait_for_load_state()
    confirm = page.get_by_role("button", name=action)
    if re.search(r"/act/\w+$", page.url):
        confirm.click()
        page.wait_for_load_state()


def mark_quick(page: Page) -> None:
    page.get_by_role("group", name="是否快速办理").get_by_role("radio", name="是", exact=True).check()


def decide(enter, address: str) -> None:
    """Pre-review, review and approval of a case that is fit for the quick way."""
    officer = enter("pre_reviewer", DISTRICT)
    claim(officer, address)
    act(officer, "预审通过", "材料齐全。")
    reviewer = enter("reviewer", DISTRICT)
    claim(reviewer, address)
    mark_quick(reviewer)
    reviewer.get_by_role("group", name="总平面图是否可网上公开").get_by_role("radio", name="是", exact=True).check()
    act(reviewer, "审理通过", "符合规划。")
    approver = enter("approver", DISTRICT)
    claim(approver, address)
    expect(approver.get_by_text(re.compile("一级审定：")).first).to_be_visible()
    act(approver, "准予许可", "同意。")


def wait_for(page: Page, address: str, text: str | re.Pattern[str]) -> None:
    """Open a page again and again until it says something; a job or a partner is at work meanwhile."""
    for _ in range(RELOADS):
        page.goto(address)
        try:
            return expect(page.get_by_text(text).first).to_be_visible(timeout=500)
        except AssertionError:
            continue
    expect(page.get_by_text(text).first).to_be_visible()


def accept(enter, address: str) -> None:
    window = enter("window", DISTRICT)
    claim(window, address)
    mark_quick(window)
    act(window, "受理")
