"""What components promise: escaping, what a field is tied to, when a card asks again, what a person can tell without colour."""

import pytest
from bs4 import BeautifulSoup
from jinja2 import UndefinedError


@pytest.fixture
def draw(templates):
    """Draws a macro and reads it back."""

    def call(name, *args, **kwargs):
        return BeautifulSoup(str(templates.components.macro(name)(*args, **kwargs)), "html5lib").body

    return call


EVIL = '"><script>alert(1)</script>'


@pytest.mark.parametrize(("name", "args"), [
    ("text_field", ("unit_name", EVIL, EVIL)), ("text_area", ("opinion", EVIL, EVIL)), ("notice", ("bad", EVIL, EVIL)),
    ("button", (EVIL,)), ("tag", (EVIL,)), ("light", ("green", EVIL)), ("link_button", (EVIL, EVIL)),
    ("error_summary", ([{"field": EVIL, "text": EVIL}],)), ("empty", (EVIL, EVIL)), ("cell", ({"text": EVIL, "href": EVIL},)),
])
def test_words_of_a_person_stay_words(name, args, draw):
    body = draw(name, *args)
    assert body.script is None
    assert "alert(1)" in str(body)


def test_error_hint_and_source_are_read_with_the_field(draw):
    field = draw("text_field", "no", "宗地编号", "310118-26", hint="例如 310118-26-041", error="少了末段。", prefill={
        "source": "出让合同", "is_editable": False})
    box = field.input
    assert box["aria-describedby"].split() == ["no-hint", "no-error", "no-prefill"]
    assert box["aria-invalid"] == "true"
    assert field.select_one("#no-error").get_text() == "错误：少了末段。"
    assert field.label["for"] == box["id"]


def test_sound_field_is_not_called_wrong(draw):
    field = draw("text_field", "no", "宗地编号")
    assert not field.input.has_attr("aria-invalid") and not field.input.has_attr("aria-describedby")
    assert field.select(".is-wrong") == []


def test_date_marks_only_the_wrong_part(draw):
    field = draw("date_field", "on", "开工日期", {"year": 2027, "month": 2, "day": 30}, error="没有这一天。", wrong_parts=["day"])
    assert [part["name"] for part in field.select("[aria-invalid]")] == ["on-day"]
    assert field.fieldset["aria-describedby"] == "on-error"


def test_first_choice_carries_the_id_that_the_summary_links_to(draw):
    choices = [{"value": "a", "label": "甲"}, {"value": "b", "label": "乙"}]
    field = draw("choice_field", "kind", "种类", choices, "b")
    assert [box["id"] for box in field.select("input")] == ["kind", "kind-2"]
    assert [box["value"] for box in field.select("[checked]")] == ["b"]


def test_read_only_choice_posts_what_was_chosen(draw):
    choices = [{"value": "a", "label": "甲"}, {"value": "b", "label": "乙"}]
    field = draw("choice_field", "kind", "种类", choices, "b", is_readonly=True)
    assert [(box["value"], box.has_attr("disabled")) for box in field.select("input")] == [("a", True), ("b", False)]


def test_summary_counts_and_links(draw):
    summary = draw("error_summary", [{"field": "no", "text": "编号少了末段"}, {"field": None, "text": "面积不符"}])
    assert "2 处" in summary.h2.get_text()
    assert [link["href"] for link in summary.select("a")] == ["#no"]
    assert summary.div["role"] == "alert" and summary.div["tabindex"] == "-1"


def test_disabled_button_says_why(draw):
    button = draw("button", "提交", disabled_because="还有 2 处没有填写")
    assert button.button.has_attr("disabled")
    assert "还有 2 处没有填写" in button.get_text()


@pytest.mark.parametrize(("state", "asks"), [("queued", True), ("running", True), ("done", False), ("failed", False), ("cancelled", False)])
def test_job_card_asks_again_only_while_there_is_something_to_wait_for(state, asks, draw):
    card = draw("job_card", "job-9", "导出", state, "/jobs/9", why="磁盘已满，请清理后重试。")
    assert card.article.get("hx-get") == ("/jobs/9" if asks else None)
    assert (card.progress is not None) is asks


def test_failed_job_says_why(draw):
    assert "磁盘已满" in draw("job_card", "job-9", "导出", "failed", "/jobs/9", why="磁盘已满，请清理后重试。").get_text()


