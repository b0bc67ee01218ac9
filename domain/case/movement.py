"""Moving a case through its workflow: tasks open and close, branches fork and join, the case ends.

Building blocks for actions and operations; none of them is a command.
"""

from collections.abc import Callable, Iterable

from sqlmodel import Session, col, select

from domain.case import clocks, ending, index, snapshot
from domain.case.definition import case_type_of
from domain.case.tables import Case, Task
from domain.command import Work
from domain.errors import Conflict
from rules.case_type import CaseType, StepDefinition

OPEN = ("ready", "held", "waiting")
"""States of a task that is still to be done."""


_followers: list[Callable[[Work, Case], None]] = []


def on_move(follow: Callable[[Work, Case], None]) -> Callable[[Work, Case], None]:
    """Register what looks at a case whenever its tasks have changed hands, opened or ended."""
    _followers.append(follow)
    return follow


def open_tasks(session: Session, case_id: int) -> list[Task]:
    """The tasks of a case that are still to be done, oldest first."""
    statement = select(Task).where(Task.case_id == case_id, col(Task.status).in_(OPEN)).order_by(col(Task.id))
    return list(session.exec(statement).all())


def enter(work: Work, case: Case, step_key: str, *, came_from: Task | None = None, branch: str = "") -> Task | None:
    """Bring the case into a step; None while a joining step still waits for other branches."""
    definition = case_type_of(work.session, case)
    step = definition.workflow.step(step_key)
    if step.is_join and _branches_in_hand(work.session, case, came_from):
        show_where(work, case)
        return None
    task = _new_task(work, case, step, came_from, "" if step.is_join else branch)
    if step.clock:
        clocks.start_for_step(work, case, task, step)
    show_where(work, case)
    return task


def fork(work: Work, case: Case, step_keys: Iterable[str], came_from: Task) -> list[Task]:
    """Open several steps at once; each is its own branch until a step joins them."""
    tasks = [enter(work, case, key, came_from=came_from, branch=key) for key in step_keys]
    return [task for task in tasks if task is not None]


def _branches_in_hand(session: Session, case: Case, came_from: Task | None) -> bool:
    here = came_from.id if came_from else None
    return any(task.branch and task.id != here for task in open_tasks(session, case.id))


def _new_task(work: Work, case: Case, step: StepDefinition, came_from: Task | None, branch: str) -> Task:
    before = _last_holder(work.session, case, step.key)
    task = Task(
        case_id=case.id,
        step=step.key,
        role=step.role,
        district_code=case.district_code if step.scope in ("district", "town") else None,
        organisation_id=case.organisation_id if step.scope in ("applicant", "organisation") else None,
        reserved_for=_reserved_for(case, step),
        came_from=came_from.id if came_from else None,
        branch=branch,
        created_at=work.at,
    )
    if before is not None and task.reserved_for is None:
        task.assignee_id, task.status, task.claimed_at = before, "held", work.at
    work.session.add(task)
    work.session.flush()
    return task


def _reserved_for(case: Case, step: StepDefinition) -> int | None:
    """An applicant's step belongs to the applicant; another step to whoever takes it."""
    return case.applicant_id or case.created_by if step.scope == "applicant" else None


def _last_holder(session: Session, case: Case, step_key: str) -> int | None:
    """Who did this step before: a returned case goes back into the same hands."""
    statement = (
        select(Task.done_by)
        .where(Task.case_id == case.id, Task.step == step_key, Task.kind == "step")
        .where(col(Task.status).in_(("done", "returned")))
        .order_by(col(Task.id).desc())
        .limit(1)
    )
    return session.exec(statement).first()


def finish(work: Work, task: Task, action: str, opinion: str = "", status: str = "done") -> None:
    """Close a task; somebody else may have been faster."""
    if task.status not in OPEN:
        raise Conflict("这一环节已由他人办理，你看到的页面不是最新的。请刷新后再看办件现在的环节。")
    task.status, task.action, task.opinion = status, action, opinion
    task.done_at, task.done_by = work.at, work.actor.person_id
    task.version += 1
    work.session.add(task)
    clocks.finish_for_task(work, task)


def cancel_others(work: Work, case: Case, keep: Task | None = None, reason: str = "cancelled") -> None:
    """Close every other open task of the case without an opinion: the case goes another way."""
    for task in open_tasks(work.session, case.id):
        if keep is None or task.id != keep.id:
            finish(work, task, reason, status="cancelled")


def close(work: Work, case: Case, outcome: str) -> None:
    """End the case: no task stays open, clocks finish, the snapshot is frozen."""
    cancel_others(work, case)
    case.status, case.outcome, case.closed_at = "closed", outcome, work.at
    clocks.finish_all(work, case)
    ending.release(work, case, outcome)
    show_where(work, case)
    index.rewrite(work.session, case)
    snapshot.freeze(work, case)


def show_where(work: Work, case: Case) -> None:
    """Write the steps now in hand onto the case, for lists; then whoever follows the case looks at it."""
    work.session.flush()
    case.steps = ",".join(dict.fromkeys(t.step for t in open_tasks(work.session, case.id) if t.kind == "step"))
    work.session.add(case)
    for follow in _followers:
        follow(work, case)


def previous_step(session: Session, task: Task) -> Task | None:
    """The task from which this one came, skipping countersigns."""
    came_from = session.get(Task, task.came_from) if task.came_from else None
    while came_from is not None and came_from.kind != "step":
        came_from = session.get(Task, came_from.parent_id) if came_from.parent_id else None
    return came_from


def steps_passed(session: Session, case: Case, definition: CaseType) -> list[StepDefinition]:
    """The steps the case has been through, in order of first visit: where it may be returned to."""
    statement = (
        select(Task.step).where(Task.case_id == case.id, Task.kind == "step", Task.status == "done").order_by(col(Task.id))
    )
    return [definition.workflow.step(key) for key in dict.fromkeys(session.exec(statement).all())]
