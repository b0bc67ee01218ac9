"""Two states of layers compared: patches, a table that closes, nothing comparable, slivers, rights, cells."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy
import pytest
import shapely
from sqlmodel import SQLModel

from domain.actor import SYSTEM, Actor, Grant
from domain.area import area_m2, sum_m2
from domain.audit import AuditEntry, AuditHead
from domain.errors import InvalidData, NotAllowed, NotFound
from domain.layer import Feature, FeatureData, Layer, LayerEdition, comparison, comparison_cell, load_layer
from domain.layer.comparison import EVERYWHERE, Comparison, Extent, NothingComparable, Side
from domain.portal_clock import DemoClock
from portal.database import Database

TABLES = (Layer, LayerEdition, Feature, AuditEntry, AuditHead, DemoClock)
LAND, FARM = "land_use", "permanent_farmland"
FIRST, SECOND = date(2025, 1, 1), date(2026, 1, 1)
YEARS = Side(LAND, 1), Side(LAND, 2)
STEP = 2.0**-9
"""Degrees; edges at multiples of it are exact doubles."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'layers.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = Database(url)
    SQLModel.metadata.create_all(opened.engine, tables=[each.__table__ for each in TABLES])
    yield opened
    opened.dispose()


def box(left: float, bottom: float = 0, width: float = 1, height: float = 1) -> shapely.Polygon:
    x, y = 121 + left * STEP, 31 + bottom * STEP
    return shapely.box(x, y, x + width * STEP, y + height * STEP)


def feature(key: str, shape: shapely.Geometry, code: str, district: str = "310118") -> FeatureData:
    return FeatureData(key, district, code, area_m2(shape), shape, {})


def load(database: Database, features, on: date, layer: str = LAND) -> None:
    with database.writing() as session:
        load_layer(session, SYSTEM, layer, features, on)


def compared(database: Database, before=YEARS[0], after=YEARS[1], extent=EVERYWHERE, actor=SYSTEM, level=0) -> Comparison:
    with database.reading() as session:
        return comparison.compare(session, comparison.plan(session, actor, before, after, extent, level))


def two_years(database: Database) -> None:
    """Four squares in a row: the second is split in the next year, the third changes its class, the fourth is gone."""
    squares = [feature(f"DL-{place}", box(place), code) for place, code in enumerate(["0101", "0101", "0103", "0701"])]
    load(database, squares, FIRST)
    load(database, [
        squares[0], feature("DL-1a", box(1, 0, 0.5), "0101"), feature("DL-1b", box(1.5, 0, 0.5), "0701"), feature("DL-2", box(2), "0701"),
    ], SECOND)  # fmt: skip


def closes(made: Comparison) -> None:
    """The list, the table and every total are sums of the same parts."""
    by_pair = {(before, after): area for before, after, _count, area in made.changes}
    if made.is_classed_alike:
        assert by_pair == {pair: area for pair, area in made.table.items() if pair[0] != pair[1]}
    assert sum_m2(each.area_m2 for each in made.patches) == made.changed_m2 == sum_m2(by_pair.values())
    assert made.total_m2 == made.changed_m2 + made.unchanged_m2 == sum_m2(made.table.values())
    assert sum_m2(row.before_m2 for row in made.classes) == made.before_m2()
    assert sum_m2(row.after_m2 for row in made.classes) == made.after_m2()
    assert all(row.change_m2 == row.gained_m2 - row.lost_m2 for row in made.classes)


