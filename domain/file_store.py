"""Files kept under the SM3 digest of their content: written once, never changed, checked on every read.

The same bytes are kept once, whoever sends them. A row of StoredFile says what a digest is; who may see
it, and under which name, is said by the noun that refers to it.
"""

import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import BigInteger, Column, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, select

from domain.columns import code_column, moment_column
from domain.errors import InvalidData, NotFound, PortalError
from domain.file_name import accepted_file_name
from domain.file_type import FileType, check_type
from domain.format import file_size

CHUNK_BYTES = 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FULL = (errno.ENOSPC, errno.EDQUOT)


class StorageFull(PortalError):
    """There is no room left for files; nothing was kept."""

    status = 507


class FileDamaged(PortalError):
    """The bytes on disk are no longer those that were kept under the digest."""

    status = 500


class StoredFile(SQLModel, table=True):
    """One content: its SM3 digest in hex, size in bytes, media type, and when it first came."""

    __tablename__ = "stored_file"

    digest: str = Field(sa_column=Column(code_column().type, primary_key=True))
    size_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    media_type: str = Field(sa_column=code_column(length=120))
    created_at: datetime = Field(sa_column=moment_column(index=True))


@event.listens_for(StoredFile, "before_update")
def _refuse_change(_mapper: object, _connection: object, row: StoredFile) -> None:
    """A digest says for ever what it said first."""
    raise ValueError(f"the record of stored file {row.digest} does not change")


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """What was found about one content while it was written: digest, size and kind."""

    digest: str
    size_bytes: int
    file_type: FileType


