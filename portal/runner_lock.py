"""The lock that lets one process at a time run the duties of a database."""

import fcntl
import os
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from portal.database import Database

RUNNER_LOCK = 0x72756E72
"""Advisory lock of PostgreSQL, held by a connection of its own as long as the process lives."""


class RunnerLock:
    """A file lock beside an SQLite database, an advisory lock on PostgreSQL; both end with the process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: int | None = None
        self._connection: Any = None

    def take(self) -> bool:
        """Take the lock; False while another process holds it."""
        return self._take_file() if self._database.is_sqlite else self._take_advisory()

    def keep(self) -> bool:
        """True if the lock is still held; taken again if the database dropped the connection that held it."""
        if self._connection is None:
            return self._file is not None
        try:
            self._connection.execute(text("SELECT 1"))
            self._connection.commit()
        except OperationalError:
            self._connection.invalidate()
            self._connection = None
            return self.take()
        return True

    def release(self) -> None:
        """Give the lock back; does nothing if it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _take_file(self) -> bool:
        path = Path(f"{make_url(self._database.url).database}.runner.lock")
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._file = handle
        return True

    def _take_advisory(self) -> bool:
        # Detached from the pool, so that closing it really ends the session that holds the lock.
        connection = self._database.engine.connect()
        connection.detach()
        is_taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": RUNNER_LOCK}).scalar_one()
        connection.commit()
        if not is_taken:
            connection.close()
            return False
        self._connection = connection
        return True
