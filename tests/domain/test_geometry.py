"""Validity, with the cases of the JTS test suite, and exact storage."""

from xml.etree import ElementTree

import pytest
import shapely

from domain.geometry import (
    CrsMismatch,
    InvalidGeometry,
    ewkb,
    fault_of,
    from_ewkb,
    multipolygon,
    polygons_of,
    require_polygons,
)
from tests.domain.shared_data import shared_file

JTS_FILES = ("TestValid.xml", "TestValid2.xml", "TestValid2-big.xml")


@pytest.mark.parametrize("name", JTS_FILES)
def test_validity_agrees_with_every_case_of_jts(name):
    path = shared_file("invalid-geometry", "jts", "testxml", "general", name)
    different, seen = [], set()
    for case in ElementTree.parse(path).getroot().iter("case"):
        geometry = _geometry(case.findtext("a").strip())
        expected = case.find("test/op").text.strip() == "true"
        seen.add(expected)
        if (fault_of(geometry) is None) != expected:
            different.append(case.findtext("desc"))
    assert different == [] and seen


def _geometry(text: str):
    return shapely.from_wkb(text) if text[:2] in {"00", "01"} else shapely.from_wkt(text)


def test_fault_names_reason_and_place():
    bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    fault = fault_of(bow_tie)
    assert (fault.reason, fault.x, fault.y) == ("边界自相交", 1.0, 1.0)


@pytest.mark.parametrize(
    ("geometry", "error", "words"),
    [
        (
            shapely.Polygon([(121, 31), (121.1, 31.1), (121.1, 31), (121, 31.1)]),
            InvalidGeometry,
            "121.050000",
        ),
        (shapely.Polygon(), InvalidGeometry, "图形为空"),
        (shapely.LineString([(121, 31), (122, 31)]), InvalidGeometry, "LineString"),
        (shapely.box(605_000, 3_442_000, 605_100, 3_442_100), CrsMismatch, "EPSG:4490"),
    ],
)
def test_unfit_geometry_is_refused_with_its_reason(geometry, error, words):
    with pytest.raises(error, match=words):
        require_polygons(geometry)


def test_polygon_in_degrees_is_taken():
    require_polygons(shapely.box(121, 31, 121.1, 31.1))


def test_polygons_are_found_at_every_depth():
    square, other = shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)
    nested = shapely.GeometryCollection(
        [
            shapely.Point(0, 0),
            shapely.GeometryCollection(
                [shapely.MultiPolygon([square, other]), shapely.LineString([(0, 0), (1, 1)])]
            ),
        ]
    )
    assert polygons_of(nested) == [square, other]
    assert multipolygon(shapely.Point(0, 0)).is_empty


def test_storage_keeps_every_bit_and_the_system():
    polygon = shapely.Polygon([(121.1 + 1e-14, 31.2), (121.3, 31.2 - 3e-15), (121.3, 31.4)])
    stored = from_ewkb(ewkb(polygon))
    assert shapely.to_wkb(stored, include_srid=False) == shapely.to_wkb(polygon)
    assert shapely.get_srid(stored) == 4490
