"""A condition of a definition, bound to the facts that may be read there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rules.engine.syntax.condition import Condition
from rules.engine.value import Declaration, take

Names = Mapping[str, Declaration]


@dataclass(frozen=True)
class BoundCondition:
    """A condition in the rule language over form fields and `case.*` facts."""

    condition: Condition
    names: Names = field(repr=False)
    _test: Callable[[dict, list], bool | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_test", self.condition.compile())

    @property
    def reads(self) -> frozenset[str]:
        """Names of the facts it reads."""
        return self.condition.reads()

    def holds(self, facts: Mapping[str, Any]) -> bool | None:
        """True, False, or None when it cannot be told because a fact is missing.

        Raises rules.engine.fault.InvalidFact for a fact of the wrong type.
        """
        known = {name: take(self.names[name], facts.get(name)) for name in self.reads}
        return self._test(known, [])

    def words(self) -> str:
        """The condition as a Chinese clause."""
        return self.condition.words(self.names)
