"""Every format that is written reads back the same: geometries within 1e-8 degrees or 0.1 mm, values, nulls, parts, holes."""

import datetime

import pytest
import shapely

from domain.area import area_m2
from domain.errors import InvalidData
from domain.projection import STORAGE, from_storage, zone_system
from domain.spatial_file import FileField, FileLayer, read_spatial_file
from domain.spatial_file.columns import as_column
from domain.spatial_file.writing import write_spatial_file

HOLED = shapely.box(121.2, 31.1, 121.21, 31.11).difference(shapely.box(121.202, 31.102, 121.204, 31.104))
PARTS = shapely.MultiPolygon([shapely.box(121.3, 31.1, 121.31, 31.11), shapely.box(121.32, 31.1, 121.33, 31.11)])
ENDINGS = {"GeoPackage": ".gpkg", "FileGDB": ".zip", "GeoJSON": ".geojson", "Shapefile": ".zip"}
DAY = datetime.date(2024, 5, 6)
DEGREES, METRES = 1e-8, 1e-4


def layer(name="地块", text="耕地", field="DLMC"):
    fields = (
        FileField(field), FileField("BSM", type="integer"), FileField("MJ", type="decimal"), FileField("RQ", type="date"),
    )  # fmt: skip
    columns = {
        field: as_column([text, None, "林地"]), "BSM": as_column([1, None, 9_007_199_254]),
        "MJ": as_column([1234.56, None, 0.01]), "RQ": as_column([DAY, None, DAY]),
    }  # fmt: skip
    return FileLayer(name, "MultiPolygon", fields, as_column([HOLED, PARTS, None]), columns, STORAGE)


def written_and_read(tmp_path, kind, layers, system=STORAGE, encoding="GBK"):
    path = tmp_path / f"out{ENDINGS[kind]}"
    notes = write_spatial_file(path, kind, layers, system, encoding)
    return read_spatial_file(path, path.name), notes


@pytest.mark.parametrize("system", [STORAGE, zone_system(40)], ids=["degrees", "zone 40"])
@pytest.mark.parametrize("kind", ENDINGS)
def test_a_layer_reads_back_as_it_was_written(tmp_path, kind, system):
    file, notes = written_and_read(tmp_path, kind, [layer()], system)
    (found,) = file.layers
    assert notes == () and file.kind == kind and found.system.srid == system.srid
    assert found.geometries[2] is None
    tolerance = METRES if system.is_projected else DEGREES
    for each, given in zip(found.geometries, (HOLED, PARTS), strict=False):
        wanted = from_storage(given, system)
        assert shapely.get_num_interior_rings(shapely.get_parts(each)).tolist() == (
            shapely.get_num_interior_rings(shapely.get_parts(given)).tolist()
        )
        assert shapely.get_num_geometries(each) == shapely.get_num_geometries(given)
        assert shapely.hausdorff_distance(each, wanted) < tolerance
    first, second, third = (found.values(row) for row in range(3))
    day = DAY.isoformat() if kind == "GeoJSON" else DAY
    told = first["RQ"].replace("/", "-") if kind == "GeoJSON" else first["RQ"]
    assert (first["DLMC"], first["BSM"], first["MJ"], told) == ("耕地", 1, 1234.56, day)
    assert all(value is None for value in second.values())
    assert (third["DLMC"], third["BSM"], third["MJ"]) == ("林地", 9_007_199_254, 0.01)


@pytest.mark.parametrize("kind", ["GeoPackage", "FileGDB", "Shapefile"])
def test_several_layers_stand_in_one_file(tmp_path, kind):
    file, _ = written_and_read(tmp_path, kind, [layer("地块"), layer("图斑")])
    assert sorted(each.name for each in file.layers) == sorted(["地块", "图斑"])


def test_geojson_takes_one_layer_only(tmp_path):
    with pytest.raises(InvalidData, match="只放一个图层"):
        written_and_read(tmp_path, "GeoJSON", [layer("a"), layer("b")])


