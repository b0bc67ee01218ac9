"""The form engine on small forms: posting, visibility, rights, checks, facts, differences."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import InvalidData
from domain.form import Form
from tests.domain.form_sample import form_of, one_field

NOTICE = """
sections:
  - key: main
    label: 主要
    fields:
      - {key: has_notice, label: 是否公示, type: boolean, required: true}
      - {key: place, label: 公示地点, type: text, required: true, search: true, visible_when: {fact: has_notice, is: true}}
      - {key: days, label: 公示天数, type: integer, required_when: {fact: place, exists: true}}
  - key: extra
    label: 补充
    visible_when: {fact: days, at_least: 10}
    fields:
      - {key: reason, label: 理由, type: long_text, required: true}
"""

PARCELS = """
sections:
  - key: main
    label: 主要
    fields:
      - {key: name, label: 项目名称, type: text}
  - key: parcels
    label: 宗地
    repeat: {min: 1, max: 3, item: 宗地, add: 再加一宗地}
    fields:
      - {key: area_m2, label: 面积, type: area, required: true, same_rule: area_check}
      - {key: use, label: 用途, type: choice, options: [{value: farm, label: 耕地}, {value: wood, label: 林地}]}
      - {key: why, label: 占用耕地的理由, type: text, required: true, visible_when: {fact: use, is: farm}}
