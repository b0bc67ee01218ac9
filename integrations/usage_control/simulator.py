"""Simulator of a land-use control platform: takes packages, decides later, is asked or pushes."""

import json
import sqlite3
import uuid
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.ports.partner import partner
from domain.ports.usage_control import PackageKind, ReportState
from integrations.samples import read_samples
from integrations.simulators.pushing import SCHEMA as PUSH_SCHEMA
from integrations.simulators.pushing import PushWorker, add_push
from integrations.simulators.simulator import (
    Simulator,
    fault_kind,
    fault_seconds,
    moment_text,
    now,
    refusal,
    rejection,
    success,
)
from integrations.simulators.store import Store
from integrations.usage_control.codes import KINDS, STATES
from integrations.usage_control.inspection import (
    PackageFault,
    Rejections,
    Unpacked,
    content_rejections,
    unpack,
)

SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS usage_package (
    platform TEXT NOT NULL, business_key TEXT NOT NULL, case_number TEXT NOT NULL, kind TEXT NOT NULL,
    digest TEXT NOT NULL, receipt_number TEXT NOT NULL UNIQUE, received_at TEXT NOT NULL,
    state TEXT NOT NULL, number TEXT, errors TEXT NOT NULL, ready_at TEXT,
    PRIMARY KEY (platform, business_key)
);
CREATE TABLE IF NOT EXISTS usage_number (
    number TEXT PRIMARY KEY, case_number TEXT NOT NULL, chain TEXT NOT NULL, business_key TEXT NOT NULL,
    cancelled_at TEXT
);
CREATE TABLE IF NOT EXISTS usage_pre_review (project_code TEXT PRIMARY KEY, number TEXT);
"""
    + PUSH_SCHEMA.format(table="usage_push")
)
MINISTRY = "usage_control"
PUSHES = "usage_push"
DISTRICT = "310000"
DEFAULT_DELAY_SECONDS = "2"
_KINDS_BY_CODE = {entry.code: kind for kind, entry in KINDS.items()}


def usage_control_simulator(store: Store, worker: PushWorker) -> Simulator:
    """Build the simulator of the ministry's platform, which gives numbers and pushes results."""
    return Simulator(
        partner=partner(MINISTRY),
        routes=_Platform(store, MINISTRY, worker).routes(),
        schema=SCHEMA,
        seed=_seed,
        principal_fields=("number", "receipt_number"),
        refusal=("UC-409", "该项目正在核查，平台暂不接收报送"),
        own_faults=("late", "reject", "wrong_number", "twice_different"),
        tables=("usage_push", "usage_number", "usage_package", "usage_pre_review"),
    )


def _seed(db: sqlite3.Connection) -> None:
    for project in read_samples(__file__)["pre_reviews"]:
        db.execute("INSERT INTO usage_pre_review VALUES (?, ?)", (project["project_code"], project["number"]))


def usage_control_city_simulator(store: Store) -> Simulator:
    """Build the simulator of the city's platform, which keeps the copy and gives no number."""
    return Simulator(
        partner=partner("usage_control_city"),
        routes=_Platform(store, "usage_control_city", None).routes(),
        schema=SCHEMA,
        seed=lambda db: None,
        principal_fields=("receipt_number",),
        refusal=("UC-409", "该项目正在核查，平台暂不接收报送"),
        own_faults=("late", "reject"),
    )


