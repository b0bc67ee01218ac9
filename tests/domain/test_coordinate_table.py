"""Boundary points in two systems: each point by itself, there and back within 1 mm, against PROJ, and what is refused."""

import io
from dataclasses import replace
from datetime import date

import numpy
import openpyxl
import pyproj
import pytest

from domain.boundary_points import read_boundary_points
from domain.control_point import ControlNet
from domain.coordinate_output import as_boundary_file, as_workbook
from domain.coordinate_parameters import CoordinateParameters, shipped
from domain.coordinate_table import (
    ImplausibleCoordinates,
    check_residuals,
    convert,
    must_be_local,
    must_be_national,
    must_pass,
)  # fmt: skip
from domain.coordinate_transformation import ControlPoint, local_system
from domain.errors import InvalidData, Refused
from domain.projection import UnknownCrs, system_of_srid
from portal.office import RULE_FOLDERS
from rules.engine import RuleBook

PARAMETERS = shipped()
LOCAL = PARAMETERS.systems["上海城建坐标系"]
ZONE_40, MERIDIAN_120, ZONE_41 = (system_of_srid(srid) for srid in (4528, 4549, 4529))
ON = date(2026, 3, 1)
TXT = """[属性描述]
坐标系=上海城建坐标系
计量单位=米
[地块坐标]
7,0.2000,DK1,甲地块,面,,公路,1003,@
J1,1,10000.000,-40000.000
J2,1,10000.000,-39900.000
J3,1,10020.000,-39900.000
J4,1,10020.000,-40000.000
J5,2,10005.000,-39990.000
J6,2,10005.000,-39980.000
J7,2,10010.000,-39980.000
3,,DK2,乙地块,面,,,,@
J1,1,-20000.000,30000.000
J2,1,-20000.000,30100.000
J3,1,-20100.000,30000.000
"""
ZONE_TXT = """[属性描述]
坐标系=2000国家大地坐标系
带号=40
[地块坐标]
3,,DK1,甲,面,,,,@
J1,1,3467000.000,40600000.000
J2,1,3467000.000,40600100.000
J3,1,3467100.000,40600000.000
"""


def points_of(text):
    return read_boundary_points(text.encode(), PARAMETERS.systems)


@pytest.fixture(scope="module")
def book():
    return RuleBook(RULE_FOLDERS, demo=True, engine="python")


def planes(file):
    return numpy.array([(p.east_m, p.north_m) for parcel in file.parcels for ring in parcel.rings for p in ring])


@pytest.mark.function("BASE-027", "c1", "c2")
def test_every_point_stands_in_the_table_in_both_systems():
    table = convert(points_of(TXT), MERIDIAN_120, PARAMETERS)
    assert [(row.parcel, row.name, row.ring) for row in table.rows] == [
        *(("DK1", f"J{n}", 1) for n in range(1, 5)), *(("DK1", f"J{n}", 2) for n in range(5, 8)),
        *(("DK2", f"J{n}", 1) for n in range(1, 4)),
    ]  # fmt: skip
    first = table.rows[0]
    angle, scale = numpy.radians(12.5 / 3600), 1 + 3.2e-6
    east = 640000 + scale * (-40000 * numpy.cos(angle) - 10000 * numpy.sin(angle))
    north = 3457000 + scale * (-40000 * numpy.sin(angle) + 10000 * numpy.cos(angle))
    assert first.source == (10000.0, -40000.0) and first.target == pytest.approx((north, east), abs=1e-6)
    longitude, latitude = pyproj.Transformer.from_crs(4549, 4490, always_xy=True).transform(east, north)
    assert (first.longitude, first.latitude) == pytest.approx((longitude, latitude), abs=1e-11)
    assert "测试参数" in table.mark


def test_points_agree_with_the_helmert_of_proj():
    found = planes(convert(points_of(TXT), MERIDIAN_120, PARAMETERS).converted)
    proj = pyproj.Transformer.from_pipeline("+proj=helmert +convention=position_vector +x=640000 +y=3457000 +s=1.0000032 +theta=-12.5")
    expected = numpy.column_stack(proj.transform(*planes(points_of(TXT)).T))
    assert numpy.abs(found - expected).max() < 1e-6


