"""The case page as an official sees it: tabs, step form, refusals with reasons, files, repeated decisions."""

from bs4 import BeautifulSoup

from tests.domain.case.conftest import (  # noqa: F401
    PNG,
    applicant,
    filing,
    office,
    officers,
    tree_office,
)
from views.case_head import TABS


def soup(response):
    return BeautifulSoup(response.text, "html.parser")


def test_every_tab_of_a_case_in_hand_is_a_page(filing, officers, sign_in):  # noqa: F811
    filing.submitted()
    browser = sign_in(officers["window"])
    for tab, label in TABS.items():
        path = f"/cases/{filing.id}" if tab == "work" else f"/cases/{filing.id}/tabs/{tab}"
        response = browser.get(path)
        assert response.status_code == 200, (tab, response.text[:2000])
        page = soup(response)
        assert page.h1.text == "泵站工程"
        assert page.select_one(".tabs [aria-current=page]").text.startswith(label)
