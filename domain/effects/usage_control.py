"""Effects that report a case to the land-use control platform; none of them calls it."""

from collections.abc import Mapping
from typing import Any

from domain import usage_control
from domain.case.tables import Case, Task
from domain.command import Work
from domain.effects import effect
from domain.errors import Refused
from domain.exchange.inbox import Received, take_in
from domain.linked_case import original_of
from domain.report_outcome import show_on_case
from domain.usage_control import ReportRound


@effect("start_report")
def start_report(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Start a round of the kind that the workflow names; a cancellation speaks of the number of its original."""
    kind = str(arguments["kind"])
    cancels = _round_to_cancel(work, case) if usage_control.kinds()[kind].cancels else None
    usage_control.begin(work, case, kind, cancels=cancels)
    show_on_case(work, case)


def _round_to_cancel(work: Work, case: Case) -> ReportRound:
    original = original_of(work.session, case)
    row = usage_control.numbered(work.session, original.id) if original is not None else None
    if row is None:
        raise Refused("原许可没有有效的电子监管号，没有可以注销的报送记录。请核对原许可的用途管制信息。")
    return row


@effect("refresh_report")
def refresh_report(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Take in what the platform said when it was asked before the transaction; `asks` names that provider."""
    said = arguments["gathered"].get(str(arguments["asks"]), {})
    if said.get("platform_answer"):
        take_in(work, Received(usage_control.PARTNER, said["business_key"], said["platform_answer"], source="ask"))
    show_on_case(work, case)


@effect("take_pre_review_number")
def take_pre_review_number(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Keep the pre-review number that the platform gave before the transaction; `asks` names that provider.

    A number once obtained stays when a later answer has none: the platform does not take numbers back by silence.
    """
    said = arguments["gathered"].get(str(arguments["asks"]), {})
    if not said:
        return
    kept = case.values.get("pre_review_number")
    case.values = {
        **case.values, "pre_review_number": said["pre_review_found"] or kept, "pre_review_answer": said["pre_review_said"],
    }  # fmt: skip
    work.record(f"case:{case.id}", pre_review_number=case.values["pre_review_number"])
