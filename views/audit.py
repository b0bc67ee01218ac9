"""The audit trail 留痕 for the audit administrator: look, narrow, export, verify; nothing can be changed here."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select
from starlette.requests import Request
from starlette.responses import Response

from domain import audit, audit_search
from domain.audit import AuditEntry
from domain.audit_search import AuditFilter
from domain.audit_words import command_words, detail_words
from domain.format import local
from domain.job import Job
from views.page import actor, reading, redirect, render, writing
from views.posted import day, query_day, query_number, text
from views.shell import Crumb, Link

PAGE_ROWS = 50


@dataclass(frozen=True)
class AuditPage:
    """The context of audit/list.html; `wanted` is what the export repeats."""

    rows: list[dict[str, Any]]
    filters: list[dict[str, Any]]
    wanted: dict[str, str]
    next_href: str | None
    first_href: str | None
    verification: Job | None


@dataclass(frozen=True)
class EntryPage:
    """The context of audit/entry.html; `holds` tells whether digest and content agree."""

    entry: AuditEntry
    detail: list[dict[str, Any]]
    holds: bool


def list_entries(request: Request) -> Response:
    """The entries that fit, the newest first, with the last verification."""
    given = request.query_params
    wanted = AuditFilter(
        given.get("person", "").strip(), given.get("command", "").strip(), given.get("subject", "").strip(),
        query_day(request, "from_on"), query_day(request, "until_on"),
    )
    before = query_number(request, "before")
    with reading(request) as session:
        found = audit_search.page_of(session, actor(request), wanted, before, PAGE_ROWS + 1)
        checked = select(Job).where(Job.kind == "audit_verification", Job.status == "done").order_by(col(Job.id).desc())
        verification = session.exec(checked.limit(1)).first()
    shown = found[:PAGE_ROWS]
    fields = _fields(wanted)
    page = AuditPage(
        [_row(request, entry) for entry in shown], _filters(fields), fields,
        _href(request, fields, shown[-1].id) if len(found) > PAGE_ROWS else None,
        _href(request, fields, None) if before else None, verification,
    )
    return render(request, "audit/list.html", page, title="留痕", crumbs=(Crumb("留痕"),), current="audit", audience="bench")


def _fields(wanted: AuditFilter) -> dict[str, str]:
    return {
        "person": wanted.person, "command": wanted.command, "subject": wanted.subject,
        "from_on": wanted.from_on.isoformat() if wanted.from_on else "",
        "until_on": wanted.until_on.isoformat() if wanted.until_on else "",
    }


def _filters(fields: dict[str, str]) -> list[dict[str, Any]]:
    words = {"person": "姓名", "command": "操作", "subject": "对象", "from_on": "从", "until_on": "到"}
    return [
        {"name": name, "label": label, "value": fields[name], "kind": "date" if name.endswith("_on") else "search"}
        for name, label in words.items()
    ]


def _href(request: Request, fields: dict[str, str], before: int | None) -> str:
    query = {name: value for name, value in fields.items() if value} | ({"before": before} if before else {})
    return request.app.state.templates.url("audit", query)


def _row(request: Request, entry: AuditEntry) -> dict[str, Any]:
    on_behalf = f"代 {entry.on_behalf_of}" if entry.on_behalf_of else ""
    return {"cells": {
        "id": {"text": str(entry.id), "href": request.app.state.templates.url("audit_entry", entry_id=entry.id)},
        "at": f"{local(entry.at):%Y-%m-%d %H:%M:%S}",
        "person": {"text": entry.person_name, "sub": on_behalf},
        "command": {"text": command_words(entry.command), "sub": entry.command},
        "subject": entry.subject,
        "detail": _short(detail_words(entry.detail)),
    }}


def _short(words: str) -> str:
    return words if len(words) <= 80 else words[:79] + "…"


def show(request: Request) -> Response:
    """One entry with everything in it."""
    with reading(request) as session:
        entry = audit_search.entry_of(session, actor(request), request.path_params["entry_id"])
    detail = [{"label": key, "value": value if isinstance(value, str) else audit.canonical_text(value)} for key, value in entry.detail.items()]
    page = EntryPage(entry, detail, audit.digest_of(entry) == entry.digest)
    crumbs = (Crumb("留痕", Link("audit", "留痕")), Crumb(f"第 {entry.id} 条"))
    return render(request, "audit/entry.html", page, title=f"留痕第 {entry.id} 条", crumbs=crumbs, current="audit", audience="bench")


def export(request: Request) -> Response:
    """Queue the export and go to its job."""
    wanted = AuditFilter(
        text(request, "person", 60), text(request, "command", 60), text(request, "subject", 80), day(request, "from_on"), day(request, "until_on")
    )
    with writing(request) as session:
        made = audit_search.ask_export(session, actor(request), wanted)
    return redirect(request, "job", job_id=made.id)


def verify(request: Request) -> Response:
    """Queue the verification and go to its job."""
    with writing(request) as session:
        made = audit_search.ask_verification(session, actor(request))
    return redirect(request, "job", job_id=made.id)
