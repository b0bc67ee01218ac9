"""Tables with coordinates: points, WKT, boundary points by parcel and ring; codes stay texts."""

import openpyxl
import pytest

from domain.errors import InvalidData
from domain.geometry import InvalidGeometry
from domain.projection import STORAGE
from domain.spatial_file import read_spatial_file

PARCEL = "地块编号,圈号,点号,X,Y\nD1,1,J1,3442000,40500000\nD1,1,J2,3442000,40500100\nD1,1,J3,3442100,40500100\nD1,1,J4,3442100,40500000\n"
HOLE = "D1,2,J5,3442040,40500040\nD1,2,J6,3442040,40500060\nD1,2,J7,3442060,40500060\nD1,2,J8,3442060,40500040\n"


@pytest.fixture
def read(tmp_path):
    def read_text(text, encoding="utf-8", **given):
        path = tmp_path / "表.csv"
        path.write_bytes(text.encode(encoding))
        (layer,) = read_spatial_file(path, "表.csv", **given).layers
        return layer

    return read_text


@pytest.mark.parametrize("headings", ["经度,纬度", "lon,lat", "Longitude,Latitude", "东经,北纬"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_longitude_and_latitude_make_points(read, headings, encoding):
    layer = read(f"名称,{headings}\n青浦区政府,121.1,31.15\n无坐标,,\n", encoding)
    assert layer.geometry_type == "Point" and layer.geometries[0].coords[0] == (121.1, 31.15)
    assert layer.geometries[1] is None and layer.values(0)["名称"] == "青浦区政府"
    assert layer.system is None


def test_survey_order_is_told_by_the_zone_before_the_easting(read):
    layer = read("点,x,y\na,3442000,40500000\n")
    assert layer.geometries[0].coords[0] == (40500000, 3442000) and "按测量习惯" in layer.notes[0]


def test_boundary_points_make_parcels_with_holes(read):
    layer = read(PARCEL + HOLE + PARCEL.split("\n", 1)[1].replace("D1", "D2"))
    assert layer.geometry_type == "Polygon" and layer.count == 2
    assert [shape.area for shape in layer.geometries] == [10_000 - 400, 10_000]
    assert layer.values(0) == {"地块编号": "D1", "界址点数": 8}


def test_ring_of_two_points_is_refused_by_name(read):
    with pytest.raises(InvalidGeometry, match="地块 D1第 1 圈只有 2 个"):
        read("\n".join(PARCEL.splitlines()[:3]))


def test_wkt_is_read_with_its_srid(read):
    layer = read('名称,WKT\n甲,"SRID=4490;POLYGON((121 31,122 31,122 32,121 31))"\n乙,\n')
    assert layer.geometry_type == "Polygon" and layer.system == STORAGE and layer.geometries[1] is None
    assert [field.name for field in layer.fields] == ["名称"]


def test_broken_wkt_names_its_row(read):
    with pytest.raises(InvalidGeometry, match="第 3 行的 WKT"):
        read('名称,WKT\n甲,POINT(1 1)\n乙,POINT(1\n')


def test_coordinate_that_is_no_number_names_its_row(read):
    with pytest.raises(InvalidData, match="第 3 行的坐标“约121，31”不是数字"):
        read("经度,纬度\n121,31\n约121,31\n")


def test_codes_keep_their_zeros_and_length(read):
    layer = read("代码,宗地代码,面积\n0101,310118001001GB00001,1.50\n0201,310118001001GB00002,2\n")
    assert layer.geometry_type == "" and layer.values(0)["代码"] == "0101" and layer.values(1)["面积"] == 2.0


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_other_separators_are_told_by_the_headings(read, separator):
    assert read(separator.join(["经度", "纬度"]) + "\n" + separator.join(["121.5", "31.2"])).geometries[0].x == 121.5


def test_sheets_of_a_workbook_are_layers(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "点"
    for row in (["名称", "经度", "纬度"], ["甲", 121.1, 31.1], [None, None, None], ["乙", 121.2, 31.2]):
        book.active.append(row)
    book.create_sheet("空")
    table = book.create_sheet("台账")
    table.append(["编号"])
    table.append(["A1"])
    path = tmp_path / "a.xlsx"
    book.save(path)
    points, ledger = read_spatial_file(path, "a.xlsx").layers
    assert (points.name, points.count, points.geometry_type) == ("点", 2, "Point")
    assert (ledger.name, ledger.geometry_type) == ("台账", "")
