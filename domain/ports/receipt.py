"""The word of a partner that it keeps a thing under its business key."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the partner gave for it and when; `is_duplicate` if it had been kept before."""

    business_key: str
    receipt_number: str
    received_at: datetime
    is_duplicate: bool

    def to_json(self) -> dict[str, Any]:
        """The receipt as the answer of a message."""
        return {**asdict(self), "received_at": self.received_at.isoformat()}
