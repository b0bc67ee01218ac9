"""Accounts: the list, one account with everything about it, and what each administrator may do to it."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import absence, person_administration, portal_clock, role
from domain.absence import Candidate
from domain.errors import InvalidData
from domain.organisation import offices
from domain.person import Organisation, Person, RoleGrant
from domain.person_administration import OpenTask, PersonFields, PersonFilter, PersonRow
from domain.role_grant import (
    GrantFields,
    grant_role,
    grant_with_person,
    grantable_roles,
    grants_of,
    revoke_role,
)
from domain.session import SignedInSession, open_sessions
from views.absences import posted_fields, rows_of
from views.account import browser_words, last_day, scope_words
from views.administration import frame
from views.page import actor, reading, redirect, writing
from views.paging import PAGE_SIZE, Pager, pager, place
from views.posted import (
    FieldFault,
    by_field,
    day,
    faults_of,
    given_texts,
    number,
    query_number,
    text,
    version,
)
from views.shell import Crumb, Link

STATES = [{"value": "active", "label": "在用"}, {"value": "disabled", "label": "已停用"}, {"value": "applicant", "label": "申请人"}]
SECTION = "administered_people"


@dataclass(frozen=True)
class PeoplePage:
    """The context of administration/people.html."""

    rows: list[dict[str, Any]]
    filters: list[dict[str, Any]]
    pager: Pager
    may_create: bool


@dataclass(frozen=True)
class NewPersonPage:
    """The context of administration/new_person.html."""

    offices: list[dict[str, str]]
    given: dict[str, str]
    wrong: dict[str, str]
    errors: tuple[FieldFault, ...]


@dataclass(frozen=True)
class PersonPage:
    """The context of administration/person.html; `may_keep` for the system, `may_secure` for the security administrator."""

    person: Person
    organisation: str
    offices: list[dict[str, str]]
    grants: list[dict[str, Any]]
    sessions: list[tuple[SignedInSession, str]]
    tasks: list[OpenTask]
    absences: tuple[dict[str, Any], ...]
    candidates: list[Candidate]
    roles: list[dict[str, str]]
    districts: list[dict[str, str]]
    towns: list[dict[str, str]]
    may_keep: bool
    may_secure: bool
    may_reset: bool
    is_self: bool
    today: str
    given: dict[str, str]
    wrong: dict[str, str]
    errors: tuple[FieldFault, ...]
    longest_days: int = absence.LONGEST_DAYS


@dataclass(frozen=True)
class PasswordOncePage:
    """The context of administration/password_once.html."""

    person: Person
    password: str
    is_new: bool


def list_people(request: Request) -> Response:
    """The list of accounts by filter and page."""
    wanted = PersonFilter(
        words=request.query_params.get("q", "").strip(), organisation_id=query_number(request, "organisation"),
        role=request.query_params.get("role", ""), state=request.query_params.get("state", ""),
    )
    with reading(request) as session:
        at = portal_clock.now(session)
        found, total = person_administration.list_people(session, wanted, at, place(request), PAGE_SIZE)
        places = _office_choices(session)
    page = PeoplePage(
        [_list_row(request, each) for each in found], _filters(wanted, places),
        pager(request, len(found), total, "个账号"), actor(request).has_role("system_admin"),
    )
    return frame.render(request, "administration/people.html", page, section=SECTION, title="账号与岗位")


def _filters(wanted: PersonFilter, places: list[dict[str, str]]) -> list[dict[str, Any]]:
    organisation = str(wanted.organisation_id or "")
    return [
        {"name": "q", "label": "姓名或登录名", "value": wanted.words},
        {"name": "organisation", "label": "单位", "kind": "select", "choices": places, "value": organisation},
        {"name": "role", "label": "岗位", "kind": "select", "choices": _role_choices(), "value": wanted.role},
        {"name": "state", "label": "状态", "kind": "select", "choices": STATES, "value": wanted.state},
    ]


def _role_choices() -> list[dict[str, str]]:
    return [{"value": each.key, "label": each.label} for each in grantable_roles()]


def _office_choices(session: Session) -> list[dict[str, str]]:
    return [{"value": str(each.id), "label": each.name} for each in offices(session) if each.is_active]


def _list_row(request: Request, each: PersonRow) -> dict[str, Any]:
    person = each.person
    roles = [f"{role.role_label(g.role)}（{scope_words(g.district_code, g.town_code)}）" for g in each.roles]
    href = request.app.state.templates.url("administered_person", person_id=person.id)
    return {"cells": {
        "name": {"text": person.name or "（未填）", "href": href},
        "login": person.login or {"text": "一网通办", "is_soft": True},
        "organisation": each.organisation or None,
        "roles": "申请人" if person.is_applicant else "、".join(roles) or {"text": "没有岗位", "is_soft": True},
        "state": {"tag": {"label": "在用", "tone": "good"} if person.is_active else {"label": "已停用", "tone": ""}},
    }}


def create(request: Request) -> Response:
    """Make an account: the form, and what was posted; the first password is shown this once."""
    if request.method == "GET":
        return _new_page(request)
    try:
        with writing(request) as session:
            made, password = person_administration.create_person(session, actor(request), text(request, "login", 60), _fields(request))
    except InvalidData as error:
        return _new_page(request, faults_of(error), 422)
    return _password_once(request, made, password, is_new=True)


def _fields(request: Request) -> PersonFields:
    return PersonFields(text(request, "name", 60), number(request, "organisation_id"), text(request, "phone", 60))


def _new_page(request: Request, errors: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    with reading(request) as session:
        places = _office_choices(session)
    page = NewPersonPage(places, given_texts(request), by_field(errors), errors)
    trail = (Crumb("新建账号"),)
    return frame.render(request, "administration/new_person.html", page, section=SECTION, title="新建账号", trail=trail, status=status)


def _password_once(request: Request, person: Person, password: str, *, is_new: bool) -> Response:
    trail = (Crumb(person.name, Link("administered_person", person.name, {"person_id": person.id})), Crumb("口令"))
    page = PasswordOncePage(person, password, is_new)
    return frame.render(request, "administration/password_once.html", page, section=SECTION, title="新口令", trail=trail)


DONE = {
    "change": "账号资料已保存。", "disable": "账号已停用，登录已全部退出。", "enable": "账号已恢复。",
    "unlock": "登录暂停已解除。", "sessions": "登录已全部退出。", "grant": "岗位已授予。", "revoke": "岗位已收回。",
    "absence": "外出代理已设置。",
}


def show(request: Request) -> Response:
    """One account with roles, sessions, absences and open tasks."""
    return _show(request)


def _show(request: Request, errors: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    with reading(request) as session:
        page = _person_page(request, session, errors)
    return frame.render(
        request, "administration/person.html", page, section=SECTION, title=page.person.name,
        trail=(Crumb(page.person.name),), notices=frame.done(request, DONE), status=status,
    )


def _person_page(request: Request, session: Session, errors: tuple[FieldFault, ...]) -> PersonPage:
    person = person_administration.person_of(session, request.path_params["person_id"])
    who, at = actor(request), portal_clock.now(session)
    may_keep, may_secure = who.has_role("system_admin"), who.has_role("security_admin")
    organisation = session.get(Organisation, person.organisation_id) if person.organisation_id else None
    keeper = "security_admin" if person_administration.is_administrators(session, person.id, at) else "system_admin"
    own, stood_in = rows_of(session, person.id, request)
    return PersonPage(
        person=person,
        organisation=organisation.name if organisation else "",
        offices=_office_choices(session),
        grants=[_grant_row(request, each, at, may_secure and person.id != who.person_id) for each in grants_of(session, [person.id])],
        sessions=[(each, browser_words(each.browser)) for each in open_sessions(session, person.id, portal_clock.now())],
        tasks=person_administration.open_tasks(session, person.id) if may_keep else [],
        absences=(*own, *stood_in),
        candidates=absence.candidates(session, person.id, at) if may_keep else [],
        roles=_role_choices(),
        districts=frame.district_choices(),
        towns=frame.town_choices(),
        may_keep=may_keep,
        may_secure=may_secure,
        may_reset=person.login is not None and person.is_active and who.has_role(keeper) and person.id != who.person_id,
        is_self=person.id == who.person_id,
        today=portal_clock.today(session).isoformat(),
        given=given_texts(request),
        wrong=by_field(errors),
        errors=errors,
    )


def _grant_row(request: Request, row: RoleGrant, at: Any, may_revoke: bool) -> dict[str, Any]:
    holds = row.until_at is None or row.until_at > at
    href = request.app.state.templates.url("revoke_role", grant_id=row.id)
    return {"cells": {
        "role": role.role_label(row.role),
        "scope": scope_words(row.district_code, row.town_code),
        "from": portal_clock.local_date(row.from_at).isoformat(),
        "until": last_day(row.until_at) if row.until_at else {"text": "长期", "is_soft": True},
        "state": {"tag": {"label": "有效", "tone": "good"} if holds else {"label": "已结束", "tone": ""}},
        "act": {"text": "收回", "href": href} if holds and may_revoke else "",
    }}


def _acted(request: Request, done: str, act: Any, **named_here: str) -> Response:
    """Run a command on the account of the path; refused input comes back on its page.

    `named_here` says how this page calls a field of the command, where two forms of the page have one of a name.
    """
    try:
        with writing(request) as session:
            act(session, actor(request), request.path_params["person_id"])
    except InvalidData as error:
        faults = (FieldFault(named_here.get(fault.field, fault.field), fault.text) for fault in faults_of(error))
        return _show(request, tuple(faults), 422)
    return redirect(request, "administered_person", person_id=request.path_params["person_id"], query={"done": done})


def change(request: Request) -> Response:
    """Save name, organisation and phone."""
    return _acted(request, "change", lambda session, who, person_id: person_administration.change_person(
        session, who, person_id, _fields(request), version(request)))


def disable(request: Request) -> Response:
    """Disable the account."""
    return _acted(request, "disable", lambda session, who, person_id: person_administration.disable_person(
        session, who, person_id, text(request, "disable_reason", 200), version(request)), reason="disable_reason")


def enable(request: Request) -> Response:
    """Let the account sign in again."""
    return _acted(request, "enable", lambda session, who, person_id: person_administration.enable_person(
        session, who, person_id, version(request)))


def unlock(request: Request) -> Response:
    """Lift the pause after wrong passwords."""
    return _acted(request, "unlock", person_administration.unlock_person)


def end_sessions(request: Request) -> Response:
    """End every session of the account."""
    return _acted(request, "sessions", person_administration.end_sessions_of)


def begin_absence(request: Request) -> Response:
    """Let somebody stand in for a person who cannot say so."""
    return _acted(request, "absence", lambda session, who, person_id: absence.begin_absence_for(
        session, who, person_id, posted_fields(request)))


def grant(request: Request) -> Response:
    """Give a role."""
    return _acted(request, "grant", lambda session, who, person_id: grant_role(session, who, person_id, GrantFields(
        text(request, "role", 60), text(request, "district_code", 12), text(request, "town_code", 12), day(request, "role_until_on"))), until_on="role_until_on")


def reset_password(request: Request) -> Response:
    """Give the account a random password and show it this once."""
    person_id = request.path_params["person_id"]
    with writing(request) as session:
        password = person_administration.reset_password(session, actor(request), person_id)
        person = person_administration.person_of(session, person_id)
    return _password_once(request, person, password, is_new=False)


@dataclass(frozen=True)
class RevokePage:
    """The context of administration/revoke_role.html."""

    grant: RoleGrant
    person: Person
    label: str
    scope: str
    errors: tuple[FieldFault, ...] = ()


def revoke(request: Request) -> Response:
    """Ask before a role is taken, then take it."""
    if request.method == "GET":
        return _revoke_page(request)
    try:
        with writing(request) as session:
            row = revoke_role(session, actor(request), request.path_params["grant_id"], text(request, "reason", 200))
    except InvalidData as error:
        return _revoke_page(request, faults_of(error), 422)
    return redirect(request, "administered_person", person_id=row.person_id, query={"done": "revoke"})


def _revoke_page(request: Request, errors: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    with reading(request) as session:
        row, person = grant_with_person(session, request.path_params["grant_id"])
    page = RevokePage(row, person, role.role_label(row.role), scope_words(row.district_code, row.town_code), errors)
    trail = (Crumb(person.name, Link("administered_person", person.name, {"person_id": person.id})), Crumb("收回岗位"))
    return frame.render(request, "administration/revoke_role.html", page, section=SECTION, title="收回岗位", trail=trail, status=status)
