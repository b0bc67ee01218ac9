"""Damaged, incomplete and hostile files: each is refused with the file, the reason and what to do."""

import io
import struct
import zipfile

import pytest
import shapely

from domain import zip_archive
from domain.errors import InvalidData
from domain.layer.definition import LayerColumn
from domain.projection import STORAGE, UnknownCrs, zone_system
from domain.shapefile import write_zipped_shapefile
from domain.spatial_file import read_spatial_file

BOXES = [shapely.box(121.2 + i / 100, 31.1, 121.205 + i / 100, 31.11) for i in range(3)]
COLUMNS = [LayerColumn("name", "MC", "名称"), LayerColumn("size", "MJ", "面积", type="decimal")]
RECORDS = [(box, {"MC": name, "MJ": 1.5}) for box, name in zip(BOXES, ("青浦区", "水田", "旱地"), strict=True)]


@pytest.fixture
def parts():
    """The members of a sound zipped Shapefile by name."""
    archive = write_zipped_shapefile("地块", COLUMNS, RECORDS, STORAGE, "GBK")
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.fixture
def read(tmp_path):
    """Zip members and read them under a name."""

    def read_members(members, name="包.zip", **given):
        path = tmp_path / "upload"
        path.write_bytes(zipped(members))
        return read_spatial_file(path, name, **given)

    return read_members


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def test_sound_package_is_read(parts, read):
    (layer,) = read(parts).layers
    assert (layer.name, layer.geometry_type, layer.count, layer.system) == ("地块", "Polygon", 3, STORAGE)
    assert [(field.name, field.type) for field in layer.fields] == [("MC", "text"), ("MJ", "decimal")]
    assert layer.fields[0].length > 0 and layer.fields[1].decimals > 0


def test_missing_index_is_rebuilt_to_the_same_geometries(parts, read):
    sound = read(parts).layers[0]
    rebuilt = read({name: content for name, content in parts.items() if not name.endswith(".shx")}).layers[0]
    assert shapely.equals_exact(sound.geometries, rebuilt.geometries).all() and any("重建" in note for note in rebuilt.notes)


def test_rows_and_shapes_of_different_number_are_refused(parts, read):
    table = bytearray(parts["地块.dbf"])
    struct.pack_into("<I", table, 4, 2)
    with pytest.raises(InvalidData, match="“地块.shp”有 3 个图形，“地块.dbf”有 2 行属性"):
        read(parts | {"地块.dbf": bytes(table)})


@pytest.mark.parametrize(
    ("member", "left", "words"),
    [
        ("地块.shp", 200, "“地块.shp”被截断"),
        ("地块.shp", 60, "不是 Shapefile 的图形文件"),
        ("地块.dbf", 20, "不是属性表"),
        ("地块.dbf", 50, "文件头已损坏"),
        ("地块.dbf", -40, "“地块.dbf”被截断：文件头写明 3 行"),
        ("地块.shx", 108, "有 1 个图形"),
        ("地块.shp", 0, "“地块.shp”是空的"),
    ],
)
def test_file_that_is_cut_off_is_refused(parts, read, member, left, words):
    with pytest.raises(InvalidData, match=words):
        read(parts | {member: parts[member][:left]})


def test_index_of_another_layer_is_refused(parts, read):
    index = bytearray(parts["地块.shx"])
    struct.pack_into(">i", index, 100 + 8, 1_000_000)
    with pytest.raises(InvalidData, match="“地块.shx”第 2 条指向“地块.shp”之外"):
        read(parts | {"地块.shx": bytes(index)})


def test_deleted_rows_are_left_out_with_their_shapes(parts, read):
    table = bytearray(parts["地块.dbf"])
    start, width = struct.unpack_from("<HH", table, 8)
    table[start + width] = ord("*")
    (layer,) = read(parts | {"地块.dbf": bytes(table)}).layers
    assert list(layer.columns["MC"]) == ["青浦区", "旱地"]
    assert layer.geometries[1].equals(BOXES[2]) and any("已标记删除" in note for note in layer.notes)


@pytest.mark.parametrize(
    ("content", "words"), [(b"GEOGCS\x00", "空字符"), (b"\xff\xfe\xfd", "不是文本")]
)
def test_projection_that_is_no_text_is_refused(parts, read, content, words):
    with pytest.raises(UnknownCrs, match=words):
        read(parts | {"地块.prj": content})


