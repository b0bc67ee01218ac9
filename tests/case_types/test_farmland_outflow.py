"""耕地流出 (LAND-065..069, 101): 农转用 and 非建设项目用途管制, from the range to the books."""

from decimal import Decimal

import pytest
import shapely
from bs4 import BeautifulSoup
from sqlmodel import select

from domain import hold, outflow
from domain.area import area_m2
from domain.case import operations
from domain.case.tables import Task
from domain.errors import InvalidData, Refused
from domain.layer import features_by_key
from domain.ledger import LedgerFreeze, ResourceDetail, active_freeze, plan_state
from domain.ledger.check import check
from tests.domain.case.filing_steps import Walk
from tests.domain.ledger_books import PUDONG, new_case, opened, stored, used, working
from tests.domain.space_fixtures import (
    BUILT,
    DRY,
    PADDY,
    QINGPU,
    SIDE,
    SOUTH,
    WEST,
    give_range,
    load_plots,
    plot,
)

PROJECT = {
    "farmland_conversion": {"project_name": "样例道路", "district": QINGPU, "land_user": "样例单位", "conversion_kind": "single"},
    "nonbuild_usage": {"project_name": "样例河道", "district": QINGPU, "project_type": "small_rivers", "project_owner": "样例单位"},
}
TERMS = {
    "source_ledger": "annual_reserve", "use_type": "construction", "resource_type": "0101", "resource_scope": "own_district",
    "year": 2026,
}
BOTH = pytest.mark.parametrize("case_type", ["farmland_conversion", "nonbuild_usage"])
BOTH_CROPS = area_m2(PADDY) + area_m2(DRY)


@pytest.fixture(autouse=True)
def books(database):
    with database.writing() as session:
        load_plots(session)
    with working(database) as work:
        opened(work, QINGPU, "500000.00")
        stored(work, "100000.00")


@pytest.fixture
def handler(person):
    return person("district_handler", district=QINGPU)


def begun(database, handler, case_type, *shapes, **said):
    walk = Walk(database, handler, case_type)
    assert walk.fill(handler, "apply", **PROJECT[case_type]) == {}
    for shape in shapes:
        give_range(database, handler, walk.id, shape, **said)
    return walk


def declared(database, handler, case_type, *shapes, is_outflow=True, **said):
    walk = begun(database, handler, case_type, *shapes, **said)
    walk.act(handler, "apply", "submit")
    assert walk.fill(handler, "declare", is_outflow="true" if is_outflow else "false", **TERMS) == {}
    walk.act(handler, "declare", "declare" if is_outflow else "declare_none")
    return walk


def plan(database):
    with database.reading() as session:
        return plan_state(session, QINGPU, 2026)


def record(database, walk):
    with database.reading() as session:
        return outflow.record_of(session, walk.id)


@BOTH
@pytest.mark.function("LAND-065", "conversion_by_survey_range", "usage_control_by_uploaded_range", "overlap_shown", "any_overlap_denied")
def test_one_hundredth_of_a_square_metre_of_permanent_farmland_denies(database, handler, case_type):
    sliver = shapely.box(WEST + SIDE - 1e-9, SOUTH, WEST + 2 * SIDE, SOUTH + SIDE)
    walk = begun(database, handler, case_type, sliver)
    assert walk.case.values["overlap_m2"] == "0.01"
    with pytest.raises(Refused, match=r"占用永久基本农田 0\.01 平方米，不准入"):
        walk.act(handler, "apply", "submit")
    assert walk.case.status == "draft"


@BOTH
@pytest.mark.function("LAND-065", "zero_admitted")
def test_a_shared_edge_with_extra_vertices_is_no_overlap(database, handler, case_type):
    x, edge = WEST + SIDE, [SOUTH + SIDE * part for part in (0, 0.25, 0.5, 0.75, 1)]
    neighbour = shapely.Polygon([*((x, y) for y in edge), (x + SIDE, SOUTH + SIDE), (x + SIDE, SOUTH)])
    walk = begun(database, handler, case_type, neighbour)
    assert walk.case.values["overlap_m2"] == "0.00"
    walk.act(handler, "apply", "submit")
    assert walk.case.steps == "declare"


