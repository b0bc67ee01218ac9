"""Shapefiles: the parts of a layer are found, checked against each other, and read into one layer.

The parts lie in one folder under one stem. A missing .shx is rebuilt from the .shp; everything else that is missing,
cut off or counted differently is refused with the part that is to blame.
"""

import struct
import tempfile
from pathlib import Path

import numpy

from domain.errors import InvalidData
from domain.projection import UnknownCrs
from domain.spatial_file.coordinate_words import system_of_words
from domain.spatial_file.dbase_table import DbaseTable, read_table, record_count
from domain.spatial_file.driver import geometries_of
from domain.spatial_file.model import FileLayer
from domain.spatial_file.shape_blob import DamagedShape, geometry_of

_MAGIC, _HEADER_BYTES, _MULTIPATCH = 9994, 100, 31
_TYPES = {
    0: "", 1: "Point", 3: "LineString", 5: "Polygon", 8: "MultiPoint",
    11: "Point", 13: "LineString", 15: "Polygon", 18: "MultiPoint",
    21: "Point", 23: "LineString", 25: "Polygon", 28: "MultiPoint", 31: "MultiPolygon",
}  # fmt: skip


def read_shapefile(path: Path, name: str, encoding: str | None = None) -> tuple[FileLayer, str]:
    """The layer of a .shp and the character set of its texts. Raises InvalidData naming the part that is to blame."""
    beside = parts_of(path)
    notes: list[str] = []
    shape_type, offsets = _index(path, beside.get(".shx"), notes)
    if ".dbf" not in beside:
        raise InvalidData(
            f"“{path.name}”缺少同名的属性表“{path.stem}.dbf”。请把 .shp、.shx、.dbf、.prj 一起压缩后重新上传。"
        )
    rows = record_count(beside[".dbf"])
    if rows != len(offsets):
        raise InvalidData(
            f"“{path.name}”有 {len(offsets)} 个图形，“{beside['.dbf'].name}”有 {rows} 行属性，两者不符，"
            "属性会错配到别的图形。请重新导出这个图层。"
        )
    table = read_table(beside[".dbf"], encoding, _text_of(beside.get(".cpg")))
    geometries = (_patches(path, offsets) if shape_type == _MULTIPATCH else _geometries(path, offsets, notes))[table.kept]
    notes += _height_notes(shape_type)
    system, words = system_of_words(_projection(beside.get(".prj")))
    if ".prj" not in beside:
        notes.append(f"“{path.name}”没有 .prj，文件没有写明坐标系。")
    return (
        FileLayer(
            name, _TYPES[shape_type], table.fields, geometries, table.columns, system, words,
            notes=(*notes, *_table_notes(table)),
        ),
        table.encoding,
    )


def read_dbase(path: Path, name: str, encoding: str | None = None) -> tuple[FileLayer, str]:
    """A lone .dbf as a layer without geometry."""
    beside = parts_of(path)
    if ".shx" in beside and ".shp" not in beside:
        raise InvalidData(
            f"有“{path.name}”和“{beside['.shx'].name}”，没有“{path.stem}.shp”（图形）。请把 .shp、.shx、.dbf、.prj 一起压缩后重新上传。"
        )
    table = read_table(path, encoding, _text_of(beside.get(".cpg")))
    blank = numpy.full(int(table.kept.sum()), None, dtype=object)
    return FileLayer(name, "", table.fields, blank, table.columns, notes=_table_notes(table)), table.encoding


def parts_of(path: Path) -> dict[str, Path]:
    """The files of the same stem beside a file, by their ending in lower case."""
    return {each.suffix.lower(): each for each in path.parent.iterdir() if each.stem.lower() == path.stem.lower()}


def _table_notes(table: DbaseTable) -> tuple[str, ...]:
    gone = int((~table.kept).sum())
    return (*table.notes, *([f"属性表里有 {gone} 行已标记删除，没有读取。"] if gone else []))


def _text_of(path: Path | None) -> str | None:
    return path.read_text(encoding="ascii", errors="replace") if path else None


