"""Effects that report the result of a case to the city's case library."""

from collections.abc import Mapping
from typing import Any

from domain import case_result
from domain.case.tables import Case, Task
from domain.command import Work
from domain.effects import effect
from domain.ports.case_library import Outcome


@effect("push_case_result")
def push_case_result(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Report the result; a second time (after a return) it is a correction, with the opinion as its reason."""
    outcome = Outcome(arguments.get("outcome", "granted"))
    case_result.push(work, case, outcome, case_result.latest_opinion(work.session, case) or "重新审理")
