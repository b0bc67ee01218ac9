"""Effects of an erratum's own workflow."""

from collections.abc import Mapping
from typing import Any

from domain import erratum
from domain.case.tables import Case, Task
from domain.command import Work
from domain.effects import effect


@effect("check_erratum")
def check_erratum(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Refuse an erratum whose corrections cannot be, before anybody reviews it."""
    erratum.must_change_something(work.session, case)


@effect("apply_erratum")
def apply_erratum(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Change the original, report it anew, correct the case library."""
    erratum.take_effect(work, case)
