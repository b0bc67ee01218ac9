"""`read_spatial_file`: one door for every format. What a file is, is told by its name and proven by its content.

The libraries of a format are loaded with the first file of it: together they take longer than the rest of the portal.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path

from domain.coordinate_transformation import LocalSystem
from domain.errors import InvalidData, PortalError
from domain.projection import CoordinateSystem, UnknownCrs, system_of_text
from domain.spatial_file.character_set import charset_named
from domain.spatial_file.coordinate_words import suggestion_words
from domain.spatial_file.model import FileLayer, SpatialFile
from domain.spatial_file.package import open_package

KINDS = {
    ".shp": "Shapefile", ".dbf": "dBASE 表", ".gdb": "FileGDB", ".gpkg": "GeoPackage", ".geojson": "GeoJSON", ".json": "GeoJSON",
    ".kml": "KML", ".kmz": "KML", ".dxf": "DXF", ".dwg": "DWG", ".mdb": "个人地理数据库", ".txt": "界址点 TXT",
    ".csv": "CSV", ".xlsx": "Excel", ".tab": "MapInfo", ".mif": "MapInfo", ".vfk": "VFK",
}  # fmt: skip
"""What a person calls each format, by ending; .zip holds any of them."""
ENDINGS = (*KINDS, ".zip")
ACCEPTED_WORDS = (
    "GeoJSON、界址点 TXT、KML/KMZ、GeoPackage、DXF、DWG、个人地理数据库（.mdb）、CSV、Excel，"
    "或压缩为 zip 的 Shapefile、FileGDB、MapInfo、VFK"
)
_SQLITE, _ZIP, _OLE = b"SQLite format 3\x00", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_WEB_PAGE = (b"<!doctype html", b"<html")
_NOT_ACCEPTED = {
    ".rar": "是 RAR 压缩包，不能解开。请改用 zip 压缩后重新上传",
    ".7z": "是 7z 压缩包，不能解开。请改用 zip 压缩后重新上传",
    ".xls": "是旧版 Excel 工作簿。请另存为 .xlsx 后重新上传",
    ".xtf": "是瑞士 INTERLIS 2 交换文件，这里没有它的读取程序。请转换为 GeoPackage 后重新上传",
    ".itf": "是瑞士 INTERLIS 1 交换文件，这里没有它的读取程序。请转换为 GeoPackage 后重新上传",
    ".shx": "只是 Shapefile 的索引。请把同名的 .shp、.shx、.dbf、.prj 一起压缩为 zip 后上传",
    ".prj": "只是坐标系说明。请把同名的 .shp、.shx、.dbf、.prj 一起压缩为 zip 后上传",
    ".cpg": "只是编码说明。请把同名的 .shp、.shx、.dbf、.prj 一起压缩为 zip 后上传",
    ".ods": "是 ODS 表格。请另存为 .xlsx 后重新上传",
    ".topojson": "是 TopoJSON。请另存为 GeoJSON 后重新上传",
    ".gml": "是 GML，结构说明在别的文件里，不能单独读取。请转换为 GeoPackage 后重新上传",
    ".dgn": "是 MicroStation 图纸。请另存为 DXF 后重新上传",
    ".accdb": "是新版 Access 数据库，不是个人地理数据库。请导出为 FileGDB 或 GeoPackage 后上传",
}  # fmt: skip


@dataclass
class _Read:
    """What has been read so far of a file or package."""

    encoding: str | None
    local_systems: Mapping[str, LocalSystem]
    layers: list[FileLayer] = field(default_factory=list)
    encodings: dict[str, None] = field(default_factory=dict)
    header: dict[str, str] = field(default_factory=dict)

    def add(self, path: Path, name: str) -> None:
        """Read one data set; `name` is what its layer is called where the format names none."""
        _check_content(path)
        _READERS[_kind_of(path)](self, path, name)


def read_spatial_file(
    path: Path,
    file_name: str,
    declared_crs: str | None = None,
    encoding: str | None = None,
    local_systems: Mapping[str, LocalSystem] | None = None,
) -> SpatialFile:
    """Read a file or package of any accepted format: all its layers, with what reading noticed.

    `path` is where the content lies, `file_name` how the sender named it. `declared_crs` ("EPSG:4490") is what a person
    states: needed where the file names no coordinate system, refused where it contradicts one. `encoding` ("GBK",
    "UTF-8", "Big5") overrides what the file says of its texts. Layers keep the coordinates of the file; a system that
    is missing or not accepted leaves `system` None. Raises InvalidData (InvalidBoundaryFile, InvalidGeometry with the
    place; UnknownCrs for a contradiction), always with file, reason and what to do.
    """
    read = _Read(charset_named(encoding, "选定时")[0] if encoding else None, local_systems or {})
    ending = Path(file_name.lower()).suffix
    _check_present(path, file_name)
    if path.is_dir():
        read.add(path, Path(file_name).stem)
        members, notes, kind = (), (), KINDS[_kind_of(path)]
    elif ending in (".zip", ".kmz"):
        with tempfile.TemporaryDirectory() as folder:
            kind, members, notes = _read_package(read, path, file_name, Path(folder))
    else:
        members, notes, kind = _read_single(read, path, file_name, ending)
    layers = [_with_suggestion(_declared(layer, declared_crs)) for layer in _distinct(read.layers)]
    return SpatialFile(file_name, kind, tuple(layers), "、".join(read.encodings), members, notes, read.header)


def _check_present(path: Path, file_name: str) -> None:
    if path.is_file() and path.stat().st_size == 0:
        raise InvalidData(f"文件“{file_name}”是空的（0 字节）。请重新导出，并确认传送完整。")
    if not path.exists():
        raise InvalidData(f"文件“{file_name}”不存在或不能读取。请核对路径。")


def _read_single(read: _Read, path: Path, file_name: str, ending: str):
    """Read one file under the name that its sender gave it: the copy on disk may be called anything."""
    if ending not in KINDS or ending == ".gdb":
        raise _refused(file_name, ending)
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder) / Path(file_name).name
        staged.symlink_to(path.resolve())
        if ending in (".shp", ".dbf", ".tab", ".mif"):
            for other in path.resolve().parent.glob("*"):
                if other.stem == path.stem and not (target := Path(folder) / f"{staged.stem}{other.suffix}").exists():
                    target.symlink_to(other.resolve())
        read.add(staged, staged.stem)
    return (), (), KINDS[ending]


def _refused(file_name: str, ending: str) -> InvalidData:
    if ending in _NOT_ACCEPTED:
        return InvalidData(f"文件“{file_name}”{_NOT_ACCEPTED[ending]}。")
    return InvalidData(f"文件“{file_name}”的格式不支持。可以提供：{ACCEPTED_WORDS}。")


def _read_package(read: _Read, path: Path, file_name: str, folder: Path):
    found = open_package(path, file_name, folder)
    stems = [each.stem.lower() for each in found.data_sets]
    for each in found.data_sets:
        inside = each.relative_to(folder)
        is_alone = stems.count(each.stem.lower()) == 1
        try:
            read.add(each, each.stem if is_alone or len(inside.parts) == 1 else str(inside.with_suffix("")))
        except PortalError as fault:
            if each.name not in fault.message:
                fault.message = f"“{inside}”：{fault.message}"
                fault.args = (fault.message,)
            raise
    kinds = dict.fromkeys(KINDS[_kind_of(each)] for each in found.data_sets)
    notes = ()
    if found.unread:
        shown = "、".join(found.unread[:5]) + (f" 等 {len(found.unread)} 个" if len(found.unread) > 5 else "")
        notes = (f"压缩包里另有文件没有读取：{shown}。",)
    return "、".join(kinds), found.members, notes


def _kind_of(path: Path) -> str:
    """The ending that decides the reader; a folder is a FileGDB."""
    return ".gdb" if path.is_dir() else path.suffix.lower()


def _check_content(path: Path) -> None:
    """Refuse what is evidently something else than its name says."""
    if path.is_dir():
        if not any(path.glob("*.gdbtable")):
            raise InvalidData(f"文件夹“{path.name}”不是 FileGDB（里面没有 .gdbtable 文件）。请重新压缩整个 .gdb 文件夹。")
        return
    if path.stat().st_size == 0:
        raise InvalidData(f"文件“{path.name}”是空的（0 字节）。请重新导出，并确认传送完整。")
    with path.open("rb") as file:
        start = file.read(1024)
    told = start.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    is_page = told.startswith(_WEB_PAGE) or (told.startswith(b"<?xml") and b"<html" in told)
    if is_page:
        raise InvalidData(
            f"“{path.name}”的内容是网页，不是{KINDS[_kind_of(path)]}。多半是下载时没有登录或链接失效，请重新下载后上传。"
        )
    _check_signature(path, start)


def _check_signature(path: Path, start: bytes) -> None:
    ending = path.suffix.lower()
    if ending == ".gpkg" and not start.startswith(_SQLITE):
        raise InvalidData(f"“{path.name}”不是 GeoPackage（文件头不对）。请重新导出。")
    if ending == ".xlsx" and not start.startswith(_ZIP):
        what = "是旧版或加密的 Excel 工作簿" if start.startswith(_OLE) else "不是 Excel 工作簿（文件头不对）"
        raise InvalidData(f"“{path.name}”{what}。请去掉密码并另存为 .xlsx 后重新上传。")
    if ending not in (".xlsx",) and start.startswith(_ZIP):
        raise InvalidData(f"“{path.name}”的内容是压缩包，与后缀 {ending} 不符。请把后缀改为 .zip，或解开后上传。")


def _distinct(layers: Iterable[FileLayer]) -> list[FileLayer]:
    """The layers with names that differ, a number after those that repeat."""
    found, seen = [], {}
    for layer in layers:
        seen[layer.name] = seen.get(layer.name, 0) + 1
        found.append(layer if seen[layer.name] == 1 else replace(layer, name=f"{layer.name}_{seen[layer.name]}"))
    return found


def _declared(layer: FileLayer, declared_crs: str | None) -> FileLayer:
    """The layer with the declared system where it names none; UnknownCrs if the two contradict."""
    if not declared_crs or not layer.geometry_type:
        return layer
    declared = system_of_text(declared_crs)
    if layer.system is not None and layer.system.srid != declared.srid:
        raise contradiction(layer.system.title, declared)
    if layer.system is None and layer.crs_words:
        raise contradiction(layer.crs_words, declared)
    return replace(layer, system=declared, crs_words=layer.crs_words or declared.title)


def contradiction(written: str, declared: CoordinateSystem) -> UnknownCrs:
    """The refusal where a file names another system than was declared."""
    return UnknownCrs(f"文件写明的坐标系是{written}，与选定的{declared.title}不一致。请核对后重新选择。")


def _with_suggestion(layer: FileLayer) -> FileLayer:
    if not layer.geometry_type or layer.system is not None:
        return layer
    if layer.crs_words:
        note = f"文件写明的坐标系“{layer.crs_words}”不在可接受之列。请转换为 CGCS2000 大地坐标系或 3 度带后提供。"
        return replace(layer, notes=(*layer.notes, note))
    words = suggestion_words(layer)
    return replace(layer, notes=(*layer.notes, f"没有写明坐标系。{words}")) if words else layer


def _shapefile(read: _Read, path: Path, name: str) -> None:
    from domain.spatial_file.shape_files import read_shapefile

    layer, encoding = read_shapefile(path, name, read.encoding)
    read.layers.append(layer)
    read.encodings[encoding] = None


def _dbase(read: _Read, path: Path, name: str) -> None:
    from domain.spatial_file.shape_files import read_dbase

    layer, encoding = read_dbase(path, name, read.encoding)
    read.layers.append(layer)
    read.encodings[encoding] = None


def _boundary(read: _Read, path: Path, name: str) -> None:
    from domain.spatial_file.boundary_file import read_boundary_file

    file, layers = read_boundary_file(path, name, read.local_systems)
    read.layers += layers
    read.encodings[file.encoding] = None
    read.header |= dict(file.header) | ({"地方坐标系": file.local_system} if file.local_system else {})


def _geojson(read: _Read, path: Path, name: str) -> None:
    from domain.spatial_file.geo_json import read_geojson

    read.layers.append(read_geojson(path, name))
    read.encodings["UTF-8"] = None


def _dxf(read: _Read, path: Path, name: str) -> None:
    from domain.spatial_file.drawing import read_dxf

    layers, encoding = read_dxf(path, read.encoding)
    read.layers += layers
    read.encodings[encoding] = None


def _csv(read: _Read, path: Path, name: str) -> None:
    from domain.spatial_file.table import read_table_text

    layers, encoding = read_table_text(path, name, read.encoding)
    read.layers += layers
    read.encodings[encoding] = None


def _several(module: str, reader: str) -> Callable[[_Read, Path, str], None]:
    """A format whose reader gives all layers of a file by its path alone."""

    def read_all(read: _Read, path: Path, name: str) -> None:
        read.layers += getattr(import_module(f"domain.spatial_file.{module}"), reader)(path)

    return read_all


_READERS: Mapping[str, Callable[[_Read, Path, str], None]] = {
    ".shp": _shapefile, ".dbf": _dbase, ".txt": _boundary, ".geojson": _geojson, ".json": _geojson, ".dxf": _dxf, ".csv": _csv,
    ".gdb": _several("database_file", "read_filegdb"), ".gpkg": _several("database_file", "read_geopackage"),
    ".kml": _several("markup", "read_kml"), ".dwg": _several("drawing", "read_dwg"),
    ".mdb": _several("personal_geodatabase", "read_personal_geodatabase"),
    ".tab": _several("markup", "read_mapinfo"), ".mif": _several("markup", "read_mapinfo"),
    ".vfk": _several("markup", "read_cadastre_exchange"), ".xlsx": _several("table", "read_workbook"),
}  # fmt: skip
