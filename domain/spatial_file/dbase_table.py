"""dBASE tables beside Shapefiles: fields as declared, values by column, every text in a character set that is proven."""

import datetime
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy

from domain.errors import InvalidData
from domain.spatial_file.character_set import (
    charset_named,
    charset_of_language,
    contradicted,
    decoded,
    detected,
)
from domain.spatial_file.model import FileField

_TYPES = {"C": "text", "N": "decimal", "F": "decimal", "D": "date", "L": "boolean", "M": "binary", "I": "integer",
          "O": "decimal", "B": "decimal", "@": "moment"}  # fmt: skip
_TRUE, _FALSE = b"YyTt1", b"NnFf0"
_SAMPLE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class DbaseTable:
    """A table as read: fields, columns of all records that are not deleted, which records those are, the encoding."""

    fields: tuple[FileField, ...]
    columns: dict[str, numpy.ndarray]
    kept: numpy.ndarray
    encoding: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Header:
    """What the header of a table declares: (name, type, width, decimals) by field, and where the records are."""

    count: int
    start: int
    width: int
    language: int
    fields: tuple[tuple[bytes, str, int, int], ...]


def record_count(path: Path) -> int:
    """Records that the header of a table declares."""
    return _header(path).count


def read_table(path: Path, chosen: str | None, stated: str | None) -> DbaseTable:
    """Read a .dbf. `chosen` is the character set that a person chose, `stated` the content of a .cpg.

    Raises InvalidData for a table that is cut off, or whose texts are not in the character set.
    """
    header = _header(path)
    records = _records(path, header)
    raw = {index: records[f"f{index}"] for index, field in enumerate(header.fields) if field[1] == "C"}
    encoding, codec, note = _encoding(path, header, list(raw.values()), chosen, stated)
    names = _names(header, codec, path.name)
    kept = records["mark"] != b"*"
    columns = {
        name: _column(records[f"f{index}"][kept], field, codec, encoding, path.name)
        for index, (name, field) in enumerate(zip(names, header.fields, strict=True))
    }
    fields = tuple(_declared(name, field, columns[name]) for name, field in zip(names, header.fields, strict=True))
    return DbaseTable(fields, columns, kept, encoding, note)


def _header(path: Path) -> _Header:
    with path.open("rb") as file:
        start = file.read(32)
        if len(start) < 32:
            raise InvalidData(f"“{path.name}”不是属性表：只有 {len(start)} 个字节。请重新导出。")
        count, length, width = struct.unpack_from("<IHH", start, 4)
        described = file.read(max(0, length - 32))
    if length < 33 or width < 1 or len(described) < length - 32:
        raise InvalidData(f"“{path.name}”的文件头已损坏或被截断，不能读取属性。请重新导出。")
    fields = []
    for offset in range(0, len(described) - 31, 32):
        one = described[offset : offset + 32]
        if one[0] in (0x0D, 0x00):
            break
        fields.append((one[:11].split(b"\x00")[0], chr(one[11]), one[16], one[17]))
    fields = [(n, t, w + 256 * d, 0) if t == "C" and d else (n, t, w, d) for n, t, w, d in fields]
    if 1 + sum(field[2] for field in fields) > width:
        raise InvalidData(f"“{path.name}”的字段总宽与记录长度不符，文件头已损坏。请重新导出。")
    return _Header(count, length, width, start[29], tuple(fields))


def _records(path: Path, header: _Header) -> numpy.ndarray:
    present = (path.stat().st_size - header.start) // header.width
    if present < header.count:
        raise InvalidData(
            f"“{path.name}”被截断：文件头写明 {header.count} 行属性，文件里只有 {max(0, present)} 行。请重新导出或重新传送。"
        )
    offsets, place = [0], 1
    for field in header.fields:
        offsets.append(place)
        place += field[2]
    kind = numpy.dtype({
        "names": ["mark", *(f"f{index}" for index in range(len(header.fields)))],
        "formats": ["S1", *(f"S{max(1, field[2])}" for field in header.fields)],
        "offsets": offsets, "itemsize": header.width,
    })
    if not header.count:
        return numpy.empty(0, kind)
    return numpy.memmap(path, dtype=kind, mode="r", offset=header.start, shape=(header.count,))


