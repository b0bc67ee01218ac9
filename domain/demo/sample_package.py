"""Sample packages for demos and tests: a GeoPackage that fits a scheme field by field, and what is then spoilt in it."""

import re
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import shapely

from domain.area import area_m2
from domain.geometry import multipolygon
from domain.inspection.scheme import UNITS, FieldSpec, LayerSpec, Scheme

WEST, SOUTH, STEP = 121.0, 31.08, 0.0008
"""Where the first sample patch lies: farmland in the north of Qingpu, made up."""
COLUMNS = 24
_KINDS = {"polygon": "MultiPolygon", "line": "MultiLineString", "point": "Point"}
_NUMBERS = ("integer", "decimal")
_TYPES = {"integer": "int64", "decimal": "float64", "date": "datetime64[D]", "moment": "datetime64[ms]"}
Spoilt = Mapping[tuple[str, int, str], Any]
"""Other values by layer, row from 0, and field; the field "geometry" is the shape."""


def package(scheme: Scheme, district: str, count: int = 12, spoilt: Spoilt | None = None, first: int = 0) -> bytes:
    """A GeoPackage with `count` adjoining patches in each required layer; `first` numbers the first of them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.gpkg"
        layers = required(scheme)
        for layer in layers:
            _write(path, layer, _rows(layer, scheme, district, count, first, spoilt or {}))
        _describe(path, layers)
        return path.read_bytes()


def required(scheme: Scheme) -> list[LayerSpec]:
    """The layers that a package must hold; of a scheme that asks for none, the first."""
    return [layer for layer in scheme.layers if layer.is_required] or [scheme.layers[0]]


def patch(place: int) -> shapely.MultiPolygon:
    """The square at a place of the sample grid."""
    column, row = place % COLUMNS, place // COLUMNS
    west, east = (round(WEST + each * STEP, 7) for each in (column, column + 1))
    south, north = (round(SOUTH + each * STEP, 7) for each in (row, row + 1))
    return multipolygon(shapely.box(west, south, east, north))


def _rows(layer: LayerSpec, scheme: Scheme, district: str, count: int, first: int, spoilt: Spoilt) -> list[dict[str, Any]]:
    rows = []
    for place in range(count):
        row = _row(layer, district, first + place)
        for field, other, to in layer.relations:
            row[field] = _row(scheme.layer(other), district, first + place)[to]
        rows.append(row | {field: value for (name, at, field), value in spoilt.items() if (name, at) == (layer.name, place)})
    return rows


def _row(layer: LayerSpec, district: str, place: int) -> dict[str, Any]:
    shape = patch(place)
    row: dict[str, Any] = {"geometry": shape if layer.geometry == "polygon" else shape.centroid}
    for field in layer.fields:
        row[field.name] = _value(field, district, place)
    if layer.district_field:
        row[layer.district_field] = district
    for field, of in layer.prefixes:
        row[field] = _numbered(layer.field(field), str(row[of]), place)
    for code, name in layer.names:
        row[name] = (layer.field(code).codes or {}).get(str(row[code]), row[name])
    if layer.area_field:
        row[layer.area_field] = float((area_m2(shape) / UNITS[layer.area_unit]).quantize(Decimal("0.01")))
    if layer.x_field:
        row[layer.x_field], row[layer.y_field] = row["geometry"].x, row["geometry"].y
    return row


def _value(field: FieldSpec, district: str, place: int) -> Any:
    """A value that the field takes: a code, a number in its range, a text that fits its pattern and length."""
    if field.codes:
        return next(iter(field.codes))
    if field.type in _NUMBERS:
        return float(max(field.lowest or Decimal(0), Decimal(min(field.highest or 1, 1))))
    if field.type in ("date", "moment"):
        return numpy.datetime64("2026-01-01")
    if field.is_unique:
        return _numbered(field, district, place)
    return next(_candidates(field, district, place))[: field.length or 60]


def _numbered(field: FieldSpec, prefix: str, place: int) -> str:
    width = max((field.length or 18) - len(prefix), 3)
    return f"{prefix}{place + 1:0{min(width, 12)}d}"[: field.length or 60]


def _candidates(field: FieldSpec, district: str, place: int) -> Iterator[str]:
    known = ("样例", "2026", district, f"{district}000000", "20260101", "1", "01", f"{place + 1:04d}", f"{place + 1:0{field.length or 4}d}")
    yield from (each for each in known if not field.pattern or re.fullmatch(field.pattern, each))
    yield "样例"


def _write(path: Path, layer: LayerSpec, rows: list[dict[str, Any]]) -> None:
    import pyogrio

    columns = [numpy.array([row[field.name] for row in rows], dtype=_TYPES.get(field.type, object)) for field in layer.fields]
    names = [field.name for field in layer.fields]
    if layer.geometry == "table":
        pyogrio.raw.write(path, None, columns, names, layer=layer.name, driver="GPKG", append=path.exists())
        return
    shapes = shapely.to_wkb([row["geometry"] for row in rows])
    pyogrio.raw.write(
        path, shapes, columns, names, layer=layer.name, driver="GPKG", geometry_type=_KINDS[layer.geometry], crs="EPSG:4490",
        append=path.exists(), layer_options={"IDENTIFIER": layer.alias or layer.name},
    )  # fmt: skip


def _describe(path: Path, layers: Sequence[LayerSpec]) -> None:
    """Chinese names and lengths of the fields, which the driver does not write by itself."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "create table gpkg_data_columns (table_name text not null, column_name text not null, name text, title text, description text,"
            " mime_type text, constraint_name text, primary key (table_name, column_name))"
        )
        database.execute("pragma writable_schema = on")
        for layer in layers:
            for field in layer.fields:
                database.execute(
                    "insert into gpkg_data_columns (table_name, column_name, name, title) values (?, ?, ?, ?)",
                    (layer.name, field.name, field.name, field.alias or field.name),
                )
                if field.length and field.type in ("", "text"):
                    database.execute(
                        "update sqlite_master set sql = replace(sql, ?, ?) where type = 'table' and name = ?",
                        (f'"{field.name}" TEXT', f'"{field.name}" TEXT({field.length})', layer.name),
                    )
        database.execute("pragma writable_schema = reset")


def key_of(layer: LayerSpec, district: str, place: int) -> Any:
    """The value by which the sample patch of a place is named in a layer."""
    return _row(layer, district, place)[layer.key]
