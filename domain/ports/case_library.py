"""Delivery of case results to the city's case library (市办件库)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """How the case ended, in our words."""

    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of a case as the library keeps it.

    `version` starts at 1 and grows by one with every correction (勘误).
    """

    business_key: str
    version: int
    case_number: str
    case_type: str
    project_name: str
    applicant_name: str
    applicant_code: str
    outcome: Outcome
    document_number: str | None
    decided_on: date
    correction_reason: str | None = None


@dataclass(frozen=True, slots=True)
class LibraryReceipt:
    """The library's word that it holds this version; `replaced_version` when a correction took its place."""

    business_key: str
    version: int
    receipt_number: str
    received_at: datetime
    replaced_version: int | None
    is_duplicate: bool


@dataclass(frozen=True, slots=True)
class HeldResult:
    """What the library holds now for a business key, for the reconcile report."""

    business_key: str
    version: int
    digest: str
    received_at: datetime


class CaseLibrary(Protocol):
    """The case library as the portal uses it."""

    def push(self, result: CaseResult, *, correlation_id: str | None = None) -> LibraryReceipt:
        """Deliver a result or a correction; the same key and version gives the first receipt again.

        Raises PartnerRefused for an older version or for other content under the same version.
        """

    def held(self, business_key: str, *, correlation_id: str | None = None) -> HeldResult | None:
        """Return what the library holds for a key, or None when it answered that it holds nothing."""
