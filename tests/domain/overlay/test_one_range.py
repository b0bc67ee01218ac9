"""Overlay: against QGIS on its own data, and the edges where a hundredth of a square metre decides."""

from dataclasses import dataclass, field
from decimal import Decimal

import numpy
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.area import area_m2
from domain.geometry import CrsMismatch, InvalidGeometry
from domain.overlay import FeatureIndex, cross_overlay, overlapping_area_m2, overlay_areas
from tests.domain.shared_data import shared_file

RANGE = shapely.box(121.2, 31.1, 121.21, 31.11)


@dataclass(frozen=True)
class Plot:
    key: str
    geometry: shapely.Geometry
    attributes: dict = field(default_factory=dict)


def plot(key: str, geometry, kind: str = "甲") -> Plot:
    return Plot(key, geometry, {"kind": kind})


def squares_of(area: str) -> shapely.Polygon:
    """A sliver at the range's west edge inside it, of about the given square metres."""
    height = 0.01
    width = float(area) / (height * 110_880 * 95_400)
    return shapely.box(121.19, 31.1, 121.2 + width, 31.11)


# -- against QGIS
# -------------------------------------------------------------------------------------------------


def qgis_layer(name: str) -> tuple[list, dict]:
    """A layer of the QGIS comparison, in a plane shrunk so far that its coordinates pass as degrees."""
    path = shared_file("overlay-expected", "geopandas", "overlay", "nybb_qgis", f"{name}.shp")
    meta, _, blobs, columns = pyogrio.raw.read(path)
    shrunk = shapely.transform(shapely.from_wkb(blobs), lambda c: c / 10_000 - (90, 0))
    return list(shrunk), dict(zip(meta["fields"], columns, strict=True))


def test_pieces_and_remainders_are_those_of_qgis():
    """Same pieces as QGIS 'intersection' and 'difference' to a relative 1e-9 of the planar area; nothing is
    missing or extra.
    """
    boroughs, borough = qgis_layer("polydf")
    circles, circle = qgis_layer("polydf2")
    pieces, piece = qgis_layer("qgis-intersection")
    left, left_of = qgis_layer("qgis-difference")
    expected = {
        (str(code), str(value)): geometry
        for code, value, geometry in zip(piece["BoroCode"], piece["value1"], pieces, strict=True)
    }
    index = FeatureIndex([plot(str(v), c) for v, c in zip(circle["value1"], circles, strict=True)])
    remainders = dict(zip(left_of["BoroCode"], left, strict=True))
    seen = set()
    for code, geometry in zip(borough["BoroCode"], boroughs, strict=True):
        result = overlay_areas(geometry, index, by="kind")
        for row in result.rows:
            key = (str(code), row.key)
            assert row.geometry.area == pytest.approx(expected[key].area, rel=1e-9)
            assert float(row.area_m2) == pytest.approx(float(area_m2(expected[key])), rel=1e-9)
            seen.add(key)
        assert float(result.residual_m2) == pytest.approx(float(area_m2(remainders[code])), rel=1e-9)
        assert result.repeated_m2 == 0
    assert seen == set(expected) and len(seen) == 15


# -- a hundredth decides
# ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width_m2", "expected"), [("0.0101", "0.01"), ("0.0049", "0.00"), ("0.0000001", "0.00")]
)
def test_a_hundredth_counts_and_less_does_not(width_m2, expected):
    found = overlay_areas(RANGE, [plot("1", squares_of(width_m2))], by="kind")
    assert found.total_m2 == Decimal(expected)
    assert len(found.rows) == (1 if Decimal(expected) else 0)


def test_neighbour_with_the_same_vertices_is_zero():
    neighbour = shapely.box(121.19, 31.1, 121.2, 31.11)
    assert overlay_areas(RANGE, [plot("1", neighbour)], by="kind").rows == ()
    assert overlapping_area_m2(RANGE, neighbour) == 0


@settings(max_examples=200, deadline=None)
@given(
    shares=st.lists(st.floats(0.001, 0.999), min_size=1, max_size=6, unique=True),
    slope=st.floats(-0.004, 0.004),
)
def test_neighbour_with_t_vertices_on_a_sloping_edge_is_zero(shares, slope):
    """Vertices computed on the common edge lie off it by the rounding of doubles; that is never an area."""
    south, north = (121.2, 31.1), (121.2 + slope, 31.11)
    ours = shapely.Polygon([south, (121.21, 31.1), (121.21, 31.11), north])
    on_edge = [
        (south[0] + t * (north[0] - south[0]), south[1] + t * (north[1] - south[1])) for t in sorted(shares)
    ]
    neighbour = shapely.Polygon([south, *on_edge, north, (121.19, 31.11), (121.19, 31.1)])
    found = overlay_areas(ours, [plot("1", neighbour)], by="kind")
    assert found.total_m2 == 0 and found.residual_m2 == found.range_area_m2


