"""Lists of cases: 待办, 在办, 已办, all; filtered, sorted and paged in the database, by keyset.

A page costs a fixed number of queries whatever the number of rows, and reads its rows through an index: each
part of the actor's scope has one (district, town, enterprise, starter, tasks), and so has each column that lists
are sorted by. Counts stop at a limit and are taken in one statement.
"""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, func, literal, or_, union_all
from sqlalchemy import select as sql_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, exists, select

from domain.actor import Actor
from domain.case import access, scope, search
from domain.case.tables import Case, CaseIndex, Task
from domain.clock import Clock
from domain.errors import InvalidData
from domain.light import COLOURS
from domain.person import Person
from domain.portal_clock import SHANGHAI

PAGE_ROWS = 50
OPEN_TASK = ("ready", "held", "waiting")
BOXES = ("todo", "doing", "done", "all", "mine")
"""todo 待办: in my hands or free for me; doing 在办: I have had a hand in it and it runs; done 已办: I did a step of it."""

_CHINESE = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")

FEW_ENTRIES = 5_000
COUNT_LIMIT = 5_000
"""Counting stops here: the page then says so, and costs the same for a million rows."""

SORT_COLUMNS = {
    "id": Case.id,
    "due_on": Case.due_on,
    "number": Case.number,
    "title": Case.title,
    "submitted_at": Case.submitted_at,
    "changed_at": Case.changed_at,
    "closed_at": Case.closed_at,
}


@dataclass(frozen=True)
class CaseQuery:
    """What is asked for; every part has its place in the URL of the list."""

    box: str = "all"
    words: str = ""
    case_type: str | None = None
    status: str | None = None
    light: str | None = None
    district_code: str | None = None
    town_code: str | None = None
    step: str | None = None
    submitted_from: date | None = None
    submitted_until: date | None = None
    fields: tuple[tuple[str, str, Any], ...] = ()
    """(field key, operator is|from|until|starts|contains, value) over the typed index."""
    sort: str = "-id"
    after: tuple[Any, int] | None = None
    before: tuple[Any, int] | None = None


class CaseLine(NamedTuple):
    """What a list shows of a case itself; a page of whole cases with their forms costs several times as much to read."""

    id: int
    number: str | None
    draft_number: str
    case_type: str
    edition: str
    title: str
    status: str
    outcome: str | None
    district_code: str | None
    town_code: str | None
    steps: str
    due_on: date | None
    light: str
    light_words: str
    submitted_at: datetime | None
    changed_at: datetime
    closed_at: datetime | None


class TaskLine(NamedTuple):
    """What a list shows of an open task."""

    id: int
    case_id: int
    step: str
    status: str
    assignee_id: int | None


class ClockLine(NamedTuple):
    """What a list shows of a clock."""

    task_id: int | None
    key: str
    label: str
    light: str
    light_words: str
    used_days: int
    left_days: int
    over_days: int
    due_on: date | None


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One row of a list: the case, and the actor's task in it if there is one."""

    case: CaseLine
    task: TaskLine | None = None
    holder: str = ""
    """Who has the task in hand; empty while it is free."""
    clock: ClockLine | None = None
    """The most serious open clock of the case, or of its step where the case has none."""
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CasePage:
    """One page of rows with what the pager needs."""

    rows: Sequence[CaseRow]
    total: int
    is_total_exact: bool
    next_after: tuple[Any, int] | None
    previous_before: tuple[Any, int] | None


@dataclass(frozen=True)
class Counts:
    """Numbers beside a list, none counted further than the limit: boxes, lights of the query, rows of the query."""

    boxes: Mapping[str, int]
    lights: Mapping[str, int]
    total: int


