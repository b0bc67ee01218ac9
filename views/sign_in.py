"""Signing in and out: officials with login and password, enterprises through the city's identity service."""

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain import portal_clock, sign_in
from domain.actor import Actor
from domain.demo import people
from domain.errors import InvalidData, NotAllowed, OutsideSystemDown
from domain.person import Person, actor_of
from domain.ports.errors import OutsideSystemError, PartnerAnswerInvalid, PartnerRefused
from domain.ports.identity import LoginAttempt, SignIn
from domain.session import SignedInSession
from domain.signed_value import opened, signed
from views.navigation import home_of
from views.page import actor, form, office, reading, redirect, render, writing

ATTEMPT, LEAVING = "guitu_attempt", "guitu_leaving"
ATTEMPT_LASTS, LEAVING_LASTS = timedelta(minutes=10), timedelta(minutes=5)


@dataclass(frozen=True)
class SignInPage:
    """The context of sign_in/page.html; `problem` is said above the form, `next_path` is where to go after."""

    next_path: str
    login: str = ""
    problem: str = ""
    demo_password: str = ""
    demo_accounts: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class SignedOutPage:
    """The context of sign_in/signed_out.html; `has_provider` offers to leave the identity service too."""

    has_provider: bool


def sign_in_page(request: Request) -> Response:
    """The page with both ways in; somebody who is signed in already goes on."""
    next_path = local_path(request.query_params.get("next", ""))
    if actor(request).person_id is not None:
        return _onward(request, actor(request), next_path)
    return _page(request, SignInPage(next_path))


def sign_in_with_password(request: Request) -> Response:
    """Take login and password; a wrong pair is counted and said, a right one opens a session."""
    given = form(request)
    login, next_path = _text(given, "login")[:200], local_path(_text(given, "next"))
    address = _address(request)
    try:
        with reading(request) as session:
            sign_in.must_not_be_paused(session, login, address, portal_clock.now())
            stored = sign_in.stored_hash(session, login)
        check = sign_in.checked(login, stored, _text(given, "password"))
        token, person = _opened_with_password(request, check, address)
    except NotAllowed as refusal:
        with writing(request) as session:
            sign_in.note_failure(session, actor(request), login, address)
        return _page(request, SignInPage(next_path, login, refusal.message), 422)
    except sign_in.TooManyTries as pause:
        return _page(request, SignInPage(next_path, login, pause.message), pause.status)
    return _entered(request, token, person, next_path)


def leave_for_provider(request: Request) -> Response:
    """Send the browser to the identity service, and keep what its answer must fit to in a signed cookie."""
    try:
        attempt = office(request).partners.identity.begin_login(_return_address(request))
    except OutsideSystemError as error:
        raise OutsideSystemDown(f"一网通办现在不能登录。{error.message}") from error
    document = {**asdict(attempt), "next": local_path(request.query_params.get("next", ""))}
    del document["url"]
    response = RedirectResponse(attempt.url, 303)
    _keep(request, response, ATTEMPT, document, ATTEMPT_LASTS)
    return response


def return_from_provider(request: Request) -> Response:
    """Take the browser back from the identity service and open a session for whom it vouches for."""
    kept = _kept(request, ATTEMPT)
    next_path = kept.pop("next")
    signed_in = _finished(request, LoginAttempt(url="", **kept))
    settings = request.app.state.settings
    with writing(request) as session:
        token, person = sign_in.open_with_identity(
            session, actor(request), signed_in, office(request).partners.identity.issuer, address=_address(request),
            browser=_browser(request), lasts=timedelta(hours=settings.session_absolute_hours),
        )
    response = _entered(request, token, person, next_path)
    response.delete_cookie(ATTEMPT, path="/sign-in")
    return response


def sign_out(request: Request) -> Response:
    """End this session here; one opened through the identity service is ended there next."""
    response = redirect(request, "signed_out")
    session_id = request.state.session_id
    request.state.session_token = ""
    if session_id is not None:
        with writing(request) as session:
            id_token = sign_in.end(session, actor(request), session_id)
        if id_token:
            _keep(request, response, LEAVING, {"session": session_id}, LEAVING_LASTS)
    return response


def signed_out(request: Request) -> Response:
    """Say that the session ended; the browser goes on to the identity service if the session came from there."""
    has_provider = LEAVING in request.cookies
    response = render(request, "sign_in/signed_out.html", SignedOutPage(has_provider), title="已退出", audience="public")
    if has_provider:
        # A form may not lead to another origin (form-action), a page may: so the way goes over this page.
        response.headers["Refresh"] = f"0; url={request.app.state.templates.url('leave_provider')}"
    return response