"""


@dataclass
class Answer:
    outcome: str
    message: str = "面积合计与合同不符。"
    values: dict[str, Any] = field(default_factory=dict)


def accepted(form: Form, posted: dict[str, Any]) -> Form:
    """The form after a post without errors."""
    values, errors = form.accept(posted)
    assert errors == {}
    return form.with_values(values)


def names(form: Form) -> list[str]:
    return [field.name for section in form.sections() for field in section.all_fields()]


def test_hidden_value_is_kept_in_the_draft_and_left_out_everywhere_else() -> None:
    form = form_of(NOTICE, {"has_notice": True, "place": "青浦", "days": 3})
    hidden = accepted(form, {"has_notice": "false"})
    assert hidden.values["place"] == "青浦"
    assert names(hidden) == ["has_notice", "days"]
    assert hidden.settled() == {"has_notice": False, "days": 3}
    assert hidden.facts()["place"] is None and hidden.index_entries() == ()
    assert accepted(hidden, {"has_notice": "true"}).settled()["place"] == "青浦"


def test_section_appears_when_its_condition_holds() -> None:
    assert "reason" not in names(form_of(NOTICE, {"days": 9}))
    assert "reason" in names(form_of(NOTICE, {"days": 10}))


def test_hidden_field_gives_no_fact_to_other_conditions() -> None:
    form = form_of(NOTICE, {"has_notice": False, "place": "青浦"})
    assert form.check() == {}


def test_required_fields_are_asked_for_in_page_order() -> None:
    errors = (
        form_of(NOTICE, {"place": "青浦", "has_notice": True, "days": 12})
        .with_values({"has_notice": True, "days": 12})
        .check()
    )
    assert errors == {
        "place": "公示地点还没有填。请填写后再继续。",
        "reason": "理由还没有填。请填写后再继续。",
    }


def test_required_when_asks_only_while_its_condition_holds() -> None:
    assert "days" in form_of(NOTICE, {"has_notice": True, "place": "青浦"}).check()
    assert "days" not in form_of(NOTICE, {"has_notice": False}).check()


def test_choice_that_must_be_made_says_so() -> None:
    assert form_of(NOTICE).check()["has_notice"] == "是否公示还没有选。请选一项。"


def test_absent_name_leaves_its_value() -> None:
    form = form_of(NOTICE, {"has_notice": True, "place": "青浦"})
    assert accepted(form, {"days": "5"}).values == {"has_notice": True, "place": "青浦", "days": 5}


def test_emptied_input_removes_its_value() -> None:
    assert accepted(form_of(NOTICE, {"days": 5}), {"days": " "}).values == {}


def test_wrong_value_stays_as_typed_on_the_page_and_is_not_kept() -> None:
    form = form_of(NOTICE, {"days": 5})
    values, errors = form.accept({"days": "五天"})
    assert values == {"days": 5} and "「五天」不是数字" in errors["days"]
    (shown,) = [each for each in form.sections(errors, {"days": "五天"})[0].fields if each.name == "days"]
    assert shown.value == "五天" and shown.error == errors["days"]


@pytest.mark.parametrize(
    "name", ["unknown", "main", "days-year", "parcels-0-days", "place-0-place", "reason.x"]
)
def test_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidData, match=f"表单里没有「{name}」这一项"):
        form_of(NOTICE).accept({name: "1"})


def test_names_of_the_page_itself_are_passed_over() -> None:
    assert accepted(form_of(NOTICE), {"csrf_token": "x", "_version": "3"}).values == {}


def test_file_in_a_text_field_is_refused() -> None:
    with pytest.raises(InvalidData, match="收到的是文件"):
        form_of(NOTICE).accept({"place": [b"bytes"]})


def test_locked_field_may_be_posted_only_unchanged() -> None:
    form = form_of(NOTICE, {"days": 5}, editable=set())
    assert form.accept({"days": "5"}) == ({"days": 5}, {})
    values, errors = form.accept({"days": "6"})
    assert values == {"days": 5} and "公示天数在本环节不能修改，原值是5" in errors["days"]


def test_correction_opens_only_the_fields_it_names() -> None:
    form = form_of(NOTICE, {"has_notice": True, "place": "青浦", "days": 5}, locked_to={"place"})
    values, errors = form.accept({"place": "奉贤", "days": "6"})
    assert values["place"] == "奉贤" and values["days"] == 5 and set(errors) == {"days"}
    assert [each.is_editable for each in form.sections()[0].fields] == [False, True, False]


def test_repeated_section_shows_a_blank_entry_until_the_least_number_is_there() -> None:
    (section,) = [each for each in form_of(PARCELS).sections() if each.is_repeated]
    assert [each.name for each in section.entries[0].fields] == ["parcels-0-area_m2", "parcels-0-use"]
    assert set(form_of(PARCELS).check()) == {"parcels", "parcels-0-area_m2"}


def test_entries_are_filled_added_moved_and_removed() -> None:
    form = accepted(form_of(PARCELS), {"parcels-0-area_m2": "10", "_add": "parcels"})
    form = accepted(form, {"parcels-1-area_m2": "20"})
    assert [each["area_m2"] for each in form.values["parcels"]] == ["10.00", "20.00"]
    form = accepted(form, {"_up": "parcels-1"})
    assert [each["area_m2"] for each in form.values["parcels"]] == ["20.00", "10.00"]
    form = accepted(form, {"_down": "parcels-0"})
    form = accepted(form, {"_remove": "parcels-0"})
    assert [each["area_m2"] for each in form.values["parcels"]] == ["20.00"]


def test_blank_entry_that_was_only_shown_is_not_kept() -> None:
    assert (
        accepted(form_of(PARCELS), {"parcels-0-area_m2": "", "parcels-0-use": ""}).values.get("parcels", [])
        == []
    )


def test_number_of_entries_is_limited_both_ways() -> None:
    full = form_of(PARCELS, {"parcels": [{}, {}, {}]})
    assert "最多 3 项" in full.accept({"_add": "parcels"})[1]["parcels"]
    assert "最多 3 项" in full.accept({"parcels-3-area_m2": "1"})[1]["parcels"]
    assert "最多填 3 项，现有 4 项" in form_of(PARCELS, {"parcels": [{}] * 4}).check()["parcels"]
    single = form_of(PARCELS, {"parcels": [{}]})
    assert "至少要有 1 项，不能再删" in single.accept({"_remove": "parcels-0"})[1]["parcels"]


@pytest.mark.parametrize(
    "posted", [{"_remove": "parcels-7"}, {"_up": "parcels"}, {"_add": "main"}, {"_add": "nothing"}]
)
def test_button_for_an_entry_that_is_not_there_is_refused(posted: dict[str, str]) -> None:
    with pytest.raises(InvalidData, match="请刷新页面"):
        form_of(PARCELS, {"parcels": [{}]}).accept(posted)


def test_locked_repeated_section_takes_neither_entry_nor_removal() -> None:
    form = form_of(PARCELS, {"parcels": [{"area_m2": "1.00"}, {}]}, editable={"main"})
    with pytest.raises(InvalidData, match="不能增减"):
        form.accept({"_remove": "parcels-1"})
    assert "不能增加" in form.accept({"parcels-2-area_m2": "5"})[1]["parcels"]


def test_condition_inside_an_entry_reads_that_entry() -> None:
    form = form_of(
        PARCELS,
        {"parcels": [{"area_m2": "1.00", "use": "wood"}, {"area_m2": "2.00", "use": "farm", "why": "x"}]},
    )
    assert "parcels-1-why" in names(form) and "parcels-0-why" not in names(form)
    assert form.check() == {}
    assert "parcels-1-why" in form.with_values({"parcels": [{}, {"use": "farm"}]}).check()


def test_facts_are_typed_and_entries_are_records() -> None:
    form = form_of(
        PARCELS,
        {"name": "甲", "parcels": [{"area_m2": "1.50", "use": "wood", "why": "旧"}]},
        case={"case.status": "open"},
    )
    facts = form.facts()
    assert facts["parcels"] == ({"area_m2": Decimal("1.50"), "use": "wood", "why": None},)
    assert facts["name"] == "甲" and facts["case.status"] == "open"


def test_rule_set_is_asked_once_and_its_refusal_stands_at_the_section() -> None:
    asked: list[str] = []

    def decide(rule_set: str) -> Answer:
        asked.append(rule_set)
        return Answer("refuse")

    form = form_of(PARCELS, {"parcels": [{"area_m2": "1.00"}, {"area_m2": "2.00"}]})
    assert form.check(decide) == {"parcels": "面积合计与合同不符。"}
    assert asked == ["area_check"]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("none", {}), ("warn", {}), ("undetermined", {"parcels": "面积合计与合同不符。"})],
)
def test_rule_set_that_cannot_tell_refuses_a_complete_form(outcome: str, expected: dict[str, str]) -> None:
    form = form_of(PARCELS, {"parcels": [{"area_m2": "1.00"}]})
    assert form.check(lambda rule_set: Answer(outcome)) == expected


def test_rule_set_that_cannot_tell_is_silent_while_fields_are_missing() -> None:
    assert set(form_of(PARCELS, {"parcels": [{}]}).check(lambda rule_set: Answer("undetermined"))) == {
        "parcels-0-area_m2"
    }


def test_decision_may_name_its_field() -> None:
    form = form_of(PARCELS, {"name": "甲", "parcels": [{"area_m2": "1.00"}]})
    assert set(form.check(lambda rule_set: Answer("refuse", values={"field": "name"}))) == {"name"}


def test_retired_code_stays_where_it_was_chosen_and_is_not_offered_elsewhere() -> None:
    line = "{key: kind, label: 管线类别, type: choice, dictionary: pipeline_kind}"
    old = one_field(line, {"kind": "coal_gas"})
    assert [each.value for each in old.sections()[0].fields[0].choices] == ["water", "gas", "coal_gas"]
    assert old.check() == {} and old.accept({"kind": "coal_gas"})[1] == {}
    values, errors = one_field(line).accept({"kind": "coal_gas"})
    assert values == {} and "没有「coal_gas」这一项，可能已经停用" in errors["kind"]


def test_several_choices_are_kept_in_order_without_the_blank_of_the_page() -> None:
    line = "{key: kinds, label: 类别, type: choices, dictionary: pipeline_kind}"
    form = accepted(one_field(line), {"kinds": ["", "gas", "water"]})
    assert form.values == {"kinds": ["gas", "water"]} and form.facts()["kinds"] == (
        {"value": "gas"},
        {"value": "water"},
    )
    assert form.print_rows()[0].rows == (("类别", "燃气、给水"),)
    assert accepted(form, {"kinds": [""]}).values == {}


def test_date_parts_are_joined_and_shown_again() -> None:
    line = "{key: on, label: 开工日期, type: date}"
    form = accepted(one_field(line), {"on-year": "2026", "on-month": "3", "on-day": "31"})
    assert form.values == {"on": "2026-03-31"} and form.facts()["on"] == date(2026, 3, 31)
    posted = {"on-year": "2026", "on-month": "2", "on-day": "30"}
    values, errors = form.accept(posted)
    (shown,) = form.sections(errors, posted)[0].fields
    assert (
        values == form.values
        and shown.wrong_parts == ("day",)
        and shown.value == {"year": "2026", "month": "2", "day": "30"}
    )


def test_quantities_are_converted_below_the_input() -> None:
    (area,) = one_field("{key: a, label: 面积, type: area}", {"a": "28652.40"}).sections()[0].fields
    assert (area.shown, area.conversion) == ("28,652.40 平方米", "约合 2.8652 公顷，42.98 亩")
    (money,) = one_field("{key: m, label: 价款, type: money}", {"m": "86420000.00"}).sections()[0].fields
    assert money.conversion == "大写 捌仟陆佰肆拾贰万元整"


PREFILLED = "{key: s, label: 跟测单位, type: text, prefill: {from: survey_planning.surveyor_name, change: true, else: 未取得，可手工填写}}"
FOUND = {"s": {"provider": "survey_planning", "value": "甲院", "read_on": "2026-11-20"}}


def test_prefilled_value_names_its_source_and_what_was_changed() -> None:
    kept = one_field(PREFILLED, {"s": "甲院"}, prefilled=FOUND, sources={"survey_planning": "跟测与规划信息"})
    (mark,) = [each.prefill for each in kept.sections()[0].fields]
    assert mark == {"source": "跟测与规划信息", "is_editable": True, "read_on": date(2026, 11, 20)}
    changed = kept.with_values({"s": "乙院"})
    assert changed.sections()[0].fields[0].prefill["original"] == "甲院"


def test_missing_prefill_says_what_to_do() -> None:
    nothing = {"s": {"provider": "survey_planning", "value": None, "read_on": "2026-11-20"}}
    (shown,) = one_field(PREFILLED, {}, prefilled=nothing).sections()[0].fields
    assert shown.prefill is None and shown.hint == "未取得，可手工填写"


def test_computed_value_cannot_be_posted() -> None:
    form = one_field("{key: t, label: 合计面积, type: area, computed: {from: plots.total_m2}}", {"t": "5.00"})
    assert form.accept({"t": "5.00"})[1] == {}
    assert "不能修改" in form.accept({"t": "6"})[1]["t"]


def test_range_is_a_reference_that_no_post_can_write() -> None:
    line = "{key: site, label: 范围, type: range, required: true}"
    with pytest.raises(InvalidData):
        one_field(line).accept({"site": "x"})
    assert one_field(line).check() == {"site": "范围还没有提供。请上传或选取后再继续。"}
    form = one_field(line, {"site": {"material_id": 3, "feature_count": 2, "area_m2": "100.5"}})
    assert form.check() == {} and form.sections()[0].fields[0].shown == "2 个图形，100.50 平方米"
    assert form.facts() == {"site_area_m2": "100.5", "site_feature_count": 2}


def test_differences_are_told_in_words() -> None:
    before = {"name": "甲", "parcels": [{"area_m2": "1.00", "use": "wood"}, {"area_m2": "2.00"}]}
    form = form_of(PARCELS, {"name": "甲", "parcels": [{"area_m2": "1.50", "use": "wood"}]})
    found = [(each.label, each.before, each.after) for each in form.differences(before)]
    assert found == [("宗地 1：面积", "1.00 平方米", "1.50 平方米"), ("宗地 2：面积", "2.00 平方米", "未填")]


def test_index_entries_are_typed() -> None:
    text = """
