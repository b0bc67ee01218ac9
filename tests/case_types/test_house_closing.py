"""房屋结案 (LAND-015): counts come from the registry, the equation decides."""

import pytest

from domain.errors import OutsideSystemDown, Refused
from tests.domain.case.filing_steps import Walk

BALANCED, ONE_SHORT, ONE_OVER = "样例-ZD-2026-01", "样例-ZD-2026-02", "样例-ZD-2026-03"


@pytest.fixture
def handler(linked, person):
    return person("district_handler", district="310118")


def begun(database, handler, project):
    walk = Walk(database, handler, "house_closing")
    assert walk.fill(handler, "start", project_number=project, district="310118") == {}
    return walk


@pytest.mark.function("LAND-015", "balanced_starts")
def test_a_balanced_project_starts_and_is_closed(database, handler, person):
    walk = begun(database, handler, BALANCED)
    assert walk.case.values["residential_houses"] == 120
    walk.act(handler, "start", "begin")
    assert (walk.case.status, walk.case.steps) == ("open", "review")
    walk.act(person("district_chief", district="310118"), "review", "agree")
    assert walk.case.outcome == "done"


@pytest.mark.function("LAND-015", "unbalanced_refused", "both_sides_shown")
@pytest.mark.parametrize(("project", "left", "right"), [(ONE_SHORT, 60, 59), (ONE_OVER, 20, 21)])
def test_an_unbalanced_project_is_refused_with_both_sides(database, handler, project, left, right):
    walk = begun(database, handler, project)
    with pytest.raises(Refused, match=f"应办结 {left}.*已办结 {right}.*不能发起结案") as refused:
        walk.act(handler, "start", "begin")
    values = refused.value.decisions[0].values
    assert (int(values["left"]), int(values["right"])) == (left, right)
    assert walk.case.status == "draft"


@pytest.mark.function("LAND-015", "counts_fetched")
def test_counts_are_fetched_anew_and_cannot_be_typed(database, handler, running):
    walk = begun(database, handler, BALANCED)
    faults = walk.fill(handler, "start", project_number=BALANCED, district="310118", residential_houses=121)
    assert set(faults) == {"residential_houses"}
    running.control("houses", project_number=BALANCED, kind="residential", change=1)
    with pytest.raises(Refused, match="应办结 131"):
        walk.act(handler, "start", "begin")


def test_a_registry_that_is_down_lets_nothing_through(database, handler, running):
    walk = begun(database, handler, BALANCED)
    running.fault("house_registration", "down")
    with pytest.raises(OutsideSystemDown):
        walk.act(handler, "start", "begin")
    assert walk.case.status == "draft"


def test_an_unknown_project_cannot_start(database, handler):
    walk = begun(database, handler, "没有这个项目")
    assert "没有取到数据" in walk.case.values["registration_answer"]
    with pytest.raises(Refused, match="缺少"):
        walk.act(handler, "start", "begin")
