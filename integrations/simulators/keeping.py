"""Simulated partners that keep a thing under its business key: the first one counts, the same again gives its receipt."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.ports.partner import partner
from integrations.simulators.simulator import Simulator, moment_text, now, refusal, rejection, success
from integrations.simulators.store import Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS kept_thing (
    partner TEXT NOT NULL, business_key TEXT NOT NULL, digest TEXT NOT NULL, content TEXT NOT NULL,
    receipt_number TEXT NOT NULL UNIQUE, received_at TEXT NOT NULL, PRIMARY KEY (partner, business_key)
);
"""
TABLE = "kept_thing"
RINGS = {"Polygon": 1, "MultiPolygon": 2}


@dataclass(frozen=True)
class Keeping:
    """What one partner keeps: where it is sent, what is wrong with a message, how its codes and receipts begin."""

    key: str
    path: str
    code: str
    faults: Callable[[dict[str, Any]], list[dict[str, str | None]]]


def keeping_simulator(store: Store, kept: Keeping) -> Simulator:
    """Build the simulator of a partner that keeps things."""

    async def receive(request: Request) -> Response:
        message = json.loads(await request.body())
        if found := kept.faults(message if isinstance(message, dict) else {}):
            return refusal(f"{kept.code}-400", "图斑信息不合要求", tuple(found))
        with store.write() as db:
            return _record(db, kept, message)

    async def tell(request: Request) -> Response:
        row = store.one(_FIND, kept.key, request.query_params.get("business_key", ""))
        return success({"is_held": row is not None})

    return Simulator(
        partner=partner(kept.key), routes=[Route(kept.path, receive, methods=["POST"]), Route(kept.path, tell, methods=["GET"])],
        schema=SCHEMA, seed=lambda db: None, principal_fields=("received_at", "is_held"),
        refusal=(f"{kept.code}-409", "该图斑暂不接收"), tables=(TABLE,),
    )  # fmt: skip


_FIND = f"SELECT * FROM {TABLE} WHERE partner = ? AND business_key = ?"


def _record(db: Any, kept: Keeping, message: dict[str, Any]) -> Response:
    key = message["business_key"]
    row = db.execute(_FIND, (kept.key, key)).fetchone()
    if row is not None and row["digest"] != message["digest"]:
        return refusal(f"{kept.code}-CONFLICT", "同一业务主键已收到内容不同的图斑，不能覆盖")
    is_duplicate = row is not None
    if row is None:
        count = db.execute(f"SELECT count(*) + 1 FROM {TABLE} WHERE partner = ?", (kept.key,)).fetchone()[0]
        values = (kept.key, key, message["digest"], json.dumps(message, ensure_ascii=False), f"仿真-{kept.code}-{count:06d}", moment_text(now()))
        row = db.execute(f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?, ?, ?) RETURNING *", values).fetchone()
    return success({name: row[name] for name in ("business_key", "receipt_number", "received_at")} | {"is_duplicate": is_duplicate})


def missing(code: str, values: dict[str, Any], names: tuple[str, ...]) -> list[dict[str, str | None]]:
    """A rejection for each text that is not there."""
    absent = [name for name in names if not isinstance(values.get(name), str) or not values[name]]
    return [rejection(f"{code}-REQUIRED", "必填项为空", field_name=name) for name in absent]


def geometry_faults(code: str, geometry: Any) -> list[dict[str, str | None]]:
    """A rejection for what is no polygon of GeoJSON in degrees with closed rings."""
    depth = RINGS.get(geometry.get("type", "")) if isinstance(geometry, dict) else None
    rings = geometry.get("coordinates", []) if depth else []
    for _ in range(1, depth or 1):
        rings = [ring for part in rings for ring in part]
    is_fit = bool(rings) and all(len(ring) >= 4 and ring[0] == ring[-1] and all(_is_place(each) for each in ring) for ring in rings)
    return [] if is_fit else [rejection(f"{code}-GEOMETRY", "图形不是以经纬度表示的闭合多边形", field_name="geometry")]


def _is_place(point: Any) -> bool:
    return isinstance(point, list) and len(point) == 2 and abs(point[0]) <= 180 and abs(point[1]) <= 90