def test_web_page_under_another_name_is_refused(parts, read):
    with pytest.raises(InvalidData, match="“地块.shp”的内容是网页"):
        read(parts | {"地块.shp": b"<!DOCTYPE html><html><body>login</body></html>"})


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.kml", b"<html><body/></html>", "的内容是网页"),
        ("a.kml", b'<?xml version="1.0"?><gml/>', "不是 KML"),
        ("a.kml", b"<kml><!-- <OGRVRTDataSource> --></kml>", "引用别的文件"),
        ("a.kml", b"<kml><Document>", "不是合法的 XML"),
        ("a.gpkg", b"not a database", "不是 GeoPackage"),
        ("a.gpkg", b"SQLite format 3\x00" + bytes(200), "不是完整的 GeoPackage"),
        ("a.dxf", b"nothing\nof this", "不是可以读取的 DXF"),
        ("a.dwg", b"AC1015" + bytes(300), "不能读取"),
        ("a.dwg", b"PNG", "不是 DWG"),
        ("a.xlsx", b"PK\x03\x04broken", "不能读取"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0old", "旧版或加密"),
        ("a.geojson", zipped({"b.geojson": b"{}"}), "是压缩包，与后缀 .geojson 不符"),
        ("a.csv", b"a,b\n\xff\x81,1\n", "a.csv"),
        ("a.csv", b"", "是空的"),
        ("a.shp", b"", "是空的"),
        ("a.rar", b"Rar!", "改用 zip"),
        ("a.xls", b"\xd0\xcf", "另存为 .xlsx"),
        ("a.pdf", b"%PDF", "格式不支持"),
        ("a", b"abc", "格式不支持"),
        ("a.zip", b"PK nothing", "不是有效的 zip"),
        ("a.zip", zipped({}), "是空的"),
        ("a.zip", zipped({"说明.docx": b"x"}), "里面是：说明.docx"),
        ("a.zip", zipped({"x.gdb/readme.txt": b"x"}), "不是 FileGDB"),
    ],
)  # fmt: skip
def test_other_content_is_refused(tmp_path, name, content, words):
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(InvalidData, match=words):
        read_spatial_file(path, name)


def test_zip_inside_a_zip_is_opened_once(parts, read):
    assert read({"内.zip": zipped(parts)}).layers[0].count == 3
    with pytest.raises(InvalidData, match="“内.zip”内还有压缩包“更内.zip”"):
        read({"内.zip": zipped({"更内.zip": zipped(parts)})})


def test_limit_counts_inner_zips_too(parts, read, monkeypatch):
    whole = sum(len(content) for content in parts.values())
    monkeypatch.setattr(zip_archive, "MOST_BYTES", whole)
    with pytest.raises(InvalidData, match="超过"):
        read({"内.zip": zipped(parts)})


def test_bomb_is_refused_by_its_ratio(read, monkeypatch):
    monkeypatch.setattr(zip_archive, "RATIO_FREE_BYTES", 100_000)
    with pytest.raises(InvalidData, match="压缩炸弹"):
        read({"地块.shp": bytes(3_000_000)})


def test_layers_in_folders_of_the_same_name_are_told_apart(parts, read):
    members = {f"{folder}/{name}": content for folder in ("现状", "规划") for name, content in parts.items()}
    assert [layer.name for layer in read(members).layers] == ["现状/地块", "规划/地块"]


def test_files_that_are_not_read_are_named(parts, read):
    file = read(parts | {"说明.txt": b"abc", "照片.jpg": b"x"})
    assert "说明.txt" in file.notes[0] and "照片.jpg" in file.notes[0] and "地块.prj" in file.members


def test_declared_system_must_not_contradict(parts, read):
    with pytest.raises(UnknownCrs, match="不一致"):
        read(parts, declared_crs="EPSG:4528")
    bare = {name: content for name, content in parts.items() if not name.endswith(".prj")}
    assert read(bare).layers[0].system is None
    assert read(bare, declared_crs="EPSG:4490").layers[0].system == STORAGE


def test_fault_in_one_of_several_files_names_it(parts, read):
    with pytest.raises(InvalidData, match="坏.geojson"):
        read(parts | {"坏.geojson": b'{"type": '})


@pytest.mark.parametrize("zone", [zone_system(40), zone_system(40, False), zone_system(41)])
def test_zones_are_read_from_the_projection(read, zone):
    archive = write_zipped_shapefile("a", COLUMNS, RECORDS, zone)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert read({name: opened.read(name) for name in opened.namelist()}).layers[0].system == zone
