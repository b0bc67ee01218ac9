"""The list of tasks: searched, sorted and paged in the database by keyset, within what one may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, func, select

from domain.actor import Actor
from domain.inspection.task.access import visible
from domain.inspection.task.tables import InspectionTask

PAGE = 50
NEWEST, OLDEST, ERRORS = "-id", "id", "-error_count"
SORTS = (NEWEST, OLDEST, ERRORS)


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """What is looked for; `after` is the mark of the last row of the page before."""

    words: str = ""
    scheme: str = ""
    state: str = ""
    district: str = ""
    sort: str = NEWEST
    after: str = ""
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Rows of one page, how many fit in all, and the mark under which the next page is asked for."""

    rows: Sequence[InspectionTask]
    total: int
    next: str = ""


def page_of(session: Session, actor: Actor, query: TaskQuery, size: int = PAGE) -> TaskPage:
    """One page of the tasks that fit, with two statements."""
    conditions = _conditions(actor, query)
    total = session.exec(select(func.count()).select_from(InspectionTask).where(*conditions)).one()
    statement = select(InspectionTask).where(*conditions).order_by(*_order(query.sort))
    if query.after:
        statement = statement.where(_behind(query))
    rows = session.exec(statement.limit(size + 1)).all()
    shown = rows[:size]
    return TaskPage(shown, total, _mark(query.sort, shown[-1]) if len(rows) > size else "")


def _conditions(actor: Actor, query: TaskQuery) -> list[ColumnElement[bool]]:
    deleted = col(InspectionTask.deleted_at)
    found = [visible(actor), deleted.is_not(None) if query.deleted else deleted.is_(None)]
    exact = ((InspectionTask.scheme, query.scheme), (InspectionTask.state, query.state), (InspectionTask.district_code, query.district))
    found += [col(column) == value for column, value in exact if value]
    if query.words:
        like = f"%{query.words.replace('%', '').replace('_', '')}%"
        found.append(or_(col(InspectionTask.title).like(like), col(InspectionTask.number).like(like), col(InspectionTask.created_by_name).like(like)))
    return found


def _order(sort: str) -> tuple[Any, ...]:
    if sort == OLDEST:
        return (col(InspectionTask.id),)
    newest = col(InspectionTask.id).desc()
    return (col(InspectionTask.error_count).desc(), newest) if sort == ERRORS else (newest,)


def _mark(sort: str, row: InspectionTask) -> str:
    return f"{row.error_count}.{row.id}" if sort == ERRORS else str(row.id)


def _behind(query: TaskQuery) -> ColumnElement[bool]:
    """The rows behind the mark in the order of the list; a mark that cannot be read is behind everything."""
    first, _, second = query.after.partition(".")
    if not first.isdigit() or (query.sort == ERRORS and not second.isdigit()):
        return col(InspectionTask.id) < 0
    if query.sort == ERRORS:
        errors, last = int(first), int(second)
        same = and_(col(InspectionTask.error_count) == errors, col(InspectionTask.id) < last)
        return or_(col(InspectionTask.error_count) < errors, same)
    return col(InspectionTask.id) > int(first) if query.sort == OLDEST else col(InspectionTask.id) < int(first)
