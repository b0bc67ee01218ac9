"""Engine and sessions: one door for reading, one for writing, on SQLite and on PostgreSQL alike."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.pool import NullPool
from sqlmodel import Session

from domain import portal_clock, spatial_functions
from domain.office import Office

SQLITE_PRAGMAS = (
    "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", "temp_store=MEMORY",
    # Kilobytes of pages a connection keeps; the 2 MB of SQLite's own choice make a list read the same pages many times.
    "cache_size=-16384",
    # What no connection keeps is read from the memory of the system without being copied.
    "mmap_size=17179869184",
)


class Database:
    """The portal's database.

    Writers on SQLite queue at a process lock and begin with BEGIN IMMEDIATE: deferred transactions that
    upgrade to a write fail under load instead of waiting, and without the lock writers starve each other.
    """

    def __init__(self, url: str, pooled: bool = True, office: Office | None = None) -> None:
        self.url = url
        self.engine = make_engine(url, pooled)
        self.office = office
        self.clock_shift: timedelta | None = None
        """How far the clock of the sessions is put off, while demo stories are played; None: real time."""
        self._writing_engine = self.engine.execution_options(write=True)
        self._write_lock = threading.Lock() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one consistent state and is rolled back at its end."""
        with Session(self.engine, info=self._info()) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session for one command, which commits it; whatever is left uncommitted is rolled back."""
        if self._write_lock is None:
            with Session(self._writing_engine, expire_on_commit=False, info=self._info()) as session:
                yield session
            return
        with self._write_lock, Session(self._writing_engine, expire_on_commit=False, info=self._info()) as session:
            yield session

    def _info(self) -> dict[str, Any]:
        return {"office": self.office, **portal_clock.shifted(self.clock_shift)}

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def make_engine(url: str, pooled: bool = True) -> Engine:
    """An engine with exact JSON, explicit transactions and the spatial functions that SQLite lacks."""
    options: dict[str, Any] = {"json_serializer": to_json, "json_deserializer": json.loads}
    if make_url(url).get_backend_name() == "sqlite":
        options["connect_args"] = {"check_same_thread": False, "timeout": 10}
    else:
        options |= {"pool_pre_ping": True, "connect_args": {"options": "-c jit=off -c timezone=UTC"}}
    if pooled and "poolclass" not in options:
        # Last in, first out: the connection that was used a moment ago has the pages of the lists in its memory.
        options |= {"pool_size": 20, "max_overflow": 20, "pool_use_lifo": True}
    else:
        options["poolclass"] = NullPool
    engine = create_engine(url, **options)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        spatial_functions.register(connection)

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        writes = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def to_json(document: Any) -> str:
    """Canonical JSON text: Decimal and dates as text, Chinese as it is."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")
