"""The case as decided 快照: form, flow, papers, decisions and rule editions in one frozen document."""

import json

from sqlmodel import col, select

from domain import file_store
from domain.case import filled_form
from domain.case.definition import case_type_of
from domain.case.tables import Case, CaseEvent, CaseSnapshot, CaseVersion, Material, StoredDecision
from domain.command import Work
from domain.document.tables import Document, DocumentVersion
from domain.office import office_of

FORMAT = "guitu-case-snapshot-1"


def freeze(work: Work, case: Case) -> CaseSnapshot:
    """Write the snapshot into the file store and remember its digest; a case has exactly one."""
    work.session.flush()
    text = json.dumps(content(work, case), ensure_ascii=False, sort_keys=True, indent=1, default=str)
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
        "form": filled_form.bind(work.session, case, None).print_rows(),
        "history": _rows(work, CaseEvent, case),
        "versions": _rows(work, CaseVersion, case),
        "materials": _rows(work, Material, case),
        "decisions": _rows(work, StoredDecision, case),
        "documents": _rows(work, Document, case),
        "document_versions": _document_versions(work, case),
    }


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
