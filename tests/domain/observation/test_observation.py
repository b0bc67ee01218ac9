"""Readings over the line within a window: judged by the rules, in any order, each once, across a stop of the runner."""

import itertools
from copy import copy
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import col, select

from domain import failpoint
from domain.actor import SYSTEM
from domain.case.tables import StoredDecision
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.notice import Notice
from domain.observation import intake, judging
from domain.observation.intake import Reading
from domain.observation.tables import Observation, ObservationAlarm, ObservationSeries
from domain.portal_clock import now
from portal.database import Database
from portal.runner import Runner
from rules.engine import RuleBook
from tests.integrations.waiting import wait_until

KEY = "SH-CJ-0001"
START = now().replace(minute=0, second=0, microsecond=0) - timedelta(days=10)
LINE = Decimal(3)


class Gauge:
    """One series, and short words for what happens to it."""

    def __init__(self, database):
        self.database = database
        self._numbers = itertools.count(1)

    def open(self, **changed):
        given = {"key": KEY, "subject": "样例观测墩", "title": "日沉降量", "unit": "mm", "rule_set": "observation_line",
                 "district_code": "310118", **changed}
        with self.database.writing() as session:
            return intake.open_series(session, SYSTEM, **given)

    def reading(self, hours, value, key=None):
        return Reading(key or f"r{next(self._numbers)}", START + timedelta(hours=hours), Decimal(value))

    def take(self, *readings, judge=True):
        with self.database.writing() as session:
            taken = intake.take(session, SYSTEM, KEY, readings)
        if judge:
            self.judge()
        return taken

    def send(self, *pairs, judge=True):
        return self.take(*(self.reading(*pair) for pair in pairs), judge=judge)

    def judge(self):
        while judging.judge_next(self.database):
            pass

    def rows(self, table):
        with self.database.reading() as session:
            return session.exec(select(table).order_by(col(table.id))).all()

    @property
    def series(self):
        return self.rows(ObservationSeries)[0]

    @property
    def alarms(self):
        """The alarms that stand: begin and end in hours since the start."""
        return [(self.hours(a.from_at), self.hours(a.ended_at)) for a in self.rows(ObservationAlarm) if a.withdrawn_at is None]

    def hours(self, at):
        return None if at is None else (at - START) / timedelta(hours=1)

    @property
    def outcomes(self):
        return [each.outcome for each in sorted(self.rows(Observation), key=lambda each: (each.at, each.id))]

    def told(self, kind="observation"):
        return [(each.person_id, each.title.split("：")[0]) for each in self.rows(Notice) if each.kind == kind]


@pytest.fixture
def gauge(database):
    made = Gauge(database)
    made.open()
    return made


@pytest.fixture
def handler(person):
    return person("district_handler", district="310118")


def test_three_readings_over_the_line_within_a_day_alarm_once(gauge, handler, person):
    person("district_handler", district="310101")
    gauge.send((0, "3.5"))
    gauge.send((10, "3.001"))
    assert (gauge.alarms, gauge.told()) == ([], [])
    gauge.send((24, "4"))
    assert gauge.alarms == [(24, None)]
    gauge.send((25, "4"), (26, "4"))  # still the same crossing
    assert gauge.alarms == [(24, None)]
    assert gauge.told() == [(handler.person_id, "监测报警")]
    stored = gauge.rows(StoredDecision)
    assert [(each.outcome, each.moment, each.subject, each.case_id) for each in stored] == [
        ("warn", "observe", f"series:{KEY}", None)
    ]
    assert [each["age_hours"] for each in stored[0].document["facts"]["readings"]] == ["24", "14", "0"]
    assert gauge.rows(ObservationAlarm)[0].decision_id == stored[0].id


