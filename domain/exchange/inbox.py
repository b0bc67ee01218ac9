"""Results that a partner pushes, or gives when asked: one effect per business key, whatever arrives how often.

The first result of a business key has its effect. The same one again changes nothing; a different one is kept as a
conflict, shown to the report administrators, and the first one stays.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from domain.actor import SYSTEM
from domain.case.tables import Case
from domain.command import Work, command, system_only
from domain.errors import Conflict, PortalError
from domain.exchange.delivery import Outcome, tell
from domain.exchange.tables import InboxMessage, OutboxMessage
from domain.exchange.warning import warn_report_admins
from domain.failpoint import reach

RESULT = "result"
INVALID = "invalid"

Take = Callable[..., InboxMessage]
"""A command (session, actor, received) that lets a message have its effect."""
Writing = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class Received:
    """A result as it came in: `payload` is the partner's word in our terms, `source` push or ask."""

    partner: str
    business_key: str
    payload: Mapping[str, Any]
    source: str = "push"
    kind: str = RESULT

    @property
    def digest(self) -> str:
        """What tells a repeated result from a different one: SM3 over its content, whichever way it came."""
        text = json.dumps(dict(self.payload), ensure_ascii=False, sort_keys=True, default=str)
        return hashlib.new("sm3", text.encode()).hexdigest()


def accept(writing: Writing, received: Received, take: Take | None = None) -> InboxMessage:
    """Take a result in and let it have its effect, both in one transaction.

    If the effect is refused the message is kept as failed, so that nothing a partner said is lost, and the refusal
    is raised; when the partner sends it again the effect is tried again.
    """
    try:
        with writing() as session:
            return (take or take_result)(session, SYSTEM, received)
    except PortalError as refusal:
        with writing() as session:
            keep_failed(session, SYSTEM, received, refusal.message)
        raise


@command("inbox.take", allow=system_only)
def take_result(work: Work, received: Received) -> InboxMessage:
    """Keep a result; the first one of its business key has its effect."""
    return take_in(work, received)


def take_in(work: Work, received: Received) -> InboxMessage:
    """Take a result in, as part of a command of one's own (a screen that asked for it)."""
    _hold_case(work, received)
    message = _asked_for(work, received)
    known = _known(work, received)
    if known is not None and known.status != "failed":
        return _repeated(work, known)
    inbox = known or _new_row(work, received, message)
    if message is None:
        _fail(work, inbox, "本系统没有报送过这个业务主键，结果没有采用。请与对方核对。")
    elif (first := _first_handled(work, received)) is not None:
        _conflict(work, inbox, message, first)
    else:
        _handle(work, inbox, message)
    work.record(f"inbox:{inbox.id}", business_key=received.business_key, status=inbox.status)
    return inbox


def take_unasked(work: Work, received: Received, effect: Callable[[], None]) -> InboxMessage:
    """Keep a message that answers none of ours, as part of a command; the first of its business key has its effect.

    The caller holds a lock that two messages of one key share. Raises Conflict when the key came with other content.
    """
    known = _known(work, received)
    if known is not None and known.status != "failed":
        return _repeated(work, known)
    first = _first_handled(work, received)
    if first is not None:
        raise Conflict(f"消息 {received.business_key} 已收过（第 {first.id} 号），这次的内容不同，没有采用。不同的内容请用新的消息编号。")
    inbox = known or _new_row(work, received, None)
    effect()
    inbox.status, inbox.fault = "handled", None
    work.record(f"inbox:{inbox.id}", business_key=received.business_key, status=inbox.status)
    return inbox


def _repeated(work: Work, known: InboxMessage) -> InboxMessage:
    """Note that a message came once more; it has no second effect."""
    _count(work, known)
    work.record(f"inbox:{known.id}", business_key=known.business_key, repeated=known.received_count)
    return known


def _count(work: Work, known: InboxMessage) -> None:
    known.received_count += 1
    known.last_received_at = work.at


def _hold_case(work: Work, received: Received) -> None:
    """Lock the case before its message, as every command on a case does: two locks in two orders would meet."""
    cases = select(OutboxMessage.case_id).where(
        OutboxMessage.partner == received.partner, OutboxMessage.business_key == received.business_key
    )
    work.session.exec(select(Case.id).where(col(Case.id).in_(cases)).with_for_update()).all()


def _asked_for(work: Work, received: Received) -> OutboxMessage | None:
    """The message it answers, locked: two results for one key are taken one after the other."""
    statement = select(OutboxMessage).where(
        OutboxMessage.partner == received.partner, OutboxMessage.business_key == received.business_key
    )
    return work.session.exec(statement.order_by(OutboxMessage.id).limit(1).with_for_update()).first()


def _known(work: Work, received: Received) -> InboxMessage | None:
    statement = select(InboxMessage).where(
        InboxMessage.partner == received.partner,
        InboxMessage.business_key == received.business_key,
        InboxMessage.digest == received.digest,
    )
    return work.session.exec(statement).first()


def _first_handled(work: Work, received: Received) -> InboxMessage | None:
    statement = select(InboxMessage).where(
        InboxMessage.partner == received.partner,
        InboxMessage.business_key == received.business_key,
        InboxMessage.kind == received.kind,
        InboxMessage.status == "handled",
    )
    return work.session.exec(statement).first()


def _new_row(work: Work, received: Received, message: OutboxMessage | None) -> InboxMessage:
    inbox = InboxMessage(
        partner=received.partner,
        kind=received.kind,
        business_key=received.business_key,
        digest=received.digest,
        case_id=message.case_id if message else None,
        outbox_id=message.id if message else None,
        payload=dict(received.payload),
        source=received.source,
        received_at=work.at,
        last_received_at=work.at,
    )
    work.session.add(inbox)
    work.session.flush()
    return inbox


def _handle(work: Work, inbox: InboxMessage, message: OutboxMessage) -> None:
    inbox.status, inbox.fault = "handled", None
    message.result_status, message.result, message.result_at = "arrived", inbox.payload, work.at
    message.result_due_at, message.reply_light = None, ""
    tell(work, message, Outcome("result", inbox.payload))
    reach("inbox:handled")


def _conflict(work: Work, inbox: InboxMessage, message: OutboxMessage, first: InboxMessage) -> None:
    words = (
        f"对方就同一业务主键先后给出了不同的结果（先收到的见第 {first.id} 号）。以先收到的为准，这一条没有采用。"
        "请与对方核对。"
    )
    inbox.status, inbox.fault = "conflict", words
    tell(work, message, Outcome("conflict", inbox.payload, words))
    warn_report_admins(work, [message], "收到两个不同的结果", words)


def _fail(work: Work, inbox: InboxMessage, words: str) -> None:
    inbox.status, inbox.fault = "failed", words


@command("inbox.keep_failed", allow=system_only)
def keep_failed(work: Work, received: Received, fault: str) -> InboxMessage:
    """Keep a message that had no effect, with the reason."""
    known = _known(work, received)
    if known is None:
        known = _new_row(work, received, _asked_for(work, received))
    else:
        _count(work, known)
    _fail(work, known, fault)
    work.record(f"inbox:{known.id}", business_key=received.business_key, status="failed")
    return known


def received_for(session: Session, outbox_id: int) -> list[InboxMessage]:
    """What came in about a message, the earliest first."""
    statement = select(InboxMessage).where(InboxMessage.outbox_id == outbox_id).order_by(col(InboxMessage.id))
    return list(session.exec(statement.limit(200)).all())
