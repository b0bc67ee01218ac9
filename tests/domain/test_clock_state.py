"""What a ledger says: by examples from the calendar of 2026, and by a machine that counts day by day."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain import clock_words
from domain.clock_state import Counting, must_fit, state
from domain.errors import Refused
from domain.working_calendar import official_calendar

CALENDAR = official_calendar()


@dataclass(frozen=True)
class Line:
    """One entry of a ledger, as a value."""

    kind: str
    effective_on: date
    days: int | None = None
    due_on: date | None = None


def on(month: int, day: int, year: int = 2026) -> date:
    return date(year, month, day)


def says(entries, today, counting=Counting.WORKING):
    return state(entries, CALENDAR, today, counting)


STOPPED_ONE_DAY = [Line("start", on(11, 6), 10), Line("stop", on(11, 11)), Line("resume", on(11, 12))]


@pytest.mark.parametrize("today", [on(11, 20), on(11, 21), on(11, 22)])  # Friday and the weekend after it
def test_the_sample_of_the_case_page(today):
    found = says(STOPPED_ONE_DAY, today)
    assert (found.used, found.stopped, found.left, found.over) == (9, 1, 1, 0)
    assert (found.due_on, found.is_provisional, found.status) == (on(11, 23), False, "running")
    assert [(s.kind, s.days, s.first_on) for s in found.segments] == [
        ("used", 2, on(11, 9)), ("stop", 1, on(11, 11)), ("used", 7, on(11, 12)), ("left", 1, on(11, 23))]


def test_the_sample_in_words():
    found = says(STOPPED_ONE_DAY, on(11, 20))
    assert clock_words.story(found) == (
        "时限尺：承诺 10 个工作日，11 月 9 日起算，11 月 11 日停表，11 月 12 日续办，已用 9 个，停 1 个，还剩 1 个，11 月 23 日到期")
    assert [run["label"] for run in clock_words.ruler_runs(found)] == ["11-09 起算", "11-11 停", "11-12 续", ""]
    assert clock_words.end_label(found) == "11-23 到期"
    assert clock_words.light_words(found) == "剩 1 日"


def test_stopped_from_the_eighteenth_as_on_the_phone_page():
    entries = [Line("start", on(11, 11), 10), Line("stop", on(11, 18))]
    found = says(entries, on(11, 24))
    assert (found.used, found.stopped, found.left) == (4, 5, 6)
    assert (found.status, found.stopped_on, found.due_on) == ("stopped", on(11, 18), on(12, 2))
    assert clock_words.light_words(found) == "停表"
    assert "如次日续办，12 月 2 日到期" in clock_words.story(found)


def test_over_the_national_day_and_its_make_up_saturday():
    found = says([Line("start", on(9, 28), 5)], on(10, 8))
    # 29, 30 September, 8, 9 and Saturday 10 October
    assert (found.due_on, found.used, found.left) == (on(10, 10), 3, 2)


def test_stopped_before_the_national_day_and_resumed_on_the_make_up_saturday():
    entries = [Line("start", on(9, 17), 5), Line("stop", on(9, 21)), Line("resume", on(10, 10))]
    found = says(entries, on(10, 12))
    # used: 18 September, the make-up Sunday 20 September, Saturday 10 and Monday 12 October
    assert (found.used, found.left, found.due_on) == (4, 1, on(10, 13))
    assert found.stopped == 9  # 21 to 24 and 28 to 30 September, 8 and 9 October; 25 September is Mid-Autumn


def test_over_the_spring_festival_with_both_make_up_saturdays():
    found = says([Line("start", on(2, 12), 7)], on(2, 24))
    # 13 and Saturday 14, then 24 to 27 and Saturday 28 February
    assert (found.used, found.left, found.due_on) == (3, 4, on(2, 28))


def test_stop_through_the_spring_festival():
    entries = [Line("start", on(2, 10), 4), Line("stop", on(2, 14)), Line("resume", on(2, 28))]
    found = says(entries, on(2, 28))
    assert (found.used, found.stopped, found.left, found.due_on) == (4, 5, 0, on(2, 28))


def test_twenty_days_around_the_fourth_of_december():
    certain = says([Line("start", on(12, 3), 20)], on(12, 4))
    assert (certain.due_on, certain.is_provisional) == (on(12, 31), False)
    open_date = says([Line("start", on(12, 4), 20)], on(12, 4))
    assert (open_date.due_on, open_date.is_provisional) == (on(1, 4, 2027), True)
    assert clock_words.light_words(open_date) == "剩 20 日（暂定）"
    assert clock_words.story(open_date).endswith("到期日为暂定，2027 年工作日历公布后重算")
    assert clock_words.end_label(open_date) == "01-04 到期（暂定）"


def test_a_stop_pushes_a_certain_date_into_the_provisional_year():
    entries = [Line("start", on(12, 3), 20), Line("stop", on(12, 10)), Line("resume", on(12, 11))]
    assert says(entries[:1], on(12, 9)).is_provisional is False
    assert says(entries, on(12, 11)).is_provisional is True


def test_days_over_a_certain_date_may_be_provisional():
    found = says([Line("start", on(12, 1), 20)], on(1, 5, 2027))
    assert (found.due_on, found.is_provisional, found.is_count_provisional) == (on(12, 29), False, True)
    assert clock_words.light_words(found).endswith("（暂定）")


def test_due_today_is_neither_left_nor_over():
    found = says([Line("start", on(11, 9), 5)], on(11, 16))
    assert (found.left, found.over, found.due_on) == (0, 0, on(11, 16))
    assert clock_words.light_words(found) == "今日到期"
    assert says([Line("start", on(11, 9), 5)], on(11, 18)).over == 2


def test_stop_and_resume_on_one_day_stop_nothing():
    entries = [Line("start", on(11, 9), 5), Line("stop", on(11, 11)), Line("resume", on(11, 11))]
    assert says(entries, on(11, 12)).due_on == on(11, 16)
    assert says(entries, on(11, 12)).stopped == 0


def test_stop_on_the_day_of_the_start():
    entries = [Line("start", on(11, 9), 5), Line("stop", on(11, 9)), Line("resume", on(11, 12))]
    found = says(entries, on(11, 12))
    assert (found.used, found.stopped, found.due_on) == (1, 2, on(11, 18))


def test_extension_is_part_of_the_limit():
    entries = [Line("start", on(11, 9), 5), Line("extend", on(11, 13), 3)]
    found = says(entries, on(11, 18))
    assert (found.limit, found.extended, found.used, found.left, found.due_on) == (8, 3, 7, 1, on(11, 19))
    assert "其中延期 3 个" in clock_words.story(found)


def test_finish_counts_its_day_and_freezes():
    entries = [Line("start", on(11, 9), 5), Line("finish", on(11, 12))]
    assert says(entries, on(11, 12)) == says(entries, on(11, 12))
    late = says(entries, on(12, 31))
    assert (late.used, late.left, late.over, late.finished_on, late.status) == (3, 2, 0, on(11, 12), "finished")
    assert clock_words.light_words(late) == "用 3 日"


def test_what_was_frozen_stays_when_the_calendar_is_corrected():
    entries = [Line("start", on(11, 9), 5), Line("finish", on(11, 18), 7, on(11, 16))]
    found = says(entries, on(12, 1))
    assert (found.used, found.over, found.due_on) == (5, 2, on(11, 16))
    assert clock_words.light_words(found) == "用 7 日，超 2 日"


def test_finish_while_stopped_counts_to_the_stop():
    entries = [Line("start", on(11, 9), 5), Line("stop", on(11, 12)), Line("finish", on(11, 20))]
    found = says(entries, on(11, 30))
    assert (found.used, found.stopped) == (2, 7)


def test_a_past_day_is_answered_without_later_entries():
    found = says(STOPPED_ONE_DAY, on(11, 11))
    assert (found.status, found.used, found.due_on) == ("stopped", 2, on(11, 23))


AGREED = on(6, 30)


@pytest.mark.parametrize(
    ("today", "left", "over"),
    [
        (on(6, 14), 16, 0),
        (on(6, 15), 15, 0),
        (on(6, 30), 0, 0),
        (on(7, 1), 0, 1),
        (on(8, 29), 0, 60),
        (on(8, 30), 0, 61),
    ],
)
def test_agreed_date_in_calendar_days(today, left, over):
    found = says([Line("start", on(3, 1), due_on=AGREED)], today, Counting.CALENDAR)
    assert (found.left, found.over, found.due_on, found.is_provisional) == (left, over, AGREED, False)


def test_agreed_date_before_the_start_is_over_at_once():
    found = says([Line("start", on(7, 10), due_on=AGREED)], on(7, 10), Counting.CALENDAR)
    assert (found.used, found.left, found.over, found.due_on) == (0, 0, 10, AGREED)


def test_agreed_date_is_moved_by_an_extension_only():
    entries = [Line("start", on(3, 1), due_on=AGREED), Line("extend", on(6, 1), 31)]
    assert says(entries, on(6, 1), Counting.CALENDAR).due_on == on(7, 31)
    with pytest.raises(Refused, match="不因停表顺延"):
        must_fit(entries, Line("stop", on(6, 2)))


def test_calendar_days_count_weekends_and_need_no_table():
    found = says([Line("start", on(12, 20), 30)], on(12, 27), Counting.CALENDAR)
    assert (found.used, found.left, found.due_on, found.is_provisional) == (7, 23, on(1, 19, 2027), False)


def test_agreed_date_on_a_weekend_keeps_its_date_in_working_days():
    found = says([Line("start", on(11, 9), due_on=on(11, 15))], on(11, 10))
    assert (found.due_on, found.used, found.left) == (on(11, 15), 1, 3)


START = Line("start", on(11, 9), 5)


@pytest.mark.parametrize(
    ("entries", "added", "words"),
    [
        ([], Line("stop", on(11, 9)), "还没有起算"),
        ([], Line("start", on(11, 9), 0), "天数是 0"),
        ([], Line("start", on(11, 9)), "天数是 None"),
        ([START], Line("start", on(11, 10), 5), "正在计时.*不能再起算"),
        ([START], Line("resume", on(11, 10)), "正在计时.*不能再续办"),
        ([START, Line("stop", on(11, 10))], Line("stop", on(11, 11)), "已经停表.*不能再停表"),
        ([START], Line("stop", on(11, 8)), "早于上一条流水"),
        ([START, Line("stop", on(11, 12))], Line("resume", on(11, 11)), "早于上一条流水"),
        ([START], Line("extend", on(11, 10), 0), "延期的天数是 0"),
        ([START], Line("extend", on(11, 10)), "延期的天数是 None"),
        ([START, Line("finish", on(11, 10))], Line("stop", on(11, 11)), "已经办结.*不能再停表"),
        ([START, Line("finish", on(11, 10))], Line("extend", on(11, 11), 3), "已经办结.*不能再延期"),
        ([START, Line("finish", on(11, 10))], Line("finish", on(11, 11)), "已经办结.*不能再结束"),
    ],
)
def test_entries_that_contradict_the_ledger_are_refused(entries, added, words):
    with pytest.raises(Refused, match=words):
        must_fit(entries, added)


class LedgerMachine(RuleBasedStateMachine):
    """A clock lived day by day beside an independent count of its days."""

    @initialize(start_on=st.dates(date(2025, 9, 1), date(2026, 12, 20)), days=st.integers(1, 30), working=st.booleans())
    def begin(self, start_on, days, working):
        self.counting = Counting.WORKING if working else Counting.CALENDAR
        self.today = start_on
        self.entries = [Line("start", start_on, days)]
        self.limit = days
        self.ran: set[date] = set()
        self.stood: set[date] = set()
        self.is_stopped = self.is_finished = False
        self.frozen = None

    def counts(self, day):
        return self.counting == Counting.CALENDAR or CALENDAR.is_working_day(day)

    def now_says(self):
        return state(self.entries, CALENDAR, self.today, self.counting)

    def add(self, kind, days=None):
        line = Line(kind, self.today, days)
        must_fit(self.entries, line)
        self.entries.append(line)

    @rule(days=st.integers(1, 12))
    def live(self, days):
        for _ in range(days):
            before = self.now_says()
            self.today += timedelta(days=1)
            if not self.is_finished:
                (self.stood if self.is_stopped else self.ran).add(self.today)
            after = self.now_says()
            assert after.due_on >= before.due_on if self.is_stopped else after.due_on == before.due_on

    @precondition(lambda self: not self.is_finished and not self.is_stopped)
    @rule()
    def stop(self):
        before = self.now_says().due_on
        self.add("stop")
        self.is_stopped = True
        if self.today > self.entries[0].effective_on:
            self.ran.discard(self.today)
            self.stood.add(self.today)
        assert self.now_says().due_on >= before or before <= self.today

    @precondition(lambda self: self.is_stopped and not self.is_finished)
    @rule()
    def resume(self):
        before = self.now_says().due_on
        self.add("resume")
        self.is_stopped = False
        if self.today > self.entries[0].effective_on:
            self.stood.discard(self.today)
            self.ran.add(self.today)
        assert self.now_says().due_on <= before

    @precondition(lambda self: not self.is_finished)
    @rule(days=st.integers(1, 15))
    def extend(self, days):
        before = self.now_says()
        self.add("extend", days)
        self.limit += days
        assert self.now_says().due_on > before.due_on

    @precondition(lambda self: not self.is_finished)
    @rule()
    def finish(self):
        self.add("finish")
        self.is_finished = True
        self.frozen = self.now_says()

    @invariant()
    def every_day_is_counted_once(self):
        found = self.now_says()
        ran = sum(map(self.counts, self.ran))
        assert found.used + found.left == found.limit == self.limit
        assert found.total == ran
        assert found.stopped == sum(map(self.counts, self.stood))
        assert found.over == max(0, ran - self.limit)
        assert not (found.left and found.over)

    @invariant()
    def segments_tell_the_same(self):
        found = self.now_says()
        for kind, days in (("used", found.used), ("stop", found.stopped), ("left", found.left), ("over", found.over)):
            assert sum(s.days for s in found.segments if s.kind == kind) == days
        in_order = [day for s in found.segments for day in (s.first_on, s.last_on)]
        assert in_order == sorted(in_order)

    @invariant()
    def due_date_is_the_last_allowed_day(self):
        found = self.now_says()
        assert self.counts(found.due_on)
        if found.left and not self.is_stopped and not self.is_finished:
            ahead = (found.due_on - self.today).days
            assert sum(self.counts(self.today + timedelta(days=n + 1)) for n in range(ahead)) == found.left
        if found.over:
            assert found.due_on in self.ran and sum(self.counts(d) for d in self.ran if d <= found.due_on) == self.limit

    @invariant()
    def certain_only_within_official_years(self):
        found = self.now_says()
        reaches = max(found.due_on, self.today) if not self.is_finished else self.today
        if self.counting == Counting.CALENDAR or reaches.year <= 2026:
            assert not found.is_provisional
        elif not self.is_finished and found.due_on.year > 2026:
            assert found.is_provisional

    @invariant()
    def finish_freezes(self):
        if self.frozen is not None:
            found = self.now_says()
            for name in ("used", "stopped", "left", "over", "due_on", "segments", "finished_on", "is_provisional"):
                assert getattr(found, name) == getattr(self.frozen, name)


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=120, stateful_step_count=25, deadline=None)


@given(st.dates(date(2025, 1, 1), date(2026, 10, 1)), st.integers(1, 40), st.integers(0, 60))
def test_the_state_of_a_day_does_not_depend_on_later_entries(start_on, days, later):
    entries = [Line("start", start_on, days)]
    asked = start_on + timedelta(days=later)
    tail = [Line("stop", asked + timedelta(days=1)), Line("finish", asked + timedelta(days=9))]
    assert says(entries, asked) == says(entries + tail, asked)
