"""Operations of many on many: nothing lost and nothing twice, and the results of QGIS and geopandas."""

import math
import re
from xml.etree import ElementTree

import geopandas
import numpy
import pandas
import pyogrio
import pytest
import shapely
from hypothesis import given, settings

from domain.area import unrounded_areas_m2
from domain.errors import InvalidData
from domain.geometry import CrsMismatch, InvalidGeometry
from domain.overlay import (
    OPERATIONS,
    FeatureSet,
    clip,
    disjoint,
    dissolve,
    erase,
    identity,
    intersection,
    repaired,
    symmetric_difference,
    union,
)
from domain.overlay.operations import NONE, cut_apart
from tests.domain.overlay.samples import DISJOINT, SETS, at, features
from tests.domain.shared_data import SHARED, shared_file

TOLERANCE_M2 = 1e-4
"""What a sum of pieces may differ from its whole by, for the features of these tests (up to 0.2 km²): a hundredth of the
0.01 m² that areas are kept to. A computed vertex lies off its edge by the rounding of doubles, 1.4e-14 degrees or 1.6 nm, and
of two edges of 500 m that are nearly parallel by many times that along them: up to some 1e-5 m² in all.
"""


def total(pieces) -> float:
    return float(pieces.areas.sum())


# -- conservation


@settings(max_examples=80, deadline=None)
@given(left=SETS, right=DISJOINT)
def test_pieces_and_remainder_of_every_feature_add_up_to_it(left, right):
    found = identity(left, right)
    sums = numpy.bincount(found.left_rows, weights=found.areas, minlength=len(left))
    assert numpy.abs(sums - left.areas).max() < TOLERANCE_M2


@settings(max_examples=80, deadline=None)
@given(left=SETS, right=DISJOINT)
def test_a_cut_by_features_that_share_no_place_is_the_identity(left, right):
    sums = [
        [numpy.bincount(each.left_rows[rows], each.areas[rows], len(left)) for rows in (each.right_rows == NONE, each.right_rows != NONE)]
        for each in (cut_apart(left, right), identity(left, right))
    ]
    assert numpy.abs(numpy.array(sums[0]) - numpy.array(sums[1])).max() < TOLERANCE_M2


@pytest.mark.parametrize("width_m", ["0.00001", "0.001", "0.1"])
def test_a_gap_of_a_hundredth_of_a_millimetre_is_still_left_over(width_m):
    gap = float(width_m) / 95_000  # degrees of longitude here
    left, edge = features([shapely.box(*at(0, 0), *at(20, 20))]), at(10, 0)[0]
    right = features([shapely.box(*at(-1, -1), edge, at(0, 21)[1]), shapely.box(edge + gap, at(0, -1)[1], *at(21, 21))])
    [area] = cut_apart(left, right).areas[cut_apart(left, right).right_rows == -1]
    assert area == pytest.approx(222 * float(width_m), rel=0.02)


def test_a_piece_that_geos_makes_of_nothing_is_taken_again():
    """The third part touches the right only in a corner; GEOS gives the whole right for it, valid and silent."""
    left = features([shapely.MultiPolygon([
        ([(121.2, 31.1017), (121.20066557911909, 31.101078792822182), (121.20054400000001, 31.100900000000003), (121.2, 31.100900000000003)],),
        ([(121.2015, 31.1003), (121.20060000000001, 31.100120000000004), (121.20060000000001, 31.100900000000003),
          (121.20058846153846, 31.100900000000003), (121.2006902866242, 31.101055732484078)],),
        ([(121.20058, 31.100900000000003), (121.2001, 31.1001), (121.20067948717949, 31.101065811965814)],),
    ])])  # fmt: skip
    right = features([shapely.Polygon([(121.2, 31.1007), (121.2005, 31.1007), (121.2005, 31.1), (121.2001, 31.1), (121.2001, 31.1001), (121.2, 31.1001)])])
    for pieces in (cut_apart(left, right), identity(left, right)):
        assert pieces.areas.sum() == pytest.approx(left.areas[0], abs=0.01)
        assert pieces.areas[pieces.right_rows >= 0].sum() < 0.01


@settings(max_examples=80, deadline=None)
@given(left=DISJOINT, right=DISJOINT)
def test_union_is_both_less_what_they_share_and_covers_no_place_twice(left, right):
    shared, all_of_it, apart = total(intersection(left, right)), union(left, right), symmetric_difference(left, right)
    assert total(all_of_it) == pytest.approx(left.areas.sum() + right.areas.sum() - shared, abs=TOLERANCE_M2)
    assert total(apart) == pytest.approx(total(all_of_it) - shared, abs=TOLERANCE_M2)
    covered = unrounded_areas_m2([shapely.union_all(all_of_it.geometries)])[0]
    assert total(all_of_it) == pytest.approx(covered, abs=TOLERANCE_M2)


