"""GeoJSON files in the storage system, which name it, as our own readers ask of a file."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}


def content_of(features: Iterable[tuple[Mapping[str, Any], BaseGeometry]]) -> bytes:
    """A file with these features, given by properties and geometry (EPSG:4490); every digit as it is stored."""
    found = [
        {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(geometry)} for properties, geometry in features
    ]
    return json.dumps({"type": "FeatureCollection", "crs": CRS, "features": found}, ensure_ascii=False).encode()
