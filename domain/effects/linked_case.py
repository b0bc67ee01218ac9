"""The effect that opens a linked case."""

from collections.abc import Mapping
from typing import Any

from domain import linked_case
from domain.case.tables import Case, Task
from domain.case_result import latest_opinion
from domain.command import Work
from domain.effects import effect


@effect("open_linked_case")
def open_linked_case(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Open the case of a relation; the opinion of the action is its reason."""
    linked_case.open_linked(work, case, str(arguments["relation"]), latest_opinion(work.session, case))
