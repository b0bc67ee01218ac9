"""The history 经过 of a case: one line per act, with how long the task was in hand."""

from typing import Any

from domain.case.tables import Case, CaseEvent, Task
from domain.command import Work


def note(
    work: Work,
    case: Case,
    operation: str,
    label: str,
    *,
    task: Task | None = None,
    to_step: str | None = None,
    opinion: str = "",
    is_public: bool = False,
    **detail: Any,
) -> CaseEvent:
    """Write a line of history and its audit entry, and count the case's version up."""
    event = CaseEvent(
        case_id=case.id,
        task_id=task.id if task else None,
        at=work.at,
        person_id=work.actor.person_id,
        person_name=work.actor.name,
        on_behalf_of=_absent_colleague(work, task),
        operation=operation,
        label=label,
        step=task.step if task else None,
        to_step=to_step,
        opinion=opinion,
        duration_s=_duration_s(work, task),
        detail=detail,
        is_public=is_public,
    )
    case.version += 1
    case.changed_at = work.at
    work.session.add_all([event, case])
    work.record(f"case:{case.id}", operation=operation, step=event.step, to_step=to_step, number=case.number)
    return event


def _duration_s(work: Work, task: Task | None) -> int | None:
    if task is None:
        return None
    return int((work.at - (task.claimed_at or task.created_at)).total_seconds())


def _absent_colleague(work: Work, task: Task | None) -> str | None:
    """Name of the colleague for whom this was done, if the actor acted under a delegation."""
    from domain.person import Person

    if task is None or task.assignee_id is None or task.assignee_id == work.actor.person_id:
        return None
    if task.assignee_id not in work.actor.stands_for:
        return None
    absent = work.session.get(Person, task.assignee_id)
    work.on_behalf_of = task.assignee_id
    return absent.name if absent else None