@settings(max_examples=80, deadline=None)
@given(left=SETS, right=SETS)
def test_clip_and_erase_share_out_the_left_also_where_the_right_overlaps_itself(left, right):
    assert total(clip(left, right)) + total(erase(left, right)) == pytest.approx(left.areas.sum(), abs=TOLERANCE_M2)


@settings(max_examples=80, deadline=None)
@given(found=SETS)
def test_disjoint_gives_every_place_to_the_first_and_says_what_was_twice(found):
    single, repeated = disjoint(found)
    covered = unrounded_areas_m2([shapely.union_all(found.geometries)])[0]
    assert single.areas.sum() == pytest.approx(covered, abs=TOLERANCE_M2)
    assert repeated == pytest.approx(found.areas.sum() - covered, abs=TOLERANCE_M2)
    assert single.keys == found.keys and shapely.equals(single.geometries[0], found.geometries[0])


@settings(max_examples=40, deadline=None)
@given(found=DISJOINT)
def test_dissolve_keeps_the_area_of_every_class(found):
    merged = dissolve(found, "kind")
    by_class = {key: float(area) for key, area in zip(merged.keys, merged.areas, strict=True)}
    for kind in set(found.classes("kind")):
        members = [row for row, value in enumerate(found.classes("kind")) if value == kind]
        assert by_class[kind] == pytest.approx(found.areas[members].sum(), abs=TOLERANCE_M2)
    assert sum(each["count"] for each in merged.attributes) == len(found)


def test_edges_that_nearly_coincide_do_not_make_a_covered_feature_whole_again():
    """Found by the test above: the plain difference of the last feature from the union of the others is all of it, though the
    first covers it; 274 m² would be counted twice.
    """
    left = features(shapely.from_wkt([
        "POLYGON ((121.2 31.1, 121.2 31.1003, 121.2007 31.1001, 121.2 31.1))",
        "POLYGON ((121.2009 31.1, 121.2 31.1, 121.20039375 31.10005625, 121.2009 31.1))",
        "POLYGON ((121.2013 31.1002, 121.20046551724138 31.10004827586207, 121.20039375 31.10005625, 121.2007 31.1001, 121.2006825 31.100105, 121.2013 31.1002))",
    ]))  # fmt: skip
    right = features(shapely.from_wkt(["POLYGON ((121.2007 31.1001, 121.20009929078014 31.100014184397164, 121.200095 31.1001, 121.2007 31.1001))"]))
    assert total(erase(right, left)) == pytest.approx(0, abs=TOLERANCE_M2)
    assert total(clip(right, left)) == pytest.approx(right.areas.sum(), abs=TOLERANCE_M2)


# -- attributes of both sides


def test_pieces_carry_the_attributes_of_both_sides_and_a_common_name_of_the_right_is_marked():
    left = FeatureSet(("甲1",), features([shapely.box(*at(0, 0), *at(2, 2))]).geometries, ({"kind": "甲", "owner": "张"},))
    right = FeatureSet(("b1",), features([shapely.box(*at(1, 0), *at(3, 2))]).geometries, ({"kind": "乙", "grade": 5},))
    found = union(left, right)
    assert [found.keys(place) for place in range(3)] == [("甲1", "b1"), ("甲1", ""), ("", "b1")]
    assert found.attributes(0) == {"kind": "甲", "owner": "张", "kind_2": "乙", "grade": 5}
    assert found.attributes(2) == {"kind": "乙", "grade": 5}
    assert found.as_features().keys == ("甲1+b1", "甲1", "b1")


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_neighbours_that_share_an_edge_have_no_piece_in_common(name):
    left, right = features([shapely.box(*at(0, 0), *at(2, 2))]), features([shapely.box(*at(2, 0), *at(4, 2))])
    expected = {"intersection": 0, "clip": 0, "erase": 1, "identity": 1, "union": 2, "symmetric_difference": 2}
    assert len(OPERATIONS[name](left, right)) == expected[name]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_empty_side_is_no_special_case(name):
    some, none = features([shapely.box(*at(0, 0), *at(2, 2))]), features([])
    assert len(OPERATIONS[name](none, none)) == 0
    assert len(OPERATIONS[name](some, none)) == (0 if name in ("intersection", "clip") else 1)
    assert len(OPERATIONS[name](none, some)) == (1 if name in ("union", "symmetric_difference") else 0)