@pytest.mark.function("ONEMAP-013", "c2")
def test_two_editions_give_patches_and_a_table_that_closes(database: Database) -> None:
    two_years(database)
    made = compared(database)
    assert [(each.before_class, each.after_class, each.area_m2) for each in made.patches] == [
        ("0103", "0701", area_m2(box(2))), ("0701", "", area_m2(box(3))), ("0101", "0701", area_m2(box(1.5, 0, 0.5))),
    ]  # fmt: skip
    assert made.table["0101", "0101"] == area_m2(box(0, 0, 1.5))
    assert shapely.equals(made.patches[2].geometry, box(1.5, 0, 0.5))
    assert (made.before.effective_on, made.after.effective_on) == (FIRST, SECOND)
    closes(made)
    lost, gained = {row.class_code: row.lost_m2 for row in made.classes}, {row.class_code: row.gained_m2 for row in made.classes}
    assert lost["0103"] == area_m2(box(2)) and gained["0701"] == area_m2(box(2)) + area_m2(box(1.5, 0, 0.5))


def test_a_day_stands_for_the_edition_in_force(database: Database) -> None:
    two_years(database)
    made = compared(database, Side(LAND, on=date(2025, 6, 1)), Side(LAND))
    assert (made.before.edition, made.after.edition) == (1, 2)
    with pytest.raises(NotFound, match="2024-06-01"):
        compared(database, Side(LAND, on=date(2024, 6, 1)), Side(LAND))
    with pytest.raises(NotFound, match="第 7 版"):
        compared(database, Side(LAND, 7), Side(LAND))
    with pytest.raises(InvalidData, match="同一个版本"):
        compared(database, Side(LAND, 2), Side(LAND))


def test_classes_may_be_told_apart_by_their_first_characters(database: Database) -> None:
    load(database, [feature("DL-0", box(0), "0101")], FIRST)
    load(database, [feature("DL-0", box(0), "0103")], SECOND)
    assert [each.area_m2 for each in compared(database).patches] == [area_m2(box(0))]
    broad = compared(database, level=2)
    assert broad.patches == () and broad.table == {("01", "01"): area_m2(box(0))}


def test_an_edition_that_repeats_every_feature_differs_only_where_it_differs(database: Database) -> None:
    squares = [feature(f"DL-{place}", box(place), "0101") for place in range(4)]
    load(database, squares, FIRST)
    load(database, [*squares[:3], feature("DL-3", box(3), "0301")], SECOND)
    made = compared(database)
    assert [(each.before_class, each.after_class) for each in made.patches] == [("0101", "0301")]
    closes(made)


def test_neighbours_that_change_alike_are_one_patch_and_districts_stay_apart(database: Database) -> None:
    load(database, [feature("A", box(0), "0101"), feature("B", box(1), "0101"), feature("C", box(2), "0101", "310115")], FIRST)
    load(database, [feature("A", box(0), "0701"), feature("B", box(1), "0701"), feature("C", box(2), "0701", "310115")], SECOND)
    assert [(each.district_code, each.area_m2) for each in compared(database).patches] == [
        ("310115", area_m2(box(2))), ("310118", area_m2(box(0, 0, 2))),
    ]  # fmt: skip


def test_two_layers_differ_where_only_one_of_them_covers_a_place(database: Database) -> None:
    load(database, [feature("DL-0", box(0), "0101"), feature("DL-1", box(1), "0701")], FIRST)
    load(database, [feature("JN-0", box(0.5), "永久基本农田")], FIRST, FARM)
    made = compared(database, Side(LAND), Side(FARM))
    assert not made.is_classed_alike
    assert [(each.before_class, each.after_class) for each in made.patches] == [("0101", ""), ("0701", "")]
    half = area_m2(box(0.5, 0, 0.5))
    assert made.table["0101", "永久基本农田"] == made.table["0701", "永久基本农田"] == half
    closes(made)


@pytest.mark.parametrize("extent", [Extent(), Extent(district="310118"), Extent(polygon=box(4, 0, 2))])
def test_sides_that_do_not_meet_are_nothing_comparable(database: Database, extent: Extent) -> None:
    load(database, [feature("DL-0", box(0), "0101")], FIRST)
    load(database, [feature("JN-0", box(5), "永久基本农田")], FIRST, FARM)
    with pytest.raises(NothingComparable, match="无可比范围"):
        compared(database, Side(LAND), Side(FARM), extent)


