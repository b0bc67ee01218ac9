"""One door for the formats that our own writers make: layers, aliases, lengths, curves, boundary points, confirmation."""

import json
import zipfile

import numpy
import pyogrio
import pytest
import shapely

from domain.boundary_points import BODY, HEADER
from domain.projection import STORAGE, UnknownCrs, zone_system
from domain.spatial_file import geo_json, read_spatial_file, understood
from domain.vector_file import read_vector
from tests.domain.shared_data import shared_file

SQUARE = shapely.box(121.2, 31.1, 121.201, 31.101)
KML = """<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder><name>范围</name><Placemark><name>甲</name>
<Polygon><outerBoundaryIs><LinearRing><coordinates>121.2,31.1,0 121.201,31.1,0 121.201,31.101,0 121.2,31.1,0
</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Folder></Document></kml>"""
POINTS = f"""{HEADER}
坐标系=2000国家大地坐标系
带号=40
{BODY}
4,1.0000,D1,一号地块,面,,水田,,@
J1,1,3442000.000,40500000.000
J2,1,3442000.000,40500100.000
J3,1,3442100.000,40500100.000
J4,1,3442100.000,40500000.000
"""


def write(path, driver, **options):
    columns = [numpy.array(["耕地", None], dtype=object), numpy.array([1, 2])]
    pyogrio.raw.write(
        path, shapely.to_wkb([SQUARE, shapely.box(121.3, 31.1, 121.301, 31.101)]), columns,
        fields=numpy.array(["DLMC", "BSM"], dtype=object), crs="EPSG:4490", geometry_type="MultiPolygon", driver=driver,
        promote_to_multi=True, **options,
    )  # fmt: skip


def test_geopackage_layers_have_their_titles(tmp_path):
    path = tmp_path / "a.gpkg"
    write(path, "GPKG", layer="DLTB", layer_options={"IDENTIFIER": "地类图斑"})
    (layer,) = read_spatial_file(path, "a.gpkg").layers
    assert (layer.name, layer.alias, layer.count, layer.system) == ("DLTB", "地类图斑", 2, STORAGE)
    assert layer.values(0) == {"DLMC": "耕地", "BSM": 1} and layer.values(1)["DLMC"] is None


def test_zipped_geodatabase_of_any_name_has_its_aliases(tmp_path):
    folder = tmp_path / "x.gdb"
    write(folder, "OpenFileGDB", layer="DLTB", layer_options={"LAYER_ALIAS": "地类图斑"})
    package = tmp_path / "p.zip"
    with zipfile.ZipFile(package, "w") as file:
        for each in folder.iterdir():
            file.write(each, f"成果/{folder.name}/{each.name}")
    read = read_spatial_file(package, "成果包.zip")
    (layer,) = read.layers
    assert read.kind == "FileGDB" and (layer.name, layer.alias, layer.count) == ("DLTB", "地类图斑", 2)
    assert layer.system == STORAGE and layer.values(0)["DLMC"] == "耕地"


def test_curves_of_a_geodatabase_are_cut_finely():
    """The circle of the sample has the area that its radius gives, to a ten-thousandth."""
    path = shared_file("vector-formats", "filegdb", "curves.gdb")
    layer = read_spatial_file(path, "curves.gdb").layer("polygon")
    assert max(len(shapely.get_coordinates(shape)) for shape in layer.geometries) > 360
    assert any("圆心角" in note for note in layer.notes)


def test_kml_and_kmz_are_wgs84_with_folders_as_layers(tmp_path):
    plain, packed = tmp_path / "a.kml", tmp_path / "a.kmz"
    plain.write_text(KML)
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("doc.kml", KML)
    for path in (plain, packed):
        (layer,) = read_spatial_file(path, path.name).layers
        assert (layer.name, layer.geometry_type, layer.system.srid) == ("范围", "Polygon", 4326)
        assert layer.values(0)["Name"] == "甲"


