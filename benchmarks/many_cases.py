"""A database with many cases, made by plain inserts in seconds to minutes; all of it generated, marked is_demo.

Distribution: 94 % closed, 4 % open, 1.2 % under correction, 0.8 % suspended; a fifth of the open tasks is free in the pool; districts
weighted by an uneven fixed table; tasks spread evenly over the people given (2,000 in the benchmark); 70 % of the cases lie in the last two years. Each case has 5 searchable values, full text of about 60 characters, a clock with its entries, an open
task if it is open and two done tasks, and four lines of history.
"""

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import SQLModel, func, select

from domain.case import search
from domain.case.tables import Case, CaseEvent, CaseIndex, Task
from domain.clock import Clock, ClockEntry
from portal.database import Database

SEED = 20261121
BATCH = 20_000
DISTRICTS = {"310115": 20, "310118": 10, "310151": 6, "310112": 12, "310114": 10, "310113": 8, "310117": 8, "310120": 7,
             "310116": 5, "310104": 4, "310105": 3, "310106": 3, "310107": 2, "310109": 1, "310110": 1}
STATUSES = {"closed": 940, "open": 40, "correction": 12, "suspended": 8}
WORDS = ("给水管", "燃气管", "电力排管", "通信管道", "雨水泵站", "污水干管", "道路改建", "河道整治", "标准厂房", "租赁住房", "研发中心", "换电站")
PLACES = ("金泽", "朱家角", "练塘", "华新", "徐泾", "赵巷", "香花桥", "重固", "白鹤", "夏阳", "盈浦", "陈家镇", "堡镇", "南门", "张江", "祝桥")


def fill(database: Database, count: int, people: list[int], case_types: list[tuple[str, str]]) -> None:
    """Write `count` cases; `people` are the ids that tasks are given to, `case_types` pairs of key and edition."""
    chance = random.Random(SEED)
    first = _next_id(database)
    for start in range(first, first + count, BATCH):
        ids = range(start, min(start + BATCH, first + count))
        cases = [_case(case_id, chance, people, case_types) for case_id in ids]
        with database.engine.execution_options(write=True).connect() as connection:
            for table, rows in _rows(cases, chance, people).items():
                connection.execute(table.__table__.insert(), rows)
            _write_words(connection, cases)
            connection.commit()


def _next_id(database: Database) -> int:
    """A case and its clock have the same number, which neither table has yet."""
    with database.reading() as session:
        return max(session.exec(select(func.max(table.id))).one() or 0 for table in (Case, Clock)) + 1


def _pick(chance: random.Random, weights: dict[str, int]) -> str:
    return chance.choices(list(weights), weights=list(weights.values()))[0]


def _case(case_id: int, chance: random.Random, people: list[int], case_types: list[tuple[str, str]]) -> dict[str, Any]:
    status = _pick(chance, STATUSES)
    age_days = int(chance.triangular(0, 730, 60)) if chance.random() < 0.7 else chance.randint(730, 3000)
    submitted = datetime(2026, 11, 20, 8, tzinfo=UTC) - timedelta(days=age_days, seconds=chance.randint(0, 30_000))
    key, edition = chance.choice(case_types)
    title = f"{chance.choice(PLACES)}{chance.choice(WORDS)}{case_id % 997}号工程"
    due = submitted.date() + timedelta(days=14)
    late = status != "closed" and due < date(2026, 11, 21)
    return {
        "id": case_id, "number": f"样例〔{submitted.year}〕{case_id:08}号", "draft_number": f"YL-{case_id:010}", "case_type": key,
        "edition": edition, "title": title, "status": status, "outcome": "granted" if status == "closed" else None,
        "district_code": _pick(chance, DISTRICTS), "town_code": None, "organisation_id": None, "applicant_id": None,
        "created_by": chance.choice(people), "values": {"project_name": title, "length_m": str(chance.randint(10, 5000))}, "prefilled": {},
        "steps": "" if status == "closed" else "review", "due_on": due, "light": "red" if late else "green" if status == "open" else "off",
        "light_words": "已超期" if late else "正常", "created_at": submitted, "changed_at": submitted, "submitted_at": submitted,
        "accepted_at": submitted, "closed_at": submitted + timedelta(days=9) if status == "closed" else None, "version": 3, "is_demo": True,
    }


def _rows(cases: list[dict[str, Any]], chance: random.Random, people: list[int]) -> dict[type[SQLModel], list[dict[str, Any]]]:
    return {
        Case: cases,
        CaseIndex: list(itertools.chain.from_iterable(_index(case) for case in cases)),
        Task: list(itertools.chain.from_iterable(_tasks(case, chance, people) for case in cases)),
        CaseEvent: list(itertools.chain.from_iterable(_events(case, chance, people) for case in cases)),
        Clock: [_clock(case) for case in cases],
        ClockEntry: [_entry(case) for case in cases],
    }


