"""Effects: what an action does to the world beside moving the case, by name.

An effect runs inside the transaction of the action. It never calls a partner: it writes to the outbox.
"""

from collections.abc import Callable, Mapping
from typing import Any

from domain.case.tables import Case, Task
from domain.command import Work

Effect = Callable[[Work, Case, Task | None, Mapping[str, Any]], None]

EFFECTS: dict[str, Effect] = {}


def effect(name: str) -> Callable[[Effect], Effect]:
    """Register an effect under a name that workflows use."""

    def register(act: Effect) -> Effect:
        if name in EFFECTS:
            raise ValueError(f"effect {name} is registered twice")
        EFFECTS[name] = act
        return act

    return register
