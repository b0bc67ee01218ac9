"""What an inspection finds: each fault of LAND-076 alone in a package that is otherwise in order."""

import dataclasses

import numpy
import pytest
import shapely

from benchmarks.parcels import as_file, parcels, with_faults
from domain.demo_cadastre import demo_settings, generate_demo_cadastre
from domain.inspection import Variant, inspect, schemes
from domain.projection import from_storage, system_of_srid
from domain.spatial_file import FileField, SpatialFile
from tests.domain.inspection.sample_package import (
    BOOK,
    LAYER,
    ON,
    SIDE,
    SOUTH,
    WEST,
    array,
    found,
    layer_of,
    scheme_of,
    square,
    supplement,
    told,
)

ROW = [square(0, 0), square(1, 0), square(2, 0)]


def test_package_in_order_passes_with_full_score() -> None:
    result = found(supplement(ROW))
    assert (told(result), result.score, result.passed, dict(result.checked)) == ([], 100, True, {LAYER: 3})


@pytest.mark.function("LAND-076", "c2")
@pytest.mark.parametrize(
    ("column", "values", "code"),
    [
        ("TBBH", ["T1", "T2", "T1"], "ATT-03"), ("TBBH", ["T1", "T2", ""], "ATT-01"), ("DLMC", ["水田", "水田", "旱地"], "ATT-04"),
        ("DLBM", ["0101", "0101", "9999"], "ATT-02"), ("XZQDM", ["310117", "310117", "310112"], "ATT-05"),
        ("SJNF", ["2026", "2026", "26"], "ATT-06"), ("DRDC", ["调入", "调出", ""], "ATT-01"), ("DRDC", ["调入", "调出", "退出"], "ATT-02"),
        ("YJJBNTLX", ["永久基本农田", "耕地保护空间", ""], "ATT-01"), ("TBMJ", [10588.34, 10588.34, 5.0], "GEO-16"), ("TBMJ", [10588.34, 10588.34, -1.0], "ATT-07"),
    ],
)  # fmt: skip
def test_wrong_value_is_found_at_its_feature(column: str, values: list, code: str) -> None:
    assert (code, 3) in told(found(supplement(ROW, **{column: values})))


@pytest.mark.function("LAND-076", "c3")
def test_row_of_another_district_is_found_by_code_and_by_place() -> None:
    assert ("ATT-08", 2) in told(found(supplement(ROW, XZQDM=["310117", "310112", "310117"])))
    away = shapely.box(121.9, 31.1, 121.901, 31.101)
    assert told(found(supplement([*ROW, away]))) == [("GEO-04", 4)]


@pytest.mark.function("LAND-076", "c4")
@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (shapely.Polygon([(121.21, 31), (121.211, 31.001), (121.211, 31), (121.21, 31.001)]), "GEO-09"),
        (shapely.Polygon(square(9, 0).exterior, [square(9.2, 0.2, 0.6).exterior, square(9.3, 0.3, 0.2).exterior]), "GEO-08"),
        (shapely.MultiPolygon([square(9, 0), square(11, 0)]), "GEO-14"),
        (shapely.box(121.21, 31, 121.210005, 31.000005), "GEO-15"),
        (shapely.box(121.21, 31, 121.22, 31.000001), "GEO-13"),
        (shapely.Polygon([(121.21, 31), (121.211, 31), (121.211, 31.001), (121.2105, 31.001), (121.21049, 31.002), (121.21048, 31.001), (121.21, 31.001)]), "GEO-12"),
        (shapely.Polygon([(121.21, 31), (121.211, 31), (121.211, 31), (121.211, 31.001), (121.21, 31.001)]), "GEO-10"),
        (shapely.Polygon([(121.21, 31), (121.211, 31), (121.21100001, 31.00000001), (121.211, 31.001), (121.21, 31.001)]), "GEO-11"),
        (square(0, 0), "TOP-01"), (square(2.5, 0), "TOP-02"), (None, "GEO-07"), (shapely.LineString([(121.21, 31), (121.211, 31)]), "STR-06"),
    ],
)  # fmt: skip
def test_wrong_geometry_is_found_at_its_feature(bad, code: str) -> None:
    assert told(found(supplement([*ROW, bad]))) == [(code, 4)]


