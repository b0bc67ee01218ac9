"""Layers in time on both databases: replace whole, by region, by feature; ask as of a day, by place, by key;
index in memory.
"""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import numpy
import pytest
import shapely
from sqlalchemy import delete, text, update
from sqlmodel import SQLModel, select

from domain.actor import Actor, Grant
from domain.area import area_m2, sum_m2
from domain.audit import AuditEntry, AuditHead
from domain.command import Work
from domain.errors import InvalidData, NotAllowed, NotFound
from domain.geometry import CrsMismatch, InvalidGeometry
from domain.layer import (
    Feature,
    FeatureData,
    Layer,
    LayerEdition,
    all_features,
    area_by_district,
    change_features,
    edition_on,
    features_by_key,
    features_in,
    layer_index,
    layer_of,
    load_layer,
    load_region,
    replace_features,
)
from domain.layer.index import IndexCache
from domain.overlay import overlay_areas
from domain.portal_clock import DemoClock
from portal.database import Database

TABLES = (Layer, LayerEdition, Feature, AuditEntry, AuditHead, DemoClock)
SYSTEM = Actor(None, "系统", is_system=True)
CITY = Actor(7, "市经办", (Grant("city_handler"),))
JANUARY, MARCH, MAY = date(2026, 1, 1), date(2026, 3, 1), date(2026, 5, 1)
KEY = "annual_farmland"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = (
        f"sqlite:///{tmp_path / 'layers.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    opened = Database(url)
    SQLModel.metadata.create_all(opened.engine, tables=[each.__table__ for each in TABLES])
    yield opened
    opened.dispose()


def plot(
    column: int, row: int = 0, district: str = "310118", status: str = "可用", **attributes
) -> FeatureData:
    """A square of the grid, one hundredth of a degree wide."""
    square = shapely.box(121.0 + column / 100, 31.0 + row / 100, 121.01 + column / 100, 31.01 + row / 100)
    values = {"status": status, "class_code": "0101"} | attributes
    return FeatureData(f"P{column}-{row}", district, "0101", area_m2(square), square, values, status)


def load(database: Database, features, on: date = JANUARY, actor: Actor = SYSTEM, **options) -> LayerEdition:
    with database.writing() as session:
        return load_layer(session, actor, KEY, features, on, **options)


def work_of(session) -> Work:
    return Work(session, SYSTEM, datetime(2026, 3, 1, tzinfo=UTC), "test.change")


def keys(database: Database, on: date | None = None) -> list[str]:
    with database.reading() as session:
        return [feature.key for feature in all_features(session, KEY, on)]


def test_loaded_features_come_back_bit_by_bit(database):
    third = shapely.transform(plot(0).geometry, lambda c: c + 1 / 3)
    odd = FeatureData(
        "P", "310118", "0101", Decimal("12345678.91"), third, {"名": "甲", "n": 3, "none": None}, "预占"
    )
    load(database, [odd])
    with database.reading() as session:
        (found,) = all_features(session, KEY)
    assert shapely.to_wkb(found.geometry, include_srid=False) == shapely.to_wkb(third)
    assert (found.area_m2, dict(found.attributes), found.status, found.class_code) == (
        odd.area_m2,
        odd.attributes,
        "预占",
        "0101",
    )


def test_layer_says_that_it_is_generated(database):
    load(database, [plot(0)], is_generated=True, note="演示")
    with database.reading() as session:
        assert layer_of(session, KEY).is_generated and layer_of(session, KEY).title == "年度耕地资源层"
        assert edition_on(session, KEY).note == "演示"


def test_whole_layer_is_replaced_and_the_old_one_stays_as_of_its_day(database):
    load(database, [plot(0), plot(1)])
    edition = load(database, [plot(1), plot(2)], MARCH)
    assert (edition.number, edition.added_count, edition.ended_count, edition.feature_count) == (2, 2, 2, 2)
    assert keys(database) == keys(database, MAY) == ["P1-0", "P2-0"]
    assert keys(database, date(2026, 2, 28)) == ["P0-0", "P1-0"]
    with pytest.raises(NotFound, match="2025-12-31"):
        keys(database, date(2025, 12, 31))


def test_region_is_replaced_and_the_others_stay(database):
    load(database, [plot(0), plot(1, district="310120")])
    with database.writing() as session:
        edition = load_region(
            session, SYSTEM, KEY, "310120", [plot(2, district="310120"), plot(3, district="310120")], MARCH
        )
    assert (
        edition.extent,
        edition.region_code,
        edition.added_count,
        edition.ended_count,
        edition.feature_count,
    ) == ("region", "310120", 2, 1, 3)
    assert keys(database) == ["P0-0", "P2-0", "P3-0"] and keys(database, JANUARY) == ["P0-0", "P1-0"]


def test_features_are_replaced_with_the_case_that_did_it(database):
    load(database, [plot(0), plot(1), plot(2)])
    with database.writing() as session:
        work = work_of(session)
        edition = replace_features(work, KEY, ["P1-0"], [plot(8), plot(9)], MARCH, case_id=42)
        work.finish()
        assert (edition.case_id, edition.extent, edition.feature_count) == (42, "feature", 4)
    assert keys(database) == ["P0-0", "P2-0", "P8-0", "P9-0"] and keys(database, JANUARY) == [
        "P0-0",
        "P1-0",
        "P2-0",
    ]


def test_status_changes_in_time(database):
    load(database, [plot(0), plot(1)])
    with database.writing() as session:
        work = work_of(session)
        change_features(
            work, KEY, ["P0-0"], MARCH, case_id=9, status="预占", attributes={"supplement_note": "补划"}
        )
        work.finish()
    with database.reading() as session:
        now, before = (
            features_by_key(session, KEY, ["P0-0"])["P0-0"],
            features_by_key(session, KEY, ["P0-0"], JANUARY)["P0-0"],
        )
    assert (now.status, now.attributes["status"], now.attributes["supplement_note"]) == (
        "预占",
        "预占",
        "补划",
    )
    assert (before.status, before.attributes["status"]) == ("可用", "可用")
    assert now.area_m2 == before.area_m2 and shapely.equals(now.geometry, before.geometry)


def test_features_are_found_by_place_on_a_day(database):
    load(database, [plot(column, row) for column in range(12) for row in range(12)])
    load(database, [plot(0)], MARCH)
    sight = shapely.box(121.031, 31.031, 121.049, 31.039)
    with database.reading() as session:
        assert [f.key for f in features_in(session, KEY, sight, on=JANUARY)] == ["P3-3", "P4-3"]
        assert features_in(session, KEY, sight) == []
        touched = features_in(session, KEY, shapely.Point(121.05, 31.05), on=JANUARY)
        assert [f.key for f in touched] == ["P4-4", "P4-5", "P5-4", "P5-5"]


def test_bounding_box_alone_is_not_enough(database):
    corner = shapely.Polygon([(121.0, 31.0), (121.1, 31.0), (121.0, 31.1)])
    load(database, [FeatureData("P", "310118", "0101", area_m2(corner), corner)])
    with database.reading() as session:
        assert features_in(session, KEY, shapely.box(121.08, 31.08, 121.1, 31.1)) == []


def test_districts_narrow_what_is_seen(database):
    load(database, [plot(0), plot(1, district="310120")])
    with database.reading() as session:
        everywhere = shapely.box(120, 30, 122, 32)
        assert [f.key for f in features_in(session, KEY, everywhere, districts={"310120"})] == ["P1-0"]
        assert features_in(session, KEY, everywhere, districts=set()) == []


def test_area_by_district_is_the_exact_sum(database):
    features = [plot(column, district="310118" if column % 2 else "310120") for column in range(9)]
    load(database, features)
    with database.reading() as session:
        sums = area_by_district(session, KEY)
    for code in ("310118", "310120"):
        assert sums[code] == sum_m2(f.area_m2 for f in features if f.district_code == code)


def test_overlay_on_the_index_of_a_layer(database):
    load(database, [plot(column) for column in range(5)])
    with database.reading() as session:
        found = overlay_areas(
            shapely.box(121.005, 31.0, 121.02, 31.01), layer_index(session, KEY), by="class_code"
        )
    assert [row.key for row in found.rows] == ["P0-0", "P1-0"] and abs(found.residual_m2) <= Decimal("0.01")


def test_index_follows_a_change_and_keeps_the_past(database):
    load(database, [plot(0)])
    with database.reading() as session:
        first = layer_index(session, KEY)
        assert layer_index(session, KEY) is first
    load(database, [plot(1)], MARCH)
    with database.reading() as session:
        assert [f.key for f in layer_index(session, KEY).features] == ["P1-0"]
        assert layer_index(session, KEY, on=JANUARY) is first


def test_index_of_a_rolled_back_edition_is_never_used(database):
    load(database, [plot(0)])
    with database.writing() as session:
        work = work_of(session)
        replace_features(work, KEY, ["P0-0"], [plot(1)], MARCH)
        assert [f.key for f in layer_index(session, KEY).features] == ["P1-0"]
        session.rollback()
    with database.reading() as session:
        assert [f.key for f in layer_index(session, KEY).features] == ["P0-0"]


def test_index_is_built_once_for_many_threads(database, monkeypatch):
    load(database, [plot(column) for column in range(50)])
    built, cache = [], IndexCache()
    monkeypatch.setattr("domain.layer.index.FeatureIndex", lambda features: built.append(1) or object())

    def read() -> None:
        with database.reading() as session:
            cache.index(session, KEY)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1


def test_cache_forgets_the_edition_used_longest_ago(database):
    cache = IndexCache(capacity=1)
    load(database, [plot(0)])
    with database.reading() as session:
        first = cache.index(session, KEY)
    load(database, [plot(1)], MARCH)
    with database.reading() as session:
        cache.index(session, KEY)
        assert cache.index(session, KEY, on=JANUARY) is not first


def test_change_is_audited_with_its_counts(database):
    load(database, [plot(0), plot(1)])
    with database.reading() as session:
        (entry,) = session.exec(select(AuditEntry)).all()
    assert (entry.command, entry.subject, entry.detail["added"]) == ("layer.replace", f"layer:{KEY}", 2)


# -- refusals
# -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("features", "error", "words"),
    [
        ([plot(0), plot(0)], InvalidData, "P0-0 重复"),
        (
            [
                FeatureData(
                    "B",
                    "310118",
                    "0101",
                    Decimal("1.00"),
                    shapely.Polygon([(121, 31), (121.1, 31.1), (121.1, 31), (121, 31.1)]),
                )
            ],
            InvalidGeometry,
            "要素 B 的图形边界自相交",
        ),
        (
            [
                FeatureData(
                    "L", "310118", "0101", Decimal("1.00"), shapely.LineString([(121, 31), (121.1, 31.1)])
                )
            ],
            InvalidGeometry,
            "要素 L 的图形为空或不是面",
        ),
        ([FeatureData("E", "310118", "0101", Decimal("1.00"), shapely.Polygon())], InvalidGeometry, "要素 E"),
        (
            [
                FeatureData(
                    "M",
                    "310118",
                    "0101",
                    Decimal("1.00"),
                    shapely.box(605_000, 3_442_000, 605_100, 3_442_100),
                )
            ],
            CrsMismatch,
            "EPSG:4490",
        ),
    ],
)
def test_unfit_features_are_refused_and_nothing_is_kept(database, features, error, words):
    with pytest.raises(error, match=words):
        load(database, features)
    with database.reading() as session, pytest.raises(NotFound):
        layer_of(session, KEY)