def _encoding(
    path: Path, header: _Header, columns: Sequence[numpy.ndarray], chosen: str | None, stated: str | None
) -> tuple[str, str, tuple[str, ...]]:
    """Name, codec and notes: what a person chose, then the .cpg, then the language byte if it fits, then the texts."""
    if chosen:
        return *charset_named(chosen, "选定时"), ()
    texts = [field[0] for field in header.fields] + list(_sample(columns))
    if stated and stated.strip():
        name, codec = charset_named(stated, f"“{path.with_suffix('.cpg').name}”")
        if other := contradicted(texts, name):
            raise InvalidData(
                f"“{path.with_suffix('.cpg').name}”写明的编码 {stated.strip()[:20]} 与文字不符，文字看起来是 {other}。"
                "请更正 .cpg 后重新压缩，或在读取时选定编码。"
            )
        return name, codec, ()
    named = charset_of_language(header.language)
    try:
        name, codec, is_judged = detected(texts)
    except InvalidData as fault:
        raise InvalidData(f"“{path.name}”{fault.message}") from fault
    if named and codec != "utf-8" and not contradicted(texts, named[0]):
        return *named, ()
    note = f"“{path.name}”没有写明编码，由内容判断为 {name}。请核对样例文字，不对时另选编码。"
    return name, codec, (note,) if is_judged else ()


def _sample(columns: Sequence[numpy.ndarray]):
    """Texts of each column, up to a few megabytes together."""
    left = _SAMPLE_BYTES // max(1, len(columns))
    for column in columns:
        yield from (bytes(each).rstrip() for each in column[: left // max(1, column.dtype.itemsize) + 1])


def _names(header: _Header, codec: str, file_name: str) -> list[str]:
    names: list[str] = []
    for number, field in enumerate(header.fields, start=1):
        try:
            name = decoded(field[0], codec).strip() or f"字段{number}"
        except UnicodeDecodeError:
            name = decoded(field[0], "gb18030") if _is_gbk(field[0]) else f"字段{number}"
        names.append(name if name not in names else f"{name}_{number}")
    return names


def _is_gbk(raw: bytes) -> bool:
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _declared(name: str, field: tuple[bytes, str, int, int], column: numpy.ndarray) -> FileField:
    _, code, width, decimals = field
    kind = _TYPES.get(code, "text")
    if kind == "decimal" and code in "NF" and decimals == 0:
        kind = "integer"
    return FileField(name, "", kind, width, decimals)


def _column(
    raw: numpy.ndarray, field: tuple[bytes, str, int, int], codec: str, encoding: str, file_name: str
) -> numpy.ndarray:
    _, code, _, decimals = field
    if code in "NF":
        return _numbers(raw, decimals)
    convert = {"D": _date, "L": _boolean}.get(code)
    if convert is not None:
        return _objects([convert(bytes(each)) for each in raw])
    if code in "IO@BM":
        return _objects([struct.unpack("<i", bytes(each).ljust(4, b"\0"))[0] if code == "I" else None for each in raw])
    known: dict[bytes, str | None] = {}
    values = []
    for row, each in enumerate(raw.tolist(), start=1):
        if each not in known:
            known[each] = _text(each, codec, encoding, file_name, row)
        values.append(known[each])
    return _objects(values)


def _text(raw: bytes, codec: str, encoding: str, file_name: str, row: int) -> str | None:
    try:
        return decoded(raw.split(b"\x00")[0].rstrip(b" "), codec).rstrip() or None
    except UnicodeDecodeError as error:
        raise InvalidData(
            f"“{file_name}”第 {row} 行的文字不是 {encoding} 编码。请按实际编码更正 .cpg 后重新压缩，或在读取时选定编码。"
        ) from error


def _numbers(raw: numpy.ndarray, decimals: int) -> numpy.ndarray:
    """Whole numbers or decimals; None where the field is blank, full of asterisks or no number."""
    try:
        return raw.astype("i8" if decimals == 0 else "f8")
    except (ValueError, OverflowError):
        return _objects([_number(bytes(each), decimals) for each in raw])


def _number(raw: bytes, decimals: int) -> int | float | None:
    text = raw.split(b"\x00")[0].strip().replace(b",", b".")
    try:
        value = float(text)
        if decimals == 0 and value.is_integer():
            return int(text) if text.lstrip(b"+-").isdigit() else int(value)
        return value if value - value == 0 else None
    except ValueError:
        return None


def _date(raw: bytes) -> datetime.date | None:
    try:
        text = raw.decode("ascii").strip()
        return datetime.date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except (ValueError, UnicodeDecodeError):
        return None


def _boolean(raw: bytes) -> bool | None:
    return True if raw and raw in _TRUE else False if raw and raw in _FALSE else None


def _objects(values: list) -> numpy.ndarray:
    column = numpy.empty(len(values), dtype=object)
    column[:] = values
    return column