# -- unfit input


def test_invalid_input_is_refused_by_its_key_and_repaired_on_request():
    bow_tie = shapely.Polygon([at(0, 0), at(4, 4), at(4, 0), at(0, 4)])
    doubled = shapely.Polygon([at(0, 0), at(2, 0), at(2, 0), at(2, 2), at(0, 2)])
    spike = shapely.Polygon([at(0, 0), at(2, 2), at(0, 0)])
    line = shapely.LineString([at(0, 0), at(1, 1)])
    found = features([shapely.box(*at(0, 0), *at(1, 1)), bow_tie, doubled, spike, line])
    with pytest.raises(InvalidGeometry, match="要素 2 不能叠加：.*自相交.*修正"):
        intersection(found, found)
    mended = repaired(found)
    assert mended.features.keys == ("1", "2", "3")
    assert [each.key for each in mended.log] == ["2", "3", "4", "5"]
    assert [each.key for each in mended.set_apart] == ["4", "5"]
    tie, points, *_apart = mended.log
    assert tie.before_m2 is None and tie.after_m2 > 0 and tie.x is not None and "自相交" in tie.fault
    assert points.before_m2 == points.after_m2 and (points.points_before, points.points_after) == (6, 5)
    assert len(identity(mended.features, mended.features)) > 0


def test_missing_geometry_and_projected_coordinates_are_refused():
    whole = features([shapely.box(*at(0, 0), *at(1, 1))])
    with pytest.raises(InvalidGeometry, match="要素 1 不能叠加：没有图形"):
        intersection(features([None]), whole)
    with pytest.raises(CrsMismatch):
        intersection(features([shapely.box(500_000, 3_400_000, 500_100, 3_400_100)]), whole)
    with pytest.raises(CrsMismatch):
        repaired(features([shapely.box(500_000, 3_400_000, 500_100, 3_400_100)]))


# -- against others


def qgis_set(name: str) -> FeatureSet:
    """A layer of the QGIS comparison, in a plane shrunk so far that its coordinates pass as degrees."""
    meta, _, blobs, columns = pyogrio.raw.read(shared_file("overlay-expected", "geopandas", "overlay", "nybb_qgis", f"{name}.shp"))
    shrunk = shapely.transform(shapely.from_wkb(blobs), lambda c: c / 10_000 - (90, 0))
    values = [dict(zip(meta["fields"], row, strict=True)) for row in zip(*columns, strict=True)]
    return FeatureSet(tuple(str(place) for place in range(len(values))), shrunk, tuple(values))


def _name(value) -> str:
    """A value as text; the absent of every format is empty, numbers are written alike."""
    return "" if pandas.isna(value) else re.sub(r"\.0$", "", str(value))


def by_both(attributes, areas) -> dict:
    """The area of each pair of values: one piece a pair. Of a pair listed twice the smaller counts: the QGIS that made
    these files listed some pieces of a union again, or as the whole feature; a row without geometry is no piece.
    """
    found: dict = {}
    for values, area in zip(attributes, areas, strict=True):
        key = tuple(_name(values.get(name)) for name in ("BoroCode", "value1", "col1", "col2"))
        if not math.isnan(area):
            found[key] = min(found.get(key, area), area)
    return found


def all_attributes(pieces) -> list:
    return [pieces.attributes(place) for place in range(len(pieces))]


@pytest.mark.parametrize(
    ("name", "file"),
    [("intersection", "qgis-intersection"), ("erase", "qgis-difference"), ("union", "qgis-union"),
     ("symmetric_difference", "qgis-symmetric_difference")],
)  # fmt: skip
def test_operations_give_the_pieces_of_qgis(name, file):
    """The same pieces by the attributes of both sides; planar areas equal to a relative 1e-9."""
    expected, found = qgis_set(file), OPERATIONS[name](qgis_set("polydf"), qgis_set("polydf2"))
    ours, theirs = by_both(all_attributes(found), shapely.area(found.geometries)), by_both(expected.attributes, shapely.area(expected.geometries))
    assert ours.keys() == theirs.keys() and len(ours) == len(found) > 4
    assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("name", ["intersection", "difference", "union", "symmetric_difference"])
