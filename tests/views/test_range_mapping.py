"""落图 on the applicant's side: the list of faults, the button that waits for the layers, the map with its layers to switch."""

import json

import pytest
import shapely
from bs4 import BeautifulSoup

from domain.case.tables import Case
from tests.case_types.permit_walk import Permit
from tests.domain.space_fixtures import BUILT, DRY, geojson, load_plots, read_file

BOW_TIE = shapely.Polygon([(121.08, 31.06), (121.081, 31.061), (121.081, 31.06), (121.08, 31.061)])


@pytest.fixture
def permit(database, linked, person):
    made = Permit(database, person)
    assert made.filled() == {}
    return made


@pytest.fixture
def browser(permit, sign_in):
    return sign_in(permit.applicant)


def given(permit, database, *shapes):
    row = read_file(database, permit.applicant, permit.id, geojson(*shapes))
    return f"/cases/{permit.id}/ranges/{row.id}"


def soup(answer, status=200):
    assert answer.status_code == status, answer.text[:1500]
    return BeautifulSoup(answer.text, "html.parser")


def button(page):
    return next(each for each in page.select("#mapping button") if "落图" in each.get_text())


@pytest.mark.function("PROJ-023", "c1", "c2", "c3", "c5")
def test_the_button_waits_for_the_layers_and_then_puts_the_range_on_the_map(permit, database, browser):
    with database.writing() as session:
        load_plots(session)
    path = given(permit, database, shapely.union(DRY, BUILT))
    waiting = soup(browser.get(path))
    assert button(waiting).has_attr("disabled") and "正在获取 GIS 数据" in waiting.get_text()
    asked = browser.get(waiting.select_one("#mapping")["hx-get"], headers={"HX-Request": "true"})
    ready = soup(asked)
    assert asked.text.lstrip().startswith('<div class="stack" id="mapping"') and not button(ready).has_attr("disabled")
    rows = [row.get_text(" ", strip=True) for row in ready.select("tbody tr")]
    assert any("0103 旱地 1" in row for row in rows) and any("耕地保护空间 1" in row for row in rows)
    check = f"/filing/{draft_of(permit, database)}/check"
    assert "管线范围图形" in soup(browser.get(check)).select_one(".summary").get_text()
    assert browser.post(f"{path}/confirm").status_code == 303
    assert "管线范围图形" not in soup(browser.get(check)).select_one(".summary").get_text()


def draft_of(permit, database):
    with database.reading() as session:
        return session.get(Case, permit.id).draft_number


@pytest.mark.function("PROJ-023", "c4")
def test_without_an_answer_of_the_layers_the_button_stays_closed_and_says_why(permit, database, browser):
    path = given(permit, database, DRY)
    page = soup(browser.get(f"{path}?gis=1"))
    assert button(page).has_attr("disabled")
    assert "没有取得 GIS 数据" in page.get_text() and page.find("a", string="重新获取")["href"].endswith("gis=1")


@pytest.mark.function("PROJ-022", "c1", "c2", "c3")
def test_the_map_shows_the_boundary_with_the_layers_at_the_left(permit, database, browser):
    with database.writing() as session:
        load_plots(session)
    path = given(permit, database, DRY)
    frame = soup(browser.get(f"{path}?gis=1")).select_one("details iframe")
    assert frame["src"].endswith(f"{path}/map")
    html = browser.get(f"{path}/map").text
    assert '"position": "topleft"' in html
    for layer in ("本案范围", "耕地保护空间", "耕地"):
        assert f"{json.dumps(layer)} : feature_group" in html


@pytest.mark.function("PROJ-022", "c4", "c5")
def test_a_file_that_fails_shows_its_faults_and_cannot_be_put_on_the_map(permit, database, browser):
    path = given(permit, database, BOW_TIE)
    page = soup(browser.get(f"{path}?gis=1"))
    assert button(page).has_attr("disabled") and "不能落图" in page.get_text()
    assert page.select(".notice.bad") and not page.select("iframe")
    assert browser.get(f"{path}/map").status_code == 422
    assert browser.post(f"{path}/confirm").status_code == 422
