"""Cases that the portal opens by itself: what comes in fills in the first step, whose one action hands it on."""

from collections.abc import Mapping
from typing import Any

from domain.case import actions, draft, filled_form, history, movement, versions
from domain.case.operations import people_for
from domain.case.tables import Case, Task
from domain.command import Work
from domain.notice import notify
from rules.case_type import CaseType


def begin(work: Work, definition: CaseType, district_code: str, values: Mapping[str, Any], said: str, **detail: Any) -> Case:
    """A case of this type that came in filled in; the caller ties to it what its first step speaks of, then hands it on.

    `said` and `detail` go into its history.
    """
    case = draft.begin(work, definition, district_code=district_code, values=values)
    case.title = filled_form.title(work.session, case, definition)[:200]
    case.status, case.submitted_at = "open", work.at
    versions.keep(work, case, "submitted")
    history.note(work, case, "received", said, **detail)
    work.session.flush()
    return case


def hand_on(work: Work, case: Case, definition: CaseType) -> Task:
    """Take the first step's one action: number, effects and clocks as if a person had taken it; the task it leads to."""
    received = movement.open_tasks(work.session, case.id)[0]
    onward = definition.workflow.step(received.step).actions[0]
    actions.bring_about(work, case, received, definition, onward, {}, None)
    movement.finish(work, received, onward.key)
    return movement.enter(work, case, onward.to.steps[0], came_from=received)


def tell(work: Work, case: Case, task: Task, title: str) -> None:
    """Tell those who may take the case up."""
    for person_id in people_for(work.session, task):
        notify(work, person_id, "task", title, case_id=case.id)
