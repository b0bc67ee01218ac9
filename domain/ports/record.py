"""The record of one exchange over the wire, for the exchange monitor."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """One request to a partner and what came of it; texts are shortened and personal data is blacked out.

    `status` is None when no answer arrived; `fault` says why then. `duration_ms` is wall time.
    """

    partner: str
    method: str
    path: str
    correlation_id: str
    sent_at: datetime
    duration_ms: int
    request_size: int
    request_text: str
    status: int | None
    answer_text: str
    fault: str | None


Observer = Callable[[ExchangeRecord], None]
"""Called once after every exchange, successful or not, in the calling thread."""
