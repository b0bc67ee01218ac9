"""Fields in the texts of documents: formats, fallbacks, and nothing that could run."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from domain.document.placeholder import MissingData, filled, placeholders, printed
from domain.errors import InvalidData


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{day:date}", "2026年11月4日"),
        ("{day:capital_date}", "二〇二六年十一月四日"),
        ("{moment:moment}", "2026-11-05 00:30"),
        ("{moment:date}", "2026年11月5日"),
        ("{area:area}", "28,340.00平方米"),
        ("{area:hectares}", "2.8340公顷"),
        ("{area:mu}", "42.51亩"),
        ("{price:money}", "86,420,000.50元"),
        ("{price:money_wan}", "8,642.00万元"),
        ("{price:capital}", "捌仟陆佰肆拾贰万元伍角整"),
        ("{count:number}", "1,200"),
        ("{ratio:percent}", "60.0%"),
        ("{owner.name}", "样例公司"),
        ("{kinds}", "给水、排水"),
        ("{agreed}", "否"),
        ("{nothing|无}", "无"),
        ("{blank:area|未填}", "未填"),
        ("{nothing|}。", "。"),
        ("第{zero}号", "第0号"),
    ],
)
def test_field_is_printed_in_its_format(text, words):
    values = {
        "day": date(2026, 11, 4), "moment": datetime(2026, 11, 4, 16, 30, tzinfo=UTC), "area": Decimal(28340),
        "price": Decimal("86420000.50"), "count": 1200, "ratio": Decimal("0.6"), "owner": {"name": "样例公司"},
        "kinds": ["给水", "排水"], "agreed": False, "blank": "  ", "zero": 0,
    }
    assert filled(text, values) == words


def test_values_are_taken_from_the_text_in_which_a_case_keeps_them():
    assert filled("{day:date}，{area:area}", {"day": "2026-02-09", "area": "12.50"}) == "2026年2月9日，12.50平方米"


def test_text_of_a_value_is_not_read_again():
    assert filled("{name}", {"name": "{price:money}"}) == "{price:money}"


@pytest.mark.parametrize(
    "text", ["{a", "a}", "{a.__class__}", "{a()}", "{a+1}", "{}", "{A}", "{a[0]}", "{a!r}", "{ a }", "{a:}", "{{a}}"]
)
def test_anything_but_a_field_is_refused(text):
    with pytest.raises(InvalidData):
        placeholders(text)


def test_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(InvalidData, match="没有的格式 acres.*area.*capital"):
        placeholders("{a:acres}")


@pytest.mark.parametrize(
    ("text", "value"),
    [("{a:area}", 1.5), ("{a:area}", "很大"), ("{a:date}", "2026-02-30"), ("{a:money}", True), ("{a}", 1.5),
     ("{a:area}", "NaN"), ("{a}", {"b": 1}), ("{a:moment}", "2026-02-03")],
)
def test_value_that_does_not_fit_is_refused_by_field(text, value):
    with pytest.raises(InvalidData, match="不能按") as caught:
        filled(text, {"a": value})
    assert "a" in caught.value.fields


def test_empty_fields_are_refused_together():
    with pytest.raises(MissingData) as caught:
        filled("{a}{b.c}{d|无}{e:date}", {"a": "", "b": None, "e": "2026-01-01"})
    assert caught.value.paths == ("a", "b.c")


def test_single_value_without_a_format_goes_by_its_type():
    assert printed(Decimal("1234.5")) == "1,234.5"
    assert printed(date(2026, 1, 2)) == "2026年1月2日"
