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
PROJECT, CORRECTED = "GX-2026-0001", "样例路（样例东路至样例西路）"
DISTRICT = "310118"
NUMBER = re.compile("^仿真-310000-")
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


def accept(enter, code: str) -> str:
    """The window finds a case by its code and accepts it; its address."""
    window = enter("window", DISTRICT)
    address = find(window, code)
    claim(window, address)
    mark_quick(window)
    act(window, "受理")
    return address


def report(page: Page):
    return page.get_by_role("region", name="规划许可用途管制")


@pytest.mark.function("PROJ-021", "applicant_prefilled", "survey_prefilled", "planning_prefilled", "prefill_changed")
@pytest.mark.function("PROJ-082", "marked_in_three_steps", "eligible_one_level", "reason_said")
@pytest.mark.function("PROJ-099", "starts_after_approval", "coordinates_transformed")
@pytest.mark.function("PROJ-101", "refreshed_when_printing_and_dispatching", "passed_goes_on")
@pytest.mark.function("PROJ-103", "number_printed_pipeline", "number_matches")
def test_a_permit_from_the_phone_to_the_public_register(enter, enter_enterprise, ministry, drawing, page):
    ministry("settings", answer_delay_seconds=600)
    phone = enter_enterprise("pipeline", **PHONE)
    code = file_on_the_phone(phone, drawing)
    address = ask_correction(enter, code)
    answer_correction(phone, code)
    accept_answer(enter, address)
    decide(enter, address)
    number = printed_with_number(enter, address, ministry)
    dispatch(enter, address)
    verified_by_anyone(page, permit_of(phone, code, number))


def file_on_the_phone(phone: Page, drawing: Path) -> str:
    """Fill what is not known already, leave, come back to the draft, go on and submit."""
    begin(phone)
    phone.get_by_role("link", name="申报主体").first.click()
    expect(phone.get_by_label("建设单位")).to_have_value("样例管线建设有限公司")
    expect(phone.get_by_label("建设单位")).not_to_be_editable()
    next_part(phone)
    phone.get_by_label("项目编号").fill(PROJECT)
    phone.get_by_label("项目所在区").select_option(DISTRICT)
    phone.get_by_role("button", name="存为草稿，稍后再填").click()
    draft = re.search(r"/filing/([\w-]+)", phone.url)[1]
    phone.goto("/my/cases")
    phone.get_by_role("listitem").filter(has_text=draft).get_by_role("link", name=re.compile("继续填写草稿")).click()
    phone.get_by_role("link", name="管线工程", exact=True).click()
    expect(phone.get_by_label("项目编号")).to_have_value(PROJECT)
    expect(phone.get_by_label("管线长度")).to_have_value("180.50")
    expect(phone.get_by_label("所在道路")).to_be_editable()
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    next_part(phone)
    expect(phone.get_by_label("规划信息批文号")).to_have_value("样例规划〔2026〕1号")
    phone.get_by_role("link", name="回到填报目录").click()
    read_range(phone, ELSEWHERE)
    phone.get_by_role("button", name="确认，存入办件").click()
    expect(phone.get_by_role("alert")).to_contain_text("松江区")
    phone.goto(f"/filing/{draft}")
    fill_rest(phone, drawing)
    return submit(phone)


def ask_correction(enter, code: str) -> str:
    """The window asks for one field to be mended; the address of the case."""
    window = enter("window", DISTRICT)
    address = find(window, code)
    claim(window, address)
    window.get_by_role("link", name="告知补正").click()
    window.get_by_text("管线工程", exact=True).first.click()
    window.get_by_role("checkbox", name="所在道路").check()
    window.get_by_label("所在道路要改什么").fill("请写明起止路口")
    window.get_by_role("button", name="发出补正告知").click()
    expect(window.get_by_text("补正中").first).to_be_visible()
    return address


def answer_correction(phone: Page, code: str) -> None:
    """Only the field that was named can be changed."""
    phone.goto(f"/track/{code}")
    phone.get_by_role("link", name="去补正").click()
    phone.get_by_role("link", name="所在道路").click()
    expect(phone.get_by_label("项目名称")).not_to_be_editable()
    phone.get_by_label("所在道路").fill(CORRECTED)
    next_part(phone)
    phone.get_by_role("button", name="提交补正").click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text("补充的内容已收到")


def accept_answer(enter, address: str) -> None:
    """What was answered stands on the form; the window still has the case in hand."""
    window = enter("window", DISTRICT)
    window.goto(address + "/tabs/form")
    expect(window.get_by_text(CORRECTED).first).to_be_visible()
    window.goto(address)
    mark_quick(window)
    act(window, "受理")
    window.goto(address)
    expect(window.get_by_text(re.compile("沪规资管〔\\d{4}〕\\d{5}号")).first).to_be_visible()


def printed_with_number(enter, address: str, ministry) -> str:
    """The report goes out by itself; the number comes later, when it is asked for again."""
    printer = enter("printer", DISTRICT)
    claim(printer, address)
    wait_for(printer, address, re.compile("回执号"))
    act(printer, "刷新监管号")
    expect(report(printer).get_by_text("还没有")).to_be_visible()
    expect(report(printer)).to_contain_text("仿真-310118-2026-000017")
    expect(report(printer).get_by_text(re.compile("已转换为国家坐标"))).to_be_visible()
    ministry("release")
    act(printer, "刷新监管号")
    number = report(printer).get_by_text(NUMBER).first.inner_text()
    act(printer, "文印完成")
    return number


