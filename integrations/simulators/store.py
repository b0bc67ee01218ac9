"""What the simulators remember, in one SQLite file: what was acknowledged survives a kill."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fault (
    partner TEXT PRIMARY KEY, kind TEXT NOT NULL, operation TEXT, calls_left INTEGER,
    seconds REAL, field TEXT
);
CREATE TABLE IF NOT EXISTS received (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, partner TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    correlation_id TEXT, body_size INTEGER NOT NULL, fault TEXT NOT NULL, status INTEGER
);
CREATE TABLE IF NOT EXISTS nonce (nonce TEXT PRIMARY KEY, at TEXT NOT NULL);
"""


class Store:
    """One connection, one writer at a time; every write is a transaction that reaches the disk."""

    def __init__(self, path: Path, schemas: tuple[str, ...]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        for schema in (SCHEMA, *schemas):
            self._connection.executescript(schema)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside a transaction: committed on return, rolled back on any error."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Return every row of a query."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row of a query, or None when it has none."""
        with self._lock:
            return self._connection.execute(sql, values).fetchone()

    def setting(self, name: str) -> str | None:
        """Return a setting, or None when it was never made."""
        row = self.one("SELECT value FROM setting WHERE name = ?", name)
        return None if row is None else row["value"]

    def set(self, name: str, value: str) -> None:
        """Make or replace a setting."""
        with self.write() as db:
            db.execute(
                "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
