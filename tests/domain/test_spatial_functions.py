"""The SQL functions that SQLite gets: same answers as shapely, null for null, one storage system."""

import sqlite3

import pytest
import shapely

from domain.geometry import ewkb, from_ewkb
from domain.spatial_functions import register

SQUARE, SHIFTED, FAR = shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2), shapely.box(9, 9, 10, 10)


@pytest.fixture
def connection():
    opened = sqlite3.connect(":memory:")
    register(opened)
    yield opened
    opened.close()


def ask(connection, expression: str, *values):
    return connection.execute(f"SELECT {expression}", values).fetchone()[0]


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("ST_Intersects", SHIFTED, 1),
        ("ST_Intersects", FAR, 0),
        ("ST_Touches", shapely.box(2, 0, 3, 2), 1),
        ("ST_Contains", shapely.Point(1, 1), 1),
        ("ST_Covers", SQUARE, 1),
        ("ST_Within", shapely.box(-1, -1, 3, 3), 1),
        ("ST_Overlaps", SHIFTED, 1),
    ],
)
def test_predicates(connection, name, other, expected):
    assert ask(connection, f"{name}(?, ?)", ewkb(SQUARE), ewkb(other)) == expected


@pytest.mark.parametrize(("name", "area"), [("ST_Intersection", 2), ("ST_Difference", 2), ("ST_Union", 6)])
def test_overlays(connection, name, area):
    result = from_ewkb(ask(connection, f"{name}(?, ?)", ewkb(SQUARE), ewkb(SHIFTED)))
    assert result.area == area and shapely.get_srid(result) == 4490


@pytest.mark.parametrize(
    ("name", "expected"), [("ST_MinX", 1), ("ST_MinY", 0), ("ST_MaxX", 3), ("ST_MaxY", 2)]
)
def test_bounds(connection, name, expected):
    assert ask(connection, f"{name}(?)", ewkb(SHIFTED)) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "ST_Intersects(?, NULL)",
        "ST_Union(NULL, ?)",
        "ST_MinX(NULL) + length(?)",
        "GeomFromEWKT(NULL) || ?",
        "AsEWKB(NULL) || ?",
    ],
)
def test_null_gives_null(connection, expression):
    assert ask(connection, expression, ewkb(SQUARE)) is None


def test_constructors_store_the_system(connection):
    for stored in (
        ask(connection, "GeomFromEWKT(?)", f"SRID=4490;{SQUARE.wkt}"),
        ask(connection, "GeomFromText(?, 4490)", SQUARE.wkt),
        ask(connection, "GeomFromWKB(?, 4490)", shapely.to_wkb(SQUARE)),
        ask(connection, "GeomFromEWKB(?)", ewkb(SQUARE)),
    ):
        assert shapely.get_srid(from_ewkb(stored)) == 4490 and shapely.equals(from_ewkb(stored), SQUARE)


@pytest.mark.parametrize(
    ("expression", "value"),
    [("GeomFromEWKT(?)", "SRID=4326;POINT (1 2)"), ("GeomFromText(?, 3857)", "POINT (1 2)")],
)
def test_other_systems_are_refused(connection, expression, value):
    with pytest.raises(sqlite3.OperationalError):
        ask(connection, expression, value)


def test_there_is_no_second_way_to_compute_an_area(connection):
    with pytest.raises(sqlite3.OperationalError, match="no such function"):
        ask(connection, "ST_Area(?)", ewkb(SQUARE))
