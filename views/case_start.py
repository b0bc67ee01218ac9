"""Starting a case as an official: what this person may start, what the start gates ask, and their refusal with reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import decision, dictionary, portal_clock
from domain.actor import Actor
from domain.case import draft, prefill
from domain.case.tables import Case
from domain.decision import Gathered
from domain.errors import InvalidData, NotAllowed, NotFound, Refused
from domain.form import Form, FormError
from domain.form.view import SectionView
from domain.office import office_of
from rules.case_type import CaseType, CaseTypeMissing
from rules.engine import NoEditionInForce
from views import page
from views.case_list import portal_today
from views.decision_card import fresh_card
from views.form_page import FormPage
from views.shell import Crumb, Link


@dataclass(frozen=True)
class StartListContext:
    """What templates/cases/start_list.html reads."""

    groups: tuple[Mapping[str, Any], ...]
    drafts: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class StartContext:
    """What templates/cases/start.html reads: the fields that the start gates read, and why they refused."""

    case_type: CaseType
    form_page: FormPage
    districts: tuple[Mapping[str, str], ...]
    district: str
    gates: tuple[str, ...]
    errors: tuple[FormError, ...] = ()
    message: str = ""
    refusals: tuple[Mapping[str, Any], ...] = ()


def start_list(request: Request) -> Response:
    """The case types that this person may start, by group, and the drafts that wait."""
    actor, url = page.actor(request), request.app.state.templates.url
    with page.reading(request) as session:
        types = draft.startable(session, actor)
        drafts = [one for each in types for one in draft.drafts_of(session, actor, each.key)]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for each in types:
        groups.setdefault(each.group, []).append({"label": each.title, "href": url("start_case", key=each.key)})
    context = StartListContext(
        tuple({"label": label, "types": found} for label, found in groups.items()),
        tuple({"label": each.title or each.draft_number, "hint": each.draft_number, "href": url("case", case_id=each.id)}
              for each in drafts),
    )
    return page.render(
        request, "cases/start_list.html", context, title="发起办件", crumbs=(Crumb("待办", Link("desk", "待办")), Crumb("发起办件")),
        current="desk", audience="bench",
    )


def start(request: Request) -> Response:
    """What the start of a case type asks, and the start itself."""
    actor, case_type = page.actor(request), _case_type(request)
    if not draft.may_start(actor, case_type):
        raise NotAllowed(f"你的岗位不能发起「{case_type.title}」。可以发起的事项见「发起办件」。")
    if request.method == "GET":
        return _page(request, case_type)
    try:
        values = _values(request, case_type)
        started = _open(request, case_type, values)
    except Refused as refused:
        return _page(request, case_type, message=refused.message, refusals=refused.decisions)
    except InvalidData as fault:
        return _page(request, case_type, message=fault.message, faults=fault.fields)
    return page.redirect(request, "case", case_id=started.id)


def _case_type(request: Request) -> CaseType:
    """The case type of the URL, in the edition of today. Raises NotFound."""
    try:
        return page.office(request).catalogue.current(request.path_params["key"], portal_today(request))
    except CaseTypeMissing as missing:
        raise NotFound("没有这个事项，或它现在没有生效的版本。请从「发起办件」进入。") from missing


def _open(request: Request, case_type: CaseType, values: Mapping[str, Any]) -> Case:
    """Ask the partners that the start gates need, then open the draft under the gates."""
    actor, district = page.actor(request), str(page.form(request).get("_district", "")) or None
    with page.reading(request) as session:
        gathered = _gathered(session, actor, case_type, values, district)
    with page.writing(request) as session:
        return draft.open_draft(
            session, actor, case_type.key, district_code=district, values=values, gathered=gathered
        )


def _gathered(
    session: Session, actor: Actor, case_type: CaseType, values: Mapping[str, Any], district: str | None
) -> Gathered:
    """The outside facts of the start gates, and what partners know for the form, about a case that is not kept yet.

    A gate waits for its partner (OutsideSystemDown); a field that a partner would fill in stays empty for now.
    """
    at = portal_clock.now(session)
    asked = Case(
        draft_number="", case_type=case_type.key, edition=case_type.edition.key, values=dict(values), district_code=district,
        organisation_id=actor.organisation_id, created_by=actor.person_id, created_at=at, changed_at=at,
    )
    gates = decision.gather_outside(session, actor, asked, case_type.asks_on_start)
    known, _down = prefill.gather(session, actor, asked)
    return {**known, **gates}


def _form(session: Session, case_type: CaseType, values: Mapping[str, Any] | None = None) -> Form:
    """The form of the case type with the fields that a start gate reads open, and nothing else."""
    on = portal_clock.today(session)
    book = office_of(session).book
    read = {
        name for key in case_type.asks_on_start for name in book.facts_of(decision.kind_of(book, key), key, on)
    }
    wanted = frozenset(field.key for field in case_type.form.fields() if not field.is_repeated and field.key in read)
    return Form(
        case_type.form, values or {}, step=case_type.workflow.start,
        editable=frozenset(section.key for section in case_type.form.sections), locked_to=wanted,
        dictionaries=dictionary.choices_of(session, case_type.form, on),
    )


def _values(request: Request, case_type: CaseType) -> dict[str, Any]:
    """The posted values of the asked fields. Raises InvalidData by field."""
    with page.reading(request) as session:
        values, faults = _form(session, case_type).accept(page.form(request))
    if faults:
        raise InvalidData(f"还有 {len(faults)} 处要改，改好后才能发起。", faults)
    return values


def _page(
    request: Request, case_type: CaseType, *, message: str = "", refusals: tuple[Any, ...] = (),
    faults: Mapping[str, str] | None = None,
) -> Response:
    posted = page.form(request) if request.method == "POST" else None
    with page.reading(request) as session:
        form = _form(session, case_type, _kept(session, case_type, posted))
        context = StartContext(
            case_type=case_type, form_page=FormPage(tuple(_asked(form, faults or {}, posted)), ""), districts=tuple(_districts(request)),
            district=str(posted.get("_district", "")) if posted else "", gates=tuple(_gates(session, case_type)),
            errors=tuple(FormError(key, text) for key, text in (faults or {}).items()), message=message,
            refusals=tuple(fresh_card(each, [_rule(request, each.key)]) for each in refusals),
        )
    crumbs = (Crumb("发起办件", Link("new_case", "发起办件")), Crumb(case_type.short))
    return page.render(
        request, "cases/start.html", context, title=f"发起{case_type.short}", crumbs=crumbs, current="desk", audience="bench",
        status=422 if message else 200,
    )


def _kept(session: Session, case_type: CaseType, posted: Any) -> Mapping[str, Any]:
    return _form(session, case_type).accept(posted)[0] if posted is not None else {}


def _asked(form: Form, faults: Mapping[str, str], posted: Any) -> list[SectionView]:
    """The sections with their asked fields alone."""
    sections = [replace(each, fields=tuple(field for field in each.fields if field.is_editable))
                for each in form.sections(faults, posted)]
    return [each for each in sections if each.fields]


def _districts(request: Request) -> list[Mapping[str, str]]:
    """The districts to choose from, where the person works for several."""
    own = page.actor(request).districts()
    known = {choice.value: choice.label for choice in dictionary.dictionaries()["districts"].choices}
    codes = sorted(code for code in (own if own is not None else known) if code in known)
    return [{"value": code, "label": known[code]} for code in codes] if len(codes) > 1 else []


def _gates(session: Session, case_type: CaseType) -> list[str]:
    """Titles of the rule sets that are asked before the case begins."""
    book, on = office_of(session).book, portal_clock.today(session)
    try:
        return [book.rule_set(decision.kind_of(book, key), key, on).title for key in case_type.asks_on_start]
    except NoEditionInForce as fault:
        raise Refused(str(fault)) from fault


def _rule(request: Request, key: str) -> Mapping[str, str]:
    return {"href": request.app.state.templates.url("rule", key=key), "label": "看规则"}
