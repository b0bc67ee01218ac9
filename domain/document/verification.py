"""What anybody may learn about a document by its code or its bytes; never who it is about.

Shown are title, number, issuer, date, state, digest, and the rows that the definition names under
`verification`. A file that is compared is hashed while it arrives and is not kept.
"""

import enum
import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, select

from domain.document.issue import CODE_ALPHABET, CODE_LENGTH
from domain.document.tables import Document, DocumentVersion
from domain.errors import InvalidData, NotFound
from domain.format import file_size

LARGEST_COMPARED_BYTES = 100 * 1024 * 1024


class VersionState(enum.StrEnum):
    """What became of the version that was looked up."""

    VALID = "valid"
    VOID = "void"
    SUPERSEDED = "superseded"


STATE_WORDS: Mapping[VersionState, str] = {
    VersionState.VALID: "有效",
    VersionState.VOID: "已作废",
    VersionState.SUPERSEDED: "已被新版本替代",
}


class FileVerdict(enum.StrEnum):
    """How a file compares with what was registered."""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was issued, when, and whether it still holds."""

    code: str
    state: VersionState
    words: str
    title: str
    number: str | None
    issuer: str
    issued_on: date
    issued_at: datetime
    version_no: int
    digest: str
    size_bytes: int
    facts: Mapping[str, str]
    ended_at: datetime | None
    """When it was made void or replaced; None while it holds."""
    is_sealed: bool = False


@dataclass(frozen=True, slots=True)
class FileComparison:
    """The digest of the file that was sent, the verdict, and what is registered, if anything is."""

    verdict: FileVerdict
    digest: str
    size_bytes: int
    registered: Verification | None


def cleaned_code(typed: str) -> str:
    """The code as registered, from what a person typed: case, width, blanks and hyphens do not matter.

    Raises InvalidData if it cannot be a code.
    """
    code = "".join(c for c in unicodedata.normalize("NFKC", typed).upper() if c not in " -‐‑–—_")
    if len(code) != CODE_LENGTH or any(c not in CODE_ALPHABET for c in code):
        raise InvalidData(
            f"核验码是 {CODE_LENGTH} 位数字和字母，不含 0、1、I、L、O、U。请对照文书二维码旁的核验码重新填写。",
            {"code": f"核验码应为 {CODE_LENGTH} 位数字和字母。"},
        )
    return code


def look_up(session: Session, typed: str) -> Verification:
    """What is registered under a code. Raises InvalidData for no code at all, NotFound for an unknown one."""
    code = cleaned_code(typed)
    found = session.exec(
        select(DocumentVersion, Document).join(Document).where(DocumentVersion.code == code)
    ).first()
    if found is None:
        raise NotFound("这个核验码没有登记。请核对核验码，或者上传文书的 PDF 文件再试。")
    return _verification(session, *found)


def compare(session: Session, chunks: Iterable[bytes], typed: str | None = None) -> FileComparison:
    """Whether a file is, byte for byte, one that was issued; with a code, whether it is the one of that code.

    With a code a different file is CHANGED; without one, a file that fits nothing is UNKNOWN, because an
    altered copy and a strange file cannot be told apart.
    """
    registered = look_up(session, typed) if typed else None
    digest, size = _digest_of(chunks)
    if registered is not None and registered.digest == digest:
        return FileComparison(FileVerdict.SAME, digest, size, registered)
    statement = select(DocumentVersion, Document).join(Document).where(DocumentVersion.digest == digest)
    found = session.exec(statement.order_by(DocumentVersion.id.desc())).first()
    if found is not None:
        return FileComparison(FileVerdict.SAME, digest, size, _verification(session, *found))
    verdict = FileVerdict.CHANGED if registered else FileVerdict.UNKNOWN
    return FileComparison(verdict, digest, size, registered)


def _digest_of(chunks: Iterable[bytes]) -> tuple[str, int]:
    hasher, size = hashlib.new("sm3"), 0
    for chunk in chunks:
        size += len(chunk)
        if size > LARGEST_COMPARED_BYTES:
            limit = file_size(LARGEST_COMPARED_BYTES)
            raise InvalidData(f"文件超过 {limit}，不会是本系统签发的文书。请选择文书的 PDF 文件。")
        hasher.update(chunk)
    if size == 0:
        raise InvalidData("文件是空的，无法核对。请选择文书的 PDF 文件。")
    return hasher.hexdigest(), size


def _verification(session: Session, version: DocumentVersion, document: Document) -> Verification:
    state, ended_at = _state(session, version, document)
    return Verification(
        code=version.code,
        state=state,
        words=STATE_WORDS[state],
        title=version.content["title"],
        number=document.number,
        issuer=version.content["issuer"],
        issued_on=version.issued_on,
        issued_at=version.issued_at,
        version_no=version.version_no,
        digest=version.digest,
        size_bytes=version.size_bytes,
        facts=dict(version.content["facts"]),
        ended_at=ended_at,
    )


def _state(session: Session, version: DocumentVersion, document: Document) -> tuple[VersionState, datetime | None]:
    """Void counts before replaced: a void document has no version that holds."""
    if document.status == "void":
        return VersionState.VOID, document.void_at
    if version.version_no == document.current_version:
        return VersionState.VALID, None
    following = select(DocumentVersion.issued_at).where(
        DocumentVersion.document_id == document.id, DocumentVersion.version_no == version.version_no + 1
    )
    return VersionState.SUPERSEDED, session.exec(following).one()
