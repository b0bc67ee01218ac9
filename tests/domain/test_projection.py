"""Coordinate systems: which are taken, which are refused, and what conversion may not invent."""

import numpy
import pyproj
import pytest
import shapely

from domain.area import unrounded_areas_m2
from domain.geometry import CrsMismatch
from domain.projection import (
    STORAGE,
    UnknownCrs,
    from_storage,
    system_of_srid,
    system_of_text,
    to_storage,
    zone_of_easting,
    zone_of_longitude,
    zone_system,
)


@pytest.mark.parametrize(
    ("zone", "with_prefix", "srid", "meridian"),
    [
        (40, True, 4528, 120),
        (41, True, 4529, 123),
        (40, False, 4549, 120),
        (41, False, 4550, 123),
        (25, True, 4513, 75),
        (45, False, 4554, 135),
    ],
)
def test_zone_is_the_registered_system(zone, with_prefix, srid, meridian):
    system = zone_system(zone, with_prefix)
    assert (system.srid, system.central_meridian) == (srid, meridian)
    operation = pyproj.CRS.from_epsg(srid).to_dict()
    assert operation["lon_0"] == meridian
    assert operation["x_0"] == (zone * 1_000_000 + 500_000 if with_prefix else 500_000)
    assert system_of_srid(srid) == system


@pytest.mark.parametrize(
    "text", ["EPSG:4490", "urn:ogc:def:crs:EPSG::4490", pyproj.CRS.from_epsg(4490).to_wkt("WKT1_ESRI")]
)
def test_geographic_system_is_recognised_in_every_writing(text):
    assert system_of_text(text) == STORAGE


def test_esri_projection_text_of_a_zone_is_recognised():
    assert system_of_text(pyproj.CRS.from_epsg(4528).to_wkt("WKT1_ESRI")) == zone_system(40)


def test_ogc_longitude_latitude_is_wgs84():
    assert system_of_text("urn:ogc:def:crs:OGC:1.3:CRS84").srid == 4326


@pytest.mark.parametrize(
    ("text", "words"),
    [("EPSG:3857", "3857"), ("EPSG:2364", "2364"), ("上海坐标", "无法识别"), ("EPSG:32651", "32651")],
)
def test_other_systems_are_refused(text, words):
    with pytest.raises(UnknownCrs, match=words):
        system_of_text(text)


def test_system_without_number_is_refused():
    local = 'PROJCS["mine",GEOGCS["x",DATUM["y",SPHEROID["z",6377000,299]],PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["central_meridian",121.4],UNIT["Meter",1]]'
    with pytest.raises(UnknownCrs, match="没有对应的 EPSG 编号"):
        system_of_text(local)


@pytest.mark.parametrize("zone", [24, 46, 21])
def test_zone_number_outside_the_country_is_refused(zone):
    with pytest.raises(UnknownCrs, match=str(zone)):
        zone_system(zone)


@pytest.mark.parametrize(
    ("easting", "zone"),
    [(40_605_000.0, 40), (41_366_600.5, 41), (605_000.0, None), (24_999_999.0, None), (46_000_000.0, None)],
)
def test_zone_is_read_before_the_easting(easting, zone):
    assert zone_of_easting(easting) == zone


@pytest.mark.parametrize(("longitude", "zone"), [(121.49, 40), (121.51, 41), (118.51, 40)])
def test_longitude_belongs_to_the_nearest_meridian(longitude, zone):
    assert zone_of_longitude(longitude) == zone


def test_surveyed_and_stored_area_agree_because_long_edges_are_cut():
    """A 4 km edge kept whole would be off by far more than the rounding; the reference is cut a hundred times
    finer.
    """
    polygon = shapely.Polygon([(40_600_000, 3_440_000), (40_604_000, 3_441_500), (40_603_000, 3_444_000)])
    system = zone_system(40)
    fine = shapely.transform(shapely.segmentize(polygon, 0.2), lambda c: _degrees(system.srid, c))
    coarse = shapely.transform(polygon, lambda c: _degrees(system.srid, c))
    ours, exact, whole = unrounded_areas_m2([to_storage(polygon, system), fine, coarse])
    assert ours == pytest.approx(exact, abs=0.01)
    assert abs(whole - exact) > 0.05


def _degrees(srid, coordinates):
    transformer = pyproj.Transformer.from_crs(srid, 4490, always_xy=True)
    return numpy.column_stack(transformer.transform(coordinates[:, 0], coordinates[:, 1]))


def test_vertices_return_from_storage_to_a_tenth_of_a_millimetre():
    polygon = shapely.box(366_600, 3_453_000, 366_610, 3_453_010)
    system = zone_system(41, has_zone_prefix=False)
    assert shapely.equals_exact(from_storage(to_storage(polygon, system), system), polygon, tolerance=1e-4)


def test_geographic_coordinates_out_of_range_are_refused():
    with pytest.raises(CrsMismatch):
        to_storage(shapely.box(605_000, 3_442_000, 605_100, 3_442_100), STORAGE)
