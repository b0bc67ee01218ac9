"""Payments of land prices, read from the tax collection module (税务征收模块)."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment: the amount in yuan, the day it was paid, the voucher, what it was paid for."""

    voucher_number: str
    amount: Decimal
    paid_on: date
    item: str


@dataclass(frozen=True, slots=True)
class Payments:
    """All payments of one contract at the moment of asking; an empty tuple means that nothing was paid."""

    contract_number: str
    electronic_number: str | None
    payments: tuple[Payment, ...]
    answered_at: datetime

    @property
    def total(self) -> Decimal:
        """The sum paid, in yuan."""
        return sum((payment.amount for payment in self.payments), Decimal("0.00"))


class Tax(Protocol):
    """The tax collection module as the portal uses it."""

    def payments(
        self,
        *,
        contract_number: str | None = None,
        electronic_number: str | None = None,
        correlation_id: str | None = None,
    ) -> Payments:
        """Return the payments of the contract with this number or electronic number (exactly one is given).

        Raises PartnerRefused when the contract is unknown there, ValueError when none or both are given.
        """
