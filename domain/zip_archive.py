"""Zip archives from outside, opened with limits and with Chinese member names in GBK or UTF-8."""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from domain.errors import InvalidData

MOST_MEMBERS = 20_000
MOST_BYTES = 4 * 1024 * 1024 * 1024
"""What an archive may unpack to; packages of 1 GB are written to disk piece by piece, never held in memory."""
MOST_RATIO, RATIO_FREE_BYTES = 300, 256 * 1024 * 1024
"""An archive that unpacks to more than the free bytes may not be more than so many times its packed size: attribute
tables pack to a fiftieth, bombs to a thousandth."""
_UTF8_NAME = 0x800
_LINK = 0o120000
_DAMAGED = (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, struct.error, zlib.error)
"""What zipfile raises for damaged archives; ValueError comes from offsets that point before the file."""


def unpack(content: bytes | Path, folder: Path, most_bytes: int | None = None) -> list[Path]:
    """Write the members of a zip, given as bytes or by its path, below the folder; their paths in archive order.

    Refuses (InvalidData) what is no zip, is encrypted, leaves the folder, holds links, or unpacks to more
    than the limits.
    """
    source = content if isinstance(content, Path) else io.BytesIO(content)
    packed = content.stat().st_size if isinstance(content, Path) else len(content)
    try:
        archive = zipfile.ZipFile(source)
    except _DAMAGED as error:
        raise InvalidData("上传的文件不是有效的 zip 压缩包。请重新压缩后上传。") from error
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > MOST_MEMBERS:
            raise InvalidData(f"压缩包内有 {len(members)} 个文件，超过 {MOST_MEMBERS} 个。请拆分后上传。")
        left, paths = _Left(MOST_BYTES if most_bytes is None else most_bytes, packed), []
        for member in members:
            target = folder.joinpath(*_safe_parts(member))
            _write(archive, member, target, left)
            paths.append(target)
    return list(dict.fromkeys(paths))


@dataclass
class _Left:
    """What may still be written of an archive."""

    most: int
    packed: int
    written: int = 0

    def take(self, count: int) -> None:
        """Count bytes that are written; InvalidData past a limit."""
        self.written += count
        if self.written > self.most:
            raise InvalidData(f"压缩包解开后超过 {self.most // 1024 // 1024} MB。请拆分后上传。")
        if self.written > max(RATIO_FREE_BYTES, self.packed * MOST_RATIO):
            raise InvalidData(
                f"压缩包解开后是压缩前的 {MOST_RATIO} 倍以上，像是压缩炸弹，不接受。请检查压缩包，或拆分后上传。"
            )


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


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: _Left) -> None:
    """Write one member; its size is counted, not believed."""
    if member.flag_bits & 1:
        raise InvalidData("压缩包有密码，不能读取。请去掉密码后重新上传。")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, target.open("wb") as sink:
            while chunk := source.read(1 << 20):
                left.take(len(chunk))
                sink.write(chunk)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise InvalidData(f"压缩包内的“{target.name}”与别的文件重名，不能解开。请重新压缩后上传。") from error
    except _DAMAGED as error:
        raise InvalidData(f"压缩包内的“{target.name}”已损坏或压缩方式不支持。请重新压缩后上传。") from error
    except OSError as error:
        raise InvalidData(
            f"压缩包内的“{target.name[:40]}”不能写出（{error.strerror}）。请改短文件名，或拆分后上传。"
        ) from error
