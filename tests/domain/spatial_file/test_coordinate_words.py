"""Which accepted system a text names, in Esri's spelling too, and what coordinates alone suggest."""

import numpy
import pytest
import shapely

from domain.projection import STORAGE, CoordinateSystem, zone_system
from domain.spatial_file import FileLayer, suggest_system
from domain.spatial_file.coordinate_words import suggestion_words, system_of_words

GCS = (
    'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",'
    'SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)


def esri(name, east, meridian, geographic=GCS, scale=1.0):
    return (
        f'PROJCS["{name}",{geographic},PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",{east}],'
        f'PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",{meridian}],PARAMETER["Scale_Factor",{scale}],'
        'PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
    )


def layer(*points, geometry_type="Point"):
    shapes = numpy.array([shapely.Point(*point) for point in points], dtype=object)
    return FileLayer("a", geometry_type, (), shapes, {})


@pytest.mark.parametrize(
    ("text", "system"),
    [
        (esri("CGCS2000_3_Degree_GK_Zone_40", 40500000.0, 120.0), zone_system(40)),
        (esri("CGCS2000_3_Degree_GK_CM_120E", 500000.0, 120.0), zone_system(40, False)),
        (esri("CGCS2000_3_Degree_GK_Zone_41", 41500000.0, 123.0), zone_system(41)),
        (esri("my own name", 40500000.0, 120.0), zone_system(40)),
        (esri("x", 40500000.0, 120.0)[:-1] + ',AUTHORITY["EPSG",4528]]', zone_system(40)),
        (GCS, STORAGE), ("EPSG:4490", STORAGE), ("urn:ogc:def:crs:EPSG::4549", zone_system(40, False)),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", CoordinateSystem(4326)),
    ],
)  # fmt: skip
def test_accepted_systems_are_told_by_their_parameters(text, system):
    assert system_of_words(text) == (system, system.title)


XIAN = GCS.replace("GCS_China_Geodetic_Coordinate_System_2000", "GCS_Xian_1980").replace("D_China_2000", "D_Xian_1980").replace(
    'SPHEROID["CGCS2000",6378137.0,298.257222101]', 'SPHEROID["Xian_1980",6378140.0,298.257]'
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (esri("Xian_1980_3_Degree_GK_Zone_40", 40500000.0, 120.0, XIAN), "Xian"),
        (esri("CGCS2000_GK_Zone_20", 20500000.0, 117.0), "CGCS2000 / Gauss-Kruger zone 20"),
        (esri("CGCS2000 shifted", 40500123.0, 120.0), "CGCS2000 shifted"),
        (esri("CGCS2000 scaled", 40500000.0, 120.0, scale=0.9996), "CGCS2000 scaled"),
        ("EPSG:3857", "EPSG:3857"), ("nonsense", "nonsense"),
    ],
)  # fmt: skip
def test_other_systems_are_named_and_not_accepted(text, words):
    system, named = system_of_words(text)
    assert system is None and words in named


@pytest.mark.parametrize("text", ["", "  ", 'LOCAL_CS["Undefined Cartesian SRS"]', 'ENGCRS["x",EDATUM["Unknown"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["m",1]]'])
def test_no_system_counts_as_unnamed(text):
    assert system_of_words(text) == (None, "")


@pytest.mark.parametrize(
    ("points", "system", "words"),
    [
        ([(121.4, 31.2), (121.5, 31.3)], STORAGE, "只是建议"),
        ([(40500000, 3442000)], zone_system(40), "第 40 带"),
        ([(41400000, 3442000)], zone_system(41), "第 41 带"),
        ([(500000, 3442000)], None, "看不出是哪一带"),
        ([(40500000, 3442000), (41400000, 3442000)], None, "不像"),
        ([(31.2, 121.4)], None, "纬度写在了经度前面"),
        ([(3442000, 40500000)], None, "X、Y 写反"),
        ([(-3000, 2000)], None, "地方坐标系"),
        ([], None, ""),
    ],
)
def test_coordinates_only_suggest(points, system, words):
    assert suggest_system(layer(*points)) == system
    assert words in suggestion_words(layer(*points))
    assert layer(*points).system is None
