"""The control of the simulators: faults, sample data, and what was received; as a page and as JSON."""

import hmac
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from integrations.house_registration.simulator import DOCUMENTS, REGISTERED, change_entries
from integrations.identity.simulator import rotate_keys
from integrations.monitoring.simulator import send_reading
from integrations.simulators.faults import Fault, current_fault, faults_of, set_fault
from integrations.simulators.pages import page
from integrations.simulators.pushing import PushWorker
from integrations.simulators.simulator import Simulator
from integrations.simulators.store import Store
from integrations.tax.simulator import add_payment
from integrations.usage_control.simulator import DEFAULT_DELAY_SECONDS, release

COOKIE = "guitu_partners_control"
HEADER = "x-control-key"
RECEIVED_SHOWN = 100

Fields = Mapping[str, Any]


class Control:
    """The routes below /control; everything but the sign-in asks for the control key."""

    def __init__(
        self, store: Store, simulators: Mapping[str, Simulator], key: str, worker: PushWorker, readings: PushWorker
    ) -> None:
        self._store = store
        self._simulators = simulators
        self._key = key
        self._workers = (worker, readings)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self._page),
            Route("/sign-in", self._sign_in, methods=["POST"]),
            Route("/state", self._guarded(self._state)),
            Route("/faults", self._change(self.set_fault), methods=["POST"]),
            Route("/payments", self._change(self._add_payment), methods=["POST"]),
            Route("/houses", self._change(self._change_houses), methods=["POST"]),
            Route("/keys", self._change(self._rotate_keys), methods=["POST"]),
            Route("/readings", self._change(self._send_reading), methods=["POST"]),
            Route("/settings", self._change(self.set_settings), methods=["POST"]),
            Route("/release", self._change(self._release), methods=["POST"]),
            Route("/reset", self._change(self._reset), methods=["POST"]),
        ]

    async def _page(self, request: Request) -> Response:
        if not self._is_allowed(request):
            return page("control_key.html", 401, fault=None)
        return self._shown(None)

    def _shown(self, fault: str | None) -> Response:
        houses = "SELECT project_number, project_name FROM house_project ORDER BY project_number"
        return page(
            "control.html",
            422 if fault else 200,
            fault=fault,
            state=self._whole_state(),
            kinds={key: faults_of(simulator) for key, simulator in self._simulators.items()},
            contracts=[
                row[0] for row in self._store.all("SELECT contract_number FROM tax_contract ORDER BY 1")
            ],
            projects=[dict(row) for row in self._store.all(houses)],
            entries=[*REGISTERED, *DOCUMENTS],
        )

    async def _sign_in(self, request: Request) -> Response:
        key = str((await request.form()).get("key", ""))
        if not self._is_key(key):
            return page("control_key.html", 401, fault="控制口令不正确。口令见启动仿真端时的 --control-key。")
        answer = RedirectResponse("/control/", 303)
        answer.set_cookie(COOKIE, key, httponly=True, samesite="strict", path="/control")
        return answer

    async def _state(self, request: Request) -> Response:
        return JSONResponse(self._whole_state())

    def _guarded(self, handle: Callable[[Request], Awaitable[Response]]):
        async def guarded(request: Request) -> Response:
            if not self._is_allowed(request):
                return JSONResponse({"error": f"缺少控制口令，或口令不正确（请求头 {HEADER}）。"}, 401)
            return await handle(request)

        return guarded

    def _change(self, act: Callable[[Fields], dict[str, Any]]):
        """A route that changes something: JSON in, JSON out; a form in, the page out."""

        async def change(request: Request) -> Response:
            is_form = not request.headers.get("content-type", "").startswith("application/json")
            try:
                result = act(await _fields(request, is_form))
            except ValueError as error:
                return self._shown(str(error)) if is_form else JSONResponse({"error": str(error)}, 422)
            return RedirectResponse("/control/", 303) if is_form else JSONResponse(result)

        return self._guarded(change)

    def _is_allowed(self, request: Request) -> bool:
        return self._is_key(request.headers.get(HEADER) or request.cookies.get(COOKIE) or "")

    def _is_key(self, key: str) -> bool:
        return hmac.compare_digest(key.encode(), self._key.encode())

    def _whole_state(self) -> dict[str, Any]:
        sql = "SELECT * FROM received ORDER BY id DESC LIMIT ?"
        return {
            "partners": [self._partner_state(simulator) for simulator in self._simulators.values()],
            "received": [dict(row) for row in self._store.all(sql, RECEIVED_SHOWN)],
            "packages": self._rows("usage_package", "received_at"),
            "numbers": self._rows("usage_number", "number"),
            "pushes": self._rows("usage_push", "id"),
            "readings": self._rows("reading_push", "id"),
            "results": self._rows("library_result", "received_at"),
            "kept": self._rows("kept_thing", "received_at"),
            "callback_url": self._store.setting("callback_url"),
            "answer_delay_seconds": self._store.setting("answer_delay_seconds") or DEFAULT_DELAY_SECONDS,
        }

    def _partner_state(self, simulator: Simulator) -> dict[str, Any]:
        key = simulator.partner.key
        fault = current_fault(self._store, key)
        count = self._store.one("SELECT count(*) AS number FROM received WHERE partner = ?", key)
        return {
            "key": key,
            "label": simulator.partner.label,
            "received_count": count["number"] if count else 0,
            "fault": {
                "kind": fault.kind,
                "label": faults_of(simulator)[fault.kind].label,
                "operation": fault.operation,
                "calls_left": fault.calls_left,
                "seconds": fault.seconds,
                "field": fault.field,
            },
        }

    def _rows(self, table: str, order: str) -> list[dict[str, Any]]:
        rows = self._store.all(f"SELECT * FROM {table} ORDER BY {order} DESC LIMIT ?", RECEIVED_SHOWN)
        return [dict(row) for row in rows]

    def set_fault(self, fields: Fields) -> dict[str, Any]:
        """Turn a fault on and return the partner's state. Raises ValueError for one that does not exist."""
        simulator = self._simulator(fields)
        fault = Fault(
            kind=str(fields.get("kind") or "ok"),
            operation=str(fields["operation"]) if fields.get("operation") else None,
            calls_left=int(_number(fields, "calls", 1)) or None,
            seconds=_number(fields, "seconds"),
            field=str(fields["field"]) if fields.get("field") else None,
        )
        set_fault(self._store, simulator, fault)
        return self._partner_state(simulator)

    def _simulator(self, fields: Fields) -> Simulator:
        key = fields.get("partner")
        if key not in self._simulators:
            raise ValueError(f"没有名为 {key} 的对接单位；可选 {'、'.join(self._simulators)}。")
        return self._simulators[key]

    def _add_payment(self, fields: Fields) -> dict[str, Any]:
        names = ("voucher_number", "amount", "paid_on", "item")
        add_payment(
            self._store, _text(fields, "contract_number"), {name: _text(fields, name) for name in names}
        )
        return {"ok": True}

    def _change_houses(self, fields: Fields) -> dict[str, Any]:
        is_void = str(fields.get("is_void", "")).lower() in ("1", "true", "on")
        kind, change = _text(fields, "kind"), int(_number(fields, "change", 1))
        if is_void and kind not in DOCUMENTS:
            raise ValueError("只有协议和决定书可以作废，房屋和企业没有作废件。")
        change_entries(self._store, _text(fields, "project_number"), kind, change, is_void)
        return {"ok": True}

    def _send_reading(self, fields: Fields) -> dict[str, Any]:
        given = {name: str(fields.get(name) or "").strip() for name in ("at", "business_key")}
        given |= {name: _text(fields, name) for name in ("series", "value")}
        return send_reading(self._store, self._workers[1], given)

    def _wake(self) -> None:
        for worker in self._workers:
            worker.wake()

    def _rotate_keys(self, fields: Fields) -> dict[str, Any]:
        keep_old = str(fields.get("keep_old", "")).lower() in ("1", "true", "on")
        return {"kid": rotate_keys(self._store, keep_old=keep_old)}

    def set_settings(self, fields: Fields) -> dict[str, Any]:
        """Change where results are pushed, and how long they take. Raises ValueError for a bad value."""
        if fields.get("callback_url"):
            self._store.set("callback_url", loopback_address(str(fields["callback_url"])))
        if fields.get("answer_delay_seconds") not in (None, ""):
            delay = _number(fields, "answer_delay_seconds")
            if not 0 <= delay <= 86400:
                raise ValueError("出结果的秒数应在 0 到 86400 之间。")
            self._store.set("answer_delay_seconds", str(delay))
        self._wake()
        return {"ok": True}

    def _release(self, fields: Fields) -> dict[str, Any]:
        count = release(self._store)
        self._wake()
        return {"released": count}

    def _reset(self, fields: Fields) -> dict[str, Any]:
        reset(self._store, self._simulators)
        return {"ok": True}


