"""The gate in front of every action: session, access, CSRF, form; and the one handler of errors."""

import hmac
import logging
import secrets
import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from domain import notice, portal_clock, sign_in
from domain.actor import Actor
from domain.errors import InvalidData, NotAllowed, PortalError, TooLarge
from domain.person import Person, actor_of
from domain.ports.declared import undeclared
from portal.access import Page
from portal.threads import READS, on_form_thread, on_own_thread, on_page_thread
from views import signed_off
from views.navigation import shell_for
from views.page import NOBODY, is_htmx
from views.problem import Problem

COOKIE = "guitu_session"
VISITOR_COOKIE = "guitu_visitor"
ACTOR_SECONDS = 10
TOUCH_SECONDS = 60
OPEN_TO_OLD_PASSWORDS = frozenset({"password", "sign_out"})
"""Pages of a person who must first choose a new password; every other page leads there."""
log = logging.getLogger("portal.gate")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What the gate remembers of a session for a few seconds; dropped at once when grants change."""

    session_id: int
    csrf_token: str
    actor: Actor
    preferences: Person
    unread: int
    until: float


def guarded(page: Page) -> Any:
    """The endpoint of a page: everything is checked before its action runs, in a thread of its kind."""

    async def endpoint(request: Request) -> Response:
        request.state.page = page
        asked = nullcontext() if page.asks_partner(request) else undeclared(page.name)
        with asked:
            try:
                return await _answer(request, page)
            except PortalError as error:
                return await on_page_thread(request, problem_response, request, error)

    return endpoint


async def _answer(request: Request, page: Page) -> Response:
    try:
        if request.method in READS and not page.asks_partner(request):
            response = await on_own_thread(request, page, _shown, request, page)
        else:
            response = await _taken(request, page)
    finally:
        if getattr(request.state, "seen_at", None) is not None:
            await _note_use(request)
    if getattr(request.state, "new_visitor", None):
        _set_cookie(request, response, VISITOR_COOKIE, request.state.new_visitor, 12 * 3600)
    if request.state.session_token is not None:
        _change_session(request, response, request.state.session_token)
    return response


async def _note_use(request: Request) -> None:
    """Note that the session is in use. What was asked for is done by now: a database that is busy must not make it look undone."""
    try:
        await on_form_thread(_touch, request)
    except OperationalError:
        log.warning("the use of a session was not noted: the database is busy; its next request notes it")


def _shown(request: Request, page: Page) -> Response:
    """A page as one piece of work: the second turn at a thread would be waited for like the first."""
    _recognise(request)
    if page.access.needs_sign_in and request.state.actor.person_id is None:
        return signed_off.to_sign_in(request)
    return _led_elsewhere(request, page) or page.view(request)


async def _taken(request: Request, page: Page) -> Response:
    """A form, or a page that asks a partner: recognised among the pages, done among its own kind."""
    await on_page_thread(request, _recognise, request)
    if page.access.needs_sign_in and request.state.actor.person_id is None:
        return await _signed_off(request, page)
    if (elsewhere := _led_elsewhere(request, page)) is not None:
        return elsewhere
    if request.method in ("POST", "PUT", "DELETE"):
        await _take_form(request, page)
    try:
        return await on_own_thread(request, page, page.view, request)
    finally:
        if request.method == "POST" and not page.is_machine:
            await request.state.form.close()


def _led_elsewhere(request: Request, page: Page) -> Response | None:
    """The way to a new password for whom needs one first; None for who may go on. Raises NotAllowed, InvalidData."""
    if page.access.needs_sign_in and page.name not in OPEN_TO_OLD_PASSWORDS and _must_change_password(request):
        return _to(request, request.app.state.templates.url("password"))
    page.access.check(request.state.actor)
    _must_be_text([request.url.path, *(value for _, value in request.query_params.multi_items())])
    return None


def _must_change_password(request: Request) -> bool:
    preferences = request.state.preferences
    return preferences is not None and preferences.must_change_password


def _recognise(request: Request) -> None:
    """Put actor, CSRF token, preferences and demo date into the state of the request."""
    state, settings = request.state, request.app.state.settings
    state.actor, state.preferences, state.session_id = NOBODY, None, None
    state.unread, state.session_token, state.seen_at = None, None, None
    token = request.cookies.get(COOKIE)
    known = _signed_in(request, token) if token else None
    if known is not None:
        state.actor, state.preferences, state.session_id = known.actor, known.preferences, known.session_id
        state.csrf_token, state.unread = known.csrf_token, known.unread
    else:
        _recognise_visitor(request)
    if settings.demo:
        with request.app.state.database.reading() as session:
            state.demo_date = portal_clock.demo_date(session)


def _recognise_visitor(request: Request) -> None:
    """A visitor's token lives in a cookie of its own and is repeated in the form: double submit."""
    visitor = request.cookies.get(VISITOR_COOKIE)
    if not visitor or len(visitor) > 64:
        visitor = request.state.new_visitor = secrets.token_urlsafe(24)
    key = request.app.state.settings.secret_key()
    request.state.csrf_token = hmac.new(key, b"visitor:" + visitor.encode(), "sha256").hexdigest()


