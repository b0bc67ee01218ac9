"""Monitoring stations 监测站点: they push the readings of their instruments, signed, in messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

READINGS_PATH = "/exchange/callbacks/readings"
"""The path the platform signs and pushes to, unless the client is told another."""


@dataclass(frozen=True, slots=True)
class SentReading:
    """One reading: the platform's key for it, when it was taken (with zone), and its value in the unit of the series."""

    business_key: str
    at: datetime
    value: Decimal


@dataclass(frozen=True, slots=True)
class ReadingsMessage:
    """Readings of one series; `message_id` stays the same when the same push is delivered again."""

    message_id: str
    sent_at: datetime
    correlation_id: str
    series: str
    readings: tuple[SentReading, ...]


class Monitoring(Protocol):
    """The monitoring platform as the portal uses it: it calls us."""

    def parse_readings(self, headers: Mapping[str, str], body: bytes) -> ReadingsMessage:
        """Verify and read pushed readings. Raises CallbackRefused or PartnerAnswerInvalid."""
