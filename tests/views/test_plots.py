"""Plots of a case on the screen: template, upload with every bad row named, list, delete, clear."""

import io

import openpyxl
import pytest
from bs4 import BeautifulSoup

from domain import hold
from tests.case_types.test_annual_reserve import filled
from tests.domain.plot_layer import QINGPU, farmland, load, number, of_plots, workbook


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
    assert "清空 2 块" in soup(browser.get(f"/cases/{walk.id}/plots/clear")).h1.get_text()
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