def test_crossing_is_placed_where_it_is() -> None:
    bow = shapely.Polygon([(121.21, 31), (121.211, 31.001), (121.211, 31), (121.21, 31.001)])
    crossing = found(supplement([*ROW, bow])).findings[0]
    assert (crossing.x, crossing.y) == pytest.approx((121.2105, 31.0005), abs=1e-9)


def test_block_of_parcels_that_meet_in_its_very_middle_is_no_gap_and_no_overlap() -> None:
    block = [square(i, j) for i in range(4) for j in range(4)]
    exact = [shapely.set_precision(each, 2.0**-36) for each in block]
    assert told(found(supplement(exact))) == []


def test_gap_between_patches_is_an_error_if_narrow_and_told_if_wide() -> None:
    ring = [square(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    wide = found(supplement(ring))
    assert [(each.code, each.severity) for each in wide.findings] == [("TOP-05", "notice")]
    assert (wide.passed, wide.score) == (True, 100)
    plug = shapely.box(WEST + SIDE, SOUTH + SIDE, WEST + 2 * SIDE, SOUTH + 1.999 * SIDE)
    assert [(each.code, each.severity) for each in found(supplement([*ring, plug])).findings] == [("TOP-04", "error")]


def test_hole_within_one_feature_is_a_gap_only_where_the_layer_fills_its_extent(tmp_path) -> None:
    hollow = shapely.difference(square(0, 0, 3), square(1, 1))
    file = SpatialFile("a.gpkg", "GeoPackage", (layer_of("A", [hollow], {"N": ["1"]}),))
    for fills, codes in ((False, []), (True, [("TOP-03", 1)])):
        scheme = scheme_of(tmp_path, layers=[{"name": "A", "fills": fills}], checks=["gap"])
        assert told(found(file, scheme)) == codes


def test_gap_beside_an_invalid_feature_waits_until_it_is_mended(tmp_path) -> None:
    cells = [square(i, j) for i in range(3) for j in range(3)]
    ring = shapely.get_coordinates(cells[4])
    cells[4] = shapely.Polygon(ring[[0, 2, 1, 3, 4]])
    file = SpatialFile("a.gpkg", "GeoPackage", (layer_of("A", cells, {"N": list("123456789")}),))
    scheme = scheme_of(tmp_path, layers=[{"name": "A", "fills": True}], checks=["self_crossing", "gap", "overlap"])
    assert told(found(file, scheme)) == [("GEO-09", 5)]


def test_layers_are_held_against_each_other(tmp_path) -> None:
    layers = [{"name": "A", "apart": ["B"], "closes": ["B"]}, {"name": "B"}, {"name": "P", "geometry": "point", "inside": ["A"]}]
    scheme = scheme_of(tmp_path, layers=layers, checks=["layer_overlap", "layer_gap", "outside_layer"])
    ring = [square(i, j) for i in range(3) for j in range(3) if (i, j) not in ((1, 1), (2, 2))]
    left = layer_of("A", ring, {"N": [str(row) for row in range(7)]})
    slit = shapely.box(WEST + SIDE, SOUTH + SIDE, WEST + 2 * SIDE, SOUTH + 1.999 * SIDE)
    right = layer_of("B", [slit, square(2, 2), square(-0.5, 0)], {"N": list("123")})
    points = [shapely.Point(WEST + SIDE / 2, SOUTH + SIDE / 2), shapely.Point(WEST + 9 * SIDE, SOUTH)]
    result = found(SpatialFile("a.gpkg", "GeoPackage", (left, right, layer_of("P", points, {"N": ["1", "2"]}, kind="Point"))), scheme)
    assert [(each.code, each.layer, each.feature) for each in result.findings][:1] == [("TOP-06", "A", 1)]
    assert sorted({each.code for each in result.findings}) == ["TOP-06", "TOP-07", "TOP-09"]
    assert [each.feature for each in result.findings if each.code == "TOP-09"] == [2]


@pytest.mark.function("LAND-076", "c1")
def test_structure_is_compared_name_by_name() -> None:
    file = supplement(ROW)
    layer = file.layers[0]
    fields = tuple(each for each in layer.fields if each.name != "QSXZ")
    fields = tuple({
        "TBBH": FileField("TBBH", "编号", "text", 20), "DLBM": FileField("DLBM", "", "integer", 5), "XZQMC": FileField("XZQMC", "", "text", 50),
        "TBMJ": FileField("TBMJ", "", "decimal", 18, 4), "BZ": FileField("BEIZHU", "", "text", 255),
    }.get(each.name, each) for each in fields)  # fmt: skip
    columns = {name: column for name, column in layer.columns.items() if name not in ("QSXZ", "BZ")} | {"BEIZHU": layer.columns["BZ"]}
    spoiled = dataclasses.replace(layer, fields=fields, columns=columns)
    codes = sorted((each.code, each.field) for each in found(dataclasses.replace(file, layers=(spoiled,))).findings)
    assert codes == [
        ("STR-07", "QSXZ"), ("STR-09", "BEIZHU"), ("STR-10", "TBBH"), ("STR-11", "DLBM"), ("STR-12", "XZQMC"), ("STR-13", "TBMJ"),
    ]  # fmt: skip


@pytest.mark.function("LAND-076", "c1")
def test_layer_of_another_name_is_missing_and_unknown() -> None:
    file = supplement(ROW)
    other = dataclasses.replace(file.layers[0], name="TUBAN")
    assert [each.code for each in found(dataclasses.replace(file, layers=(other,))).findings] == ["STR-02", "STR-05"]


@pytest.mark.parametrize(("srid", "words", "code"), [(None, "", "GEO-01"), (None, "Xian 1980", "GEO-02"), (4326, "", "GEO-02")])
def test_system_that_is_not_accepted_is_found(srid: int | None, words: str, code: str) -> None:
    file = supplement(ROW)
    layer = dataclasses.replace(file.layers[0], system=None if srid is None else system_of_srid(srid), crs_words=words)
    assert [each.code for each in found(dataclasses.replace(file, layers=(layer,))).findings if each.code.startswith("GEO-0")] == [code]


def test_coordinates_that_contradict_their_system_are_found_and_nothing_fails() -> None:
    file = supplement(ROW)
    layer = dataclasses.replace(file.layers[0], system=system_of_srid(4529))
    assert "GEO-03" in {each.code for each in found(dataclasses.replace(file, layers=(layer,))).findings}


def test_projected_package_gives_the_findings_of_the_same_package_in_degrees() -> None:
    cells = [square(i, j) for i in range(4) for j in range(4)] + [square(0.5, 0.5, 0.2), square(3, 3)]
    file = supplement(cells)
    system = system_of_srid(4529)
    moved = dataclasses.replace(file.layers[0], geometries=array([from_storage(each, system) for each in cells]), system=system)
    projected = found(dataclasses.replace(file, layers=(moved,)))
    assert told(projected) == told(found(file)) == [("TOP-01", 18), ("TOP-02", 17)]
    drawn = projected.findings[1].geometry
    assert shapely.symmetric_difference(drawn, square(0.5, 0.5, 0.2)).area < 1e-12


def test_boreholes_are_held_against_their_table_and_their_columns() -> None:
    points = [shapely.Point(121.2, 31.0), shapely.Point(121.3, 31.0)]
    columns = {"ZKBH": ["A", "B"], "XMBH": ["P", "P"], "X": [121.2, 31.0], "Y": [31.0, 121.3], "KKGC": [3.5, 300], "ZKSD": [50, 60]}
    kinds = {"X": "decimal", "Y": "decimal", "KKGC": "decimal", "ZKSD": "decimal"}
    fields = tuple(FileField(name, "", kinds.get(name, "text"), 0 if name in kinds else 30) for name in columns)
    holes = layer_of("ZK", points, columns, fields, kind="Point")
    strata = {"ZKBH": ["A", "C"], "DCBH": ["1", "1"], "CDSD": [2, 3]}
    fields = tuple(FileField(name, "", "decimal" if name == "CDSD" else "text", 0 if name == "CDSD" else 30) for name in strata)
    table = layer_of("DC", [None, None], strata, fields, srid=None, kind="")
    result = found(SpatialFile("a.mdb", "个人地理数据库", (holes, table)), "geology_deposit")
    assert [(each.code, each.layer, each.feature) for each in result.findings] == [("STR-14", "DC", 2), ("ATT-07", "ZK", 2), ("GEO-06", "ZK", 2)]


def test_same_package_gives_same_result_and_a_variant_that_finds_less_certifies_nothing() -> None:
    file, scheme = supplement([*ROW, square(2.5, 0), square(0, 0)]), schemes()["supplement_package"]
    first, second = found(file), found(file)
    assert first.findings == second.findings and first == second
    without = inspect(file, scheme, BOOK, ON, Variant(("overlap",)))
    assert (told(without), without.certifies) == ([("TOP-01", 5)], False)
    loose = inspect(file, scheme, BOOK, ON, Variant(parameters={"overlap_area_m2": "1000000"}))
    assert (told(loose), loose.certifies) == ([("TOP-01", 5)], False)
    strict = inspect(file, scheme, BOOK, ON, Variant(parameters={"smallest_area_m2": "20000"}))
    assert strict.certifies and {each.code for each in strict.findings} == {"GEO-15", "TOP-01", "TOP-02"}
    assert strict.edition != first.edition


def test_score_takes_off_marks_up_to_the_most_of_a_check() -> None:
    twelve = [square(0, 0)] * 12
    result = found(supplement(twelve))
    assert (len(result.findings), result.score, result.passed) == (11, 60, False)


def test_telling_may_end_an_inspection() -> None:
    class Ended(Exception):
        pass

    def tell(words: str, share: float) -> None:
        if share > 0.5:
            raise Ended

    with pytest.raises(Ended):
        inspect(supplement(ROW), schemes()["supplement_package"], BOOK, ON, tell=tell)


def test_all_faults_put_into_a_clean_coverage_are_found_and_no_others(tmp_path) -> None:
    checks = ["validity", "self_crossing", "repeated", "overlap", "gap"]
    scheme = scheme_of(tmp_path, layers=[{"name": "DKM", "fills": True}], checks=checks)
    clean = parcels(2_500)
    assert told(found(as_file(clean), scheme)) == []
    spoiled = with_faults(clean, 20, 25, 25, 60)
    result = found(as_file(spoiled.geometries), scheme)
    by_code: dict[str, set[int]] = {}
    for code, feature in told(result):
        by_code.setdefault(code, set()).add(feature - 1)
    wanted = {"GEO-09": spoiled.invalid, "TOP-01": spoiled.repeated, "TOP-02": spoiled.overlaps, "TOP-03": spoiled.holes}
    assert by_code == wanted
    assert len(result.findings) == 130


def test_coverage_with_holes_parts_and_vertices_on_one_side_only_has_no_finding(tmp_path) -> None:
    cadastre = generate_demo_cadastre(demo_settings() | {"patches": 6_000})
    patches = numpy.array([each.geometry for each in cadastre.layers["land_use"]], dtype=object)
    scheme = scheme_of(tmp_path, layers=[{"name": "DKM", "fills": True}], checks=["validity", "self_crossing", "repeated", "overlap", "gap"])
    assert told(found(as_file(patches), scheme)) == []
