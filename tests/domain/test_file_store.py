"""The file store: whole or not at all, once, checked on reading, with room or a clear refusal."""

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from sqlmodel import select

from domain import file_store
from domain.errors import InvalidData, NotFound
from domain.file_store import CHUNK_BYTES, FileDamaged, FileStore, StorageFull, StoredFile, register, sweep
from tests.domain.papers import MORNING, database_fixture, papers_fixture  # noqa: F401

TEXT = "界址点,3456789.123,40512345.678\n".encode()


def sm3(data: bytes) -> str:
    """The digest by another library than the store's."""
    hasher = hashes.Hash(hashes.SM3())
    hasher.update(data)
    return hasher.finalize().hex()


def files_in(store: FileStore) -> list[Path]:
    return sorted(path for path in store.root.rglob("*") if path.is_file())


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files", reserve_bytes=0)


def test_file_is_kept_under_its_sm3_digest(store):
    kept = store.put([TEXT[:10], TEXT[10:]], "界址点.txt")
    assert (kept.digest, kept.size_bytes, kept.file_type.key) == (sm3(TEXT), len(TEXT), "txt")
    assert store.read_bytes(kept.digest) == TEXT
    assert store.has(kept.digest)
    assert files_in(store) == [store.root / kept.digest[:2] / kept.digest[2:4] / kept.digest]


def test_large_file_is_streamed_in_and_out_in_chunks(store):
    data = b"a" * CHUNK_BYTES + b"b" * CHUNK_BYTES + b"c"
    kept = store.put(iter([data]), "大文件.txt")
    chunks = list(store.read(kept.digest))
    assert [len(chunk) for chunk in chunks] == [CHUNK_BYTES, CHUNK_BYTES, 1]
    assert b"".join(chunks) == data


def test_file_on_disk_is_taken_in_by_its_path_and_stays_there(store, tmp_path):
    path = tmp_path / "written.txt"
    path.write_bytes(TEXT)
    kept = store.put_path(path, "界址点.txt", allowed=("txt",))
    assert (kept.digest, kept.size_bytes) == (sm3(TEXT), len(TEXT)) and path.read_bytes() == TEXT
    with pytest.raises(InvalidData):
        store.put_path(path, "界址点.txt", allowed=("xlsx",))


def test_same_content_under_two_names_is_kept_once(store):
    first, second = store.put([TEXT], "一.txt"), store.put([TEXT], "二.txt")
    assert first.digest == second.digest
    assert len(files_in(store)) == 1


def test_damaged_file_never_arrives_complete_and_is_mended_by_sending_it_again(store):
    data = b"a" * CHUNK_BYTES + b"tail"
    kept = store.put([data], "数据.txt")
    path = store.path_of(kept.digest)
    path.chmod(0o640)
    path.write_bytes(data[:-1] + b"X")
    received = []
    with pytest.raises(FileDamaged, match="与登记的摘要不一致"):
        received.extend(store.read(kept.digest))
    assert sum(map(len, received)) < len(data)
    store.put([data], "数据.txt")
    assert store.read_bytes(kept.digest) == data


def test_unknown_digest_and_what_is_no_digest_are_refused_before_reading(store):
    with pytest.raises(NotFound, match="没有找到文件"):
        store.read("0" * 64)
    for wrong in ("../../../etc/passwd", "A" * 64, ""):
        with pytest.raises(InvalidData, match="不是 SM3 摘要"):
            store.read(wrong)


def test_too_large_file_is_refused_and_leaves_nothing(store):
    limited = FileStore(store.root, largest_bytes=len(TEXT), reserve_bytes=0)
    assert limited.put([TEXT], "正好.txt")
    with pytest.raises(InvalidData, match=f"「超出.txt」超过 {len(TEXT)} 字节，没有接收"):
        limited.put([TEXT, b"x"], "超出.txt")
    with pytest.raises(InvalidData, match="超过 10 字节"):
        limited.put([TEXT], "超出.txt", largest_bytes=10)
    assert len(files_in(store)) == 1


def test_wrong_kind_or_name_is_refused_and_leaves_nothing(store):
    for name in ("申请表.pdf", "../申请表.txt"):
        with pytest.raises(InvalidData):
            store.put([TEXT], name)
    assert files_in(store) == []


def test_sender_that_breaks_off_leaves_nothing(store):
    def broken() -> Iterator[bytes]:
        yield TEXT
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.put(broken(), "界址点.txt")
    assert files_in(store) == []


def test_full_disk_is_refused_before_it_is_full(store):
    full = FileStore(store.root, reserve_bytes=1 << 62)
    with pytest.raises(StorageFull, match="磁盘空间不足，文件没有保存"):
        full.put([TEXT], "界址点.txt")
    assert files_in(store) == []


@pytest.mark.parametrize("place", ["fsync", "replace"])
def test_disk_that_fills_up_while_writing_is_refused_and_leaves_nothing(store, monkeypatch, place):
    def no_room(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(file_store.os, place, no_room)
    with pytest.raises(StorageFull):
        store.put([TEXT], "界址点.txt")
    assert files_in(store) == []


def test_other_fault_of_the_disk_is_not_called_full(store, monkeypatch):
    def broken(*_arguments: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(file_store.os, "fsync", broken)
    with pytest.raises(OSError) as caught:
        store.put([TEXT], "界址点.txt")
    assert caught.value.errno == errno.EIO


def test_content_noted_twice_is_one_record(papers):
    kept = papers.files.put([TEXT], "界址点.txt")
    for _ in range(2):
        with papers.writing() as session:
            register(session, kept, MORNING)
            session.commit()
    with papers.reading() as session:
        record = session.exec(select(StoredFile)).one()
        assert (record.digest, record.size_bytes, record.media_type) == (sm3(TEXT), len(TEXT), "text/plain")
        assert record.created_at == MORNING


def test_record_of_a_content_does_not_change(papers):
    kept = papers.files.put([TEXT], "界址点.txt")
    with papers.writing() as session:
        register(session, kept, MORNING)
        session.get(StoredFile, kept.digest).size_bytes = 1
        with pytest.raises(ValueError, match="does not change"):
            session.flush()


def test_sweep_deletes_only_what_is_old_and_unknown(papers):
    known = papers.files.put([TEXT], "登记.txt")
    orphan = papers.files.put([TEXT + b"1"], "孤立.txt")
    fresh = papers.files.put([TEXT + b"2"], "新到.txt")
    interrupted = papers.files.root / "incoming" / "interrupted"
    interrupted.write_bytes(b"half")
    now = datetime.now(UTC)
    long_ago = (now - timedelta(days=3)).timestamp()
    for path in (papers.files.path_of(known.digest), papers.files.path_of(orphan.digest), interrupted):
        os.utime(path, (long_ago, long_ago))
    with papers.writing() as session:
        register(session, known, MORNING)
        session.commit()
        assert sweep(session, papers.files, now) == 2
    assert papers.files.has(known.digest)
    assert papers.files.has(fresh.digest)
    assert not papers.files.has(orphan.digest)
    assert not interrupted.exists()
