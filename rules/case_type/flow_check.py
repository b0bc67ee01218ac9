"""Checks over a whole workflow: every step can be reached, every step can end, branches come together."""

from collections.abc import Iterator

from .entry import Notes
from .workflow import Move, StepDefinition, WorkflowDefinition


def check_flow(workflow: WorkflowDefinition, note: Notes) -> None:
    """Note what is wrong with the ways through the workflow."""
    if not workflow.has(workflow.start):
        return
    _check_reachable(workflow, note)
    _check_ends(workflow, note)
    for step in workflow.steps:
        if step.is_join and not any(_comes_together(workflow, move, step) for move in _fork_moves(workflow)):
            note(
                step.line,
                f"steps[{step.key}].join",
                f"环节 {step.key} 写了 join，但没有动作并行进入后都到这里。请在前面写 to: [甲, 乙]，或删去 join",
            )
    for step, action, move in workflow.forks():
        if not any(each.is_join and _comes_together(workflow, move, each) for each in workflow.steps):
            note(
                action.line,
                f"steps[{step.key}].actions[{action.key}].to",
                f"并行进入 {'、'.join(move.steps)} 后没有环节写 join: all 汇合。请给汇合的环节加 join: all",
            )


def _check_reachable(workflow: WorkflowDefinition, note: Notes) -> None:
    reached = workflow.reachable_from(workflow.start)
    for step in workflow.steps:
        if step.key not in reached:
            note(
                step.line,
                f"steps[{step.key}]",
                f"从 {workflow.start} 走不到环节 {step.key}。请在某个动作的 to 里写它，或删去这个环节",
            )


def _check_ends(workflow: WorkflowDefinition, note: Notes) -> None:
    for step in workflow.steps:
        onward = [workflow.step(key) for key in workflow.reachable_from(step.key)]
        if step.actions and not any(each.can_end for each in onward):
            note(
                step.line,
                f"steps[{step.key}]",
                f"从环节 {step.key} 走不到结束。请让后面的某个动作写 to: end:结果",
            )


def _fork_moves(workflow: WorkflowDefinition) -> Iterator[Move]:
    return (move for _step, _action, move in workflow.forks())


def _comes_together(workflow: WorkflowDefinition, move: Move, step: StepDefinition) -> bool:
    """Whether every branch of the move can reach the step."""
    return step.key not in move.steps and all(
        step.key in workflow.reachable_from(branch) for branch in move.steps
    )
