"""Working days on the official tables of 2024 to 2026, and what happens beyond them."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidData
from domain.working_calendar import (
    SpecialDay,
    build,
    official_calendar,
    official_tables,
    read_year_table,
)

CALENDAR = official_calendar()
DAYS = st.dates(date(2023, 6, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 2, 14), True),  # Saturday made up for the Spring Festival
        (date(2026, 2, 15), False),
        (date(2026, 2, 23), False),  # Monday, last day of the Spring Festival
        (date(2026, 2, 28), True),  # the other make-up Saturday
        (date(2026, 9, 20), True),  # Sunday made up for the National Day
        (date(2026, 10, 1), False),
        (date(2026, 10, 7), False),
        (date(2026, 10, 8), True),
        (date(2026, 10, 10), True),  # Saturday
        (date(2026, 10, 11), False),
        (date(2024, 2, 4), True),
        (date(2024, 10, 12), True),
        (date(2025, 1, 26), True),
        (date(2025, 2, 4), False),
        (date(2026, 11, 21), False),  # ordinary Saturday
        (date(2026, 11, 23), True),
    ],
)
def test_days_are_as_the_notices_say(day, works):
    assert CALENDAR.is_working_day(day) is works


# Counted from the notices: weekdays minus holidays on weekdays plus make-up days.
@pytest.mark.parametrize(("year", "count"), [(2024, 251), (2025, 248), (2026, 248)])
def test_years_have_their_number_of_working_days(year, count):
    assert CALENDAR.between(date(year - 1, 12, 31), date(year, 12, 31)) == count


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        (date(2026, 9, 30), 1, date(2026, 10, 8)),  # over the National Day
        (date(2026, 9, 30), 3, date(2026, 10, 10)),  # due on the make-up Saturday
        (date(2026, 10, 1), 1, date(2026, 10, 8)),  # started on a holiday
        (date(2026, 9, 18), 1, date(2026, 9, 20)),  # Friday; the make-up Sunday counts
        (date(2026, 2, 13), 1, date(2026, 2, 14)),
        (date(2026, 2, 14), 1, date(2026, 2, 24)),
        (date(2026, 2, 13), 6, date(2026, 2, 28)),
        (date(2025, 12, 31), 1, date(2026, 1, 4)),  # new year 2026: Sunday 4 January is made up
    ],
)
def test_deadlines_pass_over_holidays_and_count_make_up_days(start, count, due):
    assert CALENDAR.add(start, count) == (due, False)


def test_twenty_days_from_december_third_are_certain_and_from_the_fourth_provisional():
    assert CALENDAR.add(date(2026, 12, 3), 20) == (date(2026, 12, 31), False)
    due, is_provisional = CALENDAR.add(date(2026, 12, 4), 20)
    assert is_provisional
    assert due == date(2027, 1, 4)  # 1 January 2027 is a statutory Friday off


def test_years_without_a_notice_keep_statutory_holidays_and_guess_no_make_up_day():
    assert not CALENDAR.is_working_day(date(2027, 2, 8))  # third day of the Spring Festival, a Monday
    assert CALENDAR.is_working_day(date(2027, 2, 9))
    assert not CALENDAR.is_working_day(date(2027, 2, 20))
    assert CALENDAR.is_provisional(date(2026, 12, 31), date(2027, 1, 1))
    assert not CALENDAR.is_provisional(date(2024, 1, 1), date(2026, 12, 31))
    assert CALENDAR.is_provisional(date(2023, 12, 31), date(2024, 1, 2))


def test_special_days_have_their_names():
    assert CALENDAR.special_day(date(2026, 10, 10)) == SpecialDay(date(2026, 10, 10), "国庆节", True)
    assert CALENDAR.special_day(date(2026, 10, 2)) == SpecialDay(date(2026, 10, 2), "国庆节", False)
    assert CALENDAR.special_day(date(2026, 11, 23)) is None


@given(DAYS, st.integers(1, 260))
def test_the_nth_day_after_is_found_by_walking(start, count):
    walked, left = start, count
    while left:
        walked += timedelta(days=1)
        left -= CALENDAR.is_working_day(walked)
    assert CALENDAR.add(start, count)[0] == walked
    assert CALENDAR.between(start, walked) == count
    assert len(CALENDAR.working_days(start, walked)) == count


@given(DAYS, st.integers(1, 260))
def test_the_nth_day_before_is_found_by_walking_back(start, count):
    walked, left = start, count
    while left:
        walked -= timedelta(days=1)
        left -= CALENDAR.is_working_day(walked)
    assert CALENDAR.add(start, -count)[0] == walked


def test_a_correction_stands_above_the_tables():
    corrected = build(official_tables(), [SpecialDay(date(2026, 10, 9), "台风停工", False)])
    assert corrected.add(date(2026, 9, 30), 2) == (date(2026, 10, 10), False)
    assert corrected.version != CALENDAR.version
    assert build(official_tables()).version == CALENDAR.version


def test_a_notice_may_reach_into_the_december_before():
    document = {
        "year": 2027,
        "papers": ["国办发明电（样例）"],
        "days": [
            {"name": "元旦", "date": "2026-12-26", "isOffDay": False},
            {"name": "元旦", "date": "2026-12-31", "isOffDay": True},
            {"name": "元旦", "date": "2027-01-01", "isOffDay": True},
        ],
    }
    calendar = build([*official_tables(), read_year_table(document, "样例")])
    assert calendar.is_working_day(date(2026, 12, 26))
    assert not calendar.is_working_day(date(2026, 12, 31))
    assert calendar.add(date(2026, 12, 4), 20) == (date(2027, 1, 4), False)


def test_a_year_with_a_notice_takes_nothing_from_the_estimate():
    document = {"year": 2027, "papers": ["样例"], "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": True}]}
    calendar = build([*official_tables(), read_year_table(document, "样例")])
    assert calendar.is_working_day(date(2027, 2, 8))


def good_table(**changes):
    days = [{"name": "元旦", "date": "2027-01-01", "isOffDay": True}]
    return {"year": 2027, "papers": ["样例"], "days": days, **changes}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"papers": ["样例"], "days": []}, "缺少 year"),
        (good_table(year="2027"), "年份「2027」不可用"),
        (good_table(year=2099), "2001 至 2098"),
        (good_table(papers=[]), "没有写明所依据的国务院通知"),
        (good_table(papers=["  "]), "没有写明所依据的国务院通知"),
        (good_table(days=[]), "没有任何日期"),
        (good_table(days=[{"date": "2027-01-01", "isOffDay": True}]), "缺少 name、date 或 isOffDay"),
        (good_table(days=[{"name": "元旦", "date": "2027-1-1", "isOffDay": True}]), "「2027-1-1」不可用"),
        (good_table(days=[{"name": "元旦", "date": "2027-01-01", "isOffDay": "是"}]), "true 或 false"),
        (good_table(days=[{"name": "元旦", "date": "2028-01-01", "isOffDay": True}]), "却有 2028-01-01"),
        (good_table(days=[{"name": "元旦", "date": "2026-11-30", "isOffDay": True}]), "却有 2026-11-30"),
        (good_table(days=[{"name": "元旦", "date": "2027-01-04", "isOffDay": False}]), "本来就是周一至周五"),
        (good_table(days=[{"name": "元旦", "date": "2027-01-01", "isOffDay": True}] * 2), "不止一次"),
    ],
)
def test_broken_tables_are_refused(document, words):
    with pytest.raises(InvalidData, match=words):
        read_year_table(document, "样例")


def test_a_file_must_be_named_after_its_year(tmp_path):
    (tmp_path / "2027.json").write_text(json.dumps(good_table(year=2028, days=[
        {"name": "元旦", "date": "2028-01-01", "isOffDay": True}])), encoding="utf-8")
    with pytest.raises(InvalidData, match="写的是 2028 年"):
        official_tables(tmp_path)


def test_dates_beyond_the_calendar_are_refused():
    with pytest.raises(InvalidData, match="超出工作日历的范围"):
        CALENDAR.is_working_day(date(1999, 12, 31))
    with pytest.raises(InvalidData, match="超出工作日历的范围"):
        CALENDAR.add(date(2099, 12, 31), 5)
    with pytest.raises(InvalidData, match="超出工作日历的范围"):
        CALENDAR.add(date(2000, 1, 3), -5)
