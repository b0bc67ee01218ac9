"""The rules workbench: the warning line of the annual reserve from 10 % to 12 %, proven, reviewed, published, rolled back."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from domain import ledger
from domain.actor import SYSTEM
from domain.case.tables import Case
from domain.command import Work
from domain.portal_clock import now
from portal.database import Database
from portal.office import open_office
from portal.settings import read_settings
from tests.e2e.running import RunningPortal

PUDONG, LINE = "310115", "outflow_warning_line"
SHOWN = Path(__file__).resolve().parent.parent.parent / "var" / "manual" / "rules"
CORRECTED: tuple[tuple[str, str | None, str | None], ...] = (
    ("等于警戒线不停办", "12", None),
    ("比警戒线少 0.01 平方米即停办", "11.99", '{rule: below, line: "12", message: 剩余 11.99 平方米 低于警戒线 12.00 平方米}'),
    ("比警戒线多 0.01 平方米不停办", "12.01", None),
    ("警戒线按累计预存面积计，预存越多线越高", None, '{line: "12000.012"}'),
)
"""The cases of the article at 12 %: at the line, one step below, one above, and the line itself."""


@pytest.fixture
def near_line(prepared: RunningPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPortal]:
    """A portal in which Pudong has 11 % of what it stored left: above the line of 10 %, below one of 12 %."""
    running = prepared.copied(tmp_path_factory.mktemp("rules") / "portal")
    _use_up(running)
    running.start()
    yield running
    running.stop()


def _use_up(portal: RunningPortal) -> None:
    office = open_office(read_settings({"VAR_DIR": str(portal.folder), "DEMO": "1", "PARTNERS_URL": portal.partners_url}))
    database = Database(f"sqlite:///{portal.folder / 'portal.sqlite3'}", office=office)
    with database.writing() as session:
        work = Work(session, SYSTEM, now(session), "demo.book")
        state = ledger.plan_state(session, PUDONG, work.at.year)
        case = session.exec(select(Case).where(Case.district_code == PUDONG, Case.case_type == "nonbuild_usage")).first()
        ledger.freeze(work, case, (state.remaining_m2 - state.stored_m2 * Decimal("0.11")).quantize(Decimal("0.01")), area=PUDONG, year=work.at.year)
        ledger.settle(work, case, ledger.Detail("nonbuild_outflow"))
        work.finish()
    database.dispose()


def kept(page: Page, name: str) -> None:
    """A picture for the manual, beside the data: it is looked at, and not kept with the code."""
    SHOWN.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOWN / f"{name}.png", full_page=True)


def drafted(page: Page, key: str) -> str:
    """A draft opened from the library; its address."""
    page.goto("/rules")
    page.locator(f"a[href='/rules/{key}']").click()
    page.get_by_role("button", name="起草修改").click()
    page.wait_for_url(re.compile(r"/rule-drafts/\d+/parameters"))
    return re.match(r".*/rule-drafts/\d+", page.url)[0]


def save(page: Page) -> None:
    page.get_by_role("button", name="保存并检查").click()
    page.wait_for_load_state()


def submitted(page: Page, draft: str, why: str) -> None:
    page.goto(draft)
    page.get_by_label("改了什么、依据是什么").fill(why)
    page.get_by_role("button", name="送复核").click()
    page.wait_for_load_state()


def approved_and_published(page: Page, draft: str) -> None:
    page.goto(draft)
    page.get_by_role("button", name="通过", exact=True).click()
    page.get_by_role("button", name="发布，立即生效").click()
    expect(page.get_by_text("这份草稿已发布。")).to_be_visible()


def publish(author: Page, reviewer: Page, draft: str, why: str) -> None:
    submitted(author, draft, why)
    expect(author.get_by_text("待复核").first).to_be_visible()
    approved_and_published(reviewer, draft)


def replayed(page: Page, draft: str) -> None:
    page.goto(draft)
    page.get_by_role("button", name="回放这一稿").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("结论会变", timeout=60_000)


@pytest.mark.function("PROJ-062", "edited_visually", "in_force_at_once", "history_kept", "history_traced")
def test_the_warning_line_from_ten_to_twelve_percent_and_back(near_line, enter):
    author, reviewer = enter("rule_maintainer", at=near_line), enter("rule_maintainer2", at=near_line)
    handler = enter("district_handler", PUDONG, at=near_line)
    handler.goto("/ledgers")
    expect(handler.get_by_role("heading", level=1)).to_contain_text("未低于警戒线")
    draft = drafted(author, LINE)
    ratio_changed(author)
    refused_while_cases_fail(author, draft)
    cases_corrected(author, draft)
    replayed(author, draft)
    expect(author.get_by_role("heading", name=re.compile("浦东新区.*会停下"))).to_be_visible()
    kept(author, "4-replay")
    submitted(author, draft, "警戒比例由 10% 改为 12%（样例）")
    expect(author.get_by_role("button", name="通过", exact=True)).to_have_count(0)
    reviewer.goto("/rule-drafts")
    expect(reviewer.get_by_role("heading", level=1)).to_contain_text("待你复核 1 份")
    reviewer.goto(draft)
    kept(reviewer, "5-review")
    approved_and_published(reviewer, draft)
    turned(handler, "浦东新区停办")
    rolled_back(author)
    turned(handler, "未低于警戒线")


def ratio_changed(page: Page) -> None:
    """The field is left, and the draft saves itself; the cases of the article then no longer fit."""
    field = page.get_by_label("警戒比例，数值")
    field.fill("0.12")
    field.blur()
    expect(page.get_by_role("status").filter(has_text="已自动保存")).to_be_visible()
    expect(page.locator("#findings")).to_contain_text("2 / 6 通过")
    kept(page, "1-parameter")


def refused_while_cases_fail(page: Page, draft: str) -> None:
    submitted(page, draft, "警戒比例由 10% 改为 12%（样例）")
    expect(page.get_by_role("alert")).to_contain_text("黄金用例「等于警戒线不停办」没有通过")
    kept(page, "2-refused")


def cases_corrected(page: Page, draft: str) -> None:
    for name, remaining, rest in CORRECTED:
        page.goto(f"{draft}/cases")
        page.get_by_role("region", name="黄金用例").get_by_role("link", name=name, exact=True).click()
        if remaining:
            page.get_by_label("剩余耕地面积").fill(remaining)
        if rest:
            page.get_by_label("其他要求").fill(rest)
        save(page)
    expect(page.locator("#findings")).to_contain_text("6 / 6 通过")
    kept(page, "3-cases")


def turned(page: Page, words: str) -> None:
    """The books of the district say so, within the seconds that the portal takes to act on new rules."""
    for _attempt in range(30):
        page.goto("/ledgers")
        if words in page.get_by_role("heading", level=1).inner_text():
            break
        page.wait_for_timeout(1000)
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)


def rolled_back(page: Page) -> None:
    page.goto(f"/rules/{LINE}/editions")
    expect(page.locator(".diff li").filter(has_text="警戒比例")).to_contain_text("0.12")
    page.get_by_role("link", name="回退到这一版").first.click()
    page.get_by_label("理由").fill("通知撤回（样例）")
    kept(page, "6-roll-back")
    page.get_by_role("button", name="立即回退").click()
    expect(page.get_by_text("已回退，原来的规则从现在起施行。")).to_be_visible()
    expect(page.get_by_role("region", name="版本")).to_contain_text("通知撤回（样例）")



@pytest.mark.function("PROJ-062", "edited_visually", "in_force_at_once")
def test_a_light_a_fast_track_and_a_usage_gate_each_in_another_way_of_editing(own_portal, enter):
    author, reviewer = enter("rule_maintainer", at=own_portal), enter("rule_maintainer2", at=own_portal)
    publish(author, reviewer, light_warns_earlier(author), "事项没有规定的，提前 4 日预警（样例）")
    publish(author, reviewer, fast_track_says_why(author), "告知里写明走哪条路（样例）")
    publish(author, reviewer, gate_says_where(author), "告知里写明在哪里选（样例）")
    for key, words in (("deadline_light", "事项没有规定时的预警天数为 4 日"), ("pipeline_fast_track", "未标记快速办理，走三级审批"), ("plot_usage_gate", "可在一张图上选")):
        author.goto(f"/rules/{key}")
        expect(author.locator("main")).to_contain_text(words)
        author.goto(f"/rules/{key}/editions")
        expect(author.get_by_role("region", name="版本")).to_contain_text("何望舒（样例）起草，王知秋（样例）复核")


def light_warns_earlier(page: Page) -> str:
    """A parameter; one case of the article moves, and the limit itself is tried by a proposed case."""
    draft = drafted(page, "deadline_light")
    page.get_by_label("事项没有规定时的预警天数，数值").fill("4")
    save(page)
    page.goto(f"{draft}/cases")
    page.get_by_role("region", name="黄金用例").get_by_role("link", name="没有规定预警天数，剩 4 日，绿灯").click()
    page.get_by_label("名称").fill("没有规定预警天数，剩 5 日，绿灯")
    page.get_by_label("剩余天数").fill("5")
    save(page)
    while page.get_by_label("按条文应得").count():
        page.get_by_label("按条文应得").first.select_option(label="黄灯")
        page.get_by_role("button", name="加入用例").first.click()
        page.wait_for_load_state()
    return draft


def fast_track_says_why(page: Page) -> str:
    """A rule in its form."""
    draft = drafted(page, "pipeline_fast_track")
    page.goto(f"{draft}/rules")
    page.get_by_role("link", name="未标记快速办理").click()
    page.get_by_label("告知的话").fill("未标记快速办理，走三级审批")
    save(page)
    return draft


def gate_says_where(page: Page) -> str:
    """The YAML, as experts write it; the finding of a slip leads to its line."""
    draft = drafted(page, "plot_usage_gate")
    page.goto(f"{draft}/yaml")
    text = page.get_by_label("规则文本（YAML）")
    sound = text.input_value().replace("请至少填一个地块编号", "请至少填一个地块编号，可在一张图上选")
    text.fill(sound.replace("outcome: refuse, message: 没有地块", "outcome: refused, message: 没有地块"))
    save(page)
    page.locator("#findings").get_by_role("link", name=re.compile(r"第 \d+ 行")).first.click()
    assert re.search(r"#line-\d+$", page.url)
    text.fill(sound)
    save(page)
    expect(page.locator("#findings")).to_contain_text("没有发现问题")
    return draft
