"""What lies in a package: the data sets to read, and what is left over.

A package is unpacked to disk within limits; zips inside it are unpacked one level deep, deeper ones are refused.
"""

from dataclasses import dataclass
from pathlib import Path

from domain import zip_archive
from domain.errors import InvalidData

PRIMARY = (".shp", ".gpkg", ".mdb", ".dxf", ".dwg", ".kml", ".tab", ".mif", ".vfk", ".geojson")
"""Endings of data sets that hold geometry for certain."""
SECONDARY = (".json", ".txt", ".csv", ".xlsx")
"""Read in a package only where it holds nothing else: there they are mostly explanations."""
_COMPANIONS = (".shx", ".dbf", ".prj", ".cpg", ".qpj", ".sbn", ".sbx", ".qix", ".qmd", ".xml", ".map", ".dat", ".id", ".mid", ".ind")


@dataclass(frozen=True, slots=True)
class Found:
    """What a package holds: data sets by path, all members, and those that are not read."""

    data_sets: tuple[Path, ...]
    members: tuple[str, ...]
    unread: tuple[str, ...]


def open_package(path: Path, file_name: str, folder: Path) -> Found:
    """Unpack a zip below the folder and list what it holds. Raises InvalidData naming what stands in the way."""
    files = _unpacked(path, file_name, folder)
    if not files:
        raise InvalidData(f"压缩包“{file_name}”是空的。请把图层文件压缩进去后重新上传。")
    members = tuple(str(each.relative_to(folder)) for each in files)
    geodatabases = sorted({top for each in files if (top := _geodatabase_of(each, folder))})
    loose = [each for each in files if _geodatabase_of(each, folder) is None]
    primary = [each for each in loose if each.suffix.lower() in PRIMARY]
    primary = [each for each in primary if not _is_companion(each, primary)]
    stems = {(each.parent, each.stem.lower()) for each in primary}
    tables = [each for each in loose if each.suffix.lower() == ".dbf" and (each.parent, each.stem.lower()) not in stems]
    data_sets = [*geodatabases, *primary, *tables]
    if not data_sets:
        data_sets = [each for each in loose if each.suffix.lower() in SECONDARY]
    if not data_sets:
        shown = "、".join(members[:5]) + ("等" if len(members) > 5 else "")
        raise InvalidData(
            f"压缩包“{file_name}”里没有可以读取的空间数据（里面是：{shown}）。"
            "请压缩 Shapefile（.shp、.shx、.dbf、.prj）、FileGDB（.gdb 文件夹）、GeoPackage 等后重新上传。"
        )
    taken = set(data_sets)
    unread = tuple(
        str(each.relative_to(folder)) for each in loose
        if each not in taken and not (each.suffix.lower() in _COMPANIONS or each.name.lower().endswith(".shp.xml"))
    )  # fmt: skip
    return Found(tuple(data_sets), members, unread)


def _unpacked(path: Path, file_name: str, folder: Path) -> list[Path]:
    """The files of a package, those of zips inside it included; junk that systems add is left out."""
    files = zip_archive.unpack(path, folder)
    inner = [each for each in files if each.suffix.lower() == ".zip"]
    left = zip_archive.MOST_BYTES - sum(each.stat().st_size for each in files)
    for each in inner:
        target = each.with_name(each.name + ".unpacked")
        found = zip_archive.unpack(each, target, max(0, left))
        deeper = next((one for one in found if one.suffix.lower() == ".zip"), None)
        if deeper:
            raise InvalidData(
                f"“{file_name}”里的“{each.name}”内还有压缩包“{deeper.name}”。只解开一层，请去掉多余的压缩后重新上传。"
            )
        left -= sum(one.stat().st_size for one in found)
        files += found
    return [
        each for each in files
        if each not in inner and "__MACOSX" not in each.parts and each.name not in (".DS_Store", "Thumbs.db")
    ]  # fmt: skip


def _geodatabase_of(path: Path, folder: Path) -> Path | None:
    """The FileGDB folder that a file lies in: one named x.gdb, or any that holds its first table."""
    for parent in path.parents:
        if parent == folder.parent:
            return None
        if parent.suffix.lower() == ".gdb" or (parent == path.parent and (parent / "a00000001.gdbtable").exists()):
            return parent
    return None


def _is_companion(path: Path, among: list[Path]) -> bool:
    """A .mif beside a .tab of the same stem is the same layer written twice."""
    return path.suffix.lower() == ".mif" and path.with_suffix(".tab") in among
