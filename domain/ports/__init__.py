"""What the portal asks of outside systems: one module per partner, with its protocol and its values.

`integrations` implements these protocols; `domain` and `views` know nothing else of a partner.
"""

from domain.ports.errors import (
    CallbackRefused,
    OutsideSystemDown,
    OutsideSystemError,
    PartnerAnswerInvalid,
    PartnerRefused,
    Rejection,
)
from domain.ports.partner import PARTNERS, Partner, partner
from domain.ports.partners import Partners

__all__ = [
    "PARTNERS",
    "CallbackRefused",
    "OutsideSystemDown",
    "OutsideSystemError",
    "Partner",
    "PartnerAnswerInvalid",
    "PartnerRefused",
    "Partners",
    "Rejection",
    "partner",
]
