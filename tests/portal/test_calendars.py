"""The check of the working calendar at the start."""

import logging
from datetime import UTC, datetime

from domain import portal_clock, working_calendar
from domain.errors import InvalidData
from portal import calendars


def test_the_shipped_tables_are_in_order(settings):
    assert calendars.calendar_faults(settings) == []


def test_a_year_without_a_table_warns_and_does_not_stop_the_portal(settings, monkeypatch, caplog):
    monkeypatch.setattr(portal_clock, "today", lambda session=None: datetime(2031, 5, 1, tzinfo=UTC).date())
    with caplog.at_level(logging.WARNING):
        assert calendars.calendar_faults(settings) == []
    assert "2031" in caplog.text


def test_a_broken_table_stops_the_start_and_is_named(settings, monkeypatch):
    def broken():
        raise InvalidData("2026 年的表第 3 行不是日期。")

    monkeypatch.setattr(calendars, "official_calendar", broken)
    [fault] = calendars.calendar_faults(settings)
    assert "2026 年的表第 3 行" in fault
    assert working_calendar.official_calendar()
