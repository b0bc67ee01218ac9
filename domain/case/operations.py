"""Operations that every workflow offers without declaring an action: claim, transfer, return, suspend, urge …

Each has who, when, why in the history. What a step allows is its `operations` list.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import Session, col, or_, select

from domain import escalation, notice, portal_clock
from domain.actor import Actor
from domain.case import access, clocks, ending, history, movement
from domain.case.definition import case_type_of
from domain.case.scope import find
from domain.case.tables import Case, CaseEvent, Task
from domain.command import Work, anyone_signed_in, command
from domain.errors import Conflict, InvalidData, NotAllowed
from domain.person import Person, actor_of
from domain.reminder import reminders_of
from rules.case_type import StepDefinition

URGE_PAUSE = timedelta(hours=20)
"""A step is urged at most once a day."""


@command("case.claim", allow=anyone_signed_in)
def claim(work: Work, task_id: int) -> Task:
    """Take a task from the pool 认领; of two people one gets it, and the other is told who."""
    task, case = access.find_task(work.session, work.actor, task_id)
    if access.holds(work.actor, task):
        return task
    if task.status == "held":
        holder = work.session.get(Person, task.assignee_id)
        raise Conflict(f"这件已由{holder.name if holder else '他人'}认领，不能重复认领。可以在待办列表中认领其他办件。")
    if task.status != "ready" or not access.may_claim(work.actor, task):
        raise NotAllowed("这项任务不在你的岗位或辖区范围内，不能认领。")
    access.take(work, task)
    history.note(work, case, "claim", "认领", task=task)
    return task


@command("case.hand_back", allow=anyone_signed_in)
def hand_back(work: Work, task_id: int, task_version: int | None = None) -> Task:
    """Put a claimed task back into the pool 放回."""
    task, case = access.must_hold(work, task_id, task_version)
    if not may_hand_back(case, task):
        raise Conflict("这项任务是指名交给你的，或还是你的草稿，不能放回待认领。需要换人办理的，请用「转办」；草稿可以删除。")
    history.note(work, case, "hand_back", "放回待认领", task=task)
    task.status, task.assignee_id, task.claimed_at, task.version = "ready", None, None, task.version + 1
    return task


def may_hand_back(case: Case, task: Task) -> bool:
    """True for a task that came from the pool: not one given to somebody by name, not a draft."""
    return task.kind == "step" and task.reserved_for is None and case.status != "draft"


@command("case.transfer", allow=anyone_signed_in)
def transfer(work: Work, task_id: int, to_person: int, opinion: str = "", task_version: int | None = None) -> Task:
    """Give the task to a colleague of the same role and scope 转办."""
    task, case = access.must_hold(work, task_id, task_version)
    _must_offer(work.session, case, task, "transfer")
    colleague = fitting_colleague(work.session, task, to_person)
    history.note(work, case, "transfer", "转办", task=task, opinion=opinion, to_person=colleague.name)
    _give(work, task, colleague.person_id)
    notice.notify(work, to_person, "task", f"{work.actor.name}转来一件：{case.title}", opinion, case_id=case.id)
    return task


@command("case.assign", allow=anyone_signed_in)
def assign(work: Work, task_id: int, to_person: int) -> Task:
    """A holder of the role with authority over the pool hands a free task to a colleague 分派."""
    task, case = access.find_task(work.session, work.actor, task_id)
    if task.status != "ready" or not access.may_claim(work.actor, task):
        raise NotAllowed("只能分派本岗位、本辖区内还没有人认领的任务。")
    colleague = fitting_colleague(work.session, task, to_person)
    history.note(work, case, "assign", "分派", task=task, to_person=colleague.name)
    _give(work, task, colleague.person_id)
    notice.notify(work, to_person, "task", f"{work.actor.name}分派一件：{case.title}", case_id=case.id)
    return task


def fitting_colleague(session: Session, task: Task, person_id: int) -> Actor:
    """The colleague as an actor, if he or she could do this task; raises InvalidData otherwise."""
    colleague = actor_of(session, person_id)
    if colleague is None or not any(g.role == task.role and g.covers(task.district_code) for g in colleague.grants):
        message = "所选人员没有这一环节的岗位或不在本辖区，不能办理。请另选一人。"
        raise InvalidData(message, {"to_person": message})
    return colleague


def _give(work: Work, task: Task, person_id: int | None) -> None:
    task.assignee_id, task.status, task.claimed_at = person_id, "held", work.at
    task.version += 1
    work.session.add(task)


@command("case.return", allow=anyone_signed_in)
def send_back(
    work: Work, task_id: int, to_step: str, opinion: str, task_version: int | None = None
) -> Case:
    """Return the case 驳回 to the applicant, the previous step or any step it has passed; the reason is required."""
    task, case = access.must_hold(work, task_id, task_version)
    _must_offer(work.session, case, task, "return")
    _must_be_running(case)
    _need(opinion, "退回理由")
    target = _return_target(work.session, case, task, to_step)
    history.note(
        work, case, "return", "退回", task=task, to_step=target.key, opinion=opinion, is_public=target.scope == "applicant"
    )
    ending.release_before(work, case, target.key)
    movement.cancel_others(work, case, keep=task)
    movement.finish(work, task, "return", opinion, status="returned")
    if target.key == case_type_of(work.session, case).workflow.start:
        _back_to_start(work, case, opinion)
    movement.enter(work, case, target.key, came_from=task)
    return case


def _back_to_start(work: Work, case: Case, opinion: str) -> None:
    case.status = "correction"
    clocks.stop_all(work, case, f"退回申报：{opinion}")
    if case.applicant_id:
        notice.notify(work, case.applicant_id, "returned", f"退回修改：{case.title}", opinion, case_id=case.id)


def _return_target(session: Session, case: Case, task: Task, wanted: str) -> StepDefinition:
    for step in return_targets(session, case, task):
        if step.key == wanted:
            return step
    raise InvalidData("不能退回到所选环节。请从列出的环节中选择。", {"to_step": "请从列出的环节中选择"})


def return_targets(session: Session, case: Case, task: Task) -> list[StepDefinition]:
    """Where this task's step may return the case to, nearest first."""
    definition = case_type_of(session, case)
    allowed = definition.workflow.step(task.step).return_to
    passed = [s for s in movement.steps_passed(session, case, definition) if s.key != task.step]
    previous = movement.previous_step(session, task)
    targets = [definition.workflow.step(previous.step)] if previous and "previous" in allowed else []
    if "any" in allowed:
        targets += list(reversed(passed))
    if "applicant" in allowed:
        targets.append(definition.workflow.step(definition.workflow.start))
    return list({step.key: step for step in targets}.values())


