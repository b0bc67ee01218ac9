"""Files of cases, handed out: materials and documents, each only to those who may know of the case."""

from urllib.parse import quote

from sqlmodel import Session, select
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from domain.actor import Actor
from domain.case import operations, scope
from domain.case.tables import Material
from domain.document.tables import Document, DocumentVersion
from domain.errors import NotFound
from domain.file_store import StoredFile
from domain.office import office_of
from views import page

SAFE_TO_SHOW = frozenset({"application/pdf", "image/png", "image/jpeg"})
"""Kinds that a browser may show in its window; everything else is only saved."""
SANDBOX = "sandbox; default-src 'none'"


def material(request: Request) -> Response:
    """A file of a case, the older versions of its slot included."""
    with page.reading(request) as session:
        row = session.get(Material, request.path_params["material_id"])
        if row is None:
            raise NotFound("没有这份材料，或者它不在你的查阅范围内。请从办件的材料目录进入。")
        scope.find(session, page.actor(request), row.case_id)
        return file_response(session, session.get(StoredFile, row.digest), row.name, is_shown="show" in request.query_params)


def document(request: Request) -> Response:
    """The PDF of a document as issued; the applicant gets those that are meant for the applicant."""
    with page.reading(request) as session:
        found = _document(session, page.actor(request), request.path_params["document_id"])
        version = _version(session, found, request.query_params.get("version"))
        name = f"{found.label}{' ' + found.number if found.number else ''}.pdf"
        return file_response(session, session.get(StoredFile, version.digest), name, is_shown="show" in request.query_params)


def _document(session: Session, actor: Actor, document_id: int) -> Document:
    found = session.get(Document, document_id)
    missing = NotFound("没有这份文书，或者它不在你的查阅范围内。请从办件的文书目录进入。")
    if found is None or found.case_id is None:
        raise missing
    case = scope.find(session, actor, found.case_id)
    if actor.is_applicant and not (found.is_public and operations.is_own(actor, case)):
        raise missing
    return found


def _version(session: Session, document: Document, wanted: str | None) -> DocumentVersion:
    """The version asked for, else the one in force."""
    number = int(wanted) if wanted and wanted.isascii() and wanted.isdigit() and len(wanted) < 6 else document.current_version
    statement = select(DocumentVersion).where(DocumentVersion.document_id == document.id, DocumentVersion.version_no == number)
    version = session.exec(statement).first()
    if version is None:
        raise NotFound(f"《{document.label}》没有第 {number} 版。请从文书目录进入。")
    return version


def file_response(session: Session, stored: StoredFile | None, name: str, *, is_shown: bool = False) -> Response:
    """A stored file under its own name, checked against its digest on the way; saved unless it is safe to show."""
    if stored is None:
        raise NotFound("没有找到这个文件的登记。请联系系统管理员。")
    how = "inline" if is_shown and stored.media_type in SAFE_TO_SHOW else "attachment"
    headers = {
        "Content-Disposition": disposition(how, name),
        "Content-Length": str(stored.size_bytes),
        "Content-Encoding": "identity",  # bytes go out as they are kept: no second compression of PDF and images
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    if how == "attachment":
        headers["Content-Security-Policy"] = SANDBOX
    return StreamingResponse(office_of(session).files.read(stored.digest), media_type=stored.media_type, headers=headers)


def disposition(how: str, name: str) -> str:
    """Content-Disposition after RFC 6266: the name in UTF-8, and a plain one for programs that know no better."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%;' else "_" for c in name)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
