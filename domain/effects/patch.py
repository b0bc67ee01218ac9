"""Effects that hand the patch of a case over to partners."""

from collections.abc import Mapping
from typing import Any

from domain.case.tables import Case, Task
from domain.command import Work
from domain.effects import effect
from domain.patch_case import handing_over


@effect("hand_over_patch")
def hand_over_patch(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Tell the partner that is named of the case and its patch; once, under the number of the case."""
    handing_over.send_patch(work, case, arguments["partner"])
