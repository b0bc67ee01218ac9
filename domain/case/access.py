"""Who may do what with a case or a task; the row itself is found through scope."""

from sqlalchemy import ColumnElement, and_
from sqlmodel import Session, col, select

from domain.actor import Actor
from domain.case import access_rules, scope
from domain.case.definition import case_type_of
from domain.case.tables import Case, Task
from domain.command import Work
from domain.errors import Conflict, NotAllowed, NotFound
from rules.case_type import CaseType, StepDefinition


def find_task(session: Session, actor: Actor, task_id: int) -> tuple[Task, Case]:
    """A task and its case, as far as the actor may know of them."""
    task = session.get(Task, task_id)
    if task is None:
        raise NotFound("没有这项任务。它可能已被撤销，请从待办列表重新进入。")
    case = scope.find(session, actor, task.case_id)
    if scope.is_writing(session):
        # Read again under the lock of the case: somebody may have done the task while we waited for it.
        session.refresh(task)
    return task, case


def claimable(actor: Actor) -> list[ColumnElement[bool]]:
    """The conditions on Task for what this actor may take from the pool, any of which suffices.

    They are apart because each has an index of its own; joined by OR the database would walk every free task.
    """
    if not actor.hands:
        return []
    pools = {(grant.role, grant.district_code) for grant in actor.grants}
    parts = [and_(col(Task.reserved_for).is_(None), _pool_of(*pool)) for pool in sorted(pools, key=str)]
    parts.append(col(Task.reserved_for).in_(actor.hands))
    if actor.is_applicant and actor.organisation_id is not None:
        parts.append(and_(col(Task.role) == "applicant", col(Task.organisation_id) == actor.organisation_id))
    return [and_(col(Task.status) == "ready", part) for part in parts]


def _pool_of(role: str, district_code: str | None) -> ColumnElement[bool]:
    if district_code is None:
        return col(Task.role) == role
    return and_(col(Task.role) == role, col(Task.district_code) == district_code)


def may_claim(actor: Actor, task: Task) -> bool:
    """True if the actor may take this task from the pool."""
    if task.reserved_for is not None:
        if task.reserved_for in actor.hands:
            return True
        return actor.is_applicant and task.role == "applicant" and task.organisation_id == actor.organisation_id is not None
    return any(grant.role == task.role and grant.covers(task.district_code) for grant in actor.grants)


def holds(actor: Actor, task: Task) -> bool:
    """True if the task is in this actor's hands, or in those of a colleague it stands in for."""
    return task.status == "held" and task.assignee_id in actor.hands


def must_hold(work: Work, task_id: int, task_version: int | None = None) -> tuple[Task, Case]:
    """The task if it is in the actor's hands and unchanged since the page was made; it is claimed on the way if free."""
    task, case = find_task(work.session, work.actor, task_id)
    if task.status in ("done", "returned", "cancelled"):
        raise Conflict(_already_done(work.session, task))
    if task_version is not None and task.version != task_version:
        raise Conflict("这项任务在你打开页面之后有了变化，本次操作没有生效。请刷新页面，核对后再办。")
    if task.status == "ready" and may_claim(work.actor, task):
        take(work, task)
    if not holds(work.actor, task):
        raise NotAllowed("这一环节不在你手上，不能办理。需要接手的，请经办人转办，或在其外出时设置代理。")
    return task, case


def _already_done(session: Session, task: Task) -> str:
    from domain.person import Person

    who = session.get(Person, task.done_by) if task.done_by else None
    name = who.name if who else "系统"
    return f"这一环节已由{name}办理完毕，本次操作没有生效。请刷新页面，查看办件现在的环节。"


def take(work: Work, task: Task) -> None:
    """Put a free task into the actor's hands."""
    grant = work.actor.grant_for(task.role, task.district_code)
    delegated = grant.delegated_by if grant is not None and task.reserved_for is None else None
    own = task.reserved_for if task.reserved_for in work.actor.stands_for else None
    task.assignee_id = own or delegated or work.actor.person_id
    task.status, task.claimed_at, task.version = "held", work.at, task.version + 1
    work.session.add(task)


def step_of(session: Session, case: Case, task: Task) -> StepDefinition:
    """The definition of the step a task stands for."""
    return case_type_of(session, case).workflow.step(task.step)


def held_task(session: Session, actor: Actor, case: Case) -> Task | None:
    """The task of this case that is in the actor's hands, if there is one."""
    statement = select(Task).where(
        Task.case_id == case.id, Task.status == "held", col(Task.assignee_id).in_(actor.hands)
    )
    return session.exec(statement.order_by(col(Task.id)).limit(1)).first()


def task_in_hand(session: Session, actor: Actor, case: Case) -> Task | None:
    """The task of this case that the actor may work at now: one that is held, else one that is free for the actor."""
    held = held_task(session, actor, case)
    if held is not None:
        return held
    free = select(Task).where(Task.case_id == case.id, Task.status == "ready").order_by(col(Task.id))
    return next((task for task in session.exec(free).all() if may_claim(actor, task)), None)


def material_fault(
    definition: CaseType, case: Case, task: Task | None, locked: frozenset[str] | None, slot: str
) -> str | None:
    """Why the files of a material slot may not be changed in this task; None if they may.

    `locked` is what access_rules.locked_to says of the task.
    """
    if task is None or case.status in ("suspended", "closed"):
        return "现在不能改动这项材料：办件不在你手上，或已停表、已结束。"
    if locked is not None:
        return None if slot in locked else _NOT_ASKED
    collected = definition.material(slot).collected_in or (definition.workflow.start,)
    return None if task.step in collected else "这项材料不在本环节收取，不能在这里改动。"


_NOT_ASKED = "本次补正只开放补正通知列出的材料，这一项没有列入，不能改动。需要改的，请联系经办人重新告知。"


def may_edit(work: Work, case: Case, slot: str) -> Task:
    """The task by which the actor may change the files of a material slot now; raises NotAllowed otherwise.

    A returned filing lies free for its applicant: the first change takes it up, as saving the form does.
    """
    task = task_in_hand(work.session, work.actor, case)
    locked = access_rules.locked_to(work.session, case, task) if task else None
    if fault := material_fault(case_type_of(work.session, case), case, task, locked, slot):
        raise NotAllowed(fault)
    if task.status == "ready":
        take(work, task)
    return task
