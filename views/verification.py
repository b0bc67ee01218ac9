"""Public verification 文书核验: by the code beside the QR code, or by the file itself; nothing about people is shown."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from domain import portal_clock
from domain.document.verification import (
    FileComparison,
    FileVerdict,
    Verification,
    VersionState,
    compare,
    look_up,
)
from domain.errors import InvalidData, NotFound
from domain.file_store import CHUNK_BYTES
from domain.rate_limit import RateLimit
from views import page, posted
from views.posted import FieldFault
from views.shell import Crumb, Link

MOST_A_MINUTE = 60
LARGEST_MB = 100


@dataclass(frozen=True)
class VerificationPage:
    """The context of verification/index.html; `outcome` is empty before anything was looked up."""

    outcome: str = ""
    """same | held (by its code alone) | changed | revoked | superseded | unknown"""
    state: str = ""
    found: Verification | None = None
    comparison: FileComparison | None = None
    checked_at: datetime | None = None
    code: str = ""
    message: str = ""
    errors: tuple[FieldFault, ...] = ()


def show(request: Request) -> Response:
    """The empty form; a code in the query (a form sent by GET) leads to its own address."""
    if code := request.query_params.get("code", "").strip():
        return page.redirect(request, "verify_code", code=code.replace("/", " ")[:40])
    return _page(request, VerificationPage())


def by_code(request: Request) -> Response:
    """What is registered under the code of the address."""
    _limit(request)
    code = request.path_params["code"][:40]
    with page.reading(request) as session:
        checked_at = portal_clock.now(session)
        try:
            found = look_up(session, code)
        except InvalidData as refused:
            return _page(request, VerificationPage(code=code, errors=(FieldFault("code", refused.message),)), 422)
        except NotFound as unknown:
            return _page(request, VerificationPage("unknown", "unknown", checked_at=checked_at, code=code, message=unknown.message), 404)
    return _page(request, VerificationPage(_outcome(found, "held"), _mark(found), found, None, checked_at, found.code))


def check(request: Request) -> Response:
    """Look up a typed code, or compare a file, with the code if both are given. Nothing is kept."""
    code = posted.text(request, "code", 100)
    file = page.form(request).get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        if not code:
            faults = (FieldFault("code", "没有填写核验码，也没有选择文件。请填写核验码，或选择文书的 PDF 文件。"),)
            return _page(request, VerificationPage(errors=faults), 422)
        return page.redirect(request, "verify_code", code=code.replace("/", " ")[:40])
    _limit(request)
    return _compared(request, file, code)


def _compared(request: Request, file: UploadFile, code: str) -> Response:
    with page.reading(request) as session:
        checked_at = portal_clock.now(session)
        try:
            comparison = compare(session, _chunks(file), code or None)
        except InvalidData as refused:
            field = "code" if "code" in refused.fields else "file"
            return _page(request, VerificationPage(code=code, errors=(FieldFault(field, refused.message),)), 422)
        except NotFound as unknown:
            return _page(request, VerificationPage("unknown", "unknown", checked_at=checked_at, code=code, message=unknown.message), 404)
    found = comparison.registered
    if comparison.verdict is FileVerdict.SAME:
        context = VerificationPage(_outcome(found, "same"), _mark(found), found, comparison, checked_at, found.code)
    elif comparison.verdict is FileVerdict.CHANGED:
        context = VerificationPage("changed", "changed", found, comparison, checked_at, code)
    else:
        context = VerificationPage("unknown", "unknown", None, comparison, checked_at, code)
    return _page(request, context)


def _outcome(found: Verification, valid: str) -> str:
    return {VersionState.VALID: valid, VersionState.VOID: "revoked", VersionState.SUPERSEDED: "superseded"}[found.state]


def _mark(found: Verification) -> str:
    """Which mark is drawn: a document that no longer holds never gets the mark of a good one."""
    return "genuine" if found.state is VersionState.VALID else "revoked"


def _chunks(file: UploadFile) -> Iterator[bytes]:
    while chunk := file.file.read(CHUNK_BYTES):
        yield chunk


def _limit(request: Request) -> None:
    """Codes are long, but nobody shall try them by the thousand."""
    limit: RateLimit = page.office(request).caches.setdefault("verification_limit", RateLimit(MOST_A_MINUTE, 60))
    limit.take(request.client.host if request.client else "", time.monotonic())


def _page(request: Request, context: VerificationPage, status: int = 200) -> Response:
    crumbs = (Crumb("办事大厅", Link("hall", "")), Crumb("文书核验"))
    return page.render(request, "verification/index.html", context, title=title_of(context), crumbs=crumbs, current="verify",
                       audience="public", status=status)


TITLES: Mapping[str, str] = {
    "same": "这份文书是真的，没有被改过",
    "held": "登记簿里有这份文书，现在有效",
    "changed": "这份文件被改过，不要使用",
    "revoked": "这份文书已经作废",
    "superseded": "这份文书已被新版本替代",
    "unknown": "查不到这份文书",
}


def title_of(context: Any) -> str:
    """The verdict, as window title and as heading."""
    return TITLES.get(context.outcome, "核验一份文书")