def test_toast_undoes_by_post_with_the_token(draw):
    form = draw("toast", "已转办。", "/undo", "令牌").form
    assert form["method"] == "post" and form.select_one("[name=csrf_token]")["value"] == "令牌"


def test_signing_out_is_a_post(templates):
    from views.shell import Person

    account = BeautifulSoup(str(templates.components.account(Person("沈青禾（样例）", sign_out="sign_out"), "令牌")), "html5lib")
    assert account.form["method"] == "post" and account.form["action"] == "/sign_out"


def test_sorted_column_is_said(draw):
    columns = [{"key": "a", "label": "时限", "sort": {"href": "?sort=a", "order": "descending"}},
               {"key": "b", "label": "项目", "sort": {"href": "?sort=b"}}]
    heads = draw("data_table", "待办", columns, [{"cells": {"a": "1", "b": "2"}}]).select("th")
    assert [head.get("aria-sort") for head in heads] == ["descending", None]


def test_table_names_every_cell_for_the_phone(draw):
    table = draw("data_table", "待办", [{"key": "a", "label": "面积（公顷）", "is_number": True}], [{"cells": {"a": "0.4210"}}])
    assert table.td["data-label"] == "面积（公顷）" and table.td["class"] == ["num"]


def test_missing_cell_is_an_error_not_a_blank(templates):
    with pytest.raises(UndefinedError):
        templates.components.data_table("待办", [{"key": "b", "label": "项目"}], [{"cells": {"a": "1"}}])


def test_empty_table_says_what_is_empty(draw):
    shown = draw("data_table", "待办", [{"key": "a", "label": "项目"}], [], empty={"what": "没有将到期的办件"})
    assert shown.table is None and "没有将到期的办件" in shown.get_text()


@pytest.mark.parametrize("colour", ["green", "yellow", "red", "black", "off"])
def test_light_is_never_colour_alone(colour, draw):
    assert draw("light", colour, "剩 2 日").get_text() == "剩 2 日"


def test_unknown_colour_of_a_light_is_refused(templates):
    with pytest.raises(UndefinedError):
        templates.components.light("blue", "剩 2 日")


@pytest.mark.parametrize(("state", "word"), [("yes", "成立"), ("no", "不成立"), ("unknown", "未知")])
def test_condition_says_whether_it_holds(state, word, draw):
    decision = {"tone": "bad", "verdict": "不能办", "sentence": "地块已被锁定", "basis": "LAND-060", "rule_set": "plot_usage_gate",
                "edition": "2026-07-01", "links": [], "conditions": [{"state": state, "text": "没有其他办件锁定"}]}
    assert draw("decision", decision).li.span.get_text() == word


def test_passed_decision_folds_and_refused_one_does_not(draw):
    shared = {"verdict": "", "sentence": "", "basis": "", "rule_set": "", "edition": "", "links": [], "conditions": []}
    assert draw("decision", {**shared, "tone": "good"}).details is not None
    assert draw("decision", {**shared, "tone": "bad"}).details is None


def test_big_ruler_tells_its_story_at_both_widths(draw):
    drawn = draw("ruler_big", [{"kind": "used", "days": 4, "label": "11-12 起算"}, {"kind": "left", "days": 6}], "承诺 10 个工作日，已用 4 个")
    assert [svg["aria-label"] for svg in drawn.select("svg")] == ["时限尺：承诺 10 个工作日，已用 4 个"] * 2
    assert "承诺 10 个工作日，已用 4 个" in drawn.p.get_text()


def test_map_has_its_text(draw):
    panel = draw("map_panel", "map", "本案范围", "/geo", "/text", coordinates_href="/points")
    assert [link["href"] for link in panel.select("a")] == ["/points", "/text"]


@pytest.mark.parametrize(("state", "word"), [("genuine", "核验通过"), ("changed", "核验不通过"), ("revoked", "文书已注销"), ("unknown", "查不到")])
def test_mark_of_verification_says_its_state(state, word, draw):
    from datetime import date

    assert draw("verification_mark", state, date(2026, 11, 21)).svg["aria-label"] == f"{word}标记，2026-11-21"


def test_last_crumb_is_where_one_is(templates):
    from views.shell import Crumb, Link

    crumbs = BeautifulSoup(str(templates.components.crumbs([Crumb("台账", Link("ledgers", "台账")), Crumb("计划库")])), "html5lib")
    assert [item.get("aria-current") for item in crumbs.select("li")] == [None, "page"]
