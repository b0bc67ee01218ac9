"""Reading answered pages as a person does: parsed strictly, asked for what is seen."""

import html5lib
from bs4 import BeautifulSoup


def page(answer, status=200):
    """The parsed page of an answer with this status; a bad tag fails the test."""
    assert answer.status_code == status, answer.text[:2000]
    html5lib.HTMLParser(strict=True).parse(answer.text)
    return BeautifulSoup(answer.text, "html.parser")


def title(answer, status=200):
    """The heading of a page."""
    return page(answer, status).select_one("h1").get_text(strip=True)


def faults(answer):
    """The lines of the error summary of a refused form."""
    return [line.get_text(strip=True) for line in page(answer, 422).select(".summary li")]


def cells(answer, label):
    """The cells of one column, by its label."""
    return [cell.get_text(" ", strip=True) for cell in page(answer).select(f'td[data-label="{label}"]')]
