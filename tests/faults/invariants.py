"""What must hold after any fault: nothing half done."""

from sqlalchemy import text
from sqlmodel import Session, col, func, select

from domain import audit
from domain.case.tables import Case, CaseSnapshot, Task
from domain.document.tables import Document, DocumentVersion
from domain.numbering import GivenNumber, NumberCounter
from domain.office import office_of

OPEN = ("ready", "held", "waiting")


def broken(session: Session) -> list[str]:
    """Every invariant that does not hold, in words; empty when all is well."""
    return [*_audit(session), *_cases(session), *_numbers(session), *_documents(session)]


def _audit(session: Session) -> list[str]:
    report = audit.verify(session)
    return [] if report.is_intact else [f"audit chain broken at {report.first_fault}"]


def _cases(session: Session) -> list[str]:
    open_tasks = dict(session.execute(
        select(Task.case_id, func.count()).where(col(Task.status).in_(OPEN)).group_by(col(Task.case_id))
    ).all())
    frozen = set(session.exec(select(CaseSnapshot.case_id)).all())
    found = []
    for case in session.exec(select(Case)).all():
        tasks = open_tasks.get(case.id, 0)
        if (case.status == "closed") == bool(tasks):
            found.append(f"case {case.id} is {case.status} with {tasks} open tasks")
        if case.status == "closed" and case.outcome != "discarded" and case.id not in frozen:
            found.append(f"case {case.id} is closed without a snapshot")
    return found


def _numbers(session: Session) -> list[str]:
    given = dict(session.execute(select(GivenNumber.series, func.count()).group_by(col(GivenNumber.series))).all())
    last = dict(session.execute(
        select(NumberCounter.series, func.sum(NumberCounter.last)).group_by(col(NumberCounter.series))
    ).all())
    return [] if given == last else [f"numbers given {given} differ from counters {last}"]


def _documents(session: Session) -> list[str]:
    versions = session.exec(select(DocumentVersion)).all()
    files = office_of(session).files
    lost = [f"document version {v.id} has no file" for v in versions if not files.has(v.digest)]
    ids = {v.document_id for v in versions}
    return lost + [f"document {d} has no version" for d in session.exec(select(Document.id)).all() if d not in ids]


def picture(session: Session) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, to show that nothing at all has changed."""
    from sqlmodel import SQLModel

    return {
        table.name: sorted(map(tuple, session.execute(text(f"SELECT * FROM {table.name}")).all()), key=repr)
        for table in SQLModel.metadata.sorted_tables
        if table.name not in ("feature", "town")
    }
