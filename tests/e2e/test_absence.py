"""An officer is away: a colleague stands in until a day, the history names both, and with the absence the access ends."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

DISTRICT = "310118"
PROJECT = "样例-ZD-2026-01"
ABSENT, DELEGATE = "杨慕云（样例）", "沈望舒（样例）"
"""The chief of the district, and the chief of another one: a stranger to the case but for the absence."""


def start_case(page: Page) -> str:
    """A house case whose counts balance, sent to the chief; its address."""
    page.goto("/cases/new")
    page.get_by_role("link", name="征地房屋结案").first.click()
    page.get_by_role("button", name="发起，开始填写").click()
    page.get_by_label("征收项目编号").fill(PROJECT)
    page.get_by_label("行政区").select_option(DISTRICT)
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_label("取数情况")).to_have_value("已取得")
    address = re.match(r".*/cases/\d+", page.url)[0]
    page.get_by_role("button", name="发起结案").click()
    page.get_by_role("button", name="发起结案").click()
    expect(page.get_by_role("button", name="发起结案")).to_have_count(0)
    page.goto(address)
    expect(page.get_by_text("审核").first).to_be_visible()
    return address


def claim(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="认领").first.click()
    expect(page.get_by_label("意见")).to_be_visible()


def set_absence(page: Page) -> None:
    """Refused without an end; then with one."""
    page.goto("/account/absences")
    page.get_by_label("代理人").select_option(label=DELEGATE)
    page.get_by_label("事由").fill("病假")
    page.get_by_role("button", name="设置代理").click()
    expect(page.get_by_role("alert")).to_contain_text("结束日期要写明")
    tomorrow = datetime.now(ZoneInfo("Asia/Shanghai")).date() + timedelta(days=1)
    page.get_by_label("到（含当日）").fill(tomorrow.isoformat())
    page.get_by_role("button", name="设置代理").click()
    expect(page.get_by_role("table", name="我的外出代理")).to_contain_text("代理中")


def end_absence(page: Page) -> None:
    page.goto("/account/absences")
    page.get_by_role("link", name="提前结束").click()
    page.get_by_role("button", name="提前结束").click()
    expect(page.get_by_role("table", name="我的外出代理")).to_contain_text("已提前结束")


def test_a_colleague_stands_in_until_the_absence_ends(enter):
    handler = enter("district_handler", DISTRICT)
    done, left = start_case(handler), start_case(handler)
    chief = enter("district_chief", DISTRICT)
    claim(chief, done)
    claim(chief, left)
    delegate = enter("district_chief", "310115")
    assert delegate.goto(done).status == 404
    set_absence(chief)
    assert delegate.goto(done).status == 200
    expect(delegate.get_by_text(f"代{ABSENT}办理")).to_be_visible()
    delegate.get_by_label("意见").fill("数量相符，同意结案。")
    delegate.get_by_role("button", name="同意结案").click()
    expect(delegate.get_by_role("button", name="同意结案")).to_have_count(0)
    chief.goto(done)
    expect(chief.get_by_text(f"{DELEGATE}（代{ABSENT}）").first).to_be_visible()
    assert delegate.goto(left).status == 200
    end_absence(chief)
    assert delegate.goto(left).status == 404
    chief.goto(left)
    expect(chief.get_by_role("button", name="同意结案")).to_be_visible()
