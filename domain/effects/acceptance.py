"""Effects of accepting a filing."""

from collections.abc import Mapping
from typing import Any

from domain.case.tables import Case, Task
from domain.command import Work
from domain.effects import effect


@effect("mark_accepted")
def mark_accepted(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """The day of acceptance; a case that was returned and comes again keeps its first one."""
    case.accepted_at = case.accepted_at or work.at
