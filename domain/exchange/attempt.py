"""One attempt to deliver a message: the call to the partner, outside any transaction, and what came of it."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.errors import PortalError
from domain.exchange import wire
from domain.exchange.delivery import delivery_of
from domain.exchange.tables import OutboxAttempt, OutboxMessage
from domain.office import Office
from domain.ports.errors import OutsideSystemDown, PartnerAnswerInvalid, PartnerRefused, Rejection
from domain.redaction import redact

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """What came of one call: delivered, refused, down (not reached), invalid (unusable answer), broken (our message)."""

    at: datetime
    result: str
    answer: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    duration_ms: int = 0
    wire: dict[str, Any] | None = None

    def row(self, message_id: int) -> OutboxAttempt:
        """The line of the message's history."""
        return OutboxAttempt(
            message_id=message_id, at=self.at, duration_ms=self.duration_ms, result=self.result,
            detail=redact(self.words), wire=self.wire,
        )  # fmt: skip


def make(office: Office, message: OutboxMessage, at: datetime) -> Attempt:
    """Call the partner once. Never raises for what a partner or a message can do wrong."""
    started = time.monotonic()
    with wire.collecting() as records:
        result, answer, words = _call(office, message)
    duration_ms = round((time.monotonic() - started) * 1000)
    return Attempt(at, result, answer, words, duration_ms, wire.document(records))


def _call(office: Office, message: OutboxMessage) -> tuple[str, Mapping[str, Any], str]:
    delivery = delivery_of(message)
    if delivery is None:
        return "broken", {}, f"没有办法发送「{message.kind}」类报文。可能是版本更新后改了名，请联系系统管理员。"
    try:
        return "delivered", delivery.send(office, message), ""
    except PartnerRefused as refusal:
        answer = {"code": refusal.code, "text": refusal.text, "rejections": documents(refusal.rejections)}
        return "refused", answer, refusal.message
    except OutsideSystemDown as down:
        return "down", {}, down.message
    except PartnerAnswerInvalid as invalid:
        return "invalid", {}, invalid.message
    except PortalError as fault:
        return "broken", {}, fault.message
    except Exception:
        log.exception("delivery %s/%s failed", message.partner, message.kind)
        return "broken", {}, "报文不能组成或对应答的处理出错，没有再试。请联系系统管理员查看日志，改正后重发。"


def documents(rejections: tuple[Rejection, ...]) -> list[dict[str, Any]]:
    """Reasons of a refusal as JSON."""
    return [{"code": r.code, "text": r.text, "file": r.file, "field": r.field} for r in rejections]