def test_a_long_name_is_cut_at_a_whole_character_and_told(tmp_path):
    file, notes = written_and_read(tmp_path, "Shapefile", [layer(field="地类名称和编码")])
    assert notes == ("图层“地块”的字段名“地类名称和编码”写为“地类名称和”。",)
    assert file.layers[0].values(0)["地类名称和"] == "耕地"


def test_text_outside_the_encoding_is_refused_with_row_and_field(tmp_path):
    with pytest.raises(InvalidData, match="第 1 行字段“DLMC”的“𠮷”不在 GBK"):
        written_and_read(tmp_path, "Shapefile", [layer(text="𠮷田")])
    file, _ = written_and_read(tmp_path, "Shapefile", [layer(text="𠮷田")], encoding="UTF-8")
    assert file.layers[0].values(0)["DLMC"] == "𠮷田"


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(InvalidData, match="可以导出为"):
        write_spatial_file(tmp_path / "x.dgn", "DGN", [layer()], STORAGE)


SIMPLE = shapely.box(121.2, 31.1, 121.21, 31.11)
ZONE = zone_system(40)


def declared(tmp_path, kind, ending, layers, system=ZONE, crs="EPSG:4528"):
    path = tmp_path / f"out{ending}"
    notes = write_spatial_file(path, kind, layers, system)
    return read_spatial_file(path, path.name, crs), notes


def parcels(*shapes, **columns):
    names = columns or {"DKBH": [f"D{n}" for n in range(len(shapes))]}
    fields = tuple(FileField(name) for name in names)
    return FileLayer("地块", "Polygon", fields, as_column(shapes), {name: as_column(each) for name, each in names.items()}, STORAGE)


def test_a_drawing_reads_back_with_its_values_on_a_layer_of_its_name(tmp_path):
    file, notes = declared(tmp_path, "DXF", ".dxf", [layer()])
    (found,) = file.layers
    assert found.name == "地块" and found.count == 4, "two rings of the first, two parts of the second"
    assert "2 个内圈" not in " ".join(notes) and "1 个内圈" in " ".join(notes) and "1 行没有图形" in " ".join(notes)
    rows = [found.values(row) for row in range(4)]
    assert [(each["YSH"], each["BFH"], each["QH"]) for each in rows] == [("1", "1", "1"), ("1", "1", "2"), ("2", "1", "1"), ("2", "2", "1")]
    assert [each["DLMC"] for each in rows] == ["耕地", "耕地", None, None] and rows[0]["MJ"] == "1234.56" and rows[0]["RQ"] == "2024-05-06"
    outer, hole, *parts = found.geometries
    wanted = from_storage(HOLED, ZONE)
    assert shapely.hausdorff_distance(outer.difference(hole), wanted) < METRES
    assert shapely.hausdorff_distance(shapely.MultiPolygon(parts), from_storage(PARTS, ZONE)) < METRES


def test_a_drawing_holds_lines_and_points_and_says_which_names_it_changed(tmp_path):
    line, point = shapely.LineString([(121.2, 31.1), (121.21, 31.12)]), shapely.Point(121.2, 31.1)
    layers = [FileLayer("管线/甲", "LineString", (), as_column([line]), {}, STORAGE), FileLayer("点", "Point", (), as_column([point]), {}, STORAGE)]
    file, notes = declared(tmp_path, "DXF", ".dxf", layers)
    assert {each.name: each.geometry_type for each in file.layers} == {"点": "Point", "管线_甲": "LineString"}
    assert "图层“管线/甲”在 DXF 里名为“管线_甲”。" in notes
    by_name = {each.name: each.geometries[0] for each in file.layers}
    assert shapely.hausdorff_distance(by_name["管线_甲"], from_storage(line, ZONE)) < METRES
    assert by_name["点"].distance(from_storage(point, ZONE)) < METRES


def test_a_value_too_long_for_extended_data_is_refused(tmp_path):
    with pytest.raises(InvalidData, match="第 1 行字段“DKBH”的值长"):
        write_spatial_file(tmp_path / "x.dxf", "DXF", [parcels(SIMPLE, DKBH=["甲" * 90])], ZONE)


