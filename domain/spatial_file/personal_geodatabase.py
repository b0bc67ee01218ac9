"""Personal geodatabases (.mdb) of ArcGIS, read through the programs of mdbtools, each with a time limit."""

import csv
import datetime
import io
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import shapely

from domain.errors import InvalidData, OutsideSystemDown
from domain.spatial_file.columns import as_column
from domain.spatial_file.coordinate_words import system_of_words
from domain.spatial_file.database_file import described
from domain.spatial_file.driver import CURVE_NOTE, HEIGHT_NOTE
from domain.spatial_file.model import FileField, FileLayer
from domain.spatial_file.shape_blob import DamagedShape, geometry_of, has_curves, has_height

TIME_LIMIT_S = 300
"""The longest that one call of mdbtools may take; damaged files can make it run forever."""
_MAGIC = (b"Standard Jet DB", b"Standard ACE DB")
_SHAPES = {1: "Point", 2: "MultiPoint", 3: "MultiLineString", 4: "MultiPolygon", 9: "MultiPolygon"}
_OWN = re.compile(r"^(GDB_|MSys|f_|Selections$|SelectedObjects$|USys)|_Shape_Index$", re.IGNORECASE)
_TYPES = (
    ("Boolean", "boolean"), ("Byte", "integer"), ("Long Integer", "integer"), ("Integer", "integer"), ("Single", "decimal"),
    ("Double", "decimal"), ("Numeric", "decimal"), ("Currency", "decimal"), ("DateTime", "moment"), ("OLE", "binary"),
    ("Text", "text"), ("Memo", "text"), ("Replication", "text"),
)  # fmt: skip
_COLUMN = re.compile(r"^\s*\[(?P<name>[^\]]+)\]\s+(?P<type>[A-Za-z/ ]+?)\s*(?:\((?P<size>[\d, ]+)\))?(?: NOT NULL)?\s*,?\s*$")


def read_personal_geodatabase(path: Path) -> list[FileLayer]:
    """The feature classes and tables of a personal geodatabase. Raises InvalidData naming file and reason."""
    with path.open("rb") as file:
        if file.read(19)[4:] not in _MAGIC:
            raise InvalidData(f"“{path.name}”不是 Access 数据库（文件头不对）。请重新导出个人地理数据库。")
    tables = _run(path, "mdb-tables", "-1", str(path)).splitlines()
    own = {name for name in tables if name.startswith("GDB_")}
    if "GDB_GeomColumns" not in own:
        raise InvalidData(
            f"“{path.name}”是 Access 数据库，但不是个人地理数据库（没有 GDB_GeomColumns 表）。请提供 ArcGIS 的个人地理数据库。"
        )
    shapes = {row["TableName"]: row for row in _rows(path, "GDB_GeomColumns")}
    systems = {row["SRID"]: row.get("SRTEXT") or "" for row in _rows(path, "GDB_SpatialRefs")}
    aliases = _aliases(path, own)
    schema = _schema(path)
    return [
        _layer(path, name, schema[name], shapes.get(name), systems, aliases.get(name.lower(), ("", {})))
        for name in tables if not _OWN.search(name) and name in schema
    ]  # fmt: skip


def _layer(
    path: Path, name: str, declared: list[FileField], shape: Mapping[str, str] | None,
    systems: Mapping[str, str], described_: tuple[str, Mapping[str, FileField]],
) -> FileLayer:  # fmt: skip
    alias, known = described_
    column = next((field.name for field in declared if shape and field.name.lower() == shape["FieldName"].lower()), None)
    rows = _rows(path, name)
    fields = [_with_alias(field, known) for field in declared if field.name != column and field.type != "binary"]
    columns = {field.name: as_column(_value(row.get(field.name), field.type) for row in rows) for field in fields}
    blobs = [_blob(row.get(column)) if column else b"" for row in rows]
    geometries, notes = _geometries(blobs, path.name, name)
    kind = _SHAPES.get(int(float(shape["ShapeType"])), "Geometry") if shape else ""
    system, words = system_of_words(systems.get(shape["SRID"], "")) if shape else (None, "")
    if words.startswith("{"):  # the code of "no coordinate system"
        words = ""
    return FileLayer(name, kind, tuple(fields), as_column(geometries), columns, system, words, alias, tuple(notes))


def _with_alias(field: FileField, known: Mapping[str, FileField]) -> FileField:
    found = known.get(field.name)
    return replace(field, alias=found.alias, decimals=found.decimals or field.decimals) if found else field