def page(
    session: Session, actor: Actor, query: CaseQuery, shown_fields: Sequence[str] = (), total: int | None = None
) -> CasePage:
    """One page of the list: at most four queries (rows, tasks, shown fields, and the count unless it is given)."""
    backwards = query.before is not None
    column, _ = _order(query.sort)
    statement = _kept_rows(actor, query, PAGE_ROWS) if _is_of_person_alone(query) else _rows(session, actor, query, PAGE_ROWS)
    rows = [CaseLine._make(row) for row in session.execute(statement)]
    more, rows = len(rows) > PAGE_ROWS, rows[:PAGE_ROWS]
    if backwards:
        rows.reverse()
    total = count(session, where(session, actor, query)) if total is None else total
    has_next, has_previous = (True, more) if backwards else (more, query.after is not None)
    return CasePage(
        rows=_with_tasks(session, actor, rows, shown_fields),
        total=min(total, COUNT_LIMIT),
        is_total_exact=total <= COUNT_LIMIT,
        next_after=_place(rows[-1], column) if rows and has_next else None,
        previous_before=_place(rows[0], column) if rows and has_previous else None,
    )


def where(session: Session | None, actor: Actor, query: CaseQuery) -> ColumnElement[bool]:
    """All conditions of a query, the actor's scope first; only words and fields ask the database."""
    conditions = [*_scope_and_box(actor, query.box), *_columns(query)]
    if session is None or _is_of_person_alone(query):
        return and_(*conditions)
    conditions += [_field(session, key, operator, value) for key, operator, value in query.fields]
    if query.words.strip():
        matched = search.matches(session, query.words)
        if matched is None:
            raise InvalidData("搜索词里没有可以检索的字。请输入汉字、字母或数字。", {"q": "请输入汉字、字母或数字"})
        conditions.append(matched)
    return and_(*conditions)


@functools.lru_cache(maxsize=1024)
def _scope_and_box(actor: Actor, key: str) -> tuple[ColumnElement[bool], ...]:
    """The part of a query that depends on the person alone; kept, because to put it together costs as much as to run it."""
    return scope.visible(actor), *box(actor, key)


def box(actor: Actor, key: str) -> list[ColumnElement[bool]]:
    """The conditions of one of the BOXES."""
    done = and_(col(Task.status).in_(("done", "returned")), col(Task.done_by).in_(actor.hands))
    did_a_step = col(Case.id).in_(select(Task.case_id).where(done))
    own_ways = (col(Case.created_by) == actor.person_id, col(Case.applicant_id) == actor.person_id)
    mine = or_(*own_ways)
    if key == "todo":
        return [todo(actor)]
    if key == "doing":
        running = _by_no_index(Case.status).in_(("open", "correction", "suspended"))
        # Asked of the started cases too: their index knows the state, so that the many closed ones are not read.
        ways = (select(Task.case_id).where(done), *(select(Case.id).where(own, running) for own in own_ways))
        return [running, col(Case.id).in_(union_all(*ways))]
    if key == "done":
        return [did_a_step]
    if key == "mine":
        kept = or_(col(Case.outcome).is_(None), col(Case.outcome) != "discarded")
        return [kept, or_(mine, col(Case.organisation_id) == actor.organisation_id) if actor.organisation_id else mine]
    return [col(Case.status) != "draft"]


def todo(actor: Actor) -> ColumnElement[bool]:
    """The condition that something of the case is for this actor to do now."""
    in_hand = and_(col(Task.status) == "held", col(Task.assignee_id).in_(actor.hands))
    ways = [select(Task.case_id).where(way) for way in (in_hand, *access.claimable(actor))]
    return and_(col(Case.id).in_(union_all(*ways)), col(Case.status) != "closed")


def _columns(query: CaseQuery) -> list[ColumnElement[bool]]:
    equal = {
        Case.case_type: query.case_type,
        Case.status: query.status,
        Case.light: query.light,
        Case.district_code: query.district_code,
        Case.town_code: query.town_code,
    }
    conditions = [column == value for column, value in equal.items() if value]
    if query.step:
        in_hand = col(Task.status).in_(OPEN_TASK)
        conditions.append(exists(select(Task.id).where(Task.case_id == Case.id, Task.step == query.step, in_hand)))
    if query.submitted_from:
        conditions.append(col(Case.submitted_at) >= _start_of(query.submitted_from))
    if query.submitted_until:
        conditions.append(col(Case.submitted_at) <= datetime.combine(query.submitted_until, time.max, SHANGHAI))
    return conditions


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, SHANGHAI)


