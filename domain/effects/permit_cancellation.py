"""Effects of a cancellation's own workflow."""

from collections.abc import Mapping
from typing import Any

from domain import permit_cancellation
from domain.case.tables import Case, Task
from domain.command import Work
from domain.effects import effect


@effect("tie_original")
def tie_original(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Link the case with the one whose number it names, in the relation that the workflow names."""
    permit_cancellation.tie(work, case, str(arguments["relation"]))


@effect("cancel_original")
def cancel_original(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """End the permit that the case cancels."""
    permit_cancellation.take_effect(work, case)