@pytest.mark.parametrize(("readings", "alarms"), [
    ([(0, "3.5"), (1, "3.5"), (2, "3.000")], []),  # at the line is not over it
    ([(0, "3.5"), (1, "3.5"), (24, "3.5")], [(24, None)]),  # exactly 24 hours is within
    ([(0, "3.5"), (1, "3.5"), (24.001, "3.5")], []),
    ([(0, "3.5"), (1, "1"), (2, "3.5"), (3, "1"), (4, "3.5")], [(4, None)]),  # not in a row, but within the window
    ([(0, "3.5"), (1, "3.5"), (2, "3.5"), (30, "1")], [(2, 30)]),  # a later reading ends it
    ([(0, "4"), (1, "4"), (2, "4"), (30, "1"), (50, "4"), (51, "4"), (52, "4")], [(2, 30), (52, None)]),
    ([(0, "4"), (0, "4"), (0, "4")], [(0, None)]),  # three of one moment
])
def test_windows(gauge, handler, readings, alarms):
    gauge.send(*readings)
    assert gauge.alarms == alarms
    assert len(gauge.told()) == len(alarms)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_order_of_arrival_does_not_matter(gauge, order):
    readings = [gauge.reading(*each) for each in ((0, "4"), (10, "4"), (20, "4"), (50, "1"))]
    for place in order:
        gauge.take(readings[place])
    assert gauge.alarms == [(20, 50)]
    assert gauge.outcomes == ["none", "none", "warn", "none"]


def test_a_late_reading_moves_the_beginning_without_a_second_notice(gauge, handler):
    gauge.send((0, "4"), (4, "4"), (8, "4"))
    gauge.send((2, "4"))
    assert gauge.alarms == [(4, None)]
    assert len(gauge.told()) == 1
    assert gauge.series.settle_from is gauge.series.judge_from is None


def test_a_late_reading_makes_one_crossing_of_two(gauge, handler):
    gauge.send((0, "4"), (1, "4"), (2, "4"), (25.5, "1"), (26, "4"), (27, "4"), (28, "4"))
    assert gauge.alarms == [(2, 25.5), (28, None)]
    gauge.send((24, "4"), (25, "4"))
    assert gauge.alarms == [(2, None)]
    assert [title for _person, title in gauge.told()] == ["监测报警"] * 2


def test_a_late_reading_may_show_a_crossing_of_the_past(gauge, handler):
    gauge.send((0, "4"), (2, "4"), (40, "1"))
    gauge.send((1, "4"))
    assert gauge.alarms == [(2, 40)]
    assert "由迟到的读数补判" in next(each.body for each in gauge.rows(Notice))


def test_an_alarm_that_no_reading_bears_any_more_is_withdrawn_and_told(gauge, handler, database):
    gauge.send((0, "4"), (1, "4"), (2, "4"))
    with database.writing() as session:  # as if another edition had judged them
        row = session.exec(select(Observation).where(Observation.business_key == "r1")).one()
        row.value = LINE
        session.commit()
    gauge.send((1.5, "1"))
    assert gauge.alarms == []
    assert [title for _person, title in gauge.told()] == ["监测报警", "监测报警撤销"]


def test_what_was_taken_before_is_passed_over(gauge, handler):
    three = [gauge.reading(hour, "4") for hour in (0, 1, 2)]
    assert (gauge.take(*three).new, gauge.take(*three).repeated, gauge.take(three[0], three[0]).repeated) == (3, 3, 2)
    assert len(gauge.rows(Observation)) == 3
    assert len(gauge.told()) == 1
    with pytest.raises(Conflict, match="读数 r1 已收过"):
        gauge.send((3, "4"), (0, "5", "r1"))
    with pytest.raises(Conflict, match="同一批里读数 x 出现两次"):
        gauge.send((3, "4", "x"), (3, "5", "x"))
    assert len(gauge.rows(Observation)) == 3


def test_unsound_readings_are_refused_whole(gauge):
    ahead = (now() + timedelta(hours=1) - START) / timedelta(hours=1)
    for pair, words in (((ahead, "1"), "还没有到"), ((0, "1.0000001"), "小数多于 6 位"), ((0, "NaN"), "超出范围"), ((0, "1", "k" * 81), "业务编号")):
        with pytest.raises(InvalidData, match=words):
            gauge.send((0, "1", "good"), pair)
    naive = Reading("n", START.replace(tzinfo=None), Decimal(1))
    with pytest.raises(InvalidData, match="时区"):
        gauge.take(naive)
    assert gauge.rows(Observation) == []