def test_boundary_points_read_back_within_a_millimetre(tmp_path):
    values = {"DKBH": ["A1", "A2", None], "DKMC": ["甲", None, "丙"], "DKMJ": [12.5, None, None], "TFH": ["H51", None, None], "DKYT": ["公路", None, None], "DLBM": ["1003", None, None], "BZ": ["x", "y", "z"]}
    path = tmp_path / "out.txt"
    notes = write_spatial_file(path, "界址点 TXT", [parcels(HOLED, PARTS, SIMPLE, **values)], ZONE)
    found = read_spatial_file(path, path.name).layers[0]
    assert [found.values(row)["DKBH"] for row in range(4)] == ["A1", "A2-1", "A2-2", "3"]
    first = found.values(0)
    assert (first["DKMC"], float(first["DKMJ"]), first["TFH"], first["DKYT"], first["DLBM"]) == ("甲", 12.5, "H51", "公路", "1003")
    assert float(found.values(3)["DKMJ"]) == pytest.approx(float(area_m2(SIMPLE)) / 10_000, abs=5e-5)
    assert found.system == ZONE
    for got, given in zip(found.geometries, (HOLED, *PARTS.geoms, SIMPLE), strict=True):
        assert shapely.hausdorff_distance(got, from_storage(given, ZONE)) < 0.001
    assert "没有写出：BZ" in notes[0] and "每个部分写为一个地块" in notes[1]


@pytest.mark.parametrize(
    ("layers", "system", "words"),
    [
        ([parcels(SIMPLE), parcels(SIMPLE)], ZONE, "只放一个图层"), ([parcels(SIMPLE)], STORAGE, "不能用经纬度"),
        ([parcels(shapely.Point(121, 31))], ZONE, "只放面"), ([parcels(None)], ZONE, "没有面图形"),
        ([parcels(SIMPLE, DKMJ=["多"])], ZONE, "第 1 行的面积“多”不是数字"),
    ],
)  # fmt: skip
def test_what_boundary_points_cannot_hold_is_refused(tmp_path, layers, system, words):
    with pytest.raises(InvalidData, match=words):
        write_spatial_file(tmp_path / "x.txt", "界址点 TXT", layers, system)


@pytest.mark.parametrize("system", [STORAGE, ZONE], ids=["degrees", "zone 40"])
def test_a_workbook_reads_back_with_values_areas_and_shapes(tmp_path, system):
    path = tmp_path / "out.xlsx"
    assert write_spatial_file(path, "Excel", [layer(), layer("图/斑", text="=1+1")], system) == ("图层“图/斑”的工作表名为“图_斑”。",)
    first, second = read_spatial_file(path, path.name).layers
    assert (first.name, second.name) == ("地块", "图_斑") and first.system.srid == system.srid
    tolerance = METRES if system.is_projected else DEGREES
    for got, given in zip(first.geometries, (HOLED, PARTS), strict=False):
        assert shapely.hausdorff_distance(got, from_storage(given, system)) < tolerance
    assert first.geometries[2] is None
    values = first.values(0)
    assert (values["DLMC"], values["BSM"], values["MJ"]) == ("耕地", 1, 1234.56) and str(values["RQ"])[:10] == "2024-05-06"
    assert values["面积（平方米）"] == float(area_m2(HOLED)) and first.values(2)["BSM"] == 9_007_199_254
    assert second.values(0)["DLMC"] == "=1+1"


def test_a_shape_too_large_for_a_cell_is_refused_with_its_row(tmp_path):
    large = shapely.Point(121.2, 31.1).buffer(0.01, quad_segs=400)
    with pytest.raises(InvalidData, match="第 2 行的图形有 1601 个点"):
        write_spatial_file(tmp_path / "x.xlsx", "Excel", [parcels(SIMPLE, large)], STORAGE)


def test_equal_content_gives_equal_bytes(tmp_path):
    made = []
    for name in ("a", "b"):
        path = tmp_path / name
        write_spatial_file(path, "Shapefile", [layer()], STORAGE)
        made.append(path.read_bytes())
    assert made[0] == made[1]
