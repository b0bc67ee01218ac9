"""The clocks of a case as its case type declares them: started, stopped and ended by actions and operations."""

from collections.abc import Sequence
from datetime import date

from domain import clock
from domain.case.definition import case_type_of
from domain.case.tables import Case, Task
from domain.command import Work
from domain.errors import InvalidData
from rules.case_type import ClockAct, ClockDefinition, StepDefinition


def apply(work: Work, case: Case, task: Task, acts: Sequence[ClockAct]) -> None:
    """Carry out what an action says of the case's clocks."""
    definition = case_type_of(work.session, case)
    for each in acts:
        if each.act == "start":
            start(work, case, definition.clock(each.clock))
        else:
            running = clock.open_clock(work.session, case.id, each.clock)
            {"stop": clock.stop, "resume": clock.resume, "finish": clock.finish}[each.act](work, running, "办理环节触发")


def start(work: Work, case: Case, definition: ClockDefinition) -> None:
    """Start one declared clock: by its days, or until the date that a field holds.

    A case that was returned and accepted again goes on with the clock it has.
    """
    open_ones = [c for c in clock.clocks_of(work.session, case.id) if c.key == definition.key and c.status != "finished"]
    if open_ones:
        if open_ones[-1].status == "stopped":
            clock.resume(work, open_ones[-1], "再次受理")
        return
    due_on = _date_in(case, definition) if definition.due_from else None
    clock.start(
        work,
        case,
        key=definition.key,
        label=definition.label,
        days=None if due_on else definition.days,
        due_on=due_on,
        counting=definition.counting,
        light_set=definition.light,
        legal_days=definition.legal_days,
        warning_days=definition.warning_days or None,
        reason="起算",
    )


def _date_in(case: Case, definition: ClockDefinition) -> date:
    value = case.values.get(definition.due_from)
    if not value:
        message = f"时限「{definition.label}」按表单中的日期计算，该日期还没有填写。请先填写。"
        raise InvalidData(message, {definition.due_from: message})
    return date.fromisoformat(value)


def start_for_step(work: Work, case: Case, task: Task, step: StepDefinition) -> None:
    """Start the time allowed for one step."""
    if step.clock is not None:
        clock.start(
            work, case, key=f"step:{step.key}", label=f"{step.label}环节", days=step.clock.days,
            counting=step.clock.counting, task_id=task.id, reason="进入环节",
        )


def finish_for_task(work: Work, task: Task) -> None:
    """End the step's own clock."""
    if task.kind == "step":
        clock.finish_open(work, task.case_id, "环节办结", task_id=task.id)


def finish_all(work: Work, case: Case) -> None:
    """End every clock of the case."""
    clock.finish_open(work, case.id, "办件结束")


def stop_all(work: Work, case: Case, reason: str) -> None:
    """Stop every running limit of the case; agreed dates run on."""
    clock.stop_running(work, case.id, reason)


def resume_all(work: Work, case: Case, reason: str) -> None:
    """Let every stopped limit of the case go on."""
    clock.resume_stopped(work, case.id, reason)
