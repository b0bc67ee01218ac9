"""What went over the wire during one attempt, kept with the attempt; already redacted by the client."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from typing import Any

from domain.ports.record import ExchangeRecord

_COLLECTED: ContextVar[list[ExchangeRecord] | None] = ContextVar("exchange_records", default=None)


def note(record: ExchangeRecord) -> None:
    """The observer of all clients: keeps the record if an attempt is being made in this thread."""
    collected = _COLLECTED.get()
    if collected is not None:
        collected.append(record)


@contextmanager
def collecting() -> Iterator[list[ExchangeRecord]]:
    """Collect the records of the exchanges that this thread makes."""
    records: list[ExchangeRecord] = []
    token = _COLLECTED.set(records)
    try:
        yield records
    finally:
        _COLLECTED.reset(token)


def document(records: list[ExchangeRecord]) -> dict[str, Any] | None:
    """The last record as a document to keep; None if nothing was sent."""
    if not records:
        return None
    kept = asdict(records[-1])
    kept["sent_at"] = records[-1].sent_at.isoformat()
    return kept
