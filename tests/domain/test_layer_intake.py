"""Intake of a file's layer: columns mapped once, districts told, areas computed, and what is refused by feature."""

from decimal import Decimal

import numpy
import pytest
import shapely

from domain.area import area_m2
from domain.district import load_management_areas
from domain.errors import InvalidData
from domain.geometry import multipolygon
from domain.layer import layer_definition
from domain.layer.intake import features_of
from domain.projection import UnknownCrs, system_of_srid
from domain.spatial_file import FileField, FileLayer

SQUARE = shapely.box(121.1, 31.1, 121.101, 31.101)
ROW = {"TBBH": "甲1", "XZQDM": "310118", "DLBM": "0101", "SJNF": "2026", "TBMJ": 10588.4, "QITA": "别的"}


def layer(*rows, geometries=None, srid=4490):
    names = list(rows[0])
    columns = {name: numpy.array([row[name] for row in rows], dtype=object) for name in names}
    shapes = numpy.empty(len(rows), dtype=object)
    shapes[:] = geometries or [SQUARE] * len(rows)
    return FileLayer("BHTB", "Polygon", tuple(FileField(name) for name in names), shapes, columns, system_of_srid(srid) if srid else None)


def taken(*rows, **how):
    return features_of(layer(*rows, **how), layer_definition("protected_space_supplement"))


def test_columns_are_mapped_once_and_the_area_is_computed():
    [feature] = taken(ROW)
    assert (feature.key, feature.district_code, feature.class_code) == ("甲1", "310118", "0101")
    assert feature.area_m2 == area_m2(SQUARE) and feature.geometry.equals(multipolygon(SQUARE))
    assert feature.attributes == {"patch_number": "甲1", "district_code": "310118", "class_code": "0101", "data_year": 2026}


def test_names_of_columns_are_found_whatever_their_case():
    [feature] = taken({name.lower(): value for name, value in ROW.items()})
    assert feature.key == "甲1"


def test_metres_of_a_zone_become_degrees():
    zone = system_of_srid(4549)
    [feature] = taken(ROW, geometries=[shapely.box(604_000, 3_442_000, 604_100, 3_442_100)], srid=zone.srid)
    west, south, east, north = feature.geometry.bounds
    assert 121 < west < east < 121.2 and 31 < south < north < 31.2
    assert feature.area_m2 == pytest.approx(Decimal(10_000), rel=Decimal("0.001"))


def test_a_feature_in_a_management_area_belongs_to_it_whatever_its_attribute_says():
    [lingang] = load_management_areas()
    point = shapely.point_on_surface(lingang.geometry)
    [feature] = taken(ROW | {"XZQDM": "310115"}, geometries=[shapely.box(point.x, point.y, point.x + 1e-5, point.y + 1e-5)])
    assert feature.district_code == lingang.code


def test_without_the_attribute_the_place_tells_the_district():
    [feature] = taken(ROW | {"XZQDM": None})
    assert feature.district_code == "310118"


@pytest.mark.parametrize(("row", "geometry", "words"), [
    (ROW | {"TBBH": ""}, SQUARE, "第 1 个要素没有图斑编号"),
    (ROW | {"SJNF": "今年"}, SQUARE, "数据年份（SJNF）“今年”不是数字"),
    (ROW | {"SJNF": 2026.5}, SQUARE, "不是数字"),
    (ROW, None, "要素 甲1 没有图形"),
    (ROW, shapely.Point(121.1, 31.1), "只存面"),
    (ROW, shapely.Polygon([(121.1, 31.1), (121.2, 31.2), (121.2, 31.1), (121.1, 31.2)]), "要素 甲1 的图形边界自相交"),
    (ROW | {"XZQDM": "110101"}, shapely.box(116, 39, 116.1, 39.1), "不在本市任何区内"),
])  # fmt: skip
def test_what_cannot_be_taken_is_refused_by_feature(row, geometry, words):
    with pytest.raises(InvalidData, match=words):
        taken(row, geometries=[geometry])


def test_a_layer_without_a_coordinate_system_is_not_guessed():
    with pytest.raises(UnknownCrs):
        taken(ROW, srid=None)


def test_an_empty_layer_gives_nothing():
    assert features_of(FileLayer("BHTB", "Polygon", (), numpy.empty(0, dtype=object), {}, system_of_srid(4490)), layer_definition("clue_patch")) == []
