"""Which rules decided a project, on the library's side: found, linked, and nothing of another district."""

import pytest

from domain.rule_edition import files
from tests.domain.case.conftest import applicant, filing, office, tree_office  # noqa: F401
from tests.views.reading import heading, link, read, words

PATH, LIMIT = "/rules/by-project", "tree_limit"


@pytest.fixture
def filed(filing, database, office):  # noqa: F811
    files.sync(database, office)
    filing.fill()
    filing.attach()
    filing.act(filing.applicant, "apply", "submit", "")
    return filing.case


def asked(browser, q, **more):
    return read(browser.get(PATH, params={"q": q, **more}))


@pytest.mark.function("PROJ-062", "edition_of_project_found")
def test_a_project_shows_its_rule_sets_with_edition_and_outcome(filed, person, sign_in):
    browser = sign_in(person("rule_maintainer"))
    assert link(read(browser.get("/rules")), "按项目查用过的规则") == PATH
    for q in (filed.draft_number, "泵站"):
        page = asked(browser, q)
        assert heading(page) == f"用过规则的办件1件，搜索“{q}”"
        row = next(each for each in page.select("tbody tr") if LIMIT in words(each))
        edition, decision = (each["href"] for each in row.select("a"))
        assert edition.startswith(f"/rules/{LIMIT}/yaml?edition=") and decision.startswith("/rule-decisions/")
        assert LIMIT in words(read(browser.get(edition))) and read(browser.get(decision))
    assert not asked(browser, "泵站", page="2").select("tbody tr")


def test_nothing_asked_and_nothing_found_are_said(filed, person, sign_in):
    browser = sign_in(person("rule_maintainer"))
    assert "输入后查找" in words(read(browser.get(PATH)))
    assert "没有你有权看的、用过规则的办件" in words(asked(browser, "没有这个项目"))


def test_another_district_and_an_applicant_see_nothing(filed, person, sign_in):
    page = asked(sign_in(person("window", district="310115")), filed.draft_number)
    assert "没有你有权看的" in words(page) and LIMIT not in words(page)
    assert LIMIT in words(asked(sign_in(person("window", district="310118")), filed.draft_number))
    assert sign_in(person("applicant")).get(PATH).status_code == 403
