"""Effects that hand the patch of a case over to partners."""

from collections.abc import Mapping
from typing import Any

from domain.case.tables import Case, Task
from domain.command import Work
from domain.effects import effect
from domain.patch_case import handing_over
from domain.patch_case.opening import overlay_again


@effect("lay_patch_over")
def lay_patch_over(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Lay the patch over the layers as they stand now; what was found before is in the history of the case."""
    overlay_again(work, case)


@effect("hand_over_patch")
def hand_over_patch(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Tell the partner that is named of the case and its patch; once, under the number of the case."""
    handing_over.send_patch(work, case, arguments["partner"])
