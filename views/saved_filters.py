"""Saved filters 我的视图: keep the conditions of a list under a name, open the list with one, rename, delete."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import Response

from domain.case import saved_filter
from domain.case.tables import SavedFilter
from domain.errors import InvalidData
from views import page
from views.case_list import saved_params
from views.case_query import NOT_KEPT
from views.shell import Crumb, Link

LISTS = {"desk": "待办", "cases": "办件", "map_query": "查询与统计"}


@dataclass(frozen=True)
class FilterContext:
    """What templates/desk/filter.html reads; `saved` is None while a new filter is named."""

    list: str
    list_label: str
    name: str
    query: str
    saved: SavedFilter | None = None
    errors: dict[str, str] = field(default_factory=dict)


def new(request: Request) -> Response:
    """Ask for the name of a new filter, and keep it."""
    if request.method == "GET":
        route = _list(request.query_params.get("list", ""))
        kept = [(key, value) for key, value in request.query_params.multi_items() if key not in (*NOT_KEPT, "list") and value]
        return _page(request, FilterContext(route, LISTS[route], "", urlencode(kept)))
    given = page.form(request)
    route, name, query = _list(given.get("list", "")), given.get("name", ""), given.get("query", "")
    try:
        with page.writing(request) as session:
            saved = saved_filter.save(session, page.actor(request), route, name, urlencode(parse_qs(query), doseq=True))
    except InvalidData as fault:
        return _page(request, FilterContext(route, LISTS[route], name, query, errors=fault.fields), 422)
    return page.redirect(request, route, query=saved_params(saved))


def edit(request: Request) -> Response:
    """Rename a filter, let the list open with it, or delete it."""
    filter_id = request.path_params["filter_id"]
    with page.reading(request) as session:
        saved = saved_filter.find(session, page.actor(request), filter_id)
    context = FilterContext(saved.page, LISTS[saved.page], saved.name, saved.query, saved)
    if request.method == "GET":
        return _page(request, context)
    name = page.form(request).get("name", "")
    try:
        with page.writing(request) as session:
            saved_filter.rename(session, page.actor(request), filter_id, name)
            # The default is a command of its own: renaming and choosing are two lines of the trail.
            saved_filter.set_default(session, page.actor(request), filter_id, page.form(request).get("is_default") == "yes")
    except InvalidData as fault:
        return _page(request, FilterContext(saved.page, LISTS[saved.page], name, saved.query, saved, fault.fields), 422)
    return page.redirect(request, saved.page, query=saved_params(saved))


def delete(request: Request) -> Response:
    """Delete a filter and go back to its list."""
    with page.writing(request) as session:
        route = saved_filter.delete(session, page.actor(request), request.path_params["filter_id"])
    return page.redirect(request, route, query={"box": "todo"} if route == "desk" else None)


def open_saved(request: Request) -> Response:
    """The list of a saved filter."""
    with page.reading(request) as session:
        saved = saved_filter.find(session, page.actor(request), request.path_params["filter_id"])
        return page.redirect(request, saved.page, query=saved_params(saved))


def _list(route: str) -> str:
    if route not in LISTS:
        raise InvalidData("没有这个列表，不能保存视图。请从列表页重新点「保存当前条件」。")
    return route


def _page(request: Request, context: FilterContext, status: int = 200) -> Response:
    crumbs = (Crumb(context.list_label, Link(context.list, context.list_label)), Crumb("视图"))
    title = "保存当前条件" if context.saved is None else "视图"
    return page.render(
        request, "desk/filter.html", context, title=title, crumbs=crumbs, current=context.list, audience="bench", status=status
    )
