"""What was uploaded, taken apart into packages: one file is one package, a zip with several becomes several.

A package is a geodatabase, a GeoPackage, a drawing, a nested zip, or the shapefiles of one folder together.
"""

import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from domain.errors import InvalidData
from domain.file_name import accepted_file_name
from domain.file_store import CHUNK_BYTES, FileStore, ReceivedFile
from domain.zip_archive import MOST_MEMBERS, member_name

FORMATS = ("zip", "mdb", "gpkg", "geojson", "json", "kml", "kmz", "dxf", "dwg", "txt", "xlsx")
MOST_PACKAGES = 50
LARGEST_MB = 1024
_WHOLE = (".zip", ".gpkg", ".mdb", ".geojson", ".kml", ".kmz", ".dxf", ".dwg")
"""Members that are a package by themselves."""
_PART = ".shp"


@dataclass(frozen=True, slots=True)
class ReceivedPackage:
    """One package in the file store under the name that people know it by."""

    name: str
    file: ReceivedFile


@dataclass(frozen=True, slots=True)
class Unit:
    """Members of an archive that make one package: `prefix` is the folder above them, empty for a member alone."""

    name: str
    prefix: str
    members: tuple[tuple[str, zipfile.ZipInfo], ...]

    @property
    def is_single(self) -> bool:
        return not self.prefix and len(self.members) == 1


def receive(store: FileStore, name: str, chunks: Iterable[bytes]) -> tuple[ReceivedPackage, ...]:
    """Take an upload in, streamed, as the packages that it holds.

    Raises InvalidData for a format that is not taken, a damaged archive, and more than MOST_PACKAGES packages.
    """
    received = store.put(chunks, name, allowed=FORMATS, largest_bytes=LARGEST_MB * 1024 * 1024)
    whole = ReceivedPackage(accepted_file_name(name), received)
    if received.file_type.key != "zip":
        return (whole,)
    units = units_of(store.path_of(received.digest), name)
    if len(units) < 2:
        return (whole,)
    if len(units) > MOST_PACKAGES:
        raise InvalidData(f"「{name}」里有 {len(units)} 个成果数据包，一次最多 {MOST_PACKAGES} 个。请分成几次上传。")
    with zipfile.ZipFile(store.path_of(received.digest)) as archive:
        return tuple(_kept(store, archive, unit) for unit in units)


def units_of(path: Path, name: str) -> list[Unit]:
    """The packages of an archive by the names of its members, in the order of their names; nothing is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InvalidData(f"「{name}」不是有效的 zip 压缩包，或已损坏。请重新压缩后上传。") from error
    if len(infos) > MOST_MEMBERS:
        raise InvalidData(f"「{name}」里有 {len(infos)} 个文件，超过 {MOST_MEMBERS} 个。请拆分后上传。")
    members = [(member_name(info).replace("\\", "/").strip("/"), info) for info in infos]
    return sorted(_units(members), key=lambda unit: unit.name)


def _units(members: Sequence[tuple[str, zipfile.ZipInfo]]) -> Iterator[Unit]:
    folders: dict[str, list[tuple[str, zipfile.ZipInfo]]] = defaultdict(list)
    shape_folders = {str(PurePosixPath(path).parent) for path, _ in members if path.lower().endswith(_PART)}
    for path, info in members:
        database = _geodatabase(path)
        if database is not None:
            folders[database].append((path, info))
        elif path.lower().endswith(_WHOLE):
            yield Unit(PurePosixPath(path).name, "", ((path, info),))
        elif (parent := str(PurePosixPath(path).parent)) in shape_folders:
            folders[parent].append((path, info))
    for folder, inside in folders.items():
        prefix = folder if folder.lower().endswith(".gdb") or folder == "." else folder + "/"
        title = "图层" if folder == "." else PurePosixPath(folder).name
        yield Unit(f"{title}.zip", prefix, tuple(inside))


def _geodatabase(path: str) -> str | None:
    """The path up to the folder that ends in .gdb, if a member lies in one."""
    parts = PurePosixPath(path).parts
    for index, part in enumerate(parts[:-1]):
        if part.lower().endswith(".gdb"):
            return "/".join(parts[: index + 1])
    return None


def _kept(store: FileStore, archive: zipfile.ZipFile, unit: Unit) -> ReceivedPackage:
    name = accepted_file_name(unit.name)
    try:
        if unit.is_single:
            with archive.open(unit.members[0][1]) as source:
                return ReceivedPackage(name, store.put(_chunks(source), name, allowed=FORMATS))
        return ReceivedPackage(name, _zipped(store, archive, unit, name))
    except (zipfile.BadZipFile, RuntimeError, EOFError, NotImplementedError) as error:
        raise InvalidData(f"压缩包里的「{unit.name}」不能读取，可能有密码或已损坏。请重新压缩后上传。") from error


def _zipped(store: FileStore, archive: zipfile.ZipFile, unit: Unit, name: str) -> ReceivedFile:
    """The members of a folder as an archive of their own; equal members give equal bytes."""
    left = store.largest_bytes
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
            for path, info in sorted(unit.members, key=lambda member: member[0]):
                inside = zipfile.ZipInfo(_below(path, unit.prefix), (1980, 1, 1, 0, 0, 0))
                inside.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(info) as source, made.open(inside, "w") as target:
                    for chunk in _chunks(source):
                        left -= len(chunk)
                        if left < 0:
                            raise InvalidData(f"压缩包里的「{unit.name}」解开后过大。请拆分后上传。")
                        target.write(chunk)
        file.seek(0)
        return store.put(_chunks(file), name, allowed=FORMATS)


def _below(path: str, prefix: str) -> str:
    """The path inside the package: a geodatabase keeps its folder, shapefiles lie at the top."""
    if prefix.lower().endswith(".gdb"):
        return "/".join((PurePosixPath(prefix).name, *PurePosixPath(path).parts[len(PurePosixPath(prefix).parts) :]))
    return PurePosixPath(path).name


def _chunks(source: object) -> Iterator[bytes]:
    while chunk := source.read(CHUNK_BYTES):  # type: ignore[attr-defined]
        yield chunk
