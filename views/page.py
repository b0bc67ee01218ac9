"""What every screen action needs of the request: who acts, sessions, form, and the ways to answer."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import fields, is_dataclass
from typing import Any

from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from domain import portal_clock
from domain.actor import Actor
from domain.office import Office
from views.navigation import shell_for
from views.shell import Crumb, Notice, Shell

NOBODY = Actor(person_id=None, name="未登录")


def actor(request: Request) -> Actor:
    """Who acts; an actor without a person id when nobody is signed in."""
    return getattr(request.state, "actor", NOBODY)


def office(request: Request) -> Office:
    """The running portal's definitions and connections."""
    return request.app.state.office


def reading(request: Request) -> AbstractContextManager[Session]:
    """A session that only reads."""
    return request.app.state.database.reading()


def writing(request: Request) -> AbstractContextManager[Session]:
    """A session for one command."""
    return request.app.state.database.writing()


def form(request: Request) -> FormData:
    """What was posted; read and checked before the action began."""
    return request.state.form


def is_htmx(request: Request) -> bool:
    """True if htmx asks for a fragment (a boosted or restored page is a whole page)."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"


def render(
    request: Request,
    template: str,
    context: Any,
    *,
    title: str,
    crumbs: tuple[Crumb, ...] = (),
    current: str = "",
    audience: str | None = None,
    block: str | None = None,
    status: int = 200,
    notices: tuple[Notice, ...] = (),
) -> HTMLResponse:
    """A page, or one block of it; `context` is a dataclass (or mapping) and gets `shell` and `csrf_token`."""
    shell = shell_for(request, title=title, crumbs=crumbs, current=current, audience=audience, notices=notices)
    values = {**_as_mapping(context), "shell": shell, "csrf_token": shell.csrf_token}
    html = request.app.state.templates.render(template, values, block=block)
    return HTMLResponse(html, status, headers={"Vary": "HX-Request", "Cache-Control": "no-store"})


def _as_mapping(context: Any) -> Mapping[str, Any]:
    if is_dataclass(context) and not isinstance(context, type):
        return {field.name: getattr(context, field.name) for field in fields(context)}
    return context


def redirect(
    request: Request, name: str, /, *, query: Mapping[str, Any] | None = None, anchor: str = "", **params: Any
) -> Response:
    """See other, at a named place (and an element of it); htmx is told to go there as a whole page."""
    address = request.app.state.templates.url(name, query, **params) + (f"#{anchor}" if anchor else "")
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def today(request: Request) -> Any:
    """The portal's date."""
    with reading(request) as session:
        return portal_clock.today(session)


__all__ = [
    "NOBODY", "Shell", "actor", "form", "is_htmx", "office", "reading", "redirect", "render", "today", "writing",
]