def _field(session: Session, key: str, operator: str, value: Any) -> ColumnElement[bool]:
    """One condition over the typed index; the type of the value chooses the column.

    `contains` looks inside texts, which no index serves: the full text narrows the cases first, by the Chinese
    characters of what is asked. Without any, a text fits that begins with it or holds it as a whole word.
    """
    entry = aliased(CaseIndex)
    if isinstance(value, Decimal):
        column = entry.number_value
    elif isinstance(value, date):
        column = entry.date_value
    else:
        column = entry.text_value
    tests = {
        "is": lambda: column == value,
        "from": lambda: column >= value,
        "until": lambda: column <= value,
        "starts": lambda: _begins(session, column, value),
        "contains": lambda: column.icontains(value, autoescape=True),
    }

    def found(test: str) -> ColumnElement[bool]:
        fitting = and_(entry.field == key, tests[test]())
        if test != "contains" and _is_few(session, select(entry.id).where(fitting)):
            return col(Case.id).in_(select(entry.case_id).where(fitting))
        return exists(select(entry.id).where(entry.case_id == Case.id, fitting))

    if operator != "contains":
        return found(operator)
    if characters := " ".join(_CHINESE.findall(value)):
        return and_(search.matches(session, characters), found("contains"))
    whole_words = search.matches(session, value)
    if whole_words is None:
        return found("starts")
    return or_(found("starts"), and_(whole_words, found("contains")))


def _is_few(session: Session, entries: Any) -> bool:
    """Whether so few entries fit that the cases are best looked up from them.

    Many are best tested case by case: a page is full after a short walk, and the index of a million values is not
    read for fifty rows. The database cannot choose between the two by itself, because it does not know the values.
    """
    return session.exec(select(func.count()).select_from(entries.limit(FEW_ENTRIES + 1).subquery())).one() <= FEW_ENTRIES


def _begins(session: Session, column: Any, value: str) -> ColumnElement[bool]:
    """The text begins so, as typed or in capitals; on SQLite as a range, which its index serves."""
    if session.get_bind().dialect.name != "sqlite":
        return column.istartswith(value, autoescape=True)
    forms = dict.fromkeys((value, value.upper()))
    return or_(*(and_(column >= form, column < form + "\U0010ffff") for form in forms))


def _order(sort: str) -> tuple[Any, bool]:
    key = sort.removeprefix("-")
    if key not in SORT_COLUMNS:
        raise InvalidData("不能按所选的列排序。请点列标题排序。")
    return col(SORT_COLUMNS[key]), sort.startswith("-")


def _is_of_person_alone(query: CaseQuery) -> bool:
    """Whether the statements of a query follow from it and from the person, and the database need not be asked first."""
    return not query.words.strip() and not query.fields


def _rows(session: Session | None, actor: Actor, query: CaseQuery, most: int) -> Any:
    """One page beyond a place in the order, and one row more to know whether there is a next page.

    Rows without a value come last in ascending order and first in descending order, on both databases.
    """
    column, descending = _order(query.sort)
    descending, place = descending != (query.before is not None), query.before or query.after
    statement = sql_select(*_CASE_COLUMNS).where(where(session, actor, query))
    if place is not None:
        statement = statement.where(_beyond(column, descending, place))
    return statement.order_by(*_keys(column, descending)).limit(most + 1)


@functools.lru_cache(maxsize=256)
def _kept_rows(actor: Actor, query: CaseQuery, most: int) -> Any:
    """The same, kept for those who come again; to put it together costs as much as to run it."""
    return _rows(None, actor, query, most)


def _keys(column: Any, descending: bool) -> tuple[Any, ...]:
    """The order of a list; both databases read it forwards or backwards from the index of the column."""
    if column.key == "id":
        return (column.desc() if descending else column.asc(),)
    if descending:
        return column.desc().nulls_first(), col(Case.id).desc()
    return column.asc().nulls_last(), col(Case.id).asc()


