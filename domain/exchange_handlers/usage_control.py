"""Packages to the land-use control platforms of the ministry and of the city.

The kind of a message is a value of PackageKind; its payload holds `file_name`, its `file_digest` is the package in the
file store. The result comes later, pushed or asked for, as
{"state", "number", "receipt_number", "rejections": [{"code", "text", "file", "field"}], "decided_at"}.
"""

from collections.abc import Mapping
from typing import Any

from domain.errors import InvalidData
from domain.exchange.attempt import documents
from domain.exchange.delivery import delivery
from domain.exchange.tables import OutboxMessage
from domain.office import Office
from domain.ports.usage_control import PackageKind, ReportPackage, ReportResult, UsageControl

PLATFORMS = ("usage_control", "usage_control_city")


def result_document(result: ReportResult) -> dict[str, Any]:
    """A platform's decision as a JSON document; the same decision gives the same document, pushed or asked for."""
    return {
        "state": str(result.state),
        "number": result.number,
        "receipt_number": result.receipt_number,
        "rejections": documents(result.rejections),
        "decided_at": result.decided_at.isoformat() if result.decided_at else None,
    }


def _platform(office: Office, message: OutboxMessage) -> UsageControl:
    return getattr(office.partners, message.partner)


def _submit(office: Office, message: OutboxMessage) -> Mapping[str, Any]:
    if message.file_digest is None:
        raise InvalidData("报文没有附报送包，不能报送。请重新打包后再报。")
    # Checked whole before it is sent: a damaged package must not leave the house.
    for _chunk in office.files.read(message.file_digest):
        pass
    with office.files.path_of(message.file_digest).open("rb") as content:
        package = ReportPackage(
            message.business_key, PackageKind(message.kind), message.payload["file_name"], content, message.file_digest
        )
        receipt = _platform(office, message).submit(package)
    return {
        "receipt_number": receipt.receipt_number,
        "received_at": receipt.received_at.isoformat(),
        "is_duplicate": receipt.is_duplicate,
    }


def _ask(office: Office, message: OutboxMessage) -> Mapping[str, Any] | None:
    result = _platform(office, message).result(message.business_key)
    return result_document(result) if result.state.is_final else None


def _compare(office: Office, message: OutboxMessage) -> str | None:
    """Whether the platform holds the package and says of it what we noted."""
    theirs = _platform(office, message).result(message.business_key)
    receipt = (message.answer or {}).get("receipt_number")
    if theirs.receipt_number != receipt:
        return f"回执号不一致：本方 {receipt or '无'}，对方 {theirs.receipt_number}"
    ours = message.result or {}
    if theirs.state.is_final and not ours:
        return f"对方已有结果（{theirs.number or theirs.state}），本方还没有收到"
    if ours and (ours["state"], ours["number"]) != (str(theirs.state), theirs.number):
        return f"结果不一致：本方 {ours['number'] or ours['state']}，对方 {theirs.number or theirs.state}"
    return None


for _name in PLATFORMS:
    for _kind in PackageKind:
        delivery(_name, str(_kind), ask=_ask, compare=_compare)(_submit)
