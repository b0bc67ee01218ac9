"""Ranges of a case: read, understood, confirmed under the quality rules, replaced and taken away with their history."""

from decimal import Decimal
from pathlib import Path

import pytest
import shapely

from domain import case_range
from domain.area import area_m2
from domain.case import actions
from domain.case.tables import Task
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound, Refused
from domain.projection import UnknownCrs
from tests.domain.case.filing_steps import Walk
from tests.domain.ledger_books import opened, stored, working
from tests.domain.space_fixtures import (
    DRY,
    PADDY,
    PUDONG,
    QINGPU,
    geojson,
    give_range,
    load_plots,
    plot,
    read_file,
)

SAMPLES = Path(__file__).parent.parent / "data" / "ranges"
SONGJIANG = "310117"
BOW_TIE = shapely.Polygon([(121.0625, 31.0625), (121.0635, 31.0635), (121.0635, 31.0625), (121.0625, 31.0635)])


@pytest.fixture(autouse=True)
def books(database):
    with database.writing() as session:
        load_plots(session)
    with working(database) as work:
        for area in (QINGPU, PUDONG, SONGJIANG):
            opened(work, area, "500000.00")
            stored(work, "100000.00", area)


@pytest.fixture
def handler(person):
    return person("district_handler", district=QINGPU)


@pytest.fixture
def walk(database, handler):
    return Walk(database, handler, "nonbuild_usage")


def understood(database, walk, row):
    with database.reading() as session:
        return case_range.understand(session, walk.case, case_range.find_range(session, walk.id, row.id))


def confirmed(database, actor, walk, row):
    with database.writing() as session:
        return case_range.confirm(session, actor, walk.id, row.id)


def counting(database, walk):
    with database.reading() as session:
        return [each.label for each in case_range.ranges_of(session, walk.id)]


def test_a_range_counts_only_once_it_is_confirmed(database, handler, walk):
    row = read_file(database, handler, walk.id, geojson(PADDY), file_name="a.geojson")
    assert counting(database, walk) == [] and "project_range" not in walk.case.values
    confirmed(database, handler, walk, row)
    assert walk.case.values["project_range"] == {"area_m2": str(area_m2(PADDY)), "feature_count": 1}
    with pytest.raises(Conflict, match="已经确认"):
        confirmed(database, handler, walk, row)


@pytest.mark.parametrize(("zone", "name", "district", "parcels"), [
    (40, "zone40_two_parcels_gbk.txt", SONGJIANG, 2), (41, "zone41_without_prefix_utf8.txt", PUDONG, 1),
])
def test_boundary_points_typed_by_hand_are_understood(database, person, zone, name, district, parcels):
    content = (SAMPLES / name).read_bytes()
    handler = person("district_handler", district=district)
    walk = Walk(database, handler, "nonbuild_usage")
    row = read_file(database, handler, walk.id, content, file_name=name)
    found = understood(database, walk, row)
    assert (found.range.system.zone, found.range.part_count, found.is_usable) == (zone, parcels, True)
    assert confirmed(database, handler, walk, row).area_m2 == found.range.area_m2 > 0


def test_a_file_without_a_coordinate_system_waits_for_one(database, handler, walk):
    row = read_file(database, handler, walk.id, geojson(PADDY, crs=None))
    with pytest.raises(Refused, match="没有坐标系，不能猜测"):
        confirmed(database, handler, walk, row)
    with database.writing() as session:
        case_range.declare_crs(session, handler, walk.id, row.id, "EPSG:4490")
    assert confirmed(database, handler, walk, row).area_m2 == area_m2(PADDY)


def test_a_declared_system_that_contradicts_the_file_is_refused(database, handler, walk):
    with pytest.raises(UnknownCrs, match="不一致"):
        read_file(database, handler, walk.id, geojson(PADDY), declared_crs="EPSG:4528")


