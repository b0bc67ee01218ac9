"""The exchange monitor: what was sent to outside systems and what came back, and the few ways to interfere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import InvalidData
from domain.exchange import export, monitor, outbox, reconcile
from domain.exchange.delivery import partners_with_deliveries
from domain.exchange.inbox import received_for
from domain.exchange.monitor import CaseName, Page, Query, Row
from domain.exchange.tables import InboxMessage, OutboxAttempt, OutboxMessage, PartnerLine
from domain.exchange.words import Word, choices, inbox_kind_label, kind_label, result_word, source_label, word
from domain.format import moment
from domain.job import Job
from domain.ports.partner import PARTNERS, partner
from domain.redaction import redact, redact_document
from views.page import actor, form, office, reading, redirect, render, writing
from views.shell import Crumb, Link

LIGHT_WORDS = {"green": "等待结果", "yellow": "结果未返回", "red": "结果久未返回"}
RESULT_CHOICES = (*choices("results"), {"value": "yellow", "label": "黄灯"}, {"value": "red", "label": "红灯"})


@dataclass(frozen=True)
class LineState:
    """How things stand with one partner: counts by status, and whether its line is paused."""

    key: str
    label: str
    waiting: int
    troubled: int
    delivered: int
    line: PartnerLine | None

    @property
    def is_paused(self) -> bool:
        return self.line is not None and self.line.paused_until is not None


@dataclass(frozen=True)
class ListPage:
    """The context of exchange/list.html and exchange/inbox.html."""

    rows: Sequence[Mapping[str, Any]]
    page: Page
    fields: Sequence[Mapping[str, Any]]
    query: Mapping[str, str]
    previous: Mapping[str, Any] | None
    next: Mapping[str, Any] | None
    sort_order: str
    sort: Mapping[str, Any]
    fault: str = ""
    states: Sequence[LineState] = ()
    is_connected: bool = True
    may_act: bool = False


@dataclass(frozen=True)
class MessagePage:
    """The context of exchange/message.html."""

    message: OutboxMessage
    label: str
    kind: str
    status: Any
    result_status: Any
    payload: str
    answer: str
    result: str
    rejections: Sequence[Mapping[str, Any]]
    attempts: Sequence[Mapping[str, Any]]
    received: Sequence[Mapping[str, Any]]
    may_act: bool
    may_replay: bool
    may_cancel: bool
    case: CaseName | None
    errors: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class InboxMessagePage:
    """The context of exchange/inbox_message.html."""

    message: InboxMessage
    label: str
    kind: str
    source: str
    status: Any
    payload: str


@dataclass(frozen=True)
class ReconcilePage:
    """The context of exchange/reconcile.html."""

    partners: Sequence[Mapping[str, str]]
    values: Mapping[str, str]
    jobs: Sequence[Job]
    may_act: bool
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportPage:
    """The context of exchange/report.html."""

    job: Job
    progress: int | None


def message_list(request: Request) -> Response:
    """Messages out, newest first, with the state of the line to every partner above."""
    query, fault = _query(request)
    who = actor(request)
    with reading(request) as session:
        page = monitor.outbox_page(session, who, query)
        states = _states(monitor.counts(session, who), monitor.lines(session))
    rows = [_outbox_row(request, row) for row in page.rows]
    context = _list_page(request, page, rows, query, fault, _outbox_fields(query), states)
    return render(request, "exchange/list.html", context, title="交换监控", current="exchange")


def inbox_list(request: Request) -> Response:
    """Messages in."""
    query, fault = _query(request)
    with reading(request) as session:
        page = monitor.inbox_page(session, actor(request), query)
    rows = [_inbox_row(request, row) for row in page.rows]
    context = _list_page(request, page, rows, query, fault, _inbox_fields(query), ())
    return render(request, "exchange/inbox.html", context, title="收到的报文", crumbs=_crumbs("收到的报文"), current="exchange")


def message(request: Request) -> Response:
    """One message out with its attempts and what came back."""
    return _message_page(request, request.path_params["message_id"])


def replay(request: Request) -> Response:
    """Send a message again, with a reason."""
    return _interfere(request, outbox.replay)


def cancel(request: Request) -> Response:
    """Take a message back, with a reason."""
    return _interfere(request, outbox.cancel)


def try_line(request: Request) -> Response:
    """End the pause of a partner's line."""
    with writing(request) as session:
        outbox.try_now(session, actor(request), request.path_params["partner"])
    return redirect(request, "exchange")


