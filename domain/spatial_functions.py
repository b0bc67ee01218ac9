"""The spatial SQL functions that SQLite lacks, computed by shapely and registered on every connection.

No system library is loaded (mod_spatialite and the wheels bring two versions of GEOS into one process), so
one GEOS serves both the database and the Python side. Heavy work belongs on the in-memory index of a layer,
not in these functions.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from domain.geometry import STORAGE_SRID, ewkb, from_ewkb

_PREDICATES: dict[str, Callable[[BaseGeometry, BaseGeometry], bool]] = {
    "ST_Intersects": shapely.intersects,
    "ST_Contains": shapely.contains,
    "ST_Within": shapely.within,
    "ST_Covers": shapely.covers,
    "ST_Touches": shapely.touches,
    "ST_Overlaps": shapely.overlaps,
}

_OVERLAYS: dict[str, Callable[[BaseGeometry, BaseGeometry], BaseGeometry]] = {
    "ST_Intersection": shapely.intersection,
    "ST_Difference": shapely.difference,
    "ST_Union": shapely.union,
}

_BOUNDS = {"ST_MinX": 0, "ST_MinY": 1, "ST_MaxX": 2, "ST_MaxY": 3}

_BOOKKEEPING = {
    "RecoverGeometryColumn": 1,
    "DiscardGeometryColumn": 1,
    "CreateSpatialIndex": 1,
    "DisableSpatialIndex": 1,
    "CheckSpatialIndex": 0,
    "InitSpatialMetaData": 1,
}
"""What GeoAlchemy2 calls while it creates and drops tables; plain SQLite has nothing to keep for them."""


def register(dbapi_connection: Any) -> None:
    """Give a sqlite3 connection the functions that GeoAlchemy2 and our statements call.

    Geometries are EWKB blobs in EPSG:4490. A null argument gives null, as in PostGIS. `ST_Area` is left out
    on purpose: areas are ellipsoidal and computed by domain.area alone.
    """

    def add(name: str, arity: int, function: Callable[..., Any]) -> None:
        dbapi_connection.create_function(name, arity, function, deterministic=True)

    for name, predicate in _PREDICATES.items():
        add(name, 2, _asked(predicate))
    for name, overlay in _OVERLAYS.items():
        add(name, 2, _of_two(overlay, ewkb))
    for name, index in _BOUNDS.items():
        add(name, 1, _of_one(lambda geometry, index=index: geometry.bounds[index]))
    for name, answer in _BOOKKEEPING.items():
        add(name, -1, lambda *_arguments, answer=answer: answer)
    _add_conversions(add)


def _add_conversions(add: Callable[[str, int, Callable[..., Any]], None]) -> None:
    """Constructors and outputs under the names that GeoAlchemy2 writes on SQLite."""
    for arity in (1, 2):
        add("GeomFromEWKB", arity, _constructor(from_ewkb))
        add("GeomFromWKB", arity, _constructor(from_ewkb))
        add("GeomFromText", arity, _constructor(shapely.from_wkt))
    add("GeomFromEWKT", 1, _constructor(_from_ewkt))
    add("AsEWKB", 1, _of_one(ewkb))
    add("ST_AsText", 1, _of_one(lambda geometry: shapely.to_wkt(geometry, rounding_precision=-1)))
    add("ST_IsValid", 1, _of_one(lambda geometry: int(geometry.is_valid)))
    add("ST_SRID", 1, _of_one(shapely.get_srid))
    add("ST_NPoints", 1, _of_one(lambda geometry: int(shapely.get_num_coordinates(geometry))))


@functools.lru_cache(maxsize=8)
def _prepared(blob: bytes, _thread: int) -> BaseGeometry:
    """The geometry that rows are asked against, parsed and prepared once; a prepared one is never shared by threads."""
    geometry = from_ewkb(blob)
    shapely.prepare(geometry)
    return geometry


def _asked(predicate: Callable[[BaseGeometry, BaseGeometry], bool]) -> Callable[[Any, Any], Any]:
    """A predicate whose first argument stays the same from row to row, as a query's does."""

    def answer(first: Any, second: Any) -> Any:
        if first is None or second is None:
            return None
        return int(predicate(_prepared(bytes(first), threading.get_ident()), from_ewkb(second)))

    return answer


def _of_one(function: Callable[[BaseGeometry], Any]) -> Callable[[Any], Any]:
    return lambda blob: None if blob is None else function(from_ewkb(blob))


def _of_two(
    function: Callable[[BaseGeometry, BaseGeometry], Any], convert: Callable[[Any], Any]
) -> Callable[..., Any]:
    def answer(first: Any, second: Any) -> Any:
        if first is None or second is None:
            return None
        return convert(function(from_ewkb(first), from_ewkb(second)))

    return answer


def _constructor(read: Callable[[Any], BaseGeometry]) -> Callable[..., Any]:
    """Text or WKB to a stored blob; an SRID, as second argument or in the text, must be the storage system's."""

    def construct(source: Any, srid: int = STORAGE_SRID) -> Any:
        if source is None:
            return None
        geometry = read(source)
        if {srid, shapely.get_srid(geometry)} - {0, STORAGE_SRID}:
            raise ValueError(
                f"geometry in SRID {shapely.get_srid(geometry) or srid}, stored are only {STORAGE_SRID}"
            )
        return ewkb(geometry)

    return construct


def _from_ewkt(text: str) -> BaseGeometry:
    head, semicolon, body = text.partition(";")
    if not semicolon:
        return shapely.from_wkt(text)
    return shapely.set_srid(shapely.from_wkt(body), int(head.upper().removeprefix("SRID=")))
