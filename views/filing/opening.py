"""Beginning a filing: what partners know is asked first, gates are asked, a draft is opened, never a second by mistake."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain import decision
from domain.case import draft, prefill
from domain.case.tables import Case
from domain.errors import Refused
from rules.case_type import CaseType
from views import page, posted
from views.decision_card import fresh_card
from views.hall import case_type_named
from views.shell import Crumb, Link


@dataclass(frozen=True)
class RefusedPage:
    """The context of filing/refused.html: why a filing cannot be begun or handed in, rule by rule."""

    heading: str
    message: str
    cards: tuple[dict[str, Any], ...]
    back_href: str
    back_label: str


def start(request: Request) -> Response:
    """Open a draft; while there is an unfinished one, lead to it unless a second one is asked for expressly."""
    actor, is_second = page.actor(request), posted.text(request, "second") == "1"
    with page.reading(request) as session:
        definition = case_type_named(request, session)
        if draft.drafts_of(session, actor, definition.key) and not is_second:
            return _to_drafts(request, definition)
        gathered = _gathered(session, request, definition)
    try:
        case = _opened(request, definition, gathered, is_second)
    except Refused as refusal:
        return _refused(request, definition, refusal)
    if case is None:
        return _to_drafts(request, definition)
    return page.redirect(request, "filing", code=case.draft_number)


def _gathered(session: Any, request: Request, definition: CaseType) -> dict[str, Any]:
    """What partners say: for the gates all must answer, for the form those that can."""
    actor = page.actor(request)
    unopened = draft.unopened(session, actor, definition)
    needed = decision.gather_outside(session, actor, unopened, definition.asks_on_start)
    known, _down = prefill.gather(session, actor, unopened)
    return {**known, **needed}


def _opened(request: Request, definition: CaseType, gathered: dict[str, Any], is_second: bool) -> Case | None:
    """The new draft; None if one was opened in the meantime (a double click)."""
    actor = page.actor(request)
    with page.writing(request) as session:
        if not is_second and draft.drafts_of(session, actor, definition.key):
            return None
        return draft.open_draft(session, actor, definition.key, gathered=gathered)


def _to_drafts(request: Request, definition: CaseType) -> Response:
    return page.redirect(request, "guide", key=definition.key, anchor="drafts")


def _refused(request: Request, definition: CaseType, refusal: Refused) -> Response:
    guide = request.app.state.templates.url("guide", key=definition.key)
    context = RefusedPage(
        f"现在不能申请{definition.short}", refusal.message, tuple(fresh_card(each) for each in refusal.decisions),
        guide, "回到办事指南",
    )
    crumbs = (Crumb("办事大厅", Link("hall", "")), Crumb(definition.title, Link("guide", "", {"key": definition.key})), Crumb("不能申请"))
    return page.render(request, "filing/refused.html", context, title=context.heading, crumbs=crumbs, current="hall",
                       audience="public", status=422)
