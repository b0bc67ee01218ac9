"""Readings arrive: pushed by a monitoring platform through the inbox, or written down by an official."""

from datetime import datetime
from decimal import Decimal

from domain.command import Work, command, holders_of, system_only
from domain.errors import InvalidData
from domain.exchange.inbox import Received, take_unasked
from domain.exchange.tables import InboxMessage
from domain.observation.intake import Reading, Taken, locked, series_of, take_in
from domain.observation.sight import ENTERING, find, may_enter
from domain.ports.monitoring import ReadingsMessage

PARTNER, KIND = "monitoring", "readings"
MANUAL = "manual:"
"""How the business keys of readings begin that an official wrote down."""


def received_of(message: ReadingsMessage) -> Received:
    """The message as the inbox keeps it."""
    readings = [{"business_key": each.business_key, "at": each.at.isoformat(), "value": f"{each.value:f}"} for each in message.readings]
    return Received(PARTNER, message.message_id, {"series": message.series, "readings": readings}, kind=KIND)


@command("inbox.take_readings", allow=system_only)
def take_message(work: Work, received: Received) -> InboxMessage:
    """Keep a message of readings; each reading has its effect once, all of them or none.

    Raises NotFound for a series that does not exist, Conflict for a key that came with other content, InvalidData.
    """
    payload = received.payload
    readings = [Reading(each["business_key"], datetime.fromisoformat(each["at"]), Decimal(each["value"])) for each in payload["readings"]]
    locked(work.session, series_of(work.session, payload["series"]).id)
    return take_unasked(work, received, lambda: take_in(work, payload["series"], readings))


@command("observation.enter", allow=holders_of(*ENTERING))
def enter(work: Work, series_id: int, key: str, at: datetime, value: Decimal) -> Taken:
    """Take in a reading that an official read off; `key` is the number of the form, so that sending it twice counts once.

    Raises NotFound out of sight, NotAllowed in another district, InvalidData and Conflict like `intake.take`.
    """
    if not key:
        raise InvalidData("表单没有编号，可能不是从页面提交的。请刷新页面后再提交。")
    series = find(work.session, work.actor, series_id)
    may_enter(work.actor, series)
    reading = Reading(f"{MANUAL}{work.actor.person_id}:{key}"[:80], at, value)
    taken = take_in(work, series.key, [reading])
    work.record(f"series:{series.key}", value=str(value), entered_by=work.actor.name)
    return taken


def entered_by_hand(business_key: str) -> bool:
    """True if an official wrote the reading down."""
    return business_key.startswith(MANUAL)