class _Platform:
    def __init__(self, store: Store, key: str, worker: PushWorker | None) -> None:
        self._store = store
        self._key = key
        self._worker = worker

    def routes(self) -> list[Route]:
        return [Route("/packages", self.receive, methods=["POST"]), Route("/result", self.tell),
                Route("/pre-review-number", self.tell_pre_review)]  # fmt: skip

    async def receive(self, request: Request) -> Response:
        async with request.form(max_part_size=1 << 20) as form:
            upload = form.get("package")
            if not isinstance(upload, UploadFile):
                return refusal("UC-400", "没有收到报送包")
            content = await upload.read()
            key, digest = str(form.get("business_key", "")), str(form.get("digest", ""))
            kind = _KINDS_BY_CODE.get(str(form.get("kind", "")))
        if not key or kind is None:
            return refusal("UC-400", "业务主键为空，或报送类别不在代码表中")
        try:
            package = unpack(content, key, kind, digest)
        except PackageFault as fault:
            return refusal("UC-PACKAGE", "报送包不合格，未接收", tuple(fault.rejections))
        with self._store.write() as db:
            answer = self._record(db, request, package, kind, digest)
        if self._worker is not None:
            self._worker.wake()
        return answer

    async def tell(self, request: Request) -> Response:
        sql = "SELECT * FROM usage_package WHERE platform = ? AND business_key = ?"
        row = self._store.one(sql, self._key, request.query_params.get("key", ""))
        if row is None:
            return refusal("UC-404", "没有收到过这个业务主键的报送包")
        return success(_spoilt(_result(row, now()), fault_kind(request)))

    async def tell_pre_review(self, request: Request) -> Response:
        sql = "SELECT * FROM usage_pre_review WHERE project_code = ?"
        row = self._store.one(sql, request.query_params.get("project_code", ""))
        if row is None:
            return refusal("UC-404", "没有这个项目的用地预审记录")
        return success({**dict(row), "answered_at": moment_text(now())})

    def _record(
        self, db: sqlite3.Connection, request: Request, package: Unpacked, kind: PackageKind, digest: str
    ) -> Response:
        key = package.manifest["business_key"]
        sql = "SELECT * FROM usage_package WHERE platform = ? AND business_key = ?"
        same = db.execute(sql, (self._key, key)).fetchone()
        if same is not None:
            if same["digest"] != digest:
                return refusal("UC-CONFLICT", "该业务主键已收到，内容不同；更正后请用新的业务主键")
            return success(_receipt(same, is_duplicate=True))
        chain = KINDS[kind].number
        if self._worker is not None and chain is not None:
            held = _valid_number(db, package.manifest["case_number"], chain)
            if held is not None:
                return refusal("UC-NUMBERED", f"该办件已有监管号 {held['number']}，更正请先注销")
        row = self._insert(db, request, package, kind, digest)
        return success(_receipt(row, is_duplicate=False))

    def _insert(
        self, db: sqlite3.Connection, request: Request, package: Unpacked, kind: PackageKind, digest: str
    ) -> sqlite3.Row:
        fault = fault_kind(request)
        ready_at = moment_text(now() + timedelta(seconds=self._delay(request)))
        case_number = package.manifest["case_number"]
        errors = content_rejections(package, kind) + self._rejections(db, package, kind)
        if fault == "reject":
            errors.append(
                rejection("UC-LAND", "用地范围与已批项目重叠 12.50 平方米", "approval.json", "project_name")
            )
        state, number = self._decide(db, package, kind, errors)
        sequence = db.execute("SELECT count(*) + 1 FROM usage_package").fetchone()[0]
        values = (
            self._key,
            package.manifest["business_key"],
            case_number,
            kind,
            digest,
            f"仿真-HZ-{sequence:06d}",
            moment_text(now()),
            state,
            number,
            json.dumps(errors, ensure_ascii=False),
            None if fault == "never" else ready_at,
        )
        marks = ", ".join("?" * len(values))
        row = db.execute(f"INSERT INTO usage_package VALUES ({marks}) RETURNING *", values).fetchone()
        if self._worker is not None and row["ready_at"] is not None:
            _add_pushes(db, row, fault)
        return row

    def _delay(self, request: Request) -> float:
        if fault_kind(request) == "late":
            return fault_seconds(request)
        return float(self._store.setting("answer_delay_seconds") or DEFAULT_DELAY_SECONDS)

    def _rejections(self, db: sqlite3.Connection, package: Unpacked, kind: PackageKind) -> Rejections:
        """What the platform finds by comparing with what it holds already."""
        entry, case_number = KINDS[kind], package.manifest["case_number"]
        sql = "SELECT 1 FROM usage_package WHERE platform = ? AND case_number = ? AND kind = ? AND state <> ?"
        missing = [
            kind
            for kind in entry.after
            if db.execute(sql, (self._key, case_number, kind, ReportState.REJECTED)).fetchone() is None
        ]
        faults = [rejection("UC-ORDER", f"尚未收到{KINDS[kind].label}") for kind in missing]
        if self._worker is not None and entry.cancels is not None and "revocation.json" in package.files:
            number = package.json("revocation.json").get("number")
            held = _valid_number(db, case_number, entry.cancels)
            if held is None or held["number"] != number:
                faults.append(
                    rejection("UC-NUMBER", "监管号不存在、已注销或不属于该办件", "revocation.json", "number")
                )
        return faults

    def _decide(
        self, db: sqlite3.Connection, package: Unpacked, kind: PackageKind, errors: Rejections
    ) -> tuple[ReportState, str | None]:
        entry, case_number = KINDS[kind], package.manifest["case_number"]
        if errors:
            return ReportState.REJECTED, None
        if entry.cancels is not None:
            sql = "UPDATE usage_number SET cancelled_at = ? WHERE case_number = ? AND chain = ? AND cancelled_at IS NULL"
            db.execute(sql, (moment_text(now()), case_number, entry.cancels))
            return ReportState.CANCELLED, None
        if entry.number is None or self._worker is None:
            return ReportState.RECORDED, None
        number = _new_number(db)
        values = (number, case_number, entry.number, package.manifest["business_key"])
        db.execute("INSERT INTO usage_number VALUES (?, ?, ?, ?, NULL)", values)
        return ReportState.NUMBERED, number


