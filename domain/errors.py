"""The few families of errors that a person can meet; one handler turns each into page, fragment or JSON.

A message says what happened, why, and what to do. It never holds personal data or secrets, because it is logged.
"""

from collections.abc import Mapping
from typing import Any


class PortalError(Exception):
    """Something a person did could not be done; the message is for that person."""

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotAllowed(PortalError):
    """The person is known, and may not do this."""

    status = 403


class NotFound(PortalError):
    """There is no such thing, or the person may not know that there is."""

    status = 404


class Gone(PortalError):
    """What was there has ended, by its date or because somebody took it back; nothing is given out any more."""

    status = 410


class Conflict(PortalError):
    """Somebody else was faster, or the page is stale; nothing was changed."""

    status = 409


class Refused(PortalError):
    """A rule said no. Carries the decisions, so that the page can show the reasons."""

    status = 422

    def __init__(self, message: str, decisions: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.decisions = decisions


class InvalidData(PortalError):
    """What was sent cannot be taken; `fields` maps a field's key to its message."""

    status = 422

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


class OutsideSystemDown(PortalError):
    """A partner did not answer; nothing was changed, and the same act may be tried again."""

    status = 503


class TooManyRequests(PortalError):
    """The same address asked more often than one person can; it may go on in a while."""

    status = 429


class TooLarge(PortalError):
    """More was sent than is taken; nothing of it was kept."""

    status = 413