def _signed_in(request: Request, token: str) -> SignedIn | None:
    cache = request.app.state.office.caches.setdefault("actors", {})
    key = sign_in.digest(token)
    known = cache.get(key)
    if known is None or known.until < time.monotonic():
        known = _looked_up(request, token)
        if known is None:
            cache.pop(key, None)
        else:
            cache[key] = known
    return known


def _looked_up(request: Request, token: str) -> SignedIn | None:
    settings, database = request.app.state.settings, request.app.state.database
    idle = timedelta(minutes=settings.session_idle_minutes)
    with database.reading() as session:
        at = portal_clock.now()
        row = sign_in.session_of(session, token, at, idle)
        actor = actor_of(session, row.person_id) if row else None
        if row is None or actor is None:
            return None
        person = session.get(Person, row.person_id)
        unread = notice.unread_count(session, row.person_id)
        found = SignedIn(row.id, row.csrf_token, actor, _preferences(person), unread, time.monotonic() + ACTOR_SECONDS)
        if (at - row.seen_at).total_seconds() > TOUCH_SECONDS:
            request.state.seen_at = at
    return found


def _touch(request: Request) -> None:
    """Note that the session is in use; after the answer is made, because the writer of the database may have to be waited for."""
    with request.app.state.database.writing() as session:
        sign_in.touch(session, request.state.session_id, request.state.seen_at)


def _preferences(person: Person) -> Person:
    """The person's settings, free of the session they were read by; nothing secret is kept."""
    return Person(
        id=person.id, name=person.name, theme=person.theme, density=person.density, text_size=person.text_size,
        must_change_password=person.must_change_password, created_at=person.created_at,
    )


async def _take_form(request: Request, page: Page) -> None:
    """Read the posted form within its limits and check its CSRF token."""
    settings = request.app.state.settings
    if page.is_machine:
        request.state.body = await _limited_body(request, settings.form_max_bytes)
        return
    _must_be_small_enough(request, page)
    files = settings.upload_max_files if page.largest_mb else 0
    try:
        form = await request.form(max_files=files, max_fields=5000, max_part_size=settings.form_max_bytes)
    except HTTPException as error:
        raise InvalidData(f"提交的内容不能读取：{error.detail}。请减少内容或分次提交。") from error
    request.state.form = form
    _must_be_text(value for _, value in form.multi_items() if isinstance(value, str))
    given = request.headers.get("X-CSRF-Token") or form.get("csrf_token")
    if not isinstance(given, str) or not hmac.compare_digest(given, request.state.csrf_token):
        raise NotAllowed("页面停留过久或已重新登录，这次提交没有生效。请返回刷新页面后再提交。")


def _must_be_text(values: Iterable[str]) -> None:
    """Refuse the null character, which no keyboard writes and PostgreSQL does not keep."""
    if any("\0" in value for value in values):
        raise InvalidData("内容中有不能识别的控制字符，没有接收。请删去后重新填写。")