sections:
  - key: main
    label: 主要
    fields:
      - {key: n, label: 名, type: text, search: true}
      - {key: a, label: 面积, type: area, search: true}
      - {key: d, label: 日, type: date, search: true}
      - {key: b, label: 否, type: boolean, search: true}
      - {key: x, label: 不检索, type: text}
"""
    entries = form_of(text, {"n": "甲", "a": "1.50", "d": "2026-01-02", "b": False, "x": "y"}).index_entries()
    assert [(each.field, each.text_value, each.number_value, each.date_value) for each in entries] == [
        ("n", "甲", None, None),
        ("a", None, Decimal("1.50"), None),
        ("d", None, None, date(2026, 1, 2)),
        ("b", "false", None, None),
    ]


def test_only_sections_of_the_step_are_shown_and_checked() -> None:
    text = NOTICE.replace("label: 主要\n", "label: 主要\n    shown_in: [window]\n    editable_in: [window]\n")
    assert names(form_of(text)) == []
    assert form_of(text, step="window", editable=set()).check() == {}
    assert "has_notice" in form_of(text, step="window").check()


def test_sections_tell_how_much_is_filled() -> None:
    main = form_of(NOTICE, {"has_notice": True}).sections()[0]
    assert (main.filled_count, main.asked_count, main.is_complete) == (1, 2, False)


def test_error_summary_is_in_page_order() -> None:
    form = form_of(NOTICE)
    assert [each.field for each in form.error_summary({"days": "b", "has_notice": "a"})] == [
        "has_notice",
        "days",
    ]


def test_wrong_optional_value_leaves_its_section_unfinished() -> None:
    form = one_field("{key: n, label: 套数, type: integer}")
    assert form.sections()[0].is_complete
    assert not form.sections(form.accept({"n": "三"})[1])[0].is_complete
