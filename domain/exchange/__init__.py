"""Messages to and from outside systems: written with the step that causes them, effective exactly once.

    tables.py       outbox, attempts, inbox, lines to partners
    outbox.py       send, claim, settle, replay, cancel
    attempt.py      one call to a partner
    delivery.py     how each kind is sent, and who is told the outcome
    inbox.py        results that partners push or are asked for
    monitor.py      lists for the exchange monitor
    reconcile.py    both sides compared
"""

from domain.exchange.delivery import Outcome, delivery, on_outcome
from domain.exchange.outbox import send
from domain.exchange.tables import InboxMessage, OutboxAttempt, OutboxMessage, PartnerLine

__all__ = [
    "InboxMessage",
    "OutboxAttempt",
    "OutboxMessage",
    "Outcome",
    "PartnerLine",
    "delivery",
    "on_outcome",
    "send",
]
