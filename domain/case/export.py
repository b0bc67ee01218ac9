"""Export of a case list to an Excel workbook: a job that writes rows as they are read, in flat memory.

The rows are those that the person who asked may see at the moment the job runs, with the grants of that moment.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from domain import dictionary, portal_clock
from domain.actor import Actor
from domain.case import columns as case_columns
from domain.case import inbox
from domain.case.columns import Column, Places
from domain.case.inbox import CaseQuery
from domain.case.tables import Task
from domain.command import Work, anyone_signed_in, command
from domain.errors import InvalidData
from domain.job import Job, JobResult, Progress, enqueue, job_handler
from domain.office import office_of
from domain.person import Person
from domain.workbook import Cell, Workbook
from rules.case_type import CaseType

KIND = "case_export"
BATCH_ROWS = 1000
WIDTHS = {"title": 40, "number": 26, "case_type": 18, "step": 18}


@command("case.export", allow=anyone_signed_in)
def request_export(work: Work, query: CaseQuery, keys: Sequence[str]) -> Job:
    """Queue the export of a list with the chosen columns."""
    known = case_columns.columns_of(_case_type(work.session, query), dictionary.choices(work.session, _today(work)))
    chosen = case_columns.wanted(keys or case_columns.EXPORTABLE, known)
    if not chosen:
        raise InvalidData("没有选择要导出的列。请至少选一列。", {"column": "请至少选一列"})
    arguments = {"query": as_document(query), "columns": [column.key for column in chosen]}
    return enqueue(work, KIND, "导出办件", arguments)


def _today(work: Work) -> date:
    return portal_clock.local_date(work.at)


def _case_type(session: Session, query: CaseQuery) -> CaseType | None:
    if not query.case_type:
        return None
    return office_of(session).catalogue.current(query.case_type, portal_clock.today(session))


def as_document(query: CaseQuery) -> dict[str, Any]:
    """The query as JSON values; its place in the pages is left out."""
    document = {**asdict(query), "fields": [[key, operator, _kept(value)] for key, operator, value in query.fields]}
    for key in ("submitted_from", "submitted_until"):
        document[key] = document[key].isoformat() if document[key] else None
    return {key: value for key, value in document.items() if key not in ("after", "before")}


def _kept(value: Any) -> dict[str, str]:
    if isinstance(value, Decimal):
        return {"number": format(value, "f")}
    return {"date": value.isoformat()} if isinstance(value, date) else {"text": value}


def from_document(document: Mapping[str, Any]) -> CaseQuery:
    """The query that `as_document` wrote."""
    days = {key: date.fromisoformat(document[key]) if document[key] else None for key in ("submitted_from", "submitted_until")}
    fields = tuple((key, operator, _typed(value)) for key, operator, value in document["fields"])
    return CaseQuery(**{**document, **days, "fields": fields})


def _typed(kept: Mapping[str, str]) -> Any:
    [(kind, text)] = kept.items()
    return {"number": Decimal, "date": date.fromisoformat, "text": str}[kind](text)


@job_handler(KIND, resumable=True)
def run_export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write the workbook: what the owner may see now, in the order of the list."""
    query = from_document(arguments["query"])
    with progress.reading() as session, tempfile.TemporaryDirectory() as folder:
        owner, file = progress.owner(session), Path(folder) / "cases.xlsx"
        known = case_columns.columns_of(
            _case_type(session, query), dictionary.choices(session, portal_clock.today(session))
        )
        total = inbox.count(session, inbox.where(session, owner, query))
        columns = case_columns.wanted(arguments["columns"], known)
        widths = {place: WIDTHS[column.key] for place, column in enumerate(columns) if column.key in WIDTHS}
        with Workbook(file) as book:
            sheet = book.sheet("办件", [column.label for column in columns], widths)
            for rows in _batches(session, owner, query, columns):
                sheet.add(rows)
                progress.tell(sheet.row_count, max(total, sheet.row_count), "写入工作簿")
        name = f"办件清单{portal_clock.today(session):%Y%m%d}.xlsx"
        return JobResult({"rows": sheet.row_count}, progress.office.files.put_path(file, name, allowed=("xlsx",)), name)


def _batches(session: Session, actor: Actor, query: CaseQuery, columns: Sequence[Column]) -> Iterator[list[list[Cell]]]:
    catalogue = office_of(session).catalogue
    places = Places.of(dictionary.choices(session, portal_clock.today(session)))
    fields = case_columns.field_keys(columns)
    for cases in inbox.every(session, actor, query, BATCH_ROWS):
        ids = [case.id for case in cases]
        holders = _holders(session, ids) if any(column.key == "holder" for column in columns) else {}
        values = inbox.field_values(session, ids, fields) if fields else {}
        yield [
            [case_columns.cell(c, case, holders.get(case.id, ""), values.get(case.id, {}), catalogue, places) for c in columns]
            for case in cases
        ]


def _holders(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Who has the cases in hand, by case; several names are joined."""
    statement = (
        select(Task.case_id, Person.name)
        .join(Person, col(Person.id) == Task.assignee_id)
        .where(col(Task.case_id).in_(ids), col(Task.status).in_(("held", "waiting")))
    )
    names: dict[int, list[str]] = {}
    for case_id, name in session.exec(statement.order_by(col(Task.id))).all():
        names.setdefault(case_id, []).append(name)
    return {case_id: "、".join(dict.fromkeys(found)) for case_id, found in names.items()}
