"""The facts of a range, and what the shipped quality rules say about good and bad ranges."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import shapely

from domain.area import area_m2
from domain.district import city_territory
from domain.geometry import CrsMismatch
from domain.range_file import ProjectRange, range_of_polygon, read_range
from domain.range_quality import range_facts, self_crossings
from rules.engine import RuleBook

RANGES = Path(__file__).parents[1] / "data" / "ranges"
HEADER = "[属性描述]\n坐标系=CGCS2000\n带号=40\n[地块坐标]\n4,,1,甲,面,,,,@\n"
DAY = date(2026, 6, 30)


@pytest.fixture(scope="module")
def book() -> RuleBook:
    return RuleBook()


def judged(book: RuleBook, found: ProjectRange):
    return book.decide("quality", "project_range_quality", range_facts(found, city_territory()), DAY)


def fired(book: RuleBook, found: ProjectRange) -> set[str]:
    return {rule["rule"] for rule in judged(book, found).fired}


def surveyed(*points: tuple[float, float], area: str = "") -> ProjectRange:
    lines = [f"J{i},1,{north},{east}" for i, (east, north) in enumerate(points, start=1)]
    header = HEADER.replace("4,,1", f"{len(points)},{area},1")
    return read_range((header + "\n".join(lines)).encode(), "a.txt")


SQUARE = ((605_000, 3_442_000), (605_000, 3_442_100), (605_100, 3_442_100), (605_100, 3_442_000))


def test_sound_ranges_of_both_zones_pass(book):
    for name in ("zone40_two_parcels_gbk.txt", "zone41_without_prefix_utf8.txt"):
        assert judged(book, read_range((RANGES / name).read_bytes(), name)).outcome == "none"


def test_range_without_crs_is_refused(book):
    content = shapely.to_geojson(shapely.box(121.2, 31.1, 121.21, 31.11)).encode()
    decision = judged(book, read_range(content, "a.geojson"))
    assert (decision.outcome, [rule["rule"] for rule in decision.fired]) == ("error", ["no_crs"])


def test_empty_range_is_refused(book):
    assert fired(book, range_of_polygon(shapely.Polygon())) == {"empty"}


def test_self_crossing_range_is_refused_with_its_points(book):
    crossed = surveyed(SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3])
    (place,) = self_crossings(crossed)
    assert (place.points, place.x, place.y) == ((1, 3), 605_050, 3_442_050)
    decision = judged(book, crossed)
    assert decision.outcome == "error" and "第 1 点、第 3 点附近" in decision.message


def test_every_crossing_of_a_ring_is_found():
    zigzag = range_of_polygon(
        shapely.Polygon(
            [(121.0, 31.0), (121.4, 31.0), (121.4, 31.2), (121.3, 30.9), (121.2, 31.2), (121.1, 30.9)]
        )
    )
    assert len(list(self_crossings(zigzag))) == 3


def test_ring_that_touches_itself_is_a_crossing(book):
    touching = surveyed(
        (605_000, 3_442_000),
        (605_100, 3_442_000),
        (605_100, 3_442_100),
        (605_050, 3_442_000),
        (605_000, 3_442_100),
    )
    assert "self_crossing" in fired(book, touching)


def test_ring_that_runs_back_on_its_edge_is_a_crossing(book):
    spike = surveyed(*SQUARE[:3], (605_150, 3_442_100), (605_120, 3_442_100), SQUARE[3])
    assert "self_crossing" in fired(book, spike)


def test_overlapping_holes_are_invalid_without_crossing(book):
    outer = shapely.box(121.2, 31.1, 121.21, 31.11)
    holes = [shapely.box(121.202, 31.102, 121.206, 31.106), shapely.box(121.204, 31.104, 121.208, 31.108)]
    broken = range_of_polygon(shapely.Polygon(outer.exterior, [hole.exterior for hole in holes]))
    assert fired(book, broken) == {"invalid"}


def test_range_outside_the_city_is_refused_with_its_area(book):
    suzhou = shapely.box(120.60, 31.30, 120.61, 31.31)
    facts = range_facts(range_of_polygon(suzhou), city_territory())
    assert facts["outside_area_m2"] == area_m2(suzhou)
    assert fired(book, range_of_polygon(suzhou)) == {"outside"}


def test_range_across_the_city_limit_counts_only_the_part_outside():
    inside, across = shapely.box(121.2, 31.1, 121.21, 31.11), shapely.box(120.7, 31.1, 121.2, 31.11)
    whole = range_of_polygon(shapely.union(inside, across))
    outside = range_facts(whole, city_territory())["outside_area_m2"]
    assert Decimal(0) < outside < area_m2(across)
    assert range_facts(range_of_polygon(inside), city_territory())["outside_area_m2"] == 0


def test_swapped_longitude_and_latitude_is_refused_as_outside_degrees():
    with pytest.raises(CrsMismatch):
        range_facts(range_of_polygon(shapely.box(31.1, 121.2, 31.11, 121.21)), city_territory())


def test_range_below_the_smallest_area_is_refused(book):
    small = surveyed(
        (605_000, 3_442_000), (605_000, 3_442_000.9), (605_001, 3_442_000.9), (605_001, 3_442_000)
    )
    assert fired(book, small) == {"too_small"}


def test_repeated_point_is_named_and_only_warned(book):
    repeated = surveyed(SQUARE[0], SQUARE[1], SQUARE[1], *SQUARE[2:])
    facts = range_facts(repeated, city_territory())
    assert facts["duplicate_vertex_count"] == 1 and "第 2 点、第 3 点" in facts["duplicate_vertex_place"]
    assert judged(book, repeated).outcome == "warning"


def test_overlapping_parts_are_only_warned(book):
    two = shapely.MultiPolygon(
        [shapely.box(121.2, 31.1, 121.21, 31.11), shapely.box(121.205, 31.1, 121.215, 31.11)]
    )
    decision = judged(book, range_of_polygon(two))
    assert (decision.outcome, [rule["rule"] for rule in decision.fired]) == ("warning", ["parts_overlap"])


@pytest.mark.parametrize(
    ("hectares", "expected"),
    [("1.0000", "none"), ("1.0002", "warning"), ("0.9997", "none"), ("15", "warning")],
)
def test_stated_area_may_be_of_the_plane_or_of_the_ellipsoid(book, hectares, expected):
    """The square has 10000 m² in the plane and 9997.3 m² on the ellipsoid."""
    assert judged(book, surveyed(*SQUARE, area=hectares)).outcome == expected
