"""勘测定界 TXT: what is read, and every fault with its line, point, cause and remedy."""

from decimal import Decimal
from pathlib import Path

import pytest
import shapely

from domain.boundary_points import (
    BoundaryPointFile,
    InvalidBoundaryFile,
    parcel_from_polygon,
    read_boundary_points,
    write_boundary_points,
)
from domain.projection import UnknownCrs, zone_system

RANGES = Path(__file__).parents[1] / "data" / "ranges"
HEADER = "[属性描述]\n坐标系=2000国家大地坐标系\n几度分带=3\n计量单位=米\n带号=40\n[地块坐标]\n"
SQUARE = "4,,1,甲,面,,,,@\nJ1,1,3442000,40605000\nJ2,1,3442100,40605000\nJ3,1,3442100,40605100\nJ4,1,3442000,40605100\n"


def read(text: str) -> BoundaryPointFile:
    return read_boundary_points(text.encode())


def faults(text: str) -> list:
    with pytest.raises(InvalidBoundaryFile) as raised:
        read(text)
    return list(raised.value.faults)


def test_zone_40_file_in_gbk_with_hole_and_two_parcels():
    file = read_boundary_points((RANGES / "zone40_two_parcels_gbk.txt").read_bytes())
    assert (file.encoding, file.system) == ("GBK", zone_system(40))
    first, second = file.parcels
    assert (first.number, first.name, first.use, first.land_class) == (
        "QP-1",
        "样例地块一",
        "公共设施",
        "0809",
    )
    assert first.stated_area_ha == Decimal("1.9600")
    assert [len(ring) for ring in first.rings] == [4, 4]
    assert first.polygon.area == 100 * 200 - 20 * 20
    assert second.polygon.touches(first.polygon)


def test_zone_41_file_with_full_width_signs_and_blank_lines():
    file = read_boundary_points((RANGES / "zone41_without_prefix_utf8.txt").read_bytes())
    assert (file.encoding, file.system) == ("UTF-8", zone_system(41, has_zone_prefix=False))
    (parcel,) = file.parcels
    assert (parcel.name, parcel.stated_area_ha, parcel.point_count) == ("样例河道北段", None, 4)
    assert (parcel.rings[0][0].north_m, parcel.rings[0][0].east_m) == (3453000.120, 366600.350)


def test_north_is_y_and_east_is_x():
    (parcel,) = read(HEADER + SQUARE).parcels
    assert parcel.polygon.bounds == (40605000, 3442000, 40605100, 3442100)


@pytest.mark.parametrize(
    ("body", "line", "point", "cause"),
    [
        (SQUARE.replace("3442100,40605100", "34421oo,40605100"), 10, "J3", "34421oo”不是数字"),
        (SQUARE.replace("J2,1,", "J2,"), 9, "J2", "实有 3 项"),
        (SQUARE.replace("J3,1,3442100,40605100", "J3,1,40605100,3442100"), 10, "J3", "不在 0 至 6000000"),
        (SQUARE.replace("J3,1,3442100,40605100", "J3,1,-100,40605100"), 10, "J3", "-100 不在 0 至 6000000"),
        (SQUARE.replace("J3,1,3442100,40605100", "J3,1,3,442,100,40,605,100"), 10, "J3", "实有 8 项"),
        (SQUARE.replace("J3,1,3442100,40605100", "J3,1,3442100,40605100,4.5"), 10, "J3", "实有 5 项"),
        (SQUARE.replace("J3,1,3442100,40605100", "J3,1,inf,40605100"), 10, "J3", "inf”不是数字"),
        (SQUARE.replace("J2,1,", "J2,3,"), 7, "", "圈号为 [1, 3]"),
        (SQUARE.replace("4,,1,甲", "7,,1,甲"), 7, "", "写明 7 个点，读到 4 个"),
        (SQUARE.replace("4,,1,甲", "4,一亩,1,甲"), 7, "", "面积“一亩”不是数字"),
        (SQUARE.replace("面", "线"), 7, "", "几何类型为“线”"),
        ("".join(SQUARE.splitlines(True)[:3]).replace("4,,", ",,"), 8, "J1", "只有 2 个不同位置"),
        (SQUARE.splitlines(True)[0], 7, "", "没有可用的界址点"),
        ("J1,1,3442000,40605000\n", 7, "J1", "之前没有地块行"),
        ("", None, "", "之后没有地块"),
        (
            SQUARE.replace("4,,", ",,")
            + "J5,2,3442200,40605200\nJ6,2,3442210,40605200\nJ7,2,3442210,40605210\n",
            12,
            "J5",
            "不在外圈之内",
        ),
    ],
)
def test_each_fault_names_line_point_cause_and_remedy(body, line, point, cause):
    found = faults(HEADER + body)
    match = [fault for fault in found if cause in fault.cause]
    assert [(fault.line, fault.point) for fault in match] == [(line, point)], [f.message for f in found]
    assert match[0].remedy and match[0].remedy in match[0].message


def test_a_point_that_cannot_be_read_is_told_once():
    found = faults(HEADER + SQUARE.replace("J3,1,3442100,40605100", "J3,1,3,442,100,40,605,100"))
    assert len(found) == 1 and "千分位" in found[0].message


def test_a_file_that_is_wrong_in_every_line_is_told_in_few_words():
    body = SQUARE.splitlines(True)[0] + "".join(f"J{number},1,x,y\n" for number in range(5000))
    with pytest.raises(InvalidBoundaryFile, match="另有 4980 处") as refusal:
        read(HEADER + body)
    assert len(refusal.value.faults) == 5000 and len(refusal.value.message) < 2000