def test_day_before_the_present_edition_is_refused(database):
    load(database, [plot(0)], MARCH)
    with pytest.raises(InvalidData, match="2026-03-01"):
        load(database, [plot(1)], JANUARY)
    assert keys(database) == ["P0-0"]


def test_feature_of_another_district_is_refused_in_a_region(database):
    load(database, [plot(0)])
    with database.writing() as session, pytest.raises(InvalidData, match="P1-0"):
        load_region(session, SYSTEM, KEY, "310120", [plot(1)], MARCH)


def test_ended_key_that_is_not_there_is_refused(database):
    load(database, [plot(0)])
    with database.writing() as session, pytest.raises(InvalidData, match="有 2 个，图层中现有 1 个"):
        replace_features(work_of(session), KEY, ["P0-0", "P7-7"], [], MARCH)


def test_key_that_is_there_already_is_refused(database):
    load(database, [plot(0)])
    with database.writing() as session, pytest.raises(InvalidData, match="P0-0 在图层"):
        replace_features(work_of(session), KEY, [], [plot(0)], MARCH)


def test_only_the_citys_handlers_change_layers(database):
    load(database, [plot(0)], actor=CITY)
    with pytest.raises(NotAllowed):
        load(database, [plot(1)], MARCH, actor=Actor(8, "区经办", (Grant("district_handler", "310118"),)))
    assert keys(database) == ["P0-0"]