def test_only_the_part_in_the_polygon_counts(database: Database) -> None:
    two_years(database)
    made = compared(database, extent=Extent(polygon=box(1.75, 0.5, 1, 1)))
    assert [(each.before_class, each.after_class, each.area_m2) for each in made.patches] == [
        ("0103", "0701", area_m2(box(2, 0.5, 0.75, 0.5))), ("0101", "0701", area_m2(box(1.75, 0.5, 0.25, 0.5))),
    ]  # fmt: skip
    assert made.unchanged_m2 == 0
    closes(made)


def test_slivers_count_as_unchanged_and_are_told(database: Database) -> None:
    edge = 1 + 2.0**-28 / STEP
    load(database, [feature("A", box(0), "0101"), feature("B", box(1), "0701")], FIRST)
    load(database, [feature("A", box(0, 0, edge), "0101"), feature("B", box(edge, 0, 2 - edge), "0701")], SECOND)
    made = compared(database)
    assert made.patches == () and made.sliver_count == 1
    assert Decimal(0) < made.sliver_m2 < comparison.SLIVERS.area_m2
    closes(made)
    assert made.table.keys() == {("0101", "0101"), ("0701", "0701")}


def test_each_place_counts_once_where_features_overlap(database: Database) -> None:
    """As brute force says: at any point the smaller key of each edition has it."""
    one = [feature("A", box(0, 0, 2), "0101"), feature("B", box(1, 0, 2), "0701"), feature("C", box(2.5), "0301")]
    load(database, one, FIRST)
    load(database, [one[0], feature("AA", box(1.5, 0, 2), "1104"), one[1], one[2]], SECOND)
    made = compared(database)
    assert made.table == {
        ("0101", "0101"): area_m2(box(0, 0, 2)), ("0701", "1104"): area_m2(box(2)), ("0301", "1104"): area_m2(box(3, 0, 0.5)),
    }  # fmt: skip
    closes(made)


def test_cells_change_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    random = numpy.random.default_rng(7)
    codes = ["0101", "0301", "0701"]
    places = [(column, row) for column in range(12) for row in range(12)]
    old = [feature(f"P{c}-{r}", box(c, r, 1.25, 1), codes[random.integers(3)]) for c, r in places]
    new = [each if random.random() < 0.7 else feature(each.key, each.geometry, codes[random.integers(3)]) for each in old]
    new[5:9] = [feature(f"N{place}", box(5.5 + place, 3.5, 1, 2), "0301") for place in range(4)]
    load(database, old, FIRST)
    load(database, new, SECOND)
    whole = compared(database)
    monkeypatch.setattr(comparison_cell, "CELL_DEGREES", STEP * 2.5)
    monkeypatch.setattr(comparison_cell, "MOST_IN_CELL", 3)
    parted = compared(database)
    assert parted.table == whole.table and len(whole.patches) > 20
    assert [each.area_m2 for each in parted.patches] == [each.area_m2 for each in whole.patches]
    closes(whole)


def test_only_what_the_actor_may_see_is_compared(database: Database) -> None:
    supplement = "protected_space_supplement"
    here, there = feature("B-1", box(0), "0101"), feature("B-2", box(1), "0101", "310115")
    load(database, [here, there], FIRST, supplement)
    load(database, [feature("B-1", box(0), "0103"), feature("B-2", box(1), "0103", "310115")], SECOND, supplement)
    handler = Actor(3, "区经办", (Grant("district_handler", "310118"),))
    sides = Side(supplement, 1), Side(supplement, 2)
    assert {each.district_code for each in compared(database, *sides, actor=handler).patches} == {"310118"}
    assert {each.district_code for each in compared(database, *sides).patches} == {"310115", "310118"}
    with pytest.raises(NothingComparable):
        compared(database, *sides, Extent(district="310115"), handler)
    with pytest.raises(NotAllowed):
        compared(database, *sides, actor=Actor(4, "路人", (Grant("applicant"),)))
