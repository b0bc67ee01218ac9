"""Organisations: the tree of offices, and the enterprises that have signed in."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain import organisation
from domain.errors import InvalidData
from domain.organisation import KEPT_KINDS, KINDS, Branch, OrganisationFields
from domain.person import Organisation
from views.account import scope_words
from views.administration import frame
from views.page import actor, reading, redirect, writing
from views.paging import PAGE_SIZE, Pager, pager, place
from views.posted import FieldFault, by_field, faults_of, given_texts, number, text, version
from views.shell import Crumb

SECTION = "organisations"
DONE = {"create": "单位已建立。", "change": "单位已保存。", "retire": "单位已停用。", "restore": "单位已恢复。"}


@dataclass(frozen=True)
class OrganisationsPage:
    """The context of administration/organisations.html."""

    tree: list[dict[str, Any]]
    words: str
    enterprises: list[dict[str, Any]]
    pager: Pager


@dataclass(frozen=True)
class OrganisationPage:
    """The context of administration/organisation.html; `row` is None for a new one."""

    row: Organisation | None
    kinds: list[dict[str, str]]
    districts: list[dict[str, str]]
    towns: list[dict[str, str]]
    parents: list[dict[str, str]]
    given: dict[str, str]
    wrong: dict[str, str]
    errors: tuple[FieldFault, ...]


def list_organisations(request: Request) -> Response:
    """The tree of offices, and below it the enterprises by search and page."""
    words = request.query_params.get("q", "").strip()
    with reading(request) as session:
        branches = organisation.tree(session)
        found, total = organisation.enterprises(session, words, place(request), PAGE_SIZE)
    rows = [{"cells": {"name": row.name, "code": row.credit_code, "legal": row.detail.get("legal_representative")}} for row in found]
    page = OrganisationsPage([_branch(request, each) for each in branches], words, rows, pager(request, len(rows), total, "个单位"))
    return frame.render(request, "administration/organisations.html", page, section=SECTION, title="单位", notices=frame.done(request, DONE))


def _branch(request: Request, branch: Branch) -> dict[str, Any]:
    row = branch.organisation
    scope = scope_words(row.district_code, row.town_code) if row.district_code else "全市"
    return {
        "name": row.name, "href": request.app.state.templates.url("organisation", organisation_id=row.id),
        "meta": f"{KINDS[row.kind]}，{scope}，{branch.people} 个账号", "is_active": row.is_active,
        "branches": [_branch(request, each) for each in branch.branches],
    }


def create(request: Request) -> Response:
    """Add an office: the form, and what was posted."""
    if request.method == "GET":
        return _page(request, None)
    try:
        with writing(request) as session:
            organisation.create_organisation(session, actor(request), _fields(request))
    except InvalidData as error:
        return _page(request, None, faults_of(error), 422)
    return redirect(request, SECTION, query={"done": "create"})


def change(request: Request) -> Response:
    """Change an office: the form, and what was posted."""
    organisation_id = request.path_params["organisation_id"]
    if request.method == "GET":
        return _page(request, organisation_id)
    try:
        with writing(request) as session:
            organisation.change_organisation(session, actor(request), organisation_id, _fields(request), version(request))
    except InvalidData as error:
        return _page(request, organisation_id, faults_of(error), 422)
    return redirect(request, SECTION, query={"done": "change"})


def set_active(request: Request) -> Response:
    """Retire an office, or bring it back."""
    is_active = text(request, "is_active") == "1"
    with writing(request) as session:
        organisation.set_active(session, actor(request), request.path_params["organisation_id"], is_active, version(request))
    return redirect(request, SECTION, query={"done": "restore" if is_active else "retire"})


def _fields(request: Request) -> OrganisationFields:
    return OrganisationFields(
        text(request, "name", 200), text(request, "kind", 24), text(request, "district_code", 12),
        text(request, "town_code", 12), number(request, "parent_id"),
    )


def _page(request: Request, organisation_id: int | None, errors: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    with reading(request) as session:
        row = organisation.organisation_of(session, organisation_id) if organisation_id else None
        parents = [{"value": str(each.id), "label": each.name} for each in organisation.offices(session) if each.id != organisation_id]
    given = given_texts(request) or _shown(row)
    page = OrganisationPage(
        row, [{"value": key, "label": KINDS[key]} for key in KEPT_KINDS], frame.district_choices(), frame.town_choices(),
        parents, given, by_field(errors), errors,
    )
    title = row.name if row else "新建单位"
    return frame.render(request, "administration/organisation.html", page, section=SECTION, title=title, trail=(Crumb(title),), status=status)


def _shown(row: Organisation | None) -> dict[str, str]:
    names = ("name", "kind", "district_code", "town_code", "parent_id")
    return {name: str((getattr(row, name) if row else None) or "") for name in names}
