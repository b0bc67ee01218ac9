"""Query and statistics of a layer on the screen."""

import pytest
from bs4 import BeautifulSoup

from domain.area import area_m2, sum_m2
from tests.domain.space_fixtures import BUILT, DRY, PADDY, PERMANENT, QINGPU, load_plots


@pytest.fixture
def browser(database, sign_in, person):
    with database.writing() as session:
        load_plots(session)
    return sign_in(person("district_handler", district=QINGPU))


def found(browser, query):
    answer = browser.get(f"/map/query?{query}")
    assert answer.status_code == 200, answer.text[:500]
    shown = BeautifulSoup(answer.text, "html5lib")
    keys = [row.select_one("a").text for row in shown.select("section[aria-label=清单] tbody tr")]
    return keys, shown.select_one("#q-count").text, shown.select_one("#q-area").text


def test_what_is_found_sums_to_the_list(browser):
    shapes = (PERMANENT, PADDY, DRY, BUILT)
    keys, count, area = found(browser, "layer=land_use")
    assert (keys, count) == (["DL-1", "DL-2", "DL-3", "DL-4"], "4") and area == f"{sum_m2(map(area_m2, shapes)):,}"


@pytest.mark.parametrize(("query", "keys"), [
    ("class=01", ["DL-1", "DL-2", "DL-3"]), ("class=0103", ["DL-3"]), ("district=310115", []), (f"district={QINGPU}&class=07", ["DL-4"]),
    ("field=location_unit_name&value=样例镇", ["DL-1", "DL-2", "DL-3", "DL-4"]), ("field=location_unit_name&value=别处", []),
    ("least=1", ["DL-1", "DL-2", "DL-3", "DL-4"]), ("least=99999999", []), ("class=%25", []), ("box=121.06,31.06,121.063,31.063", ["DL-1"]),
])
def test_every_condition_narrows(browser, query, keys):
    shown, count, _area = found(browser, f"layer=land_use&{query}")
    assert shown == keys and count == str(len(keys))


@pytest.mark.parametrize("query", ["layer=nothing", "layer=land_use&box=1,2", "layer=land_use&least=NaN", "layer=land_use&field=none&value=1"])
def test_what_cannot_be_read_is_refused_in_words(browser, query):
    answer = browser.get(f"/map/query?{query}")
    assert answer.status_code == 422 and BeautifulSoup(answer.text, "html5lib").select_one("[role=alert]").text.endswith("。")


def test_the_list_leads_to_the_map_with_its_features_pointed_out(browser):
    shown = BeautifulSoup(browser.get("/map/query?layer=land_use&class=01").text, "html5lib")
    on_map = BeautifulSoup(browser.get(shown.find("a", string="在图上看这一页")["href"]).text, "html5lib")
    assert [each["data-found"] for each in on_map.select("#map-facts [data-found]")] == ["DL-1", "DL-2", "DL-3"]
