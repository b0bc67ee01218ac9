"""Ledgers 台账: double-entry accounts of area in m² per pool, area, year and measure.

Building blocks are called inside the command of the step that causes them: `post`, `freeze`, `unfreeze`, `settle`,
`reverse`. Amounts are Decimal, exact to 0.01 m²; an account that would fall below zero refuses the whole step.
"""

from domain.ledger.account import AccountKey, PlanState, account, balance, plan_state
from domain.ledger.booking import Detail, post, reverse
from domain.ledger.definition import area_label, areas, detail_list, ledgers, pool, posting_kind
from domain.ledger.freezing import active as active_freeze
from domain.ledger.freezing import freeze, settle, unfreeze
from domain.ledger.tables import (
    LedgerAccount,
    LedgerEntry,
    LedgerFreeze,
    LedgerPosting,
    LedgerYear,
    ResourceDetail,
    WarningChange,
    WarningState,
)

__all__ = [
    "AccountKey",
    "Detail",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerFreeze",
    "LedgerPosting",
    "LedgerYear",
    "PlanState",
    "ResourceDetail",
    "WarningChange",
    "WarningState",
    "account",
    "active_freeze",
    "area_label",
    "areas",
    "balance",
    "detail_list",
    "freeze",
    "ledgers",
    "plan_state",
    "pool",
    "post",
    "posting_kind",
    "reverse",
    "settle",
    "unfreeze",
]
