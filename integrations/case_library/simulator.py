"""Simulator of the case library."""

import json
import sqlite3
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.ports.partner import partner
from integrations.digest import content_digest
from integrations.samples import read_samples
from integrations.simulators.simulator import (
    Simulator,
    moment_text,
    now,
    refusal,
    rejection,
    success,
)
from integrations.simulators.store import Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS library_result (
    business_key TEXT NOT NULL, version INTEGER NOT NULL, digest TEXT NOT NULL, content TEXT NOT NULL,
    receipt_number TEXT NOT NULL UNIQUE, received_at TEXT NOT NULL, PRIMARY KEY (business_key, version)
);
"""
TEXTS = (
    "business_key",
    "case_number",
    "case_type",
    "project_name",
    "applicant_name",
    "applicant_code",
    "digest",
)
OUTCOMES = set(read_samples(__file__, "codes.yaml")["outcome"].values())


def case_library_simulator(store: Store) -> Simulator:
    """Build the simulator."""

    async def receive(request: Request) -> Response:
        message = json.loads(await request.body())
        faults = _faults(message if isinstance(message, dict) else {})
        if faults:
            return refusal("LIB-400", "办件信息不合要求", tuple(faults))
        with store.write() as db:
            return _record(db, message)

    async def tell(request: Request) -> Response:
        key = request.query_params.get("business_key", "")
        row = _latest(store.one, key)
        names = ("business_key", "version", "digest", "received_at")
        result = None if row is None else {name: row[name] for name in names}
        return success({"is_held": row is not None, "result": result})

    return Simulator(
        partner=partner("case_library"),
        routes=[Route("/results", receive, methods=["POST"]), Route("/results", tell, methods=["GET"])],
        schema=SCHEMA,
        seed=lambda db: None,
        principal_fields=("receipt_number", "digest"),
        refusal=("LIB-409", "该办件在市办件库中已锁定，不能接收"),
        tables=("library_result",),
    )


def _latest(one: Any, key: str) -> sqlite3.Row | None:
    return one("SELECT * FROM library_result WHERE business_key = ? ORDER BY version DESC LIMIT 1", key)


def _faults(message: dict[str, Any]) -> list[dict[str, str | None]]:
    faults = [
        rejection("LIB-REQUIRED", "必填项为空", field_name=name)
        for name in TEXTS
        if not isinstance(message.get(name), str) or not message[name]
    ]
    if message.get("outcome") not in OUTCOMES:
        faults.append(rejection("LIB-CODE", "办理结果代码不在代码表中", field_name="outcome"))
    if not _is_day(message.get("decided_on")):
        faults.append(rejection("LIB-DATE", "办结日期不是日期", field_name="decided_on"))
    if not isinstance(message.get("version"), int) or message["version"] < 1:
        faults.append(rejection("LIB-VERSION", "版本应为 1 以上的整数", field_name="version"))
    elif message["version"] > 1 and not message.get("correction_reason"):
        faults.append(rejection("LIB-REASON", "更正没有写明理由", field_name="correction_reason"))
    content = {name: value for name, value in message.items() if name != "digest"}
    if message.get("digest") and content_digest(content) != message["digest"]:
        faults.append(rejection("LIB-DIGEST", "摘要与内容不符", field_name="digest"))
    return faults


def _is_day(value: Any) -> bool:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def _record(db: sqlite3.Connection, message: dict[str, Any]) -> Response:
    key, version = message["business_key"], message["version"]
    same = db.execute(
        "SELECT * FROM library_result WHERE business_key = ? AND version = ?", (key, version)
    ).fetchone()
    if same is not None:
        if same["digest"] != message["digest"]:
            return refusal("LIB-CONFLICT", f"第 {version} 版已收到，内容不同，不能覆盖；更正请用新的版本号")
        return success(_receipt(same, is_duplicate=True))
    latest = _latest(lambda sql, *values: db.execute(sql, values).fetchone(), key)
    expected = 1 if latest is None else latest["version"] + 1
    if version != expected:
        return refusal("LIB-ORDER", f"应报第 {expected} 版，收到第 {version} 版")
    return success(_receipt(_insert(db, message), is_duplicate=False))


def _insert(db: sqlite3.Connection, message: dict[str, Any]) -> sqlite3.Row:
    number = db.execute("SELECT count(*) + 1 FROM library_result").fetchone()[0]
    values = (
        message["business_key"],
        message["version"],
        message["digest"],
        json.dumps(message, ensure_ascii=False),
        f"仿真-BJK-{number:06d}",
        moment_text(now()),
    )
    sql = "INSERT INTO library_result VALUES (?, ?, ?, ?, ?, ?) RETURNING *"
    return db.execute(sql, values).fetchone()


def _receipt(row: sqlite3.Row, *, is_duplicate: bool) -> dict[str, Any]:
    replaced = row["version"] - 1 if row["version"] > 1 else None
    return {
        "business_key": row["business_key"],
        "version": row["version"],
        "receipt_number": row["receipt_number"],
        "received_at": row["received_at"],
        "replaced_version": replaced,
        "is_duplicate": is_duplicate,
    }
