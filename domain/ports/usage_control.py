"""Reporting to the land-use control platforms (用途管制监管平台) of the ministry and the city."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Protocol

from domain.ports.errors import Rejection


class PackageKind(StrEnum):
    """What a package reports; codes and required files: integrations/usage_control/codes.yaml."""

    PRE_REVIEW_PROJECT = "pre_review_project"
    PRE_REVIEW_DECLARATION = "pre_review_declaration"
    PRE_REVIEW_EXTENT = "pre_review_extent"
    PRE_REVIEW_OPINION = "pre_review_opinion"
    PRE_REVIEW_CANCELLATION = "pre_review_cancellation"
    PERMIT_INITIAL = "permit_initial"
    PERMIT_RECORD = "permit_record"
    PERMIT_CANCELLATION = "permit_cancellation"


class ReportState(StrEnum):
    """How far the platform is: `accepted` and `processing` are waiting, the others are final."""

    ACCEPTED = "accepted"
    PROCESSING = "processing"
    RECORDED = "recorded"
    NUMBERED = "numbered"
    REJECTED = "rejected"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """True when the platform will not change its answer."""
        return self not in (ReportState.ACCEPTED, ReportState.PROCESSING)


@dataclass(frozen=True, slots=True)
class ReportPackage:
    """A zip package ready to send; `content` is a seekable binary stream, `digest` its SM3 in hexadecimal.

    `business_key` names one effect for ever. A corrected package of the same case (after 勘误) is a new round
    with a new key: the platform refuses the same key with other content.
    """

    business_key: str
    kind: PackageKind
    file_name: str
    content: BinaryIO
    digest: str


@dataclass(frozen=True, slots=True)
class ReportReceipt:
    """The platform's word that it holds the package; `is_duplicate` when it already held the same one."""

    business_key: str
    receipt_number: str
    received_at: datetime
    is_duplicate: bool


@dataclass(frozen=True, slots=True)
class ReportResult:
    """What the platform made of a package.

    `number` (电子监管号) is set when, and only when, the state is `numbered`; `rejections` when it is
    `rejected`.
    """

    business_key: str
    receipt_number: str
    state: ReportState
    number: str | None
    is_simulated: bool
    rejections: tuple[Rejection, ...]
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReportCallback:
    """A result that the platform pushed to us.

    `message_id` stays the same when the same push is delivered again: the inbox deduplicates by it, and the
    business key tells a second, different push apart. `nonce` may be kept to refuse an exact replay.
    """

    message_id: str
    sent_at: datetime
    nonce: str
    correlation_id: str
    result: ReportResult


@dataclass(frozen=True, slots=True)
class ProjectNumber:
    """The number 用地预审电子监管号 that the platform holds for a project; None while its pre-review has none."""

    project_code: str
    number: str | None
    answered_at: datetime


CALLBACK_PATH = "/exchange/callbacks/usage_control"
"""The path the platform signs and pushes to, unless the client is told another."""


class UsageControl(Protocol):
    """One land-use control platform as the portal uses it."""

    def submit(self, package: ReportPackage, *, correlation_id: str | None = None) -> ReportReceipt:
        """Send a package; the same key with the same content gives the first receipt again.

        Raises OutsideSystemDown, PartnerRefused (with `rejections`) or PartnerAnswerInvalid.
        """

    def result(self, business_key: str, *, correlation_id: str | None = None) -> ReportResult:
        """Ask what became of a package. Raises PartnerRefused when the platform has no such key."""

    def pre_review_number(self, project_code: str, *, correlation_id: str | None = None) -> ProjectNumber:
        """Ask for the pre-review number of a project. Raises PartnerRefused when the platform knows no pre-review of it."""

    def parse_callback(self, headers: Mapping[str, str], body: bytes) -> ReportCallback:
        """Verify and read a pushed result. Raises CallbackRefused or PartnerAnswerInvalid."""
