"""Any form on a page: what a person sees and what a browser would post back."""

from datetime import date
from typing import Any

import html5lib
import pytest
from bs4 import BeautifulSoup

from domain.form import Form
from portal.template_environment import Templates
from tests.domain.form_sample import form_of
from views.form_page import FormButton, FormPage

EVERY_TYPE = """
sections:
  - key: main
    label: 建设项目
    note: 按批准文件填写
    fields:
      - {key: name, label: 项目名称, type: text, required: true, hint: 全称}
      - {key: note_text, label: 填写前请备好批准文件, type: note}
      - {key: story, label: 情况说明, type: long_text}
      - {key: count, label: 套数, type: integer}
      - {key: ratio, label: 容积率, type: decimal, decimals: 2}
      - {key: price, label: 价款, type: money}
      - {key: area, label: 用地面积, type: area}
      - {key: length, label: 长度, type: length}
      - {key: on, label: 开工日期, type: date}
      - {key: kind, label: 管线类别, type: choice, dictionary: pipeline_kind}
      - {key: kinds, label: 涉及管线, type: choices, dictionary: pipeline_kind}
      - {key: notice, label: 是否公示, type: boolean}
      - {key: phone, label: 电话, type: phone}
      - {key: code, label: 信用代码, type: credit_code}
      - {key: mail, label: 邮箱, type: email}
      - {key: district, label: 所在区, type: select}
      - {key: site, label: 范围, type: range}
      - {key: plots, label: 地块, type: plots}
  - key: parcels
    label: 宗地
    repeat: {min: 0, max: 3, item: 宗地, add: 再加一宗地}
    fields:
      - {key: size, label: 面积, type: area, required: true}
      - {key: until, label: 期限, type: date}
""".replace("type: select", "type: district")

VALUES: dict[str, Any] = {
    "name": "青浦<b>厂房</b>",
    "area": "28652.40",
    "on": "2026-03-31",
    "kind": "gas",
    "kinds": ["water"],
    "notice": True,
    "district": "310118",
    "price": "100.00",
    "count": 3,
    "parcels": [{"size": "10.00"}, {"size": "20.00", "until": "2027-01-02"}],
    "site": {"material_id": 1, "feature_count": 2, "area_m2": "5.00"},
}


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates(lambda name, **params: f"/{name}", lambda: date(2026, 11, 21))


def page(
    templates: Templates,
    form: Form,
    errors: dict[str, str] | None = None,
    posted: Any = None,
    **settings: Any,
) -> BeautifulSoup:
    """The form rendered, parsed strictly."""
    shown = FormPage(
        sections=form.sections(errors, posted),
        action="/save",
        errors=form.error_summary(errors or {}),
        buttons=(FormButton("保存并继续", "_action", "save", "main"),),
        csrf_token="token",
        version=3,
        **settings,
    )
    html = templates.render("cases/form/_form.html", {"form_page": shown})
    html5lib.HTMLParser(strict=True).parse(
        f"<!DOCTYPE html><html><head><title>t</title></head><body>{html}</body></html>"
    )
    return BeautifulSoup(html, "html5lib")


def submitted(soup: BeautifulSoup) -> dict[str, list[str]]:
    """What a browser posts for the form as it stands, without a button."""
    posted: dict[str, list[str]] = {}
    for control in soup.select("form input[name], form select[name], form textarea[name]"):
        if not control["name"] or (
            control.get("type") in ("radio", "checkbox") and not control.has_attr("checked")
        ):
            continue
        if control.name == "select":
            chosen = control.select_one("option[selected]")
            value = chosen["value"] if chosen else ""
        else:
            value = control.text.lstrip("\n") if control.name == "textarea" else control.get("value", "")
        posted.setdefault(control["name"], []).append(value)
    return posted


def test_what_the_page_posts_back_unchanged_changes_nothing(templates: Templates) -> None:
    form = form_of(EVERY_TYPE, VALUES)
    values, errors = form.accept(submitted(page(templates, form)))
    assert errors == {} and values == VALUES


