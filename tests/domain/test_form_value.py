"""Single values: taken strictly by type, refused with what, why and what to do."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.form import FieldFault
from domain.form.identifier import CREDIT_ALPHABET, credit_check_character
from domain.form.value import GREATEST, check_limits, date_parts, parse, stored, typed, typed_text
from tests.domain.form_sample import field

AREA = field("{key: a, label: 用地面积, type: area}")
RATIO = field("{key: a, label: 容积率, type: decimal, decimals: 2, min: 0, max: 10}")
COUNT = field("{key: a, label: 套数, type: integer, max: 500}")
NAME = field("{key: a, label: 项目名称, type: text, max_length: 10}")
NOTE = field("{key: a, label: 说明, type: long_text}")
DAY = field("{key: a, label: 开工日期, type: date, min: 2026-01-01}")
CODE = field("{key: a, label: 信用代码, type: credit_code}")
PHONE = field("{key: a, label: 电话, type: phone}")
MAIL = field("{key: a, label: 邮箱, type: email}")
YES = field("{key: a, label: 是否公示, type: boolean}")
SERIES = field('{key: a, label: 文号, type: text, pattern: "[0-9]{4}", pattern_hint: 四位数字}')


@pytest.mark.parametrize(
    ("one", "text", "expected"),
    [
        (AREA, "28652.4", Decimal("28652.40")),
        (AREA, " 28,652.40 ", Decimal("28652.40")),
        (AREA, "２８，６５２．４０", Decimal("28652.40")),
        (AREA, "0", Decimal("0.00")),
        (RATIO, "2.5", Decimal("2.5")),
        (COUNT, "１２", 12),
        (NAME, "\u3000青浦\u00a0厂房 ", "青浦\u00a0厂房"),
        (NAME, "家👨‍👩‍👧", "家👨‍👩‍👧"),
        (NAME, "e\u0301", "é"),
        (NOTE, "一\r\n二", "一\n二"),
        (
            CODE,
            "91310000ma1fl0c08h".replace("h", credit_check_character("91310000MA1FL0C08").lower()),
            "91310000MA1FL0C08" + credit_check_character("91310000MA1FL0C08"),
        ),
        (PHONE, "+86 138 0000 0000", "13800000000"),
        (PHONE, "138-0000-0000", "13800000000"),
        (PHONE, "（021）62345678", "021-62345678"),
        (PHONE, "021-62345678-801", "021-62345678-801"),
        (PHONE, "0512-6234567", "0512-6234567"),
        (PHONE, "4008001234", "400-800-1234"),
        (MAIL, "a.b@example.com", "a.b@example.com"),
        (YES, "false", False),
        (AREA, "  ", None),
    ],
)
def test_value_is_taken(one, text, expected) -> None:
    assert parse(one, [text]) == expected


@pytest.mark.parametrize(
    ("one", "text", "message"),
    [
        (AREA, "约100", "「约100」不是数字。只填数字，单位平方米不用写"),
        (AREA, "1,23", "逗号不在千分位上"),
        (AREA, "1.005", "有 3 位小数，最多 2 位"),
        (AREA, "1e3", "不是数字"),
        (AREA, "NaN", "不是数字"),
        (AREA, "1 000", "不是数字"),
        (AREA, "100000000000000", "超过系统能记的 14 位整数"),
        (COUNT, "1.0", "不是整数"),
        (NAME, "青\x00浦", "第 2 个字符是看不见的控制字符 U\\+0000"),
        (NAME, "甲\u202e乙", "控制字符 U\\+202E"),
        (NAME, "甲\n乙", "控制字符 U\\+000A"),
        (NAME, "甲\ud800", "控制字符 U\\+D800"),
        (CODE, "9131", "18 位，填的是 4 位"),
        (CODE, "91310000IA1FL0C080", "第 9 位「I」不会出现"),
        (PHONE, "12345", "不是电话号码"),
        (PHONE, "23800000000", "不是电话号码"),
        (MAIL, "a@b", "不是电子邮箱地址"),
        (MAIL, "a..b@example.com", "不是电子邮箱地址"),
        (YES, "yes", "只能选是或否"),
    ],
)
def test_value_is_refused(one, text, message) -> None:
    with pytest.raises(FieldFault, match=message):
        parse(one, [text])


@pytest.mark.parametrize(
    ("one", "value", "message"),
    [
        (AREA, Decimal("-0.01"), "-0.01 平方米 小于最小值 0.00 平方米"),
        (RATIO, Decimal("10.01"), "容积率 10.01 超过最大值 10"),
        (COUNT, 501, "套数 501 超过最大值 500"),
        (NAME, "一二三四五六七八九十百", "有 11 字，最多 10 字。请删去 1 字"),
        (DAY, date(2025, 12, 31), "2025 年 12 月 31 日 早于最早日期 2026 年 1 月 1 日"),
        (SERIES, "20261", "格式不对，应是四位数字"),
        (SERIES, "２０２６", "格式不对"),
    ],
)
def test_limit_is_kept(one, value, message) -> None:
    with pytest.raises(FieldFault, match=message):
        check_limits(one, value)


@pytest.mark.parametrize(
    ("one", "value"),
    [
        (AREA, Decimal("0.00")),
        (RATIO, Decimal(10)),
        (COUNT, 500),
        (NAME, "一二三四五六七八九十"),
        (DAY, date(2026, 1, 1)),
    ],
)
def test_limit_itself_is_allowed(one, value) -> None:
    check_limits(one, value)


def test_published_credit_code_is_taken() -> None:
    # The code of a listed company of Shanghai, as its annual reports print it.
    assert parse(CODE, ["91310000132260250X"]) == "91310000132260250X"


def test_every_single_wrong_digit_of_a_credit_code_is_found() -> None:
    good = "91310000132260250X"
    for place in range(18):
        wrong = good[:place] + ("1" if good[place] != "1" else "2") + good[place + 1 :]
        with pytest.raises(FieldFault, match="对不上"):
            parse(CODE, [wrong])


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["2026", "3", "31"], date(2026, 3, 31)),
        (["２０２６", "０３", "３１"], date(2026, 3, 31)),
        (["2026-03-31"], date(2026, 3, 31)),
        (["2028", "2", "29"], date(2028, 2, 29)),
        (["", "", ""], None),
    ],
)
def test_date_is_joined_from_its_parts(parts, expected) -> None:
    assert parse(DAY, parts) == expected


@pytest.mark.parametrize(
    ("parts", "message", "wrong"),
    [
        (["2026", "", "31"], "缺少月", ("month",)),
        (["2026", "2", "29"], "2026 年 2 月没有 29 日", ("day",)),
        (["2026", "13", "1"], "没有 13 月", ("month",)),
        (["26", "1", "1"], "年份 26 不在", ("year",)),
        (["二〇二六", "1", "1"], "「二〇二六」不是数字", ("year",)),
        (["2026年"], "缺少月、日", ("month", "day")),
    ],
)
def test_wrong_date_names_its_wrong_part(parts, message, wrong) -> None:
    with pytest.raises(FieldFault, match=message) as refused:
        parse(DAY, parts)
    assert refused.value.parts == wrong


@given(st.decimals(min_value=0, max_value=GREATEST - 1, places=2))
def test_area_survives_input_and_storage(value: Decimal) -> None:
    assert parse(AREA, [typed_text(AREA, value)]) == value
    assert parse(AREA, [f"{value:,}"]) == value
    assert typed(AREA, stored(AREA, value)) == value


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 12, 31)))
def test_date_survives_input_and_storage(value: date) -> None:
    assert parse(DAY, list(date_parts(value).values())) == value
    assert typed(DAY, stored(DAY, value)) == value


@given(st.integers(min_value=-(10**13), max_value=10**13))
def test_whole_number_survives_input_and_storage(value: int) -> None:
    assert parse(COUNT, [typed_text(COUNT, value)]) == value
    assert typed(COUNT, stored(COUNT, value)) == value


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cf", "Cs")), max_size=60))
def test_taken_text_is_taken_again_unchanged(text: str) -> None:
    once = parse(NOTE, [text])
    assert parse(NOTE, [once or ""]) == once


@given(st.text(alphabet=CREDIT_ALPHABET, min_size=17, max_size=17))
def test_code_with_its_check_character_is_taken(body: str) -> None:
    code = body + credit_check_character(body)
    assert parse(CODE, [code.lower()]) == code


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_refused_in_words(text: str) -> None:
    try:
        value = parse(AREA, [text])
    except FieldFault as fault:
        assert fault.message.endswith("。")
    else:
        assert value is None or value.as_tuple().exponent == -2
