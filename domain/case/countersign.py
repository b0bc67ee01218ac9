"""Countersign 会签 (one after another, or all at once) and assistance 委派: others say their word, the holder decides."""

from collections.abc import Sequence

from sqlmodel import col, select

from domain import notice
from domain.case import access, history
from domain.case.tables import Case, Task
from domain.command import Work, anyone_signed_in, command
from domain.errors import Conflict, InvalidData
from domain.person import actor_of

MOST_PEOPLE = 20


@command("case.countersign", allow=anyone_signed_in)
def ask_countersign(
    work: Work, task_id: int, people: Sequence[int], words: str, *, in_sequence: bool = False, task_version: int | None = None
) -> list[Task]:
    """Ask colleagues for their opinion; the step waits until all have answered."""
    return _ask(work, task_id, people, words, "countersign", in_sequence, task_version)


@command("case.assist", allow=anyone_signed_in)
def ask_assistance(work: Work, task_id: int, person: int, words: str, task_version: int | None = None) -> list[Task]:
    """Let one colleague do the groundwork 委派; the task comes back to the holder with the answer."""
    return _ask(work, task_id, [person], words, "assist", False, task_version)


def _ask(
    work: Work, task_id: int, people: Sequence[int], words: str, kind: str, in_sequence: bool, version: int | None
) -> list[Task]:
    task, case = access.must_hold(work, task_id, version)
    if kind not in access.step_of(work.session, case, task).operations:
        raise Conflict("本环节没有开放会签或委派。")
    chosen = _chosen(work, people)
    label = {"countersign": "顺序会签" if in_sequence else "并行会签", "assist": "委派"}[kind]
    history.note(work, case, kind, label, task=task, opinion=words, people=[name for _, name in chosen])
    task.status, task.version = "waiting", task.version + 1
    asked = [
        _new_child(work, case, task, kind, person_id, place, waits=in_sequence and place > 1)
        for place, (person_id, _) in enumerate(chosen, 1)
    ]
    for child in asked:
        if child.status == "held":
            _tell(work, case, child, label, words)
    return asked


def _chosen(work: Work, people: Sequence[int]) -> list[tuple[int, str]]:
    distinct = list(dict.fromkeys(people))
    if not distinct or len(distinct) > MOST_PEOPLE:
        raise InvalidData(f"请选择 1 到 {MOST_PEOPLE} 位人员。", {"people": "请选择人员"})
    if work.actor.person_id in distinct:
        raise InvalidData("不能选择自己。请从名单中去掉自己后再提交。", {"people": "不能选择自己"})
    actors = [actor_of(work.session, person_id) for person_id in distinct]
    if any(actor is None or not actor.grants for actor in actors):
        raise InvalidData("所选人员中有人已停用或没有岗位。请重新选择。", {"people": "请重新选择"})
    return [(actor.person_id, actor.name) for actor in actors if actor and actor.person_id]


def _new_child(work: Work, case: Case, parent: Task, kind: str, person_id: int, place: int, *, waits: bool) -> Task:
    child = Task(
        case_id=case.id,
        step=parent.step,
        kind=kind,
        role=parent.role,
        district_code=parent.district_code,
        status="waiting" if waits else "held",
        assignee_id=person_id,
        reserved_for=person_id,
        parent_id=parent.id,
        order_no=place,
        came_from=parent.id,
        created_at=work.at,
        claimed_at=None if waits else work.at,
    )
    work.session.add(child)
    work.session.flush()
    return child


def _tell(work: Work, case: Case, child: Task, label: str, words: str) -> None:
    notice.notify(work, child.assignee_id, child.kind, f"{label}：{case.title}", words, case_id=case.id)


@command("case.answer", allow=anyone_signed_in)
def answer(work: Work, task_id: int, agrees: bool, opinion: str, task_version: int | None = None) -> Task:
    """Give one's countersign or the result of an assistance; the last answer wakes the step."""
    task, case = access.must_hold(work, task_id, task_version)
    if task.kind not in ("countersign", "assist"):
        raise Conflict("这项任务不是会签或委派，请用本环节的按钮办理。")
    if not opinion.strip():
        raise InvalidData("没有填写意见，不能提交。请填写意见。", {"opinion": "请填写意见"})
    label = "会签" if task.kind == "countersign" else "委派办结"
    history.note(work, case, "answer", f"{label}：{'同意' if agrees else '不同意'}", task=task, opinion=opinion, agrees=agrees)
    task.status, task.action, task.opinion = "done", "agree" if agrees else "disagree", opinion
    task.done_at, task.done_by, task.version = work.at, work.actor.person_id, task.version + 1
    work.session.flush()
    _wake_next(work, case, task)
    return task


def _wake_next(work: Work, case: Case, answered: Task) -> None:
    statement = select(Task).where(
        Task.parent_id == answered.parent_id, col(Task.status).in_(("waiting", "held"))
    )
    left = list(work.session.exec(statement.order_by(col(Task.order_no))).all())
    parent = work.session.get(Task, answered.parent_id)
    if not left and parent is not None and parent.status == "waiting":
        parent.status, parent.version = "held", parent.version + 1
        notice.notify(work, parent.assignee_id, "answered", f"会签已齐：{case.title}", case_id=case.id)
    elif left and left[0].status == "waiting":
        left[0].status, left[0].claimed_at = "held", work.at
        _tell(work, case, left[0], "顺序会签", "")