@pytest.mark.parametrize(("content", "reason"), [
    (geojson(BOW_TIE), "自相交"),
    (geojson(shapely.box(120.0, 30.0, 120.001, 30.001)), "在上海市界外"),
    (b'{"type": "FeatureCollection", "features": [], "crs": {"type": "name", "properties": {"name": "EPSG:4490"}}}', "没有任何图形"),
    (geojson(shapely.box(121.0625, 31.0625, 121.062501, 31.062501)), "小于 1"),
])
def test_a_range_with_an_error_is_shown_and_not_taken(database, handler, walk, content, reason):
    row = read_file(database, handler, walk.id, content)
    assert not understood(database, walk, row).is_usable
    with pytest.raises(Refused, match=reason):
        confirmed(database, handler, walk, row)
    assert counting(database, walk) == []


@pytest.mark.parametrize(("content", "name", "reason"), [
    (b"  \n", "a.geojson", "是空的"), (b"not json", "a.txt", "不能读取"), (b"%PDF-1.4 x", "a.pdf", "pdf|PDF|格式"),
])
def test_a_file_that_cannot_be_read_is_refused_at_once(database, handler, walk, content, name, reason):
    with pytest.raises(InvalidData, match=reason):
        read_file(database, handler, walk.id, content, file_name=name)


def test_a_range_of_another_district_is_refused_by_name(database, person, walk, handler):
    row = read_file(database, handler, walk.id, geojson(shapely.box(121.6, 31.1, 121.601, 31.101)))
    with pytest.raises(Refused, match="范围在浦东新区，本案的行政区是青浦区"):
        confirmed(database, handler, walk, row)


def test_a_replaced_range_stays_in_the_history(database, handler, walk):
    first = give_range(database, handler, walk.id, PADDY, name="一")
    second = give_range(database, handler, walk.id, DRY, name="二", replaces=first.id)
    assert counting(database, walk) == ["二"]
    assert Decimal(walk.case.values["project_range"]["area_m2"]) == area_m2(DRY)
    with database.reading() as session:
        assert [each.label for each in case_range.history_of(session, walk.id)] == ["二", "一"]
    with pytest.raises(Conflict, match="已经被替换"):
        give_range(database, handler, walk.id, PADDY, replaces=first.id)
    with database.writing() as session:
        case_range.remove(session, handler, walk.id, second.id)
    assert counting(database, walk) == [] and "project_range" not in walk.case.values


def test_overlapping_ranges_are_told_and_their_area_counted(database, handler, walk):
    give_range(database, handler, walk.id, plot(1), name="一")
    row = read_file(database, handler, walk.id, geojson(plot(1.5)))
    (other, area), = understood(database, walk, row).overlaps
    assert (other.label, area) == ("一", area_m2(plot(1.5, width=0.5)))
    confirmed(database, handler, walk, row)
    with database.reading() as session:
        assert case_range.repeated_m2(case_range.ranges_of(session, walk.id)) == area


def test_ranges_change_only_where_the_step_takes_them(database, handler, walk, person):
    walk.fill(handler, "apply", project_name="样例", district=QINGPU, project_type="small_rivers", project_owner="样例单位")
    row = give_range(database, handler, walk.id, PADDY)
    walk.act(handler, "apply", "submit")
    with pytest.raises(NotAllowed, match="本环节不收范围"):
        give_range(database, handler, walk.id, DRY)
    with pytest.raises(NotAllowed), database.writing() as session:
        case_range.remove(session, handler, walk.id, row.id)
    stranger = person("district_handler", district=PUDONG)
    with pytest.raises(NotFound), database.writing() as session:
        case_range.remove(session, stranger, walk.id, row.id)


def test_paddy_above_the_reported_area_is_refused(database, handler):
    walk = Walk(database, handler, "farmland_conversion")
    with pytest.raises(InvalidData, match="水田面积大于"):
        read_file(database, handler, walk.id, geojson(PADDY), protected_m2=Decimal("10.00"), paddy_m2=Decimal("10.01"))


def test_actions_offered_follow_the_declaration(database, handler, walk):
    walk.fill(handler, "apply", project_name="样例", district=QINGPU, project_type="small_rivers", project_owner="样例单位")
    give_range(database, handler, walk.id, PADDY)
    walk.act(handler, "apply", "submit")
    walk.fill(handler, "declare", is_outflow="false")
    with database.reading() as session:
        task = session.get(Task, walk.task("declare"))
        assert [each.key for each in actions.offered(session, walk.case, task)] == ["declare_none"]