def _beyond(column: Any, descending: bool, place: tuple[Any, int]) -> ColumnElement[bool]:
    value, case_id = place
    further = col(Case.id) < case_id if descending else col(Case.id) > case_id
    if value is None:
        rest = and_(column.is_(None), further)
        return or_(column.is_not(None), rest) if descending else rest
    beyond = column < value if descending else or_(column > value, column.is_(None))
    return or_(beyond, and_(column == value, further))


def _place(case: Case | CaseLine, column: Any) -> tuple[Any, int]:
    return getattr(case, column.key), case.id


def count(session: Session, condition: ColumnElement[bool]) -> int:
    """How many cases fit, counted no further than the limit."""
    limited = select(Case.id).where(condition).limit(COUNT_LIMIT + 1).subquery()
    return session.exec(select(func.count()).select_from(limited)).one()


def _with_tasks(session: Session, actor: Actor, cases: Sequence[CaseLine], shown_fields: Sequence[str]) -> list[CaseRow]:
    ids = [case.id for case in cases]
    tasks = _open_tasks(session, actor, ids)
    values = field_values(session, ids, shown_fields) if shown_fields else {}
    return [CaseRow(case, *tasks.get(case.id, (None, "", None)), values.get(case.id, {})) for case in cases]


def _open_tasks(session: Session, actor: Actor, ids: Sequence[int]) -> dict[int, tuple[TaskLine, str, ClockLine | None]]:
    """One open task a case (the actor's own before others), the name of its holder, the case's worst clock."""
    found: dict[int, tuple[TaskLine, str, ClockLine | None]] = {}
    for row in session.execute(_OPEN_TASKS, {"ids": ids}):
        task, (holder, clock_id), clock = TaskLine._make(row[:_HOLDER]), row[_HOLDER:_CLOCK], row[_CLOCK:]
        known, name, worst = found.get(task.case_id, (None, "", None))
        if known is None or (access.holds(actor, task) and not access.holds(actor, known)):
            known, name = task, holder or ""
        found[task.case_id] = (known, name, worst if clock_id is None else _worse(worst, ClockLine._make(clock)))
    return found


_CASE_COLUMNS = tuple(getattr(Case, name) for name in CaseLine._fields)
_TASK_COLUMNS = tuple(getattr(Task, name) for name in TaskLine._fields)
_CLOCK_COLUMNS = tuple(getattr(Clock, name) for name in ClockLine._fields)
_HOLDER, _CLOCK = len(_TASK_COLUMNS), len(_TASK_COLUMNS) + 2
"""Where the holder's name and the clock begin in a row of open tasks."""


def _by_no_index(column: Any) -> ColumnElement[str]:
    """The column in a form that no index serves, where the planner would take the many rows of a state for few."""
    return func.coalesce(column, "")


def _open_tasks_statement() -> Any:
    """Open tasks of the cases `ids` with holder and clocks; made once, for every list asks it."""
    of_case_or_step = or_(col(Clock.task_id).is_(None), Clock.task_id == Task.id)
    running = and_(Clock.case_id == Task.case_id, of_case_or_step, Clock.status != "finished")
    return (
        sql_select(*_TASK_COLUMNS, Person.name, Clock.id, *_CLOCK_COLUMNS)
        .join_from(Task, Person, col(Person.id) == Task.assignee_id, isouter=True)
        .join(Clock, running, isouter=True)
        .where(col(Task.case_id).in_(bindparam("ids", expanding=True)), _by_no_index(Task.status).in_(OPEN_TASK))
        .order_by(col(Task.id), col(Clock.id))
    )


_OPEN_TASKS = _open_tasks_statement()
_RANK = {colour: place for place, colour in enumerate(COLOURS)}


def _worse(one: ClockLine | None, other: ClockLine) -> ClockLine:
    """The more serious of two clocks, those of the whole case before those of steps, as the case itself shows it."""
    return other if one is None or _seriousness(other) < _seriousness(one) else one