def test_slivers_of_one_class_cannot_hide_an_area_by_being_many():
    """Ten slivers of 0.004 m² each are 0.04 m² of protected land, listed once at the largest of them."""
    strips = [squares_of("0.004")] * 1
    west = strips[0].bounds[2] - 121.2
    features = [
        plot(
            str(i),
            shapely.box(121.2, 31.1 + i * 0.001, 121.2 + west * 10, 31.101 + i * 0.001),
            "永久基本农田",
        )
        for i in range(10)
    ]
    found = overlay_areas(RANGE, features, by="kind")
    assert found.area_of("永久基本农田") == Decimal("0.04") and len(found.rows) == 1


# -- nothing lost, nothing twice
# ----------------------------------------------------------------------------------


def test_cover_of_the_range_leaves_nothing():
    halves = [
        plot("1", shapely.box(121.19, 31.0, 121.205, 31.2), "甲"),
        plot("2", shapely.box(121.205, 31.0, 121.3, 31.2), "乙"),
    ]
    found = overlay_areas(RANGE, halves, by="kind")
    assert abs(found.residual_m2) <= Decimal("0.01") and set(found.by_class()) == {"甲", "乙"}
    assert sum(found.by_class().values()) == found.total_m2


def test_uncovered_part_is_the_residual():
    found = overlay_areas(RANGE, [plot("1", shapely.box(121.2, 31.1, 121.203, 31.11))], by="kind")
    assert abs(found.residual_m2 - area_m2(shapely.box(121.203, 31.1, 121.21, 31.11))) <= Decimal("0.01")


def test_overlapping_features_count_once_and_the_prior_class_wins():
    west, east = shapely.box(121.2, 31.1, 121.206, 31.11), shapely.box(121.204, 31.1, 121.21, 31.11)
    features = [plot("1", west, "耕地保护空间"), plot("2", east, "永久基本农田")]
    found = overlay_areas(RANGE, features, by="kind", priority=["永久基本农田"])
    assert found.repeated_m2 == area_m2(shapely.box(121.204, 31.1, 121.206, 31.11))
    assert found.area_of("永久基本农田") == area_m2(east)
    assert abs(found.residual_m2) <= Decimal("0.01")
    by_key = overlay_areas(RANGE, features, by="kind")
    assert by_key.area_of("耕地保护空间") == area_m2(west)


def test_identical_features_count_once():
    twice = overlay_areas(RANGE, [plot("1", RANGE), plot("2", RANGE)], by="kind")
    assert (twice.total_m2, twice.repeated_m2, len(twice.rows)) == (area_m2(RANGE), area_m2(RANGE), 1)


def test_holes_and_parts_of_both_sides():
    ring = shapely.difference(RANGE, shapely.box(121.204, 31.104, 121.206, 31.106))
    both = shapely.MultiPolygon(
        [shapely.box(121.201, 31.101, 121.205, 31.105), shapely.box(121.207, 31.107, 121.22, 31.12)]
    )
    found = overlay_areas(ring, [plot("1", both)], by="kind")
    small, hole, corner = (
        shapely.box(121.201, 31.101, 121.205, 31.105),
        shapely.box(121.204, 31.104, 121.205, 31.105),
        shapely.box(121.207, 31.107, 121.21, 31.11),
    )
    assert abs(found.total_m2 - (area_m2(small) - area_m2(hole) + area_m2(corner))) <= Decimal("0.02")


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_random_partition_adds_up_to_the_range(seed):
    points = numpy.random.default_rng(seed).uniform((121.19, 31.09), (121.22, 31.12), (40, 2))
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(points), extend_to=shapely.box(121.1, 31, 121.3, 31.2))
    )
    found = overlay_areas(
        RANGE, [plot(f"{i:02}", cell, str(i % 3)) for i, cell in enumerate(cells)], by="kind"
    )
    assert abs(found.residual_m2) <= Decimal("0.005") * (len(found.rows) + 1)
    assert found.repeated_m2 == 0


def test_land_use_is_split_by_zones_and_the_details_add_up():
    patches = [
        plot("1", shapely.box(121.19, 31.0, 121.205, 31.2), "0101"),
        plot("2", shapely.box(121.205, 31.0, 121.3, 31.2), "0103"),
    ]
    zones = [
        plot("a", shapely.box(121.0, 31.0, 121.208, 31.105), "耕地保护空间"),
        plot("b", shapely.box(121.0, 31.105, 121.2, 31.2), "永久基本农田"),
    ]
    rows = cross_overlay(RANGE, patches, zones, by="kind", zone_by="kind")
    assert {(r.key, r.class_value, r.zone_value) for r in rows} == {
        ("1", "0101", "耕地保护空间"), ("1", "0101", ""), ("2", "0103", "耕地保护空间"), ("2", "0103", ""),
    }  # fmt: skip
    by_zone = {r.zone_value: Decimal(0) for r in rows}
    for row in rows:
        by_zone[row.zone_value] += row.area_m2
    assert abs(by_zone["耕地保护空间"] - area_m2(shapely.box(121.2, 31.1, 121.208, 31.105))) <= Decimal(
        "0.02"
    )
    assert sum(by_zone.values()) == overlay_areas(RANGE, patches, by="kind").total_m2