@pytest.mark.parametrize("target", [MERIDIAN_120, ZONE_40, ZONE_41], ids=lambda each: str(each.srid))
def test_there_and_back_through_the_written_file_within_a_millimetre(target):
    there = convert(points_of(TXT), target, PARAMETERS)
    back = convert(read_boundary_points(as_boundary_file(there)), LOCAL, PARAMETERS)
    again = read_boundary_points(as_boundary_file(back), PARAMETERS.systems)
    assert again.local_system == LOCAL.name
    assert numpy.abs(planes(back.converted) - planes(points_of(TXT))).max() <= 0.001
    assert [len(p.rings) for p in again.parcels] == [2, 1] and again.parcels[0].name == "甲地块"


def test_from_zone_to_zone_as_proj_does_it():
    table = convert(points_of(ZONE_TXT), ZONE_41, PARAMETERS)
    east, north = pyproj.Transformer.from_crs(4528, 4529, always_xy=True).transform(40600000.0, 3467000.0)
    assert table.rows[0].target == pytest.approx((north, east), abs=1e-6) and table.mark == ""
    back = convert(table.converted, ZONE_40, PARAMETERS)
    assert numpy.abs(planes(back.converted) - planes(points_of(ZONE_TXT))).max() < 1e-6


def test_seven_parameters_carry_a_plane_of_another_ellipsoid_and_back():
    entry = {
        "name": "上海城建坐标系", "target_epsg": 4549, "is_demonstration": True, "note": "测试",
        "bounds": {"east_m": ["-75000", "95000"], "north_m": ["-75000", "90000"]},
        "geocentric": {
            "local_plane": "+proj=tmerc +lat_0=31.2 +lon_0=121.4 +ellps=krass +units=m",
            "shifts_m": ["24.5", "-123.25", "-94.0"], "rotations_arcsec": ["0.3", "-0.25", "0.8"], "scale_ppm": "1.1",
        },
    }  # fmt: skip
    local = local_system(entry)
    given = planes(points_of(TXT))
    there = local.transformation.apply(given)
    pipeline = (
        "+proj=pipeline +step +inv +proj=tmerc +lat_0=31.2 +lon_0=121.4 +ellps=krass +step +proj=cart +ellps=krass "
        "+step +proj=helmert +convention=position_vector +x=24.5 +y=-123.25 +z=-94 +rx=0.3 +ry=-0.25 +rz=0.8 +s=1.1 "
        "+step +inv +proj=cart +ellps=GRS80 +step +proj=tmerc +lon_0=120 +x_0=500000 +ellps=GRS80"
    )
    expected = pyproj.Transformer.from_pipeline(pipeline).transform(*given.T, numpy.zeros(len(given)))
    assert numpy.abs(there - numpy.column_stack(expected[:2])).max() < 1e-6
    assert numpy.abs(local.transformation.reverse(there) - given).max() < 1e-5


@pytest.mark.function("BASE-027", "c4")
def test_a_source_that_is_not_the_local_system_is_refused_with_its_first_point():
    with pytest.raises(UnknownCrs, match=r"第 40 带.*不是城建坐标系（首个界址点 J1：X 3467000\.000，Y 40600000\.000）"):
        must_be_local(points_of(ZONE_TXT))
    with pytest.raises(UnknownCrs, match="上海城建坐标系，不是国家2000坐标系（首个界址点 J1"):
        must_be_national(points_of(TXT))
    with pytest.raises(UnknownCrs, match="与目标坐标系相同"):
        convert(points_of(ZONE_TXT), ZONE_40, PARAMETERS)
    must_be_local(points_of(TXT))
    must_be_national(points_of(ZONE_TXT))


@pytest.mark.function("BASE-027", "c4")
def test_points_out_of_bounds_are_refused_by_number_and_none_is_converted():
    text = TXT.replace("J2,1,10000.000,-39900.000", "J2,1,3467000.000,40600000.000").replace("J3,1,-20100.000,30000.000", "J3,1,-20100.000,300000.000")
    with pytest.raises(ImplausibleCoordinates, match="没有转换") as refused:
        convert(points_of(text), MERIDIAN_120, PARAMETERS)
    assert [(fault.parcel, fault.point) for fault in refused.value.faults] == [("DK1", "J2"), ("DK2", "J3")]
    assert "第 7 行（地块 DK1，界址点 J2）" in refused.value.message and "-75000 至 90000 米" in refused.value.message