@BOTH
def test_a_case_without_a_range_cannot_be_handed_in(database, handler, case_type):
    walk = begun(database, handler, case_type)
    with pytest.raises(InvalidData, match="还有 1 处要改"):
        walk.act(handler, "apply", "submit")


@pytest.mark.function("LAND-066", "survey_report_first")
def test_what_a_survey_report_states_counts_before_the_overlay(database, handler):
    walk = declared(database, handler, "farmland_conversion", PADDY, protected_m2="1234.56", paddy_m2="1000.00")
    values = walk.case.values
    assert (values["farmland_m2"], values["paddy_m2"], values["outflow_source"]) == ("1234.56", "1000.00", "测绘报告")


@pytest.mark.function("LAND-066", "survey_report_first")
def test_a_report_that_states_none_is_not_a_silent_one(database, handler):
    walk = begun(database, handler, "farmland_conversion", PADDY, protected_m2="0.00")
    assert walk.case.values["farmland_m2"] == "0.00"


@pytest.mark.function("LAND-066", "layer_when_report_silent", "reports_summed", "detail_equals_total")
def test_silent_reports_count_by_overlay_and_several_add_up(database, handler):
    walk = begun(database, handler, "farmland_conversion", PADDY)
    give_range(database, handler, walk.id, DRY, protected_m2="500.00")
    values = walk.case.values
    assert Decimal(values["farmland_m2"]) == area_m2(PADDY) + 500
    assert Decimal(values["paddy_m2"]) == area_m2(PADDY)
    assert values["outflow_source"] == "测绘报告和叠加分析"


@pytest.mark.function("LAND-066", "usage_control_by_layers", "plot_land_use_listed", "area_summed", "detail_equals_total")
def test_patches_are_listed_with_their_present_class_and_add_up(database, handler):
    walk = declared(database, handler, "nonbuild_usage", plot(1.5, width=2.25))
    kept = record(database, walk)
    rows = {row["key"]: (row["class_code"], row["protection"], row["is_counted"]) for row in kept.rows}
    assert rows == {
        "DL-2": ("0101", "耕地保护空间", True), "DL-3": ("0103", "耕地保护空间", True), "DL-4": ("0701", "", False),
    }
    assert kept.area_m2 == sum(Decimal(row["area_m2"]) for row in kept.rows if row["is_counted"])
    assert kept.paddy_m2 == sum(Decimal(row["paddy_m2"]) for row in kept.rows) < kept.area_m2
    assert kept.editions["land_use"]["number"] == kept.editions["permanent_farmland"]["number"] == 1


@BOTH
@pytest.mark.function("LAND-067", "step_in_both", "values_shown", "confirmed_by_user", "confirmed_deducts")
def test_a_confirmed_outflow_is_frozen_and_deducted_at_the_end(database, handler, person, case_type):
    walk = declared(database, handler, case_type, shapely.box(*shapely.MultiPolygon([PADDY, DRY]).bounds))
    before = plan(database)
    assert (before.remaining_m2, before.frozen_m2) == (Decimal(100000), BOTH_CROPS)
    grant(walk, person, case_type)
    after = plan(database)
    assert (after.remaining_m2, after.frozen_m2, after.used_m2) == (100000 - BOTH_CROPS, 0, BOTH_CROPS)


def grant(walk, person, case_type):
    walk.act(person("district_chief", district=QINGPU), "chief", "agree")
    leader = person("district_leader", district=QINGPU)
    if case_type == "farmland_conversion":
        walk.act(leader, "leader", "agree")
        walk.act(person("city_handler"), "city", "grant")
    else:
        walk.act(leader, "leader", "grant")
    assert walk.case.outcome == "granted"


