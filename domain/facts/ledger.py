"""How the plan pool of the case's district and year stands: what the warning line and the exhaustion gate read."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain.facts import Ask, fact
from domain.ledger import active_freeze, opening, plan_state
from domain.ledger.tables import ZERO

GIVES = {
    "remaining_m2": "decimal",
    "stored_m2": "decimal",
    "frozen_m2": "decimal",
    "used_m2": "decimal",
    "available_m2": "decimal",
    "account_area": "text",
    "ledger_year": "integer",
    "books_open": "boolean",
}


@fact("ledger_state", title="年度预存计划库台账", gives=GIVES)
def ledger_state(ask: Ask) -> Mapping[str, Any]:
    """The plan pool as of now; of a case without a district, the year alone. What the case itself froze is not counted
    as frozen, so that it may be declared anew.
    """
    year = year_of(ask)
    known = {"ledger_year": year, "books_open": opening.year_of(ask.session, year) is not None}
    if ask.case.district_code is None:
        return known
    state = plan_state(ask.session, ask.case.district_code, year)
    frozen = state.frozen_m2 - _own(ask)
    return known | {
        "account_area": ask.case.district_code,
        "remaining_m2": state.remaining_m2,
        "stored_m2": state.stored_m2,
        "frozen_m2": frozen,
        "used_m2": state.used_m2,
        "available_m2": state.remaining_m2 - frozen,
    }


def year_of(ask: Ask) -> int:
    """The year on the form of the case (field `year`), else the present one."""
    return int(ask.values.get("year") or ask.today.year)


def _own(ask: Ask) -> Decimal:
    if ask.case.id is None:
        return ZERO
    held = active_freeze(ask.session, ask.case.id)
    return held.amount if held else ZERO
