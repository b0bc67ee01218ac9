"""Points in the layer store: kept, found, drawn as rounds, taken in from files, written again; no area, no comparison."""

from datetime import date
from decimal import Decimal

import numpy
import pytest
import shapely

from domain.actor import SYSTEM
from domain.errors import InvalidData
from domain.geometry import InvalidGeometry
from domain.layer import FeatureData, features_in, layer_definition, load_layer
from domain.layer.intake import features_of
from domain.map_tile import MARK, Tile, TileFeature, encode
from domain.projection import STORAGE
from domain.shapefile import write_zipped_shapefile
from domain.spatial_file import FileField, FileLayer

KEY = "geology_borehole"
HOLE = shapely.Point(121.0625, 31.0625)


def hole(geometry: shapely.Geometry = HOLE) -> FeatureData:
    return FeatureData("ZK-1", "310118", "GC-1", Decimal("0.00"), geometry, {"borehole_number": "ZK-1", "project_number": "GC-1", "depth_m": "32.50"})


def test_points_are_kept_and_found_and_polygons_are_refused(database):
    with database.writing() as session:
        load_layer(session, SYSTEM, KEY, [hole()], date(2026, 1, 1))
    with database.reading() as session:
        [found] = features_in(session, KEY, HOLE.buffer(0.001))
        assert found.geometry == HOLE and features_in(session, KEY, HOLE.buffer(0.001).boundary) == []
    values = layer_definition(KEY).values(found)
    assert values["depth_m"] == Decimal("32.50") and "area_m2" not in values
    with pytest.raises(InvalidGeometry, match="不是点"), database.writing() as session:
        load_layer(session, SYSTEM, KEY, [hole(HOLE.buffer(0.001))], date(2026, 1, 2))
    with pytest.raises(InvalidGeometry, match="不是面"), database.writing() as session:
        load_layer(session, SYSTEM, "land_use", [hole()], date(2026, 1, 1))


def test_a_point_is_drawn_as_a_round_of_the_same_size_at_every_scale():
    def size(zoom):
        tile = Tile(zoom, *(int(each) for each in (Tile(zoom, 0, 0).units(numpy.array([[HOLE.x, HOLE.y]])) // 4096)[0]))
        return len(encode(tile, KEY, [TileFeature(HOLE, {"key": "ZK-1"})]))

    assert size(10) == pytest.approx(size(16), abs=6) and MARK < 64


@pytest.mark.parametrize(("geometry", "said"), [(HOLE, ""), (HOLE.buffer(0.001), "图形不是点"), (None, "没有图形")])
def test_points_of_a_file_are_taken_in(geometry, said):
    columns = {name: numpy.array([value], dtype=object) for name, value in (("ZKBH", "ZK-1"), ("XMBH", "GC-1"), ("ZKSD", 32.5))}
    fields = (FileField("ZKBH", "", "text", 30, 0), FileField("XMBH", "", "text", 30, 0), FileField("ZKSD", "", "decimal", 10, 2))
    shapes = numpy.empty(1, dtype=object)
    shapes[0] = geometry
    layer = FileLayer("ZK", "Point", fields, shapes, columns, STORAGE)
    if said:
        with pytest.raises(InvalidData, match=said):
            features_of(layer, layer_definition(KEY))
        return
    [taken] = features_of(layer, layer_definition(KEY))
    assert (taken.key, taken.class_code, taken.district_code, taken.area_m2) == ("ZK-1", "GC-1", "310118", Decimal("0.00"))
    assert taken.geometry == HOLE and taken.attributes["depth_m"] == "32.50"


def test_points_are_written_as_a_shapefile_and_nothing_else_with_them():
    columns = layer_definition(KEY).columns
    archive = write_zipped_shapefile("ZK", columns, [(HOLE, {"ZKBH": "ZK-1", "ZKSD": Decimal("32.50")})], kind="point")
    assert archive[:2] == b"PK"
    with pytest.raises(InvalidData, match="类型与图层不符"):
        write_zipped_shapefile("ZK", columns, [(HOLE.buffer(1), {})], kind="point")