def _seriousness(clock: ClockLine) -> tuple[Any, ...]:
    return clock.task_id is not None, _RANK.get(clock.light, len(_RANK)), clock.due_on


def field_values(session: Session, ids: Sequence[int], fields: Sequence[str]) -> dict[int, dict[str, Any]]:
    """Values of the typed index by case and field, for the columns that lists and exports show."""
    shown = (CaseIndex.case_id, CaseIndex.field, CaseIndex.number_value, CaseIndex.date_value, CaseIndex.text_value)
    statement = sql_select(*shown).where(col(CaseIndex.case_id).in_(ids), col(CaseIndex.field).in_(fields))
    found: dict[int, dict[str, Any]] = {}
    for case_id, key, number, day, text in session.execute(statement):
        found.setdefault(case_id, {})[key] = next((each for each in (number, day) if each is not None), text)
    return found


def counts(session: Session, actor: Actor, query: CaseQuery, boxes: Sequence[str] = ()) -> Counts:
    """The numbers beside a list in one statement: the named boxes, the lights of the query, its rows."""
    asked = (actor, query, tuple(boxes))
    statement = _kept_counts(*asked) if _is_of_person_alone(query) else _counts(session, *asked)
    found = {(kind, key): number for kind, key, number in session.execute(statement).all()}
    burning = {key: number for (kind, key), number in found.items() if kind == "light"}
    total = found["total", ""] if query.light else sum(burning.values())
    return Counts({box: found["box", box] for box in boxes}, burning, total)


def _counts(session: Session | None, actor: Actor, query: CaseQuery, boxes: Sequence[str]) -> Any:
    lights = _limited(session, actor, replace(query, light=None), Case.light)
    parts = [select(literal("light"), lights.c.light, func.count()).group_by(lights.c.light)]
    wanted = {("box", box): CaseQuery(box=box) for box in boxes} | ({("total", ""): query} if query.light else {})
    for (kind, key), each in wanted.items():
        limited = _limited(session, actor, each, Case.id)
        parts.append(select(literal(kind), literal(key), func.count()).select_from(limited))
    return union_all(*parts)


@functools.lru_cache(maxsize=256)
def _kept_counts(actor: Actor, query: CaseQuery, boxes: tuple[str, ...]) -> Any:
    """The same, kept for those who come again."""
    return _counts(None, actor, query, boxes)


def _limited(session: Session | None, actor: Actor, query: CaseQuery, column: Any) -> Any:
    """One column of the cases that fit, no more of them than are counted."""
    if query.box != "all" or query.words.strip() or query.fields:
        return select(column).where(where(session, actor, query)).limit(COUNT_LIMIT + 1).subquery()
    # Nothing narrows the list to few cases, so that it is counted along the index of each part of the scope.
    rest = (*box(actor, query.box), *_columns(query))
    parts = [select(column).where(branch, *rest) for branch in _branches(actor)]
    return (union_all(*parts) if len(parts) > 1 else parts[0]).limit(COUNT_LIMIT + 1).subquery()


_branches = functools.lru_cache(maxsize=1024)(scope.branches)


def box_counts(session: Session, actor: Actor) -> dict[str, int]:
    """How many cases lie in the actor's boxes, for the index beside the list."""
    return dict(counts(session, actor, CaseQuery(), ("todo", "doing", "done")).boxes)


def every(session: Session, actor: Actor, query: CaseQuery, batch: int = 1000) -> Iterator[list[Case]]:
    """All cases of a query in order, a batch at a time, for exports; a batch is forgotten when the next is asked for."""
    column, descending = _order(query.sort)
    condition, place = where(session, actor, query), None
    while True:
        statement = select(Case).where(condition)
        if place is not None:
            statement = statement.where(_beyond(column, descending, place))
        cases = list(session.exec(statement.order_by(*_keys(column, descending)).limit(batch)).all())
        yield cases
        if len(cases) < batch:
            return
        place = _place(cases[-1], column)
        session.expunge_all()