def dispatch(enter, address: str) -> None:
    dispatcher = enter("dispatcher", DISTRICT)
    take_up(dispatcher, address)
    act(dispatcher, "发件")
    expect(dispatcher.get_by_role("heading", name="办件已结束：准予")).to_be_visible()


def permit_of(phone: Page, code: str, number: str) -> Path:
    """The applicant's copy of the permit, which bears the ministry's number and what was corrected."""
    phone.goto(f"/track/{code}")
    with phone.expect_download() as download:
        phone.get_by_role("link", name="建设工程规划许可证（管线工程）").click()
    path = download.value.path()
    words = PdfReader(path).pages[0].extract_text()
    assert number in words
    assert CORRECTED in words
    return path


def verified_by_anyone(page: Page, permit: Path) -> None:
    """By its code; with the file too, the file is compared; a file changed by one byte is not the permit."""
    code = re.search(r"核验码：([\w-]+)", PdfReader(permit).pages[0].extract_text())[1]
    verify(page, code)
    expect(page.get_by_role("heading", level=1)).to_contain_text("登记簿里有这份文书")
    verify(page, code, permit.read_bytes())
    expect(page.get_by_role("heading", level=1)).to_contain_text("这份文书是真的")
    verify(page, code, permit.read_bytes() + b"\n")
    expect(page.get_by_role("heading", level=1)).to_contain_text("这份文件被改过")


def verify(page: Page, code: str, file: bytes | None = None) -> None:
    page.goto("/verify")
    page.get_by_label("核验码", exact=True).fill(code)
    if file:
        page.get_by_label("或选择文书的 PDF 文件").set_input_files(
            {"name": "许可证.pdf", "mimeType": "application/pdf", "buffer": file}
        )
    page.get_by_role("button", name="核验", exact=True).click()


@pytest.mark.function("PROJ-101", "dispatch_blocked", "feedback_shown", "printer_turns_to_erratum", "control_repeated")
@pytest.mark.function("PROJ-103", "dispatch_blocked")
@pytest.mark.function("PROJ-083", "erratum_applied_and_pushed", "unreviewed_unchanged")
def test_a_refused_report_is_mended_by_an_erratum(enter, enter_enterprise, ministry, drawing):
    ministry("settings", answer_delay_seconds=0)
    ministry("faults", partner="usage_control", kind="reject")
    code = file_permit(enter_enterprise("pipeline"), drawing)
    address = accept(enter, code)
    decide(enter, address)
    printer = enter("printer", DISTRICT)
    claim(printer, address)
    wait_for(printer, address, "部系统返回的错误：")
    said = report(printer).locator(".notice.bad li").inner_text().split("（")[0]
    act(printer, "文印完成")
    return_undispatched(enter, address, said)
    ministry("faults", partner="usage_control", kind="ok")
    approve_erratum(enter, address, propose_erratum(printer, address))
    wait_for(printer, address, NUMBER)
    expect(printer.get_by_role("region", name="市办件库")).to_contain_text("2 版")
    act(printer, "文印完成")
    dispatch(enter, address)


def return_undispatched(enter, address: str, said: str) -> None:
    """Without the number nothing is dispatched; the ministry's own words say why."""
    dispatcher = enter("dispatcher", DISTRICT)
    claim(dispatcher, address)
    act(dispatcher, "发件")
    expect(dispatcher.get_by_role("alert")).to_contain_text("没有办成")
    expect(dispatcher.get_by_role("alert")).to_contain_text(said)
    dispatcher.get_by_role("link", name="退回", exact=True).click()
    dispatcher.get_by_role("radio", name="文印").check()
    dispatcher.get_by_label("退回理由").fill("用途管制没有通过，请转勘误。")
    dispatcher.get_by_role("button", name="退回", exact=True).click()
    dispatcher.wait_for_load_state()


def propose_erratum(printer: Page, address: str) -> str:
    """The printer turns to the erratum, which names the corrected field; the address of the erratum."""
    take_up(printer, address)
    act(printer, "转勘误", "部系统返回错误，管线长度有误。")
    printer.goto(address + "/tabs/links")
    printer.get_by_role("link", name=re.compile("勘误 样例路")).last.click()
    erratum = re.match(r".*/cases/\d+", printer.url)[0]
    printer.get_by_role("button", name="再加一项").click()
    entry = printer.get_by_role("region", name="更正项 1")
    entry.get_by_label("更正项", exact=True).select_option(label="管线长度（米）")
    entry.get_by_label("更正为").fill("181.00")
    act(printer, "提交审核")
    return erratum


def take_up(page: Page, address: str) -> None:
    """Open a case at the step in hand; claim it if it came back to everybody of the post."""
    page.goto(address)
    if page.get_by_role("button", name="认领").is_visible():
        claim(page, address)


def approve_erratum(enter, address: str, erratum: str) -> None:
    """Nothing changes before the reviewer agrees; then the data changes and the report goes out anew."""
    reviewer = enter("erratum_reviewer", DISTRICT)
    reviewer.goto(address + "/tabs/form")
    expect(reviewer.get_by_text("180.50 米").first).to_be_visible()
    claim(reviewer, erratum)
    act(reviewer, "审核通过", "与图纸相符。")
    reviewer.goto(address + "/tabs/form")
    expect(reviewer.get_by_text("181.00 米").first).to_be_visible()