@command("case.take_back", allow=anyone_signed_in)
def take_back(work: Work, case_id: int) -> Case:
    """Take back 拿回 what I sent on, while nobody has taken it up and nothing has left the house."""
    case = find(work.session, work.actor, case_id)
    mine = recallable(work.session, work.actor, case)
    if mine is None:
        raise Conflict("现在不能拿回：下一环节已经认领或已办理，或者上次提交已产生文书、记账或对外报送。请联系下一环节退回。")
    for task in movement.open_tasks(work.session, case.id):
        movement.finish(work, task, "take_back", status="cancelled")
    history.note(work, case, "take_back", "拿回", task=mine, to_step=mine.step)
    reopened = movement.enter(work, case, mine.step, came_from=mine)
    if reopened is not None:
        _give(work, reopened, work.actor.person_id)
    return case


def recallable(session: Session, actor: Actor, case: Case, in_hand: Sequence[Task] | None = None) -> Task | None:
    """My finished task, if what came of it can still be undone; `in_hand` are the open tasks if they were read already."""
    if case.status != "open":
        return None
    following = movement.open_tasks(session, case.id) if in_hand is None else in_hand
    if not following or any(task.status != "ready" or task.kind != "step" for task in following):
        return None
    mine = session.get(Task, following[0].came_from) if following[0].came_from else None
    if mine is None or mine.done_by != actor.person_id or len({t.came_from for t in following}) > 1:
        return None
    definition = case_type_of(session, case)
    action = next((a for a in definition.workflow.step(mine.step).actions if a.key == mine.action), None)
    leaves_traces = action is None or action.effects or action.documents or mine.step == definition.workflow.start
    return None if leaves_traces else mine


@command("case.withdraw", allow=anyone_signed_in)
def withdraw(work: Work, case_id: int, reason: str) -> Case:
    """The applicant (or the starter) withdraws the filing 撤回 before it is decided."""
    case = find(work.session, work.actor, case_id)
    if not is_own(work.actor, case):
        raise NotAllowed("只有申请人本人或本单位可以撤回申请。")
    if case.status in ("closed", "draft"):
        raise Conflict("申请还没有提交或已经结束，不能撤回。草稿可以直接删除。")
    if not may_withdraw(work.session, case):
        raise Conflict("申请已审定，不能撤回。需要取消许可的，请办理注销。")
    _need(reason, "撤回理由")
    history.note(work, case, "withdraw", "撤回申请", opinion=reason, is_public=True)
    movement.close(work, case, "withdrawn")
    return case


def may_withdraw(session: Session, case: Case) -> bool:
    """True while every step now in hand still lets the applicant withdraw; the first step always does."""
    workflow = case_type_of(session, case).workflow
    in_hand = [key for key in case.steps.split(",") if key]
    return all(key == workflow.start or "withdraw" in workflow.step(key).operations for key in in_hand)


def is_own(actor: Actor, case: Case) -> bool:
    """True if the case was filed by this person or this person's enterprise."""
    if actor.person_id in (case.created_by, case.applicant_id):
        return True
    return actor.is_applicant and actor.organisation_id is not None and actor.organisation_id == case.organisation_id


