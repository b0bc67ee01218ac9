"""Pages of a list by place: first and last row shown, the total, and the addresses of the neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from views.posted import query_number

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Pager:
    """What ui.pager takes."""

    first: int
    last: int
    total: int
    noun: str
    previous_href: str | None
    next_href: str | None
    page_size: int = PAGE_SIZE


def place(request: Request) -> int:
    """How many rows lie before the page that is asked for."""
    return (max(query_number(request, "page") or 1, 1) - 1) * PAGE_SIZE


def pager(request: Request, shown: int, total: int, noun: str, **params: object) -> Pager:
    """The pager of the page that is asked for; every other part of the query stays."""
    before = place(request)
    page = before // PAGE_SIZE + 1
    return Pager(
        first=before + 1 if shown else 0,
        last=before + shown if shown else -1,
        total=total,
        noun=noun,
        previous_href=_href(request, page - 1, params) if page > 1 else None,
        next_href=_href(request, page + 1, params) if before + shown < total else None,
    )


def _href(request: Request, page: int, params: Mapping[str, object]) -> str:
    query = {**dict(request.query_params), "page": page if page > 1 else None}
    return request.app.state.templates.url(request.state.page.name, query, **params)
