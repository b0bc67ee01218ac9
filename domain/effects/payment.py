"""The effect that takes in what the tax module said."""

from collections.abc import Mapping
from typing import Any

from domain import payment
from domain.case import history
from domain.case.tables import Case, Task
from domain.command import Work
from domain.effects import effect


@effect("read_payments")
def read_payments(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Keep the payments that were read before the transaction; `asks` names the provider that read them."""
    said = arguments["gathered"].get(str(arguments["asks"]), {})
    count = payment.take_from_tax(work, case, said.get("payments", ()))
    if not count:
        history.note(work, case, "payments_read", "读取缴款，没有新的", said=said.get("tax_answer", ""))
    payment.settle(work, case, task)
