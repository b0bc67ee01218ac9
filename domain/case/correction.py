"""Correction 补正: the officer names fields and materials, the applicant may change those and nothing else."""

from collections.abc import Sequence
from typing import Any

from domain import notice
from domain.case import access, access_rules, clocks, completeness, history, index, papers, versions
from domain.case.definition import case_type_of
from domain.case.movement import finish, show_where
from domain.case.tables import Case, CaseCorrection, Task
from domain.command import Work, anyone_signed_in, command
from domain.errors import Conflict, InvalidData


@command("case.ask_correction", allow=anyone_signed_in)
def ask_correction(
    work: Work, task_id: int, items: Sequence[dict[str, Any]], note: str = "", task_version: int | None = None
) -> CaseCorrection:
    """Tell the applicant once, completely, what to correct; the clocks stop until the answer."""
    task, case = access.must_hold(work, task_id, task_version)
    _must_be_possible(work, case, task)
    checked = _checked_items(work, case, items)
    history.note(
        work, case, "correct", "一次告知补正", task=task, opinion=note, is_public=True, items=[i["what"] for i in checked]
    )
    correction = CaseCorrection(
        case_id=case.id, task_id=task.id, asked_at=work.at, asked_by=work.actor.person_id, items=checked, note=note
    )
    work.session.add(correction)
    task.status, task.version, case.status = "waiting", task.version + 1, "correction"
    _open_for_applicant(work, case, task)
    clocks.stop_all(work, case, "等待申请人补正")
    work.session.flush()
    papers.issue_correction_notice(work, case, task)
    notice.notify(work, case.applicant_id, "correction", f"需要补正：{case.title}", note, case_id=case.id)
    return correction


def _must_be_possible(work: Work, case: Case, task: Task) -> None:
    if "correct" not in access.step_of(work.session, case, task).operations:
        raise Conflict("本环节没有开放补正。需要申请人修改的，请退回申报环节。")
    if case.status != "open":
        raise Conflict("办件已停表或已在补正，不能再次告知补正。")
    if case.applicant_id is None:
        raise Conflict("这件由工作人员发起，没有网上申请人，不能告知补正。请用「退回」。")


def _checked_items(work: Work, case: Case, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    definition = case_type_of(work.session, case)
    fields = {field.key for field in definition.form.fields() if not field.is_repeated}
    fields |= {section.key for section in definition.form.sections if section.repeat}
    slots = {slot.key for slot in definition.materials}
    for item in items:
        known = item.get("field") in fields or item.get("material") in slots
        if not known or not str(item.get("what", "")).strip():
            raise InvalidData("补正事项要选定字段或材料，并写明要改什么。请补全每一条。", {"items": "请补全每一条"})
    if not items:
        raise InvalidData("没有列出补正事项。请至少列出一条需要补正的内容。", {"items": "请至少列出一条"})
    return [dict(item) for item in items]


def _open_for_applicant(work: Work, case: Case, parent: Task) -> None:
    start = case_type_of(work.session, case).workflow.start
    child = Task(
        case_id=case.id,
        step=start,
        kind="correction",
        role="applicant",
        organisation_id=case.organisation_id,
        status="held",
        assignee_id=case.applicant_id,
        reserved_for=case.applicant_id,
        parent_id=parent.id,
        came_from=parent.id,
        created_at=work.at,
        claimed_at=work.at,
    )
    work.session.add(child)
    work.session.flush()


@command("case.answer_correction", allow=anyone_signed_in)
def answer_correction(work: Work, task_id: int, task_version: int | None = None) -> Case:
    """The applicant sends the corrected filing; the officer goes on where he or she stood."""
    task, case = access.must_hold(work, task_id, task_version)
    if task.kind != "correction":
        raise Conflict("现在没有等待补正的内容。请刷新页面查看办件的状态。")
    completeness.must_be_complete(work.session, work.actor, case, task)
    correction = access_rules.open_correction(work.session, case)
    if correction is not None:
        correction.answered_at = work.at
    finish(work, task, "answer_correction")
    parent = work.session.get(Task, task.parent_id)
    if parent is not None and parent.status == "waiting":
        parent.status, parent.version = "held" if parent.assignee_id else "ready", parent.version + 1
    case.status = "open"
    clocks.resume_all(work, case, "补正材料已提交")
    versions.keep(work, case, "corrected")
    history.note(work, case, "answer_correction", "提交补正", task=task, is_public=True)
    index.rewrite(work.session, case)
    show_where(work, case)
    if parent is not None and parent.assignee_id:
        notice.notify(work, parent.assignee_id, "corrected", f"已补正：{case.title}", case_id=case.id)
    return case
