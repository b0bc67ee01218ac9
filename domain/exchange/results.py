"""Asking partners what became of delivered messages, for those that never push or whose push went astray."""

import logging
from typing import Any

from sqlmodel import Session, col, select

from domain.actor import SYSTEM
from domain.command import Work, command, system_only
from domain.errors import PortalError
from domain.exchange.delivery import delivery_of
from domain.exchange.inbox import Received, accept
from domain.exchange.outbox import FIRST_ASK, LONGEST_ASK
from domain.exchange.tables import OutboxMessage, PartnerLine
from domain.job import Storage
from domain.office import Office
from domain.portal_clock import now
from domain.ports.errors import OutsideSystemError

log = logging.getLogger(__name__)


def next_unanswered(session: Session) -> OutboxMessage | None:
    """The delivered message whose result is to be asked for next; None if none is due."""
    at = now(session)
    paused = select(PartnerLine.partner).where(col(PartnerLine.paused_until) > at)
    statement = (
        select(OutboxMessage)
        .where(OutboxMessage.result_status == "awaited", col(OutboxMessage.result_due_at) <= at)
        .where(OutboxMessage.status == "delivered", col(OutboxMessage.partner).not_in(paused))
        .order_by(col(OutboxMessage.result_due_at), col(OutboxMessage.id))
        .limit(1)
    )
    return session.exec(statement).first()


def ask(storage: Storage, office: Office, message: OutboxMessage) -> bool:
    """Ask the partner about one message and take its result in; True if there is one now.

    The call is made outside any transaction. Raises what the partner's client raises, and PortalError if the result
    has an effect that is refused. For the refresh button of a screen, and for the runner.
    """
    delivery = delivery_of(message)
    payload = delivery.ask(office, message) if delivery is not None and delivery.ask is not None else None
    if payload is None:
        return False
    accept(storage.writing, Received(message.partner, message.business_key, payload, source="ask"))
    return True


def ask_next(storage: Storage, office: Office) -> bool:
    """Ask about the message that waits longest; True if there was one."""
    with storage.reading() as session:
        message = next_unanswered(session)
        if message is not None:
            session.expunge(message)
    if message is None:
        return False
    try:
        is_answered = ask(storage, office, message)
    except (OutsideSystemError, PortalError) as fault:
        log.warning("asking about outbox message %s failed: %s", message.id, type(fault).__name__)
        is_answered = False
        words: str | None = fault.message
    else:
        words = None
    if not is_answered:
        with storage.writing() as session:
            ask_later(session, SYSTEM, message.id, words)
    return True


@command("outbox.ask_later", allow=system_only)
def ask_later(work: Work, message_id: int, fault: str | None) -> None:
    """Ask again later: after 20 seconds, doubled each time, half an hour at most."""
    message: Any = work.session.get_one(OutboxMessage, message_id)
    if message.result_status != "awaited":
        return
    message.asked_count += 1
    message.result_due_at = work.at + min(FIRST_ASK * 2 ** min(message.asked_count, 20), LONGEST_ASK)
    message.fault = fault
    work.record(f"outbox:{message.id}", asked=message.asked_count)
