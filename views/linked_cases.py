"""Opening a linked case (an erratum, say) from the page of a case that may be closed already."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from domain import linked_case
from domain.case import scope
from domain.case.words import code_of
from domain.errors import InvalidData
from domain.portal_clock import today
from views import page
from views.posted import FieldFault, by_field, faults_of, text
from views.shell import Crumb, Link


@dataclass(frozen=True)
class OpenPage:
    """The context of cases/open_linked.html."""

    title: str
    code: str
    case_title: str
    case_href: str
    reason: str
    faults: tuple[FieldFault, ...]
    errors: dict[str, str]


def open_linked(request: Request) -> Response:
    """Ask for the reason, then open the linked case and go there."""
    case_id, relation = request.path_params["case_id"], request.path_params["relation"]
    if request.method == "GET":
        return _page(request, case_id, relation)
    try:
        with page.writing(request) as session:
            opened = linked_case.open_linked_case(session, page.actor(request), case_id, relation, text(request, "reason", 500))
    except InvalidData as refused:
        return _page(request, case_id, relation, faults_of(refused), 422)
    return page.redirect(request, "case", case_id=opened.id)


def _page(request: Request, case_id: int, relation: str, faults: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    with page.reading(request) as session:
        case = scope.find(session, page.actor(request), case_id)
        definition = linked_case.linked_type(session, case, relation, today(session))
        context = OpenPage(
            f"发起{definition.short}", code_of(case), case.title, request.app.state.templates.url("case", case_id=case.id),
            text(request, "reason", 2000) if faults else "", faults, by_field(faults),
        )
    crumbs = (Crumb("办件", Link("cases", "办件")), Crumb(context.code, Link("case", context.code, {"case_id": case_id})), Crumb(context.title))
    return page.render(
        request, "cases/open_linked.html", context, title=context.title, crumbs=crumbs, current="cases", audience="bench", status=status
    )