def reset(store: Store, simulators: Mapping[str, Simulator]) -> None:
    """Put the sample data back and forget everything that was received."""
    with store.write() as db:
        for simulator in simulators.values():
            for table in simulator.tables:
                db.execute(f"DELETE FROM {table}")
        for table in ("fault", "received", "nonce"):
            db.execute(f"DELETE FROM {table}")
        for simulator in simulators.values():
            simulator.seed(db)


def loopback_address(address: str) -> str:
    """Return the address if it is on this machine. Raises ValueError: a simulator calls nobody else."""
    parts = urlsplit(address)
    if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost", "::1") or not parts.path:
        raise ValueError("推送地址应是本机地址，如 http://127.0.0.1:8000/exchange/callbacks/usage_control。")
    return address


def _text(fields: Fields, name: str) -> str:
    value = str(fields.get(name) or "").strip()
    if not value:
        raise ValueError(f"没有填写 {name}。")
    return value


def _number(fields: Fields, name: str, step: float | None = None) -> float:
    text = str(fields.get(name) or 0)
    try:
        number = float(text)
    except ValueError as error:
        raise ValueError(f"{name} 应是数，收到的是 {text}。") from error
    if not math.isfinite(number) or (step is not None and number % step):
        raise ValueError(f"{name} 应是{'整数' if step else '有限的数'}，收到的是 {text}。")
    return number


async def _fields(request: Request, is_form: bool) -> Fields:
    if is_form:
        return {name: str(value) for name, value in (await request.form()).items()}
    try:
        value = json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise ValueError("请求正文不是 JSON。") from error
    return value if isinstance(value, dict) else {}
