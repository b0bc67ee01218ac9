"""The case as decided 快照: form, flow, papers, decisions and rule editions in one frozen document."""

import json
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, or_, select

from domain import file_store
from domain.case import filled_form
from domain.case.definition import case_type_of
from domain.case.tables import Case, CaseEvent, CaseLink, CaseSnapshot, CaseVersion, Material, StoredDecision
from domain.clock import with_ledgers
from domain.command import Work
from domain.document.tables import Document, DocumentVersion
from domain.office import office_of

FORMAT = "guitu-case-snapshot-2"
"""1 kept the form as text that only a programmer could read, and neither clocks nor links."""


def freeze(work: Work, case: Case) -> CaseSnapshot:
    """Write the snapshot into the file store and remember its digest; a case has exactly one."""
    work.session.flush()
    text = json.dumps(content(work, case), ensure_ascii=False, sort_keys=True, indent=1, default=_plain)
    received = office_of(work.session).files.put_bytes(text.encode(), "snapshot.json")
    digest = file_store.register(work.session, received, work.at)
    snapshot = CaseSnapshot(case_id=case.id, at=work.at, digest=digest)
    work.session.add(snapshot)
    work.record(f"case:{case.id}", snapshot=digest)
    return snapshot


def content(work: Work, case: Case) -> dict[str, object]:
    """Everything the snapshot holds, as plain JSON values."""
    definition = case_type_of(work.session, case)
    return {
        "format": FORMAT,
        "case_type": {"key": definition.key, "title": definition.title, "edition": case.edition},
        "case": case.model_dump(mode="json"),
        "form": [asdict(section) for section in filled_form.bind(work.session, case, None).print_rows()],
        "history": _rows(work, CaseEvent, case),
        "versions": _rows(work, CaseVersion, case),
        "materials": _rows(work, Material, case),
        "decisions": _rows(work, StoredDecision, case),
        "documents": _rows(work, Document, case),
        "document_versions": _document_versions(work, case),
        "clocks": _clocks(work, case),
        "links": _links(work, case),
    }


def of_case(session: Session, case_id: int) -> CaseSnapshot | None:
    """The snapshot of a case; None while it runs."""
    return session.exec(select(CaseSnapshot).where(CaseSnapshot.case_id == case_id)).first()


def read(session: Session, snapshot: CaseSnapshot) -> dict[str, Any]:
    """What was frozen, checked against its digest. Raises FileDamaged or NotFound if the file is not what it was."""
    return json.loads(office_of(session).files.read_bytes(snapshot.digest))


def _plain(value: object) -> str:
    """Text for what JSON has no form of; anything unforeseen is a fault of ours, not a text nobody can read."""
    if isinstance(value, Decimal | date):
        return str(value)
    raise TypeError(f"a snapshot cannot hold {type(value).__name__}")


def _clocks(work: Work, case: Case) -> list[dict[str, object]]:
    clocks, ledgers = with_ledgers(work.session, case.id)
    return [clock.model_dump(mode="json") | {"entries": [entry.model_dump(mode="json") for entry in ledgers[clock.id]]} for clock in clocks]


def _links(work: Work, case: Case) -> list[dict[str, object]]:
    either = or_(CaseLink.from_id == case.id, CaseLink.to_id == case.id)
    return [row.model_dump(mode="json") for row in work.session.exec(select(CaseLink).where(either).order_by(col(CaseLink.id))).all()]


def _rows(work: Work, table: type, case: Case) -> list[dict[str, object]]:
    rows = work.session.exec(select(table).where(table.case_id == case.id).order_by(col(table.id))).all()
    return [row.model_dump(mode="json") for row in rows]


def _document_versions(work: Work, case: Case) -> list[dict[str, object]]:
    statement = (
        select(DocumentVersion)
        .join(Document, col(Document.id) == DocumentVersion.document_id)
        .where(Document.case_id == case.id)
        .order_by(col(DocumentVersion.id))
    )
    return [row.model_dump(mode="json") for row in work.session.exec(statement).all()]
