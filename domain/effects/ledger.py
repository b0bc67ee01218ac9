"""Effects on the ledgers: area of the plan pool is frozen, let go, or used, by the fields of the case's form."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain.case.tables import Case, Task
from domain.command import Work
from domain.effects import effect
from domain.errors import InvalidData
from domain.ledger import Detail, freeze, settle, unfreeze


@effect("freeze_area")
def freeze_area(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Freeze the area of the form field named by `amount` in the plan pool of the case's district and year.

    With `when` the boolean field of that name must be true; else what was frozen before is let go.
    """
    if "when" in arguments and case.values.get(arguments["when"]) is not True:
        unfreeze(work, case)
        return
    year = case.values.get("year")
    freeze(work, case, _area(case, arguments["amount"]), task=task, year=int(year) if year else None)


@effect("unfreeze_area")
def unfreeze_area(work: Work, case: Case, _task: Task | None, _arguments: Mapping[str, Any]) -> None:
    """Let go what the case has frozen."""
    unfreeze(work, case)


@effect("settle_area")
def settle_area(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Use what the case has frozen, with a row in the list of details `list`; fields are named by paddy, scope and
    resource_type. With `when` nothing happens unless the boolean field of that name is true.
    """
    if "when" in arguments and case.values.get(arguments["when"]) is not True:
        return
    paddy = arguments.get("paddy")
    detail = Detail(
        arguments["list"],
        scope=_text(case, arguments.get("scope")),
        resource_type=_text(case, arguments.get("resource_type")),
        paddy_m2=_area(case, paddy) if paddy else None,
    )
    settle(work, case, detail, task=task)


def _area(case: Case, field: str) -> Decimal:
    value = case.values.get(field)
    if value in (None, ""):
        raise InvalidData("没有填写面积，台账不能记账。请填写后再办。", {field: "没有填写"})
    return Decimal(str(value))


def _text(case: Case, field: str | None) -> str:
    return str(case.values.get(field) or "") if field else ""
