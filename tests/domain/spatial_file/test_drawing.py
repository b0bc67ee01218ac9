"""Drawings: arcs by their area, blocks in place, extended data as columns, texts as labels, DWG without extended data."""

import math

import ezdwg
import ezdxf
import pytest

from domain.errors import InvalidData
from domain.spatial_file import drawing, read_spatial_file
from domain.spatial_file.drawing_shape import even_odd

SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]


@pytest.fixture
def read(tmp_path):
    def read_document(document, **given):
        path = tmp_path / "图.dxf"
        document.saveas(path)
        return read_spatial_file(path, "图.dxf", **given)

    return read_document


@pytest.fixture
def document():
    return ezdxf.new("R2010")


def test_extended_data_become_columns_and_texts_labels(document, read):
    document.appids.add("SOUTH")
    space = document.modelspace()
    parcel = space.add_lwpolyline(SQUARE, close=True, dxfattribs={"layer": "宗地"})
    parcel.set_xdata("SOUTH", [(1000, "300000"), (1000, "权利人甲"), (1040, 12.5)])
    space.add_text("A-01", dxfattribs={"layer": "注记"}).set_placement((5, 5))
    file = read(document)
    values = file.layer("宗地").values(0)
    assert file.layer("宗地").geometry_type == "Polygon" and file.layer("注记").geometry_type == "Point"
    assert (values["SOUTH_1"], values["SOUTH_2"], values["SOUTH_3"], values["TEXT"]) == ("300000", "权利人甲", 12.5, "A-01")


@pytest.mark.parametrize(("bulge", "area"), [(1, 100 + 12.5 * math.pi), (-1, 100 - 12.5 * math.pi)])
def test_bulge_is_cut_to_the_area_of_its_arc(document, read, bulge, area):
    points = [(0, 0, bulge), (10, 0, 0), (10, 10, 0), (0, 10, 0)]
    document.modelspace().add_lwpolyline(points, format="xyb", close=True)
    (layer,) = read(document).layers
    assert layer.geometries[0].area == pytest.approx(area, rel=1e-4)
    assert any("圆心角不超过 1 度" in note for note in layer.notes)


def test_circle_is_a_polygon_and_open_arc_a_line(document, read):
    space = document.modelspace()
    space.add_circle((0, 0), 100)
    space.add_arc((0, 0), 100, 0, 90)
    file = read(document)
    assert file.layer("0（面）").geometries[0].area == pytest.approx(math.pi * 10_000, rel=1e-4)
    assert file.layer("0（线）").geometries[0].length == pytest.approx(50 * math.pi, rel=1e-4)


def test_blocks_are_laid_out_where_they_stand(document, read):
    block = document.blocks.new("房屋")
    block.add_lwpolyline(SQUARE, close=True)
    insert = document.modelspace().add_blockref("房屋", (100, 50), dxfattribs={"xscale": 2, "yscale": 2, "layer": "建筑"})
    insert.add_attrib("层数", "6", (100, 50))
    file = read(document)
    polygons, points = file.layer("建筑（面）"), file.layer("建筑（点）")
    assert polygons.geometries[0].bounds == (100, 50, 120, 70) and polygons.values(0)["BLOCK"] == "房屋"
    assert points.values(0)["层数"] == "6"


def test_block_inside_itself_ends(document, read):
    block = document.blocks.new("环")
    block.add_blockref("环", (1, 1))
    block.add_point((0, 0))
    document.modelspace().add_blockref("环", (0, 0))
    assert read(document).layers[0].count < 10


def test_too_many_entities_are_refused(document, read, monkeypatch):
    monkeypatch.setattr(drawing, "MOST_ENTITIES", 20)
    block = document.blocks.new("点")
    block.add_point((0, 0))
    document.modelspace().add_blockref("点", (0, 0), dxfattribs={"row_count": 5, "column_count": 5, "row_spacing": 1, "column_spacing": 1})
    with pytest.raises(InvalidData, match="超过 20 个"):
        read(document)


def test_hatch_with_an_island_is_a_polygon_with_a_hole(document, read):
    hatch = document.modelspace().add_hatch()
    hatch.paths.add_polyline_path(SQUARE, is_closed=True)
    hatch.paths.add_polyline_path([(2, 2), (4, 2), (4, 4), (2, 4)], is_closed=True, flags=16)
    assert read(document).layers[0].geometries[0].area == 96


def test_island_in_a_hole_is_filled():
    rings = [[(a, a), (20 - a, a), (20 - a, 20 - a), (a, 20 - a)] for a in (0, 2, 4)]
    assert even_odd(rings).area == 400 - 256 + 144


def test_closed_line_of_two_places_is_a_line(document, read):
    document.modelspace().add_lwpolyline([(0, 0), (10, 0)], close=True)
    assert read(document).layers[0].geometry_type == "LineString"


def test_heights_are_left_off_with_a_note(document, read):
    document.modelspace().add_polyline3d([(0, 0, 5), (10, 0, 5), (10, 10, 6)], close=True)
    (layer,) = read(document).layers
    assert layer.geometries[0].area == 50 and any("高程" in note for note in layer.notes)


def test_entities_that_are_left_out_are_counted(document, read):
    space = document.modelspace()
    space.add_point((0, 0))
    space.add_linear_dim(base=(0, 2), p1=(0, 0), p2=(3, 0)).render()
    assert any("DIMENSION 1 个" in note for note in read(document).layers[0].notes)


def test_old_drawing_in_gbk_is_read_by_its_codepage_or_by_its_texts(tmp_path):
    document = ezdxf.new("R2000")
    document.encoding = "gbk"
    document.header["$DWGCODEPAGE"] = "ANSI_936"
    for row in range(6):
        document.modelspace().add_text("宗地号青浦区", dxfattribs={"layer": "注记"}).set_placement((row, 0))
    path = tmp_path / "a.dxf"
    document.saveas(path)
    assert read_spatial_file(path, "a.dxf").layer("注记").values(0)["TEXT"] == "宗地号青浦区"
    path.write_bytes(path.read_bytes().replace(b"ANSI_936", b"ANSI_1252"))
    layer = read_spatial_file(path, "a.dxf").layer("注记")
    assert layer.values(0)["TEXT"] == "宗地号青浦区" and any("编码与文字不符" in note for note in layer.notes)


def test_dwg_gives_its_geometry_and_says_what_it_lacks(tmp_path):
    document = ezdwg.new()
    document.modelspace().add_lwpolyline(SQUARE, closed=True, bulges=[1, 0, 0, 0])
    document.modelspace().add_text("宗地一", insert=(3, 3), height=1)
    path = tmp_path / "a.dwg"
    document.save(str(path))
    file = read_spatial_file(path, "a.dwg")
    polygons = next(layer for layer in file.layers if layer.geometry_type == "Polygon")
    assert file.kind == "DWG" and polygons.geometries[0].area == pytest.approx(100 + 12.5 * math.pi, rel=1e-4)
    assert polygons.values(0)["TEXT"] == "宗地一" and "扩展数据" in polygons.notes[0]


def test_drawing_without_a_system_suggests_its_zone(document, read):
    document.modelspace().add_lwpolyline([(40500000 + x, 3442000 + y) for x, y in SQUARE], close=True)
    (layer,) = read(document).layers
    assert layer.system is None and "第 40 带" in layer.notes[-1]
    assert read(document, declared_crs="EPSG:4528").layers[0].system.zone == 40
