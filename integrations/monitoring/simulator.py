"""Simulator of the monitoring platform: it pushes the readings it is told to, and answers nothing itself."""

import sqlite3
import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from domain.ports.partner import partner
from integrations.simulators.faults import WRONG_VALUE, take_fault
from integrations.simulators.pushing import SCHEMA as PUSH_SCHEMA
from integrations.simulators.pushing import PushWorker, add_push
from integrations.simulators.simulator import Simulator, moment_text, now
from integrations.simulators.store import Store

KEY, TABLE = "monitoring", "reading_push"
SCHEMA = PUSH_SCHEMA.format(table=TABLE)


def monitoring_simulator() -> Simulator:
    """Build the simulator."""
    return Simulator(
        partner=partner(KEY),
        routes=[],
        schema=SCHEMA,
        seed=_seed,
        principal_fields=("value",),
        refusal=("MON-409", "监测平台不接收请求"),
        own_faults=("twice_different",),
        tables=(TABLE,),
    )


def send_reading(store: Store, worker: PushWorker, given: Mapping[str, str]) -> dict[str, Any]:
    """Push one reading of a series; `at` and `business_key` are now and a new one unless given. Raises ValueError.

    The faults twice, twice_different and wrong_value are played on it.
    """
    reading = {
        "business_key": given.get("business_key") or uuid.uuid4().hex,
        "at": _moment(given.get("at", "")),
        "value": _value(given["value"]),
    }
    fault = take_fault(store, KEY, "readings").kind
    contents = [{**reading, "value": WRONG_VALUE} if fault == "wrong_value" else reading]
    if fault == "twice_different":
        contents.append({**reading, "value": str(Decimal(reading["value"]) + 1)})
    with store.write() as db:
        messages = [_push(db, given["series"], each) for each in contents]
        if fault == "twice":
            add_push(db, TABLE, *messages[0])
    worker.wake()
    return {"readings": contents}


def _push(db: sqlite3.Connection, series: str, reading: Mapping[str, str]) -> tuple[str, dict[str, Any], str]:
    message = (uuid.uuid4().hex, {"series": series, "readings": [dict(reading)]}, moment_text(now()))
    add_push(db, TABLE, *message)
    return message


def _moment(text: str) -> str:
    if not text:
        return moment_text(now())
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"时刻应写成 2026-10-01T08:00+08:00 的样子，收到的是 {text}。") from error
    if at.tzinfo is None:
        raise ValueError(f"时刻 {text} 没有写时区。请写成 2026-10-01T08:00+08:00 的样子。")
    return moment_text(at)


def _value(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"读数应是十进制数，收到的是 {text}。") from error
    if not value.is_finite():
        raise ValueError(f"读数应是有限的数，收到的是 {text}。")
    return f"{value:f}"


def _seed(db: sqlite3.Connection) -> None:
    """Nothing is pushed before somebody asks for it."""