def test_a_series_fits_its_rule_set_or_is_not_opened(gauge, person, database):
    with pytest.raises(Conflict, match="已经有了"):
        gauge.open()
    with pytest.raises(InvalidData, match="读数单位是 mm，序列的单位是 m"):
        gauge.open(key="other", unit="m")
    with pytest.raises(InvalidData, match="没有键为 nothing 的规则集"):
        gauge.open(key="other", rule_set="nothing")
    with pytest.raises(InvalidData, match="没有写明时间窗"):
        gauge.open(key="other", rule_set="outflow_warning_line")
    reviewer = person("reviewer")
    with database.writing() as session, pytest.raises(NotAllowed):
        intake.open_series(session, reviewer, "k", "s", "t", "mm", "observation_line")
    with database.writing() as session, pytest.raises(NotFound, match="没有编号为 gone 的监测序列"):
        intake.take(session, SYSTEM, "gone", [])


def test_the_state_survives_a_stop_of_the_runner(gauge, handler, office):
    gauge.send((0, "4"), (1, "4"))
    gauge.send((2, "4"), judge=False)  # taken in while nobody judges
    assert gauge.series.judge_from is not None
    gauge.database.dispose()
    beside = Database(gauge.database.url, office=office)
    again = Gauge(beside)
    for _start in range(2):  # started, stopped and started once more
        runner = Runner(beside, office)
        runner.start()
        try:
            wait_until(lambda: again.series.judge_from is None and again.series.settle_from is None)
        finally:
            runner.stop()
    assert again.alarms == [(2, None)]
    assert again.told() == [(handler.person_id, "监测报警")]
    beside.dispose()


@pytest.mark.parametrize("place", [
    "observation.judge:before_commit", "observation:judged", "observation.settle:before_audit", "observation.settle:before_commit",
])
def test_a_crash_in_between_repeats_and_loses_nothing(gauge, handler, monkeypatch, place):
    gauge.send((0, "4"), (1, "4"), (2, "4"), judge=False)

    def crash(reached):
        if reached == place:
            raise KeyboardInterrupt(reached)

    with monkeypatch.context() as patched:
        patched.setattr(failpoint, "reach", crash)
        patched.setattr(judging, "reach", crash)
        with pytest.raises(KeyboardInterrupt):
            gauge.judge()
        assert gauge.alarms == []
    gauge.judge()
    assert gauge.alarms == [(2, None)]
    assert len(gauge.told()) == 1


def test_long_series_are_judged_in_pages(gauge, handler):
    gauge.send(*((hour, "4") for hour in range(7)), (7, "4"), (7, "4"), judge=False)
    done = []
    while not done or not done[-1]:
        with gauge.database.writing() as session:
            done.append(judging.judge_page(session, SYSTEM, gauge.series.id, 4))
    gauge.judge()
    assert done == [False, True]  # four, then four and the one of the same moment
    assert gauge.alarms == [(2, None)]
    assert gauge.outcomes == ["none"] * 2 + ["warn"] * 7


def test_without_rules_readings_are_kept_and_neither_alarm_nor_end_one(gauge, handler, person, office, tmp_path):
    maintainer = person("rule_maintainer")
    gauge.send((0, "4"), (1, "4"), (2, "4"))
    whole = office.book
    office.book = RuleBook([tmp_path], demo=True)
    gauge.send((30, "1"))
    gauge.send((31, "1"))
    assert gauge.outcomes[-2:] == ["undetermined", "undetermined"]
    assert gauge.alarms == [(2, None)]
    assert "observation_line" in gauge.series.fault
    assert gauge.told("rules") == [(maintainer.person_id, "监测读数不能判断")]
    office.book = copy(whole)
    with gauge.database.writing() as session:
        assert judging.retry_faulty(session, SYSTEM) == 1
    gauge.judge()
    assert (gauge.alarms, gauge.series.fault) == ([(2, 30)], None)
