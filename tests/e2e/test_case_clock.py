"""A case is returned, filed again, suspended and resumed, and another withdrawn, while the demo date goes through December.

Accepted on 4 December, its promise leaves the year: the due date is provisional 暂定 until the administrator loads the
official table of the next year, whose New Year holiday comes with a working Saturday; then it is moved and certain.
"""

import json
import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from domain.working_calendar import official_calendar
from tests.e2e.running import RunningPortal
from tests.e2e.test_pipeline_permit import act, take_up

DISTRICT = "310118"
PROJECT, WITHDRAWN = "样例二路给水管道工程（样例）", "样例四路给水接入工程（样例）"
PROMISE = 10
ONE_WEEK, TWO_WEEKS = 4, 10
"""Working days that do not count from one Friday to another: from the day of the stop to the day before going on.

The first stop is on the day of acceptance, which never counts anyway.
"""
WAIT_RELOADS = 60


def accepted_on() -> date:
    """The coming 4 December, moved to a Friday so that stops of whole weeks stop whole working weeks."""
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    day = date(today.year, 12, 4)
    day = day if day > today else date(today.year + 1, 12, 4)
    return day + timedelta(days=(4 - day.weekday()) % 7)


def count_on(day: date, count: int, off: frozenset[date], on: frozenset[date] = frozenset()) -> date:
    """The count-th working day after a day, counted on the fingers."""
    while count:
        day += timedelta(days=1)
        if day in on or (day.weekday() < 5 and day not in off):
            count -= 1
    return day


def new_year(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """The holiday of the table that is loaded, 1 January, and the first Saturday after it, on which people work."""
    first = date(year, 1, 1)
    saturday = first + timedelta(days=(5 - first.weekday()) % 7 or 7)
    return frozenset({first}), frozenset({saturday})


def move_to(admin: Page, day: date) -> None:
    admin.goto("/administration/demo-date")
    admin.get_by_label("拨到").fill(day.isoformat())
    admin.get_by_role("button", name="拨动日期").click()
    expect(admin.get_by_role("heading", level=1)).to_contain_text(f"{day.month} 月 {day.day} 日")


def load_year(admin: Page, year: int, off: frozenset[date], on: frozenset[date]) -> None:
    """Load the official table of a year through the page of the calendar."""
    days = [{"name": "元旦", "date": each.isoformat(), "isOffDay": each in off} for each in sorted(off | on)]
    table = {"year": year, "papers": ["样例通知（不是真实文件）"], "days": days}
    admin.goto(f"/administration/calendar?year={year}")
    form = admin.get_by_role("form", name="载入一年的正式表")
    form.locator("input[type=file]").set_input_files(
        {"name": f"{year}.json", "mimeType": "application/json", "buffer": json.dumps(table).encode()}
    )
    form.get_by_label("依据或原因").fill("国务院办公厅通知（样例）")
    form.get_by_role("button", name="载入并重算时限").click()
    expect(admin.get_by_role("heading", level=1)).to_contain_text(f"{year} 年的工作日历是正式的")


def in_words(day: date) -> str:
    return f"{day.month} 月 {day.day} 日到期"


def due(page: Page, address: str, day: date, *, is_provisional: bool) -> None:
    """The case page says when it is due; the sweep of the moved date runs beside."""
    words = re.compile(re.escape(in_words(day)) + ("，到期日为暂定" if is_provisional else "(?!，到期日为暂定)"))
    for _ in range(WAIT_RELOADS):
        page.goto(address)
        if words.search(page.get_by_role("main").inner_text()):
            return
    expect(page.get_by_role("main")).to_contain_text(words)


def open_case(page: Page, project: str) -> str:
    page.goto(f"/cases?q={project[:4]}")
    page.get_by_role("table").get_by_role("link", name=project).first.click()
    page.wait_for_url(re.compile(r"/cases/\d+"))
    return re.match(r".*/cases/\d+", page.url)[0]


def operate(page: Page, operation: str, reason: str, value: str, *, radio: str = "") -> None:
    """Do one of the operations beside the actions, on its own page."""
    page.get_by_role("link", name=operation, exact=True).click()
    if radio:
        page.get_by_role("radio", name=radio).check()
    page.get_by_label(reason).fill(value)
    page.get_by_role("button", name=operation, exact=True).click()
    page.wait_for_load_state()


def file_again(enterprise: Page, project: str) -> None:
    """The enterprise files what was returned, without a change."""
    enterprise.goto("/my/cases")
    enterprise.get_by_role("link", name=re.compile(project)).first.click()
    if enterprise.get_by_role("link", name="去修改").is_visible():
        enterprise.get_by_role("link", name="去修改").click()
    enterprise.get_by_role("link", name="核对并提交").last.click()
    enterprise.get_by_role("button", name="提交申请").click()
    expect(enterprise.get_by_role("heading", level=1)).to_contain_text("补充的内容已收到")


def withdraw(enterprise: Page, project: str) -> None:
    enterprise.goto("/my/cases")
    enterprise.get_by_role("link", name=re.compile(project)).first.click()
    enterprise.get_by_role("link", name="撤回申请").click()
    enterprise.get_by_label("撤回理由").fill("项目调整，以后再报。")
    enterprise.get_by_role("button", name="撤回申请").click()
    expect(enterprise.get_by_role("main")).to_contain_text("已撤回")


def test_the_clock_stands_still_while_it_should_and_crosses_the_year(enter, enter_enterprise, own_portal: RunningPortal):
    start = accepted_on()
    admin = enter("system_admin", at=own_portal)
    enterprise = enter_enterprise("pipeline", at=own_portal)
    withdraw(enterprise, WITHDRAWN)
    move_to(admin, start)
    window = enter("window", DISTRICT, at=own_portal)
    address = accept(window)
    officer = enter("pre_reviewer", DISTRICT, at=own_portal)
    is_known = start.year in official_calendar().official_years
    holiday, saturday = new_year(start.year + 1)
    due(officer, address, count_on(start, PROMISE, holiday), is_provisional=not is_known)
    take_up(officer, address)
    operate(officer, "退回", "退回理由", "图纸与申报不一致。", radio="申报")
    move_to(admin, start + timedelta(weeks=1))
    file_again(enterprise, PROJECT)
    accept(window)
    due(officer, address, count_on(start, PROMISE + ONE_WEEK, holiday), is_provisional=not is_known)
    take_up(officer, address)
    operate(officer, "停表", "停表理由", "与轨交单位核对管位。")
    officer.goto(address)
    expect(officer.get_by_text("停表期间不能办理")).to_be_visible()
    move_to(admin, start + timedelta(weeks=3))
    officer.goto(address)
    operate(officer, "续办", "续办说明", "管位已核对。")
    due(officer, address, count_on(start, PROMISE + ONE_WEEK + TWO_WEEKS, holiday), is_provisional=True)
    if not is_known:
        load_year(admin, start.year, frozenset(), frozenset())
    load_year(admin, start.year + 1, holiday, saturday)
    due(officer, address, count_on(start, PROMISE + ONE_WEEK + TWO_WEEKS, holiday, saturday), is_provisional=False)
    act(officer, "预审通过", "材料齐全。")
    expect(officer.get_by_role("main")).not_to_contain_text("没有办成")


def accept(window: Page) -> str:
    """The window accepts the case, which is not marked for the quick way; its address."""
    address = open_case(window, PROJECT)
    take_up(window, address)
    window.get_by_role("group", name="是否快速办理").get_by_role("radio", name="否", exact=True).check()
    act(window, "受理")
    return address
