"""The demo cadastre: irregular patches that fill every account area exactly, the same for the same seed,
marked as generated.
"""

from collections import Counter
from decimal import Decimal

import numpy
import pytest
import shapely

from domain.area import area_m2, areas_m2, sum_m2
from domain.demo_cadastre import DemoCadastre, demo_settings, generate_demo_cadastre
from domain.district import load_account_areas
from domain.land_use_class import land_use_class
from domain.layer.definition import layer_definition
from domain.overlay import FeatureIndex, overlay_areas


@pytest.fixture(scope="module")
def cadastre() -> DemoCadastre:
    return generate_demo_cadastre()


@pytest.fixture(scope="module")
def patches(cadastre) -> numpy.ndarray:
    return numpy.array([feature.geometry for feature in cadastre.layers["land_use"]], dtype=object)


@pytest.fixture(scope="module")
def touching(patches) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Every pair of patches that have a point in common."""
    first, second = shapely.STRtree(patches).query(patches, predicate="intersects")
    return first[first < second], second[first < second]


def test_at_least_twenty_thousand_patches_in_all_accounts(cadastre):
    counts = Counter(feature.district_code for feature in cadastre.layers["land_use"])
    assert sum(counts.values()) >= 20_000
    assert set(counts) == {account.code for account in load_account_areas()} and len(counts) == 17
    assert min(counts.values()) >= 100


def test_patches_are_valid_and_irregular_with_holes_and_parts(patches):
    assert shapely.is_valid(patches).all()
    hulls = shapely.area(shapely.convex_hull(patches))
    assert (shapely.area(patches) < 0.98 * hulls).mean() > 0.5
    parts = shapely.get_num_geometries(patches)
    holes = [sum(len(part.interiors) for part in shapely.get_parts(patch)) for patch in patches]
    assert (parts > 1).sum() > 100 and sum(count > 0 for count in holes) > 300


def test_no_two_patches_overlap(patches, touching):
    assert not shapely.relate_pattern(patches[touching[0]], patches[touching[1]], "T********").any()


def test_some_neighbours_share_edges_with_t_vertices(patches, touching):
    """A vertex of one patch lies exactly on an edge of its neighbour without being a vertex there."""
    found = 0
    for one, other in zip(touching[0][:3000], touching[1][:3000], strict=True):
        corners = {tuple(c) for c in shapely.get_coordinates(patches[other]).tolist()}
        lone = [c for c in shapely.get_coordinates(patches[one]).tolist() if tuple(c) not in corners]
        found += bool(lone) and shapely.touches(shapely.points(lone), patches[other]).any()
    assert found > 100


def test_patch_as_range_does_not_touch_the_farmland_of_its_neighbours(cadastre, patches):
    """Neighbours that share an edge, with T-vertices or without, are exactly 0; the patch itself is exactly its area."""
    farmland = {id(feature.geometry): feature for feature in cadastre.layers["permanent_farmland"]}
    index, bordering = FeatureIndex(list(farmland.values())), 0
    for feature in cadastre.layers["land_use"][::40]:
        found = overlay_areas(feature.geometry, index, by="protection_type")
        own = farmland.get(id(feature.geometry))
        bordering += len(index.meeting(feature.geometry)) > (own is not None)
        assert [row.key for row in found.rows] == ([own.key] if own else [])
        assert found.total_m2 == (own.area_m2 if own else 0)
    assert bordering > 100


def test_patches_fill_every_account_to_one_square_metre(cadastre):
    for account in load_account_areas():
        own = [feature for feature in cadastre.layers["land_use"] if feature.district_code == account.code]
        assert abs(sum_m2(feature.area_m2 for feature in own) - area_m2(account.geometry)) < Decimal(1)


def test_there_is_no_gap_between_patches(cadastre):
    """The union of the patches of an account has no hole and no part that the account has not."""
    for account in load_account_areas()[:6]:
        own = [
            feature.geometry
            for feature in cadastre.layers["land_use"]
            if feature.district_code == account.code
        ]
        union = shapely.union_all(own)
        assert len(shapely.get_parts(union)) == len(account.geometry.geoms)
        assert sum(len(part.interiors) for part in shapely.get_parts(union)) == 0
        assert area_m2(shapely.difference(account.geometry, union)) < Decimal(1)
        assert area_m2(shapely.difference(union, account.geometry)) < Decimal(1)


def test_plots_book_to_the_one_account_they_lie_in(cadastre):
    accounts = {account.code: account.geometry for account in load_account_areas()}
    for code, geometry in accounts.items():
        shapely.prepare(geometry)
        own = [
            shapely.point_on_surface(f.geometry)
            for f in cadastre.layers["annual_farmland"]
            if f.district_code == code
        ]
        assert own and shapely.contains(geometry, own).all()


def test_areas_are_those_of_the_area_function(cadastre):
    sample = cadastre.layers["land_use"][::97]
    assert [feature.area_m2 for feature in sample] == areas_m2([feature.geometry for feature in sample])


def test_farmland_layers_hold_the_arable_patches(cadastre):
    patches = {f.attributes["patch_number"] + f.district_code: f for f in cadastre.layers["land_use"]}
    arable = {key for key, f in patches.items() if land_use_class(f.class_code).is_arable}
    annual = cadastre.layers["annual_farmland"]
    assert {f.attributes["patch_number"] + f.district_code for f in annual} == arable
    assert {f.status for f in annual} == {"可用"} and len({f.key for f in annual}) == len(annual)
    for feature in cadastre.layers["permanent_farmland"]:
        source = patches[feature.attributes["patch_number"] + feature.district_code]
        assert source.geometry is feature.geometry and source.class_code.startswith("01")
    assert {f.class_code for f in cadastre.layers["permanent_farmland"]} == {"永久基本农田", "耕地保护空间"}


def test_every_record_fits_its_columns_and_says_that_it_is_generated(cadastre):
    assert set(cadastre.layers) == {
        "administrative_area",
        "land_use",
        "annual_farmland",
        "permanent_farmland",
        "farmland_quality",
        "added_farmland",
        "protected_space_supplement",
        "ecological_red_line",
        "urban_growth_boundary",
        "permanent_farmland_line",
        "geology_borehole",
    }
    for key, features in cadastre.layers.items():
        definition = layer_definition(key)
        for feature in features:
            record = definition.to_columns(definition.values(feature))
            assert "演示生成" in feature.attributes["description"]
            for column in definition.columns:
                value = record[column.column]
                assert value is None or column.length == 0 or len(str(value)) <= column.length, (
                    column.column,
                    value,
                )
                assert not column.options or value in column.options


def test_same_seed_same_records_other_seed_other_records():
    small = demo_settings() | {"patches": 5000, "fewest_per_area": 100}
    first, again = generate_demo_cadastre(small), generate_demo_cadastre(small)
    other = generate_demo_cadastre(small | {"seed": 7})
    assert first.digest == again.digest != other.digest


def test_the_year_before_covers_the_same_land_and_differs_in_some_hundred_patches(cadastre):
    now, before = cadastre.layers["land_use"], cadastre.land_use_before
    same = {id(each) for each in now} & {id(each) for each in before}
    changed = [each for each in now if id(each) not in same]
    assert 300 < len(changed) < 800
    assert {each.attributes["data_year"] for each in changed} == {2025}
    assert {each.attributes["data_year"] for each in before} == {2024}
    ended = {each.key: each for each in before if id(each) not in same}
    assert ended.keys() < {each.key for each in changed} and len({each.key for each in before}) == len(before)
    assert all(ended[each.key].class_code != each.class_code or ended[each.key].area_m2 != each.area_m2 for each in changed if each.key in ended)
    assert abs(sum_m2(each.area_m2 for each in now) - sum_m2(each.area_m2 for each in before)) < Decimal(5)
    assert shapely.is_valid(numpy.array([each.geometry for each in ended.values()], dtype=object)).all()


def test_supplements_come_from_farmland_of_their_kind(cadastre):
    protected = {id(each.geometry): each.class_code for each in cadastre.layers["permanent_farmland"]}
    arable = {id(each.geometry) for each in cadastre.layers["annual_farmland"]}
    for each in cadastre.layers["protected_space_supplement"]:
        assert id(each.geometry) in arable and each.status == "预入库"
        kept = protected.get(id(each.geometry))
        assert kept == (each.attributes["protection_type"] if each.attributes["direction"] == "调出" else None)
    groups = Counter((each.attributes["protection_type"], each.attributes["direction"]) for each in cadastre.layers["protected_space_supplement"])
    assert len(groups) == 4 and min(groups.values()) >= 10


def test_quality_is_that_of_the_annual_farmland(cadastre):
    annual = {id(each.geometry): each.attributes["quality_class"] for each in cadastre.layers["annual_farmland"]}
    assert {id(each.geometry): int(each.class_code) for each in cadastre.layers["farmland_quality"]} == annual


def test_planning_lines_lie_in_their_account_and_do_not_cross(cadastre):
    accounts = {account.code: account.geometry for account in load_account_areas()}
    lines = [each for key in ("ecological_red_line", "urban_growth_boundary", "permanent_farmland_line") for each in cadastre.layers[key]]
    shapes = numpy.array([each.geometry for each in lines], dtype=object)
    assert shapely.is_valid(shapes).all() and len({each.key for each in lines}) == len(lines) > 100
    assert sum_m2(areas_m2([shapely.difference(each.geometry, accounts[each.district_code]) for each in lines])) < Decimal(1)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    codes = numpy.array([each.district_code for each in lines])
    pairs = (one < other) & (codes[one] == codes[other])
    crossing = shapely.intersection(shapes[one[pairs]], shapes[other[pairs]])
    assert sum_m2(areas_m2(crossing)) < Decimal(1)


def test_boreholes_are_points_of_their_coordinates(cadastre):
    accounts = {account.code: account.geometry for account in load_account_areas()}
    holes = cadastre.layers["geology_borehole"]
    assert len(holes) > 200 and {each.area_m2 for each in holes} == {Decimal("0.00")}
    for each in holes:
        assert (float(each.attributes["x"]), float(each.attributes["y"])) == (each.geometry.x, each.geometry.y)
        assert shapely.intersects(accounts[each.district_code], each.geometry)
