"""Reports to the land-use control platform on screens: the panel of a case, and the queries by matter and by state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import dictionary, report_list, usage_control
from domain.case import scope
from domain.case.definition import case_type_of
from domain.case.tables import Case, Task
from domain.case.words import code_of
from domain.district import district_name
from domain.errors import InvalidData
from domain.facts.supervision_number import is_controlled
from domain.format import moment
from domain.office import office_of
from domain.portal_clock import today
from domain.report_list import Matter, ReportQuery, ReportRow
from domain.usage_control import ReportEvent, ReportRound
from views import page
from views.paging import PAGE_SIZE, Pager, pager, place
from views.panels import panel
from views.posted import query_day
from views.shell import Crumb, Link

HOME = Link("usage_control", "用途管制报送")


@dataclass(frozen=True)
class RoundCard:
    """One round as _round.html shows it: its state, its progress, its faults, its package and its history."""

    row: ReportRound
    label: str
    state: usage_control.ReportState
    steps: tuple[Mapping[str, str], ...]
    events: tuple[ReportEvent, ...]
    href: str


@dataclass(frozen=True)
class ListPage:
    """The context of usage_control/list.html."""

    rows: Sequence[Mapping[str, Any]]
    fields: Sequence[Mapping[str, Any]]
    query: Mapping[str, str]
    pager: Pager
    sort: Mapping[str, Any]
    fault: str


@dataclass(frozen=True)
class MattersPage:
    """The context of usage_control/matters.html."""

    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class MatterPage:
    """The context of usage_control/matter.html: the cases of one matter with their numbers, or why there is none."""

    title: str
    rows: Sequence[Mapping[str, Any]]
    pager: Pager


@dataclass(frozen=True)
class CasePage:
    """The context of usage_control/case.html."""

    code: str
    title: str
    case_href: str
    panel: Mapping[str, Any]


@dataclass(frozen=True)
class RoundPage:
    """The context of usage_control/round.html."""

    card: RoundCard
    code: str
    title: str
    case_href: str


@panel("usage_control")
def usage_control_panel(request: Request, session: Session, case: Case, task: Task | None) -> Mapping[str, Any]:
    """What the panel shows: the number or why there is none, and every round of the case."""
    return _panel(request, session, case, has_events=False)


def _panel(request: Request, session: Session, case: Case, has_events: bool) -> Mapping[str, Any]:
    """The panel; on the page of its own with the history of every round."""
    cards = _cards(request, session, usage_control.rounds_of(session, case.id), has_events)
    numbered = next((card.row.number for card in cards if card.state.key == "numbered"), None)
    latest = cards[0] if cards else None
    return {
        "number": numbered,
        "why": "" if numbered else _why(case, latest),
        "is_controlled": is_controlled(case_type_of(session, case)),
        "pre_review": _pre_review(session, case),
        "latest": latest,
        "cards": cards,
        "href": _url(request, "case_usage_control", case_id=case.id),
    }


def _pre_review(session: Session, case: Case) -> Mapping[str, str] | None:
    """The pre-review number of the project, or why there is none; None where the matter does not keep it."""
    if all(field.key != "pre_review_number" for field in case_type_of(session, case).form.fields()):
        return None
    number, said = case.values.get("pre_review_number"), case.values.get("pre_review_answer")
    return {"number": number or "", "why": said or "还没有查询，点「刷新监管号」向部系统查询"}


def _why(case: Case, latest: RoundCard | None) -> str:
    """Why there is no number, in words."""
    if latest is None:
        return "还没有启动报送：审定后自动启动" if case.status != "closed" else "没有报送"
    if latest.state.key in ("invalid", "rejected"):
        return usage_control.faults_in_words(latest.row)
    return f"第 {latest.row.round_no} 次报送{latest.state.label}"


def _cards(
    request: Request, session: Session, rounds: Sequence[ReportRound], has_events: bool = True
) -> list[RoundCard]:
    events = usage_control.events_of(session, [row.id for row in rounds]) if has_events else ()
    return [
        RoundCard(
            row=row,
            label=usage_control.kinds()[row.kind].label,
            state=usage_control.states()[row.state],
            steps=_progress(row),
            events=tuple(each for each in events if each.round_id == row.id),
            href=_url(request, "usage_control_round", round_id=row.id),
        )
        for row in rounds
    ]


def _progress(row: ReportRound) -> tuple[Mapping[str, str], ...]:
    """组卷—校验—打包—报送—返回: what is done, where it stands, what is to come."""
    state = usage_control.states()[row.state]
    last = len(usage_control.stages())
    steps = []
    for number, label in enumerate(usage_control.stages(), 1):
        is_over = number < state.stage or (number == state.stage == last)
        mark = "done" if is_over else "now" if number == state.stage else "next"
        steps.append({"label": f"{label}：{state.label}" if number == state.stage else label, "state": mark})
    return tuple(steps)


def report_list_page(request: Request) -> Response:
    """Every round by matter, district, kind, state and time (PROJ-106)."""
    query, fault = _query(request)
    with page.reading(request) as session:
        found = report_list.rows(session, page.actor(request), query, place(request), PAGE_SIZE)
        total = report_list.count(session, page.actor(request), query)
        rows = [_row(request, session, each) for each in found]
        fields = _fields(session, query)
    kept = _kept(query)
    context = ListPage(
        rows, fields, kept, pager(request, len(rows), total, "次"),
        {"href": _url(request, "usage_control", {**kept, "sort": None if query.is_oldest_first else "oldest"}),
         "order": "ascending" if query.is_oldest_first else "descending"},
        fault,
    )  # fmt: skip
    return page.render(request, "usage_control/list.html", context, title="用途管制报送查询", current="usage_control", audience="bench")


def begin_export(request: Request) -> Response:
    """Queue the workbook of what the filters show."""
    query, fault = _query(request)
    if fault:
        raise InvalidData(fault)
    with page.writing(request) as session:
        job = report_list.begin_export(session, page.actor(request), query)
    return page.redirect(request, "job", job_id=job.id)


def matters(request: Request) -> Response:
    """The matters that are reported, with their cases by state (PROJ-104)."""
    with page.reading(request) as session:
        rows = [_matter_row(request, each) for each in report_list.matters(session, page.actor(request))]
    return page.render(
        request, "usage_control/matters.html", MattersPage(rows), title="用途管制信息", crumbs=(Crumb(HOME.label, HOME), Crumb("按事项")),
        current="usage_control", audience="bench",
    )  # fmt: skip


def matter(request: Request) -> Response:
    """The cases of one matter, each with its number or why it has none."""
    key = request.path_params["key"]
    with page.reading(request) as session:
        chosen = next((m for m in report_list.matters(session, page.actor(request)) if m.case_type.key == key), None)
        if chosen is None:
            raise InvalidData("这个事项不报用途管制，或现在没有生效。请从事项列表中选择。")
        found = report_list.cases_of(session, page.actor(request), key, place(request), PAGE_SIZE)
        rows = [_case_row(request, case, row) for case, row in found]
    context = MatterPage(chosen.case_type.title, rows, pager(request, len(rows), chosen.total, "件", key=key))
    crumbs = (Crumb(HOME.label, HOME), Crumb("按事项", Link("usage_control_matters", "按事项")), Crumb(chosen.case_type.short))
    return page.render(
        request, "usage_control/matter.html", context, title=chosen.case_type.title, crumbs=crumbs, current="usage_control", audience="bench"
    )


def case_page(request: Request) -> Response:
    """Everything that was reported of one case, also after it is closed."""
    with page.reading(request) as session:
        case = scope.find(session, page.actor(request), request.path_params["case_id"])
        context = CasePage(
            code_of(case), case.title, _url(request, "case", case_id=case.id), _panel(request, session, case, has_events=True)
        )
        session.expunge_all()
    crumbs = (Crumb("办件", Link("cases", "办件")), Crumb(context.code, Link("case", context.code, {"case_id": case.id})), Crumb("用途管制"))
    return page.render(request, "usage_control/case.html", context, title=f"{context.code} 用途管制", crumbs=crumbs, current="cases", audience="bench")


def round_page(request: Request) -> Response:
    """One round: progress, what was packed, what came back."""
    with page.reading(request) as session:
        found = report_list.find(session, page.actor(request), request.path_params["round_id"])
        [card] = _cards(request, session, [found.round])
        context = RoundPage(card, code_of(found.case), found.case.title, _url(request, "case", case_id=found.case.id))
        session.expunge_all()
    crumbs = (Crumb(HOME.label, HOME), Crumb(found.round.business_key))
    return page.render(request, "usage_control/round.html", context, title=card.label, crumbs=crumbs, current="usage_control", audience="bench")


def _url(request: Request, name: str, query: Mapping[str, Any] | None = None, **params: Any) -> str:
    return request.app.state.templates.url(name, query, **params)


def _row(request: Request, session: Session, found: ReportRow) -> Mapping[str, Any]:
    row, case = found.round, found.case
    state = usage_control.states()[row.state]
    case_type = office_of(session).catalogue.edition(case.case_type, case.edition)
    return {"cells": {
        "case": {"text": code_of(case), "href": _url(request, "usage_control_round", round_id=row.id), "sub": case.title},
        "matter": {"text": case_type.short, "sub": usage_control.kinds()[row.kind].label},
        "district": district_name(case.district_code) if case.district_code else "—",
        "state": {"tag": {"label": state.label, "tone": state.tone}, "text": "", "sub": f"第 {row.round_no} 次，{_stage(state)}"},
        "number": {"text": row.number or "—", "sub": usage_control.faults_in_words(row)[:80]},
        "started": moment(row.started_at),
        "changed": moment(row.changed_at),
    }}  # fmt: skip


def _stage(state: usage_control.ReportState) -> str:
    """How far along the way: 组卷—校验—打包—报送—返回."""
    return "—".join(usage_control.stages()[: state.stage])


def _matter_row(request: Request, found: Matter) -> Mapping[str, Any]:
    counts = found.counts
    failed = counts.get("invalid", 0) + counts.get("rejected", 0) + counts.get("undelivered", 0)
    got = counts.get("numbered", 0)
    return {"cells": {
        "matter": {"text": found.case_type.title, "href": _url(request, "usage_control_matter", key=found.case_type.key)},
        "total": f"{found.total:,}", "numbered": f"{got:,}", "failed": f"{failed:,}",
        "waiting": f"{sum(counts.values()) - got - failed:,}", "unreported": f"{found.unreported:,}",
    }}  # fmt: skip


def _case_row(request: Request, case: Case, row: ReportRound | None) -> Mapping[str, Any]:
    state = usage_control.states()[row.state if row else "none"]
    why = _why_in_list(case, row, state)
    return {"cells": {
        "case": {"text": code_of(case), "href": _url(request, "case_usage_control", case_id=case.id), "sub": case.title},
        "district": district_name(case.district_code) if case.district_code else "—",
        "number": (row.number if row and state.key in ("numbered", "cancelled") else None) or "",
        "state": {"tag": {"label": state.label, "tone": state.tone}, "text": "", "sub": why[:120]},
        "receipt": (row.receipt_number if row else None) or "—",
        "changed": moment(row.changed_at) if row else "—",
    }}  # fmt: skip


def _why_in_list(case: Case, row: ReportRound | None, state: usage_control.ReportState) -> str:
    """Why a case has no number, or nothing for one that has its final answer."""
    if row is None:
        return "还没有审定，审定后自动启动" if case.status != "closed" else "没有报送"
    waiting = "部系统还没有返回监管号" if state.is_open else ""
    return usage_control.faults_in_words(row) or waiting


def _query(request: Request) -> tuple[ReportQuery, str]:
    """The query of the address, and what is wrong with it; a date that is none is said and left out."""
    given, fault, days = request.query_params, "", {}
    for name in ("since", "until"):
        try:
            days[name] = query_day(request, name)
        except InvalidData as error:
            fault, days[name] = error.message, None
    words = {name: given.get(name, "").strip()[:80] for name in ("case_type", "district", "kind", "state", "words")}
    return ReportQuery(**words, **days, is_oldest_first=given.get("sort") == "oldest"), fault


def _kept(query: ReportQuery) -> dict[str, str]:
    """The query as it stands in an address."""
    texts = {name: getattr(query, name) for name in ("case_type", "district", "kind", "state", "words")}
    days = {name: day.isoformat() for name in ("since", "until") if isinstance(day := getattr(query, name), date)}
    return {**{name: text for name, text in texts.items() if text}, **days, **({"sort": "oldest"} if query.is_oldest_first else {})}


def _fields(session: Session, query: ReportQuery) -> list[Mapping[str, Any]]:
    types = [each for each in office_of(session).catalogue.all(today(session)) if _reports(each)]
    return [
        {"name": "case_type", "label": "事项", "kind": "select", "value": query.case_type,
         "choices": [{"value": each.key, "label": each.short} for each in types]},
        {"name": "district", "label": "行政区", "kind": "select", "value": query.district, "choices": _districts(session)},
        {"name": "kind", "label": "类别", "kind": "select", "value": query.kind,
         "choices": [{"value": each.key, "label": each.label} for each in usage_control.kinds().values()]},
        {"name": "state", "label": "状态", "kind": "select", "value": query.state,
         "choices": [{"value": each.key, "label": each.label} for each in usage_control.states().values() if each.stage]},
        {"name": "since", "label": "启动从", "kind": "date", "value": query.since or ""},
        {"name": "until", "label": "到", "kind": "date", "value": query.until or ""},
        {"name": "words", "label": "办件编号、项目、监管号", "value": query.words},
    ]  # fmt: skip


def _reports(case_type: Any) -> bool:
    """Whether a case type reports anything, for a number or to cancel one."""
    steps = case_type.workflow.steps
    return any(call.name == "start_report" for step in steps for action in step.actions for call in action.effects)


def _districts(session: Session) -> list[Mapping[str, str]]:
    choices = dictionary.choices(session, today(session))["districts"]
    return [{"value": each.value, "label": each.label} for each in choices if not each.is_retired]
