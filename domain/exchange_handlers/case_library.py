"""Case results and their corrections to the city's case library.

The kind of a message is `result`; its payload is a CaseResult without the business key (dates as text), built by
`payload_of`. A correction is a message of its own: `send(…, business_key=message_key(key, version), …)`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from domain.exchange.delivery import delivery
from domain.exchange.tables import OutboxMessage
from domain.office import Office
from domain.ports.case_library import CaseResult, Outcome

PARTNER, KIND = "case_library", "result"


def message_key(business_key: str, version: int) -> str:
    """The business key of the message that delivers one version of a result."""
    return f"{business_key}/v{version}"


def payload_of(result: CaseResult) -> dict[str, Any]:
    """A result as the payload of a message."""
    return {**asdict(result), "outcome": str(result.outcome), "decided_on": result.decided_on.isoformat()}


def result_of(payload: Mapping[str, Any]) -> CaseResult:
    """The result that a payload holds."""
    return CaseResult(
        **{
            **payload,
            "outcome": Outcome(payload["outcome"]),
            "decided_on": date.fromisoformat(payload["decided_on"]),
        }
    )


def _compare(office: Office, message: OutboxMessage) -> str | None:
    """Whether the library holds this version or a later one."""
    held = office.partners.case_library.held(message.payload["business_key"])
    if held is None:
        return "对方没有这个办件的结果"
    if held.version < message.payload["version"]:
        return f"对方只有第 {held.version} 版，本方已报第 {message.payload['version']} 版"
    return None


@delivery(PARTNER, KIND, compare=_compare)
def push(office: Office, message: OutboxMessage) -> Mapping[str, Any]:
    """Deliver one version of a case's result."""
    receipt = office.partners.case_library.push(result_of(message.payload))
    return {
        "receipt_number": receipt.receipt_number,
        "received_at": receipt.received_at.isoformat(),
        "version": receipt.version,
        "replaced_version": receipt.replaced_version,
        "is_duplicate": receipt.is_duplicate,
    }
