"""How each kind of message reaches its partner, and who is told what became of it.

A delivery is registered with `@delivery(partner, kind)` on a function that calls the partner, outside any
transaction. A noun that must know the outcome registers `@on_outcome(partner)`; it runs inside the transaction that
notes the outcome, and may run again for the same message after a replay, so it must not count twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.command import Work
from domain.exchange.tables import OutboxMessage
from domain.office import Office

Answer = Mapping[str, Any]
Send = Callable[[Office, OutboxMessage], Answer]
"""Calls the partner; the answer is a JSON document. Raises the errors of domain.ports."""
Ask = Callable[[Office, OutboxMessage], Answer | None]
"""Asks what became of a delivered message; None while the partner has not decided."""
Compare = Callable[[Office, OutboxMessage], str | None]
"""Asks what the partner holds; None if it agrees with ours, else the difference in words."""


@dataclass(frozen=True)
class Delivery:
    """One kind of message: how it is sent, how its result is asked for, how both sides are compared."""

    partner: str
    kind: str
    send: Send
    ask: Ask | None = None
    compare: Compare | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a message.

    `event` is delivered, refused, dead, cancelled, waiting (sent again by hand), result (the partner decided) or
    conflict (the partner sent a second, different result; the first one stays).
    """

    event: str
    answer: Answer = field(default_factory=dict)
    words: str = ""


Note = Callable[[Work, OutboxMessage, Outcome], None]

DELIVERIES: dict[tuple[str, str], Delivery] = {}
_LISTENERS: dict[str, list[Note]] = {}


def delivery(partner: str, kind: str, *, ask: Ask | None = None, compare: Compare | None = None) -> Callable[[Send], Send]:
    """Register how a kind of message is sent; with `ask` a delivered message awaits a result."""

    def register(send: Send) -> Send:
        if (partner, kind) in DELIVERIES:
            raise ValueError(f"delivery {partner}/{kind} is registered twice")
        DELIVERIES[partner, kind] = Delivery(partner, kind, send, ask, compare)
        return send

    return register


def on_outcome(partner: str) -> Callable[[Note], Note]:
    """Register who is told what became of the messages to a partner."""

    def register(note: Note) -> Note:
        _LISTENERS.setdefault(partner, []).append(note)
        return note

    return register


def tell(work: Work, message: OutboxMessage, outcome: Outcome) -> None:
    """Tell everybody concerned, in the transaction that notes the outcome."""
    for note in _LISTENERS.get(message.partner, ()):
        note(work, message, outcome)


def delivery_of(message: OutboxMessage) -> Delivery | None:
    """How this message is sent; None if no such kind is known."""
    return DELIVERIES.get((message.partner, message.kind))


def partners_with_deliveries() -> tuple[str, ...]:
    """The partners that messages can be sent to."""
    return tuple(sorted({partner for partner, _ in DELIVERIES}))
