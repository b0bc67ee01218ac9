"""Counts of houses, agreements and decisions of a land acquisition project (土地征收—补偿登记—房屋登记)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class VoidCounts:
    """Agreements and decisions that were revoked or declared void: shown, never counted."""

    acquisition_agreement_count: int
    exchange_agreement_count: int
    compensation_decision_count: int


@dataclass(frozen=True, slots=True)
class HouseCounts:
    """The six values that must balance before a house case is closed, counted by document at `counted_at`.

    Left side: residential houses, jointly run enterprises, other enterprises. Right side: agreements signed
    (依法征收), exchange agreements (协议置换), compensation decisions (决定书), without the void ones.
    """

    project_number: str
    project_name: str
    residential_house_count: int
    joint_enterprise_count: int
    other_enterprise_count: int
    acquisition_agreement_count: int
    exchange_agreement_count: int
    compensation_decision_count: int
    void: VoidCounts
    counted_at: datetime


class HouseRegistration(Protocol):
    """The house registration module as the portal uses it."""

    def counts(self, project_number: str, *, correlation_id: str | None = None) -> HouseCounts:
        """Return the counts of a project as they are now. Raises PartnerRefused for an unknown project."""
