"""The function list as a page: searched, filtered by state, paged, and honest about what is not there."""

from bs4 import BeautifulSoup

from domain.function_list import functions, standings
from views.functions import state_of


def soup(response):
    return BeautifulSoup(response.text, "html.parser")


def page_of(app, query=""):
    from starlette.testclient import TestClient

    return soup(TestClient(app, base_url="http://testserver").get(f"/functions{query}"))


def test_the_list_is_open_to_everybody_and_counts_what_is_proven(app, settings):
    page = page_of(app)
    found = standings(settings.var_dir / "test-results.json")
    proven = sum(each.is_proven for each in found)
    counted = f"{proven} 项全部证明，共" if any(each.passed_count for each in found) else "共"
    assert page.h1.text == f"功能清单：{counted} {len(found)} 项"
    assert len(page.select(".tasks > li")) == 50


def test_a_number_finds_one_function_with_all_its_clauses(app):
    wanted = functions()[0]
    page = page_of(app, f"?q={wanted.id}")
    [row] = page.select(f".tasks > li#{wanted.id}")
    assert len(row.select(".because li")) == len(wanted.clauses)
    assert wanted.title in row.text


def test_a_state_leaves_the_functions_in_it(app, settings):
    page = page_of(app, "?state=open&q=LAND")
    found = {row["id"] for row in page.select(".tasks > li")}
    states = {each.function.id: state_of(each) for each in standings(settings.var_dir / "test-results.json")}
    assert found and {states[each] for each in found} == {"open"}


def test_nothing_found_says_so(app):
    assert "没有符合条件的功能" in page_of(app, "?q=根本没有的功能").text