@dataclass(frozen=True)
class FileStore:
    """A folder of files by digest, with limits; `reserve_bytes` of the disk are always left free."""

    root: Path
    largest_bytes: int = 500 * 1024 * 1024
    reserve_bytes: int = 256 * 1024 * 1024
    _incoming: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_incoming", self.root / "incoming")
        self._incoming.mkdir(parents=True, exist_ok=True)

    def put(
        self,
        chunks: Iterable[bytes],
        name: str,
        *,
        allowed: tuple[str, ...] | None = None,
        largest_bytes: int | None = None,
    ) -> ReceivedFile:
        """Take a file in: stream it to disk, check its size and kind, and keep it under its digest.

        It appears whole or not at all (temporary file, fsync, rename). `allowed` are keys of
        domain.file_type.FILE_TYPES. Raises InvalidData for a bad name, a wrong kind or too many bytes,
        and StorageFull when there is no room.
        """
        kept_name = accepted_file_name(name)
        limit = min(largest_bytes or self.largest_bytes, self.largest_bytes)
        with _room_or_refusal():
            handle, temporary_name = tempfile.mkstemp(dir=self._incoming)
        temporary = Path(temporary_name)
        try:
            with os.fdopen(handle, "wb") as file:
                digest, size = self._write(file, chunks, kept_name, limit)
            found = check_type(temporary, kept_name, allowed)
            self._keep(temporary, digest)
        finally:
            temporary.unlink(missing_ok=True)
        return ReceivedFile(digest, size, found)

    def put_path(self, path: Path, name: str, *, allowed: tuple[str, ...] | None = None) -> ReceivedFile:
        """Take in a file that lies on disk, such as a workbook just written; it stays where it is."""
        with path.open("rb") as file:
            return self.put(iter(lambda: file.read(CHUNK_BYTES), b""), name, allowed=allowed)

    def put_bytes(self, data: bytes, name: str, *, allowed: tuple[str, ...] | None = None) -> ReceivedFile:
        """Take in a file that is already in memory, such as a document just rendered."""
        return self.put([data], name, allowed=allowed)

    def read(self, digest: str) -> Iterator[bytes]:
        """The bytes in chunks, hashed on the way; the last chunk is held back until the digest agrees.

        A damaged file therefore never arrives complete: FileDamaged is raised before its end. Raises
        NotFound at once, before the first chunk is asked for.
        """
        return _checked(self.path_of(digest), digest)

    def read_bytes(self, digest: str) -> bytes:
        """The whole content, checked against its digest."""
        return b"".join(self.read(digest))

    def path_of(self, digest: str) -> Path:
        """Where a content lies, for readers that need a path; raises NotFound if it is not kept here."""
        path = self._place(digest)
        if not path.is_file():
            raise NotFound(f"没有找到文件（SM3 {digest[:8]}…）。它可能已按保存期限清理，请联系系统管理员。")
        return path

    def has(self, digest: str) -> bool:
        """True if a content with this digest is kept here."""
        return self._place(digest).is_file()

    def remove_unreferenced(self, known: set[str], before: datetime) -> int:
        """Delete files that no row knows and that were last taken in before the moment; how many.

        A file is written before its transaction ends, so a rolled-back act leaves one behind; the moment
        must lie further back than the longest transaction. Interrupted uploads are deleted with them.
        """
        stale = [p for p in self.root.glob("??/??/*") if p.name not in known] + list(self._incoming.iterdir())
        removed = [p for p in stale if p.stat().st_mtime < before.timestamp()]
        for path in removed:
            path.unlink()
        return len(removed)

    def _place(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise InvalidData(f"「{digest[:70]}」不是 SM3 摘要。摘要是 64 位十六进制数，请核对后再试。")
        return self.root / digest[:2] / digest[2:4] / digest

    def _write(self, file: BinaryIO, chunks: Iterable[bytes], name: str, limit: int) -> tuple[str, int]:
        """Stream to the open temporary file; digest and size of what was written."""
        hasher, size = hashlib.new("sm3"), 0
        with _room_or_refusal():
            for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise InvalidData(f"「{name}」超过 {file_size(limit)}，没有接收。请压缩或拆分后重新上传。")
                self._check_room(len(chunk))
                hasher.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        return hasher.hexdigest(), size

    def _check_room(self, coming_bytes: int) -> None:
        if shutil.disk_usage(self.root).free - coming_bytes < self.reserve_bytes:
            raise _storage_full()

    def _keep(self, temporary: Path, digest: str) -> None:
        """Move the finished file to its place; over an equal one too, which mends it if it was damaged."""
        place = self._place(digest)
        with _room_or_refusal():
            place.parent.mkdir(parents=True, exist_ok=True)
            os.chmod(temporary, 0o440)
            os.replace(temporary, place)
            for folder in (place.parent, place.parent.parent, self.root):
                _sync_folder(folder)


def _checked(path: Path, digest: str) -> Iterator[bytes]:
    """Chunks of the file, always one behind what was hashed."""
    hasher, held = hashlib.new("sm3"), b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if held:
                yield held
            hasher.update(chunk)
            held = chunk
    if hasher.hexdigest() != digest:
        raise FileDamaged(
            f"文件（SM3 {digest[:8]}…）的内容与登记的摘要不一致，已停止读取。请系统管理员从备份恢复这个文件。"
        )
    if held:
        yield held


@contextmanager
def _room_or_refusal() -> Iterator[None]:
    """Turns the operating system's「no space left」into our refusal; lets everything else pass."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _storage_full() from error
        raise


def _storage_full() -> StorageFull:
    return StorageFull("存放文件的磁盘空间不足，文件没有保存，其他数据没有改动。请联系系统管理员清理磁盘后重新上传。")


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut: the folder's own entry is written too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def register(session: Session, content: ReceivedFile, at: datetime) -> str:
    """Note a content that was taken in; the digest. The same content may be noted by two people at once."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = {
        "digest": content.digest,
        "size_bytes": content.size_bytes,
        "media_type": content.file_type.media_type,
        "created_at": at,
    }
    session.execute(dialect.insert(StoredFile).values(row).on_conflict_do_nothing(index_elements=["digest"]))
    return content.digest


def sweep(session: Session, store: FileStore, at: datetime, grace: timedelta = timedelta(days=2)) -> int:
    """Delete what interrupted uploads and rolled-back acts left on disk; the number of files deleted."""
    return store.remove_unreferenced(set(session.exec(select(StoredFile.digest))), at - grace)
