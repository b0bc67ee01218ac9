"""Numbers, dates and sizes in words: exact, rounded half up, refused when they are not exact."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import format as wording

NUMBERS = [wording.area_m2, wording.hectares, wording.mu, wording.money, wording.money_wan, wording.percent,
           wording.thousands, wording.capital_money]


@pytest.mark.parametrize("function", NUMBERS)
@pytest.mark.parametrize("value", [0.1, True, "1", None])
def test_inexact_values_are_refused(function, value):
    with pytest.raises((TypeError, ValueError)):
        if function is wording.thousands:
            function(value, 2)
        function(value)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_values_that_are_no_numbers_are_refused(value):
    with pytest.raises(ValueError, match="有限数"):
        wording.area_m2(Decimal(value))


@pytest.mark.parametrize(("value", "shown"), [
    ("0.005", "0.01 平方米"), ("0.0049", "0.00 平方米"), ("-0.004", "0.00 平方米"), ("1234567.895", "1,234,567.90 平方米"),
])
def test_area_is_rounded_half_up_once(value, shown):
    assert wording.area_m2(Decimal(value)) == shown


def test_one_hectare_is_fifteen_mu():
    assert wording.hectares(10_000) == "1.0000 公顷"
    assert wording.mu(10_000) == "15.00 亩"
    assert wording.mu(Decimal("28652.40")) == "42.98 亩"


@pytest.mark.parametrize(("value", "shown"), [("1.5", "＋ 1.5000"), ("-0.1836", "− 0.1836"), ("0", "0.0000"), ("-0.00004", "0.0000")])
def test_postings_carry_their_sign(value, shown):
    assert wording.signed(Decimal(value), 4) == shown


@pytest.mark.parametrize(("value", "shown"), [("1234.50", "1,234.50"), ("1E+3", "1,000"), ("0.1", "0.1")])
def test_thousands_keep_the_decimals_of_the_value(value, shown):
    assert wording.thousands(Decimal(value)) == shown


def test_percent_has_one_decimal():
    assert [wording.percent(Decimal(value)) for value in ("0.9995", "0.99949", "1", "0")] == ["100.0%", "99.9%", "100.0%", "0.0%"]


@pytest.mark.parametrize(("size", "shown"), [
    (0, "0 字节"), (1023, "1,023 字节"), (1024, "1.0 KB"), (1048524, "1,023.9 KB"), (1048575, "1.0 MB"), (1 << 20, "1.0 MB"),
    (50541363, "48.2 MB"), (1 << 40, "1.0 TB"), (5 << 50, "5,120.0 TB"),
])
def test_file_size_changes_unit_at_its_limit(size, shown):
    assert wording.file_size(size).replace(",", "") == shown.replace(",", "")


def test_negative_size_is_refused():
    with pytest.raises(ValueError, match="小于零"):
        wording.file_size(-1)


def test_dates_leave_out_the_year_only_when_it_is_this_one():
    day = date(2026, 11, 24)
    assert wording.date_sentence(day, date(2026, 1, 1)) == "11 月 24 日（周二）"
    assert wording.date_sentence(day, date(2027, 1, 1)) == "2026 年 11 月 24 日（周二）"
    assert wording.date_sentence(day) == "2026 年 11 月 24 日（周二）"
    assert (wording.date_table(day, date(2026, 1, 1)), wording.date_table(day)) == ("11-24", "2026-11-24")


@pytest.mark.parametrize("function", [wording.date_sentence, wording.date_formal, wording.date_table, wording.capital_date])
def test_moment_is_no_date(function):
    with pytest.raises(TypeError, match="时刻"):
        function(datetime(2026, 11, 24, 20, tzinfo=UTC))


def test_moment_is_said_in_shanghai_time():
    assert wording.moment(datetime(2026, 11, 24, 16, 5, tzinfo=UTC)) == "2026-11-25 00:05"
    assert wording.moment(datetime(2026, 11, 24, 16, 5, tzinfo=timezone(timedelta(hours=8)))) == "2026-11-24 16:05"


def test_moment_without_zone_is_refused():
    with pytest.raises(ValueError, match="没有时区"):
        wording.moment(datetime(2026, 11, 24, 16, 5))  # noqa: DTZ001 - the missing zone is the point


@pytest.mark.parametrize(("day", "shown"), [
    (date(2026, 11, 24), "二〇二六年十一月二十四日"), (date(2000, 1, 1), "二〇〇〇年一月一日"),
    (date(2026, 10, 10), "二〇二六年十月十日"), (date(2026, 12, 20), "二〇二六年十二月二十日"), (date(2026, 8, 31), "二〇二六年八月三十一日"),
])
def test_capital_date(day, shown):
    assert wording.capital_date(day) == shown


# Written from 支付结算办法 附件一 正确填写票据和结算凭证的基本规定, its own examples first.
@pytest.mark.parametrize(("amount", "shown"), [
    ("1409.50", "壹仟肆佰零玖元伍角整"), ("6007.14", "陆仟零柒元壹角肆分"), ("107000.53", "壹拾万零柒仟元伍角叁分"),
    ("16409.02", "壹万陆仟肆佰零玖元零贰分"), ("325.04", "叁佰贰拾伍元零肆分"), ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
    ("0", "零元整"), ("0.05", "伍分"), ("0.50", "伍角整"), ("10", "壹拾元整"), ("86420000", "捌仟陆佰肆拾贰万元整"),
    ("20005000", "贰仟万零伍仟元整"), ("100000000", "壹亿元整"), ("100000001", "壹亿零壹元整"), ("100010001.01", "壹亿零壹万零壹元零壹分"), ("-12.3", "负壹拾贰元叁角整"),
    ("9999999999999999.99", "玖仟玖佰玖拾玖兆玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
])
def test_capital_money(amount, shown):
    assert wording.capital_money(Decimal(amount)) == shown


DIGITS = {word: value for value, word in enumerate("零壹贰叁肆伍陆柒捌玖")}
PLACES = {"拾": 10, "佰": 100, "仟": 1000}
GROUPS = {"万": 10**4, "亿": 10**8, "兆": 10**12}


def read_integer(words):
    """A whole number read back from capitals, by the meaning of each character."""
    total = group = digit = 0
    for word in words:
        if word in PLACES:
            group, digit = group + digit * PLACES[word], 0
        elif word in GROUPS:
            total, group, digit = total + (group + digit) * GROUPS[word], 0, 0
        else:
            digit = DIGITS[word]
    return total + group + digit


@given(st.integers(1, 10**16 - 1) | st.builds(lambda head, zeros: head * 10**zeros, st.integers(1, 9999), st.integers(0, 12)))
def test_capitals_read_back_to_the_amount(yuan):
    shown = wording.capital_money(yuan)
    assert read_integer(shown.removesuffix("元整")) == yuan
    assert "零零" not in shown and "零元" not in shown


def test_money_beyond_the_words_is_refused():
    with pytest.raises(ValueError, match="超过大写金额"):
        wording.capital_money(Decimal(10**16))
