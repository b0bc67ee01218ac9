"""A handful of square plots in 青浦 with exact edges, for tests of ranges, overlays and outflows."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import shapely
from sqlmodel import Session

from domain import case_range
from domain.actor import SYSTEM, Actor
from domain.area import area_m2
from domain.case_range import CaseRange, RangeUpload
from domain.layer import FeatureData, load_layer
from portal.database import Database

QINGPU, PUDONG = "310118", "310115"
SIDE = 2.0**-10
"""Degrees; edges at multiples of it, and their halves, are exact doubles."""
WEST, SOUTH = 121.0625, 31.0625


def plot(left: float, bottom: float = 0, width: float = 1, height: float = 1) -> shapely.Polygon:
    """A rectangle whose corner and size are given in sides from the south-west corner of the sample."""
    x, y = WEST + left * SIDE, SOUTH + bottom * SIDE
    return shapely.box(x, y, x + width * SIDE, y + height * SIDE)


PERMANENT, PADDY, DRY, BUILT = plot(0), plot(1), plot(2), plot(3)


def _feature(key: str, shape: shapely.Polygon, class_value: str, state: str = "", /, **attributes: Any) -> FeatureData:
    return FeatureData(key, QINGPU, class_value, area_m2(shape), shape, attributes, state)


def load_plots(session: Session) -> None:
    """Permanent farmland, protected paddy, protected dry land and built land side by side, in three layers."""
    on = date(2026, 1, 1)
    land = [("DL-1", PERMANENT, "0101"), ("DL-2", PADDY, "0101"), ("DL-3", DRY, "0103"), ("DL-4", BUILT, "0701")]
    load_layer(session, SYSTEM, "land_use", [
        _feature(key, shape, code, class_code=code, location_unit_name="样例镇") for key, shape, code in land
    ], on, is_generated=True)
    farmland = [("JN-1", PERMANENT, "永久基本农田", "0101"), ("JN-2", PADDY, "耕地保护空间", "0101"), ("JN-3", DRY, "耕地保护空间", "0103")]
    load_layer(session, SYSTEM, "permanent_farmland", [
        _feature(key, shape, kind, protection_type=kind, class_code=code) for key, shape, kind, code in farmland
    ], on, is_generated=True)
    plots = [("GD-2", PADDY, "0101", "已预存"), ("GD-3", DRY, "0103", "可用")]
    load_layer(session, SYSTEM, "annual_farmland", [
        _feature(key, shape, code, status, status=status) for key, shape, code, status in plots
    ], on, is_generated=True)


def geojson(*shapes: shapely.Geometry, crs: str | None = "urn:ogc:def:crs:EPSG::4490") -> bytes:
    """A GeoJSON file with these polygons."""
    features = [{"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(each))} for each in shapes]
    named = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
    return json.dumps({"type": "FeatureCollection", "features": features, **named}).encode()


def read_file(database: Database, actor: Actor, case_id: int, content: bytes, file_name: str = "range.geojson", **said: Any) -> CaseRange:
    """Upload a range file; nothing counts yet."""
    received = case_range.receive(database.office.files, file_name, content)
    with database.writing() as session:
        return case_range.read_upload(session, actor, case_id, RangeUpload(received, file_name, **said))


def give_range(database: Database, actor: Actor, case_id: int, *shapes: shapely.Geometry, **said: Any) -> CaseRange:
    """Upload a range and confirm it."""
    said = {key: Decimal(value) if key.endswith("_m2") else value for key, value in said.items()}
    row = read_file(database, actor, case_id, geojson(*shapes), **said)
    with database.writing() as session:
        return case_range.confirm(session, actor, case_id, row.id)