def test_mixed_line_ends_and_a_byte_order_mark_keep_the_line_numbers():
    text = (HEADER + SQUARE).replace("\nJ2", "\r\nJ2").replace("\nJ3", "\rJ3")
    assert read_boundary_points(b"\xef\xbb\xbf" + text.encode()).parcels == read_boundary_points((HEADER + SQUARE).encode()).parcels
    with pytest.raises(InvalidBoundaryFile, match="第 11 行"):
        read_boundary_points(text.replace("J4,1,", "J4,").encode())


def test_a_local_system_may_count_south_and_west_of_its_own_point():
    body = "4,,1,甲,面,,,,@\nJ1,1,-3100,-35100\nJ2,1,-3000,-35100\nJ3,1,-3000,-35000\nJ4,1,-3100,-35000\n"
    local = (HEADER + body).replace("2000国家大地坐标系", "上海城建坐标系").encode()
    (parcel,) = read_boundary_points(local, local_systems={"上海城建坐标系"}).parcels
    assert parcel.polygon.bounds == (-35100, -3100, -35000, -3000)
    with pytest.raises(InvalidBoundaryFile, match="不在 0 至 6000000"):
        read_boundary_points((HEADER + body).encode(), local_systems={"上海城建坐标系"})


def test_all_faults_are_reported_together():
    broken = SQUARE.replace("J2,1,", "J2,").replace("3442100,40605100", "x,40605100")
    assert {fault.line for fault in faults(HEADER + broken)} >= {9, 10}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (SQUARE, "缺少“[地块坐标]”"),
        (HEADER + SQUARE + "[地块坐标]\n", "重复出现“[地块坐标]”"),
        (HEADER.replace("几度分带=3", "几度分带 3") + SQUARE, "不是“名称=值”"),
    ],
)
def test_broken_frame_is_refused(text, cause):
    assert [fault for fault in faults(text) if cause in fault.cause]


def test_unknown_encoding_is_refused():
    with pytest.raises(InvalidBoundaryFile, match="既不是 UTF-8 也不是 GBK"):
        read_boundary_points(b"[\xff\xfe\xff")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("坐标系=2000国家大地坐标系\n", "", "没有写明坐标系"),
        ("2000国家大地坐标系", "1980西安坐标系", "1980西安坐标系"),
        ("2000国家大地坐标系", "上海城建坐标系", "上海城建坐标系"),
        ("几度分带=3", "几度分带=6", "几度分带=3"),
        ("计量单位=米", "计量单位=度", "计量单位=米"),
        ("带号=40", "带号=四十", "不是数字"),
        ("带号=40", "带号=41", "文件头带号为 41"),
    ],
)
def test_coordinate_system_is_never_guessed(old, new, words):
    with pytest.raises(UnknownCrs, match=words):
        read(HEADER.replace(old, new) + SQUARE)


def test_no_zone_in_header_nor_easting_is_refused():
    with pytest.raises(UnknownCrs, match="没有带号"):
        read((HEADER + SQUARE).replace("带号=40\n", "").replace("40605", "605"))


def test_zone_before_the_easting_is_enough():
    assert read(HEADER.replace("带号=40\n", "") + SQUARE).system == zone_system(40)


def test_two_zones_in_one_file_are_refused():
    with pytest.raises(UnknownCrs, match="J3"):
        read(HEADER + SQUARE.replace("3442100,40605100", "3442100,41605100"))


def test_local_system_is_taken_only_where_a_transformation_is_configured():
    local = (HEADER + SQUARE).replace("2000国家大地坐标系", "上海城建坐标系").encode()
    file = read_boundary_points(local, local_systems={"上海城建坐标系"})
    assert (file.local_system, file.system) == ("上海城建坐标系", None)


def test_south_of_the_origin_of_a_local_system_northings_are_negative():
    south = SQUARE.replace("34420", "-420").replace("34421", "-421")
    local = (HEADER + south).replace("2000国家大地坐标系", "上海城建坐标系").encode()
    file = read_boundary_points(local, local_systems={"上海城建坐标系"})
    assert min(point.north_m for point in file.parcels[0].rings[0]) < 0
    with pytest.raises(InvalidBoundaryFile, match="不在 0 至 6000000"):
        read_boundary_points((HEADER + south).encode())
    with pytest.raises(UnknownCrs, match="不能写入报送文件"):
        write_boundary_points(file)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_written_file_reads_back_to_the_millimetre(encoding):
    original = read_boundary_points((RANGES / "zone40_two_parcels_gbk.txt").read_bytes())
    again = read_boundary_points(write_boundary_points(original, encoding))
    assert again.system == original.system
    assert [(p.number, p.name, p.stated_area_ha, p.use) for p in again.parcels] == [
        (p.number, p.name, p.stated_area_ha, p.use) for p in original.parcels
    ]
    for ours, theirs in zip(again.parcels, original.parcels, strict=True):
        assert shapely.equals_exact(ours.polygon, theirs.polygon, tolerance=0.0005)


def test_written_name_with_a_comma_stays_one_field():
    square = shapely.box(40605000, 3442000, 40605100, 3442100)
    parcel = parcel_from_polygon(square, "1", "甲，乙,丙", Decimal("10000.00"))
    again = read_boundary_points(write_boundary_points(BoundaryPointFile((parcel,), zone_system(40))))
    assert (again.parcels[0].name, again.parcels[0].stated_area_ha) == ("甲、乙、丙", Decimal("1.0000"))
