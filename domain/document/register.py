"""The register of issued documents: what a case has, which version holds, whether it still says what is true."""

from collections.abc import Iterator

from sqlmodel import Session, select

from domain.document.content import DocumentContent
from domain.document.tables import Document, DocumentVersion
from domain.errors import Refused
from domain.office import office_of


def documents_of_case(session: Session, case_id: int, *, public_only: bool = False) -> list[tuple[Document, DocumentVersion]]:
    """The documents of a case with the version in force, oldest first, in one query.

    `public_only` leaves those that the applicant may download.
    """
    statement = (
        select(Document, DocumentVersion)
        .join(DocumentVersion, DocumentVersion.document_id == Document.id)
        .where(Document.case_id == case_id, DocumentVersion.version_no == Document.current_version)
        .order_by(Document.id)
    )
    if public_only:
        statement = statement.where(Document.is_public)
    return [(document, version) for document, version in session.exec(statement)]


def versions_of(session: Session, document_id: int) -> list[DocumentVersion]:
    """Every version that was issued, newest first."""
    statement = select(DocumentVersion).where(DocumentVersion.document_id == document_id)
    return list(session.exec(statement.order_by(DocumentVersion.version_no.desc())))


def pdf_of(session: Session, version: DocumentVersion) -> Iterator[bytes]:
    """The locked bytes in chunks, checked against their digest (see FileStore.read)."""
    return office_of(session).files.read(version.digest)


def current_version(session: Session, document: Document) -> DocumentVersion:
    """The version in force (or last in force, if the document is void)."""
    return session.exec(
        select(DocumentVersion).where(
            DocumentVersion.document_id == document.id, DocumentVersion.version_no == document.current_version
        )
    ).one()


def is_current(session: Session, document: Document, content: DocumentContent) -> bool:
    """True if the document still says what the case says now."""
    return current_version(session, document).content_digest == content.digest()


def require_current(session: Session, document: Document, content: DocumentContent) -> None:
    """Refuse to go on with a document whose data has changed since it was made."""
    if not is_current(session, document, content):
        raise Refused(f"《{document.label}》生成之后，办件的数据改过，文书与现在的数据不一致。请重新生成后再继续。")
