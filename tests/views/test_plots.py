"""Plots of a case on the screen: template, upload with every bad row named, list, delete, clear."""

import io
from pathlib import Path

import openpyxl
import pytest
from bs4 import BeautifulSoup

from domain import hold, plot
from domain.errors import Conflict
from tests.case_types.test_annual_reserve import filled
from tests.domain.plot_layer import QINGPU, farmland, load, number, of_plots, workbook

SHEETS = Path(__file__).parent.parent / "data" / "plots"


@pytest.fixture
def handler(database, person):
    load(database, [*(farmland(n, QINGPU, f"100{n}.01") for n in range(1, 6)), farmland(9, QINGPU, "7", "已流出")])
    return person("district_handler", district=QINGPU)


@pytest.fixture
def browser(handler, sign_in):
    return sign_in(handler)


def send(browser, case_id, content, name="地块.xlsx"):
    return browser.post(f"/cases/{case_id}/plots/upload", files={"file": (name, content)})


def soup(response, status=200):
    assert response.status_code == status, response.text[:500]
    return BeautifulSoup(response.text, "html.parser")


@pytest.mark.function("LAND-059", "template_downloaded")
def test_the_built_in_template_is_handed_out(browser):
    response = browser.get("/plots/template")
    assert "attachment" in response.headers["content-disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(response.content))["地块"]
    assert sheet["A1"].value == "地块唯一编号*"


@pytest.mark.function("LAND-059", "template_customised")
def test_the_template_that_administrators_put_in_force_is_handed_out_instead(database, office, browser, person):
    from domain import template_file

    custom = workbook([], head=("我区地块", "行政区", "地块唯一编号"))
    administrator = person("system_admin")
    received = template_file.receive(office.files, "自定义模板.xlsx", [custom])
    with database.writing() as session:
        slot = template_file.slots(office)["plot_upload"]
        template_file.put_version(session, administrator, slot, received, "自定义模板.xlsx", "加一列（样例）", 0)
    assert browser.get("/plots/template").content == custom


@pytest.mark.function("LAND-061", "detail_listed")
def test_an_upload_shows_the_list_with_its_total(database, browser, handler):
    walk = filled(database, handler)
    response = send(browser, walk.id, of_plots(number(1), number(2)))
    assert response.status_code == 303
    page = soup(browser.get(response.headers["location"]))
    numbers = [row.select_one("td[data-label=地块编号]").get_text(strip=True) for row in page.select("tbody tr")]
    assert numbers == [number(1), number(2)]
    assert "2,003.02" in page.tfoot.get_text() and "2 块" in page.h1.get_text()
    assert "区级指标" in page.select_one("tbody tr").get_text()


def test_the_list_is_searched_and_sorted(database, browser, handler):
    walk = filled(database, handler, "annual", number(1), number(2), number(3))
    assert len(soup(browser.get(f"/cases/{walk.id}/plots?q=000002")).select("tbody tr")) == 1
    first = soup(browser.get(f"/cases/{walk.id}/plots?sort=-area_m2")).select_one("tbody tr")
    assert number(3) in first.get_text()


@pytest.mark.function("LAND-060", "occupied_refused", "nothing_stored", "number_named")
def test_a_refused_upload_names_every_row_and_keeps_nothing(database, browser, handler):
    walk = filled(database, handler)
    page = soup(send(browser, walk.id, of_plots(number(1), number(9), number(77))), 422)
    rows = [[cell.get_text(strip=True) for cell in row.select("td")] for row in page.select("table")[0].select("tbody tr")]
    assert [(row[0], row[1]) for row in rows] == [("3", number(9)), ("4", number(77))]
    assert "已被占用过" in rows[0][2] and "没有这个编号" in rows[1][2]
    assert page.select_one(".summary a")["href"] == "#plots-file"
    with database.reading() as session:
        assert hold.marks_of(session) == {}


@pytest.mark.parametrize(("content", "name"), [(b"GD1", "a.txt"), (b"PK\x03\x04broken", "a.xlsx"), (workbook([]), "a.xlsx")])
def test_what_is_no_table_of_plots_is_refused_at_the_field(database, browser, handler, content, name):
    walk = filled(database, handler)
    assert soup(send(browser, walk.id, content, name), 422).select_one(".summary")


@pytest.mark.parametrize(("name", "message"), [
    ("typed.ods", "「typed.ods」没有上传。请在表格软件中另存为 .xlsx"), ("typed.xls", "「typed.xls」没有上传。请在表格软件中另存为 .xlsx"),
    ("old_format_renamed.xlsx", "旧版 Office 文档"), ("two_tables.xlsx", "“练塘镇”、“金泽镇”"),
])
def test_a_file_of_another_make_is_refused_in_words_and_nothing_is_kept(database, browser, handler, name, message):
    walk = filled(database, handler)
    page = soup(send(browser, walk.id, (SHEETS / name).read_bytes(), name), 422)
    assert message in page.select_one(".summary").get_text()
    with database.reading() as session:
        assert plot.summary(session, walk.id).count == 0 and hold.marks_of(session) == {}


@pytest.mark.parametrize(("name", "rows"), [
    ("formula_errors.xlsx", [("3", "#N/A", "#N/A，请改正公式")]),
    ("merged.xlsx", [("3", number(2), "与第 2 行合并"), ("4", number(3), "与第 2 行合并")]),
])
@pytest.mark.function("LAND-060", "nothing_stored", "number_named")
def test_every_cell_that_cannot_be_taken_is_named_by_its_row(database, browser, handler, name, rows):
    walk = filled(database, handler)
    page = soup(send(browser, walk.id, (SHEETS / name).read_bytes(), name), 422)
    shown = [[cell.get_text(strip=True) for cell in row.select("td")] for row in page.select_one("table").select("tbody tr")]
    assert [(row[0], row[1]) for row in shown] == [(row[0], row[1]) for row in rows]
    assert all(reason in row[2] for row, (_, _, reason) in zip(shown, rows, strict=True))
    with database.reading() as session:
        assert plot.summary(session, walk.id).count == 0 and hold.marks_of(session) == {}


@pytest.mark.parametrize(("name", "count"), [("typed.xlsx", 3), ("formulas.xlsx", 2)])
@pytest.mark.function("LAND-059", "filled_template_uploaded")
def test_a_table_typed_in_a_spreadsheet_program_goes_through(database, browser, handler, name, count):
    walk = filled(database, handler)
    response = send(browser, walk.id, (SHEETS / name).read_bytes(), name)
    assert f"地块明细：{count} 块" in soup(browser.get(response.headers["location"])).h1.get_text()


@pytest.mark.function("LAND-060", "occupied_refused", "nothing_stored", "number_named")
def test_the_second_of_two_officers_is_told_who_has_the_plot(database, browser, handler, person, sign_in):
    first = filled(database, handler, "annual", number(2))
    colleague = person("district_handler", district=QINGPU)
    second = filled(database, colleague, "supplement")
    page = soup(send(sign_in(colleague), second.id, of_plots(number(1), number(2))), 422)
    [row] = page.select_one("table").select("tbody tr")
    assert all(word in row.get_text() for word in ("3", number(2), f"已被办件 {first.case.draft_number} 预占（自 "))
    with database.reading() as session:
        assert hold.marks_of(session) == {number(2): "reserved"}


def test_who_loses_the_race_for_a_plot_sees_the_holder_at_the_field(database, browser, handler, monkeypatch):
    """Between the check of the rows and their marks somebody else takes a plot."""
    def taken(*_given):
        raise Conflict(f"{number(1)} 已被办件 YC-1 预占（自 2026-11-28 09:00）。本次没有占用任何地块。")

    walk = filled(database, handler)
    monkeypatch.setattr(hold, "take", taken)
    page = soup(send(browser, walk.id, of_plots(number(1))), 409)
    assert "已被办件 YC-1 预占" in page.select_one(".summary").get_text()
    with database.reading() as session:
        assert plot.summary(session, walk.id).count == 0


def test_columns_that_were_left_out_are_said(database, browser, handler):
    walk = filled(database, handler)
    content = workbook([(number(1), "青浦区", "备注")], head=("地块唯一编号", "行政区", "我的备注"))
    response = send(browser, walk.id, content)
    assert "我的备注" in soup(browser.get(response.headers["location"])).select_one(".notice").get_text()


@pytest.mark.function("LAND-062", "cleared", "marks_released", "detail_empty")
def test_delete_and_clear_release_the_marks(database, browser, handler):
    walk = filled(database, handler, "annual", number(1), number(2), number(3))
    assert browser.post(f"/cases/{walk.id}/plots/remove", {"plot_number": number(2)}).status_code == 303
    with database.reading() as session:
        assert set(hold.marks_of(session)) == {number(1), number(3)}
    [clear] = [a["href"] for a in soup(browser.get(f"/cases/{walk.id}/plots")).select("a") if a.get_text(strip=True) == "地块清空"]
    assert "清空 2 块" in soup(browser.get(clear)).h1.get_text()
    assert browser.post(f"/cases/{walk.id}/plots/clear").status_code == 303
    with database.reading() as session:
        assert hold.marks_of(session) == {}


def test_somebody_of_another_district_does_not_find_the_list(database, browser, handler, sign_in, person):
    walk = filled(database, handler, "annual", number(1))
    walk.act(handler, "apply", "submit")
    stranger = sign_in(person("district_handler", district="310115"))
    soup(stranger.get(f"/cases/{walk.id}/plots"), 404)
    assert send(stranger, walk.id, of_plots(number(2))).status_code == 404


def test_after_submission_the_list_is_read_only(database, browser, handler):
    walk = filled(database, handler, "annual", number(1))
    walk.act(handler, "apply", "submit")
    assert not soup(browser.get(f"/cases/{walk.id}/plots")).select("input[type=file]")
    assert send(browser, walk.id, of_plots(number(2))).status_code == 403


@pytest.mark.function("LAND-058", "plots_checked")
@pytest.mark.function("LAND-059", "upload_button")
def test_the_panel_shows_the_plots_on_the_case_page(database, browser, handler):
    walk = filled(database, handler, "annual", number(1))
    panel = soup(browser.get(f"/cases/{walk.id}")).select_one("#plots")
    assert number(1) in panel.get_text() and panel.select_one("input[type=file]")


@pytest.mark.function("LAND-058", "seen_in_review")
def test_a_reviewer_sees_form_plots_and_declaration(database, browser, handler, sign_in, person):
    walk = filled(database, handler, "annual", number(1))
    walk.act(handler, "apply", "submit")
    page = soup(sign_in(person("district_leader", district=QINGPU)).get(f"/cases/{walk.id}"))
    assert number(1) in page.select_one("#plots").get_text()
    assert "预存申报表.pdf" in page.get_text()
