"""Zipped Shapefiles as they are written: read back with GDAL, Chinese values, encoding and system beside
them.
"""

import io
import zipfile
from decimal import Decimal

import pyogrio
import pytest
import shapely

from domain.errors import InvalidData
from domain.layer.definition import LayerColumn, layer_definition
from domain.projection import STORAGE, system_of_text, zone_system
from domain.shapefile import write_zipped_shapefile
from domain.zip_archive import unpack

SQUARE = shapely.box(121.2, 31.1, 121.201, 31.101)
RECORD = {
    "BSM": "310118182025000001",
    "DLBM": "0101",
    "DLMC": "水田",
    "ZLDWMC": "朱家角镇",
    "TBMJ": Decimal("10573.25"),
    "SJNF": 2025,
}


def columns(name: str = "MC") -> list[LayerColumn]:
    return [LayerColumn("name", name, "名称")]


@pytest.mark.parametrize("encoding", ["GBK", "UTF-8"])
def test_standard_columns_come_back(tmp_path, encoding):
    archive = write_zipped_shapefile(
        "地类图斑", layer_definition("land_use").columns, [(SQUARE, RECORD)], STORAGE, encoding
    )
    paths = unpack(archive, tmp_path)
    assert [path.name for path in paths] == [
        f"地类图斑{suffix}" for suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg")
    ]
    meta, _, geometry, data = pyogrio.raw.read(paths[0])
    record = {name: values[0] for name, values in zip(meta["fields"], data, strict=True)}
    assert {key: record[key] for key in ("BSM", "DLBM", "DLMC", "ZLDWMC", "SJNF")} == {
        key: RECORD[key] for key in ("BSM", "DLBM", "DLMC", "ZLDWMC", "SJNF")
    }
    assert record["TBMJ"] == 10573.25 and record["GDLX"] is None
    assert shapely.equals(shapely.from_wkb(geometry)[0], SQUARE)


def test_text_in_the_table_is_in_the_stated_encoding():
    archive = write_zipped_shapefile("a", columns(), [(SQUARE, {"MC": "青浦区"})], STORAGE, "GBK")
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert "青浦区".encode("gbk") in file.read("a.dbf") and file.read("a.cpg") == b"GBK"


@pytest.mark.parametrize("system", [STORAGE, zone_system(40), zone_system(41, has_zone_prefix=False)])
def test_projection_file_names_the_system(system):
    archive = write_zipped_shapefile("a", columns(), [(SQUARE, {})], system)
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert system_of_text(file.read("a.prj").decode()) == system


def test_holes_and_parts_survive(tmp_path):
    holed = shapely.difference(SQUARE, shapely.box(121.2003, 31.1003, 121.2006, 31.1006))
    both = shapely.MultiPolygon([holed, shapely.box(121.3, 31.1, 121.301, 31.101)])
    paths = unpack(write_zipped_shapefile("a", columns(), [(both, {})]), tmp_path)
    assert shapely.equals(shapely.from_wkb(pyogrio.raw.read(paths[0])[2])[0], both)


def test_equal_content_gives_equal_bytes():
    first, second = (write_zipped_shapefile("a", columns(), [(SQUARE, {"MC": "甲"})]) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: write_zipped_shapefile("a", columns("地类图斑名称"), [(SQUARE, {})]), "超过 10 字节"),
        (lambda: write_zipped_shapefile("a", columns() * 2, [(SQUARE, {})]), "有重复"),
        (lambda: write_zipped_shapefile("a", columns(), [(SQUARE, {"MC": "龘𪚥"})]), "不在 GBK 编码里"),
        (lambda: write_zipped_shapefile("a", columns(), [(SQUARE, {"MC": "甲" * 128})]), "256 字节"),
        (
            lambda: write_zipped_shapefile("a", columns(), [(SQUARE, {}), (shapely.Point(121, 31), {})]),
            "第 2 条记录",
        ),
        (lambda: write_zipped_shapefile("a", columns(), [(SQUARE, {})], STORAGE, "BIG5"), "BIG5"),
    ],
)
def test_what_a_shapefile_cannot_hold_is_refused(made, words):
    with pytest.raises(InvalidData, match=words):
        made()


def test_rare_characters_are_written_in_utf8(tmp_path):
    paths = unpack(
        write_zipped_shapefile("a", columns(), [(SQUARE, {"MC": "龘𪚥"})], STORAGE, "UTF-8"), tmp_path
    )
    assert pyogrio.raw.read(paths[0])[3][0][0] == "龘𪚥"