def _geometries(blobs: list[bytes], file_name: str, layer: str) -> tuple[list, list[str]]:
    found = []
    for number, blob in enumerate(blobs, start=1):
        try:
            found.append(geometry_of(blob))
        except DamagedShape as error:
            raise InvalidData(f"“{file_name}”图层“{layer}”第 {number} 行的{error}，不能读取。请修复后重新导出。") from error
    notes = [CURVE_NOTE] if any(has_curves(blob) for blob in blobs) else []
    notes += [HEIGHT_NOTE] if any(has_height(blob) for blob in blobs) else []
    return [None if each is None else shapely.force_2d(each) for each in found], notes


def _blob(text: str | None) -> bytes:
    return bytes.fromhex(text) if text else b""


def _aliases(path: Path, own: set[str]) -> dict[str, tuple[str, Mapping[str, FileField]]]:
    """Alias and fields by table in lower case, from GDB_Items (10 and later) or the older tables."""
    if "GDB_Items" in own:
        rows = [row for row in _rows(path, "GDB_Items") if row.get("Definition") and row.get("Name")]
        return {row["Name"].lower(): described(row["Definition"], row["Name"]) for row in rows}
    if not {"GDB_ObjectClasses", "GDB_FieldInfo"} <= own:
        return {}
    names = {row["ID"]: row for row in _rows(path, "GDB_ObjectClasses")}
    fields: dict[str, dict[str, FileField]] = {}
    for row in _rows(path, "GDB_FieldInfo"):
        name, alias = row.get("FieldName", ""), row.get("AliasName") or ""
        fields.setdefault(row.get("ClassID", ""), {})[name] = FileField(name, alias if alias != name else "")
    return {
        row["Name"].lower(): (row.get("AliasName") if row.get("AliasName") != row["Name"] else "", fields.get(key, {}))
        for key, row in names.items()
    }


def _schema(path: Path) -> dict[str, list[FileField]]:
    """Declared fields by table."""
    text = _run(path, "mdb-schema", "--no-indexes", "--no-relations", "--no-default-values", str(path))
    found: dict[str, list[FileField]] = {}
    table = ""
    for line in text.splitlines():
        opened = re.match(r"^CREATE TABLE \[(.+)\]", line)
        if opened:
            table = opened.group(1)
            found[table] = []
        elif table and (column := _COLUMN.match(line)):
            found[table].append(_declared(column))
    return found


def _declared(column: re.Match) -> FileField:
    kind = next((own for name, own in _TYPES if column["type"].startswith(name)), "text")
    sizes = [int(each) for each in re.findall(r"\d+", column["size"] or "")]
    is_sized = kind == "decimal" or column["type"].startswith("Text")
    return FileField(
        column["name"], "", kind, sizes[0] if sizes and is_sized else 0,
        sizes[1] if len(sizes) > 1 and kind == "decimal" else 0,
    )  # fmt: skip


def _rows(path: Path, table: str) -> list[dict[str, str]]:
    text = _run(
        path, "mdb-export", "-b", "hex", "-D", "%Y-%m-%d", "-T", "%Y-%m-%d %H:%M:%S", str(path), table
    )
    csv.field_size_limit(1 << 30)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _run(path: Path, program: str, *arguments: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise OutsideSystemDown(
            f"这台服务器没有安装 mdbtools，不能读取“{path.name}”。请联系管理员安装，或改用 FileGDB、GeoPackage 提供。"
        )
    try:
        done = subprocess.run([found, *arguments], capture_output=True, timeout=TIME_LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise InvalidData(f"“{path.name}”{TIME_LIMIT_S} 秒内没有读完，文件可能已损坏。请压缩并修复数据库后重新提供。") from error
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip().replace(str(path), path.name).split("\n")[0][:120]
        raise InvalidData(f"“{path.name}”不能读取，数据库可能已损坏。请在 ArcGIS 或 Access 里压缩修复后重新提供。（{why}）")
    return done.stdout.decode("utf-8", "replace")


def _value(text: str | None, kind: str) -> Any:
    if text is None or text == "" or (kind != "text" and text.lower() in ("nan", "inf", "-inf")):
        return None
    if kind == "boolean":
        return text not in ("0", "false", "FALSE")
    if kind in ("integer", "decimal"):
        return _number(text, kind)
    return _moment(text) if kind == "moment" else text


def _number(text: str, kind: str) -> int | float | str:
    try:
        return int(text) if kind == "integer" else float(text)
    except ValueError:
        return text


def _moment(text: str) -> datetime.datetime | str:
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return text
