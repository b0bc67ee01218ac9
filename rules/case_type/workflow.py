"""The workflow of a case type as data: steps, actions, and where an action leads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .condition import BoundCondition

SCOPES = ("applicant", "town", "district", "city", "organisation")
COUNTINGS = ("working", "calendar")
STYLES = ("plain", "main", "bad")
OPINIONS = ("none", "optional", "required")
OUTCOMES = ("granted", "refused", "done", "terminated")
CLOCK_ACTS = ("start", "stop", "resume", "finish")
RETURN_TARGETS = ("applicant", "previous", "any")
DEFAULT_OPERATIONS = ("return", "transfer", "assist", "countersign", "suspend")


@dataclass(frozen=True, slots=True)
class Move:
    """Where an action leads: one step, several in parallel, an end with its outcome, or nowhere (stay)."""

    steps: tuple[str, ...] = ()
    outcome: str | None = None

    @property
    def is_stay(self) -> bool:
        return not self.steps and self.outcome is None

    @property
    def is_parallel(self) -> bool:
        return len(self.steps) > 1

    @property
    def is_end(self) -> bool:
        return self.outcome is not None


@dataclass(frozen=True, slots=True)
class Route:
    """A rule set chooses: `outcomes` maps its route value, or else its outcome, to a move."""

    ask: str
    outcomes: Mapping[str, Move]
    otherwise: Move

    def move(self, outcome: str, route: str | None) -> Move:
        """The move for a decision's outcome and its `route` value."""
        if route is not None and route in self.outcomes:
            return self.outcomes[route]
        return self.outcomes.get(outcome, self.otherwise)


@dataclass(frozen=True, slots=True)
class EffectCall:
    """A named effect with its arguments."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClockAct:
    """Start, stop, resume or finish one clock."""

    act: str
    clock: str


@dataclass(frozen=True, slots=True)
class StepClock:
    """Time allowed for one step."""

    days: int
    counting: str


@dataclass(frozen=True, slots=True)
class ActionDefinition:
    """What the holder of a step may do; exactly one of `to` and `route` is set."""

    key: str
    label: str
    style: str = "plain"
    opinion: str = "optional"
    decides: tuple[str, ...] = ()
    to: Move | None = None
    route: Route | None = None
    effects: tuple[EffectCall, ...] = ()
    documents: tuple[str, ...] = ()
    clocks: tuple[ClockAct, ...] = ()
    when: BoundCondition | None = None
    confirm: str = ""
    public: bool = False
    line: int = field(default=0, compare=False)

    def moves(self) -> tuple[Move, ...]:
        """Every move this action can lead to."""
        if self.route is not None:
            return (*self.route.outcomes.values(), self.route.otherwise)
        return (self.to,) if self.to is not None else ()


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """One step: who holds it, what may be edited and seen, and what may be done."""

    key: str
    label: str
    role: str
    scope: str
    actions: tuple[ActionDefinition, ...]
    clock: StepClock | None = None
    edits: tuple[str, ...] = ()
    panels: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    operations: tuple[str, ...] = DEFAULT_OPERATIONS
    return_to: tuple[str, ...] = RETURN_TARGETS
    is_join: bool = False
    line: int = field(default=0, compare=False)

    def action(self, key: str) -> ActionDefinition:
        """The action of this key. Raises KeyError."""
        for each in self.actions:
            if each.key == key:
                return each
        raise KeyError(key)

    def leads_to(self) -> frozenset[str]:
        """Keys of the steps that some action of this step leads to."""
        return frozenset(step for action in self.actions for move in action.moves() for step in move.steps)

    @property
    def can_end(self) -> bool:
        return any(move.is_end for action in self.actions for move in action.moves())


@dataclass(frozen=True)
class WorkflowDefinition:
    """All steps; `start` is the key of the first."""

    start: str
    steps: tuple[StepDefinition, ...]

    def step(self, key: str) -> StepDefinition:
        """The step of this key. Raises KeyError."""
        return self._steps[key]

    def has(self, key: str) -> bool:
        return key in self._steps

    @cached_property
    def _steps(self) -> Mapping[str, StepDefinition]:
        return {each.key: each for each in self.steps}

    def forks(self) -> Iterator[tuple[StepDefinition, ActionDefinition, Move]]:
        """Every move to several steps at once, with where it happens."""
        for step in self.steps:
            for action in step.actions:
                for move in action.moves():
                    if move.is_parallel:
                        yield step, action, move

    def reachable_from(self, key: str) -> frozenset[str]:
        """The step itself and every step that actions lead to from it."""
        seen, ahead = set(), [key]
        while ahead:
            here = ahead.pop()
            if here not in seen and here in self._steps:
                seen.add(here)
                ahead.extend(self._steps[here].leads_to())
        return frozenset(seen)