def _valid_number(db: sqlite3.Connection, case_number: str, chain: str) -> sqlite3.Row | None:
    sql = "SELECT * FROM usage_number WHERE case_number = ? AND chain = ? AND cancelled_at IS NULL"
    return db.execute(sql, (case_number, chain)).fetchone()


def _new_number(db: sqlite3.Connection) -> str:
    sequence = db.execute("SELECT count(*) + 1 FROM usage_number").fetchone()[0]
    return f"仿真-{DISTRICT}-{now().year}-{sequence:06d}"


def _receipt(row: sqlite3.Row, *, is_duplicate: bool) -> dict[str, Any]:
    return {
        "business_key": row["business_key"],
        "receipt_number": row["receipt_number"],
        "received_at": row["received_at"],
        "is_duplicate": is_duplicate,
    }


def _result(row: sqlite3.Row, at: datetime) -> dict[str, Any]:
    is_ready = row["ready_at"] is not None and row["ready_at"] <= moment_text(at)
    state = ReportState(row["state"]) if is_ready else ReportState.PROCESSING
    return {
        "business_key": row["business_key"],
        "receipt_number": row["receipt_number"],
        "state": STATES[state],
        "number": row["number"] if is_ready else None,
        "errors": json.loads(row["errors"]) if is_ready else [],
        "decided_at": row["ready_at"] if is_ready else None,
    }


def _spoilt(result: dict[str, Any], fault: str) -> dict[str, Any]:
    # The right number stays on record: asking again after the fault is cleared gives it.
    if fault == "wrong_number" and result["number"]:
        return {**result, "number": f"错号-{DISTRICT}"}
    return result


def release(store: Store) -> int:
    """Decide now everything that is still waiting, and push it now; return how many packages were waiting.

    Ends what the faults never and late began, and tries again what could not be delivered.
    """
    at = moment_text(now())
    waiting = "SELECT * FROM usage_package WHERE ready_at IS NULL OR ready_at > ?"
    with store.write() as db:
        rows = db.execute(waiting, (at,)).fetchall()
        silent = [
            row["business_key"] for row in rows if row["ready_at"] is None and row["platform"] == MINISTRY
        ]
        db.execute("UPDATE usage_package SET ready_at = ? WHERE ready_at IS NULL OR ready_at > ?", (at, at))
        db.execute("UPDATE usage_push SET next_at = ?, attempts = 0 WHERE delivered_at IS NULL", (at,))
        for key in silent:
            sql = "SELECT * FROM usage_package WHERE platform = ? AND business_key = ?"
            _add_pushes(db, db.execute(sql, (MINISTRY, key)).fetchone(), "ok")
    return len(rows)


def _add_pushes(db: sqlite3.Connection, row: sqlite3.Row, fault: str) -> None:
    due = row["ready_at"]
    result = _spoilt(_result(row, datetime.fromisoformat(due)), fault)
    message_id = uuid.uuid4().hex
    add_push(db, PUSHES, message_id, {"result": result}, due)
    if fault == "twice":
        add_push(db, PUSHES, message_id, {"result": result}, due)
    if fault == "twice_different" and result["number"]:
        # A number of this year's series that the platform has given to nobody.
        other = (
            f"{result['number'][:-6]}{900000 + db.execute('SELECT count(*) FROM usage_push').fetchone()[0]}"
        )
        add_push(db, PUSHES, uuid.uuid4().hex, {"result": {**result, "number": other}}, due)
