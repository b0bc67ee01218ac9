"""Sign-in of enterprises through the city's identity service (一网通办)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """What must be kept in the visitor's session between leaving for the identity service and coming back."""

    url: str
    state: str
    nonce: str
    code_verifier: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Enterprise:
    """The applying organisation and the person acting for it; None where the service has no value."""

    credit_code: str
    name: str
    legal_representative: str | None
    handler_name: str
    handler_phone: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class SignIn:
    """A verified sign-in. `id_token` is only needed to end the session at the identity service."""

    subject: str
    enterprise: Enterprise
    signed_in_at: datetime
    id_token: str


class Identity(Protocol):
    """The identity service as the portal uses it."""

    @property
    def issuer(self) -> str:
        """The address that names the service; with a subject it names one person for ever."""

    def begin_login(self, redirect_uri: str) -> LoginAttempt:
        """Prepare a sign-in: where to send the browser, and what to keep. Raises OutsideSystemError."""

    def finish_login(self, attempt: LoginAttempt, answer: Mapping[str, str]) -> SignIn:
        """Turn the query of the return address into a verified sign-in.

        Raises PartnerRefused (sign-in declined, code used up), PartnerAnswerInvalid (a check of the token
        failed) or OutsideSystemDown.
        """

    def end_session_url(self, id_token: str, return_uri: str) -> str:
        """Return the address that ends the session at the identity service. Raises OutsideSystemError."""