def _index(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    blank = {"case_id": case["id"], "text_value": None, "number_value": None, "date_value": None}
    yield {**blank, "field": "project_name", "text_value": case["title"]}
    yield {**blank, "field": "length_m", "number_value": case["values"]["length_m"]}
    yield {**blank, "field": "district", "text_value": case["district_code"]}
    yield {**blank, "field": "project_code", "text_value": f"GX-{case['id']}"}
    yield {**blank, "field": "pipeline_class", "text_value": ("给水", "燃气", "电力", "通信")[case["id"] % 4]}


def _tasks(case: dict[str, Any], chance: random.Random, people: list[int]) -> Iterator[dict[str, Any]]:
    done = {
        "case_id": case["id"], "kind": "step", "district_code": case["district_code"], "organisation_id": None, "status": "done",
        "assignee_id": chance.choice(people), "reserved_for": None, "parent_id": None, "order_no": 0, "branch": "", "came_from": None,
        "action": "pass", "opinion": "同意", "draft_opinion": "", "created_at": case["submitted_at"], "claimed_at": case["submitted_at"],
        "done_at": case["submitted_at"], "done_by": chance.choice(people), "urged_at": None, "version": 2,
    }
    yield {**done, "step": "window", "role": "window"}
    yield {**done, "step": "pre_review", "role": "pre_reviewer", "done_by": chance.choice(people)}
    if case["status"] != "closed":
        held = chance.random() < 0.8
        yield {**done, "step": "review", "role": "reviewer", "status": "held" if held else "ready", "done_at": None, "done_by": None,
               "assignee_id": chance.choice(people) if held else None, "action": None, "opinion": "", "claimed_at": None}


def _events(case: dict[str, Any], chance: random.Random, people: list[int]) -> Iterator[dict[str, Any]]:
    for operation, label in (("submit", "提交申请"), ("accept", "受理"), ("pass", "预审通过"), ("edit", "修改表单")):
        yield {
            "case_id": case["id"], "task_id": None, "at": case["submitted_at"], "person_id": chance.choice(people), "person_name": "样例",
            "on_behalf_of": None, "operation": operation, "label": label, "step": "window", "to_step": "review", "opinion": "同意",
            "duration_s": 3600, "detail": {}, "is_public": operation != "edit",
        }


def _clock(case: dict[str, Any]) -> dict[str, Any]:
    closed = case["status"] == "closed"
    return {
        "id": case["id"], "case_id": case["id"], "task_id": None, "key": "promise", "label": "承诺时限", "counting": "working",
        "light_set": "deadline_light", "legal_days": 20, "warning_days": 3,
        "status": "finished" if closed else "stopped" if case["status"] in ("suspended", "correction") else "running",
        "due_on": case["due_on"], "is_provisional": False, "light": case["light"], "light_words": case["light_words"], "is_light_held": False,
        "used_days": 6, "left_days": 4, "over_days": 0, "calendar_version": "", "refreshed_on": date(2026, 11, 20), "fault": None,
    }


def _entry(case: dict[str, Any]) -> dict[str, Any]:
    return {
        "clock_id": case["id"], "kind": "start", "effective_on": case["submitted_at"].date(), "days": 10, "due_on": None, "was_due_on": None,
        "was_provisional": None, "is_provisional": None, "calendar_version": "", "reason": "起算", "at": case["submitted_at"],
        "person_id": None, "person_name": "系统",
    }


def _write_words(connection: Any, cases: list[dict[str, Any]]) -> None:
    said = [(case["id"], search.tokens(f"{case['number']} {case['title']} GX-{case['id']}")) for case in cases]
    if connection.dialect.name == "sqlite":
        statement = text("INSERT INTO case_search (rowid, words) VALUES (:id, :words)")
        connection.execute(statement, [{"id": case_id, "words": search.stored(found)} for case_id, found in said])
    else:
        statement = text("INSERT INTO case_search (case_id, words) VALUES (:id, CAST(:words AS tsvector))")
        connection.execute(statement, [{"id": case_id, "words": search.vector(found)} for case_id, found in said])


def finish(database: Database) -> None:
    """Statistics for the planner, and sequences behind the ids that were written by hand."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if database.is_sqlite:
            connection.execute(text("PRAGMA analysis_limit=1000"))
        else:
            for table in ("case_file", "clock"):
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"))
        connection.execute(text("ANALYZE"))
