"""Faults on request: a gate before every simulated partner that spoils, delays or loses what it is told to."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from integrations.simulators.simulator import Simulator, moment_text, now, refusal
from integrations.simulators.store import Store

BODY_LIMIT = 64 * 1024 * 1024
WRONG_VALUE = "仿真错值"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault that can be chosen: its name, what it does, and the usual seconds where it takes any."""

    key: str
    label: str
    text: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is on; `calls_left` is None until it is cleared, `operation` None for every call."""

    kind: str
    operation: str | None = None
    calls_left: int | None = None
    seconds: float = 0.0
    field: str | None = None


OK = Fault("ok")


def _load() -> Mapping[str, Mapping[str, FaultKind]]:
    groups = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text(encoding="utf-8"))
    return {
        group: MappingProxyType({key: FaultKind(key, **entry) for key, entry in entries.items()})
        for group, entries in groups.items()
    }


_GROUPS = _load()
COMMON_FAULTS: Mapping[str, FaultKind] = _GROUPS["common"]
OWN_FAULTS: Mapping[str, FaultKind] = _GROUPS["own"]


def faults_of(simulator: Simulator) -> Mapping[str, FaultKind]:
    """The faults that a partner's simulator can play."""
    return {**COMMON_FAULTS, **{key: OWN_FAULTS[key] for key in simulator.own_faults}}


def set_fault(store: Store, simulator: Simulator, fault: Fault) -> None:
    """Turn a fault on until it is used up or replaced. Raises ValueError for one that the partner cannot play."""
    kinds = faults_of(simulator)
    if fault.kind not in kinds:
        label = simulator.partner.label
        raise ValueError(f"{label}没有名为 {fault.kind} 的故障；可选 {'、'.join(kinds)}。")
    if fault.calls_left is not None and fault.calls_left < 1:
        raise ValueError("次数应为 1 以上的整数；不填表示一直有效，直到清除。")
    if not 0 <= fault.seconds <= 600:
        raise ValueError("秒数应在 0 到 600 之间。")
    seconds = fault.seconds or kinds[fault.kind].seconds or 0.0
    with store.write() as db:
        db.execute("DELETE FROM fault WHERE partner = ?", (simulator.partner.key,))
        if fault.kind != "ok":
            values = (
                simulator.partner.key,
                fault.kind,
                fault.operation,
                fault.calls_left,
                seconds,
                fault.field,
            )
            db.execute("INSERT INTO fault VALUES (?, ?, ?, ?, ?, ?)", values)


def current_fault(store: Store, partner: str) -> Fault:
    """The fault that is on for a partner, without using it up."""
    row = store.one("SELECT * FROM fault WHERE partner = ?", partner)
    if row is None:
        return OK
    return Fault(row["kind"], row["operation"], row["calls_left"], row["seconds"], row["field"])


def take_fault(store: Store, partner: str, operation: str) -> Fault:
    """The fault for this call; a fault set for N calls is one nearer to its end."""
    with store.write() as db:
        fault = current_fault(store, partner)
        if fault.operation not in (None, operation):
            return OK
        if fault.calls_left == 1:
            db.execute("DELETE FROM fault WHERE partner = ?", (partner,))
        elif fault.calls_left is not None:
            db.execute("UPDATE fault SET calls_left = calls_left - 1 WHERE partner = ?", (partner,))
        return fault