def test_read_only_page_posts_back_unchanged_too(templates: Templates) -> None:
    form = form_of(EVERY_TYPE, VALUES, editable=set())
    assert form.accept(submitted(page(templates, form))) == (VALUES, {})


def test_every_input_has_a_label_and_every_id_is_used_once(templates: Templates) -> None:
    soup = page(templates, form_of(EVERY_TYPE, VALUES))
    ids = [each["id"] for each in soup.select("[id]")]
    assert len(ids) == len(set(ids))
    for control in soup.select("form input:not([type=hidden]), form select, form textarea"):
        labelled = soup.select_one(f'label[for="{control["id"]}"]') or control.find_parent("label")
        assert labelled is not None and labelled.text.strip(), control


def test_text_of_people_is_escaped(templates: Templates) -> None:
    soup = page(templates, form_of(EVERY_TYPE, VALUES))
    assert soup.select_one("#name")["value"] == "青浦<b>厂房</b>" and soup.select_one("form b") is None


def test_error_summary_links_to_the_fields_in_page_order(templates: Templates) -> None:
    form = form_of(EVERY_TYPE, {"parcels": [{}]})
    errors = {**form.check(), **form.accept({"count": "三"})[1]}
    soup = page(templates, form, errors, {"count": "三"})
    links = [each["href"] for each in soup.select(".summary a")]
    assert links == ["#name", "#count", "#parcels-0-size"]
    assert all(soup.select_one(link) is not None for link in links)
    wrong = soup.select_one("#count")
    assert (
        wrong["aria-invalid"] == "true"
        and wrong["value"] == "三"
        and "count-error" in wrong["aria-describedby"]
    )


def test_entries_have_their_own_buttons(templates: Templates) -> None:
    soup = page(templates, form_of(EVERY_TYPE, VALUES))
    buttons = {(each.get("name"), each.get("value")) for each in soup.select("button")}
    assert {
        ("_remove", "parcels-0"),
        ("_down", "parcels-0"),
        ("_up", "parcels-1"),
        ("_add", "parcels"),
    } <= buttons
    assert ("_up", "parcels-0") not in buttons and ("_down", "parcels-1") not in buttons


def test_enter_presses_the_first_button_of_the_form_and_not_a_removal(templates: Templates) -> None:
    first = page(templates, form_of(EVERY_TYPE, VALUES)).select_one("form button")
    assert (first["name"], first["value"]) == ("_action", "save")


def test_autosave_is_there_only_with_an_address(templates: Templates) -> None:
    form = form_of(EVERY_TYPE, VALUES)
    assert page(templates, form).select_one("[hx-post]") is None
    saving = page(templates, form, autosave_url="/autosave").select_one("form")
    assert saving["hx-post"] == "/autosave" and saving["action"] == "/save" and saving["method"] == "post"


def test_official_reads_facts_where_nothing_may_change(templates: Templates) -> None:
    soup = page(
        templates,
        form_of(EVERY_TYPE, VALUES, editable=set()),
        is_compact=True,
        place_urls={"site": "/range/1"},
    )
    assert soup.select("form input:not([type=hidden])") == []
    words = soup.select_one("form").text
    assert "28,652.40 平方米" in words and "燃气" in words and "宗地 2" in words
    assert soup.select_one('a[href="/range/1"]') is not None


def test_task_list_says_what_is_left(templates: Templates) -> None:
    form = form_of(EVERY_TYPE, {"parcels": [{}]})
    html = templates.render("cases/form/_tasks.html", {"form_page": FormPage(form.sections(), "/save")})
    rows = [row.text for row in BeautifulSoup(html, "html5lib").select("li")]
    assert "还差 1 项" in rows[0] and "还差 1 项" in rows[1]
    filled = FormPage(form.with_values(VALUES).sections(), "/save")
    assert templates.render("cases/form/_tasks.html", {"form_page": filled}).count("已填好") == 2