def _must_be_small_enough(request: Request, page: Page) -> None:
    """Refuse a body by its announced length, before any of it is taken in."""
    settings = request.app.state.settings
    largest_mb = min(page.largest_mb, settings.upload_max_mb) if page.largest_mb else 0
    limit = largest_mb * 1024 * 1024 + settings.form_max_bytes
    announced = request.headers.get("content-length", "")
    if not announced.isdecimal():
        raise InvalidData("请求没有写明长度，没有接收。请用浏览器提交，或在请求中写明 Content-Length。")
    if int(announced) > limit:
        what = f"上传的文件超过 {largest_mb} MB" if largest_mb else "提交的内容过长"
        raise TooLarge(f"{what}，没有接收。请压缩、拆分或删减后再提交。")


async def _limited_body(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise InvalidData(f"报文超过 {limit} 字节，没有接收。")
    return bytes(body)


async def _signed_off(request: Request, page: Page) -> Response:
    """Nobody is signed in: a page leads to the sign-in page, a form is refused without losing what was typed in it.

    Who signed out in another window, or stayed beyond the longest session, has no cookie any more, but an open page of ours.
    """
    if request.method == "GET" or not (COOKIE in request.cookies or _is_from_here(request)):
        return await on_page_thread(request, signed_off.to_sign_in, request)
    posted: list[tuple[str, str]] = []
    announced = request.headers.get("content-length", "")
    is_small = announced.isdecimal() and len(announced) < 10 and int(announced) <= request.app.state.settings.form_max_bytes
    if is_small and _is_from_here(request):
        form = await request.form(max_files=1, max_fields=5000, max_part_size=request.app.state.settings.form_max_bytes)
        posted = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        await form.close()
    return await on_page_thread(request, signed_off.not_taken_in, request, posted)


def _is_from_here(request: Request) -> bool:
    """True if the browser says that a page of ours posted this: words of another site are never shown as ours."""
    origin = request.headers.get("origin") or request.headers.get("referer", "")
    return urlsplit(origin).netloc == request.url.netloc


def _to(request: Request, address: str) -> Response:
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def _change_session(request: Request, response: Response, token: str) -> None:
    """Give the browser the session token that a view put into the state; an empty one takes it away."""
    seconds = request.app.state.settings.session_absolute_hours * 3600 if token else 0
    _set_cookie(request, response, COOKIE, token, seconds)


def _set_cookie(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    secure = request.app.state.settings.cookies_secure
    response.set_cookie(name, value, max_age=seconds, httponly=True, secure=secure, samesite="lax", path="/")


def no_such_page(request: Request, error: PortalError) -> Response:
    """An address without a page: who is signed in is still told so, and has his or her own ways on."""
    if COOKIE in request.cookies and not hasattr(request.state, "actor"):
        _recognise(request)
    return problem_response(request, error)


def problem_response(request: Request, error: PortalError) -> Response:
    """A refused or failed request as page, fragment or JSON."""
    if error.status >= 500:
        log.error("failed: %s", type(error).__name__, exc_info=error)
    if "application/json" in request.headers.get("accept", "") or getattr(request.state, "wants_json", False):
        return JSONResponse({"error": error.message}, error.status)
    if not hasattr(request.state, "actor"):
        request.state.actor, request.state.csrf_token, request.state.preferences = NOBODY, "", None
    problem = Problem(_template_status(error.status), reason=error.message, is_fragment=is_htmx(request))
    shell = shell_for(request, title="没有这一页" if error.status == 404 else "没有完成")
    html = request.app.state.templates.render(
        problem.template, {"shell": shell, "problem": problem, "csrf_token": shell.csrf_token},
        block="problem" if problem.is_fragment else None,
    )
    return HTMLResponse(html, error.status, headers={"Cache-Control": "no-store"})


def _template_status(status: int) -> int:
    return status if status in (403, 404, 409, 410, 413, 422, 429, 500, 503) else 500
