"""Reports to the ministry that do not go as they should: the number comes later, wrong, twice or never, and the ministry is down.

Demo permits of Pudong wait for their approval; each journey grants one of them and follows its report.
"""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.running import CONTROL_KEY, RunningPortal
from tests.e2e.test_pipeline_permit import NUMBER, RELOADS, act, claim, report, wait_for
from tests.integrations.waiting import wait_until

DISTRICT = "310115"
LATER, TWICE, NEVER, DOWN = (f"样例浦东{place}路给水接入工程（样例）" for place in "一二三四")
"""Which of the waiting permits a journey takes, so that none takes that of another."""


@pytest.fixture
def ministry(portal: RunningPortal):
    """The ministry's simulator, which answers as told; put back to normal afterwards."""
    yield portal.control
    portal.control("faults", partner="usage_control", kind="ok")
    portal.control("settings", answer_delay_seconds=2)


@pytest.fixture
def granted(enter) -> Callable[[str], str]:
    """Grant one of the waiting permits; its address."""

    def grant(project: str) -> str:
        approver = enter("approver", DISTRICT)
        approver.goto(f"/cases?q={project}")
        approver.get_by_role("table").get_by_role("link", name=project).first.click()
        approver.wait_for_url(re.compile(r"/cases/\d+"))
        address = re.match(r".*/cases/\d+", approver.url)[0]
        claim(approver, address)
        act(approver, "准予许可", "同意。")
        return address

    return grant


def printer_at(enter, address: str) -> Page:
    printer = enter("printer", DISTRICT)
    claim(printer, address)
    return printer


def code_on(page: Page) -> str:
    """The number of the case that the page shows."""
    return re.search("沪规资管〔\\d{4}〕\\d{5}号", page.get_by_role("main").inner_text())[0]


def written(page: Page, address: str, words: str) -> None:
    """Open a page again until it holds some words, also where they are folded away."""
    for _ in range(RELOADS):
        page.goto(address)
        if words in page.get_by_role("main").text_content():
            return
    expect(page.get_by_role("main")).to_contain_text(words)


def refused_at_dispatch(enter, address: str) -> Page:
    """The dispatcher may not send the permit out; the page on which it stands."""
    dispatcher = enter("dispatcher", DISTRICT)
    claim(dispatcher, address)
    act(dispatcher, "发件")
    expect(dispatcher.get_by_role("alert")).to_contain_text("尚未取得规划许可电子监管号")
    return dispatcher


def state_of(portal: RunningPortal) -> dict[str, Any]:
    """What the simulators hold, as their control page shows it."""
    answer = httpx.get(f"{portal.partners_url}/control/state", headers={"x-control-key": CONTROL_KEY}, timeout=10)
    return answer.json()


def packages_of(portal: RunningPortal, business_key: str) -> int:
    return sum(row["business_key"] == business_key for row in state_of(portal)["packages"] if row["platform"] == "usage_control")


@pytest.mark.function("PROJ-101", "refreshed_when_printing_and_dispatching", "dispatch_blocked", "passed_goes_on")
@pytest.mark.function("PROJ-104", "missing_with_reason", "number_and_state_shown")
def test_a_wrong_number_is_not_taken_and_the_right_one_that_comes_later_is(enter, granted, ministry):
    ministry("settings", answer_delay_seconds=0)
    ministry("faults", partner="usage_control", kind="wrong_number")
    address = granted(LATER)
    printer = printer_at(enter, address)
    wait_for(printer, address, re.compile("回执号"))
    act(printer, "刷新监管号")
    expect(printer.get_by_text(re.compile("应答不符合约定")).first).to_be_visible()
    printer.goto(address)
    expect(report(printer).get_by_text(re.compile("错号"))).to_have_count(0)
    code = code_on(printer)
    act(printer, "文印完成")
    dispatcher = refused_at_dispatch(enter, address)
    dispatcher.goto("/usage-control/matters/pipeline_permit")
    row = dispatcher.get_by_role("row").filter(has_text=code)
    expect(row).to_contain_text("还没有返回监管号")
    expect(row).not_to_contain_text("仿真-310000")
    ministry("faults", partner="usage_control", kind="ok")
    dispatcher.goto(address)
    act(dispatcher, "刷新监管号")
    number = report(dispatcher).get_by_text(NUMBER).first.inner_text()
    dispatcher.goto("/usage-control/matters/pipeline_permit")
    expect(dispatcher.get_by_role("row").filter(has_text=code)).to_contain_text(number)
    dispatcher.goto(address)
    act(dispatcher, "发件")
    expect(dispatcher.get_by_role("heading", name="办件已结束：准予")).to_be_visible()


