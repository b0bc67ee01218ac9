"""Fact providers: what a rule or a form needs from the world, by name.

A provider is a function of one `Ask`, registered with `@fact(name, gives={...})`. Providers marked
`outside` may ask a partner; they run before the transaction. The others read the database inside it,
so that what they say still holds when the transaction commits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlmodel import Session

from domain.actor import Actor
from domain.case.tables import Case, Task
from domain.office import Office


@dataclass(frozen=True)
class Ask:
    """What a provider may look at: the case with its form values, the day, and the office."""

    session: Session
    case: Case
    values: Mapping[str, Any]
    today: date
    office: Office
    actor: Actor
    task: Task | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FactProvider:
    """A named provider: what it gives (key → type of the rule language), and whether it asks outside."""

    name: str
    title: str
    """The source in words, shown beside a value that it filled in."""
    gives: Mapping[str, str]
    is_outside: bool
    get: Callable[[Ask], Mapping[str, Any]]


PROVIDERS: dict[str, FactProvider] = {}


def fact(
    name: str, *, title: str, gives: Mapping[str, str], outside: bool = False
) -> Callable[[Callable[[Ask], Mapping[str, Any]]], Callable[[Ask], Mapping[str, Any]]]:
    """Register a fact provider under a name that definitions use."""

    def register(get: Callable[[Ask], Mapping[str, Any]]) -> Callable[[Ask], Mapping[str, Any]]:
        if name in PROVIDERS:
            raise ValueError(f"fact provider {name} is registered twice")
        PROVIDERS[name] = FactProvider(name, title, dict(gives), outside, get)
        return get

    return register
