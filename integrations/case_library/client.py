"""Client of the case library."""

from typing import Any

from domain.ports.case_library import CaseResult, HeldResult, LibraryReceipt
from integrations.answer import Fields, read_envelope
from integrations.digest import content_digest
from integrations.http import Connection
from integrations.samples import read_samples

_OUTCOMES: dict[str, str] = read_samples(__file__, "codes.yaml")["outcome"]
_DIGEST = r"[0-9a-f]{64}"


class CaseLibraryClient:
    """Delivers case results over HTTP."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def push(self, result: CaseResult, *, correlation_id: str | None = None) -> LibraryReceipt:
        """Deliver a result, or a correction when its version is above 1."""
        answer = self._connection.post_json("/results", message_of(result), correlation_id)
        fields = read_envelope(self._connection.partner, answer)
        receipt = _read_receipt(fields)
        if (receipt.business_key, receipt.version) != (result.business_key, result.version):
            fields.fail("business_key", f"与所报的 {result.business_key} 第 {result.version} 版不符")
        return receipt

    def held(self, business_key: str, *, correlation_id: str | None = None) -> HeldResult | None:
        """Return what the library holds for a key, or None when it answered that it holds nothing."""
        query = {"business_key": business_key}
        answer = self._connection.get("/results", query, correlation_id=correlation_id)
        fields = read_envelope(self._connection.partner, answer)
        is_held = fields.truth("is_held")
        held = _read_held(fields.object("result")) if is_held else None
        if held is None:
            fields.nothing("result")
        elif held.business_key != business_key:
            fields.fail("business_key", f"不是所查的 {business_key}")
        fields.done()
        return held


def message_of(result: CaseResult) -> dict[str, Any]:
    """Return the message that reports a result, in the library's codes, with its digest.

    Raises ValueError for a correction without a reason, or a reason without a correction.
    """
    if (result.version > 1) != bool(result.correction_reason):
        raise ValueError("第 2 版起应写明更正理由，第 1 版不写。请核对版本与勘误单。")
    content = {
        "business_key": result.business_key,
        "version": result.version,
        "case_number": result.case_number,
        "case_type": result.case_type,
        "project_name": result.project_name,
        "applicant_name": result.applicant_name,
        "applicant_code": result.applicant_code,
        "outcome": _OUTCOMES[result.outcome],
        "document_number": result.document_number,
        "decided_on": result.decided_on.isoformat(),
        "correction_reason": result.correction_reason,
    }
    return {**content, "digest": content_digest(content)}


def _read_receipt(fields: Fields) -> LibraryReceipt:
    receipt = LibraryReceipt(
        business_key=fields.text("business_key"),
        version=fields.count("version"),
        receipt_number=fields.text("receipt_number", r"[^\s]{1,60}"),
        received_at=fields.moment("received_at"),
        replaced_version=fields.count_or_none("replaced_version"),
        is_duplicate=fields.truth("is_duplicate"),
    )
    fields.done()
    return receipt


def _read_held(fields: Fields) -> HeldResult:
    held = HeldResult(
        business_key=fields.text("business_key"),
        version=fields.count("version"),
        digest=fields.text("digest", _DIGEST),
        received_at=fields.moment("received_at"),
    )
    fields.done()
    return held