def received_message(request: Request) -> Response:
    """One message in."""
    with reading(request) as session:
        found = monitor.inbox_message(session, actor(request), request.path_params["message_id"])
        session.expunge(found)
    context = InboxMessagePage(
        found, partner(found.partner).label, inbox_kind_label(found.kind), source_label(found.source),
        word("inbox", found.status), _document(found.payload),
    )  # fmt: skip
    crumbs = _crumbs(f"收到的报文 {found.id}", Crumb("收到的报文", Link("exchange_inbox", "收到的报文")))
    return render(request, "exchange/inbox_message.html", context, title="收到的报文", crumbs=crumbs, current="exchange")


def begin_export(request: Request) -> Response:
    """Queue the workbook of what the filters show."""
    query, fault = _query(request, form(request))
    if fault:
        raise InvalidData(fault)
    with writing(request) as session:
        job = export.begin(session, actor(request), query)
    return redirect(request, "job", job_id=job.id)


def reconciliation(request: Request) -> Response:
    """The reports made so far, and the form for the next one."""
    return _reconcile_page(request, {}, {})


def begin_reconciliation(request: Request) -> Response:
    """Queue a report."""
    values = {name: str(form(request).get(name, "")) for name in ("partner", "since", "until")}
    try:
        since, until = _day(values["since"], "since"), _day(values["until"], "until")
        if since is None or until is None:
            missing = {name: "请填写日期" for name, day in (("since", since), ("until", until)) if day is None}
            raise InvalidData("对账要有起止日期。请填写。", missing)
        with writing(request) as session:
            job = reconcile.begin(session, actor(request), values["partner"], since, until)
    except InvalidData as fault:
        return _reconcile_page(request, values, fault.fields, 422)
    return redirect(request, "exchange_report", job_id=job.id)


def report(request: Request) -> Response:
    """One report: its progress, then what differs."""
    with reading(request) as session:
        job = reconcile.report(session, request.path_params["job_id"])
        session.expunge(job)
    total = job.total_units
    progress = round(100 * job.done_units / total) if total else None
    crumbs = _crumbs(job.title, Crumb("对账", Link("exchange_reconcile", "对账")))
    block = "card" if request.headers.get("HX-Request") and job.is_unfinished else None
    return render(
        request, "exchange/report.html", ReportPage(job, progress), title="对账", crumbs=crumbs, current="exchange", block=block
    )


def _interfere(request: Request, act: Any) -> Response:
    message_id, reason = request.path_params["message_id"], str(form(request).get("reason", ""))
    try:
        with writing(request) as session:
            act(session, actor(request), message_id, reason)
    except InvalidData as fault:
        return _message_page(request, message_id, fault.fields, reason, 422)
    return redirect(request, "exchange_message", message_id=message_id)


def _message_page(
    request: Request, message_id: int, errors: Mapping[str, str] | None = None, reason: str = "", status: int = 200
) -> Response:
    who = actor(request)
    with reading(request) as session:
        found = monitor.outbox_message(session, who, message_id)
        attempts, received = outbox.attempts_of(session, message_id), received_for(session, message_id)
        case = monitor.case_name(session, who, found.case_id)
        session.expunge_all()
    may_act = who.has_role("report_admin")
    is_silent = found.status == "delivered" and found.result_status == "awaited"
    context = MessagePage(
        message=found, label=partner(found.partner).label, kind=kind_label(found.kind), status=word("statuses", found.status),
        result_status=_result_status(found), rejections=_rejections(found),
        payload=_document(found.payload), answer=_document(found.answer), result=_document(found.result),
        attempts=[_shown_attempt(each) for each in attempts], received=[_shown_inbox(each) for each in received], may_act=may_act,
        may_replay=may_act and (found.status in outbox.REPLAYABLE or is_silent),
        may_cancel=may_act and found.status in outbox.CANCELLABLE,
        case=case, errors=errors or {}, reason=reason,
    )  # fmt: skip
    crumbs = _crumbs(f"报文 {found.id}")
    return render(request, "exchange/message.html", context, title=f"报文 {found.business_key}", crumbs=crumbs, current="exchange",
                  status=status)  # fmt: skip