class FaultGate:
    """Stands before one simulated partner: notes every call, plays the fault that is on, else passes on."""

    def __init__(self, app: ASGIApp, simulator: Simulator, store: Store) -> None:
        self._app = app
        self._simulator = simulator
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        operation = scope["path"].removeprefix(scope.get("root_path", "")).strip("/").split("/")[0]
        fault = take_fault(self._store, self._simulator.partner.key, operation)
        entry = self._note(scope, body, fault)
        call = _Call(scope | {"simulator_fault": fault, "simulator_body": body}, receive, send, body)
        status = await self._play(fault, call)
        with self._store.write() as db:
            db.execute("UPDATE received SET status = ? WHERE id = ?", (status, entry))

    def _note(self, scope: Scope, body: bytes, fault: Fault) -> int | None:
        headers = dict(scope["headers"])
        correlation_id = headers.get(b"x-correlation-id", b"").decode("latin-1") or None
        partner = self._simulator.partner.key
        values = (moment_text(now()), partner, scope["method"], scope["path"], correlation_id, len(body))
        with self._store.write() as db:
            cursor = db.execute(
                "INSERT INTO received (at, partner, method, path, correlation_id, body_size, fault)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*values, fault.kind),
            )
            return cursor.lastrowid

    async def _play(self, fault: Fault, call: "_Call") -> int | None:
        """Return the status that was answered, or None when the connection was dropped instead."""
        if fault.kind == "down":
            return await call.drop()
        if fault.kind == "never" and "late" not in self._simulator.own_faults:
            return await call.wait_until_gone()
        if fault.kind in ("error_500", "error_503"):
            status = int(fault.kind.removeprefix("error_"))
            return await call.answer(Response("仿真端按设定返回错误。", status_code=status))
        if fault.kind == "refuse":
            return await call.answer(self._refusal())
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        answer = await call.run(self._app)
        if fault.kind == "lost_answer":
            await asyncio.sleep(fault.seconds)
            return await call.drop()
        if fault.kind == "truncated":
            return await call.answer_half(answer)
        return await call.answer(self._spoilt(fault, answer))

    def _refusal(self) -> Response:
        code, text = self._simulator.refusal
        if self._simulator.is_signed:
            return refusal(code, text)
        # The OpenID Connect form of a refusal (RFC 6749, section 5.2).
        return Response(
            json.dumps({"error": code, "error_description": text}), 400, media_type="application/json"
        )

    def _spoilt(self, fault: Fault, answer: Response) -> Response:
        body = bytes(answer.body)
        if fault.kind == "malformed":
            body = b"<html><body>" + "系统繁忙".encode() + b"</body></html>"
        elif fault.kind == "twice" and "twice_different" not in self._simulator.own_faults:
            body = body + body
        elif fault.kind in ("wrong_schema", "wrong_value"):
            names = (fault.field,) if fault.field else self._simulator.principal_fields
            body = _spoil_field(body, names, drop=fault.kind == "wrong_schema")
        return _with_body(answer, body)


class _Call:
    """One call on its way through the gate."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._body = body

    async def run(self, app: ASGIApp) -> Response:
        """Let the partner act, keeping its answer back."""
        messages: list[Message] = []
        sent = False

        async def receive() -> Message:
            nonlocal sent
            if sent:
                return await self._receive()
            sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}

        async def keep(message: Message) -> None:
            messages.append(message)

        await app(self._scope, receive, keep)
        answer = Response(b"".join(message.get("body", b"") for message in messages[1:]))
        answer.status_code = messages[0]["status"]
        answer.raw_headers = list(messages[0]["headers"])
        return answer

    async def answer(self, answer: Response) -> int:
        await answer(self._scope, self._receive, self._send)
        return answer.status_code

    async def answer_half(self, answer: Response) -> None:
        body = bytes(answer.body)
        headers = _with_body(answer, body).raw_headers
        await self._send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await self._send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await self.drop()

    async def drop(self) -> None:
        """Close the connection as it stands; the server puts the means into the scope."""
        self._scope["extensions"]["guitu.disconnect"]()
        await self.wait_until_gone()

    async def wait_until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _read_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            raise ValueError(f"请求正文超过仿真端 {BODY_LIMIT} 字节的上限。")
        if not message.get("more_body"):
            return body


def _with_body(answer: Response, body: bytes) -> Response:
    changed = Response(body, status_code=answer.status_code)
    kept = [(name, value) for name, value in answer.raw_headers if name != b"content-length"]
    changed.raw_headers = [*kept, (b"content-length", str(len(body)).encode())]
    return changed


def _spoil_field(body: bytes, names: tuple[str, ...], *, drop: bool) -> bytes:
    value = json.loads(body)
    for name in names:
        holder = _holder(value, name)
        if holder is None:
            continue
        if drop:
            del holder[name]
        else:
            holder[name] = WRONG_VALUE
        break
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def _holder(value: Any, name: str) -> dict[str, Any] | None:
    if isinstance(value, dict) and name in value:
        return value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = (_holder(child, name) for child in children)
    return next((holder for holder in found if holder is not None), None)
