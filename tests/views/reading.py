"""Reading an answer as a person would: parsed strictly, asked for by what is seen; and posting its forms."""

from typing import Any

import html5lib
from bs4 import BeautifulSoup, Tag


def read(response: Any, status: int = 200) -> BeautifulSoup:
    """The page of an answer; a wrong status or a bad tag fails."""
    assert response.status_code == status, response.text[-3000:]
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), strict=True)
    whole = response.text.lstrip().lower().startswith("<!doctype")
    (parser.parse if whole else parser.parseFragment)(response.text)
    return BeautifulSoup(response.text, "html.parser")


def words(tag: Tag | BeautifulSoup | None) -> str:
    """The text a person sees, without runs of blanks."""
    assert tag is not None
    return " ".join(tag.get_text(" ").split())


def heading(page: BeautifulSoup) -> str:
    return "".join(page.h1.get_text().split())


def fields_of(form: Tag) -> dict[str, Any]:
    """What a browser would post of a form, buttons left out."""
    found: dict[str, Any] = {}
    for field in form.select("input[name], textarea[name], select[name]"):
        kind = field.get("type")
        if not field["name"] or kind == "file" or (kind in ("radio", "checkbox") and not field.has_attr("checked")):
            continue
        if field.name == "select":
            chosen = field.select_one("option[selected]") or field.select_one("option")
            found[field["name"]] = chosen["value"] if chosen else ""
        else:
            found[field["name"]] = field.text.strip() if field.name == "textarea" else field.get("value", "")
    return found


def link(page: BeautifulSoup, label: str) -> str:
    """The address of the link whose words contain the label."""
    return next(each["href"] for each in page.select("a[href]") if label in words(each))
