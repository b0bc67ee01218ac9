"""What a person is answered who was signed out while a page stood open: the way back, and nothing typed is lost."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from views.page import is_htmx, render
from views.sign_in import local_path

STATUS = 401
SHORTEST = 2
"""Ticks and codes of one letter are no words that anybody would miss."""
SECRET_PAGE = "password"


@dataclass(frozen=True)
class ExpiredPage:
    """The context of sign_in/expired.html: where to go after signing in, and the words that were typed."""

    next_path: str
    texts: tuple[str, ...] = ()
    is_fragment: bool = False


def to_sign_in(request: Request) -> Response:
    """To the sign-in page and from there back to the page that was asked for, or that htmx asked from."""
    address = request.app.state.templates.url("sign_in", {"next": page_of(request) or None})
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def page_of(request: Request) -> str:
    """The page that the person looks at: a GET itself; for the rest what the browser says it came from, if it is ours."""
    if request.method == "GET" and not is_htmx(request):
        return local_path(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
    came_from = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer", ""))
    if came_from.netloc != request.url.netloc:
        return ""
    return local_path(came_from.path + (f"?{came_from.query}" if came_from.query else ""))


def not_taken_in(request: Request, posted: list[tuple[str, str]]) -> HTMLResponse:
    """Nothing was taken in; what was typed stays on the page (htmx) or is shown to be copied."""
    is_secret = request.state.page.name == SECRET_PAGE or any("password" in name for name, _ in posted)
    texts = () if is_htmx(request) or is_secret else _words(posted)
    context = ExpiredPage(page_of(request), texts, is_htmx(request))
    block = "problem" if context.is_fragment else None
    return render(request, "sign_in/expired.html", context, title="登录已过期", audience="public", block=block, status=STATUS)


def _words(posted: list[tuple[str, str]]) -> tuple[str, ...]:
    """The posted texts that somebody typed, in their order; marks of the page itself left out."""
    typed = (text.strip() for name, text in posted if name == "_opinion" or not name.startswith(("_", "csrf")))
    return tuple(dict.fromkeys(text for text in typed if len(text) >= SHORTEST and text not in ("true", "false")))
