"""What must be let go when a case ends without its purpose: holds on parcels, frozen area."""

from collections.abc import Callable

from domain.case.tables import Case
from domain.command import Work

GIVEN_UP = ("withdrawn", "terminated", "refused", "discarded")
"""Outcomes after which nothing that the case reserved may stay reserved."""

_releases: list[Callable[[Work, Case, str], None]] = []
_returns: list[Callable[[Work, Case, str], None]] = []


def on_giving_up(release: Callable[[Work, Case, str], None]) -> Callable[[Work, Case, str], None]:
    """Register what a noun lets go when a case is given up (the outcome is the third argument)."""
    _releases.append(release)
    return release


def release(work: Work, case: Case, outcome: str) -> None:
    """Let go of everything the case reserved, if it ended without its purpose."""
    if outcome in GIVEN_UP:
        for let_go in _releases:
            let_go(work, case, outcome)


def on_return(release: Callable[[Work, Case, str], None]) -> Callable[[Work, Case, str], None]:
    """Register what a noun lets go when a case returns to a step (its key is the third argument)."""
    _returns.append(release)
    return release


def release_before(work: Work, case: Case, step_key: str) -> None:
    """Let go of what was reserved at or after the step the case returns to."""
    for let_go in _returns:
        let_go(work, case, step_key)
