"""Absence 外出代理 of oneself: who stands in, until when; and for whom one stands in."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select
from starlette.requests import Request
from starlette.responses import Response

from domain import absence, portal_clock
from domain.absence import AbsenceFields, Candidate
from domain.errors import InvalidData
from domain.person import Absence, Person
from views.account import last_day
from views.page import actor, reading, redirect, render, writing
from views.posted import FieldFault, by_field, day, faults_of, given_texts, number, text
from views.shell import Crumb, Link

STATES = {"coming": ("未开始", ""), "running": ("代理中", "info"), "over": ("已到期", ""), "ended": ("已提前结束", "")}


@dataclass(frozen=True)
class AbsencePage:
    """The context of account/absences.html."""

    own: tuple[dict[str, Any], ...]
    stood_in: tuple[dict[str, Any], ...]
    candidates: tuple[Candidate, ...]
    given: dict[str, str]
    today: str
    wrong: dict[str, str]
    errors: tuple[FieldFault, ...]
    longest_days: int = absence.LONGEST_DAYS


@dataclass(frozen=True)
class EndPage:
    """The context of account/end_absence.html."""

    absence: Absence
    delegate: str
    until: str


def show(request: Request) -> Response:
    """The list with the form below it; a post begins an absence."""
    if request.method == "GET":
        return _page(request)
    try:
        with writing(request) as session:
            absence.begin_absence(session, actor(request), posted_fields(request))
    except InvalidData as error:
        return _page(request, faults_of(error), 422)
    return redirect(request, "absences")


def posted_fields(request: Request) -> AbsenceFields:
    """The absence that was posted."""
    return AbsenceFields(
        number(request, "delegate_id"), day(request, "from_on"), day(request, "until_on"), text(request, "reason", 200)
    )


def rows_of(session: Session, person_id: int, request: Request) -> tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]:
    """Own absences and those one covers, as table rows; two queries."""
    found, at = absence.absences_of(session, person_id), portal_clock.now(session)
    people = {id for each in found for id in (each.person_id, each.delegate_id)}
    names = dict(session.exec(select(Person.id, Person.name).where(col(Person.id).in_(people))).all())
    rows = [(each.person_id == person_id, _row(request, each, names, absence.state_of(each, at))) for each in found]
    return tuple(row for is_own, row in rows if is_own), tuple(row for is_own, row in rows if not is_own)


def _row(request: Request, each: Absence, names: dict[int, str], state: str) -> dict[str, Any]:
    label, tone = STATES[state]
    is_open = state in ("coming", "running")
    href = request.app.state.templates.url("end_absence", absence_id=each.id) if is_open else None
    return {"cells": {
        "delegate": names[each.delegate_id],
        "person": names[each.person_id],
        "from": portal_clock.local_date(each.from_at).isoformat(),
        "until": last_day(each.until_at),
        "reason": each.reason,
        "state": {"tag": {"label": label, "tone": tone}},
        "act": {"text": "提前结束", "href": href} if href else "",
    }}


def _page(request: Request, errors: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    person_id = actor(request).person_id
    with reading(request) as session:
        own, stood_in = rows_of(session, person_id, request)
        found = absence.candidates(session, person_id, portal_clock.now(session))
        today = portal_clock.today(session).isoformat()
    given = given_texts(request)
    page = AbsencePage(own, stood_in, tuple(found), given, today, by_field(errors), errors)
    return render(request, "account/absences.html", page, title="外出代理", crumbs=(Crumb("外出代理"),), status=status)


def end(request: Request) -> Response:
    """Ask before an absence ends early, then end it."""
    absence_id = request.path_params["absence_id"]
    if request.method == "POST":
        with writing(request) as session:
            ended = absence.end_absence(session, actor(request), absence_id)
        if ended.person_id == actor(request).person_id:
            return redirect(request, "absences")
        return redirect(request, "administered_person", person_id=ended.person_id)
    with reading(request) as session:
        found = absence.absence_of(session, actor(request), absence_id)
        delegate = session.get_one(Person, found.delegate_id).name
        page = EndPage(found, delegate, last_day(found.until_at))
    crumbs = (Crumb("外出代理", Link("absences", "外出代理")), Crumb("提前结束"))
    return render(request, "account/end_absence.html", page, title="提前结束外出代理", crumbs=crumbs)
