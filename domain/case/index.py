"""The read model of a case: typed searchable values and full text, rewritten with every change."""

from sqlalchemy import delete
from sqlmodel import Session, col, select

from domain.case import filled_form, search
from domain.case.tables import Case, CaseEvent, CaseIndex, Material
from domain.document.tables import Document
from domain.form import Form
from domain.person import Organisation, Person


def rewrite(session: Session, case: Case) -> None:
    """Write index and full text of a case anew; drafts are not searched by others and have no text."""
    session.flush()
    form = filled_form.bind(session, case, None)
    session.execute(delete(CaseIndex).where(col(CaseIndex.case_id) == case.id))
    session.add_all(
        CaseIndex(case_id=case.id, field=entry.field, text_value=entry.text_value,
                  number_value=entry.number_value, date_value=entry.date_value)
        for entry in form.index_entries()
    )
    search.write(session, case.id, words_of(session, case, form))


def words_of(session: Session, case: Case, form: Form) -> str:
    """What full-text search finds a case by: numbers, title, applicant, and the searchable texts of its form.

    A case that has ended is found by its papers and files, too: numbers, names, and opinions that the applicant was told.
    """
    organisation = session.get(Organisation, case.organisation_id) if case.organisation_id else None
    applicant = session.get(Person, case.applicant_id) if case.applicant_id else None
    parts = [case.number or "", case.draft_number, case.title]
    parts += [organisation.name if organisation else "", applicant.name if applicant else ""]
    parts += [entry.text_value for entry in form.index_entries() if entry.text_value]
    if case.status == "closed":
        parts += _frozen_words(session, case.id)
    return " ".join(parts)


def _frozen_words(session: Session, case_id: int) -> list[str]:
    papers = session.exec(select(Document.label, Document.number).where(Document.case_id == case_id)).all()
    is_kept = (col(Material.replaced_by).is_(None), col(Material.removed_at).is_(None))
    files = session.exec(select(Material.name).where(Material.case_id == case_id, *is_kept)).all()
    told = select(CaseEvent.opinion).where(CaseEvent.case_id == case_id, CaseEvent.opinion != "", col(CaseEvent.is_public))
    return [*(word for paper in papers for word in paper if word), *files, *session.exec(told).all()]


def remove(session: Session, case: Case) -> None:
    """Take a discarded draft out of index and full text."""
    session.execute(delete(CaseIndex).where(col(CaseIndex.case_id) == case.id))
    search.remove(session, case.id)
