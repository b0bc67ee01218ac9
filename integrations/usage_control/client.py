"""Client of a land-use control platform, of the ministry or of the city."""

import hashlib
from collections.abc import Mapping
from typing import BinaryIO

from domain.ports.errors import Rejection
from domain.ports.usage_control import (
    CALLBACK_PATH,
    ProjectNumber,
    ReportCallback,
    ReportPackage,
    ReportReceipt,
    ReportResult,
    ReportState,
)
from integrations.answer import Fields, read_envelope, read_json, read_rejection
from integrations.callback import verified
from integrations.http import Connection
from integrations.usage_control.codes import KINDS, REAL_NUMBER, SIMULATED_NUMBER, STATES_BY_CODE

_RECEIPT_NUMBER = r"[^\s]{1,60}"


class UsageControlClient:
    """Reports packages over HTTP and reads results, asked for or pushed.

    `accept_simulated` says which numbers are believed: those with the mark 仿真, or those without, never both.
    """

    def __init__(
        self, connection: Connection, *, accept_simulated: bool, callback_path: str = CALLBACK_PATH
    ) -> None:
        self._connection = connection
        self._accept_simulated = accept_simulated
        self._callback_path = callback_path

    def submit(self, package: ReportPackage, *, correlation_id: str | None = None) -> ReportReceipt:
        """Send a package; the same key with the same content gives the first receipt again.

        Raises ValueError when the content is not what its digest says.
        """
        if _stream_digest(package.content) != package.digest:
            raise ValueError(f"报送包 {package.file_name} 的内容与摘要不符，未报送。请重新打包。")
        form = {
            "business_key": package.business_key,
            "kind": KINDS[package.kind].code,
            "digest": package.digest,
        }
        answer = self._connection.post_file(
            "/packages", form, package.file_name, package.content, correlation_id
        )
        fields = read_envelope(self._connection.partner, answer)
        receipt = _read_receipt(fields)
        if receipt.business_key != package.business_key:
            fields.fail("business_key", f"不是所报的 {package.business_key}")
        return receipt

    def result(self, business_key: str, *, correlation_id: str | None = None) -> ReportResult:
        """Ask what became of a package."""
        answer = self._connection.get("/result", {"key": business_key}, correlation_id=correlation_id)
        fields = read_envelope(self._connection.partner, answer)
        result = self._read_result(fields)
        if result.business_key != business_key:
            fields.fail("business_key", f"不是所查的 {business_key}")
        return result

    def pre_review_number(self, project_code: str, *, correlation_id: str | None = None) -> ProjectNumber:
        """Ask for the number that a project's pre-review 用地预审 has."""
        answer = self._connection.get("/pre-review-number", {"project_code": project_code}, correlation_id=correlation_id)
        fields = read_envelope(self._connection.partner, answer)
        found = ProjectNumber(
            project_code=fields.text("project_code"),
            number=fields.text_or_none("number", SIMULATED_NUMBER if self._accept_simulated else REAL_NUMBER),
            answered_at=fields.moment("answered_at"),
        )
        fields.done()
        if found.project_code != project_code:
            fields.fail("project_code", f"不是所查的 {project_code}")
        return found

    def parse_callback(self, headers: Mapping[str, str], body: bytes) -> ReportCallback:
        """Verify and read a pushed result; the signature is checked before anything is read."""
        signed, correlation_id = verified(self._connection, self._callback_path, headers, body)
        return self._read_callback(body, signed.nonce, correlation_id)

    def _read_callback(self, body: bytes, nonce: str, correlation_id: str) -> ReportCallback:
        fields = read_json(self._connection.partner, body, correlation_id)
        callback = ReportCallback(
            message_id=fields.text("message_id", r"[0-9A-Za-z-]{8,64}"),
            sent_at=fields.moment("sent_at"),
            nonce=nonce,
            correlation_id=correlation_id,
            result=self._read_result(fields.object("result")),
        )
        fields.done()
        if not callback.result.state.is_final:
            fields.fail("result.state", "不是终态，不应推送")
        return callback

    def _read_result(self, fields: Fields) -> ReportResult:
        state = _read_state(fields)
        number = self._read_number(fields, state)
        result = ReportResult(
            business_key=fields.text("business_key"),
            receipt_number=fields.text("receipt_number", _RECEIPT_NUMBER),
            state=state,
            number=number,
            is_simulated=number is not None and self._accept_simulated,
            rejections=_read_rejections(fields, state),
            decided_at=fields.moment_or_none("decided_at"),
        )
        fields.done()
        if state.is_final != (result.decided_at is not None):
            fields.fail("decided_at", f"与状态 {state} 不相符")
        return result

    def _read_number(self, fields: Fields, state: ReportState) -> str | None:
        if state is not ReportState.NUMBERED:
            fields.nothing("number")
            return None
        return fields.text("number", SIMULATED_NUMBER if self._accept_simulated else REAL_NUMBER)


def _read_receipt(fields: Fields) -> ReportReceipt:
    receipt = ReportReceipt(
        business_key=fields.text("business_key"),
        receipt_number=fields.text("receipt_number", _RECEIPT_NUMBER),
        received_at=fields.moment("received_at"),
        is_duplicate=fields.truth("is_duplicate"),
    )
    fields.done()
    return receipt


def _read_state(fields: Fields) -> ReportState:
    code = fields.text("state", r"[0-9A-Za-z]{1,10}")
    if code not in STATES_BY_CODE:
        fields.fail("state", f"的代码 {code} 不在代码表中")
    return STATES_BY_CODE[code]


def _read_rejections(fields: Fields, state: ReportState) -> tuple[Rejection, ...]:
    rejections = tuple(read_rejection(item) for item in fields.objects("errors"))
    if bool(rejections) != (state is ReportState.REJECTED):
        fields.fail("errors", f"与状态 {state} 不相符")
    return rejections


def _stream_digest(content: BinaryIO) -> str:
    content.seek(0)
    digest = hashlib.new("sm3")
    while chunk := content.read(1 << 20):
        digest.update(chunk)
    content.seek(0)
    return digest.hexdigest()
