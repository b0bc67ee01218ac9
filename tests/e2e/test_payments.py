"""The transferor's day with payments of land prices: every light at work, money read and typed in, a contract ended on day 61.

The demo contracts fall due 15, 1, 0, −60 and −61 days after the day on which the demo data were loaded.
"""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

DISTRICT = "310118"
DUE_LATER, DUE_TOMORROW, DUE_TODAY, SIXTY, SIXTY_ONE = (f"样例-QP-0{place}" for place in range(1, 6))
REMINDER, OVERDUE, TERMINATION = "提醒缴款通知书", "未按期缴款通知书", "解除合同通知书"


@pytest.fixture
def transferor(enter) -> Page:
    return enter("district_transferor", DISTRICT)


def find(page: Page, plot: str) -> str:
    """The supervision of a plot, opened from the list; its address."""
    page.goto(f"/cases?q={plot}")
    page.get_by_role("table").get_by_role("link", name=re.compile(plot)).first.click()
    page.wait_for_url(re.compile(r"/cases/\d+"))
    return re.match(r".*/cases/\d+", page.url)[0]


def take_up(page: Page, plot: str) -> str:
    """Open the supervision of a plot and claim it if nobody has; its address."""
    address = find(page, plot)
    if page.get_by_role("button", name="认领").is_visible():
        page.get_by_role("button", name="认领").click()
    expect(panel(page)).to_be_visible()
    return address


def panel(page: Page):
    return page.get_by_role("region", name="约定缴款与已缴")


def issue(page: Page, address: str, paper: str) -> None:
    page.goto(address)
    panel(page).get_by_role("button", name=f"制发《{paper}》").click()
    page.wait_for_load_state()


def refused(page: Page, *words: str) -> None:
    for each in ("没有办成", *words):
        expect(page.get_by_role("alert")).to_contain_text(each)


def issued(page: Page, paper: str) -> str:
    """The words of a paper that was issued, from its file."""
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(f"^{paper}")).first.click()
    return "".join(leaf.extract_text() for leaf in PdfReader(download.value.path()).pages)


def give_reason(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("radio", name="受让人资金未到位").check()
    page.get_by_label("情况说明").fill("受让人称资金未到位（样例）。")
    page.get_by_role("button", name="保存", exact=True).last.click()
    expect(page.get_by_role("radio", name="受让人资金未到位")).to_be_checked()


def end_contract(page: Page, address: str) -> None:
    """Ask for the end of the contract, through the question before it."""
    page.goto(address)
    page.get_by_label("意见").fill("受让人逾期未缴，按合同约定解除（样例）。")
    page.get_by_role("button", name="解除合同", exact=True).click()
    page.wait_for_url(re.compile(r"/act/\w+$"))
    page.get_by_role("button", name="解除合同").click()
    page.wait_for_load_state()


@pytest.mark.function("LAND-038", "sent_to_transferor", "reminder_printed")
def test_the_reminder_is_printed_while_the_light_is_yellow(transferor, enter):
    page = transferor
    for plot, words in ((DUE_LATER, "剩 15 日"), (DUE_TOMORROW, "剩 1 日"), (DUE_TODAY, "今日到期"), (SIXTY, "超 60 日"), (SIXTY_ONE, "超 61 日")):
        page.goto(f"/cases?q={plot}")
        expect(page.get_by_role("row").filter(has_text=plot)).to_contain_text(words)
    address = take_up(page, DUE_TODAY)
    expect(panel(page)).to_contain_text("临近约定缴款日")
    issue(page, address, REMINDER)
    assert "样例农业专业合作社" in issued(page, REMINDER)
    issue(page, address, OVERDUE)
    refused(page, "黑灯时才发")
    stranger = enter("district_transferor", "310115")
    assert stranger.goto(address).status == 404


@pytest.mark.function("LAND-038", "black_needs_reason", "overdue_notice_issued", "termination_after_sixty_days")
def test_black_asks_for_the_reason_and_day_sixty_is_not_day_sixty_one(transferor):
    page = transferor
    address = take_up(page, SIXTY)
    issue(page, address, REMINDER)
    refused(page, "黄灯时才打印")
    issue(page, address, OVERDUE)
    refused(page, "还没有填写逾期未缴款原因")
    give_reason(page, address)
    issue(page, address, OVERDUE)
    assert "违约责任" in issued(page, OVERDUE)
    end_contract(page, address)
    refused(page, "60")
    page.goto(address + "/tabs/papers")
    expect(page.get_by_role("link", name=re.compile(TERMINATION))).to_have_count(0)
    ended = take_up(page, SIXTY_ONE)
    end_contract(page, ended)
    expect(page.get_by_text(re.compile("办件已结束")).first).to_be_visible()
    page.goto(ended + "/tabs/papers")
    assert "解除合同" in issued(page, TERMINATION)


@pytest.mark.function("LAND-038", "payments_read", "payments_filled_in", "paid_ends")
def test_money_is_read_from_the_tax_module_and_filled_in_until_all_is_paid(transferor):
    page = transferor
    take_up(page, DUE_TOMORROW)
    page.get_by_role("button", name="读取缴款", exact=True).click()
    expect(panel(page)).to_contain_text("12,345,678.90")
    expect(panel(page)).to_contain_text("税务征收模块")
    expect(panel(page)).to_contain_text("未缴 17,654,321.10 元")
    panel(page).get_by_text("补填缴款").click()
    fill_in(page, "一千万")
    expect(panel(page)).to_contain_text("金额应是数字")
    fill_in(page, "17654321.10")
    expect(page.get_by_text(re.compile("办件已结束")).first).to_be_visible()
    page.goto(re.match(r".*/cases/\d+", page.url)[0] + "/tabs/form")
    expect(page.get_by_text("已缴付").first).to_be_visible()


def fill_in(page: Page, amount: str) -> None:
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    panel(page).get_by_label("凭证号").fill("样例-PZ-手工-01")
    panel(page).get_by_label("金额").fill(amount)
    for part, value in (("年", today.year), ("月", today.month), ("日", today.day)):
        panel(page).get_by_role("group", name=re.compile("缴款日期")).get_by_label(part, exact=True).fill(str(value))
    panel(page).get_by_role("button", name="登记缴款").click()