@pytest.mark.function("BASE-027", "c4")
def test_a_zone_that_carries_points_out_of_the_city_is_refused_by_number():
    text = ZONE_TXT.replace("带号=40", "带号=39").replace(",40600", ",39600")
    with pytest.raises(ImplausibleCoordinates, match=r"界址点 J1.*东经 120\.8°"):
        convert(points_of(text), MERIDIAN_120, PARAMETERS)


@pytest.mark.function("BASE-027", "c3")
def test_control_points_within_the_limit_pass_and_one_beyond_it_is_named(book):
    good = check_residuals(LOCAL, PARAMETERS, book, ON)
    must_pass(good)
    assert good.passed and str(good.limit_m) == "0.1" and len(good.report.residuals) == 4
    net = PARAMETERS.nets[LOCAL.name]
    moved = replace(net.points[1], target=(net.points[1].target[0] + 0.2, net.points[1].target[1]))
    bad = CoordinateParameters(PARAMETERS.systems, {LOCAL.name: replace(net, points=(net.points[0], moved))})
    with pytest.raises(Refused, match=r"对照点 演示控制点2 的偏差 0\.\d{3} 米，超过限差 0\.1 米"):
        must_pass(check_residuals(LOCAL, bad, book, ON))


@pytest.mark.function("BASE-027", "c3")
def test_the_limit_itself_still_passes_and_none_to_check_with_does_not(book):
    source = numpy.array([[0.0, 0.0]])
    east, north = LOCAL.transformation.apply(source)[0]
    for distance, passes in (("0.1", True), ("0.101", False)):
        point = ControlPoint("K1", (0.0, 0.0), (east + float(distance), north))
        nets = {LOCAL.name: ControlNet(LOCAL.name, (point,), True, "测试")}
        assert check_residuals(LOCAL, CoordinateParameters(PARAMETERS.systems, nets), book, ON).passed is passes
    with pytest.raises(Refused, match="没有已知对照点"):
        must_pass(check_residuals(LOCAL, CoordinateParameters(PARAMETERS.systems, {}), book, ON))


def test_files_say_of_which_parameters_they_are(book):
    table = convert(points_of(TXT), ZONE_40, PARAMETERS)
    text = as_boundary_file(table).decode("gb18030")
    assert "坐标系=2000国家大地坐标系" in text and "带号=40" in text and "转换参数=测试参数（演示）" in text
    sheets = openpyxl.load_workbook(io.BytesIO(as_workbook(table, check_residuals(LOCAL, PARAMETERS, book, ON))))
    rows = list(sheets["坐标对照表"].values)
    assert "测试参数（演示）" in rows[2][0] and rows[3][:3] == ("地块", "界址点号", "圈号") and len(rows) == 4 + 10
    assert rows[4][:5] == ("DK1", "J1", 1, 10000.0, -40000.0)
    assert rows[4][5] == pytest.approx(table.rows[0].target[0], abs=0.0005)
    assert [row[0] for row in sheets["对照点检验"].values][2:] == [f"演示控制点{n}" for n in range(1, 5)]


def test_a_workbook_never_holds_a_formula():
    table = convert(points_of(TXT.replace("DK1", "=1+1")), ZONE_40, PARAMETERS)
    cell = openpyxl.load_workbook(io.BytesIO(as_workbook(table, None)))["坐标对照表"]["A5"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_rings_of_two_points_are_no_exchange_file():
    file = points_of(TXT)
    short = replace(file, parcels=(replace(file.parcels[1], rings=(file.parcels[1].rings[0][:2],)),))
    table = convert(short, ZONE_40, PARAMETERS)
    assert len(table.rows) == 2
    with pytest.raises(InvalidData, match="至少要有 3 个"):
        as_boundary_file(table)
