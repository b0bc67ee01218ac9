"""The way a case goes through its steps, as told to people who wait for it: walked, here, and expected."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlmodel import Session, col, select

from domain.case.definition import case_type_of
from domain.case.tables import Case, Task
from rules.case_type import ActionDefinition, Move, StepDefinition, WorkflowDefinition


@dataclass(frozen=True, slots=True)
class CourseStep:
    """One step of the way: done, now or next."""

    key: str
    label: str
    state: Literal["done", "now", "next"]


def expected(workflow: WorkflowDefinition, from_key: str) -> tuple[StepDefinition, ...]:
    """The steps after one, if every main action is taken: parallel branches one after the other, loops once."""
    found: list[str] = []
    ahead = list(_following(workflow, from_key))
    while ahead:
        key = ahead.pop(0)
        if key == from_key or key in found:
            continue
        found.append(key)
        ahead += [each for each in _following(workflow, key) if each not in ahead]
    return tuple(workflow.step(key) for key in found)


def whole(workflow: WorkflowDefinition) -> tuple[StepDefinition, ...]:
    """The expected way from the first step on."""
    return (workflow.step(workflow.start), *expected(workflow, workflow.start))


def _following(workflow: WorkflowDefinition, key: str) -> tuple[str, ...]:
    """Where the main action leads; without one, the first that goes on."""
    actions = [each for each in workflow.step(key).actions if each.style != "bad" and _goes_on(each)]
    main = next((each for each in actions if each.style == "main"), actions[0] if actions else None)
    return _move(main).steps if main is not None else ()


def _move(action: ActionDefinition) -> Move:
    return action.to if action.to is not None else action.route.otherwise


def _goes_on(action: ActionDefinition) -> bool:
    return not _move(action).is_stay


def course(session: Session, case: Case) -> tuple[CourseStep, ...]:
    """The way of one case: the steps it has been through, those it is in, and, while it runs, those to come."""
    workflow = case_type_of(session, case).workflow
    here = [key for key in case.steps.split(",") if key] if case.status != "closed" else []
    walked = [key for key in _walked(session, case.id) if key not in here]
    ahead = [each.key for key in here for each in expected(workflow, key)]
    coming = [key for key in dict.fromkeys(ahead) if key not in here and key not in walked]
    return (*_named(workflow, walked, "done"), *_named(workflow, here, "now"), *_named(workflow, coming, "next"))


def _walked(session: Session, case_id: int) -> list[str]:
    statement = select(Task.step).where(Task.case_id == case_id, Task.kind == "step", Task.status == "done")
    return list(dict.fromkeys(session.exec(statement.order_by(col(Task.id))).all()))


def _named(
    workflow: WorkflowDefinition, keys: Sequence[str], state: Literal["done", "now", "next"]
) -> tuple[CourseStep, ...]:
    return tuple(CourseStep(key, workflow.step(key).label, state) for key in keys)
