"""Vector tiles, read back by GDAL's own reader of the format."""

import math

import numpy
import pyogrio
import pytest
import shapely

from domain.map_tile import EXTENT, Tile, TileFeature, encode, narrowed

HERE = Tile(14, 13704, 6707)
"""A square in 青浦."""


def read_tile(content, tile, layer, tmp_path):
    """The shapes in units of the tile and the texts, as GDAL reads them."""
    folder = tmp_path / str(tile.zoom) / str(tile.column)
    folder.mkdir(parents=True)
    path = folder / f"{tile.row}.mvt"
    path.write_bytes(content)
    _meta, _index, blobs, columns = pyogrio.raw.read(path, layer=layer)
    names = pyogrio.read_info(path, layer=layer)["fields"]
    shapes = shapely.transform(shapely.from_wkb(blobs), lambda metres: _in_units(metres, tile))
    return shapes, dict(zip(names, columns, strict=True))


def _in_units(metres, tile):
    """GDAL places a tile in metres of the web map."""
    half = math.pi * 6378137
    scale = (1 << tile.zoom) * EXTENT / (2 * half)
    return numpy.column_stack([
        (metres[:, 0] + half) * scale - tile.column * EXTENT, (half - metres[:, 1]) * scale - tile.row * EXTENT,
    ])


def read_back(content, tmp_path):
    return read_tile(content, HERE, "plots", tmp_path)


def inner(left, bottom, width, height):
    """A rectangle given in shares of the tile."""
    west, south, east, north = Tile(HERE.zoom, HERE.column, HERE.row).bounds
    x, y = west + left * (east - west), south + bottom * (north - south)
    return shapely.box(x, y, x + width * (east - west), y + height * (north - south))


def test_polygons_and_their_texts_come_back(tmp_path):
    ring = inner(0.2, 0.2, 0.4, 0.4).difference(inner(0.3, 0.3, 0.1, 0.1))
    content = encode(HERE, "plots", [TileFeature(ring, {"key": "甲"}), TileFeature(inner(0.7, 0.7, 0.1, 0.1), {"key": "乙"})])
    shapes, columns = read_back(content, tmp_path)
    assert list(columns["key"]) == ["甲", "乙"]
    parts = [shapely.get_parts(shape)[0] for shape in shapes]
    assert [len(part.interiors) for part in parts] == [1, 0]
    assert parts[0].area / parts[1].area == pytest.approx((0.16 - 0.01) / 0.01, rel=0.02)


def test_what_is_too_small_or_elsewhere_is_not_written():
    assert encode(HERE, "plots", []) == b""
    assert encode(HERE, "plots", [TileFeature(inner(0.5, 0.5, 1e-6, 1e-6), {"key": "小"})]) == b""
    assert encode(HERE, "plots", [TileFeature(shapely.box(121.9, 31.7, 121.91, 31.71), {"key": "远"})]) == b""


def test_the_corner_of_a_tile_is_the_origin_of_its_units():
    west, _south, _east, north = HERE.bounds
    x, y = HERE.units(shapely.get_coordinates(shapely.Point(west, north)))[0]
    assert (x, y) == (pytest.approx(-64, abs=1e-3), pytest.approx(-64, abs=1e-3))
    assert EXTENT == 4096


@pytest.mark.parametrize(("zoom", "column", "row", "is_there"), [(0, 0, 0, True), (1, 2, 0, False), (-1, 0, 0, False), (21, 0, 0, False), (3, 7, 7, True)])
def test_only_squares_of_the_web_map_exist(zoom, column, row, is_there):
    assert Tile(zoom, column, row).exists() is is_there


def test_a_tile_is_narrowed_to_the_features_with_one_of_the_values(tmp_path):
    features = [
        TileFeature(inner(0.1 * number, 0.1, 0.05, 0.05), {"group": group, "district": district})
        for number, (group, district) in enumerate([("a", "310118"), ("b", "310115"), ("b", "310118"), ("310118", "310151")])
    ]
    whole = encode(HERE, "plots", features)
    shapes, columns = read_back(narrowed(whole, "district", {"310118"}), tmp_path / "one")
    assert list(columns["group"]) == ["a", "b"] and list(columns["district"]) == ["310118", "310118"]
    ours, _texts = read_back(encode(HERE, "plots", [features[0], features[2]]), tmp_path / "ours")
    assert all(shapely.equals(each, other) for each, other in zip(shapes, ours, strict=True))
    assert narrowed(whole, "district", {"310118", "310115", "310151"}) == whole
    assert narrowed(whole, "district", {"310120"}) == narrowed(whole, "district", ()) == narrowed(b"", "district", {"310118"}) == b""
    assert narrowed(whole, "town", {"310118"}) == b"", "a drawing that does not tell districts shows nothing"