def _result_status(found: OutboxMessage) -> Word | None:
    """What the partner decided, or that it has not; None if no result is expected."""
    if found.result:
        return result_word(found.result)
    return word("results", found.result_status) if found.result_status else None


def _rejections(found: OutboxMessage) -> list[Mapping[str, Any]]:
    """The reasons the partner gave, whether it refused the message at once or afterwards."""
    return list((found.result or {}).get("rejections") or (found.answer or {}).get("rejections") or [])


def _shown_attempt(attempt: OutboxAttempt) -> Mapping[str, Any]:
    return {
        "at": attempt.at, "duration_ms": attempt.duration_ms, "word": word("attempts", attempt.result),
        "detail": redact(attempt.detail), "wire": attempt.wire,
    }  # fmt: skip


def _shown_inbox(message: InboxMessage) -> Mapping[str, Any]:
    return {
        "id": message.id, "received_at": message.received_at, "word": word("inbox", message.status), "fault": message.fault,
        "source": source_label(message.source), "count": message.received_count,
    }  # fmt: skip


def _reconcile_page(request: Request, values: Mapping[str, str], errors: Mapping[str, str], status: int = 200) -> Response:
    with reading(request) as session:
        jobs = reconcile.latest(session)
        session.expunge_all()
    partners = [{"value": key, "label": partner(key).label} for key in reconcile.comparable_partners()]
    context = ReconcilePage(partners, values, jobs, actor(request).has_role("report_admin"), errors)
    return render(request, "exchange/reconcile.html", context, title="对账", crumbs=_crumbs("对账"), current="exchange",
                  status=status)  # fmt: skip


def _crumbs(last: str, *between: Crumb) -> tuple[Crumb, ...]:
    return (Crumb("交换监控", Link("exchange", "交换监控")), *between, Crumb(last))


def _list_page(
    request: Request, page: Page, rows: Any, query: Query, fault: str, fields: Any, states: Sequence[LineState]
) -> ListPage:
    kept = _kept(query)
    has_more = page.last < page.total
    return ListPage(
        rows=rows, page=page, fields=fields, query=kept,
        previous={**kept, "before": page.rows[0].message.id} if page.rows and page.first > 1 else None,
        next={**kept, "after": page.rows[-1].message.id} if page.rows and has_more else None,
        sort_order="ascending" if query.is_oldest_first else "descending",
        sort={**kept, "sort": None if query.is_oldest_first else "oldest"},
        fault=fault, states=states, is_connected=office(request).partners_connected,
        may_act=actor(request).has_role("report_admin"),
    )  # fmt: skip


def _query(request: Request, given: Mapping[str, Any] | None = None) -> tuple[Query, str]:
    """The query of the address, and what is wrong with it; a date that is none is said and left out."""
    given = request.query_params if given is None else given
    fault, days = "", {}
    for name in ("since", "until"):
        try:
            days[name] = _day(str(given.get(name, "")), name)
        except InvalidData as error:
            fault, days[name] = error.message, None
    words = {name: str(given.get(name, "")).strip()[:120] for name in ("partner", "status", "result", "case", "key")}
    query = Query(
        **words, **days, is_oldest_first=given.get("sort") == "oldest",
        after=_number(given.get("after")), before=_number(given.get("before")),
    )  # fmt: skip
    return query, fault