def leave_provider(request: Request) -> Response:
    """Send the browser to the identity service to end the session there."""
    kept = _kept(request, LEAVING)
    with reading(request) as session:
        ended = session.get(SignedInSession, kept["session"])
        id_token = ended.id_token if ended else None
    try:
        if id_token is None:
            raise InvalidData("这次登录不是从一网通办来的，不需要再退出。")
        back = request.app.state.templates.url("sign_in")
        address = office(request).partners.identity.end_session_url(id_token, office(request).public_url + back)
    except OutsideSystemError as error:
        message = "门户已经退出，但一网通办没有应答，那边可能还登录着。请关闭浏览器，或稍后到一网通办退出。"
        raise OutsideSystemDown(message) from error
    response = RedirectResponse(address, 303)
    response.delete_cookie(LEAVING, path="/sign-out")
    return response


def local_path(wanted: str) -> str:
    """The path if it leads to a place of this portal, else nothing: an address from outside is never followed."""
    if not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted or not wanted.isprintable():
        return ""
    parts = urlsplit(wanted)
    return "" if parts.scheme or parts.netloc or parts.path.startswith(("/sign-", "//")) else wanted


def _opened_with_password(request: Request, check: sign_in.PasswordCheck, address: str) -> tuple[str, Person]:
    lasts = timedelta(hours=request.app.state.settings.session_absolute_hours)
    with writing(request) as session:
        return sign_in.open_with_password(
            session, actor(request), check, address=address, browser=_browser(request), lasts=lasts
        )


def _finished(request: Request, attempt: LoginAttempt) -> SignIn:
    try:
        return office(request).partners.identity.finish_login(attempt, dict(request.query_params))
    except PartnerRefused as refusal:
        raise NotAllowed(f"一网通办没有让这次登录通过：{refusal.text}。请核对账号后重新登录。") from refusal
    except PartnerAnswerInvalid as invalid:
        raise InvalidData(f"登录没有完成：{invalid.message}可回到登录页再试一次。") from invalid
    except OutsideSystemError as error:
        raise OutsideSystemDown(f"登录没有完成。{error.message}") from error


def _entered(request: Request, token: str, person: Person, next_path: str) -> Response:
    """Give the browser a session of its own: an older one in the same browser ends, its token is worth nothing."""
    if request.state.session_id is not None:
        with writing(request) as session:
            sign_in.end(session, actor(request), request.state.session_id)
    request.state.session_token = token
    with reading(request) as session:
        entered = actor_of(session, person.id)
    if person.must_change_password:
        return redirect(request, "password")
    return _onward(request, entered, next_path)


def _onward(request: Request, entered: Actor, next_path: str) -> Response:
    if next_path:
        return RedirectResponse(next_path, 303)
    home = home_of(request, entered)
    return redirect(request, home if home in request.app.state.route_names else "account")


def _page(request: Request, context: SignInPage, status: int = 200) -> Response:
    if office(request).is_demo:
        context = replace(context, demo_password=people.password(), demo_accounts=_demo_rows())
    return render(request, "sign_in/page.html", context, title="登录", audience="public", status=status)


def _demo_rows() -> tuple[dict[str, Any], ...]:
    staff = [each for each in people.ACCOUNTS if each.way == "password"]
    return tuple({"cells": {"login": each.login, "role": each.role_label, "scope": each.scope}} for each in staff)


def _return_address(request: Request) -> str:
    return office(request).public_url + request.app.state.templates.url("return_from_provider")


def _keep(request: Request, response: Response, name: str, document: dict[str, Any], lasts: timedelta) -> None:
    settings = request.app.state.settings
    text = signed(settings.secret_key(), name, document, portal_clock.now(), lasts)
    response.set_cookie(
        name, text, max_age=int(lasts.total_seconds()), httponly=True, secure=settings.cookies_secure, samesite="lax",
        path="/sign-in" if name == ATTEMPT else "/sign-out",
    )


def _kept(request: Request, name: str) -> dict[str, Any]:
    text = request.cookies.get(name)
    if not text:
        raise InvalidData("没有找到这次登录的凭据，可能等得太久，或换了浏览器。请从登录页重新开始。")
    return opened(request.app.state.settings.secret_key(), name, text, portal_clock.now())


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _browser(request: Request) -> str:
    return request.headers.get("user-agent", "")


def _text(given: Any, name: str) -> str:
    value = given.get(name, "")
    return value if isinstance(value, str) else ""


