"""What outside systems send to the portal by themselves: verified, kept in the inbox, effective once."""

import json
import logging
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain.actor import SYSTEM
from domain.exchange import inbox
from domain.exchange.inbox import INVALID, Received
from domain.exchange_handlers.usage_control import result_document
from domain.observation import arrival
from domain.ports.errors import CallbackRefused, PartnerAnswerInvalid
from domain.redaction import redact_document
from views.page import office, writing

log = logging.getLogger(__name__)
PLATFORM = "usage_control"


def usage_control_result(request: Request) -> Response:
    """Take the result that the ministry's platform pushes.

    200: kept (also when it was known, or differs from the first one and has no effect); 401: not signed by the
    platform, nothing kept; 422: its content cannot be used, kept for the report administrators.
    """
    request.state.wants_json = True
    body: bytes = request.state.body
    try:
        callback = office(request).partners.usage_control.parse_callback(request.headers, body)
    except CallbackRefused as refusal:
        log.warning("callback refused: %s", refusal.reason)
        return JSONResponse({"error": refusal.message}, 401)
    except PartnerAnswerInvalid as invalid:
        _keep_invalid(request, body, invalid.message)
        return JSONResponse({"error": invalid.message}, 422)
    received = Received(PLATFORM, callback.result.business_key, result_document(callback.result))
    kept = inbox.accept(lambda: writing(request), received)
    return JSONResponse({"message_id": callback.message_id, "status": kept.status})


def readings(request: Request) -> Response:
    """Take the readings that the monitoring platform pushes.

    200: kept, also when all or some were known; 401: not signed, nothing kept; 404, 409, 422: kept in the inbox only.
    """
    request.state.wants_json = True
    body: bytes = request.state.body
    try:
        message = office(request).partners.monitoring.parse_readings(request.headers, body)
    except CallbackRefused as refusal:
        log.warning("readings refused: %s", refusal.reason)
        return JSONResponse({"error": refusal.message}, 401)
    except PartnerAnswerInvalid as invalid:
        payload = _document(body)
        _keep(request, Received(arrival.PARTNER, _key(payload.get("message_id")), redact_document(payload), kind=INVALID), invalid.message)
        return JSONResponse({"error": invalid.message}, 422)
    kept = inbox.accept(lambda: writing(request), arrival.received_of(message), arrival.take_message)
    return JSONResponse({"message_id": message.message_id, "status": kept.status, "received": kept.received_count})


def _keep_invalid(request: Request, body: bytes, fault: str) -> None:
    """Keep a signed message that cannot be used, so that somebody asks the platform about it."""
    payload = _document(body)
    result = payload.get("result")
    key = result.get("business_key") if isinstance(result, dict) else None
    _keep(request, Received(PLATFORM, _key(key), redact_document(payload), kind=INVALID), fault)


def _key(value: Any) -> str:
    return str(value or "—")[:120]


def _keep(request: Request, received: Received, fault: str) -> None:
    with writing(request) as session:
        inbox.keep_failed(session, SYSTEM, received, fault)


def _document(body: bytes) -> dict[str, Any]:
    """The body as a document; a body that is none is kept as text."""
    try:
        document = json.loads(body)
    except ValueError:
        return {"text": body[:2000].decode("utf-8", "replace")}
    return document if isinstance(document, dict) else {"text": str(document)[:2000]}
