"""One's own account: who one is here, what one may do, password, sessions, and how pages look."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import portal_clock, preferences, role, sign_in
from domain.actor import Grant
from domain.district import district_name
from domain.errors import InvalidData
from domain.person import Organisation, Person
from domain.session import SignedInSession, open_sessions
from domain.town import towns
from views.page import actor, form, reading, redirect, render, writing
from views.posted import FieldFault, by_field, faults_of, text
from views.shell import Crumb, Link, Notice

CRUMBS = (Crumb("我的账号"),)


@dataclass(frozen=True)
class AccountPage:
    """The context of account/page.html."""

    person: Person
    organisation: str
    grants: tuple[dict[str, Any], ...]
    sessions: tuple[tuple[SignedInSession, str], ...]
    """Each with its browser in words."""
    present_session: int
    themes: list[dict[str, str]]
    densities: list[dict[str, str]]
    text_sizes: list[dict[str, str]]
    errors: tuple[FieldFault, ...] = ()


@dataclass(frozen=True)
class PasswordPage:
    """The context of account/password.html; `is_required` when a person must choose one before anything else."""

    is_required: bool
    wrong: dict[str, str]
    errors: tuple[FieldFault, ...]
    shortest: int = sign_in.SHORTEST_PASSWORD


def show(request: Request) -> Response:
    """The account page."""
    return _show(request)


def _show(request: Request, errors: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    with reading(request) as session:
        page = _page(request, session, errors)
    done = request.query_params.get("done")
    notices = (Notice("good", DONE[done]),) if done in DONE else ()
    return render(request, "account/page.html", page, title="我的账号", crumbs=CRUMBS, status=status, notices=notices)


DONE = {
    "preferences": "显示设置已保存。",
    "password": "口令已修改，其他登录已退出。",
    "session": "选中的登录已退出。",
    "sessions": "其他登录已全部退出。",
}


def _page(request: Request, session: Session, errors: tuple[FieldFault, ...]) -> AccountPage:
    person = session.get_one(Person, actor(request).person_id)
    organisation = session.get(Organisation, person.organisation_id) if person.organisation_id else None
    return AccountPage(
        person=person,
        organisation=organisation.name if organisation else "",
        grants=tuple(_grant_row(session, grant) for grant in actor(request).grants),
        sessions=tuple((each, browser_words(each.browser)) for each in open_sessions(session, person.id, portal_clock.now())),
        present_session=request.state.session_id,
        themes=_choices(preferences.THEMES),
        densities=_choices(preferences.DENSITIES),
        text_sizes=_choices(preferences.TEXT_SIZES),
        errors=errors,
    )


def _choices(words: dict[str, str]) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in words.items()]


def _grant_row(session: Session, grant: Grant) -> dict[str, Any]:
    absent = session.get(Person, grant.delegated_by) if grant.delegated_by else None
    return {"cells": {
        "role": role.role_label(grant.role),
        "scope": scope_words(grant.district_code, grant.town_code),
        "until": last_day(grant.until) if grant.until else {"text": "长期", "is_soft": True},
        "source": f"代{absent.name}" if absent else "本人岗位",
    }}


def scope_words(district_code: str | None, town_code: str | None) -> str:
    """Where a role holds, in words."""
    if district_code is None:
        return "全市"
    town = next((each.name for each in towns() if each.code == town_code), "")
    return district_name(district_code) + town


def last_day(until: datetime) -> str:
    """The last day on which something holds that ends at a moment."""
    return portal_clock.local_date(until - LAST_INSTANT).isoformat()


LAST_INSTANT = datetime.resolution


def browser_words(agent: str) -> str:
    """What a browser calls itself, in two words that its owner knows."""
    names = (("Edg/", "Edge"), ("MicroMessenger/", "微信"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (("Android", "安卓"), ("iPhone", "iPhone"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"))
    found = [next((words for sign, words in each if sign in agent), "") for each in (names, systems)]
    return "，".join(filter(None, found)) or agent[:40] or "未知浏览器"


def change_preferences(request: Request) -> Response:
    """Keep colours, density and size of text."""
    try:
        chosen = text(request, "theme"), text(request, "density"), text(request, "text_size")
        with writing(request) as session:
            preferences.change_preferences(session, actor(request), *chosen)
    except InvalidData as error:
        return _show(request, faults_of(error), 422)
    return redirect(request, "account", query={"done": "preferences"})


def password(request: Request) -> Response:
    """Change the password: the form, and what was posted."""
    if request.method == "GET":
        return _password_page(request)
    old, new, again = (_secret(request, name) for name in ("old", "new", "again"))
    try:
        if new != again:
            raise InvalidData("两次填写的新口令不同，没有修改。请重新填写。", {"again": "与上面填写的不同"})
        with reading(request) as session:
            login, stored = sign_in.own_password(session, actor(request))
        change = sign_in.checked_change(login, stored, old, new)
        with writing(request) as session:
            sign_in.change_password(session, actor(request), change, request.state.session_id)
    except InvalidData as error:
        return _password_page(request, faults_of(error), 422)
    return redirect(request, "account", query={"done": "password"})


def _secret(request: Request, name: str) -> str:
    """A posted password as it was typed, space included."""
    value = form(request).get(name, "")
    return value if isinstance(value, str) else ""


def _password_page(request: Request, errors: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    page = PasswordPage(request.state.preferences.must_change_password, by_field(errors), errors)
    crumbs = () if page.is_required else (Crumb("我的账号", Link("account", "我的账号")), Crumb("修改口令"))
    return render(request, "account/password.html", page, title="修改口令", crumbs=crumbs, status=status)


def end_session(request: Request) -> Response:
    """End one of one's own sessions; ending the present one is signing out."""
    session_id = request.path_params["session_id"]
    with writing(request) as session:
        sign_in.end(session, actor(request), session_id)
    if session_id == request.state.session_id:
        request.state.session_token = ""
        return redirect(request, "signed_out")
    return redirect(request, "account", query={"done": "session"})


def end_other_sessions(request: Request) -> Response:
    """End every session but this one."""
    with writing(request) as session:
        sign_in.end_others(session, actor(request), request.state.session_id)
    return redirect(request, "account", query={"done": "sessions"})