def test_unknown_layer_is_refused(database):
    with database.writing() as session, pytest.raises(NotFound, match="forest"):
        load_layer(session, SYSTEM, "forest", [plot(0)], JANUARY)


# -- the spatial index of both databases
# --------------------------------------------------------------------------


def test_spatial_index_exists_and_is_used(database):
    load(database, [plot(column, row) for column in range(40) for row in range(40)])
    with database.reading() as session:
        if database.is_sqlite:
            plan = session.execute(
                text(
                    "EXPLAIN QUERY PLAN SELECT f.key FROM feature f WHERE f.id IN (SELECT id FROM feature_bbox WHERE west <= 121.1 AND east >= 121.05)"
                )
            )
            assert any("feature_bbox VIRTUAL TABLE INDEX" in row.detail for row in plan)
        else:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            plan = session.execute(
                text(
                    "EXPLAIN SELECT key FROM feature WHERE geometry && ST_MakeEnvelope(121.05, 31, 121.1, 31.1, 4490)"
                )
            )
            assert any("ix_feature_geometry" in row[0] for row in plan)


def test_spatial_index_follows_every_change_of_the_table(database):
    load(database, [plot(0), plot(1), plot(2)])
    moved = shapely.box(119.0, 31.0, 119.5, 31.01)
    with database.writing() as session:
        session.execute(delete(Feature).where(Feature.key == "P1-0"))
        session.execute(
            update(Feature).where(Feature.key == "P0-0").values(geometry=moved, west=119.0, east=119.5)
        )
        found = {place: [f.key for f in features_in(session, KEY, area)] for place, area in (
            ("old", shapely.box(121.0, 31.0, 121.019, 31.009)), ("new", moved), ("untouched", plot(2).geometry),
        )}  # fmt: skip
        assert found == {"old": [], "new": ["P0-0"], "untouched": ["P2-0"]}
        if database.is_sqlite:
            assert session.execute(text("SELECT count(*) FROM feature_bbox")).scalar_one() == 2


def test_bounding_boxes_hold_their_geometries(database):
    shapes = shapely.transform(numpy.array([plot(c).geometry for c in range(5)]), lambda c: c + 1 / 7)
    load(
        database,
        [FeatureData(f"P{i}", "310118", "0101", Decimal("1.00"), shape) for i, shape in enumerate(shapes)],
    )
    with database.reading() as session:
        for shape in shapes:
            for corner in shapely.get_coordinates(shape):
                assert features_in(session, KEY, shapely.Point(corner))