def test_of_two_numbers_the_first_stays_and_the_other_is_shown_as_a_conflict(enter, granted, ministry):
    ministry("settings", answer_delay_seconds=0)
    ministry("faults", partner="usage_control", kind="twice_different")
    address = granted(TWICE)
    printer = printer_at(enter, address)
    wait_for(printer, address, NUMBER)
    number = report(printer).get_by_text(NUMBER).first.inner_text()
    written(printer, address + "/usage-control", "没有采用")
    expect(printer.get_by_text(number).first).to_be_visible()
    printer.goto(address)
    act(printer, "刷新监管号")
    expect(report(printer).get_by_text(number).first).to_be_visible()
    admin = enter("report_admin")
    admin.goto("/exchange/inbox")
    expect(admin.get_by_role("table").get_by_text("与先到的不同，未采用").first).to_be_visible()


@pytest.mark.function("PROJ-106", "progress_by_case")
def test_an_answer_that_never_comes_keeps_dispatch_closed_and_stays_to_be_found(enter, granted, ministry):
    ministry("faults", partner="usage_control", kind="never")
    address = granted(NEVER)
    printer = printer_at(enter, address)
    wait_for(printer, address, re.compile("回执号"))
    act(printer, "刷新监管号")
    expect(report(printer).get_by_text("还没有", exact=True).first).to_be_visible()
    code = code_on(printer)
    act(printer, "文印完成")
    dispatcher = refused_at_dispatch(enter, address)
    admin = enter("report_admin")
    admin.goto(f"/usage-control?case_type=pipeline_permit&district={DISTRICT}&kind=permit_initial&state=accepted")
    expect(admin.get_by_role("row").filter(has_text=code)).to_contain_text("部已受理")
    admin.get_by_role("row").filter(has_text=code).get_by_role("link").first.click()
    expect(admin.get_by_text("走到 5 步中的第 4 步")).to_be_visible()
    ministry("release")
    wait_for(dispatcher, address, NUMBER)
    act(dispatcher, "发件")
    expect(dispatcher.get_by_role("heading", name="办件已结束：准予")).to_be_visible()


def test_a_ministry_that_dies_in_mid_exchange_gets_one_package_and_gives_one_number(enter, granted, ministry, portal):
    """The platform has the package, its answer is on the way, the process is killed; later it is there again."""
    ministry("settings", answer_delay_seconds=0)
    ministry("faults", partner="usage_control", kind="lost_answer", seconds=60, calls=1, operation="packages")
    before = {row["business_key"] for row in state_of(portal)["packages"]}
    address = granted(DOWN)
    [key] = arrived(portal, before)
    portal.kill("partners")
    admin = enter("report_admin")
    wait_for(admin, f"{portal.url}/exchange", re.compile("没有正常应答"))
    printer = printer_at(enter, address)
    act(printer, "刷新监管号")
    expect(report(printer).get_by_text(NUMBER)).to_have_count(0)
    portal.start("partners")
    admin.goto("/exchange")
    admin.get_by_role("button", name=re.compile("现在重试.*部|现在重试")).first.click()
    wait_for(printer, address, NUMBER)
    assert packages_of(portal, key) == 1
    case_number = key.split("/")[0]
    assert sum(row["case_number"] == case_number for row in state_of(portal)["numbers"]) == 1


def arrived(portal: RunningPortal, before: set[str]) -> set[str]:
    """The business keys of packages that came in since, once there is one."""

    def fresh() -> set[str]:
        return {row["business_key"] for row in state_of(portal)["packages"] if row["platform"] == "usage_control"} - before

    wait_until(fresh, seconds=30)
    return fresh()
