"""线索图斑: bad patches are found and kept out, good ones are admitted, and each becomes a case that both partners hear of."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from domain.demo import sample_package
from domain.demo.inspections import spoilt
from domain.inspection import schemes

QINGPU, SCHEME, FIRST, COUNT = "310118", "clue_patches", 720, 4
STAGES = ["案件编号", "套合情况", "入共享库", "流程启动", "转天地图"]


def package(folder: Path, name: str, *faults: dict) -> Path:
    scheme, path = schemes()[SCHEME], folder / name
    path.write_bytes(sample_package.package(scheme, QINGPU, count=COUNT, first=FIRST, spoilt=dict(spoilt(scheme, faults, FIRST))))
    return path


def inspected(page: Page) -> None:
    expect(page.get_by_role("button", name="确认无误，开始质检")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="确认无误，开始质检").click()
    expect(page.get_by_role("navigation", name="查看窗口")).to_be_visible(timeout=30_000)


@pytest.mark.function("PROJ-044", "c1", "c2", "c3", "c4", "c5")
def test_good_patches_of_a_package_become_cases_and_every_stage_is_seen(enter, tmp_path):
    handler = enter("district_handler", QINGPU)
    handler.goto("/inspections/new")
    handler.get_by_label("质检方案", exact=True).select_option(SCHEME)
    handler.get_by_label("任务名称").fill("遥感线索（走查）")
    handler.get_by_label("数据包", exact=True).set_input_files(str(package(tmp_path, "线索.gpkg", {"row": 1, "how": "shape"}, {"row": 3, "how": "repeat"})))
    handler.get_by_role("button", name="上传并读取").click()
    inspected(handler)
    expect(handler.get_by_role("heading", level=1)).to_contain_text("不合格")
    expect(handler.get_by_role("row").filter(has_text="编号唯一性")).to_have_count(1)
    expect(handler.get_by_role("button", name="上图入库")).to_be_disabled()
    expect(handler.get_by_role("heading", name="图斑案件")).to_have_count(0)
    handler.get_by_label("改正后的数据包").set_input_files(str(package(tmp_path, "线索改.gpkg")))
    handler.get_by_role("button", name="上传改正后的数据包").click()
    inspected(handler)
    handler.get_by_role("button", name="上图入库").click()
    expect(handler.get_by_role("heading", name="图斑案件")).to_be_visible(timeout=20_000)
    handler.get_by_role("link", name=re.compile("看全部 4 个图斑的案件")).click()
    expect(handler.get_by_role("status").filter(has_text="转天地图 4 / 4")).to_contain_text("入共享库 4 / 4", timeout=30_000)
    rows = handler.get_by_role("region", name="图斑案件").locator("tbody tr")
    expect(rows).to_have_count(COUNT)
    for row in rows.all():
        expect(row.get_by_text("完成", exact=True)).to_have_count(len(STAGES))
    handler.set_viewport_size({"width": 390, "height": 844})
    assert handler.evaluate("() => document.documentElement.scrollWidth") <= 390
    handler.set_viewport_size({"width": 1440, "height": 900})
    number = rows.first.get_by_role("link", name=re.compile("沪规资执")).inner_text()
    rows.first.get_by_role("link", name=re.compile("沪规资执")).click()
    panel = handler.get_by_role("region", name="图斑各环节")
    expect(panel.get_by_role("listitem")).to_have_count(len(STAGES))
    expect(panel.get_by_text("完成", exact=True)).to_have_count(len(STAGES))
    address = handler.url
    checker = enter("enforcer", QINGPU)
    checker.goto(address)
    expect(checker.locator("main")).to_contain_text(number)
    checker.get_by_role("button", name="认领", exact=True).click()
    expect(checker.get_by_role("button", name="提交核查情况")).to_be_visible()
    stranger = enter("enforcer", "310115")
    stranger.goto(address)
    expect(stranger.get_by_role("heading", level=1)).to_contain_text("没有这一页")
