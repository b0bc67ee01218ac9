"""Issuing, regenerating and voiding documents. What was issued is locked; a change makes a new version.

Rendering takes tenths of a second, which a writer should not spend while it holds the database: prepare()
renders beforehand with the number that is likely to come, and issue() renders again only if it came differently.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, select

from domain import failpoint
from domain.case.tables import Case
from domain.command import Work, anyone_signed_in, command
from domain.document.content import DocumentContent
from domain.document.definition import DocumentDefinition
from domain.document.register import current_version, is_current
from domain.document.rendering import final_imprint, preview_imprint, render_pdf
from domain.document.tables import Document, DocumentVersion
from domain.errors import InvalidData, NotFound, Refused
from domain.file_store import ReceivedFile
from domain.file_store import register as register_file
from domain.format import local
from domain.numbering import NumberPattern, peek_number, take_number, void_number
from domain.office import office_of
from domain.portal_clock import now

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0, 1, I, L, O, U: nothing that is misread or misheard."""
CODE_LENGTH = 12

MAY_REGENERATE = ("printer", "reviewer", "section_chief", "approver", "district_handler", "district_transferor",
                  "district_chief", "district_leader", "city_handler", "city_leader", "bureau_leader")
MAY_VOID = ("section_chief", "approver", "district_chief", "district_leader", "city_leader", "bureau_leader")


@dataclass(frozen=True, slots=True)
class IssueOrder:
    """All that decides what a document says and which number it gets."""

    key: str
    label: str
    content: DocumentContent
    case_id: int | None = None
    is_public: bool = False
    series: str = ""
    pattern: NumberPattern | None = None
    number_values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RenderedDocument:
    """Bytes that are in the file store already, and what is printed on them."""

    number: str
    code: str
    issued_on: date
    content_digest: str
    file: ReceivedFile


