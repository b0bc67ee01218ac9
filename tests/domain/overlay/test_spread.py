"""Overlays spread over a cluster of two local workers: the same rows as in one process, on borders too."""

from decimal import Decimal

import numpy
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidData, OutsideSystemDown, Refused
from domain.overlay import OverlayLayer, SliverRule, overlay_table, spread_table
from domain.scale_out import ScaleOut, _require_alike, geos_version, tiles_of
from tests.domain.overlay.samples import at, features


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, ended with the module."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs="ERROR") as started:
        yield ScaleOut(started.scheduler_address, from_features=1, tile_features=7)


def sample():
    """Sixty ranges that overlap each other and the borders of any tiles, over two layers that overlap themselves."""
    random = numpy.random.default_rng(7)

    def boxes(count: int, largest: float):
        corners, sizes = random.uniform(0, 40, (count, 2)), random.uniform(0.5, largest, (count, 2))
        return features([shapely.box(*at(x, y), *at(x + width, y + height)) for (x, y), (width, height) in zip(corners, sizes, strict=True)])

    return boxes(60, 6), [OverlayLayer("a", boxes(200, 5), "kind", ("乙",)), OverlayLayer("b", boxes(50, 20), "kind")]


def test_spread_over_two_workers_gives_the_rows_of_one_process(cluster):
    ranges, layers = sample()
    given_m2 = {"3": Decimal("1234.56")}
    rule = SliverRule(Decimal(40), Decimal(1))
    for slivers in (None, rule):
        alone = overlay_table(ranges, layers, slivers=slivers, registered_m2=given_m2, keeps_pieces=True)
        spread = spread_table(cluster, ranges, layers, slivers=slivers, registered_m2=given_m2, keeps_pieces=True)
        assert spread.rows == alone.rows and len(alone.rows) > 200
        assert spread.range_areas == alone.range_areas and spread.repeated_m2 == alone.repeated_m2
        assert spread.pieces.keys == alone.pieces.keys and spread.pieces.attributes == alone.pieces.attributes
        assert numpy.abs(spread.pieces.areas - alone.pieces.areas).max() < 1e-6
        assert {key: sorted(each.slivers, key=repr) for key, each in spread.slivers.items()} == {
            key: sorted(each.slivers, key=repr) for key, each in alone.slivers.items()}  # fmt: skip


def test_below_the_set_size_nothing_is_spread():
    ranges, layers = sample()
    away = ScaleOut("tcp://127.0.0.1:9", from_features=10_000)
    assert spread_table(away, ranges, layers).rows == spread_table(None, ranges, layers).rows


def test_what_a_tile_refuses_is_told_as_in_one_process(cluster):
    bow_tie = shapely.Polygon([at(0, 0), at(4, 4), at(4, 0), at(0, 4)])
    with pytest.raises(InvalidData, match="要素 1 不能叠加"):
        spread_table(cluster, features([shapely.box(*at(0, 0), *at(3, 3))]), [OverlayLayer("a", features([bow_tie]), "kind")])


def test_ending_the_work_gives_up_the_rest(cluster):
    ranges, layers = sample()

    class Ended(Exception):
        pass

    def end(_done, doing):
        if doing.startswith("分块"):
            raise Ended

    with pytest.raises(Ended):
        spread_table(cluster, ranges, layers, watch=end)


def test_a_cluster_that_does_not_answer_or_has_another_engine_is_named(monkeypatch):
    monkeypatch.setattr("domain.scale_out.CONNECT_SECONDS", 1)
    ranges, layers = sample()
    with pytest.raises(OutsideSystemDown, match="连接不上.*SCALE_OUT_CLUSTER"):
        spread_table(ScaleOut("tcp://127.0.0.1:9", 1), ranges, layers)
    with pytest.raises(OutsideSystemDown, match="没有工作进程"):
        _require_alike({}, "tcp://x")
    with pytest.raises(Refused, match="GEOS 版本"):
        _require_alike({"w": "3.9.0", "v": geos_version()}, "tcp://x")


@given(points=st.lists(st.tuples(st.floats(120, 122), st.floats(30, 32)), max_size=60), most=st.integers(1, 9))
def test_every_row_is_in_one_tile_and_no_tile_is_too_large(points, most):
    found = tiles_of(numpy.array([shapely.Point(each) for each in points], dtype=object), most)
    assert sorted(row for tile in found for row in tile.tolist()) == list(range(len(points)))
    assert all(0 < len(tile) <= most for tile in found)