def test_operations_give_the_expected_pieces_of_overlapping_circles(name):
    """The published results of geopandas on its small sample; areas equal to a relative 1e-9."""
    folder = ("overlay-expected", "geopandas", "overlay", "overlap")
    left, right, expected = (
        geopandas.read_file(shared_file(*folder, f"{each}.geojson")) for each in ("df1_overlap", "df2_overlap", f"df1_df2_overlap-{name}")
    )
    found = OPERATIONS["erase" if name == "difference" else name](_set(left), _set(right))
    wanted = _set(expected)
    ours, theirs = by_both(all_attributes(found), shapely.area(found.geometries)), by_both(wanted.attributes, shapely.area(wanted.geometries))
    assert ours.keys() == theirs.keys() and len(ours) == len(found)
    assert ours == pytest.approx(theirs, rel=1e-9)


def _set(frame) -> FeatureSet:
    values = frame.drop(columns="geometry").to_dict("records")
    return FeatureSet(tuple(str(place) for place in range(len(frame))), frame.geometry.values.to_numpy(), tuple(values))


@pytest.mark.parametrize("name", ["intersection", "difference", "union", "identity", "symmetric_difference"])
def test_prague_plots_by_ownership_squares_agree_with_geopandas(name):
    """Real plots (Bubeneč, momepy) cut by a grid of squares: as many pieces as geopandas, planar area to a relative 1e-9."""
    plots = geopandas.read_file(shared_file("city-vector", "momepy", "bubenec.gpkg"), layer="plots").to_crs(4326).set_crs(None, allow_override=True)
    plots["geometry"] = plots.geometry.make_valid()
    plots = plots[plots.geometry.geom_type.isin(["Polygon", "MultiPolygon"])].reset_index(drop=True)
    west, south, east, north = plots.total_bounds
    step = (east - west) / 7
    squares = [shapely.box(west + (i + 0.1) * step, south + (j + 0.1) * step, west + (i + 0.9) * step, south + (j + 0.9) * step)
               for i in range(7) for j in range(int((north - south) / step) + 1)]  # fmt: skip
    grid = geopandas.GeoDataFrame({"square": range(len(squares))}, geometry=squares)
    theirs = geopandas.overlay(plots, grid, how=name, keep_geom_type=True)
    found = OPERATIONS["erase" if name == "difference" else name](_set(plots), _set(grid))
    is_piece = shapely.area(found.geometries) > 1e-16
    assert is_piece.sum() == (theirs.geometry.area > 1e-16).sum()
    assert shapely.area(found.geometries).sum() == pytest.approx(theirs.geometry.area.sum(), rel=1e-9)


def _jts_cases():
    """Overlay cases of JTS with polygons on both sides: (operation, a, b, expected); those on a grid do not fit doubles."""
    names = {"intersection": "intersection", "difference": "erase", "symdifference": "symmetric_difference", "union": "union"}
    for path in (SHARED / "invalid-geometry" / "jts" / "testxml" / "general" / name for name in ("TestOverlayAA.xml", "TestNGOverlayA.xml")):
        if not path.exists():
            continue
        for place, case in enumerate(ElementTree.parse(path).getroot().iter("case")):
            sides = {side: (case.findtext(side) or "").strip() for side in ("a", "b")}
            for op in case.iter("op"):
                if op.get("name") in names and op.get("arg1", "").lower() == "a" and (op.text or "").strip().startswith(("POLY", "MULTIPOLY", "GEOM")):
                    yield pytest.param(names[op.get("name")], sides["a"], sides["b"], op.text.strip(), id=f"{path.stem}-{place}-{op.get('name')}")


@pytest.mark.parametrize(("name", "a", "b", "expected"), list(_jts_cases()))
def test_operations_give_the_areas_of_the_jts_cases(name, a, b, expected):
    """Area of areas, JTS's own expectations, to 1e-9 of the plane (scaled into degrees); lines and points count nothing."""
    sides = [shapely.from_wkt(each) for each in (a, b)]
    wanted = shapely.from_wkt(expected)
    if not all(each.geom_type in ("Polygon", "MultiPolygon") and each.is_valid and not each.is_empty for each in sides):
        with pytest.raises(InvalidData):
            OPERATIONS[name](*(features([each]) for each in sides))
        return
    scale = 80 / max(numpy.abs(shapely.get_coordinates([*sides, wanted])).max(), 1e-9)
    left, right = (features([shapely.transform(each, lambda c: c * scale)]) for each in sides)
    found = OPERATIONS[name](left, right)
    assert shapely.area(found.geometries).sum() / scale**2 == pytest.approx(wanted.area, rel=1e-9, abs=1e-9)