def order_of(
    definition: DocumentDefinition,
    values: Mapping[str, Any],
    *,
    case_id: int | None = None,
    number_values: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> IssueOrder:
    """The order for a document that a case type defines; raises MissingData naming the empty fields."""
    return IssueOrder(
        key=definition.key,
        label=definition.label,
        content=definition.compose(values, labels),
        case_id=case_id,
        is_public=definition.public,
        series=definition.series,
        pattern=definition.number,
        number_values=dict(number_values or {}),
    )


def preview(session: Session, order: IssueOrder) -> bytes:
    """The PDF as it will be issued, but for number, date and mark. Takes no number and keeps nothing."""
    on = local(now(session)).date()
    number = order.pattern.preview(on, order.number_values) if order.pattern else ""
    return render_pdf(order.content, preview_imprint(number))


def prepare(session: Session, order: IssueOrder) -> RenderedDocument:
    """Render before the transaction, with the number that would come next. Nothing is issued by this."""
    at = now(session)
    number = ""
    if order.pattern is not None:
        number = peek_number(session, order.series, order.pattern, local(at).date(), order.number_values)
    return _rendered(session, order.content, number, at)


def issue(work: Work, order: IssueOrder, prepared: RenderedDocument | None = None) -> Document:
    """Give the document its number and lock its bytes, in the transaction of the act that causes it."""
    document = Document(case_id=order.case_id, key=order.key, label=order.label, is_public=order.is_public,
                        created_at=work.at)
    work.session.add(document)
    work.session.flush()
    number = _take(work, order, document)
    document.number = number or None
    made = prepared if _still_fits(prepared, order, number, work.at) else None
    made = made or _rendered(work.session, order.content, number, work.at)
    _add_version(work, document, order.content, made, reason="")
    work.record(f"document:{document.id}", key=order.key, number=number, digest=made.file.digest)
    return document


def regenerate(work: Work, document_id: int, content: DocumentContent, reason: str) -> DocumentVersion:
    """Make a new version under the same number; the old bytes stay and are shown as replaced.

    Raises Refused if the document is void or its data has not changed, InvalidData without a reason.
    """
    document = _locked(work.session, document_id)
    _must_have_reason(reason, "重新生成")
    if document.status != "issued":
        raise Refused(f"《{document.label}》已经作废，不能重新生成。需要的，请另行制发一份。")
    if is_current(work.session, document, content):
        raise Refused(f"《{document.label}》的数据没有变化，不需要重新生成。")
    replaced = current_version(work.session, document).digest
    made = _rendered(work.session, content, document.number or "", work.at)
    document.current_version += 1
    version = _add_version(work, document, content, made, reason.strip())
    detail = {"version": version.version_no, "digest": version.digest, "replaced": replaced}
    work.record(f"document:{document.id}", **detail, reason=reason.strip())
    return version


def void(work: Work, document_id: int, reason: str) -> Document:
    """Take the document out of force; it stays readable, its number is never given again."""
    document = _locked(work.session, document_id)
    _must_have_reason(reason, "作废")
    if document.status == "void":
        raise Refused(f"《{document.label}》已经作废，不需要再次作废。")
    document.status, document.void_at, document.void_reason = "void", work.at, reason.strip()
    document.void_by = work.actor.person_id
    if document.number:
        void_number(work.session, document.number, reason=reason.strip(), at=work.at)
    work.session.add(document)
    work.record(f"document:{document.id}", number=document.number, reason=reason.strip())
    return document


@command("document.regenerate", allow=anyone_signed_in)
def regenerate_document(work: Work, document_id: int, content: DocumentContent, reason: str) -> DocumentVersion:
    """Regenerate as an act of its own; the caller composes `content` from the case as it is now."""
    _must_be_in_charge(work, document_id, MAY_REGENERATE)
    return regenerate(work, document_id, content, reason)


@command("document.void", allow=anyone_signed_in)
def void_document(work: Work, document_id: int, reason: str) -> Document:
    """Void as an act of its own."""
    _must_be_in_charge(work, document_id, MAY_VOID)
    return void(work, document_id, reason)


def new_code() -> str:
    """A verification code nobody can guess: 12 characters, 58 bits."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def verify_url(session: Session, code: str) -> str:
    """The address in the QR code: the public verification page of this code."""
    return f"{office_of(session).public_url.rstrip('/')}/verify/{code}"


def _take(work: Work, order: IssueOrder, document: Document) -> str:
    if order.pattern is None:
        return ""
    return take_number(work.session, order.series, order.pattern, local(work.at).date(), order.number_values,
                       subject=f"document:{document.id}", at=work.at)


def _still_fits(prepared: RenderedDocument | None, order: IssueOrder, number: str, at: datetime) -> bool:
    """Whether what was rendered beforehand says exactly what is issued now."""
    wanted = (number, local(at).date(), order.content.digest())
    return prepared is not None and wanted == (prepared.number, prepared.issued_on, prepared.content_digest)


def _rendered(session: Session, content: DocumentContent, number: str, at: datetime) -> RenderedDocument:
    code, on = new_code(), local(at).date()
    pdf = render_pdf(content, final_imprint(number, on, code, verify_url(session, code), at))
    file = office_of(session).files.put_bytes(pdf, "document.pdf", allowed=("pdf",))
    return RenderedDocument(number, code, on, content.digest(), file)


def _add_version(
    work: Work, document: Document, content: DocumentContent, made: RenderedDocument, reason: str
) -> DocumentVersion:
    failpoint.reach("document:before_version")
    version = DocumentVersion(
        document_id=document.id,
        version_no=document.current_version,
        code=made.code,
        digest=register_file(work.session, made.file, work.at),
        size_bytes=made.file.size_bytes,
        content_digest=made.content_digest,
        content=content.to_json(),
        issued_on=made.issued_on,
        issued_at=work.at,
        issued_by=work.actor.person_id,
        reason=reason,
    )
    work.session.add(document)
    work.session.add(version)
    work.session.flush()
    return version


def _locked(session: Session, document_id: int) -> Document:
    """The document, held until the transaction ends, so that two people cannot make the same version."""
    statement = select(Document).where(Document.id == document_id).with_for_update()
    document = session.exec(statement.execution_options(populate_existing=True)).first()
    if document is None:
        raise NotFound("没有找到这份文书。它可能不在你的办理范围内，请从办件页面重新打开。")
    return document


def _must_be_in_charge(work: Work, document_id: int, roles: tuple[str, ...]) -> None:
    """One of the roles, in the district of the document's case; outside it the document does not exist."""
    document = _locked(work.session, document_id)
    case = work.session.get(Case, document.case_id) if document.case_id else None
    district = case.district_code if case else None
    if not work.actor.is_system and (visible := work.actor.districts()) is not None and district not in visible:
        raise NotFound("没有找到这份文书。它可能不在你的办理范围内，请从办件页面重新打开。")
    work.actor.must_have(*roles, district_code=district)


def _must_have_reason(reason: str, act: str) -> None:
    if not reason.strip():
        raise InvalidData(f"{act}文书要写明原因。请填写后再提交。", {"reason": f"请填写{act}的原因。"})
