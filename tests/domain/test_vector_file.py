"""Vector files with attributes: encodings with and without .cpg, conversion, and what is refused."""

import io
import json
import zipfile
from decimal import Decimal

import pytest
import shapely

from domain.area import area_m2
from domain.errors import InvalidData
from domain.layer.definition import LayerColumn
from domain.overlay import overlay_areas
from domain.projection import STORAGE, UnknownCrs, zone_system
from domain.shapefile import write_zipped_shapefile
from domain.vector_file import read_vector

WEST, EAST = shapely.box(121.2, 31.1, 121.205, 31.11), shapely.box(121.205, 31.1, 121.21, 31.11)
COLUMNS = [LayerColumn("name", "MC", "名称"), LayerColumn("size", "MJ", "面积", type="decimal")]
RECORDS = [(WEST, {"MC": "青浦区水田", "MJ": 1.5}), (EAST, {"MC": "旱地", "MJ": None})]


def without(archive: bytes, suffix: str, instead: bytes | None = None) -> bytes:
    """The zip without the member of that ending, or with another content for it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(buffer, "w") as target:
        for member in source.infolist():
            if not member.filename.endswith(suffix):
                target.writestr(member, source.read(member))
            elif instead is not None:
                target.writestr(member, instead)
    return buffer.getvalue()


@pytest.mark.parametrize("has_cpg", [True, False])
@pytest.mark.parametrize("encoding", ["GBK", "UTF-8"])
def test_chinese_attributes_are_read_in_either_encoding_with_or_without_cpg(encoding, has_cpg):
    archive = write_zipped_shapefile("图层", COLUMNS, RECORDS, STORAGE, encoding)
    file = read_vector(archive if has_cpg else without(archive, ".cpg"), "图层.zip")
    assert [feature.attributes["MC"] for feature in file.features] == ["青浦区水田", "旱地"]
    assert file.features[0].attributes["MJ"] == 1.5
    assert file.system == STORAGE and file.detected["features"] == "2"


def test_features_are_converted_from_their_zone():
    archive = write_zipped_shapefile("a", COLUMNS, RECORDS, zone_system(40))
    stored = read_vector(archive, "a.zip").stored()
    assert [feature.key for feature in stored] == ["00000001", "00000002"]
    for feature, expected in zip(stored, (WEST, EAST), strict=True):
        assert abs(area_m2(feature.geometry) - area_m2(expected)) < Decimal(1)


def test_file_can_be_overlaid_by_any_of_its_fields():
    stored = read_vector(write_zipped_shapefile("a", COLUMNS, RECORDS), "a.zip").stored()
    found = overlay_areas(shapely.box(121.204, 31.1, 121.206, 31.11), stored, by="MC")
    assert set(found.by_class()) == {"青浦区水田", "旱地"} and abs(found.residual_m2) <= Decimal("0.01")


def test_geojson_attributes_and_numbers_are_kept():
    features = [
        {"type": "Feature", "properties": {"k": 1}, "geometry": None},
        {"type": "Feature", "properties": {"k": 2}, "geometry": json.loads(shapely.to_geojson(WEST))},
    ]
    document = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    (feature,) = read_vector(document, "a.geojson", "EPSG:4490").features
    assert (feature.number, feature.attributes, feature.name) == (2, {"k": 2}, "要素 2")


def test_file_without_crs_is_not_converted():
    file = read_vector(shapely.to_geojson(WEST).encode(), "a.geojson")
    with pytest.raises(UnknownCrs, match="不能猜测"):
        file.stored()


def test_other_kinds_are_refused():
    with pytest.raises(InvalidData, match="a.kml"):
        read_vector(b"<kml/>", "a.kml")


@pytest.mark.parametrize(("stated", "words"), [(b"BIG5", "BIG5"), (b"UTF-8", "不是 UTF-8 编码")])
def test_encoding_that_is_unknown_or_wrong_is_refused(stated, words):
    archive = without(write_zipped_shapefile("a", COLUMNS, RECORDS, STORAGE, "GBK"), ".cpg", stated)
    with pytest.raises(InvalidData, match=words):
        read_vector(archive, "a.zip")
