"""What of a case may be changed at a step, and in a correction."""

from sqlmodel import Session, col, select

from domain.case.tables import Case, CaseCorrection, Task
from rules.case_type import CaseType


def open_correction(session: Session, case: Case) -> CaseCorrection | None:
    """The request for correction that is not answered yet."""
    statement = select(CaseCorrection).where(
        CaseCorrection.case_id == case.id, col(CaseCorrection.answered_at).is_(None)
    )
    return session.exec(statement).first()


def editable_sections(definition: CaseType, task: Task) -> frozenset[str]:
    """Keys of the form sections that the holder of the task may change."""
    return definition.editable_sections(task.step)


def locked_to(session: Session, case: Case, task: Task) -> frozenset[str] | None:
    """In a correction: the keys of fields and materials that alone may change; None where nothing is locked."""
    if task.kind != "correction":
        return None
    correction = open_correction(session, case)
    items = correction.items if correction else []
    return frozenset(item.get("field") or item.get("material") or "" for item in items)