@pytest.mark.parametrize(("case_type", "list_key"), [("farmland_conversion", "conversion_outflow"), ("nonbuild_usage", "nonbuild_outflow")])
@pytest.mark.function("LAND-101", "conversion_listed", "usage_control_listed")
def test_the_end_adds_a_line_to_its_list_of_details(database, handler, person, case_type, list_key):
    walk = declared(database, handler, case_type, plot(1, width=2))
    grant(walk, person, case_type)
    with database.reading() as session:
        line = session.exec(select(ResourceDetail).where(ResourceDetail.case_id == walk.id)).one()
    assert (line.list_key, line.amount, line.paddy) == (list_key, BOTH_CROPS, area_m2(PADDY))
    assert (line.resource_type, line.scope, line.area_code) == ("0101", "own_district", QINGPU)


def test_plots_that_are_wholly_used_are_marked_and_others_stay(database, handler, person):
    walk = declared(database, handler, "nonbuild_usage", plot(1, width=1.5))
    grant(walk, person, "nonbuild_usage")
    with database.reading() as session:
        plots = features_by_key(session, "annual_farmland", ["GD-2", "GD-3"])
        marks = hold.marks_of(session)
        [faults] = [each.faults for each in check(session) if each.key == "marks"]
    assert (plots["GD-2"].status, plots["GD-3"].status) == ("已流出", "可用")
    assert (marks, faults) == ({"GD-2": "used"}, ())


def test_the_mark_of_a_stored_plot_passes_to_the_case_that_uses_it_up(database, handler, person):
    with working(database) as work:
        hold.take(work, new_case(work, QINGPU), hold.PLOT, ["GD-2"], "stored")
    walk = declared(database, handler, "nonbuild_usage", PADDY)
    grant(walk, person, "nonbuild_usage")
    with database.reading() as session:
        assert {key: row.mark for key, row in hold.held_by(session, walk.id).items()} == {"GD-2": "used"}
        assert [each for each in check(session) if each.key == "marks" and not each.ok] == []


def test_a_plot_that_a_running_plan_has_reserved_is_left_to_it(database, handler, person):
    with working(database) as work:
        hold.take(work, new_case(work, QINGPU), hold.PLOT, ["GD-3"], "reserved")
    walk = declared(database, handler, "nonbuild_usage", DRY)
    grant(walk, person, "nonbuild_usage")
    with database.reading() as session:
        assert features_by_key(session, "annual_farmland", ["GD-3"])["GD-3"].status == "可用"
        assert hold.marks_of(session) == {"GD-3": "reserved"}


@BOTH
@pytest.mark.function("LAND-067", "unconfirmed_keeps")
def test_what_is_not_confirmed_is_neither_frozen_nor_deducted(database, handler, person, case_type):
    walk = declared(database, handler, case_type, PADDY, is_outflow=False)
    grant(walk, person, case_type)
    state = plan(database)
    assert (state.remaining_m2, state.frozen_m2, state.used_m2) == (100000, 0, 0)


@BOTH
def test_a_returned_or_refused_case_lets_its_area_go(database, handler, person, case_type):
    walk = declared(database, handler, case_type, PADDY)
    chief = person("district_chief", district=QINGPU)
    with database.writing() as session:
        operations.send_back(session, chief, walk.task("chief"), "declare", "请核对面积")
    assert plan(database).frozen_m2 == 0
    walk.act(handler, "declare", "declare")
    assert plan(database).frozen_m2 == area_m2(PADDY)
    with database.writing() as session:
        operations.terminate(session, chief, walk.task("chief"), "项目取消")
    assert (plan(database).frozen_m2, plan(database).remaining_m2) == (0, 100000)


@pytest.mark.function("LAND-068", "conversion_to_city", "usage_control_two_levels", "not_to_city")
def test_conversion_goes_to_the_city_and_usage_control_ends_in_the_district(database, handler, person):
    steps = {}
    for case_type in PROJECT:
        walk = declared(database, handler, case_type, PADDY)
        grant(walk, person, case_type)
        with database.reading() as session:
            steps[case_type] = [task.step for task in session.exec(select(Task).where(Task.case_id == walk.id).order_by(Task.id))]
    assert steps["farmland_conversion"] == ["apply", "declare", "chief", "leader", "city"]
    assert steps["nonbuild_usage"] == ["apply", "declare", "chief", "leader"]


