"""Who changed a layer, on which edition; an area renewed with its borders; the way back; the history of a feature.

On both databases, with two sessions where two people meet.
"""

import re
import threading
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import shapely

from domain.actor import Actor, Grant
from domain.area import area_m2, sum_m2
from domain.command import Work
from domain.errors import Conflict, NotAllowed, Refused
from domain.layer import (
    FeatureData,
    Terms,
    all_features,
    change_features,
    edition_on,
    history_of,
    layer_of,
    load_layer,
    load_region,
    replace_features,
    replace_region,
    replace_whole,
    restore_former,
    write_change,
)
from domain.layer.border import divided, strangers
from portal.database import Database

KEY, QINGPU, PUDONG = "annual_farmland", "310118", "310115"
JANUARY, MARCH, MAY = date(2026, 1, 1), date(2026, 3, 1), date(2026, 5, 1)
ANN, BEN = Actor(7, "安图形", (Grant("graphic_manager"),)), Actor(8, "贝图形", (Grant("graphic_manager"),))


def plot(n: int, district: str = QINGPU, status: str = "可用") -> FeatureData:
    """A square of a row, one hundredth of a degree wide."""
    square = shapely.box(121.0 + n / 100, 31.0, 121.01 + n / 100, 31.01)
    return FeatureData(f"P{n}", district, "0101", area_m2(square), square, {"plot_number": f"P{n}", "status": status}, status)


def act(database: Database, change, *args, actor: Actor = ANN, **options):
    """Do a change in a transaction of its own, as a command does."""
    with database.writing() as session:
        work = Work(session, actor, datetime(2026, 3, 1, tzinfo=UTC), "test.change")
        made = change(work, *args, **options)
        number = made.number
        work.finish()
        return number


def keys(database: Database, on: date | None = None) -> list[str]:
    with database.reading() as session:
        return [feature.key for feature in all_features(session, KEY, on)]


@pytest.fixture
def loaded(database: Database) -> Database:
    act(database, replace_whole, KEY, [plot(n) for n in range(4)] + [plot(9, PUDONG)], JANUARY, is_generated=True)
    return database


def test_an_edition_says_who_made_it_how_and_why(loaded):
    act(loaded, replace_features, KEY, ["P0"], [plot(5)], MARCH, actor=BEN, terms=Terms(1, "delete", "复核后删除", 2026))
    with loaded.reading() as session:
        made = edition_on(session, KEY)
        assert (made.person_id, made.person_name, made.change, made.reason, made.data_year) == (8, "贝图形", "delete", "复核后删除", 2026)
        assert edition_on(session, KEY, JANUARY).change == "whole"


def test_the_data_year_stays_until_another_is_stated(loaded):
    act(loaded, replace_region, KEY, PUDONG, [], MARCH, terms=Terms(data_year=2025))
    act(loaded, replace_features, KEY, ["P0"], [], MARCH)
    with loaded.reading() as session:
        assert edition_on(session, KEY).data_year == 2025


def test_a_stale_change_is_refused_and_says_who_changed_it_and_when(loaded):
    act(loaded, replace_features, KEY, ["P0"], [], MARCH, actor=BEN, terms=Terms(1))
    with pytest.raises(Conflict, match="已由贝图形于 2026-03-01 08:00 更新为第 2 版（按图形更新）"):
        act(loaded, replace_features, KEY, ["P1"], [], MARCH, terms=Terms(1))
    assert keys(loaded) == ["P1", "P2", "P3", "P9"]


CHANGES = {
    "whole": lambda terms: (replace_whole, KEY, [plot(5)], MARCH, None, None, "", terms),
    "region": lambda terms: (replace_region, KEY, QINGPU, [plot(5)], MARCH, None, "", terms),
    "area": lambda terms: (write_change, KEY, "area", ["P1"], [], MARCH, None, "", terms),
    "feature": lambda terms: (replace_features, KEY, ["P1"], [], MARCH, None, "", terms),
    "change": lambda terms: (change_features, KEY, ["P1"], MARCH, None, "预占", None, "", terms),
    "restore": lambda terms: (restore_former, KEY, MARCH, terms.expected, "误传"),
}


