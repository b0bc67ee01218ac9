"""Personal geodatabases: what ArcGIS wrote in them is what comes out, and Shape values of every kind are decoded."""

import math
import struct

import numpy
import pytest
import shapely

from domain.errors import InvalidData, OutsideSystemDown
from domain.spatial_file import personal_geodatabase, read_spatial_file
from domain.spatial_file.shape_blob import DamagedShape, geometry_of, has_curves, has_height
from tests.domain.shared_data import shared_file

BOX = (0.0, 0.0, 10.0, 10.0)
SHELL = [(0, 0), (0, 10), (10, 10), (10, 0), (0, 0)]
HOLE = [(2, 2), (4, 2), (4, 4), (2, 4), (2, 2)]


def blob(kind, *parts, tail=b""):
    points = [point for part in parts for point in part]
    starts = numpy.cumsum([0, *(len(part) for part in parts[:-1])]).astype("<i4").tobytes()
    head = struct.pack("<I4d2i", kind, *BOX, len(parts), len(points))
    return head + starts + numpy.array(points, "<f8").tobytes() + tail


def test_areas_that_the_geodatabase_states_are_those_of_the_decoded_shapes():
    path = shared_file("vector-formats", "personal-gdb", "sample.mdb")
    layer = read_spatial_file(path, path.name).layer("polys")
    assert layer.system.srid == 4326 and layer.count == 10
    assert shapely.area(layer.geometries) == pytest.approx(list(layer.columns["Shape_Area"]), rel=1e-9)


def test_aliases_types_and_lengths_of_fields_are_told():
    path = shared_file("vector-formats", "personal-gdb", "sample.mdb")
    layer = read_spatial_file(path, path.name).layer("non_spatial")
    fields = {field.name: (field.alias, field.type, field.length) for field in layer.fields}
    assert layer.alias == "A non spatial table"
    assert fields["text_field"] == ("Text Field Alias", "text", 50) and fields["date_field"][1] == "moment"
    assert layer.values(0)["double_field"] == 14.5


def test_heights_are_left_off_with_a_note():
    path = shared_file("vector-formats", "personal-gdb", "geometry_types.mdb")
    layer = read_spatial_file(path, path.name).layer("polygon_z")
    assert not shapely.has_z(layer.geometries[0]) and any("高程" in note for note in layer.notes)


def test_shells_and_holes_are_told_apart():
    other = [(20, 0), (20, 10), (30, 10), (30, 0), (20, 0)]
    found = geometry_of(blob(5, SHELL, HOLE, other))
    assert found.geom_type == "MultiPolygon" and found.area == 100 - 4 + 100


def test_heights_and_measures_do_not_shift_the_points():
    z = struct.pack("<2d", 0, 1) + numpy.arange(5, dtype="<f8").tobytes()
    value = blob(51 | 0x80000000, SHELL, tail=z)
    assert geometry_of(value).area == 100 and has_height(value) and not has_curves(value)


@pytest.mark.parametrize(("bits", "area"), [(0x8, 100 + 12.5 * math.pi), (0x0, 100 - 12.5 * math.pi)])
def test_circular_arc_is_cut_to_the_area_of_its_half_disc(bits, area):
    """The right edge from (10,10) to (10,0) is a half circle around (10,5): clockwise bulges out of a clockwise ring."""
    ring = [(0, 0), (0, 10), (10, 10), (10, 0), (0, 0)]
    is_outward = bits == 0x8
    curve = struct.pack("<i", 1) + struct.pack("<2i2di", 2, 1, 10.0, 5.0, 0x0 if is_outward else 0x8)
    found = geometry_of(blob(51 | 0x20000000, ring, tail=curve))
    assert found.area == pytest.approx(area, rel=1e-4) and has_curves(blob(51 | 0x20000000, ring, tail=curve))


def test_bezier_curve_keeps_its_ends_and_middle():
    line = [(0, 0), (10, 0)]
    curve = struct.pack("<i", 1) + struct.pack("<2i4d", 0, 4, 0.0, 10.0, 10.0, 10.0)
    found = geometry_of(blob(50 | 0x20000000, line, tail=curve))
    assert found.coords[0] == (0, 0) and found.coords[-1] == (10, 0)
    assert found.distance(shapely.Point(5, 7.5)) < 0.02


def test_ellipse_runs_through_its_axes():
    line = [(10, 0), (-10, 0)]
    curve = struct.pack("<i", 1) + struct.pack("<2i5di", 0, 5, 0.0, 0.0, 0.0, 10.0, 0.5, 0x800)
    found = geometry_of(blob(50 | 0x20000000, line, tail=curve))
    assert found.distance(shapely.Point(0, 5)) < 0.01


@pytest.mark.parametrize("value", [b"\x05\x00\x00\x00short", struct.pack("<I", 99), blob(5, SHELL)[:-30]])
def test_damaged_shape_is_told(value):
    with pytest.raises(DamagedShape):
        geometry_of(value)


def test_null_shape_is_no_geometry():
    assert geometry_of(b"") is None and geometry_of(struct.pack("<I", 0)) is None


def test_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "a.mdb"
    path.write_bytes(b"no database at all, but long enough")
    with pytest.raises(InvalidData, match="不是 Access 数据库"):
        read_spatial_file(path, "a.mdb")


def test_cut_off_database_is_refused_in_time(tmp_path):
    path = tmp_path / "a.mdb"
    path.write_bytes(shared_file("vector-formats", "personal-gdb", "sample.mdb").read_bytes()[:30_000])
    with pytest.raises(InvalidData, match="a.mdb"):
        read_spatial_file(path, "a.mdb")


def test_missing_programs_are_said(monkeypatch):
    path = shared_file("vector-formats", "personal-gdb", "sample.mdb")
    monkeypatch.setattr(personal_geodatabase.shutil, "which", lambda name: None)
    with pytest.raises(OutsideSystemDown, match="mdbtools"):
        read_spatial_file(path, path.name)
