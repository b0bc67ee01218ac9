"""Tables of many ranges by the classes of several layers: they close to the hundredth, by every sum."""

from decimal import Decimal

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.area import area_m2, sum_m2
from domain.errors import InvalidData
from domain.overlay import (
    FeatureSet,
    OverlayLayer,
    SliverRule,
    adjusted,
    handle_slivers,
    identity,
    overlay_areas,
    overlay_table,
)
from domain.overlay.slivers import DROP, GIVE, KEEP
from tests.domain.overlay.samples import DISJOINT, SETS, at, features


@settings(max_examples=60, deadline=None)
@given(ranges=SETS, first=SETS, second=SETS)
def test_rows_add_up_to_every_range_exactly_however_the_layers_overlap(ranges, first, second):
    found = overlay_table(ranges, [OverlayLayer("a", first, "kind"), OverlayLayer("b", second, "kind")])
    for key, area in found.range_areas.items():
        assert sum_m2(row.area_m2 for row in found.rows if row.range_key == key) == area
    for sums in (found.by_class(0), found.by_class(1), found.by_district()):
        assert sum_m2(sums.values()) == found.total_m2
    assert abs(float(found.total_m2) + float(found.repeated_m2[""]) - float(ranges.areas.sum())) <= 0.01 * (len(ranges) + 1)


@settings(max_examples=40, deadline=None)
@given(ranges=DISJOINT, layer=DISJOINT)
def test_each_sum_is_within_rounding_of_the_decision_overlay(ranges, layer):
    """`overlay_areas` rounds every piece, the table every class: they differ by no more than those roundings."""
    found = overlay_table(ranges, [OverlayLayer("a", layer, "kind")]).by_range()
    objects = [_Row(key, geometry, values) for key, geometry, values in zip(layer.keys, layer.geometries, layer.attributes, strict=True)]
    for key, geometry in zip(ranges.keys, ranges.geometries, strict=True):
        one = overlay_areas(geometry, objects, "kind").by_class()
        ours = found.get(key, {})
        for kind in (set(one) | set(ours)) - {""}:
            assert abs(one.get(kind, Decimal(0)) - ours.get(kind, Decimal(0))) <= Decimal("0.01") * (len(layer) + 1)


class _Row:
    def __init__(self, key, geometry, attributes):
        self.key, self.geometry, self.attributes = key, geometry, attributes


def test_districts_come_from_the_range_else_from_the_land_below():
    ranges = features([shapely.box(*at(0, 0), *at(4, 2))])
    land = FeatureSet(
        ("1", "2"), features([shapely.box(*at(0, 0), *at(1, 2)), shapely.box(*at(1, 0), *at(3, 2))]).geometries,
        ({"kind": "甲", "district_code": "310118"}, {"kind": "甲", "district_code": "310117"}),
    )  # fmt: skip
    found = overlay_table(ranges, [OverlayLayer("a", land, "kind")])
    assert set(found.by_district()) == {"310118", "310117", ""} and found.residual_m2() == found.by_district()[""]
    own = FeatureSet(("1",), ranges.geometries, ({"district_code": "310120"},))
    assert set(overlay_table(own, [OverlayLayer("a", land, "kind")]).by_district()) == {"310120"}


def test_registered_area_is_met_exactly_and_pieces_carry_every_class():
    ranges = features([shapely.box(*at(0, 0), *at(3, 2))])
    thirds = features([shapely.box(*at(place, 0), *at(place + 1, 2)) for place in range(3)])
    other = features([shapely.box(*at(0, 0), *at(3, 1))], "丁")
    found = overlay_table(
        ranges, [OverlayLayer("a", thirds, "kind"), OverlayLayer("b", other, "kind")], registered_m2={"1": Decimal("1000.00")}, keeps_pieces=True
    )
    assert found.total_m2 == Decimal("1000.00") and len(found.rows) == 6
    assert {(each["a"], each["b"]) for each in found.pieces.attributes} == {(a, b) for a in "甲乙丙" for b in ("丁", "")}


def test_prior_class_wins_where_a_layer_overlaps_itself():
    both = features([shapely.box(*at(0, 0), *at(2, 2)), shapely.box(*at(0, 0), *at(2, 2))])
    ranges = features([shapely.box(*at(0, 0), *at(2, 2))])
    assert set(overlay_table(ranges, [OverlayLayer("a", both, "kind")]).by_class()) == {"甲"}
    prior = overlay_table(ranges, [OverlayLayer("a", both, "kind", ("乙",))])
    assert set(prior.by_class()) == {"乙"} and prior.repeated_m2["a"] == area_m2(ranges.geometries[0])


