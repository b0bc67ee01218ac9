"""Heads of the audit trail noted outside the database: a file beside the kept files to which lines are only added.

A head is noted once a day and after every verification that found the chain whole. It tells on who cuts the trail or
writes it anew in the database, up to the newest line; what came after that line only the row of the head knows
(domain/audit.py). It tells, too, when an older copy of the database was put back. Who can write database and files
alike is noticed by neither: keep a copy of the file elsewhere.
"""

import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from domain.audit import Head
from domain.errors import InvalidData
from domain.file_store import FileStore

NAME = "audit_heads.jsonl"


def path_of(files: FileStore) -> Path:
    """Where the heads are noted."""
    return files.root / NAME


def note(files: FileStore, head: Head | None, at: datetime) -> bool:
    """Add a line for a head, on disk before this returns; False if there is none, or it is the newest line already."""
    known = heads(files)
    if head is None or not head.entry_count or (known and known[-1] == head):
        return False
    line = json.dumps({"at": at.isoformat(timespec="seconds"), **asdict(head)}) + "\n"
    handle = os.open(path_of(files), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.ftruncate(handle, _end_of_last_line(path_of(files)))
        os.lseek(handle, 0, os.SEEK_END)
        os.write(handle, line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    return True


def _end_of_last_line(path: Path) -> int:
    """Where the whole lines end: what follows is a note that a fault cut short; it was never relied upon."""
    return path.read_bytes().rfind(b"\n") + 1


def heads(files: FileStore) -> list[Head]:
    """The noted heads, the oldest first. Raises InvalidData naming a line that cannot be read."""
    path = path_of(files)
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else [""]
    return [_head(line, number) for number, line in enumerate(lines[:-1], 1) if line]


def _head(line: str, number: int) -> Head:
    try:
        found = json.loads(line)
        return Head(int(found["entry_count"]), int(found["entry_id"]), str(found["digest"]))
    except (ValueError, KeyError, TypeError) as fault:
        raise InvalidData(
            f"留痕见证文件 {NAME} 第 {number} 行不能识别，可能被改动过。请保护现场，从备份比对这个文件。"
        ) from fault
