"""District boundaries: defects found and reported, repaired as stated, a partition for the accounts."""

import json
from collections import Counter
from decimal import Decimal

import pytest
import shapely

from domain.area import area_m2, sum_m2
from domain.district import (
    FOLDER,
    account_of,
    city_territory,
    defect_report,
    district_name,
    load_account_areas,
    load_districts,
    load_management_areas,
)
from domain.errors import NotFound
from domain.geometry import multipolygon
from tests.domain.shared_data import shared_file


def source() -> dict[str, shapely.Geometry]:
    features = json.loads((FOLDER / "shanghai_source.json").read_text(encoding="utf-8"))["features"]
    return {f["properties"]["name"]: shapely.from_geojson(json.dumps(f["geometry"])) for f in features}


def test_source_is_kept_as_it_came():
    original = shared_file("admin-boundaries", "echarts4_shanghai.geojson")
    assert (FOLDER / "shanghai_source.json").read_bytes() == original.read_bytes()


def test_sixteen_districts_with_their_codes():
    districts = load_districts()
    assert len(districts) == 16 and [d.code for d in districts] == sorted(d.code for d in districts)
    assert {d.code: d.name for d in districts}["310151"] == "崇明区"
    assert all(d.geometry.is_valid for d in districts)


def test_defects_are_those_that_the_source_has():
    """7 of 16 polygons are valid and one has no code, as its SOURCES says; overlaps and gaps are counted here
    anew.
    """
    valid = [shapely.make_valid(g, method="structure", keep_collapsed=False) for g in source().values()]
    overlaps = [
        1
        for i, a in enumerate(valid)
        for b in valid[i + 1 :]
        if multipolygon(shapely.intersection(a, b)).area > 0
    ]
    gaps = [ring for part in shapely.get_parts(shapely.union_all(valid)) for ring in part.interiors]
    assert Counter(defect.kind for defect in defect_report()) == {
        "invalid": 16 - 7, "missing_code": 1, "overlap": len(overlaps), "gap": len(gaps),
    }  # fmt: skip
    assert all(defect.repair and defect.found for defect in defect_report())


def test_every_invalid_place_is_on_the_boundary_of_its_source():
    polygons = {d.code: source()[d.name] for d in load_districts()}
    for defect in defect_report():
        if defect.kind == "invalid":
            assert (
                shapely.distance(shapely.Point(defect.x, defect.y), polygons[defect.district].boundary) < 1e-6
            )


def test_overlap_went_to_the_lower_code():
    polygons = source()
    common = multipolygon(shapely.intersection(polygons["黄浦区"], polygons["静安区"]))
    inside = shapely.point_on_surface(common)
    owners = [d.name for d in load_districts() if shapely.contains(d.geometry, inside)]
    assert owners == ["黄浦区"]


def test_districts_and_accounts_are_partitions_of_the_same_city():
    for areas in (load_districts(), load_account_areas()):
        geometries = [area.geometry for area in areas]
        assert shapely.coverage_is_valid(geometries)
        assert abs(sum_m2(area_m2(g) for g in geometries) - area_m2(city_territory())) < Decimal("0.2")
    assert sum(len(part.interiors) for part in shapely.get_parts(city_territory())) == 0


def test_management_area_is_cut_out_of_its_districts():
    (lingang,) = load_management_areas()
    assert (lingang.code, lingang.kind) == ("310100LG", "management_area")
    accounts = {a.code: a.geometry for a in load_account_areas()}
    districts = {d.code: d.geometry for d in load_districts()}
    assert len(accounts) == 17
    whole = sum_m2(area_m2(districts[code]) for code in ("310115", "310120"))
    parts = sum_m2(area_m2(accounts[code]) for code in ("310115", "310120", "310100LG"))
    assert abs(whole - parts) <= Decimal("0.02")
    assert shapely.equals(districts["310118"], accounts["310118"])


def test_place_belongs_to_one_account():
    assert account_of(shapely.box(121.90, 30.88, 121.901, 30.881)).name == "临港新片区"
    assert account_of(shapely.box(121.47, 31.22, 121.471, 31.221)).name == "黄浦区"
    assert account_of(shapely.box(120.6, 31.3, 120.61, 31.31)) is None


@pytest.mark.parametrize(
    ("code", "name"),
    [("310118", "青浦区"), ("310151", "崇明区"), ("310100LG", "临港新片区"), ("310100", "上海市")],
)
def test_names_by_code(code, name):
    assert district_name(code) == name


def test_unknown_code_is_refused():
    with pytest.raises(NotFound, match="310230"):
        district_name("310230")
