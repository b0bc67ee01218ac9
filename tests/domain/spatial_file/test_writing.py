"""Every format that is written reads back the same: geometries within 1e-8 degrees or 0.1 mm, values, nulls, parts, holes."""

import datetime

import pytest
import shapely

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
