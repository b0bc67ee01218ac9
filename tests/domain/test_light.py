"""Lights come from the rule set alone, and nothing irreversible rests on a provisional date."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from domain.clock_state import Counting, state
from domain.errors import InvalidData, Refused
from domain.light import COLOURS, facts_of, is_definite, light_of, must_be_definite
from domain.working_calendar import official_calendar
from rules.engine import RuleBook, RuleSetMissing

pytest_plugins = ["tests.domain.clock_fixtures"]


@dataclass(frozen=True)
class Line:
    """One entry of a ledger, as a value."""

    kind: str
    effective_on: date
    days: int | None = None
    due_on: date | None = None


def on(month: int, day: int, year: int = 2026) -> date:
    return date(year, month, day)


def after(entries, today, counting=Counting.WORKING):
    return state(entries, official_calendar(), today, counting)


FIVE_DAYS = [Line("start", on(11, 9), 5)]  # due on Monday 16 November


@pytest.mark.parametrize(
    ("today", "colour", "words"),
    [
        (on(11, 9), "green", "剩 5 日"),
        (on(11, 11), "green", "剩 3 日"),
        (on(11, 12), "yellow", "剩 2 日"),
        (on(11, 16), "yellow", "今日到期"),
        (on(11, 17), "red", "超 1 日"),
        (on(11, 20), "red", "超 4 日"),  # nine days used, legal limit nine
        (on(11, 23), "black", "超 5 日"),
    ],
)
def test_the_light_follows_the_days(light_book, today, colour, words):
    light = light_of(light_book, "deadline_light", after(FIVE_DAYS, today), legal_days=9, warning_days=2)
    assert (light.colour, light.words, light.is_held) == (colour, words, False)


def test_an_extension_moves_the_legal_limit_too(light_book):
    entries = [*FIVE_DAYS, Line("extend", on(11, 16), 3)]
    light = light_of(light_book, "deadline_light", after(entries, on(11, 25)), legal_days=9, warning_days=2)
    assert (light.colour, facts_of(after(entries, on(11, 26)), legal_days=9)["legal_overdue_days"]) == ("red", 1)


def test_a_stopped_clock_is_off_however_late_it_is(light_book):
    entries = [*FIVE_DAYS, Line("stop", on(11, 24))]
    light = light_of(light_book, "deadline_light", after(entries, on(11, 27)), legal_days=5, warning_days=2)
    assert (light.colour, light.words) == ("off", "停表")


def test_black_is_held_back_on_a_provisional_date(light_book):
    entries = [Line("start", on(12, 4), 20)]
    found = after(entries, on(1, 20, 2027))
    light = light_of(light_book, "deadline_light", found, legal_days=20, warning_days=2)
    assert (light.colour, light.is_held, light.words) == ("red", True, "超 12 日（暂定）")


def test_black_is_held_back_when_only_the_days_over_are_provisional(light_book):
    found = after([Line("start", on(12, 1), 20)], on(1, 20, 2027))
    assert not found.is_provisional
    light = light_of(light_book, "deadline_light", found, legal_days=20, warning_days=2)
    assert (light.colour, light.is_held) == ("red", True)


def test_irreversible_acts_wait_for_the_table():
    provisional = after([Line("start", on(12, 4), 20)], on(1, 20, 2027))
    assert not is_definite(provisional)
    with pytest.raises(Refused, match="不能自动终止办件.*载入该年的工作日历"):
        must_be_definite(provisional, "自动终止办件")
    must_be_definite(after(FIVE_DAYS, on(11, 23)), "自动终止办件")


def test_agreed_dates_in_calendar_days_are_never_provisional():
    found = after([Line("start", on(12, 1), due_on=on(12, 31))], on(3, 1, 2027), Counting.CALENDAR)
    assert facts_of(found)["overdue_days"] == 60
    must_be_definite(found, "发《解除合同通知书》")


def test_limits_that_are_not_defined_are_not_told_to_the_rules():
    assert {"legal_days", "legal_overdue_days", "warning_days"}.isdisjoint(facts_of(after(FIVE_DAYS, on(11, 10))))


def test_a_set_that_gives_no_colour_is_a_fault(light_book):
    with pytest.raises(InvalidData, match="deadline_light 的结论是「none」，不是灯色"):
        light_of(light_book, "deadline_light", after(FIVE_DAYS, on(11, 10)), legal_days=9)


def test_an_unknown_set_is_a_fault(light_book):
    with pytest.raises(RuleSetMissing, match="no_such_light"):
        light_of(light_book, "no_such_light", after(FIVE_DAYS, on(11, 10)))


def test_the_edition_of_the_day_decides(tmp_path):
    sample = Path(__file__).with_name("sample_light.yaml").read_text(encoding="utf-8")
    (tmp_path / "old.yaml").write_text(sample.replace("until: null", "until: 2026-11-11"), encoding="utf-8")
    newer = sample.replace("from: 2020-01-01", "from: 2026-11-12").replace("outcome: yellow", "outcome: red")
    (tmp_path / "new.yaml").write_text(newer, encoding="utf-8")
    book = RuleBook([tmp_path / "old.yaml", tmp_path / "new.yaml"], engine="python")
    colours = [
        light_of(book, "deadline_light", after(FIVE_DAYS, day), legal_days=9, warning_days=4).colour
        for day in (on(11, 11), on(11, 12))
    ]
    assert colours == ["yellow", "red"]


SHIPPED = RuleBook(engine="python")
RUNNING = {
    "in time": after([Line("start", on(11, 9), 20)], on(11, 10)),
    "due soon": after(FIVE_DAYS, on(11, 13)),
    "due today": after(FIVE_DAYS, on(11, 16)),
    "overdue": after(FIVE_DAYS, on(11, 17)),
    "overdue, provisional": after([Line("start", on(12, 4), 20)], on(1, 20, 2027)),
}


def test_the_shipped_default_set_answers_every_state_without_further_limits():
    """Colours between are the maintainers' parameters; the ends are not."""
    colours = {name: light_of(SHIPPED, "deadline_light", found).colour for name, found in RUNNING.items()}
    assert set(colours.values()) <= set(COLOURS)
    assert colours["in time"] == "green"
    assert colours["overdue"] in ("red", "black")
    assert colours["overdue, provisional"] == "red"


def test_the_shipped_default_set_puts_out_what_is_finished():
    entries = [*FIVE_DAYS, Line("finish", on(11, 20))]
    assert light_of(SHIPPED, "deadline_light", after(entries, on(11, 27))).colour == "off"


@pytest.mark.parametrize(
    ("today", "colour"),
    [
        (on(5, 15), "green"),  # 16 days before the agreed date
        (on(5, 16), "yellow"),
        (on(5, 31), "yellow"),
        (on(6, 1), "black"),
    ],
)
def test_the_payment_light_follows_the_agreed_date(today, colour):
    entries = [Line("start", on(3, 1), due_on=on(5, 31))]
    assert light_of(SHIPPED, "payment_light", after(entries, today, Counting.CALENDAR)).colour == colour


def test_the_payment_light_goes_out_when_paid():
    entries = [Line("start", on(3, 1), due_on=on(5, 31)), Line("finish", on(6, 2))]
    assert light_of(SHIPPED, "payment_light", after(entries, on(6, 3), Counting.CALENDAR)).colour == "off"
