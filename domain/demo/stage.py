"""What the demo stories need of whoever plays them: sessions at the moment of the story, and the outside world at work."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from sqlmodel import Session


class Stage(Protocol):
    """A portal whose clock shows the moment of the story, with partner simulators that answer."""

    identity_issuer: str
    """Who vouches for the sample enterprises in the portal that will be served; empty without partners."""

    def show(self, moment: datetime) -> None:
        """Let the portal's clock show a moment from here on."""

    def reading(self) -> AbstractContextManager[Session]:
        """A reading session at the moment of the story."""

    def writing(self) -> AbstractContextManager[Session]:
        """A writing session at the moment of the story."""

    def settle(self) -> None:
        """Let everything that waits be done: jobs, messages to partners and their answers."""

    def fault(self, partner: str, kind: str) -> None:
        """Let a partner misbehave until told otherwise."""
