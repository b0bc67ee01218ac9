"""My cases 我的办件: what waits for me first, then everything, found and paged."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain.case import draft, inbox, scope
from domain.case.inbox import COUNT_LIMIT, PAGE_ROWS, CasePage, CaseQuery
from domain.case.tables import Case
from domain.case.words import code_of, status_words, words
from domain.errors import InvalidData
from domain.format import moment
from rules.case_type import Catalogue
from views import page, posted
from views.case_list import clock_cell
from views.case_query import place_text
from views.shell import Notice

SORTS = ("-changed_at", "changed_at", "-submitted_at", "submitted_at", "title", "-title")


@dataclass(frozen=True, slots=True)
class Todo:
    """A draft or a correction, with where it is gone on with."""

    title: str
    case_type: str
    code: str
    status: str
    changed_at: datetime
    is_own: bool
    """False for what a colleague of the same enterprise fills in: only they go on with it."""


@dataclass(frozen=True)
class MyCasesPage:
    """The context of tracking/my_cases.html."""

    words: str
    status: str
    statuses: tuple[Mapping[str, str], ...]
    todos: tuple[Todo, ...]
    columns: tuple[Mapping[str, Any], ...]
    rows: tuple[Mapping[str, Any], ...]
    pager: Mapping[str, Any]
    is_narrowed: bool
    error: str = ""


def show(request: Request) -> Response:
    """The list: one query for what waits, and those of the page of everything."""
    try:
        query = _query(request)
    except InvalidData as refused:
        query, error = CaseQuery(box="mine", sort="-changed_at"), refused.message
    else:
        error = ""
    with page.reading(request) as session:
        context = _context(request, session, query, error)
    return page.render(request, "tracking/my_cases.html", context, title="我的办件", current="my_cases", audience="public",
                       notices=_notices(request), status=422 if error else 200)


def open_case(request: Request) -> Response:
    """One's own case by its id, as notices name it: to what is to be done, else to its progress."""
    with page.reading(request) as session:
        case = scope.find(session, page.actor(request), request.path_params["case_id"])
    return page.redirect(request, "filing" if case.status in ("draft", "correction") else "track", code=case.draft_number)


def _notices(request: Request) -> tuple[Notice, ...]:
    return (Notice("good", "草稿已删除。"),) if request.query_params.get("said") == "discarded" else ()


def _query(request: Request) -> CaseQuery:
    given = request.query_params
    asked, status, sort = given.get("q", "").strip()[:100], given.get("status", ""), given.get("sort", "-changed_at")
    if sort not in SORTS or (status and status not in words("statuses")):
        raise InvalidData("列表的排序或状态不能识别，下面列出全部办件。")
    place = _place(given)
    return CaseQuery(box="mine", words=asked, status=status or None, sort=sort, **place)


def _place(given: Mapping[str, str]) -> dict[str, tuple[Any, int]]:
    """The place in the pages, as place_text writes it."""
    for key in ("after", "before"):
        if text := given.get(key, ""):
            number, _, value = text.partition(".")
            return {key: (_sort_value(value, given.get("sort", "-changed_at")), posted.whole_number(number, key) or 0)}
    return {}


def _sort_value(text: str, sort: str) -> Any:
    if not text or sort.endswith("title"):
        return text or None
    try:
        return datetime.fromisoformat(text)
    except ValueError as fault:
        raise InvalidData("翻页的位置不能识别，下面从第一页列出。") from fault


def _context(request: Request, session: Session, query: CaseQuery, error: str) -> MyCasesPage:
    actor, catalogue = page.actor(request), page.office(request).catalogue
    is_first = query.after is None and query.before is None
    is_narrowed = bool(query.words or query.status)
    try:
        found = inbox.page(session, actor, query)
    except InvalidData as refused:  # words without a single character that can be searched
        found, error = CasePage((), 0, True, None, None), refused.message
    return MyCasesPage(
        words=query.words,
        status=query.status or "",
        statuses=tuple({"value": key, "label": label} for key, label in words("statuses").items()),
        todos=tuple(_todo(each, catalogue, actor.person_id) for each in draft.unfinished(session, actor)) if is_first and not is_narrowed else (),
        columns=_columns(request, query),
        rows=tuple(_row(request, row, catalogue) for row in found.rows),
        pager=_pager(request, query, found, is_first),
        is_narrowed=is_narrowed,
        error=error,
    )


def _todo(case: Case, catalogue: Catalogue, person_id: int | None) -> Todo:
    short = catalogue.edition(case.case_type, case.edition).short
    return Todo(case.title, short, case.draft_number, case.status, case.changed_at, is_own=case.created_by == person_id)


def _columns(request: Request, query: CaseQuery) -> tuple[Mapping[str, Any], ...]:
    def sorted_by(key: str, first: str) -> Mapping[str, Any]:
        if query.sort.removeprefix("-") != key:
            return {"href": _href(request, sort=first)}
        is_descending = query.sort.startswith("-")
        return {"href": _href(request, sort=key if is_descending else f"-{key}"),
                "order": "descending" if is_descending else "ascending"}

    return (
        {"key": "title", "label": words("columns")["title"], "sort": sorted_by("title", "title")},
        {"key": "case_type", "label": words("columns")["case_type"]},
        {"key": "status", "label": words("columns")["status"]},
        {"key": "clock", "label": words("columns")["clock"]},
        {"key": "submitted_at", "label": words("columns")["submitted_at"], "sort": sorted_by("submitted_at", "-submitted_at")},
        {"key": "changed_at", "label": words("columns")["changed_at"], "sort": sorted_by("changed_at", "-changed_at")},
    )


def _row(request: Request, row: inbox.CaseRow, catalogue: Catalogue) -> Mapping[str, Any]:
    case = row.case
    url = request.app.state.templates.url
    href = url("filing" if case.status == "draft" else "track", code=case.draft_number)
    return {"cells": {
        "title": {"text": case.title, "href": href, "sub": code_of(case)},
        "case_type": catalogue.edition(case.case_type, case.edition).short,
        "status": status_words(case),
        "clock": clock_cell(row.clock if row.clock and row.clock.task_id is None else None, "", ""),
        "submitted_at": moment(case.submitted_at) if case.submitted_at else None,
        "changed_at": moment(case.changed_at),
    }}


def _pager(request: Request, query: CaseQuery, found: CasePage, is_first: bool) -> Mapping[str, Any]:
    """Further pages are found by place, so only the first page knows its number."""
    return {
        "rows": len(found.rows), "total": found.total, "is_first": is_first, "page_size": PAGE_ROWS, "limit": COUNT_LIMIT,
        "is_total_exact": found.is_total_exact,
        "first_href": None if is_first else _href(request),
        "previous_href": _at(request, "before", found.previous_before), "next_href": _at(request, "after", found.next_after),
    }


def _at(request: Request, key: str, place: tuple[Any, int] | None) -> str | None:
    return _href(request, **{key: place_text(place)}) if place is not None else None


def _href(request: Request, **changed: Any) -> str:
    """The list with some parameters changed; a page's place goes unless it is given."""
    kept = {key: request.query_params[key] for key in ("q", "status", "sort") if request.query_params.get(key)}
    return request.app.state.templates.url("my_cases", {**kept, **changed})
