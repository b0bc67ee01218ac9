"""Ranges from files: the same square in every format has the same area; nothing without a CRS is guessed."""

import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import numpy
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.area import area_m2
from domain.coordinate_transformation import load_local_systems
from domain.errors import InvalidData, PortalError
from domain.geometry import CrsMismatch, InvalidGeometry
from domain.layer.definition import LayerColumn
from domain.projection import STORAGE, UnknownCrs, to_storage, zone_system
from domain.range_file import range_of_polygon, read_range
from domain.shapefile import write_zipped_shapefile

RANGES = Path(__file__).parents[1] / "data" / "ranges"
SQUARE = shapely.box(121.2, 31.1, 121.201, 31.101)
CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
NAME = LayerColumn("name", "MC", "名称")


def geojson(*geometries, crs=None) -> bytes:
    features = [
        {"type": "Feature", "properties": {"name": "甲"}, "geometry": json.loads(shapely.to_geojson(g))}
        for g in geometries
    ]
    return json.dumps(
        {"type": "FeatureCollection", "features": features} | ({"crs": crs} if crs else {})
    ).encode()


def without(archive: bytes, suffix: str) -> bytes:
    """The zip without the member of that ending."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(buffer, "w") as target:
        for member in source.infolist():
            if not member.filename.endswith(suffix):
                target.writestr(member, source.read(member))
    return buffer.getvalue()


def test_geojson_with_crs_member():
    found = read_range(geojson(SQUARE, crs=CRS), "范围.geojson")
    assert (found.system, found.area_m2, found.part_count, found.point_count) == (
        STORAGE,
        area_m2(SQUARE),
        1,
        4,
    )
    assert shapely.equals(found.usable_geometry(), SQUARE)
    assert found.parcel_names == ("要素 1 甲",)


def test_geojson_without_crs_is_read_but_not_usable_until_it_is_declared():
    undeclared = read_range(geojson(SQUARE), "a.json")
    assert (undeclared.system, undeclared.geometry, undeclared.area_m2) == (None, None, None)
    with pytest.raises(UnknownCrs, match="不能猜测"):
        undeclared.usable_geometry()
    assert read_range(geojson(SQUARE), "a.json", declared_crs="EPSG:4490").area_m2 == area_m2(SQUARE)


def test_declared_crs_that_contradicts_the_file_is_refused():
    with pytest.raises(UnknownCrs, match="不一致"):
        read_range(geojson(SQUARE, crs=CRS), "a.json", declared_crs="EPSG:4528")


def test_projected_coordinates_declared_as_degrees_are_refused():
    with pytest.raises(CrsMismatch, match="不是经纬度"):
        read_range(
            geojson(shapely.box(605_000, 3_442_000, 605_100, 3_442_100)), "a.json", declared_crs="EPSG:4490"
        )


@pytest.mark.parametrize("shape", ["geometry", "feature"])
def test_bare_geometry_and_feature_are_taken(shape):
    bare = json.loads(shapely.to_geojson(SQUARE))
    document = bare if shape == "geometry" else {"type": "Feature", "properties": None, "geometry": bare}
    assert read_range(json.dumps(document).encode(), "a.json", "EPSG:4490").area_m2 == area_m2(SQUARE)


def test_adjoining_parts_become_one_and_overlapping_parts_count_once():
    neighbour = shapely.box(121.201, 31.1, 121.202, 31.1005)
    over = shapely.box(121.2005, 31.1, 121.2015, 31.101)
    touching = read_range(geojson(SQUARE, neighbour, crs=CRS), "a.json")
    overlapping = read_range(geojson(SQUARE, over, crs=CRS), "a.json")
    assert len(touching.geometry.geoms) == 1 and touching.parts_overlap_m2 == 0
    assert touching.area_m2 == area_m2(
        shapely.MultiPolygon(
            [shapely.box(121.2, 31.1, 121.202, 31.1005), shapely.box(121.2, 31.1005, 121.201, 31.101)]
        )
    )
    assert overlapping.parts_overlap_m2 == area_m2(shapely.box(121.2005, 31.1, 121.201, 31.101))
    assert overlapping.area_m2 == area_m2(shapely.box(121.2, 31.1, 121.2015, 31.101))


def test_self_crossing_range_is_read_and_has_no_area():
    bow_tie = shapely.Polygon([(121.2, 31.1), (121.201, 31.101), (121.201, 31.1), (121.2, 31.101)])
    found = read_range(geojson(bow_tie, crs=CRS), "a.json")
    assert found.area_m2 is None
    with pytest.raises(InvalidGeometry, match="自相交"):
        found.usable_geometry()


def test_empty_collection_is_read_as_empty():
    found = read_range(geojson(crs=CRS), "a.json")
    assert (found.part_count, found.point_count, found.area_m2) == (0, 0, Decimal("0.00"))
    with pytest.raises(InvalidGeometry, match="图形为空"):
        found.usable_geometry()


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"   ", InvalidData, "是空的"),
        (b'{\n"type": ', InvalidData, "第 2 行"),
        (b"[1]", InvalidData, "最外层不是对象"),
        ('{"a":"甲"}'.encode("gbk"), InvalidData, "不是 UTF-8"),
        (b'{"type":"FeatureCollection","features":{}}', InvalidData, "不是要素列表"),
        (b'{"type":"Point","coordinates":[121,31]}', InvalidGeometry, "Point"),
        (b'{"type":"Polygon","coordinates":[[[121,31],[122,31],[121,31]]]}', InvalidGeometry, "第 1 个要素"),
        (
            b'{"type":"Polygon","coordinates":[[[121,31],[122,31],[122,32],[121,32]]]}',
            InvalidGeometry,
            "第 1 圈没有闭合：首点（121，31），末点（121，32）",
        ),
        (
            b'{"type":"Polygon","coordinates":[[[121,31],["x",31],[122,32],[121,31]]]}',
            InvalidGeometry,
            "第 1 圈第 2 点的“x”不是数字",
        ),
        (
            b'{"type":"MultiPolygon","coordinates":[[[[1,1],[2,1],[2,2],[1,1]]],[[[1,1],[2,1],[2,2],[1,1]],[[1,1],["3,442",1]]]]}',
            InvalidGeometry,
            "第 1 个要素第 2 部分第 2 圈第 2 点的“3,442”不是数字",
        ),
        (b'{"type":"Polygon","coordinates":[[[NaN,31],[122,31],[122,32],[NaN,31]]]}', InvalidGeometry, "第 1 点的“nan”不是数字"),
        (b'{"type":"Polygon","coordinates":[[[121],[122,31],[122,32],[121]]]}', InvalidGeometry, "第 1 点不是一对坐标"),
        (b'{"type":"Polygon","coordinates":7}', InvalidGeometry, "第 1 个要素"),
        (b'{"type":"Polygon","coordinates":[],"crs":{"type":"link"}}', UnknownCrs, "没有写明名称"),
        (
            b'{"type":"Polygon","coordinates":[],"crs":{"type":"name","properties":{"name":"EPSG:3857"}}}',
            UnknownCrs,
            "3857",
        ),
    ],
)
def test_unreadable_geojson_is_refused_with_its_reason(content, error, words):
    with pytest.raises(error, match=words):
        read_range(content, "a.geojson")


def test_unknown_kind_of_file_is_refused():
    with pytest.raises(InvalidData, match="范围.dwg"):
        read_range(b"AC1032", "范围.dwg")


@pytest.mark.parametrize("name", ["zone40_two_parcels_gbk.txt", "zone41_without_prefix_utf8.txt"])
def test_boundary_points_give_the_area_of_the_plane_less_scale(name):
    found = read_range((RANGES / name).read_bytes(), name)
    plane = shapely.union_all(list(found.survey)).area
    assert found.detected["kind"] == "界址点 TXT"
    assert float(found.area_m2) == pytest.approx(plane, rel=4.5e-4) and float(found.area_m2) < plane
    assert found.parts_overlap_m2 == 0


def test_adjoining_parcels_with_a_t_vertex_are_one_range():
    found = read_range((RANGES / "zone40_two_parcels_gbk.txt").read_bytes(), "a.txt")
    assert (found.part_count, found.ring_count, found.point_count, len(found.geometry.geoms)) == (2, 3, 12, 1)
    assert found.stated_area_m2 == Decimal(24600)


def test_boundary_points_of_a_local_system_go_through_its_transformation():
    local = load_local_systems()["上海城建坐标系"]
    surveyed = shapely.box(660_000, 3_480_000, 660_100, 3_480_100)
    points = list(local.from_zone(surveyed).exterior.coords)[:-1]
    lines = ["[属性描述]", "坐标系=上海城建坐标系", "[地块坐标]", "4,,1,甲,面,,,,@"]
    lines += [f"J{i},1,{north:.4f},{east:.4f}" for i, (east, north) in enumerate(points, start=1)]
    found = read_range("\n".join(lines).encode(), "a.txt", local_systems=load_local_systems())
    expected = area_m2(to_storage(surveyed, local.target))
    assert abs(found.area_m2 - expected) <= Decimal("0.05")
    assert "演示" in found.detected["note"] and found.detected["crs"] == "上海城建坐标系"


@pytest.mark.parametrize("encoding", ["GBK", "UTF-8"])
@pytest.mark.parametrize("system", [STORAGE, zone_system(40), zone_system(41, False)])
def test_zipped_shapefile_in_every_system_has_the_same_area(system, encoding):
    archive = write_zipped_shapefile("项目范围", [NAME], [(SQUARE, {"MC": "甲地块"})], system, encoding)
    found = read_range(archive, "范围.zip")
    assert found.system == system
    assert found.area_m2 == pytest.approx(area_m2(SQUARE), abs=Decimal("0.15") if system.is_projected else 0)


def test_shapefile_without_projection_must_be_declared():
    archive = without(write_zipped_shapefile("范围", [NAME], [(SQUARE, {})]), ".prj")
    assert read_range(archive, "a.zip").system is None
    assert read_range(archive, "a.zip", declared_crs="EPSG:4490").area_m2 == area_m2(SQUARE)


def test_missing_index_is_rebuilt_and_said():
    found = read_range(without(write_zipped_shapefile("范围", [NAME], [(SQUARE, {})]), ".shx"), "a.zip")
    assert found.area_m2 == area_m2(SQUARE) and "已由 .shp 重建索引" in found.detected["note"]


@pytest.mark.parametrize(("suffix", "words"), [(".dbf", "缺少同名的属性表“范围.dbf”"), (".shp", "没有“范围.shp”")])
def test_incomplete_shapefile_is_refused(suffix, words):
    archive = without(write_zipped_shapefile("范围", [NAME], [(SQUARE, {})]), suffix)
    with pytest.raises(InvalidData, match=words):
        read_range(archive, "a.zip")


def test_drawn_range_is_in_the_storage_system():
    drawn = range_of_polygon(SQUARE, "手绘")
    assert (drawn.system, drawn.area_m2, drawn.parcel_names) == (STORAGE, area_m2(SQUARE), ("手绘",))


# -- damaged files are refused in words, never with an accident ---------------------------------------------------

SOUND = {
    "a.txt": (RANGES / "zone40_two_parcels_gbk.txt").read_bytes(),
    "a.json": geojson(SQUARE, crs=CRS),
    "a.zip": write_zipped_shapefile("a", [NAME], [(SQUARE, {"MC": "甲"})]),
}


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(SOUND)), data=st.data())
def test_damaged_file_is_read_or_refused(name, data):
    content = bytearray(SOUND[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 12))
        content[at : at + length] = data.draw(st.binary(max_size=12))
    try:
        found = read_range(bytes(content) or b" ", name)
    except PortalError as refused:
        assert refused.message.endswith("。")
    else:
        assert found.area_m2 is None or found.area_m2 >= 0


@pytest.mark.parametrize(
    "document",
    [
        {"type": []},
        {"type": "Feature", "geometry": {"type": {}}},
        {"type": "Feature", "geometry": []},
        {"type": "Polygon", "coordinates": [[[121, 31], [122, None], [122, 32], [121, 31]]]},
    ],
)
def test_geojson_of_wrong_types_is_refused(document):
    with pytest.raises(InvalidGeometry):
        read_range(json.dumps(document).encode(), "a.json", "EPSG:4490")


def test_projection_that_is_no_text_is_refused():
    archive = write_zipped_shapefile("a", [NAME], [(SQUARE, {})])
    buffer = io.BytesIO(without(archive, ".prj"))
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr("a.prj", b"PROJCS[\xa5\xff")
    with pytest.raises(UnknownCrs, match=".prj"):
        read_range(buffer.getvalue(), "a.zip")


def test_swapped_axes_are_told_as_such():
    swapped = shapely.transform(SQUARE, lambda points: points[:, ::-1])
    with pytest.raises(CrsMismatch, match="经度和纬度写反了"):
        read_range(geojson(swapped, crs=CRS), "a.geojson")


def test_heights_are_dropped_and_a_byte_order_mark_is_taken():
    plain, high = geojson(SQUARE, crs=CRS), geojson(shapely.force_3d(SQUARE, 4.5), crs=CRS)
    found = [read_range(content, "a.geojson") for content in (plain, high, b"\xef\xbb\xbf" + high)]
    assert {each.area_m2 for each in found} == {area_m2(SQUARE)} and not any(each.geometry.has_z for each in found)


def test_a_file_of_ten_megabytes_is_read_to_its_true_area():
    angles = numpy.linspace(0, 2 * numpy.pi, 240_000, endpoint=False)
    radius = 5000 * (1 + 0.2 * numpy.sin(40 * angles))
    points = numpy.column_stack([3442000 + radius * numpy.sin(angles), 40605000 + radius * numpy.cos(angles)])
    lines = "".join(f"J{number:06},1,{x:.4f},{y:.4f}        \r\n" for number, (x, y) in enumerate(points.tolist()))
    content = f"[属性描述]\n坐标系=2000国家大地坐标系\n带号=40\n[地块坐标]\n,,A,甲,面,,,,@\n{lines}".encode()
    found = read_range(content, "a.txt")
    assert len(content) > 10_000_000 and found.point_count == 240_000
    # By hand: pi times the mean of the squared radius, less the scale of the plane at 105 km from its meridian.
    scale = (1 + 105_000**2 / 2 / 6_371_000**2) ** 2
    assert float(found.area_m2) == pytest.approx(numpy.pi * 5000**2 * (1 + 0.2**2 / 2) / scale, rel=2e-5)