def test_boundary_points_are_parcels_and_points(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(POINTS, encoding="gbk")
    file = read_spatial_file(path, "界址点.txt")
    parcels, points = file.layers
    assert file.kind == "界址点 TXT" and file.encoding == "GBK" and file.header["带号"] == "40"
    assert parcels.system == zone_system(40) and parcels.geometries[0].area == 10_000
    assert parcels.values(0)["DKMC"] == "一号地块" and points.count == 4 and points.values(0)["JZDH"] == "J1"


def test_geojson_of_any_geometry_is_read(tmp_path):
    path = tmp_path / "a.geojson"
    shapes = [shapely.Point(121, 31), shapely.LineString([(121, 31), (122, 31)]), SQUARE, shapely.MultiPoint([(1, 2), (3, 4)])]
    features = [{"type": "Feature", "properties": {"n": i}, "geometry": json.loads(shapely.to_geojson(each))} for i, each in enumerate(shapes)]
    features.append({"type": "Feature", "properties": {"n": 4}, "geometry": None})
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    (layer,) = read_spatial_file(path, "a.geojson").layers
    assert shapely.equals(layer.geometries[:4], shapes).all() and layer.geometries[4] is None
    assert list(layer.columns["n"]) == [0, 1, 2, 3, 4] and layer.system is None


@pytest.mark.parametrize("crs", [None, "urn:ogc:def:crs:EPSG::4528"])
def test_large_geojson_is_streamed_to_the_same_layer(tmp_path, monkeypatch, crs):
    path = tmp_path / "a.geojson"
    feature = {"type": "Feature", "properties": {"n": "甲", "m": 2}, "geometry": json.loads(shapely.to_geojson(SQUARE))}
    document = {"type": "FeatureCollection", "features": [feature, feature]}
    path.write_text(json.dumps(document | ({"crs": {"type": "name", "properties": {"name": crs}}} if crs else {})))
    whole = read_spatial_file(path, "大.geojson").layers[0]
    monkeypatch.setattr(geo_json, "LARGEST_WHOLE_BYTES", 10)
    streamed = read_spatial_file(path, "大.geojson").layers[0]
    assert (streamed.name, streamed.geometry_type, streamed.system) == (whole.name, whole.geometry_type, whole.system)
    assert streamed.values(1) == whole.values(1) and shapely.equals(streamed.geometries, whole.geometries).all()


def test_stored_geometries_need_a_system(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text(shapely.to_geojson(SQUARE))
    with pytest.raises(UnknownCrs, match="不能猜测"):
        read_spatial_file(path, "a.geojson").layers[0].stored_geometries()
    stored = read_spatial_file(path, "a.geojson", "EPSG:4490").layers[0].stored_geometries()
    assert stored[0].equals(SQUARE)


def test_confirmation_tells_what_was_understood(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(POINTS, encoding="gbk")
    told = understood(read_spatial_file(path, "界址点.txt")).as_json()
    parcels = json.loads(json.dumps(told))["layers"][0]
    assert parcels["system_srid"] == 4528 and parcels["count"] == 1 and parcels["alias"] == "地块"
    assert parcels["stored_bounds"][0] == pytest.approx(120, abs=0.01) and "一号地块" in parcels["samples"]
    assert told["encoding"] == "GBK"


def test_confirmation_of_a_file_without_system_suggests_one(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text(shapely.to_geojson(SQUARE))
    (layer,) = understood(read_spatial_file(path, "a.geojson")).layers
    assert layer.system_srid is None and layer.suggested_srid == 4490 and "只是建议" in layer.suggestion
    assert layer.stored_bounds is None


def test_ranges_take_one_polygon_layer_of_a_database(tmp_path):
    path = tmp_path / "a.gpkg"
    write(path, "GPKG", layer="一")
    assert len(read_vector(path, "a.gpkg").features) == 2
    write(path, "GPKG", layer="二", append=True)
    with pytest.raises(Exception, match="有 2 个面图层（一、二）"):
        read_vector(path, "a.gpkg")


def test_name_on_disk_need_not_be_the_name_that_was_sent(tmp_path):
    path = tmp_path / "0f3a"
    path.write_text(shapely.to_geojson(SQUARE))
    assert read_spatial_file(path, "项目范围.geojson").layers[0].name == "项目范围"