def _day(text: str, name: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        message = f"「{text[:20]}」不是日期。请按 2026-06-30 的样子填写。"
        raise InvalidData(message, {name: message}) from error


def _number(text: Any) -> int | None:
    """A place in the list; anything that is no number begins at the top."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _kept(query: Query) -> dict[str, str]:
    """The filters as query parameters."""
    values = {
        "partner": query.partner, "status": query.status, "result": query.result, "case": query.case, "key": query.key,
        "since": query.since.isoformat() if query.since else "", "until": query.until.isoformat() if query.until else "",
        "sort": "oldest" if query.is_oldest_first else "",
    }  # fmt: skip
    return {name: value for name, value in values.items() if value}


def _outbox_fields(query: Query) -> list[dict[str, Any]]:
    sendable = [{"value": key, "label": PARTNERS[key].label} for key in partners_with_deliveries()]
    return [
        {"name": "partner", "label": "对接单位", "kind": "select", "value": query.partner, "choices": sendable},
        {"name": "status", "label": "状态", "kind": "select", "value": query.status, "choices": choices("statuses")},
        {"name": "result", "label": "结果", "kind": "select", "value": query.result, "choices": RESULT_CHOICES},
        *_shared_fields(query),
    ]


def _inbox_fields(query: Query) -> list[dict[str, Any]]:
    return [
        {"name": "status", "label": "状态", "kind": "select", "value": query.status, "choices": choices("inbox")},
        *_shared_fields(query),
    ]


def _shared_fields(query: Query) -> list[dict[str, Any]]:
    return [
        {"name": "case", "label": "办件编号", "value": query.case},
        {"name": "key", "label": "业务主键", "value": query.key},
        {"name": "since", "label": "日期从", "kind": "date", "value": query.since.isoformat() if query.since else ""},
        {"name": "until", "label": "到", "kind": "date", "value": query.until.isoformat() if query.until else ""},
    ]


def _outbox_row(request: Request, row: Row) -> dict[str, Any]:
    found = row.message
    status, url = word("statuses", found.status), request.app.state.templates.url
    cells = {
        "key": {"text": found.business_key, "href": url("exchange_message", message_id=found.id), "sub": kind_label(found.kind)},
        "partner": partner(found.partner).label,
        "case": row.case_number,
        "status": {"tag": {"label": status.label, "tone": status.tone}, "sub": redact(found.fault or "")},
        "attempts": str(found.attempts),
        "created": moment(found.created_at),
        "result": _result_cell(found),
    }
    return {"cells": cells, "id": f"message-{found.id}"}


def _result_cell(found: OutboxMessage) -> Any:
    if found.result_status == "awaited":
        colour = found.reply_light or "green"
        return {"light": {"colour": colour, "words": LIGHT_WORDS.get(colour, LIGHT_WORDS["green"])}}
    if not found.result:
        return None
    said = result_word(found.result)
    return {"tag": {"label": said.label, "tone": said.tone}, "sub": found.result.get("number")}


def _inbox_row(request: Request, row: Row) -> dict[str, Any]:
    found = row.message
    status, url = word("inbox", found.status), request.app.state.templates.url
    cells = {
        "key": {"text": found.business_key, "href": url("exchange_received", message_id=found.id), "sub": inbox_kind_label(found.kind)},
        "partner": partner(found.partner).label,
        "case": row.case_number,
        "status": {"tag": {"label": status.label, "tone": status.tone}, "sub": found.fault},
        "source": {"text": source_label(found.source), "sub": f"共 {found.received_count} 次"},
        "received": moment(found.received_at),
    }
    return {"cells": cells, "id": f"received-{found.id}"}


def _states(counts: Mapping[tuple[str, str], int], lines: Mapping[str, PartnerLine]) -> list[LineState]:
    def count(key: str, *statuses: str) -> int:
        return sum(counts.get((key, status), 0) for status in statuses)

    return [
        LineState(
            key, partner(key).label, count(key, "waiting", "sending"), count(key, "refused", "dead"), count(key, "delivered"),
            lines.get(key),
        )
        for key in partners_with_deliveries()
    ]


def _document(value: Any) -> str:
    """A kept document for reading: personal data blacked out, indented; empty for none."""
    return "" if not value else json.dumps(redact_document(value), ensure_ascii=False, indent=2)
