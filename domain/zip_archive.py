"""Zip archives from outside, opened with limits and with Chinese member names in GBK or UTF-8."""

import io
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from domain.errors import InvalidData

MOST_MEMBERS = 2_000
MOST_BYTES = 500 * 1024 * 1024
_UTF8_NAME = 0x800
_LINK = 0o120000
_DAMAGED = (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, struct.error, zlib.error)
"""What zipfile raises for damaged archives; ValueError comes from offsets that point before the file."""


def unpack(content: bytes, folder: Path) -> list[Path]:
    """Write the members of a zip below the folder and return their paths in archive order.

    Refuses (InvalidData) what is no zip, is encrypted, leaves the folder, holds links, or unpacks to more
    than the limits.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except _DAMAGED as error:
        raise InvalidData("上传的文件不是有效的 zip 压缩包。请重新压缩后上传。") from error
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > MOST_MEMBERS:
            raise InvalidData(f"压缩包内有 {len(members)} 个文件，超过 {MOST_MEMBERS} 个。请拆分后上传。")
        left, paths = MOST_BYTES, []
        for member in members:
            target = folder.joinpath(*_safe_parts(member))
            left -= _write(archive, member, target, left)
            paths.append(target)
    return paths


def member_name(member: zipfile.ZipInfo) -> str:
    """The member's name; without the UTF-8 mark it is UTF-8 if that fits, else GBK."""
    if member.flag_bits & _UTF8_NAME:
        return member.filename
    raw = member.filename.encode("cp437")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidData("压缩包内有文件名的编码既不是 UTF-8 也不是 GBK。请改名后重新压缩。")


def _safe_parts(member: zipfile.ZipInfo) -> tuple[str, ...]:
    name = member_name(member).replace("\\", "/")
    parts = PurePosixPath(name).parts
    is_link = (member.external_attr >> 16) & 0o170000 == _LINK
    if is_link or name.startswith("/") or ".." in parts or ":" in name or "\x00" in name:
        raise InvalidData(f"压缩包内的文件名“{name[:60]}”不允许（越出压缩包或是链接）。请重新压缩后上传。")
    return parts


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Write one member and return its size; the size is counted, not believed."""
    if member.flag_bits & 1:
        raise InvalidData("压缩包有密码，不能读取。请去掉密码后重新上传。")
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    try:
        with archive.open(member) as source, target.open("wb") as sink:
            while chunk := source.read(1 << 20):
                written += len(chunk)
                if written > left:
                    raise InvalidData(f"压缩包解开后超过 {MOST_BYTES // 1024 // 1024} MB。请拆分后上传。")
                sink.write(chunk)
    except _DAMAGED as error:
        raise InvalidData(f"压缩包内的“{target.name}”已损坏或压缩方式不支持。请重新压缩后上传。") from error
    return written
