"""Taking an action of a step: gates are asked, effects happen, papers are issued, the case moves."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from domain import decision, failpoint
from domain.actor import Actor
from domain.case import access, clocks, completeness, filled_form, history, index, movement, papers, versions
from domain.case.definition import case_type_of
from domain.case.tables import Case, Task
from domain.command import Work, anyone_signed_in, command
from domain.decision import Gathered
from domain.document.issue import RenderedDocument
from domain.effects import EFFECTS
from domain.errors import Conflict, InvalidData, NotFound
from domain.numbering import NumberPattern, take_number
from domain.portal_clock import local_date
from rules.case_type import ActionDefinition, CaseType, Move, StepDefinition


def outside_facts(session: Session, actor: Actor, task_id: int, action_key: str) -> Gathered:
    """Ask the partners that the gates, routes and effects of an action need; before the transaction."""
    task, case = access.find_task(session, actor, task_id)
    action = action_of(access.step_of(session, case, task), action_key)
    rule_sets = [*action.decides, *([action.route.ask] if action.route else [])]
    asked = [str(call.arguments["asks"]) for call in action.effects if "asks" in call.arguments]
    return decision.gather_outside(session, actor, case, rule_sets, asked)


def papers_beforehand(session: Session, actor: Actor, task_id: int, action_key: str) -> dict[str, RenderedDocument]:
    """Render the papers of an action before its transaction; only those that may be issued as things stand."""
    task, case = access.find_task(session, actor, task_id)
    action = action_of(access.step_of(session, case, task), action_key)
    fresh = [key for key in action.documents if papers.in_force(session, case.id, key) is None]
    return papers.rendered_beforehand(session, case, fresh)


def offered(session: Session, case: Case, task: Task) -> list[ActionDefinition]:
    """The actions of a step that fit the case as it is now."""
    facts = filled_form.facts(session, case)
    step = access.step_of(session, case, task)
    return [action for action in step.actions if action.when is None or action.when.holds(facts)]


@command("case.act", allow=anyone_signed_in)
def take_action(
    work: Work,
    task_id: int,
    action_key: str,
    *,
    opinion: str = "",
    task_version: int | None = None,
    gathered: Gathered | None = None,
    prepared: Mapping[str, RenderedDocument] | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Case:
    """Take one action of the step a task stands for.

    Raises Refused with the decisions if a gate does not open, InvalidData if form, materials or opinion are
    not complete, Conflict if somebody was faster. Then nothing has changed.
    """
    task, case = access.must_hold(work, task_id, task_version)
    definition = case_type_of(work.session, case)
    step = definition.workflow.step(task.step)
    action = action_of(step, action_key)
    _must_fit(work, case, task, step, action, opinion)
    decisions = decision.pass_gates(work, case, action.decides, "leave", task=task, gathered=gathered)
    move = _move_of(work, case, task, action, gathered)
    failpoint.reach("action:gates_passed")
    _mark_submission(work, case, task, definition, move)
    history.note(
        work, case, action.key, action.label, task=task, to_step=",".join(move.steps) or None, opinion=opinion,
        is_public=action.public, decisions=[d.key for d in decisions],
    )
    bring_about(work, case, task, definition, action, {**(arguments or {}), "gathered": gathered or {}}, prepared)
    _move(work, case, task, action, opinion, move)
    return case


def action_of(step: StepDefinition, key: str) -> ActionDefinition:
    """The action of this key; raises NotFound."""
    for action in step.actions:
        if action.key == key:
            return action
    raise NotFound(f"环节「{step.label}」没有这项操作。请刷新页面后重试。")


def _must_fit(
    work: Work, case: Case, task: Task, step: StepDefinition, action: ActionDefinition, opinion: str
) -> None:
    if case.status == "suspended":
        raise Conflict("办件已停表，恢复后才能办理。请先点「续办」。")
    if task.kind != "step":
        raise Conflict("会签、协办、补正任务有自己的办理按钮，不能直接办理本环节。")
    if action.opinion == "required" and not opinion.strip():
        raise InvalidData("没有填写意见，不能提交。请填写意见后再提交。", {"opinion": "请填写意见"})
    if len(opinion) > 4000:
        raise InvalidData(f"意见 {len(opinion)} 字，最多 4000 字。请删减。", {"opinion": "意见最多 4000 字"})
    if action not in offered(work.session, case, task):
        raise Conflict(f"现在不能「{action.label}」：办件的内容不符合这项操作的条件。请刷新页面后再看。")
    if action.style != "bad" and not (action.to and action.to.is_stay):
        completeness.must_be_complete(work.session, work.actor, case, task)


def _move_of(work: Work, case: Case, task: Task, action: ActionDefinition, gathered: Gathered | None) -> Move:
    """Where the action leads: as declared, or as a rule set decides."""
    if action.route is None:
        return action.to
    answer = decision.decide(work.session, work.actor, case, action.route.ask, task=task, gathered=gathered)
    decision.store(work, case, answer, "route", task)
    return action.route.move(answer.outcome, answer.values.get("route"))


def _mark_submission(work: Work, case: Case, task: Task, definition: CaseType, move: Move) -> None:
    """Leaving the first step files the case; leaving it again answers a return."""
    if task.step != definition.workflow.start or move.is_stay:
        return
    if case.submitted_at is None:
        case.submitted_at = work.at
    else:
        clocks.resume_all(work, case, "申请人重新提交")
    case.status = "open"
    versions.keep(work, case, "submitted")


def bring_about(
    work: Work,
    case: Case,
    task: Task,
    definition: CaseType,
    action: ActionDefinition,
    arguments: Mapping[str, Any],
    prepared: Mapping[str, RenderedDocument] | None,
) -> None:
    """Number, effects, clocks and papers of an action, in this order: a paper may speak of all the others; part of a command."""
    given = definition.number
    if given and case.number is None and (given.step, given.action) == (task.step, action.key):
        give_number(work, case, definition)
    for call in action.effects:
        EFFECTS[call.name](work, case, task, {**call.arguments, **arguments})
        failpoint.reach(f"effect:{call.name}")
    clocks.apply(work, case, task, action.clocks)
    for key in action.documents:
        papers.issue_for_action(work, case, task, key, prepared)
    index.rewrite(work.session, case)


def give_number(work: Work, case: Case, definition: CaseType) -> None:
    """The case's own number, in the transaction that needs it."""
    numbering_of = definition.number.numbering
    pattern = NumberPattern.parse(numbering_of.pattern)
    names = {"district": case.district_code or "310100"}
    case.number = take_number(
        work.session, numbering_of.series, pattern, local_date(work.at), names, subject=f"case:{case.id}", at=work.at
    )


def _move(work: Work, case: Case, task: Task, action: ActionDefinition, opinion: str, move: Move) -> None:
    if move.is_stay:
        task.version += 1
        work.session.add(task)
        return
    movement.finish(work, task, action.key, opinion)
    if move.is_end:
        movement.close(work, case, move.outcome)
    elif move.is_parallel:
        movement.fork(work, case, move.steps, task)
    else:
        movement.enter(work, case, move.steps[0], came_from=task, branch=task.branch)