@pytest.mark.parametrize("way", CHANGES)
def test_of_two_at_once_on_one_edition_one_is_refused_and_nothing_is_lost(loaded, way):
    act(loaded, replace_features, KEY, ["P0"], [], MARCH)
    barrier, answers = threading.Barrier(2), []

    def go(actor: Actor) -> None:
        barrier.wait()
        try:
            answers.append(act(loaded, *CHANGES[way](Terms(2)), actor=actor))
        except Conflict as error:
            answers.append(error)

    threads = [threading.Thread(target=go, args=(actor,)) for actor in (ANN, BEN)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len([each for each in answers if each == 3]) == 1
    (refused,) = [each for each in answers if isinstance(each, Conflict)]
    with loaded.reading() as session:
        last = edition_on(session, KEY)
        assert last.number == 3 and last.person_name in refused.message
        assert last.feature_count == len(all_features(session, KEY))


def test_two_who_change_attributes_at_once_both_are_kept(loaded):
    """Without a number to expect, as effects of cases work: what is read is read under the lock."""
    barrier, faults = threading.Barrier(2), []

    def go(name: str) -> None:
        barrier.wait()
        try:
            act(loaded, change_features, KEY, ["P1"], MARCH, attributes={name: "有"})
        except Exception as error:  # noqa: BLE001  (shown by the assertion below)
            faults.append(error)

    threads = [threading.Thread(target=go, args=(name,)) for name in ("甲", "乙")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not faults
    with loaded.reading() as session:
        (state, *_) = history_of(session, KEY, "P1")
        assert (state.feature.attributes["甲"], state.feature.attributes["乙"]) == ("有", "有")


def test_two_who_make_the_first_edition_at_once_follow_each_other(database):
    barrier, answers = threading.Barrier(2), []

    def go(n: int) -> None:
        barrier.wait()
        try:
            answers.append(act(database, replace_whole, KEY, [plot(n)], MARCH, terms=Terms(0)))
        except Conflict as error:
            answers.append(error)

    threads = [threading.Thread(target=go, args=(n,)) for n in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [each for each in answers if not isinstance(each, Conflict)] == [1] and len(answers) == 2


# -- an area


@pytest.mark.function("GEO-030", "c2", "c3")
def test_an_area_is_renewed_and_everything_beside_it_stays(loaded):
    fresh = FeatureData("N1", QINGPU, "0102", area_m2(plot(1).geometry), plot(1).geometry)
    act(loaded, write_change, KEY, "area", ["P1"], [fresh], MARCH)
    assert keys(loaded) == ["N1", "P0", "P2", "P3", "P9"]
    assert keys(loaded, JANUARY) == ["P0", "P1", "P2", "P3", "P9"]
    with loaded.reading() as session:
        made = edition_on(session, KEY)
        assert (made.extent, made.added_count, made.ended_count, made.feature_count) == ("area", 1, 1, 5)
        (ended,) = history_of(session, KEY, "P1")
        assert (ended.until.effective_on, ended.is_current) == (MARCH, False)


def test_what_crosses_the_border_is_refused_with_its_areas(loaded):
    with loaded.reading() as session:
        found = divided(all_features(session, KEY), shapely.box(121.01, 31.0, 121.025, 31.01))
    assert [each.key for each in found.inside] == ["P1"]
    assert re.match("原有图形 P2（范围内 .* 平方米）跨在范围边界上", found.refusal())


def test_what_crosses_is_cut_on_request_and_the_areas_close(loaded):
    half = shapely.box(121.01, 31.0, 121.025, 31.01)
    with loaded.reading() as session:
        found = divided(all_features(session, KEY), half)
    (cut,) = found.crossing
    act(loaded, write_change, KEY, "area", [*(each.key for each in found.inside), "P2"], [cut.remainder], MARCH)
    with loaded.reading() as session:
        now = {each.key: each for each in all_features(session, KEY)}
        assert sorted(now) == ["P0", "P2", "P3", "P9"]
        (left, was) = history_of(session, KEY, "P2")
        assert left.feature.area_m2 + cut.inside_m2 == was.feature.area_m2
        assert shapely.intersection(left.feature.geometry, half).area < 1e-15
        assert left.feature.attributes == was.feature.attributes


def test_cut_parts_close_to_a_registered_area_too():
    registered = FeatureData("R", QINGPU, "0101", Decimal("1000000.03"), plot(0).geometry)
    (cut,) = divided([registered], shapely.box(121.0, 31.0, 121.003, 31.01)).crossing
    assert sum_m2([cut.inside_m2, cut.remainder.area_m2]) == Decimal("1000000.03")
    assert cut.inside_m2 == Decimal("300000.01")


def test_a_common_border_is_no_crossing(loaded):
    with loaded.reading() as session:
        found = divided(all_features(session, KEY), plot(1).geometry)
    assert ([each.key for each in found.inside], found.crossing) == (["P1"], ())


def test_new_features_that_reach_out_of_the_area_are_named():
    assert strangers([plot(1), plot(5)], plot(1).geometry) == ["P5"]
    assert strangers([], plot(1).geometry) == []


# -- the way back


def test_the_former_edition_comes_back_bit_by_bit_as_one_more_edition(loaded):
    with loaded.reading() as session:
        before = all_features(session, KEY)
    act(loaded, replace_region, KEY, QINGPU, [plot(0, status="预占"), plot(6)], MARCH, terms=Terms(1, data_year=2026))
    assert act(loaded, restore_former, KEY, MAY, 2, "上传了错误的文件") == 3
    with loaded.reading() as session:
        after, made = all_features(session, KEY), edition_on(session, KEY)
        assert after == before
        assert (made.change, made.restored_number, made.reason, made.data_year) == ("restore", 1, "上传了错误的文件", None)
        assert (made.feature_count, made.added_count, made.ended_count) == (5, 4, 2)
    assert keys(loaded, MARCH) == ["P0", "P6", "P9"]


def test_a_return_says_again_that_the_data_are_generated(loaded):
    act(loaded, replace_whole, KEY, [plot(0)], MARCH, is_generated=False)
    act(loaded, restore_former, KEY, MARCH, 2, "误传")
    with loaded.reading() as session:
        assert layer_of(session, KEY).is_generated


@pytest.mark.parametrize(("case_id", "words"), [(None, "没有上一版"), (42, "由办件产生")])
def test_what_cannot_be_taken_back_is_refused_with_the_reason(loaded, case_id, words):
    number = act(loaded, replace_features, KEY, ["P0"], [], MARCH, case_id) if case_id else 1
    with pytest.raises(Refused, match=words):
        act(loaded, restore_former, KEY, MARCH, number, "试")


# -- history and rights


@pytest.mark.function("GEO-030", "c4")
def test_the_history_of_a_feature_names_the_editions_that_brought_and_ended_it(loaded):
    act(loaded, change_features, KEY, ["P1"], MARCH, status="预占", actor=BEN)
    act(loaded, replace_features, KEY, ["P1"], [], MAY)
    with loaded.reading() as session:
        second, first = history_of(session, KEY, "P1")
        assert (first.since.number, first.until.number, first.feature.status) == (1, 2, "可用")
        assert (second.since.person_name, second.until.number, second.feature.status) == ("贝图形", 3, "预占")
        assert history_of(session, KEY, "nobody") == []


def test_who_has_the_right_in_a_district_changes_that_district_alone(loaded):
    local = Actor(9, "区图形", (Grant("graphic_manager", QINGPU),))
    with loaded.writing() as session:
        load_region(session, local, KEY, QINGPU, [plot(1)], MARCH, terms=Terms(1))
    assert keys(loaded) == ["P1", "P9"]
    with loaded.writing() as session, pytest.raises(NotAllowed, match="浦东新区，不在你的辖区内"):
        load_region(session, local, KEY, PUDONG, [], MARCH)
    with loaded.writing() as session, pytest.raises(NotAllowed, match="全图层更新只由市级办理"):
        load_layer(session, local, KEY, [plot(1)], MARCH)
    assert keys(loaded) == ["P1", "P9"]