@BOTH
@pytest.mark.function("LAND-068", "opinion_required", "usage_control_opinion_required")
def test_a_leader_without_an_opinion_cannot_pass(database, handler, person, case_type):
    walk = declared(database, handler, case_type, PADDY)
    with pytest.raises(InvalidData, match="没有填写意见"):
        walk.act(person("district_chief", district=QINGPU), "chief", "agree", opinion=" ")
    assert walk.case.steps == "chief"


@BOTH
@pytest.mark.function("LAND-069", "stop", "new_cases_refused", "reason_said", "others_untouched")
@pytest.mark.function("LAND-096", "cases_suspended", "acts_refused")
def test_an_area_below_the_warning_line_starts_nothing_and_confirms_nothing(database, handler, person, case_type):
    walk = begun(database, handler, case_type, PADDY)
    walk.act(handler, "apply", "submit")
    walk.fill(handler, "declare", is_outflow="true", **TERMS)
    with working(database) as work:
        used(work, "90000.01")
        opened(work, PUDONG, "500000.00")
        stored(work, "100000.00", PUDONG)
    with pytest.raises(Refused, match=r"剩余 9,?999\.99 平方米 低于警戒线 10,?000\.00 平方米"):
        walk.act(handler, "declare", "declare")
    with pytest.raises(Refused, match="本区停止办理"):
        Walk(database, handler, case_type)
    assert Walk(database, person("district_handler", district=PUDONG), case_type).case.status == "draft"


@pytest.mark.function("LAND-069", "resume")
def test_an_area_at_the_warning_line_goes_on(database, handler):
    with working(database) as work:
        used(work, "90000.00")
    assert Walk(database, handler, "nonbuild_usage").case.status == "draft"


def test_an_outflow_above_what_is_left_is_refused(database, handler):
    walk = begun(database, handler, "farmland_conversion", BUILT, protected_m2="100000.01")
    walk.act(handler, "apply", "submit")
    walk.fill(handler, "declare", is_outflow="true", **TERMS)
    with pytest.raises(Refused, match=r"差 0\.01 平方米"):
        walk.act(handler, "declare", "declare")
    with database.reading() as session:
        assert active_freeze(session, walk.id) is None
        assert session.exec(select(LedgerFreeze).where(LedgerFreeze.case_id == walk.id)).all() == []


@BOTH
@pytest.mark.function("LAND-099", "exhausted_refused", "reason_said")
def test_nothing_is_filed_once_the_plan_is_used_up(database, handler, case_type):
    with working(database) as work:
        used(work, "100000.00")
    with pytest.raises(Refused) as refused:
        Walk(database, handler, case_type)
    exhausted = next(each for each in refused.value.decisions if each.key == "outflow_exhausted")
    assert exhausted.outcome == "refuse" and "剩余 0" in exhausted.message


@BOTH
@pytest.mark.function("LAND-066", "detail_opened")
def test_the_details_behind_the_total_are_on_the_case_page(database, handler, sign_in, case_type):
    walk = begun(database, handler, case_type, PADDY, DRY)
    walk.act(handler, "apply", "submit")
    page = BeautifulSoup(sign_in(handler).get(f"/cases/{walk.id}").text, "html5lib")
    rows = page.select("#outflow tbody tr")
    assert len(rows) >= 2
    assert {"水田", "旱地"} <= {word for row in rows for word in ("水田", "旱地") if word in row.get_text()}


@pytest.mark.function("LAND-067", "conversion_project_shown")
def test_the_declaration_of_a_conversion_shows_its_project(database, handler, sign_in):
    walk = begun(database, handler, "farmland_conversion", PADDY)
    walk.act(handler, "apply", "submit")
    page = BeautifulSoup(sign_in(handler).get(f"/cases/{walk.id}").text, "html5lib")
    assert walk.case.steps == "declare"
    assert "样例道路" in page.get_text() and "样例单位" in page.get_text()
