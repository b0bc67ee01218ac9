"""Use of the rules: the monthly tally, reasons, districts; where a set is asked; search; what decided a project."""

from collections import Counter
from datetime import date

import pytest
from sqlmodel import select

from domain.actor import SYSTEM
from domain.case.tables import StoredDecision
from domain.errors import NotAllowed
from domain.rule_workbench import tally, usage
from domain.rule_workbench.tally import RuleTally
from domain.rule_workbench.usage import DistrictUse, SetQuery
from tests.domain.rule_edition.conftest import KEY, bench, clock, office  # noqa: F401
from tests.domain.rule_replay.conftest import replays  # noqa: F401

PUDONG, QINGPU = "310115", "310118"
JUNE, MAY = date(2026, 6, 30), date(2026, 5, 4)


def kept(bench):  # noqa: F811
    left = 1
    while left:
        left = bench.write(tally.keep, actor=SYSTEM)


def read(bench, look, *args):  # noqa: F811
    with bench.database.reading() as session:
        return look(session, *args)


def undetermined(replays):  # noqa: F811
    """A decision that lacked its fact."""
    with replays.database.writing() as session:
        book, key = replays.bench.office.book, KEY
        made = book.decide("warning_line", key, {"area_m2": None}, JUNE, f"ledger:{QINGPU}:2026")
        session.add(StoredDecision(
            kind=made.kind, rule_set=key, subject=made.subject, edition="2026-01-01", digest=made.digest, outcome=made.outcome,
            message=made.message, decided_on=JUNE, at=replays.bench.now(), document=made.to_json(),
        ))  # fmt: skip
        session.commit()


@pytest.mark.parametrize("is_kept", [False, True])
def test_asked_refused_and_why_by_month_and_district(replays, bench, is_kept):  # noqa: F811
    replays.decided(["5", "6", "15"], JUNE, district=PUDONG)
    replays.decided(["5", "20"], JUNE, district=QINGPU)
    replays.decided(["5"], MAY)
    if is_kept:
        kept(bench)
    undetermined(replays)
    use = read(bench, usage.of_month, KEY, "2026-06")
    assert (use.asked, use.refused, use.undetermined) == (6, 3, 1)
    june = read(bench, usage.of_all, date(2026, 6, 1))
    assert june == {KEY: usage.MonthUse("2026-06", 6, 3, 1)} and KEY not in read(bench, usage.of_all, date(2026, 7, 1))
    assert use.districts == (DistrictUse(PUDONG, "浦东新区", 3, 2, 0), DistrictUse(QINGPU, "青浦区", 3, 1, 1))
    assert [(each.key, each.label, each.outcome, each.count) for each in use.reasons] == [
        ("below", "below", "stop", 3), ("area_m2", "面积", "undetermined", 1), ("", "", "none", 2),
    ]  # fmt: skip


def test_counted_once_whether_kept_at_once_or_in_batches(replays, bench, monkeypatch):  # noqa: F811
    replays.decided(["5", "15", "5", "25", "5"])
    before = read(bench, usage.of_month, KEY, "2026-06")
    monkeypatch.setattr(tally, "BATCH_ROWS", 2)
    kept(bench)
    kept(bench)
    assert read(bench, usage.of_month, KEY, "2026-06") == before
    assert sum(row.count for row in bench.rows(select(RuleTally))) == 5


def test_what_is_not_an_hour_old_waits_for_the_next_time(replays, bench, clock):  # noqa: F811
    undetermined(replays)
    kept(bench)
    assert bench.rows(select(RuleTally)) == []
    clock(hours=2)
    kept(bench)
    assert [row.reason for row in bench.rows(select(RuleTally))] == ["area_m2"]


def test_only_the_portal_keeps_the_tally(bench):  # noqa: F811
    with pytest.raises(NotAllowed):
        bench.write(tally.keep)


def test_months_without_a_decision_are_shown_too(replays, bench):  # noqa: F811
    today = bench.now().date()
    replays.decided(["5", "15"], today)
    months = read(bench, usage.by_month, KEY, 3)
    assert [(each.asked, each.refused) for each in months] == [(0, 0), (0, 0), (2, 1)]
    assert months[-1].month == f"{today:%Y-%m}"


def test_by_edition(replays, bench):  # noqa: F811
    rows = replays.decided(["5", "15"])
    assert read(bench, usage.by_edition, KEY) == {rows[0].digest: 2}


def test_search_in_words_by_fact_kind_and_place(bench):  # noqa: F811
    def keys(**asked):
        return [rules.key for rules in usage.search(bench.office, SetQuery(**asked), JUNE)]

    assert keys() == keys(words="样例 过小") == keys(fact="area_m2") == keys(fact="面积") == keys(kind="warning_line") == [KEY]
    assert keys(words="样例 太大") == keys(fact="paddy") == keys(parameter="ratio") == keys(kind="light") == keys(group="农用地") == []


def test_where_the_shipped_sets_are_asked(shared_office):
    on = date(2026, 11, 28)
    by_place = Counter()
    for _kind, key in shared_office.book.keys():  # noqa: SIM118
        by_place.update(each.place for each in usage.asked_at(shared_office, key, on))
    assert {"start", "light", "document", "field", "action", "route", "step"} >= set(by_place) >= {"light", "action", "route"}
    [found] = usage.search(shared_office, SetQuery(words="警戒线", parameter="警戒比例"), on)
    assert found.key == "outflow_warning_line"
    case_type = next(each for each in shared_office.catalogue.all(on) for step in each.workflow.steps for a in step.actions if a.route)
    step, ask = next((step.key, a.route.ask) for step in case_type.workflow.steps for a in step.actions if a.route)
    there = usage.search(shared_office, SetQuery(case_type=case_type.key, step=step), on)
    assert ask in [rules.key for rules in there]
