"""GeoPackage and FileGDB: layers with their Chinese aliases and declared lengths, which the drivers do not hand out."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pyogrio

from domain.errors import InvalidData
from domain.spatial_file.driver import FAULTS, POSSIBLE_CURVE_NOTE, layers_in, read_layer
from domain.spatial_file.model import FileField, FileLayer

_OWN_TABLES = re.compile(r"^(GDB_|T_\d+_|.*__ATTACHREL$)")
_MOST_LAYERS = 500
_ITEM_FIELDS = ("GPFieldInfoEx", "GPFieldInfo", "Field")


def read_geopackage(path: Path) -> list[FileLayer]:
    """The layers and tables of a GeoPackage."""
    described = _geopackage_fields(path)
    return [
        read_layer(path, name, kind, path.name, described.get(name, ("", {}))[1], described.get(name, ("", {}))[0])
        for name, kind in _bounded(path, layers_in(path, path.name))
    ]


def read_filegdb(folder: Path) -> list[FileLayer]:
    """The feature classes and tables of a FileGDB folder (x.gdb)."""
    described = _filegdb_fields(folder)
    layers = [each for each in layers_in(folder, folder.name) if not _OWN_TABLES.match(each[0])]
    read = []
    for name, kind in _bounded(folder, layers):
        alias, fields = described.get(name, ("", {}))
        layer = read_layer(folder, name, kind, folder.name, fields, alias)
        # The driver cuts curves by itself and does not say in which layer there were any.
        may_be_curved = layer.geometry_type.endswith(("Polygon", "LineString")) and layer.count > 0
        read.append(replace(layer, notes=(*layer.notes, POSSIBLE_CURVE_NOTE)) if may_be_curved else layer)
    return read


def _bounded(path: Path, layers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if not layers:
        raise InvalidData(f"“{path.name}”里没有图层。请确认导出时选定了图层。")
    if len(layers) > _MOST_LAYERS:
        raise InvalidData(f"“{path.name}”有 {len(layers)} 个图层，超过 {_MOST_LAYERS} 个。请拆分后提供。")
    return layers


def _geopackage_fields(path: Path) -> dict[str, tuple[str, dict[str, FileField]]]:
    """Alias and fields by layer, from the tables of the GeoPackage itself."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            aliases = dict(database.execute("select table_name, identifier from gpkg_contents"))
            titles = _titles(database)
            return {
                table: (_alias(alias, table), {
                    name: FileField(name, titles.get((table, name), ""), length=_width(kind))
                    for _, name, kind, *_ in database.execute(f"pragma table_info({_quoted(table)})")
                })
                for table, alias in aliases.items()
            }  # fmt: skip
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise InvalidData(
            f"“{path.name}”不是完整的 GeoPackage（缺少目录表或已损坏）。请重新导出。（{error}）"
        ) from error


def _titles(database: sqlite3.Connection) -> dict[tuple[str, str], str]:
    has_titles = database.execute("select 1 from sqlite_master where name = 'gpkg_data_columns'").fetchone()
    rows = database.execute("select table_name, column_name, name, title from gpkg_data_columns") if has_titles else ()
    return {(table, column): _alias(title or name or "", column) for table, column, name, title in rows}


def _alias(text: str | None, name: str) -> str:
    return "" if text is None or text == name else text


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _width(kind: str) -> int:
    found = re.search(r"\((\d+)\)", kind or "")
    return int(found.group(1)) if found else 0


def _filegdb_fields(folder: Path) -> dict[str, tuple[str, dict[str, FileField]]]:
    """Alias and fields by layer, from the definitions in GDB_Items; geodatabases before 10 have none."""
    try:
        meta, _, _, columns = pyogrio.raw.read(folder, layer="GDB_Items", columns=["Name", "Definition"], read_geometry=False)
    except (*FAULTS, UnicodeDecodeError):
        return {}
    by_name = dict(zip(meta["fields"], columns, strict=True))
    found = {}
    for name, definition in zip(by_name["Name"], by_name["Definition"], strict=True):
        if name and definition and "FieldInfo" in definition:
            found[name] = described(definition, name)
    return found


def described(definition: str, table: str) -> tuple[str, dict[str, FileField]]:
    """Alias and fields from Esri's XML definition of a feature class or table; nothing from a damaged one."""
    try:
        root = ElementTree.fromstring(definition)
    except ElementTree.ParseError:
        return "", {}
    fields = {}
    for item in root.iter():
        if item.tag.rpartition("}")[2] in _ITEM_FIELDS:
            name = item.findtext("Name") or ""
            fields[name] = FileField(
                name, _alias(item.findtext("AliasName"), name),
                length=_whole(item, "Length") or _whole(item, "Precision"), decimals=_whole(item, "Scale"),
            )  # fmt: skip
    return _alias(root.findtext("AliasName"), table), fields


def _whole(item: ElementTree.Element, tag: str) -> int:
    text = item.findtext(tag) or ""
    return int(text) if text.isdigit() else 0