def test_zone_that_is_the_patch_itself_takes_all_of_it():
    whole = [plot("1", shapely.box(121.19, 31.0, 121.3, 31.2), "0101")]
    (row,) = cross_overlay(
        RANGE, whole, [plot("z", whole[0].geometry, "耕地保护空间")], by="kind", zone_by="kind"
    )
    assert (row.zone_value, row.area_m2) == ("耕地保护空间", area_m2(RANGE))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_random_zones_neither_lose_nor_add_area(seed):
    random = numpy.random.default_rng(seed)
    both = []
    for _ in range(2):
        points = shapely.multipoints(random.uniform((121.19, 31.09), (121.22, 31.12), (25, 2)))
        cells = shapely.get_parts(
            shapely.voronoi_polygons(points, extend_to=shapely.box(121.1, 31, 121.3, 31.2))
        )
        both.append([plot(f"{i:02}", cell, str(i % 3)) for i, cell in enumerate(cells)])
    rows = cross_overlay(RANGE, both[0], both[1], by="kind", zone_by="kind")
    per_patch = {row.key: row.area_m2 for row in overlay_areas(RANGE, both[0], by="kind").rows}
    for key, area in per_patch.items():
        assert sum(row.area_m2 for row in rows if row.key == key) == area
    assert all(row.area_m2 > 0 and row.zone_value for row in rows)


def test_class_may_be_a_field_of_the_feature_and_missing_ones_are_empty():
    assert overlay_areas(RANGE, [plot("1", RANGE)], by="key").by_class() == {"1": area_m2(RANGE)}
    assert list(overlay_areas(RANGE, [plot("1", RANGE)], by="absent").by_class()) == [""]


def test_far_features_and_no_features_give_nothing():
    for features in ([], [plot("1", shapely.box(121.5, 31.1, 121.6, 31.2))]):
        found = overlay_areas(RANGE, features, by="kind")
        assert (found.total_m2, found.residual_m2) == (0, area_m2(RANGE))


@pytest.mark.parametrize(
    ("geometry", "error"),
    [
        (shapely.Polygon([(121, 31), (121.1, 31.1), (121.1, 31), (121, 31.1)]), InvalidGeometry),
        (shapely.Polygon(), InvalidGeometry),
        (shapely.box(605_000, 3_442_000, 605_100, 3_442_100), CrsMismatch),
    ],
)
def test_unfit_range_is_refused(geometry, error):
    with pytest.raises(error):
        overlay_areas(geometry, [plot("1", RANGE)], by="kind")
    with pytest.raises(error):
        overlapping_area_m2(geometry, RANGE)


def test_unfit_feature_is_refused_and_not_left_out():
    bow_tie = shapely.Polygon([(121.2, 31.1), (121.21, 31.11), (121.21, 31.1), (121.2, 31.11)])
    with pytest.raises(InvalidGeometry, match="要素 坏-7"):
        overlay_areas(RANGE, [plot("坏-7", bow_tie)], by="kind")


def test_edges_that_nearly_coincide_do_not_count_a_covered_feature_again():
    """The plain difference of the last feature from the union of the others is all of it, though the first covers it."""
    layer = [plot(str(number), shapely.from_wkt(text)) for number, text in enumerate((
        "POLYGON ((121.2 31.1, 121.2 31.1003, 121.2007 31.1001, 121.2 31.1))",
        "POLYGON ((121.2009 31.1, 121.2 31.1, 121.20039375 31.10005625, 121.2009 31.1))",
        "POLYGON ((121.2013 31.1002, 121.20046551724138 31.10004827586207, 121.20039375 31.10005625, 121.2007 31.1001, 121.2006825 31.100105, 121.2013 31.1002))",
        "POLYGON ((121.2007 31.1001, 121.20009929078014 31.100014184397164, 121.200095 31.1001, 121.2007 31.1001))",
    ))]  # fmt: skip
    found = overlay_areas(shapely.box(121.19, 31.09, 121.21, 31.11), layer, "key")
    assert "3" not in found.by_class()
    together = area_m2(shapely.union_all([each.geometry for each in layer]))
    assert abs(found.total_m2 - together) <= Decimal("0.02"), "three pieces and their union are rounded once each"
