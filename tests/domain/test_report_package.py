"""Report packages: equal content gives equal bytes, and every file stands in the manifest with its SM3."""

import hashlib
import io
import json
import zipfile
from decimal import Decimal

import shapely

from domain.report_package import coordinate_file, layer_files, pack

PLACE = shapely.MultiPolygon([shapely.Polygon(
    [(121.1, 31.2), (121.2, 31.2), (121.2, 31.3), (121.1, 31.3)], [[(121.14, 31.24), (121.16, 31.24), (121.16, 31.26)]]
)])  # fmt: skip


def test_equal_content_gives_equal_bytes_whatever_the_order():
    first = pack({"a.json": b"1", "b.json": b"2"}, "BJ/1", "XK01", "BJ")
    assert first == pack({"b.json": b"2", "a.json": b"1"}, "BJ/1", "XK01", "BJ")
    assert first != pack({"a.json": b"1", "b.json": b"2"}, "BJ/2", "XK01", "BJ")


def test_the_manifest_names_every_file_with_size_and_digest():
    with zipfile.ZipFile(io.BytesIO(pack({"approval.json": b"{}"}, "BJ/1", "XK01", "BJ"))) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest == {
        "version": "1", "business_key": "BJ/1", "kind": "XK01", "case_number": "BJ",
        "files": [{"name": "approval.json", "size": 2, "sm3": hashlib.new("sm3", b"{}").hexdigest()}],
    }  # fmt: skip


def test_coordinates_number_points_and_rings_through_and_leave_out_the_closing_point():
    lines = coordinate_file(PLACE, ("说明",)).decode().splitlines()
    assert lines[0] == "# 说明" and len(lines) == 1 + 4 + 3
    assert lines[1] == "J1,1,121.100000000,31.200000000" and lines[5].startswith("J5,2,121.14")


def test_the_layer_is_a_whole_shapefile_in_the_national_system():
    files = layer_files(PLACE, "沪规资管〔2026〕00001号", "样例", Decimal("1.00"))
    assert set(files) == {f"layer/extent.{ending}" for ending in ("shp", "shx", "dbf", "prj", "cpg")}
    assert "CGCS2000" in files["layer/extent.prj"].decode() or "China_2000" in files["layer/extent.prj"].decode()
    assert "沪规资管".encode() in files["layer/extent.dbf"]
