"""质检 as people use it: a broken package, findings on the map, one exception by two people, a correction, the certificate."""

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from domain.demo import sample_package
from domain.demo.inspections import spoilt
from domain.inspection import schemes

QINGPU, SCHEME = "310118", "supplement_package"
REPEATED, OVERLAP = {"row": 5, "how": "repeat"}, {"row": 3, "how": "shape"}


def package(folder: Path, name: str, *faults: dict, first: int = 420) -> Path:
    """A supplement package with these faults in it."""
    scheme, path = schemes()[SCHEME], folder / name
    path.write_bytes(sample_package.package(scheme, QINGPU, first=first, spoilt=dict(spoilt(scheme, faults, first))))
    return path


def uploaded(page: Page, title: str, *files: Path) -> str:
    """A new task over files, read and shown for confirmation; its address."""
    page.goto("/inspections/new")
    page.get_by_label("质检方案", exact=True).select_option(SCHEME)
    page.get_by_label("任务名称").fill(title)
    page.get_by_label("数据包", exact=True).set_input_files([str(each) for each in files])
    page.get_by_role("button", name="上传并读取").click()
    expect(page.get_by_role("button", name="确认无误，开始质检")).to_be_visible(timeout=20_000)
    return re.search(r"/inspections/\d+", page.url)[0]


def confirmed(page: Page) -> None:
    page.get_by_role("button", name="确认无误，开始质检").click()
    expect(page.get_by_role("navigation", name="查看窗口")).to_be_visible(timeout=30_000)


@pytest.mark.function("DELTA-009", "c4", "c5")
@pytest.mark.function("LAND-076", "c6")
def test_a_broken_package_is_read_on_the_map_excepted_mended_and_certified(enter, tmp_path):
    handler, title = enter("district_handler", QINGPU), "青浦补划（走查）"
    address = uploaded(handler, title, package(tmp_path, "补划.gpkg", REPEATED, OVERLAP))
    expect(handler.get_by_role("region", name="读到的图层")).to_contain_text("BHTB")
    confirmed(handler)
    expect(handler.get_by_role("heading", level=1)).to_contain_text("不合格：3 处错误要改")
    box = handler.locator("#inspection-map")
    expect(box.locator("path.leaflet-interactive").first).to_be_visible()
    overlap = handler.get_by_role("row").filter(has_text="图层内重叠")
    overlap.get_by_role("link", name=re.compile("定位")).click()
    expect(handler.locator("#finding-title")).to_contain_text("图层内重叠")
    expect(overlap).to_have_class(re.compile("picked"))
    expect(box.locator('path[stroke="#f2b52a"]')).to_have_count(1)
    overlap.get_by_role("link", name=re.compile("定位")).focus()
    handler.keyboard.press("ArrowUp")
    expect(overlap).not_to_have_class(re.compile("picked"))
    repeated = handler.get_by_role("row").filter(has_text="编号唯一性")
    repeated.get_by_role("checkbox").check()
    handler.get_by_text("申请例外", exact=True).first.click()
    handler.get_by_label("理由").fill("编号沿用上年，下年一并更正")
    handler.get_by_role("button", name="为勾选的问题申请例外").click()
    expect(handler.get_by_role("row").filter(has_text="编号唯一性")).to_contain_text("例外待批")
    chief = enter("district_chief", QINGPU)
    chief.goto(address)
    chief.get_by_role("button", name="同意", exact=True).click()
    expect(chief.get_by_role("button", name="同意", exact=True)).to_have_count(0)
    handler.goto(address)
    expect(handler.get_by_role("row").filter(has_text="编号唯一性")).to_contain_text("例外")
    expect(handler.get_by_role("heading", level=1)).to_contain_text("不合格：2 处错误要改")
    expect(handler.get_by_role("button", name="预入库")).to_be_disabled()
    handler.get_by_label("改正后的数据包").set_input_files(str(package(tmp_path, "补划改.gpkg", REPEATED)))
    handler.get_by_role("button", name="上传改正后的数据包").click()
    expect(handler.get_by_role("button", name="确认无误，开始质检")).to_be_visible(timeout=20_000)
    confirmed(handler)
    expect(handler.get_by_role("heading", level=1)).to_contain_text("合格，成绩")
    expect(handler.get_by_role("link", name=re.compile("已改正 [12] 处"))).to_be_visible()
    with handler.expect_download() as download:
        handler.get_by_role("link", name="下载质检证书").first.click()
    certificate = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert certificate["passed_with_exceptions"] and certificate["exceptions"][0]["reason"].startswith("编号沿用上年")
    handler.get_by_label("改正后的数据包").set_input_files(str(package(tmp_path, "补划全改.gpkg")))
    handler.get_by_role("button", name="上传改正后的数据包").click()
    expect(handler.get_by_role("button", name="确认无误，开始质检")).to_be_visible(timeout=20_000)
    confirmed(handler)
    expect(handler.get_by_role("heading", level=1)).to_contain_text("合格，成绩")
    handler.get_by_role("button", name="预入库").click()
    expect(handler.get_by_text("已预入库")).to_be_visible(timeout=20_000)
    handler.get_by_role("link", name="在一张图上看").first.click()
    expect(handler.locator("#map-facts")).to_contain_text("永久基本农田补划退出图层")
    expect(handler.locator("#map-layers")).to_contain_text("预入库的补划、退出图斑")
    handler.goto(address)
    assert handler.evaluate("() => document.documentElement.scrollWidth") <= 1440


@pytest.mark.function("DELTA-010", "c2", "c5", "c6")
def test_an_export_holds_what_was_ticked_and_says_when_it_is_done(enter, tmp_path):
    handler = enter("district_handler", QINGPU)
    uploaded(handler, "导出（走查）", package(tmp_path, "导出.gpkg", REPEATED))
    confirmed(handler)
    handler.get_by_label("错误清单.xlsx").check()
    handler.get_by_role("button", name="导出", exact=True).click()
    expect(handler.get_by_text("完成").first).to_be_visible(timeout=20_000)
    with handler.expect_download() as download:
        handler.get_by_role("link", name=re.compile("^下载 ")).click()
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        assert archive.namelist() == ["错误清单.xlsx"]


def test_a_zip_of_several_packages_is_a_batch_on_a_phone(enter, tmp_path):
    handler = enter("district_handler", QINGPU, viewport={"width": 390, "height": 844})
    both = tmp_path / "两个成果.zip"
    with zipfile.ZipFile(both, "w") as archive:
        archive.write(package(tmp_path, "甲.gpkg"), "甲/甲.gpkg")
        archive.write(package(tmp_path, "乙.gpkg", REPEATED, first=480), "乙/乙.gpkg")
    uploaded(handler, "批量（走查）", both)
    confirmed(handler)
    rows = handler.get_by_role("region", name="批量任务的数据包").get_by_role("row")
    expect(rows.filter(has_text="甲.gpkg")).to_contain_text("合格")
    expect(rows.filter(has_text="乙.gpkg")).to_contain_text("不合格")
    assert handler.evaluate("() => document.documentElement.scrollWidth") <= 390
