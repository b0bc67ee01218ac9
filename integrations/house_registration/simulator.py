"""Simulator of the house registration module: single entries, counted when asked."""

import sqlite3

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.ports.partner import partner
from integrations.samples import read_samples
from integrations.simulators.simulator import Simulator, moment_text, now, refusal, success
from integrations.simulators.store import Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS house_project (project_number TEXT PRIMARY KEY, project_name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS house_entry (
    id INTEGER PRIMARY KEY, project_number TEXT NOT NULL REFERENCES house_project,
    kind TEXT NOT NULL, is_void INTEGER NOT NULL
);
"""
REGISTERED = {
    "residential": "residential_house_count",
    "joint_enterprise": "joint_enterprise_count",
    "other_enterprise": "other_enterprise_count",
}
DOCUMENTS = {
    "acquisition_agreement": "acquisition_agreement_count",
    "exchange_agreement": "exchange_agreement_count",
    "compensation_decision": "compensation_decision_count",
}


def house_registration_simulator(store: Store) -> Simulator:
    """Build the simulator."""

    async def counts(request: Request) -> Response:
        number = request.query_params.get("project_number")
        project = store.one("SELECT * FROM house_project WHERE project_number = ?", number)
        if project is None:
            return refusal("HOUSE-404", "没有这个项目的房屋登记")
        return success(_answer(store, project))

    return Simulator(
        partner=partner("house_registration"),
        routes=[Route("/counts", counts)],
        schema=SCHEMA,
        seed=_seed,
        principal_fields=("residential_house_count",),
        refusal=("HOUSE-409", "该项目的房屋登记正在更正，暂不提供统计"),
        tables=("house_entry", "house_project"),
    )


def change_entries(store: Store, project_number: str, kind: str, change: int, is_void: bool) -> None:
    """Add (or, with a negative number, remove) entries of one kind in a sample project.

    Raises ValueError for an unknown project or kind, or when more would be removed than there are.
    """
    if kind not in {**REGISTERED, **DOCUMENTS}:
        raise ValueError(f"没有 {kind} 这一项；可选 {'、'.join({**REGISTERED, **DOCUMENTS})}。")
    if store.one("SELECT 1 FROM house_project WHERE project_number = ?", project_number) is None:
        raise ValueError(f"没有项目 {project_number}，请从样例项目中选择。")
    with store.write() as db:
        if change >= 0:
            _insert_entries(db, project_number, kind, change, is_void)
            return
        sql = "SELECT id FROM house_entry WHERE project_number = ? AND kind = ? AND is_void = ? LIMIT ?"
        entries = db.execute(sql, (project_number, kind, is_void, -change)).fetchall()
        if len(entries) < -change:
            raise ValueError(f"现有 {len(entries)} 件，减不了 {-change} 件。")
        db.executemany("DELETE FROM house_entry WHERE id = ?", [(entry["id"],) for entry in entries])


def _answer(store: Store, project: sqlite3.Row) -> dict[str, object]:
    sql = (
        "SELECT kind, is_void, count(*) AS number FROM house_entry"
        " WHERE project_number = ? GROUP BY kind, is_void"
    )
    rows = store.all(sql, project["project_number"])
    numbers = {(row["kind"], bool(row["is_void"])): row["number"] for row in rows}
    valid = {name: numbers.get((kind, False), 0) for kind, name in {**REGISTERED, **DOCUMENTS}.items()}
    void = {name: numbers.get((kind, True), 0) for kind, name in DOCUMENTS.items()}
    return {**dict(project), **valid, "void": void, "counted_at": moment_text(now())}


def _insert_entries(db: sqlite3.Connection, number: str, kind: str, count: int, is_void: bool) -> None:
    sql = "INSERT INTO house_entry (project_number, kind, is_void) VALUES (?, ?, ?)"
    db.executemany(sql, [(number, kind, is_void)] * count)


def _seed(db: sqlite3.Connection) -> None:
    for project in read_samples(__file__)["projects"]:
        number = project["project_number"]
        db.execute("INSERT INTO house_project VALUES (?, ?)", (number, project["project_name"]))
        for kind, count in project["registered"].items():
            _insert_entries(db, number, kind, count, False)
        for kind, entry in project["documents"].items():
            _insert_entries(db, number, kind, entry["valid"], False)
            _insert_entries(db, number, kind, entry["void"], True)
