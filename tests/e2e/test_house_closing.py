"""A day of the district handler: a house case that balances starts, one that does not is refused with both sides."""

import re

import pytest
from playwright.sync_api import Page, expect

BALANCED, ONE_SHORT = "样例-ZD-2026-01", "样例-ZD-2026-02"


def begin(page: Page, project: str) -> None:
    """Open a draft and let the portal fetch the counts of a project."""
    page.goto("/cases/new")
    page.get_by_role("link", name="征地房屋结案").first.click()
    page.get_by_role("button", name="发起，开始填写").click()
    page.get_by_label("征收项目编号").fill(project)
    page.get_by_label("行政区").select_option("310118")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_label("取数情况")).to_have_value("已取得")


def start(page: Page) -> None:
    page.get_by_role("button", name="发起结案").click()
    page.get_by_role("button", name="发起结案").click()


@pytest.mark.function("LAND-015", "unbalanced_refused", "both_sides_shown")
def test_a_project_that_does_not_balance_cannot_start(enter):
    page = enter("district_handler", "310118")
    begin(page, ONE_SHORT)
    start(page)
    expect(page.get_by_text(re.compile("应办结 60.*已办结 59")).first).to_be_visible()
    page.goto("/desk?box=todo")
    expect(page.get_by_text("发起结案").first).to_be_visible()


@pytest.mark.function("LAND-015", "counts_fetched", "balanced_starts")
def test_a_project_that_balances_is_closed_by_the_chief(enter):
    page = enter("district_handler", "310118")
    begin(page, BALANCED)
    address = page.url
    start(page)
    page.goto(address)
    expect(page.get_by_text("审核").first).to_be_visible()
    chief = enter("district_chief", "310118")
    chief.goto(address)
    chief.get_by_role("button", name="认领").first.click()
    chief.get_by_label("意见").first.fill("数量相符，同意结案。")
    chief.get_by_role("button", name="同意结案").first.click()
    expect(chief.get_by_text("已结束").first).to_be_visible()
    stranger = enter("district_handler", "310115")
    assert stranger.goto(address).status == 404