@command("case.suspend", allow=anyone_signed_in)
def suspend(work: Work, task_id: int, reason: str, task_version: int | None = None) -> Case:
    """Stop the clocks 停表 with a reason; until it is resumed nothing can be decided."""
    task, case = access.must_hold(work, task_id, task_version)
    _must_offer(work.session, case, task, "suspend")
    _must_be_running(case)
    _need(reason, "停表理由")
    case.status = "suspended"
    clocks.stop_all(work, case, reason)
    history.note(work, case, "suspend", "停表", task=task, opinion=reason, is_public=True)
    return case


@command("case.resume", allow=anyone_signed_in)
def resume(work: Work, task_id: int, reason: str) -> Case:
    """Let a suspended case go on 续办."""
    task, case = access.must_hold(work, task_id)
    if case.status != "suspended":
        raise Conflict("办件没有停表，不需要恢复。请刷新页面查看现在的状态。")
    case.status = "open"
    clocks.resume_all(work, case, reason or "续办")
    history.note(work, case, "resume", "续办", task=task, opinion=reason, is_public=True)
    return case


@command("case.terminate", allow=anyone_signed_in)
def terminate(work: Work, task_id: int, reason: str, task_version: int | None = None) -> Case:
    """End the case without a decision 终止; what it reserved is released."""
    task, case = access.must_hold(work, task_id, task_version)
    _must_offer(work.session, case, task, "terminate")
    _need(reason, "终止理由")
    history.note(work, case, "terminate", "终止办理", task=task, opinion=reason, is_public=True)
    movement.close(work, case, "terminated")
    return case


@command("case.urge", allow=anyone_signed_in)
def urge(work: Work, case_id: int, words: str = "") -> int:
    """Remind those who have the case in hand 催办; returns how many people were told."""
    case = find(work.session, work.actor, case_id)
    tasks = [task for task in movement.open_tasks(work.session, case.id) if task.status in ("ready", "held")]
    fresh = [task for task in tasks if task.urged_at is None or work.at - task.urged_at > URGE_PAUSE]
    if not fresh:
        raise Conflict("今天已经催办过，或现在没有人在办。同一环节一天只能催办一次。")
    told: set[int] = set()
    for task in fresh:
        task.urged_at = work.at
        told |= {task.assignee_id} if task.assignee_id else set(people_for(work.session, task))
    for person_id in told:
        notice.notify(work, person_id, "urged", f"催办：{case.title}", words, case_id=case.id)
    history.note(
        work, case, "urge", "催办", task=fresh[0], opinion=words, is_public=True, tasks=[task.id for task in fresh]
    )
    escalation.follow(work, case)
    return len(told)


@command("case.answer_reminder", allow=anyone_signed_in)
def answer_reminder(work: Work, task_id: int, words: str, task_version: int | None = None) -> Task:
    """Say how the task stands 回复催办; whoever reminded of it is told, and an escalation ends."""
    task, case = access.must_hold(work, task_id, task_version)
    waiting = [each for each in reminders_of(work.session, case) if task.id in each.task_ids and not each.is_answered]
    if not waiting:
        raise Conflict("这项任务没有等候回应的催办，不需要回复。请刷新页面查看经过。")
    _need(words, "回复")
    history.note(work, case, "answer_reminder", "回复催办", task=task, opinion=words, is_public=True)
    for person_id in {each.person_id for each in waiting if each.person_id}:
        notice.notify(work, person_id, "answered", f"催办已回复：{case.title}", words, case_id=case.id)
    escalation.follow(work, case)
    return task


def people_for(session: Session, task: Task, limit: int = 20) -> list[int]:
    """Ids of those whose role lets them take the task today."""
    from domain.person import RoleGrant

    moment = portal_clock.now(session)
    statement = (
        select(RoleGrant.person_id)
        .join(Person, col(Person.id) == RoleGrant.person_id)
        .where(RoleGrant.role == task.role, col(Person.is_active), RoleGrant.from_at <= moment)
        .where(or_(col(RoleGrant.until_at).is_(None), col(RoleGrant.until_at) > moment))
    )
    if task.district_code:
        statement = statement.where(or_(col(RoleGrant.district_code).is_(None), RoleGrant.district_code == task.district_code))
    return list(dict.fromkeys(session.exec(statement.limit(limit)).all()))


def _must_offer(session: Session, case: Case, task: Task, operation: str) -> None:
    step = access.step_of(session, case, task)
    if operation not in step.operations:
        raise NotAllowed(f"环节「{step.label}」没有开放这项操作。")


def _must_be_running(case: Case) -> None:
    if case.status == "suspended":
        raise Conflict("办件已停表，恢复后才能办理。请先点「续办」。")


def _need(words: str, what: str) -> None:
    if not words.strip():
        raise InvalidData(f"没有填写{what}，不能继续。请写明{what}。", {"opinion": f"请写明{what}"})


def last_event(session: Session, case_id: int) -> CaseEvent | None:
    """The newest line of a case's history."""
    return session.exec(
        select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(col(CaseEvent.id).desc()).limit(1)
    ).first()