def _projection(path: Path | None) -> str:
    """The text of the .prj, "" without one; UnknownCrs for one that is no text."""
    if path is None:
        return ""
    raw = path.read_bytes()
    if b"\x00" in raw:
        raise UnknownCrs(f"“{path.name}”含有空字符，.prj 的坐标系无法识别。请重新导出图层。")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnknownCrs(f"“{path.name}”不是文本，.prj 的坐标系无法识别。请重新导出图层。") from error


def _index(path: Path, index: Path | None, notes: list[str]) -> tuple[int, numpy.ndarray]:
    """Shape type and the byte offset of each record, checked against the length of the file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or struct.unpack_from(">i", header)[0] != _MAGIC:
        raise InvalidData(f"“{path.name}”不是 Shapefile 的图形文件（文件头不对）。请重新导出这个图层。")
    shape_type = struct.unpack_from("<i", header, 32)[0]
    if shape_type not in _TYPES:
        raise InvalidData(f"“{path.name}”的图形类型编号 {shape_type} 不存在，文件头已损坏。请重新导出。")
    declared = struct.unpack_from(">i", header, 24)[0] * 2
    if size < declared:
        raise InvalidData(
            f"“{path.name}”被截断：文件头写明 {declared} 字节，实际只有 {size} 字节。请重新导出或重新传送。"
        )
    if index is None:
        notes.append(f"“{path.name}”缺少 .shx，已由 .shp 重建索引。")
        return shape_type, _walked(path, size)
    raw = numpy.fromfile(index, dtype=">i4", offset=min(_HEADER_BYTES, index.stat().st_size))
    pairs = raw[: len(raw) // 2 * 2].reshape(-1, 2).astype("i8") * 2
    wrong = numpy.flatnonzero((pairs[:, 0] < _HEADER_BYTES) | (pairs[:, 1] < 0) | (pairs[:, 0] + 8 + pairs[:, 1] > size))
    if len(wrong):
        raise InvalidData(
            f"“{index.name}”第 {wrong[0] + 1} 条指向“{path.name}”之外，两个文件不配套或已损坏。"
            "请删去 .shx 后重新压缩（会自动重建），或重新导出。"
        )
    return shape_type, pairs


def _walked(path: Path, size: int) -> numpy.ndarray:
    """Offset and length of the records, found by walking from one to the next."""
    found, place = [], _HEADER_BYTES
    with path.open("rb") as file:
        while place + 8 <= size:
            file.seek(place)
            length = struct.unpack(">ii", file.read(8))[1] * 2
            if length < 4 or place + 8 + length > size:
                raise InvalidData(f"“{path.name}”在第 {len(found) + 1} 个图形处断开，已损坏。请重新导出。")
            found.append((place, length))
            place += 8 + length
    return numpy.array(found, dtype="i8").reshape(-1, 2)


def _patches(path: Path, index: numpy.ndarray) -> numpy.ndarray:
    """Multipatches seen from above, which the driver hands out as solids."""
    found = numpy.full(len(index), None, dtype=object)
    with path.open("rb") as file:
        for row, (offset, length) in enumerate(index.tolist()):
            file.seek(offset + 8)
            try:
                found[row] = geometry_of(file.read(length))
            except DamagedShape as error:
                raise InvalidData(f"“{path.name}”第 {row + 1} 个图形已损坏（{error}）。请重新导出。") from error
    return found


def _geometries(path: Path, index: numpy.ndarray, notes: list[str]) -> numpy.ndarray:
    """The geometries by record, read by the driver from a copy of name and index alone."""
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder) / "layer.shp"
        alone.symlink_to(path.resolve())
        with path.open("rb") as file:
            header = bytearray(file.read(_HEADER_BYTES))
        struct.pack_into(">i", header, 24, (_HEADER_BYTES + 8 * len(index)) // 2)
        alone.with_suffix(".shx").write_bytes(bytes(header) + (index // 2).astype(">i4").tobytes())
        return geometries_of(alone, path.name, notes)


def _height_notes(shape_type: int) -> list[str]:
    if shape_type == _MULTIPATCH:
        return ["多面体（MultiPatch）按其面片的平面投影读取，高程没有保留。"]
    kind = "高程" if 10 < shape_type < 20 else "量测值（M）" if 20 < shape_type < 30 else ""
    return [f"图形带有{kind}，已舍去，只保留平面坐标。"] if kind else []
