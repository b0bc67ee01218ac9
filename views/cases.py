"""The list of all cases in one's scope, and its export."""

from dataclasses import dataclass, replace

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from domain.case.export import request_export
from views import case_list, page
from views.case_list import ListPage
from views.case_query import read
from views.shell import Crumb, Link


@dataclass(frozen=True)
class CasesContext:
    """What templates/cases/index.html reads."""

    list: ListPage


def cases(request: Request) -> Response:
    """Every case that the person may see, searched by the words of the header's box and by all filters."""
    with page.reading(request) as session:
        if not request.query_params:
            default = case_list.default_params(session, page.actor(request), "cases")
            if default:
                return page.redirect(request, "cases", query=default)
        found = case_list.find(request, session, "cases", None)
        context = CasesContext(case_list.build(found, "办件", bulk=("urge",)))
    block = "list" if page.is_htmx(request) else None
    return page.render(request, "cases/index.html", context, title="办件", current="cases", audience="bench", block=block)


def export(request: Request) -> Response:
    """Queue the export of the list whose parameters the form repeats, and go to the job's page."""
    given = page.form(request)
    params = QueryParams([(key, value) for key, value in given.multi_items() if isinstance(value, str) and key != "csrf_token"])
    asked = read(params, page.office(request).catalogue, case_list.portal_today(request), params.get("box"))
    with page.writing(request) as session:
        job = request_export(session, page.actor(request), replace(asked.query, after=None, before=None), asked.columns)
    return page.redirect(request, "job", job_id=job.id)


def crumb(request: Request) -> Crumb:
    """The way back to the list of cases."""
    return Crumb("办件", Link("cases", "办件"))
