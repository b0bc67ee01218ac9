"""土地利用现状分析 as people use it: analysed twice, every result kept, compared, exported; its numbers close everywhere."""

import re
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyogrio
import pytest
from playwright.sync_api import Download, Page, expect

QINGPU, PUDONG = "310118", "310115"
ANALYSIS = "/overlays/analyses/land_use_analysis"


def analysed(page: Page, note: str) -> str:
    """One more analysis of the district with a note; the address of its result."""
    page.goto(ANALYSIS)
    page.get_by_label("行政区").select_option(QINGPU)
    page.get_by_role("textbox", name="说明").fill(note)
    page.get_by_role("button", name="分析并保存").click()
    expect(page.get_by_role("heading", name="逐个范围")).to_be_visible(timeout=60_000)
    return re.search(r"/overlays/\d+", page.url)[0]


def amount(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def totals(page: Page) -> list[Decimal]:
    """The area of the total row of every table of sums."""
    found = []
    for row in page.locator("tfoot tr").all():
        found.append(next(amount(text) for text in row.locator("th, td").all_inner_texts() if re.fullmatch(r"[\d,]+\.\d\d", text.strip())))
    return found


def downloaded(download: Download, folder: Path) -> Path:
    path = folder / download.suggested_filename
    download.save_as(path)
    return path


@pytest.mark.function("LAND-077", "c1", "c2", "c3", "c4")
def test_a_district_analyses_its_supplement_patches_twice_and_takes_the_numbers_away(enter, tmp_path):
    handler = enter("district_handler", QINGPU)
    handler.goto("/overlays")
    handler.get_by_role("link", name="土地利用现状分析", exact=True).click()
    expect(handler).to_have_url(re.compile(ANALYSIS))
    first = analysed(handler, "第一稿（走查）")
    whole = amount(re.search(r"：([\d,]+\.\d\d) 平方米", handler.get_by_role("heading", level=1).inner_text())[1])
    by_type = handler.get_by_role("table", name="按类型")
    for words in ("调入", "调出", "耕地面积", "水田面积", "耕地平均质量等别"):
        expect(by_type).to_contain_text(words)
    assert whole > 0 and set(totals(handler)) == {whole}
    second = analysed(handler, "第二稿（走查）")
    handler.goto(ANALYSIS)
    kept = handler.get_by_role("region", name="历次结果")
    for note in ("第一稿（走查）", "第二稿（走查）"):
        expect(kept).to_contain_text(note)
    handler.goto(f"/overlays/compare?first={first.split('/')[-1]}&second={second.split('/')[-1]}")
    expect(handler.get_by_role("heading", level=1)).to_contain_text("两次结果一致")
    handler.goto(second)
    with handler.expect_download() as began:
        handler.get_by_role("link", name="下载 GeoPackage").click()
    _meta, _ids, _shapes, [areas] = pyogrio.raw.read(downloaded(began.value, tmp_path), columns=["area_m2"])
    assert round(sum(Decimal(str(each)) for each in areas), 2) == whole
    handler.get_by_role("button", name="导出 xlsx").click()
    with handler.expect_download(timeout=60_000) as began:
        handler.get_by_role("link", name=re.compile("下载")).click(timeout=60_000)
    rows = list(openpyxl.load_workbook(downloaded(began.value, tmp_path), read_only=True).active.iter_rows(values_only=True))
    assert rows[0][-1] == "面积（平方米）" and round(sum(Decimal(str(row[-1])) for row in rows[1:]), 2) == whole
    assert enter("district_handler", PUDONG).goto(first).status == 404


def test_a_result_fits_a_phone(enter):
    handler = enter("district_handler", QINGPU, viewport={"width": 390, "height": 844})
    address = analysed(handler, "手机上看（走查）")
    for path in (address, ANALYSIS, "/overlays", "/overlays/new", "/overlays/new?source=file"):
        handler.goto(path)
        assert handler.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, path