# -- slivers


def sliver_case():
    """A range of three pieces: a strip of 0.2 m by 20 m between two wide ones, one of which it shares its long edge with."""
    ranges = features([shapely.box(*at(0, 0), *at(4, 2))])
    layer = features([shapely.box(*at(0, 0), *at(1.98, 2)), shapely.box(*at(1.98, 0), *at(2, 2)), shapely.box(*at(2, 1), *at(4, 2))])
    return identity(ranges, layer)


def test_a_sliver_goes_to_the_neighbour_with_the_longest_common_edge():
    pieces = sliver_case()
    made, report = handle_slivers(pieces, SliverRule(Decimal(10), Decimal("0.5")))
    [sliver] = report.slivers
    assert (sliver.right_key, sliver.given_to, sliver.treatment) == ("2", "1", GIVE)
    assert Decimal("0.15") < sliver.width_m < Decimal("0.2") and made.areas.sum() == pytest.approx(pieces.areas.sum(), abs=1e-4)
    assert len(made) == len(pieces) - 1


def test_dropped_slivers_are_reported_and_limits_hold_together():
    pieces = sliver_case()
    made, report = handle_slivers(pieces, SliverRule(Decimal(10), Decimal("0.5"), DROP))
    assert float(report.area_of(DROP)) == pytest.approx(pieces.areas.sum() - made.areas.sum(), abs=0.01)
    assert handle_slivers(pieces, SliverRule(Decimal(1), Decimal("0.5")))[1].slivers == ()
    assert len(handle_slivers(pieces, SliverRule(None, Decimal("0.5"), KEEP))[1].slivers) == 1
    with pytest.raises(InvalidData, match="碎面规则"):
        SliverRule(None, None)


@settings(max_examples=60, deadline=None)
@given(left=DISJOINT, right=DISJOINT, limit=st.integers(1, 5000))
def test_giving_slivers_away_keeps_the_area_of_every_feature(left, right, limit):
    pieces = identity(left, right)
    made, report = handle_slivers(pieces, SliverRule(Decimal(limit), None))
    before = {row: pieces.areas[pieces.left_rows == row].sum() for row in range(len(left))}
    for row, area in before.items():
        assert made.areas[made.left_rows == row].sum() == pytest.approx(area, abs=1e-4)
    assert len(report.slivers) == (pieces.areas < limit).sum()
    assert len(made) + sum(each.treatment == GIVE for each in report.slivers) == len(pieces)


def test_table_with_dropped_slivers_counts_them_in_the_residual():
    ranges = features([shapely.box(*at(0, 0), *at(4, 2))])
    layer = features([shapely.box(*at(0, 0), *at(0.02, 2)), shapely.box(*at(0.02, 0), *at(4, 2))])
    rule = SliverRule(Decimal(10), Decimal("0.5"), DROP)
    found = overlay_table(ranges, [OverlayLayer("a", layer, "kind")], slivers=rule)
    assert found.residual_m2() == found.slivers["a"].area_of(DROP) > 0
    assert sum_m2(row.area_m2 for row in found.rows) == found.total_m2 == area_m2(ranges.geometries[0])


# -- adjustment


@given(parts=st.lists(st.floats(0.001, 1e6), min_size=1, max_size=40), total=st.decimals(0, 10**7, places=2))
def test_adjusted_areas_add_up_and_stay_within_a_hundredth_of_their_share(parts, total):
    found = adjusted(parts, total)
    assert sum(found) == total
    whole = sum(map(Decimal, parts))
    assert all(abs(each - Decimal(part) * total / whole) < Decimal("0.0100001") for each, part in zip(found, parts, strict=True))


def test_adjusting_keeps_zero_and_refuses_what_cannot_be_shared_out():
    assert adjusted([0, 1, 0, 2], Decimal("0.01")) == [Decimal("0.00"), Decimal("0.00"), Decimal("0.00"), Decimal("0.01")]
    assert adjusted([0.0], Decimal("0.00")) == [Decimal("0.00")]
    for parts, total in (([0.0], Decimal(1)), ([-1.0], Decimal(1)), ([1.0], Decimal(-1)), ([1.0], Decimal("0.001"))):
        with pytest.raises(InvalidData):
            adjusted(parts, total)
