"""`portal overlay`: areas by class from the command line, and refusals in words."""

import json

import ezdxf
import numpy
import pyogrio
import shapely

from portal.command_line import main

CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}


def box(west, south, east, north, **properties):
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def written(path, *features):
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": CRS, "features": features}), encoding="utf-8")
    return str(path)


def test_areas_by_class_add_up_with_what_is_not_covered(tmp_path, capsys):
    extent = written(tmp_path / "a.geojson", box(121.10, 31.10, 121.12, 31.11))
    layer = written(tmp_path / "b.geojson", box(121.10, 31.10, 121.11, 31.11, kind="耕地"), box(121.11, 31.10, 121.115, 31.11, kind="林地"))
    assert main(["overlay", extent, layer, "--by", "kind", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    areas = {row["class"]: float(row["area_m2"]) for row in found["rows"]}
    assert round(areas["耕地"] / areas["林地"], 6) == 2
    assert round(areas["耕地"] + areas["林地"], 2) == float(found["total_m2"])
    assert round(float(found["residual_m2"]) / areas["林地"], 6) == 1


def test_a_file_without_a_coordinate_system_is_refused(tmp_path, capsys):
    extent = tmp_path / "a.geojson"
    extent.write_text(json.dumps({"type": "FeatureCollection", "features": [box(121.1, 31.1, 121.2, 31.2)]}), encoding="utf-8")
    layer = written(tmp_path / "b.geojson", box(121.1, 31.1, 121.2, 31.2, kind="耕地"))
    assert main(["overlay", str(extent), layer, "--by", "kind"]) == 2
    assert "坐标系" in capsys.readouterr().err


def test_a_missing_file_is_named(tmp_path, capsys):
    assert main(["overlay", str(tmp_path / "没有.geojson"), "b.geojson", "--by", "kind"]) == 2
    assert "没有.geojson" in capsys.readouterr().err


def test_drawing_over_geopackage_and_over_a_geodatabase_folder(tmp_path, capsys):
    drawing = ezdxf.new("R2010")
    corners = [(40500000, 3442000), (40500100, 3442000), (40500100, 3442100), (40500000, 3442100)]
    drawing.modelspace().add_lwpolyline(corners, close=True)
    drawing.saveas(tmp_path / "a.dxf")
    whole = shapely.to_wkb([shapely.MultiPolygon([shapely.box(40499000, 3441000, 40501000, 3443000)])])
    for name, driver in (("b.gpkg", "GPKG"), ("b.gdb", "OpenFileGDB")):
        pyogrio.raw.write(
            tmp_path / name, whole, [numpy.array(["耕地"], dtype=object)], fields=numpy.array(["DLMC"], dtype=object),
            crs="EPSG:4528", geometry_type="MultiPolygon", driver=driver, layer="DLTB",
        )  # fmt: skip
        arguments = ["overlay", str(tmp_path / "a.dxf"), str(tmp_path / name), "--by", "DLMC", "--crs", "EPSG:4528", "--json"]
        assert main(arguments) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["rows"][0]["class"] == "耕地" and float(found["rows"][0]["area_m2"]) == float(found["total_m2"])
